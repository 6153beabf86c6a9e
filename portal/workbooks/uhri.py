"""The export of the Universal Human Rights Index, Excel or JSON: every quirk of its cells, row by row.

The columns are those of the index's "Export to Excel"; headers are misspelt there and corrected in some versions.
"""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.layout import normal
from portal.workbooks.opening import LIMIT_BYTES, Source, find_header, read_sheets, refuse, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
_NAMES = {normal(name): key for key, name in HEADERS.items()}
for _key, _names in _ALIASES.items():
    for _name in _names:
        _NAMES.setdefault(normal(_name), _key)

NEEDED = ("text", "countries", "body", "symbol", "annotation_id")
KINDS = {"recommend": "recommendation", "concern": "concern", "observation": "concern", "positive": "positive"}
EPOCH = date(1899, 12, 30)  # Excel's day 0
DUMP_LIMIT = 1024 * 1024 * 1024

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


@dataclass
class UhriFile:
    """What a file holds: the rows of the country asked for, counts of the rest, and problems of the file."""

    rows: list[UhriRow] = field(default_factory=list)
    other_countries: int = 0
    duplicates: int = 0
    problems: list[Problem] = field(default_factory=list)


def labels(value: Any) -> tuple[str, ...]:
    """Return the entries of a list cell: "- " taken off, blanks and repetitions dropped, spaces trimmed."""
    found = (" ".join(html.unescape(_DASH.sub("", part)).split()) for part in _BREAK.split(text_of(value)))
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


def concerns(row: UhriRow, country: Iterable[str]) -> bool:
    """Tell whether a row is about a country, by any of its names or ISO codes."""
    wanted = {normal(name) for name in country}
    return any(normal(name) in wanted for name in row.countries)


def read(source: Source, country: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> UhriFile:
    """Read an export, .xlsx or .json by content, and keep the rows of one country (its names and ISO codes).

    Raises:
        Invalid: not an export of the index; the sentence names the headers expected and found.
    """
    stream, opened = _stream(source)
    try:
        start = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
        stream.seek(0)
        if start[:1] in {b"[", b"{"}:
            return _collect(read_json(stream, filename=filename), country)
        return _collect(_excel(stream.read(limit_bytes + 1), filename, limit_bytes), country)
    finally:
        if opened:
            stream.close()


def _stream(source: Source) -> tuple[IO[bytes], bool]:
    import io

    if isinstance(source, bytes):
        return io.BytesIO(source), True
    if isinstance(source, (str, Path)):
        try:
            return Path(source).open("rb"), True
        except OSError as error:
            raise refuse(_l("The file %(file)s cannot be read. Choose it again.", file=Path(source).name)) from error
    return source, False


def _collect(rows: Iterable[UhriRow], country: Sequence[str]) -> UhriFile:
    found = UhriFile()
    seen: dict[str, UhriRow] = {}
    for row in rows:
        if row.countries and not concerns(row, country):
            found.other_countries += 1
        elif row.annotation_id and row.annotation_id in seen:
            found.duplicates += 1
            first = seen[row.annotation_id]
            if first.raw != row.raw:
                message = _l(
                    "The annotation id stands here a second time with another text (first in row %(row)s).",
                    row=first.row,
                )
                found.problems.append(Problem(message, row.sheet or None, row.row or None, HEADERS["annotation_id"]))
        else:
            seen[row.annotation_id] = row
            found.rows.append(row)
    return found


def _excel(content: bytes, filename: str, limit_bytes: int) -> Iterator[UhriRow]:
    sheets = read_sheets(content, filename=filename, limit_bytes=limit_bytes)
    seen: list[str] = []
    matched = False
    for sheet in sheets:
        heading = find_header(sheet, set(HEADERS), lambda text: _NAMES.get(normal(text), ""), least=4)
        if heading is None or not set(NEEDED) <= set(heading[1]):
            seen.extend(text_of(cell) for _, cells in sheet.rows[:1] for cell in cells if cell is not None)
            continue
        matched = True
        index, columns = heading
        for number, cells in sheet.rows[index + 1 :]:
            picked = {key: cells[at] if at < len(cells) else None for key, at in columns.items()}
            if any(text_of(picked.get(key)) for key in ("text", "annotation_id", "symbol")):
                yield normalised(picked, sheet=sheet.name, row=number)
    if not matched:
        raise refuse(
            _l(
                "This is not an export of the Universal Human Rights Index: columns %(expected)s are expected, found were %(found)s. Choose “Export to Excel” on the index's search page, or use our own template.",  # noqa: E501 - a sentence stays in one piece
                expected=", ".join(HEADERS[key] for key in NEEDED),
                found=", ".join(text[:40] for text in seen[:16]) or "–",
            ),
            code="not_uhri",
        )


JSON_KEYS = {
    "text": "Text", "countries": "Countries", "body": "Body", "symbol": "Symbol", "themes": "Themes",
    "affected": "AffectedPersons", "sdgs": "Sdgs", "published": "PublicationDate",
    "recommending_states": "UprRecommendingCountry", "position": "UprPosition", "type": "AnnotationType",
    "annotation_id": "AnnotationId", "session": "UprCycle", "regions": "Regions",
}  # fmt: skip


def read_json(stream: IO[bytes], *, filename: str = "") -> Iterator[UhriRow]:
    """Read the JSON export object by object, never whole: memory stays flat for 360 MB.

    Raises:
        Invalid: not JSON, cut short, or not objects of the index.
    """
    known = {normal(name): key for key, name in JSON_KEYS.items()} | {
        normal("UprSession"): "session", normal("UPRPosition"): "position",
    }  # fmt: skip
    count = 0
    for count, entry in enumerate(_objects(stream, filename), start=1):
        cells: dict[str, Any] = {}
        for name, value in entry.items():
            if (key := known.get(normal(str(name)))) and (value not in (None, "") and key not in cells):
                cells[key] = _joined(value)
        if count == 1 and not {"text", "annotation_id"} <= set(cells):
            raise _not_json(filename, ", ".join(str(name) for name in list(entry)[:16]))
        yield normalised(cells, row=count)
    if not count:
        raise _not_json(filename, "–")


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return "\n".join(str(_joined(part)) for part in value if part not in (None, ""))
    if isinstance(value, dict):
        return next((str(value[key]) for key in value if normal(key) in {"name", "label", "title", "value"}), "")
    return value


def _not_json(filename: str, found: str) -> Exception:
    return refuse(
        _l(
            "The file %(file)s is not a complete JSON export of the Universal Human Rights Index: objects with Text, Symbol and AnnotationId are expected, found was %(found)s. Download it again.",  # noqa: E501 - a sentence stays in one piece
            file=filename or "(.json)",
            found=found,
        ),
        code="not_uhri",
    )


LONGEST_OBJECT = 4_000_000  # characters of one annotation; the longest seen is below 100,000


def _objects(stream: IO[bytes], filename: str) -> Iterator[dict[str, Any]]:  # noqa: C901 - one scanner, one state
    """Yield the objects of the first array in a JSON text, decoding piece by piece."""
    import codecs

    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")("strict")
    text, begun, ended, need = "", False, False, 0
    try:
        while not ended:
            raw = stream.read(1 << 18)
            text += utf8.decode(raw, final=not raw)
            if not begun and (at := text.find("[")) >= 0:
                text, begun = text[at + 1 :], True
            at = 0
            while begun and (raw == b"" or len(text) >= need):
                while at < len(text) and text[at] in " \t\r\n,":
                    at += 1
                if at >= len(text):
                    break
                if text[at] == "]":
                    ended = True
                    break
                try:
                    entry, at = decoder.raw_decode(text, at)
                except json.JSONDecodeError:
                    if raw == b"" or len(text) - at > LONGEST_OBJECT:
                        raise
                    need = 2 * (len(text) - at)
                    break
                need = 0
                if not isinstance(entry, dict):
                    raise _not_json(filename, type(entry).__name__)
                yield entry
            text = text[at:] if begun else text[-1:] if len(text) > LONGEST_OBJECT else text
            if raw == b"" and not ended:
                raise _not_json(filename, "…")
    except (ValueError, RecursionError) as error:
        raise _not_json(filename, "…") from error


def pair(rows: Sequence[UhriRow]) -> dict[str, str]:
    """Pair concerns and recommendations of one heading within a document: annotation id -> annotation id, both ways.

    With several under one heading, each goes with the nearest paragraph number not yet taken. To be confirmed by hand.
    """
    groups: dict[tuple[str, str], list[UhriRow]] = defaultdict(list)
    for row in rows:
        if row.heading and row.kind in {"concern", "recommendation"}:
            groups[row.symbol, normal(row.heading)].append(row)
    pairs: dict[str, str] = {}
    for group in groups.values():
        free = [row for row in group if row.kind == "concern"]
        for wish in sorted((row for row in group if row.kind == "recommendation"), key=_number):
            if free:
                best = min(free, key=lambda one: (abs(_number(one) - _number(wish)), _number(one)))
                free.remove(best)
                pairs[wish.annotation_id], pairs[best.annotation_id] = best.annotation_id, wish.annotation_id
    return pairs


def _number(row: UhriRow) -> float:
    match = re.match(r"\d+(?:\.\d+)?", row.paragraph)
    return float(match[0]) if match else 0.0


def with_problem(row: UhriRow, problem: Problem) -> UhriRow:
    """Return the row with one more problem."""
    return replace(row, problems=(*row.problems, problem))
