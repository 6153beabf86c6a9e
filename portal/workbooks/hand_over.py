"""The hand-over pack as a workbook: a first sheet of dates and contents, then a sheet per list, with its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from openpyxl.utils import quote_sheetname

from portal.table import Link
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from portal.table import Cell, Table

WIDTHS = (34, 62, 14)
BESIDE = 74  # characters that the cells beside a label hold together


@dataclass(frozen=True)
class HandOver:
    """Everything that the workbook holds, in one reader's language.

    ``facts`` and ``dates`` are (name, value) pairs for the first sheet; ``lists`` are a sheet each, and the note of a
    list says what stands in it.
    """

    title: str
    facts: Sequence[tuple[str, Cell]]
    dates: Sequence[tuple[str, str]]
    lists: Sequence[Table]
    language: str
    languages: Sequence[str]
    time_zone: str


def build(pack: HandOver) -> ReportBook:
    """Make the workbook; it is not written yet."""
    book = ReportBook(language=pack.language, languages=pack.languages, time_zone=pack.time_zone, title=pack.title)
    first = book.add(_("Overview"))
    contents = []
    for table in pack.lists:
        rows = list(table.rows)
        # nobody reads these sheets but people: a tab is called what its list is called
        ws = book.sheet(table, heading=True)
        book.cell(ws, 3, 1, Link(f"#{quote_sheetname(first.title)}!A1", first.title), style="plain", wrap=False)
        contents.append((ws.title, book.words(table.title), book.words(table.note), len(rows)))
    _first(book, first, pack, contents)
    return book


def _first(book: ReportBook, ws: Worksheet, pack: HandOver, contents: Sequence[tuple[str, str, str, int]]) -> None:
    for letter, width in zip("ABC", WIDTHS, strict=True):
        ws.column_dimensions[letter].width = width
    book.cell(ws, 1, 1, pack.title, style="title", wrap=False)
    ws.row_dimensions[1].height = 34
    row = _pairs(book, ws, 3, pack.facts)
    if pack.dates:
        row = _pairs(book, ws, _subtitle(book, ws, row + 1, _("Next dates")), pack.dates)
    row = _subtitle(book, ws, row + 1, _("What is in this workbook"))
    for at, head in enumerate((_("Sheet"), _("What stands there"), _("Lines")), start=1):
        book.cell(ws, row, at, head, style="header")
    ws.row_dimensions[row].height = 26
    for row, (sheet, title, about, count) in enumerate(contents, start=row + 1):  # noqa: B020 - goes on below the header
        book.cell(ws, row, 1, Link(f"#{quote_sheetname(sheet)}!A1", title))
        book.cell(ws, row, 2, about)
        book.cell(ws, row, 3, count, "integer")
        ws.row_dimensions[row].height = max(book.height(title, WIDTHS[0]), book.height(about, WIDTHS[1]))
    ws.freeze_panes = "A2"
    book.printing(ws, title=pack.title, portrait=True)


def _subtitle(book: ReportBook, ws: Worksheet, row: int, words: str) -> int:
    book.cell(ws, row, 1, words, style="subtitle", wrap=False)
    ws.row_dimensions[row].height = 26
    return row + 1


def _pairs(book: ReportBook, ws: Worksheet, row: int, pairs: Sequence[tuple[str, Cell]]) -> int:
    for name, value in pairs:
        book.cell(ws, row, 1, name, style="label")
        book.cell(ws, row, 2, value)
        book.cell(ws, row, 3, None)
        ws.merge_cells(start_row=row, start_column=2, end_row=row, end_column=3)
        shown = value.text if isinstance(value, Link) else str(value if value is not None else "")
        ws.row_dimensions[row].height = max(book.height(shown, BESIDE), book.height(name, WIDTHS[0]))
        row += 1
    return row
