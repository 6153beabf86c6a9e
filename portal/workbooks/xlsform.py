"""A questionnaire file in XLSForm (.xlsx, .csv, .md) as plain rows with sheet, row and column letter.

Rules of the XLSForm standard: sheet names and headers in any case, reading stops after twenty blank rows.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from forms.definition.rows import RawRow, SheetRows
from portal.errors import Invalid
from portal.table import Problem
from portal.workbooks.opening import LIMIT_BYTES, Sheet, Source, load, open_workbook, refuse, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpyxl.worksheet.worksheet import Worksheet

SHEETS = ("survey", "choices", "settings")
BLANK_ROWS = 20
_ROWS, _COLUMNS = 20_000, 300


def read(source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> SheetRows:
    """Return the rows of every sheet by its lower-case name; other sheets are kept, for attached tables.

    Raises:
        Invalid: not a questionnaire file, or formulas whose result the file does not hold (each with its cell).
    """
    content = load(source, filename=filename or "(.xlsx)", limit_bytes=limit_bytes)
    name = filename.casefold()
    if content.startswith((b"PK", b"\xd0\xcf")) or not name.endswith((".csv", ".md", ".txt")):
        sheets = _workbook(content, filename, limit_bytes)
    else:
        sheets = _text(content, filename)
    rows: SheetRows = {}
    for sheet in sheets:
        rows.setdefault(sheet.name.strip().lower(), []).extend(_rows(sheet))
    if "survey" not in rows:
        raise refuse(
            _l(
                "The file has no sheet “survey”, so it is not an XLSForm questionnaire. Found: %(found)s.",
                found=", ".join(sheet.name[:40] for sheet in sheets[:10]) or "–",
            ),
            code="not_xlsform",
        )
    return rows


def heading(text: str) -> str:
    """Return a header as XLSForm means it: lower-case base name with underscores, language kept (label::Khmer (km))."""
    base, *rest = re.split(r"\s*::?\s*", " ".join(text.split()), maxsplit=1)
    base = re.sub(r"[\s-]+", "_", base.strip().lower())
    return "::".join([base, *rest]) if rest and rest[0] else base


def _workbook(content: bytes, filename: str, limit_bytes: int) -> list[Sheet]:
    book = open_workbook(content, filename=filename, limit_bytes=limit_bytes)
    formulas = open_workbook(content, filename=filename, limit_bytes=limit_bytes, data_only=False)
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    for ws in book.worksheets:
        sheets.append(_values(ws))
        rows = formulas[ws.title].iter_rows(max_row=min(ws.max_row, _ROWS), max_col=min(ws.max_column, _COLUMNS))
        for number, row in enumerate(rows, start=1):
            problems.extend(
                Problem(
                    _l(
                        "This cell holds a formula without its result. "
                        "Open the file in Excel, save it and upload it again."
                    ),
                    ws.title, number, get_column_letter(at),
                )
                for at, cell in enumerate(row, start=1)
                if cell.data_type == "f" and ws.cell(number, at).value is None
            )  # fmt: skip
    if problems:
        raise Invalid(problems=problems, code="formula")
    return sheets


def _values(ws: Worksheet) -> Sheet:
    sheet = Sheet(ws.title)
    blank = 0
    for number, cells in enumerate(
        ws.iter_rows(values_only=True, max_row=min(ws.max_row, _ROWS), max_col=min(ws.max_column, _COLUMNS)), start=1
    ):
        blank = 0 if any(text_of(cell) for cell in cells) else blank + 1
        if blank > BLANK_ROWS:
            break
        if not blank:
            sheet.rows.append((number, list(cells)))
    return sheet


def _text(content: bytes, filename: str) -> list[Sheet]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(
            _l("The file %(file)s is not UTF-8 text. Save it as “CSV UTF-8”, or better as .xlsx.", file=filename),
            code="encoding",
        ) from error
    if filename.casefold().endswith(".csv"):
        try:
            lines: Iterable[list[str]] = list(csv.reader(io.StringIO(text)))
        except csv.Error as error:
            raise refuse(
                _l("The file %(file)s is not a CSV table. Save the questionnaire as .xlsx.", file=filename),
                code="not_xlsform",
            ) from error
    else:
        lines = (_markdown(line) for line in text.splitlines())
    return _sections(lines)


def _markdown(line: str) -> list[str]:
    line = line.strip()
    if not line.startswith("|") or re.fullmatch(r"[|\s:\-]+", line):
        return []
    cells = re.split(r"(?<!\\)\|", line[1:].removesuffix("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _sections(lines: Iterable[list[str]]) -> list[Sheet]:
    """Cut a one-table file at the sheet names in its first column, as pyxform's .csv and .md do."""
    sheets: list[Sheet] = []
    for number, cells in enumerate(lines, start=1):
        if cells and cells[0].strip():
            sheets.append(Sheet(cells[0].strip()))
            cells = ["", *cells[1:]]  # noqa: PLW2901 - the same thing, put right
        if sheets and any(cell.strip() for cell in cells):
            sheets[-1].rows.append((number, list(cells)))
    return sheets


def _rows(sheet: Sheet) -> list[RawRow]:
    if not sheet.rows:
        return []
    columns: dict[int, str] = {}
    for at, cell in enumerate(sheet.rows[0][1]):
        if (name := heading(text_of(cell))) and name not in columns.values():
            columns[at] = name
    letters = {name: get_column_letter(at + 1) for at, name in columns.items()}
    found, before = [], sheet.rows[0][0]
    for number, cells in sheet.rows[1:]:
        if number - before > BLANK_ROWS + 1:
            break
        before = number
        filled = {name: text_of(cells[at]) for at, name in columns.items() if at < len(cells)}
        if any(filled.values()):
            found.append(RawRow(sheet.name, number, {name: text for name, text in filled.items() if text}, letters))
    return found
