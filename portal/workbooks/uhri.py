"""One row of an export of the Universal Human Rights Index: every quirk of its cells (files: ``uhri_files``).

The columns are those of the index's "Export to Excel"; headers are misspelt there and corrected in some versions.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.layout import normal
from portal.workbooks.opening import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADERS = {
    "text": "Text",
    "countries": "Countries Concerned",
    "body": "Recommending Body",
    "symbol": "Document Symbol",
    "themes": "Themes",
    "affected": "Affected Persons",
    "sdgs": "Sdgs",
    "published": "Document Publication Date",
    "recommending_states": "UPR Recommending States",
    "position": "UPR Position",
    "type": "Type",
    "annotation_id": "OHCHR Annotation Id",
    "session": "UPR Session",
    "regions": "Regions Concerned",
    "recommending_regions": "Recommending Regions",
    "uhri_date": "Date of publication on UHRI",
}
_ALIASES = {
    "text": ("recommendation", "annotation text"),
    "countries": ("country", "countries", "country concerned", "state concerned"),
    "body": ("reccomending body", "recomending body", "body", "mechanism"),
    "symbol": ("symbol", "document"),
    "themes": ("theme",),
    "affected": ("affected person", "persons affected", "affectedpersons"),
    "sdgs": ("sdg", "sustainable development goals"),
    "published": ("publication date", "document date", "publicationdate"),
    "recommending_states": (
        "upr reccomending states", "upr recommending state", "upr reccomending state", "recommending states",
        "recommending state", "uprrecommendingcountry", "upr recommending country",
    ),
    "position": ("position", "uprposition"),
    "type": ("annotation type", "annotationtype"),
    "annotation_id": ("annotation id", "ohchr annotation", "annotationid", "id"),
    "session": ("session", "upr cycle", "uprsession", "uprcycle"),
    "regions": ("region", "region concerned"),
    "recommending_regions": ("reccomending regions", "upr recommending regions"),
    "uhri_date": ("date of publication", "publication date on uhri"),
}  # fmt: skip
NAMES = {normal(name): key for key, name in HEADERS.items()}
for _key, _names in _ALIASES.items():
    for _name in _names:
        NAMES.setdefault(normal(_name), _key)

NEEDED = ("text", "countries", "body", "symbol", "annotation_id")
KINDS = {"recommend": "recommendation", "concern": "concern", "observation": "concern", "positive": "positive"}
EPOCH = date(1899, 12, 30)  # Excel's day 0

_BREAK = re.compile(r"\r\n?|\n|<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_DASH = re.compile(r"^\s*[-–•]\s*")
_UPR = re.compile(r"^\s*(?P<num>\d{2,3}\.\d{1,3})\.?\s+(?P<body>\S.*)", re.DOTALL)
_NUMBERED = re.compile(
    r"^\s*(?:Recommendation\s+No\.?\s*(?P<rec>\d{1,3})\s*[,;]?\s*)?(?:\(?para(?:graph)?s?\.?\s*(?P<para>\d{1,3})\)?)\s*[:.\-]?\s+(?P<body>\S.*)",
    re.DOTALL | re.IGNORECASE,
)
_REC_ONLY = re.compile(
    r"^\s*Recommendation\s+No\.?\s*(?P<rec>\d{1,3})\s*[:.]\s*(?P<body>\S.*)", re.DOTALL | re.IGNORECASE
)
# A paragraph number: one to three digits and a dot, no digit, slash or decimal beside it (no year, no article 2.1).
_PARAGRAPH = re.compile(
    r"^(?P<head>.{0,220}?)(?<![\d./])(?P<num>\d{1,3})\.(?!\d)\s*(?P<body>(?:[^\W\d_]|[\"'“‘(\[]).*)", re.DOTALL
)
_LETTER_HEAD = re.compile(r"^\s*(?:[A-Z]|[IVX]{1,5})\.\s*(?=[^\W\d_])")
_NOT_HEADING = re.compile(
    r"(?:\b(?:articles?|paras?|paragraphs?|paragraph|nos?|rule|chapter|section)\.?\s*|[,;(]\s*)$", re.IGNORECASE
)
_SUB_ITEM = re.compile(r"\((?P<letter>[a-z])\)\s+")
# A mark opens an item only behind a stop, a new line or "and"; "paragraph (c)" is a citation.
_BEFORE_ITEM = re.compile(r"(?:^|[;:,.\n])\s*(?:(?:and|or)\s+)?$|[;,\w]\s+and\s+$")
_SDG = re.compile(r"^\s*(\d{1,2}(?:\.[0-9a-z]{1,2})?)\b")


@dataclass(frozen=True)
class UhriRow:
    """One annotation of the index; ``sub_items`` are (letter, text), empty where a paragraph is one piece.

    ``text`` is the whole paragraph without heading and number; ``lead`` is what stands before (a).
    """

    annotation_id: str
    symbol: str
    body: str
    kind: str
    heading: str = ""
    paragraph: str = ""
    text: str = ""
    lead: str = ""
    sub_items: tuple[tuple[str, str], ...] = ()
    countries: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    sdgs: tuple[str, ...] = ()
    published: date | None = None
    state_position: str = ""
    recommending_states: tuple[str, ...] = ()
    session: str = ""
    raw: str = ""
    sheet: str = ""
    row: int = 0
    problems: tuple[Problem, ...] = ()


def labels(value: Any) -> tuple[str, ...]:
    """Return the entries of a list cell: "- " taken off, blanks and repetitions dropped, spaces trimmed."""
    return _labels(text_of(value))


@lru_cache(4_096)
def _labels(text: str) -> tuple[str, ...]:
    found = (" ".join(html.unescape(_DASH.sub("", part)).split()) for part in _BREAK.split(text))
    return tuple(dict.fromkeys(part for part in found if part))


def plain(value: Any) -> str:
    """Return a text cell without tags and entities (unescaped twice where need be), lines kept, spaces collapsed."""
    text = html.unescape(html.unescape(text_of(value)))
    text = _TAG.sub("", re.sub(r"</p\s*>|<br\s*/?>|</li\s*>", "\n", text, flags=re.IGNORECASE))
    text = text.replace("\u2011", "-").replace("\u00ad", "")
    return "\n".join(line for line in (" ".join(part.split()) for part in text.split("\n")) if line)


def day(value: Any) -> date | None:
    """Return the date of a cell: an Excel date, a serial number (also as text, with fraction) or an ISO text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = text_of(value)
    try:
        serial = float(text)
    except ValueError:
        serial = -1
    try:
        if 366 < serial < 200_000:
            return EPOCH + timedelta(days=int(serial))
        if serial < 0 and text:
            return date.fromisoformat(text[:10])
    except (ValueError, OverflowError):
        pass
    match = re.match(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text)
    try:
        return date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        return None


def dissect(text: str) -> tuple[str, str, str]:
    """Split a treaty body's or UPR text into (heading, paragraph number, body); blanks where there is none."""
    if match := _UPR.match(text):
        return "", match["num"], match["body"].strip()
    if match := _NUMBERED.match(text):
        return "", match["para"] or match["rec"], match["body"].strip()
    if match := _REC_ONLY.match(text):
        return "", match["rec"], match["body"].strip()
    match = _PARAGRAPH.match(text)
    if match and not _NOT_HEADING.search(match["head"]) and len(match["head"].split(". ")) <= 3:
        head = " ".join(_LETTER_HEAD.sub("", line) for line in match["head"].strip().split("\n")[-1:])
        return " ".join(head.split()).rstrip(" -–:"), match["num"], match["body"].strip()
    return "", "", text.strip()


def sub_items(body: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Split at (a), (b)... only when they run in order from (a) and there are two; returns (lead, items)."""
    marks: list[re.Match[str]] = []
    for match in _SUB_ITEM.finditer(body):
        before = body[max(0, match.start() - 12) : match.start()]
        if match["letter"] == chr(ord("a") + len(marks)) and _BEFORE_ITEM.search(before):
            marks.append(match)
    if len(marks) < 2:
        return body, ()
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    items = tuple((mark["letter"], body[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True))
    return (body[: marks[0].start()].strip(), items) if all(text for _, text in items) else (body, ())


def kind_of(value: Any, text: str = "", heading: str = "", *, upr: bool = False) -> str:
    """Return recommendation, concern, positive, procedural or other from the type column and the heading."""
    said = " ".join(labels(value)).casefold()
    if "positive aspects" in f"{heading} {text[:60]}".casefold():
        return "positive"
    if (
        re.match(r"(?:[a-z]\.\s*)?(?:introduction|follow-up|dissemination)", heading.casefold())
        and "recommend" not in said
    ):
        return "procedural"
    for sign, kind in KINDS.items():
        if sign in said:
            return kind
    return "recommendation" if upr else "other"


def state_position(value: Any) -> str:
    """Return supported, noted, partly, under_consideration or '' from the UPR position column."""
    said = " ".join(labels(value)).casefold()
    if "consideration" in said or "pending" in said:
        return "under_consideration"
    if "partial" in said or "partly" in said or ("support" in said and "noted" in said):
        return "partly"
    if "support" in said or "accept" in said:
        return "supported"
    return "noted" if "noted" in said or "reject" in said else ""


def normalised(cells: Mapping[str, Any], *, sheet: str = "", row: int = 0) -> UhriRow:
    """Turn the cells of one annotation (by the keys of HEADERS) into a row; odd things become problems of the row."""
    raw = text_of(cells.get("text"))
    text = plain(raw)
    heading, paragraph, body = dissect(text)
    lead, items = sub_items(body)
    mechanism = next(iter(labels(cells.get("body"))), "")
    upr = mechanism.casefold() in {"upr", "universal periodic review"}
    problems: list[Problem] = []

    def complain(column: str, message: Any) -> None:
        problems.append(Problem(message, sheet or None, row or None, HEADERS[column], field=column))

    annotation = text_of(cells.get("annotation_id"))
    symbol = " ".join(" ".join(labels(cells.get("symbol"))).split())
    if not text:
        complain("text", _l("The text is missing."))
    if not annotation:
        complain("annotation_id", _l("The annotation id is missing: the row could not be found again later."))
    if not symbol:
        complain("symbol", _l("The document symbol is missing."))
    published = day(cells.get("published"))
    if published is None and text_of(cells.get("published")):
        complain("published", _l("The publication date cannot be read."))
    return UhriRow(
        annotation_id=annotation, symbol=symbol, body=mechanism,
        kind=kind_of(cells.get("type"), text, heading, upr=upr),
        heading=heading, paragraph=paragraph, text=body, lead=lead, sub_items=items,
        countries=labels(cells.get("countries")), themes=labels(cells.get("themes")),
        affected=labels(cells.get("affected")), sdgs=labels(cells.get("sdgs")), published=published,
        state_position=state_position(cells.get("position")),
        recommending_states=labels(cells.get("recommending_states")),
        session=", ".join(labels(cells.get("session"))), raw=raw, sheet=sheet, row=row, problems=tuple(problems),
    )  # fmt: skip


def sdg_code(label: str) -> str:
    """Return the goal or target number of an SDG label ("16.3 - ..." -> "16.3"), '' if there is none."""
    match = _SDG.match(label)
    return match[1] if match else ""


class Countries:
    """Tells whether a cell of countries names ours, by any of its names or ISO codes; None where it names none."""

    def __init__(self, names: Iterable[str]) -> None:
        self._wanted = {normal(name) for name in names}
        self._known: dict[str, bool | None] = {}

    def __call__(self, value: Any) -> bool | None:
        """Judge the cell; an export repeats the same few hundred."""
        text = text_of(value)
        if text not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            said = labels(text)
            self._known[text] = any(normal(name) in self._wanted for name in said) if said else None
        return self._known[text]
