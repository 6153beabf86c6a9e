"""A reading sheet: one recommendation with all answers side by side, made to be read and printed, not filtered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from openpyxl.utils import get_column_letter

from portal.workbooks.cell_text import is_khmer, lines, split_text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from portal.table import Cell, Link
    from portal.workbooks.writer import ReportBook

LABEL_WIDTH = 30.0
ANSWER_WIDTH = 46.0
ALONE_WIDTH = 92.0  # a single institution gets the whole page
PER_PAGE = 3  # institutions on one printed page
TALLEST = 240.0  # points: rows that fill a printed page well; Excel shows none over 409


@dataclass(frozen=True)
class Told:
    """One answer as it is read: its text, or the name of its state; ``state`` is one of the five."""

    text: str
    state: str = "answered"


@dataclass(frozen=True)
class Reading:
    """One recommendation. ``texts`` are (label, text) common to all; ``heads`` one list of facts per institution.

    ``names`` are the institutions, the lead first; ``facts`` are (label, one value per institution); ``rows`` are
    (question, one answer per institution, None where it was not asked by that institution's questionnaire).
    """

    sheet: str
    title: str
    texts: Sequence[tuple[str, str]]
    names: Sequence[str]
    facts: Sequence[tuple[str, Sequence[Cell]]]
    rows: Sequence[tuple[str, Sequence[Told | None]]]
    url: Link | None = None


def write_reading(book: ReportBook, reading: Reading, *, back: Sequence[Link]) -> Worksheet:
    """Write one reading sheet; names stay in view while one scrolls, questions while one goes to the right."""
    ws = book.add(reading.sheet)
    count = max(len(reading.names), 1)
    width = ALONE_WIDTH if count == 1 else ANSWER_WIDTH
    ws.column_dimensions["A"].width = LABEL_WIDTH
    for at in range(2, count + 2):
        ws.column_dimensions[get_column_letter(at)].width = width
    book.cell(ws, 1, 1, reading.title, style="title", wrap=False)
    ws.row_dimensions[1].height = 30
    book.cell(ws, 2, 1, _("Institution"), style="header")
    for at, name in enumerate(reading.names, start=2):
        book.cell(ws, 2, at, name, style="header")
    ws.row_dimensions[2].height = max(24, *(book.height(name, width * 0.9) for name in reading.names), 24)
    row = _links(book, ws, 3, [*back, *([reading.url] if reading.url else [])])
    across = min(count, 2)  # a text over more columns would be cut by a page break
    for label, text in reading.texts:
        row = _text(book, ws, row, label, text, across, width)
    for label, values in reading.facts:
        book.cell(ws, row, 1, label, style="label")
        tallest = book.height(label, LABEL_WIDTH)
        for at, value in enumerate(values, start=2):
            book.cell(ws, row, at, value)
            if isinstance(value, str):
                tallest = max(tallest, book.height(value, width))
        ws.row_dimensions[row].height = max(20, tallest)
        row += 1
    for question, answers in reading.rows:
        row = _answers(book, ws, row, question, answers, width)
    ws.freeze_panes = "B3"
    book.printing(ws, header_row=2, title=reading.title)
    ws.print_title_cols = "A:A"
    # three institutions on a page: more would be too small to read
    ws.page_setup.fitToWidth = math.ceil(count / PER_PAGE)
    return ws


def _links(book: ReportBook, ws: Worksheet, row: int, links: Sequence[Link]) -> int:
    """Write the ways out of this sheet, one below the other in the first column."""
    for link in links:
        book.cell(ws, row, 1, link, style="plain")
        ws.row_dimensions[row].height = 20
        row += 1
    return row


def _text(book: ReportBook, ws: Worksheet, row: int, label: str, text: str, across: int, width: float) -> int:
    """Write a text that all institutions share over the first columns, on as many rows as it needs."""
    for number, piece in enumerate(pieces(text, width * across)):
        book.cell(ws, row, 1, label if number == 0 else "", style="label")
        book.cell(ws, row, 2, piece)
        if across > 1:
            for at in range(3, across + 2):
                book.cell(ws, row, at, None)
            ws.merge_cells(start_row=row, start_column=2, end_row=row, end_column=across + 1)
        tall = max(book.height(piece, width * across), book.height(label, LABEL_WIDTH) if number == 0 else 0)
        ws.row_dimensions[row].height = max(20, tall)
        row += 1
    return row


def _answers(
    book: ReportBook, ws: Worksheet, row: int, question: str, answers: Sequence[Told | None], width: float
) -> int:
    """Write one question with its answers; an answer too tall for a row goes on in the rows below."""
    cut = [pieces(told.text, width) if told is not None else [""] for told in answers]
    deep = max((len(parts) for parts in cut), default=1)
    for part in range(deep):
        label = question if part == 0 else _("(continued)")
        book.cell(ws, row, 1, label, style="label")
        tall = book.height(label, LABEL_WIDTH)
        for at, (told, parts) in enumerate(zip(answers, cut, strict=True), start=2):
            text = parts[part] if part < len(parts) else ""
            book.cell(ws, row, at, text, style=told.state if told is not None and text else "body")
            tall = max(tall, book.height(text, width))
        ws.row_dimensions[row].height = min(max(20, tall), 409)
        row += 1
    return row


def pieces(text: str, width: float) -> list[str]:
    """Cut a text into parts that each fit one row, at the ends of lines or at spaces; nothing is lost or added."""
    most = int((TALLEST - 5) / (21.5 if is_khmer(text) else 15))
    budget = int(most * (width - 1.5) / 1.3)
    if lines(text, width) <= most:
        return [text]
    made: list[str] = []
    open_lines: list[str] = []
    used = 0
    for line in text.split("\n"):
        parts = split_text(line, budget)
        for number, part in enumerate(parts):
            needed = lines(part, width)
            if open_lines and used + needed > most:
                made.append("\n".join(open_lines))
                open_lines, used = [], 0
            open_lines.append(part)
            used += needed
            if number < len(parts) - 1:
                made.append("\n".join(open_lines))
                open_lines, used = [], 0
    return [*made, "\n".join(open_lines)]
