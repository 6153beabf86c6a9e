"""The texts of a questionnaire, out to translators and back, as one workbook: a row per text, languages side by side.

A hidden column keeps what each row was made from: a changed text is written only over the text its translator saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import digest
from portal.workbooks.cell_text import MOST, units
from portal.workbooks.layout import Field, write_instructions, write_sheet
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.round_trip import HIDDEN, changed_since, lock, mark, rows_back
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.table import Problem
    from portal.workbooks.layout import Row
    from portal.workbooks.opening import Source

SHEET = "Texts"
LOCKED = ("id", "seen", "page", "place")

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
        row["seen"] = mark(seen)
        rows.append(row)
    shown = [one for one in FIELDS if one.key not in HIDDEN]
    write_instructions(book, reader, title, STEPS, [(SHEET, shown)])
    ws = write_sheet(book, SHEET, FIELDS, languages, rows, spare=0)
    lock(book, ws, FIELDS, languages, rows, locked=LOCKED, panes="E2")
    book.workbook.active = 1
    return book.content()


def read(source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> TextRows:
    """Read the workbook back: per row the texts that differ from what it was made from.

    Raises:
        Invalid: not our workbook of texts.
    """
    found = TextRows()
    other = _l("The file is not a workbook of questionnaire texts. Download the workbook again and change that one.")
    for row, seen in rows_back(
        source, FIELDS, languages, found.problems, filename=filename, limit_bytes=limit_bytes, other=other
    ):
        _take(row, seen, found)
    return found


def _take(row: Row, seen: Mapping[str, str], found: TextRows) -> None:
    cells = []
    for language, new in row.texts.get("texts", {}).items():
        name = row.texts.get("checked", {}).get(language, "")
        named = bool(name) and changed_since(seen, "checked", language, name)
        if named or changed_since(seen, "texts", language, new):
            base = seen.get(f"texts@{language}", digest(""))
            cells.append(TextCell(language, base, new, name if named else None))
    if cells:
        found.rows.append(TextRow(row.sheet, row.row, row.get("id"), cells))
    else:
        found.unchanged += 1
