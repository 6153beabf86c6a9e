"""Our own workbook of recommendations: template with instructions, export and import share one layout."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.layout import (
    Field,
    Row,
    filled_sheets,
    offered,
    read_sheet,
    with_english,
    write_instructions,
    write_sheet,
)
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.refusals import refuse
from portal.workbooks.uhri import day
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from portal.table import Speakable
    from portal.workbooks.opening import Source

SHEET = "Recommendations"

KINDS = {
    "recommendation": _l("recommendation"), "concern": _l("concern"), "positive": _l("positive aspect"),
    "procedural": _l("procedural paragraph"), "other": _l("other"),
}  # fmt: skip
POSITIONS = {
    "supported": _l("supported"), "noted": _l("noted"), "partly": _l("partly supported"),
    "under_consideration": _l("under consideration"),
}  # fmt: skip
YES_NO = {"yes": _l("yes"), "no": _l("no")}
STATUS = {"none": _l("no text"), "working": _l("working translation"), "official": _l("official text")}
_LISTS = {"kinds": KINDS, "positions": POSITIONS, "yes_no": YES_NO, "status": STATUS}
_YES = {"yes", "y", "true", "1", "x", "បាទ", "ចាស", "មាន"}

FIELDS = (
    Field(
        "symbol",
        _l("Document symbol"),
        _l("The UN symbol, the same in all rows of a document."),
        22,
        required=True,
        example="CCPR/C/XXX/CO/1",
        aliases=("symbol", "document"),
    ),
    Field(
        "mechanism",
        _l("Mechanism"),
        _l("Short name of the committee or mechanism."),
        13,
        required=True,
        example="CCPR",
        aliases=("body", "recommending body"),
    ),
    Field(
        "title",
        _l("Document title"),
        _l("Once per document is enough."),
        34,
        per_language=True,
        wrap=True,
        example="Concluding observations",
    ),
    Field(
        "adopted", _l("Adoption date"), _l("Year-month-day, or an Excel date."), 14, kind="date", example="2022-03-25"
    ),
    Field(
        "published",
        _l("Publication date"),
        _l("Year-month-day, or an Excel date."),
        14,
        kind="date",
        example="2022-05-18",
    ),
    Field(
        "paragraph",
        _l("Paragraph"),
        _l("The number in the document; in the UPR two numbers with a dot."),
        12,
        required=True,
        example="27",
        aliases=("para", "paragraph number", "number"),
    ),
    Field(
        "sub_item",
        _l("Sub-item"),
        _l("The letter alone; blank for the whole paragraph."),
        10,
        example="a",
        aliases=("letter",),
    ),
    Field(
        "kind",
        _l("Kind"),
        _l("Choose from the list. Left blank: a recommendation."),
        24,
        choices="kinds",
        strict=False,
        example="recommendation",
        aliases=("type",),
    ),
    Field("heading", _l("Heading"), _l("The heading in each language."), 28, per_language=True, wrap=True),
    Field(
        "texts",
        _l("Text"),
        _l("The whole text of the recommendation in each language."),
        60,
        per_language=True,
        required=True,
        wrap=True,
        aliases=("recommendation",),
    ),
    Field(
        "summary",
        _l("What you are asked"),
        _l("Two plain sentences: what the institution is asked to report."),
        42,
        per_language=True,
        wrap=True,
        aliases=("summary", "plain summary"),
    ),
    Field(
        "text_status",
        _l("Official or working"),
        _l("Standing of the national text."),
        22,
        choices="status",
        strict=False,
    ),
    Field(
        "themes",
        _l("Themes"),
        _l("One per line (Alt+Enter) or separated by semicolons."),
        30,
        wrap=True,
        aliases=("theme",),
    ),
    Field(
        "affected", _l("Affected persons"), _l("One per line (Alt+Enter) or separated by semicolons."), 26, wrap=True
    ),
    Field(
        "sdgs",
        _l("Sustainable Development Goals"),
        _l("Goal or target numbers, one per line or separated by semicolons."),
        20,
        wrap=True,
        example="16.3",
        aliases=("sdg", "sdgs"),
    ),
    Field(
        "follow_up",
        _l("Follow-up"),
        _l("Yes if the committee asked for an early reply."),
        12,
        choices="yes_no",
        strict=False,
        example="no",
    ),
    Field(
        "state_position",
        _l("State's position"),
        _l("Only for the Universal Periodic Review."),
        24,
        choices="positions",
        strict=False,
        example="supported",
        aliases=("position", "upr position"),
    ),
    Field("recommending_state", _l("Recommending State"), _l("Only for the Universal Periodic Review."), 22, wrap=True),
    Field(
        "pair",
        _l("Paragraph of the concern"),
        _l("The paragraph number that states the concern behind this recommendation."),
        15,
        example="26",
        aliases=("pair",),
    ),
    Field(
        "uhri_id",
        _l("UHRI annotation id"),
        _l("Optional: the identifier in the Universal Human Rights Index."),
        24,
        aliases=("annotation id", "ohchr annotation id"),
    ),
)
STEPS = (
    _l("Fill the sheet Recommendations: one row per paragraph, or one row per sub-item (a), (b) with the same paragraph number."),  # noqa: E501 - a sentence stays in one piece
    _l("Upload the file in the portal. It first shows what would be added, changed or refused, row by row; nothing is written before you confirm."),  # noqa: E501 - a sentence stays in one piece
    _l("The same file may be uploaded again. Assignments to institutions are never touched by it."),
    _l("Cells with a list offer its entries; the word before the dash is what counts."),
)  # fmt: skip


@dataclass(frozen=True)
class TemplateRow:
    """One paragraph or sub-item; codes are those of the lists, None or blank means "the file does not say"."""

    sheet: str
    row: int
    symbol: str = ""
    mechanism: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    adopted: date | None = None
    published: date | None = None
    paragraph: str = ""
    sub_item: str = ""
    kind: str = "recommendation"
    heading: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, str] = field(default_factory=dict)
    text_status: str = ""
    themes: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    sdgs: tuple[str, ...] = ()
    follow_up: bool | None = None
    state_position: str = ""
    recommending_state: str = ""
    pair: str = ""
    uhri_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class TemplateRows:
    """The rows of the workbook, and what of the file itself could not be read."""

    rows: list[TemplateRow]
    problems: list[Problem]


def template(languages: Sequence[str], recommendations: Iterable[Mapping[str, Any]] = ()) -> bytes:
    """Return the workbook; with what exists (attributes of :class:`TemplateRow`) it is the export."""
    speaking = with_english(languages)
    book = ReportBook(language=languages[0], languages=speaking, title=SHEET)
    shown = {name: offered(labels, languages) for name, labels in _LISTS.items()}
    for name, values in shown.items():
        book.choices(name, values.values())
    rows = []
    for one in recommendations:
        row = dict(one)
        if isinstance(row.get("follow_up"), bool):
            row["follow_up"] = "yes" if row["follow_up"] else "no"
        for found in FIELDS:
            if found.choices:
                row[found.key] = shown[found.choices].get(row.get(found.key) or "", row.get(found.key))
        for key in ("themes", "affected", "sdgs"):
            row[key] = "\n".join(row.get(key) or ())
        rows.append(row)
    write_instructions(book, languages, _l("Recommendations"), STEPS, [(SHEET, FIELDS)])
    ws = write_sheet(book, SHEET, FIELDS, speaking, rows)
    ws.freeze_panes = "B2"
    return book.content()


def read(
    source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES
) -> TemplateRows:
    """Read a workbook in the layout of the template; sheets are known by their columns.

    Raises:
        Invalid: not an .xlsx, or no sheet with our columns; one sentence.
    """
    rows: list[TemplateRow] = []
    problems: list[Problem] = []
    seen = False
    for sheet in filled_sheets(source, filename=filename, limit_bytes=limit_bytes):
        result = read_sheet(sheet, FIELDS, with_english(languages), least=3)
        if result:
            seen = True
            rows.extend(_template_row(row) for row in result[0])
            problems.extend(result[1])
    if not seen:
        raise refuse(
            _l(
                "The file has no sheet of recommendations. "
                "Download the template and fill that one, or choose the UHRI export."
            ),
            code="wrong_template",
        )
    return TemplateRows(rows, problems)


def _template_row(row: Row) -> TemplateRow:
    problems: list[Problem] = []

    def complain(key: str, message: Speakable, mend: Speakable | None = None) -> None:
        problems.append(Problem(message, row.sheet, row.row, field=key, mend=mend))

    for key in ("symbol", "mechanism", "paragraph"):
        if not row.get(key):
            complain(key, _l("This cell must be filled: %(column)s.", column=_titles()[key]))
    if not row.texts.get("texts"):
        complain("texts", _l("The text is missing."))
    codes = {
        key: _coded(row, key, known, complain)
        for key, known in (("kind", KINDS), ("state_position", POSITIONS), ("text_status", STATUS))
    }
    days = {key: day(row.raw.get(key)) for key in ("adopted", "published")}
    for key, value in days.items():
        if value is None and row.get(key):
            complain(
                key,
                _l("The date %(text)s cannot be read.", text=row.get(key)),
                _l("Write year-month-day, such as 2022-05-18."),
            )
    said = row.shaped(FIELDS)
    follow = said["follow_up"].casefold()
    said |= codes | days | {key: _listed(row, key) for key in ("themes", "affected", "sdgs")}
    said |= {
        "symbol": " ".join(said["symbol"].split()),
        "paragraph": said["paragraph"].rstrip("."),
        "sub_item": said["sub_item"].strip("(). ").casefold(),
        "kind": codes["kind"] or "recommendation",
        "follow_up": follow in _YES if follow else None,
        "pair": said["pair"].rstrip("."),
    }
    return TemplateRow(row.sheet, row.row, **said, problems=tuple(problems))


def _titles() -> dict[str, Speakable]:
    return {one.key: one.title for one in FIELDS}


def _coded(row: Row, key: str, known: Mapping[str, Speakable], complain: Any) -> str:
    said = row.code(key)
    wanted = "_".join(said.casefold().split())
    for code, label in known.items():
        if wanted in {code, "_".join(str(label).casefold().split())}:
            return code
    if said:
        complain(
            key,
            _l("“%(text)s” is not in the list.", text=said[:60]),
            _l("Choose one of: %(choices)s.", choices=", ".join(known)),
        )
    return ""


def _listed(row: Row, key: str) -> tuple[str, ...]:
    parts = (" ".join(part.lstrip("-–• ").split()) for part in re.split(r"[\n;]", row.get(key)))
    return tuple(dict.fromkeys(part for part in parts if part))
