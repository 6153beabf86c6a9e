"""The texts of a questionnaire, out to translators and back, as one workbook: a row per text, languages side by side.

A hidden column keeps what each row was made from: a changed text is written only over the text its translator saw.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from portal.table import Problem, digest
from portal.workbooks.cell_text import MOST, units
from portal.workbooks.layout import Field, columns, read_sheet, write_instructions, write_sheet
from portal.workbooks.opening import LIMIT_BYTES, read_sheets, refuse
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.workbooks.layout import Row
    from portal.workbooks.opening import Source

SHEET = "Texts"
LOCKED = ("id", "seen", "page", "place")
HIDDEN = ("id", "seen")

FIELDS = (
    Field("id", _l("Identifier"), _l("Leave as it is: the row is found again by it."), 12, required=True),
    Field(
        "seen",
        _l("Check mark"),
        _l("Leave as it is: it tells whether somebody else changed the text meanwhile."),
        12,
        required=True,
    ),
    Field("page", _l("Page"), _l("Leave as it is."), 22, wrap=True),
    Field("place", _l("What the text is"), _l("Leave as it is."), 26, wrap=True),
    Field(
        "texts",
        _l("Text"),
        _l("The text in each language. Keep what stands in ${...}: there an answer is put in."),
        54,
        per_language=True,
        wrap=True,
    ),
    Field(
        "checked",
        _l("Checked by"),
        _l("Who, as a native reader, compared the text as it stands in this row. Beside a text that is changed, write "
           "the name anew."),
        24,
        per_language=True,
        wrap=True,
    ),
)  # fmt: skip
STEPS = (
    _l("Change the white cells of the sheet Texts; leave the grey ones."),
    _l("A blank cell leaves what is stored. Rows may be deleted or sorted."),
    _l("If somebody else changed a text meanwhile, yours is shown beside it in the portal and neither is lost."),
)


@dataclass(frozen=True)
class TextCell:
    """A changed text: what its translator saw (``base``, a digest) and wrote; ``checked`` is None where not said."""

    language: str
    base: str
    new: str
    checked: str | None = None


@dataclass(frozen=True)
class TextRow:
    """A row in which something changed; ``id`` is the one that the workbook was written with."""

    sheet: str
    row: int
    id: str
    cells: Sequence[TextCell] = ()


@dataclass
class TextRows:
    """The changed rows, the number of rows that say nothing new, and what could not be read."""

    rows: list[TextRow] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


def write(title: str, texts: Iterable[Mapping[str, Any]], languages: Sequence[str], reader: Sequence[str]) -> bytes:
    """Return the workbook; each text has id, page, place, texts and checked (both per language).

    ``languages`` are the questionnaire's, ``reader`` those in which it is explained. A text longer than a cell is left
    out and cannot be changed by it.
    """
    book = ReportBook(language=reader[0], languages=tuple(reader), title=title)
    rows = []
    for one in texts:
        row = dict(one)
        row["texts"] = {key: text for key, text in one["texts"].items() if units(text) <= MOST}
        seen = {f"texts@{key}": digest(row["texts"].get(key, "")) for key in languages}
        seen |= {f"checked@{key}": digest(name) for key, name in one["checked"].items()}
        row["seen"] = json.dumps(seen, separators=(",", ":"), sort_keys=True)
        rows.append(row)
    shown = [one for one in FIELDS if one.key not in HIDDEN]
    write_instructions(book, reader, title, STEPS, [(SHEET, shown)])
    ws = write_sheet(book, SHEET, FIELDS, languages, rows, spare=0)
    for at, (column, _language) in enumerate(columns(FIELDS, languages), start=1):
        if column.key in LOCKED:
            for number, row in enumerate(rows, start=2):
                book.cell(ws, number, at, str(row.get(column.key) or ""), "text", "fixed", wrap=column.wrap)
            ws.column_dimensions[get_column_letter(at)].hidden = column.key in HIDDEN
    ws.freeze_panes = "E2"
    ws.protection.sheet = True
    ws.protection.formatColumns = ws.protection.formatRows = ws.protection.autoFilter = ws.protection.sort = False
    book.workbook.active = 1
    return book.content()


def read(source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> TextRows:
    """Read the workbook back: per row the texts that differ from what it was made from.

    Raises:
        Invalid: not our workbook of texts.
    """
    found, matched = TextRows(), False
    for sheet in read_sheets(source, filename=filename, limit_bytes=limit_bytes):
        result = read_sheet(sheet, FIELDS, languages, least=4)
        if result is None or sheet.name == "Instructions":
            continue
        matched = True
        found.problems.extend(result[1])
        for row in result[0]:
            _take(row, found)
    if not matched:
        raise refuse(
            _l("The file is not a workbook of questionnaire texts. Download the workbook again and change that one."),
            code="wrong_template",
        )
    return found


def _take(row: Row, found: TextRows) -> None:
    try:
        seen = dict(json.loads(row.get("seen")))
    except (ValueError, TypeError, RecursionError):
        seen = {}
    if not seen or not row.get("id"):
        message = _l("The hidden identifiers of this row are damaged. Download the workbook again.")
        found.problems.append(Problem(message, row.sheet, row.row))
        return
    cells = []
    for language, new in row.texts.get("texts", {}).items():
        base = str(seen.get(f"texts@{language}", digest("")))
        name = row.texts.get("checked", {}).get(language, "")
        named = bool(name) and seen.get(f"checked@{language}", digest("")) != digest(name)
        if digest(new) != base or named:
            cells.append(TextCell(language, base, new, name if named else None))
    if cells:
        found.rows.append(TextRow(row.sheet, row.row, row.get("id"), cells))
    else:
        found.unchanged += 1
