"""The consolidated workbook of a round: which sheets, in which order, how they lead to each other, how they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from openpyxl.utils import get_column_letter, quote_sheetname

from portal.table import Cell, Link, Table
from portal.workbooks.reading import Reading, write_reading
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpyxl.worksheet.worksheet import Worksheet

ABOUT = "About"
RATE, STATE, STATES = "Response rate", "State of implementation", "States"
RECOMMENDATIONS, ANSWERS = "Recommendations", "Answers"
INSTITUTIONS, PRACTICES, EVIDENCE, CODEBOOK, NOTES = "Institutions", "Good practices", "Evidence", "Codebook", "Notes"
FIXED = (ABOUT, RATE, STATE, STATES, RECOMMENDATIONS, ANSWERS, INSTITUTIONS, PRACTICES, EVIDENCE, CODEBOOK, NOTES)


@dataclass(frozen=True)
class Count:
    """One line of the proof on the first sheet: what the database counts, and what was written."""

    sheet: str
    what: str
    counted: int
    written: int


@dataclass(frozen=True)
class Report:
    """Everything that a consolidated workbook holds, in plain tables.

    ``facts`` and ``definitions`` are (name, value) pairs for the first sheet; ``states`` names the five states of an
    answer, key and word; ``blocks`` are the tables of the sheet on the state of implementation, one below the other;
    ``each_state`` has one row per recommendation; ``annexes`` are the tables of the questionnaires, a row per line.
    """

    title: str
    facts: Sequence[tuple[str, Cell]]
    counts: Sequence[Count]
    states: Sequence[tuple[str, str, str]]
    definitions: Sequence[tuple[str, str]]
    rates: Table
    blocks: Sequence[Table]
    each_state: Table
    recommendations: Table
    answers: Table
    annexes: Sequence[Table]
    institutions: Table
    readings: Sequence[Reading]
    practices: Table
    evidence: Table
    codebook: Table
    language: str = "en"
    languages: Sequence[str] = field(default_factory=tuple)
    time_zone: str = "UTC"


def sheet_link(title: str, text: str, cell: str = "A1") -> Link:
    """Return a link to another sheet of the same workbook."""
    return Link(f"#{quote_sheetname(title)}!{cell}", text)


def reading_titles(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return short, unique, legal sheet titles for reading sheets and annexes, beside the fixed and ``taken`` ones."""
    book = ReportBook()
    for title in (*FIXED, *taken):
        book.add(title)
    return [book.add(title).title for title in wanted]


def build(report: Report) -> ReportBook:
    """Make the workbook; it is not written yet."""
    book = ReportBook(
        language=report.language, languages=report.languages, time_zone=report.time_zone, title=report.title
    )
    about = book.add(ABOUT)
    _back(book, book.sheet(report.rates, heading=True, totals=1))
    _blocks(book, STATE, [table for table in report.blocks if table.rows])
    _to_about(book, book.sheet(report.each_state))
    _to_about(book, book.sheet(report.recommendations))
    _to_about(
        book, book.stream(report.answers, row_height=96, tints={word: state for state, word, _what in report.states})
    )
    for annex in report.annexes:
        _to_about(book, book.stream(annex, row_height=96))
    _back(book, book.sheet(report.institutions, heading=True))
    back = [sheet_link(ABOUT, _("About")), sheet_link(RECOMMENDATIONS, _("Recommendations"))]
    for reading in report.readings:
        write_reading(book, reading, back=back)
    _to_about(book, book.sheet(report.practices))
    _to_about(book, book.sheet(report.evidence))
    _to_about(book, book.sheet(report.codebook))
    _about(book, about, report)
    return book


def _about(book: ReportBook, ws: Worksheet, report: Report) -> None:
    """Write the first sheet: what this is, the proof of its figures, what the colours mean, how things are counted."""
    for letter, width in zip("ABCDE", (34, 46, 20, 18, 14), strict=True):
        ws.column_dimensions[letter].width = width
    book.cell(ws, 1, 1, report.title, style="title", wrap=False)
    ws.row_dimensions[1].height = 34
    row = 3
    for name, value in report.facts:
        book.cell(ws, row, 1, name, style="label")
        book.cell(ws, row, 2, value, style="body")
        ws.merge_cells(start_row=row, start_column=2, end_row=row, end_column=5)
        shown = value.text if isinstance(value, Link) else str(value if value is not None else "")
        ws.row_dimensions[row].height = max(20, book.height(shown, 96), book.height(name, 34))
        row += 1
    row = _proof(book, ws, row + 1, report)
    row = _pairs(
        book, ws, row + 1, _("What the states mean"), [(word, what, state) for state, word, what in report.states]
    )
    _pairs(book, ws, row + 1, _("How it is counted"), [(name, what, "label") for name, what in report.definitions])
    book.printing(ws, title=report.title)
    ws.freeze_panes = "A2"


def _proof(book: ReportBook, ws: Worksheet, row: int, report: Report) -> int:
    names = _spoken(book, report)
    book.cell(ws, row, 1, _("Sheets, and the proof that nothing is missing"), style="subtitle", wrap=False)
    ws.row_dimensions[row].height = 26
    heads = (_("Sheet"), _("What is counted"), _("In the database"), _("In this workbook"), _("Agrees"))
    for at, head in enumerate(heads, start=1):
        book.cell(ws, row + 1, at, head, style="header")
    ws.row_dimensions[row + 1].height = 30
    row += 2
    for count in report.counts:
        name = names.get(count.sheet, count.sheet)
        book.cell(ws, row, 1, sheet_link(count.sheet, name))
        book.cell(ws, row, 2, count.what)
        book.cell(ws, row, 3, count.counted, "integer")
        book.cell(ws, row, 4, count.written, "integer")
        book.cell(ws, row, 5, _("yes") if count.counted == count.written else _("NO"))
        ws.row_dimensions[row].height = max(20, book.height(count.what, 46), book.height(name, 34))
        row += 1
    for title in (CODEBOOK,):
        book.cell(ws, row, 1, sheet_link(title, names[title]))
        book.cell(ws, row, 2, _("What every column and every question means"))
        for at in (3, 4, 5):
            book.cell(ws, row, at, None)
        ws.row_dimensions[row].height = 20
        row += 1
    return row


def _spoken(book: ReportBook, report: Report) -> dict[str, str]:
    """Return what links to sheets say: the short code on the tab, with its name where that says more.

    Tables of questionnaires stand on tabs called by their codes; the fixed sheets are called by their English names.
    """
    tables = {
        RATE: report.rates, RECOMMENDATIONS: report.recommendations, ANSWERS: report.answers,
        STATES: report.each_state, INSTITUTIONS: report.institutions, PRACTICES: report.practices,
        EVIDENCE: report.evidence, CODEBOOK: report.codebook,
    }  # fmt: skip
    said = {code: code if report.language == "en" else book.words(table.title) for code, table in tables.items()}
    said |= {table.code: book.words(table.title) for table in report.annexes}
    return {code: code if words == code else f"{code} · {words}" for code, words in said.items()}


def _pairs(
    book: ReportBook, ws: Worksheet, row: int, title: str, pairs: Sequence[tuple[str, str, str]]
) -> int:
    book.cell(ws, row, 1, title, style="subtitle", wrap=False)
    ws.row_dimensions[row].height = 26
    for name, what, style in pairs:
        row += 1
        book.cell(ws, row, 1, name, style=style)
        book.cell(ws, row, 2, what)
        ws.merge_cells(start_row=row, start_column=2, end_row=row, end_column=5)
        ws.row_dimensions[row].height = max(20, book.height(what, 96), book.height(name, 34))
    return row + 1


def _blocks(book: ReportBook, code: str, tables: Sequence[Table]) -> None:
    """Write tables one below the other; the last, the longest, gets the filter."""
    ws = book.add(code)
    row, top = 1, 0
    for number, table in enumerate(tables):
        book.cell(ws, row, 1, book.words(table.title), style="title" if number == 0 else "subtitle", wrap=False)
        ws.row_dimensions[row].height = 28
        if number == 0:
            book.cell(ws, row + 1, 1, sheet_link(ABOUT, _("About")), style="plain")
        elif note := book.words(table.note):
            book.cell(ws, row + 1, 1, note, style="muted", wrap=False)
        row += 2
        widths = {letter: found.width for letter, found in ws.column_dimensions.items()}
        book.write_header(ws, row, table.columns, [1] * len(table.columns))
        for letter, width in widths.items():
            ws.column_dimensions[letter].width = max(width, ws.column_dimensions[letter].width)
        top = row
        for values in table.rows:
            row += 1
            book.write_row(ws, row, table.columns, [1] * len(table.columns), values, "body")
        if number == len(tables) - 1:
            ws.auto_filter.ref = f"A{top}:{get_column_letter(len(table.columns))}{max(row, top + 1)}"
        row += 2
    ws.freeze_panes = "B2"
    # the longest table runs over several pages, which say what their columns are
    book.printing(ws, header_row=top or None, title=book.words(tables[0].title) if tables else code)


def _back(book: ReportBook, ws: Worksheet) -> None:
    """Put the way back to the first sheet just above the header of a sheet with a heading."""
    top = int(str(ws.auto_filter.ref).partition(":")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    book.cell(ws, top - 1, 1, sheet_link(ABOUT, _("About")), style="plain")


def _to_about(book: ReportBook, ws: Worksheet) -> None:
    """Let the first header cell of a data sheet lead to the first sheet: row 1 belongs to the column names."""
    title = str(ws.cell(1, 1).value or "")
    book.cell(ws, 1, 1, sheet_link(ABOUT, title), style="header_link")
