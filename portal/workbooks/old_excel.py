"""Workbooks in the old Excel format (.xls): many that are passed around, or saved by an old Excel, still are."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import xlrd
from openpyxl.utils import get_column_letter

from portal.workbooks.opening import BROKEN, Sheet, checked
from portal.workbooks.refusals import damaged, encrypted

if TYPE_CHECKING:
    from datetime import time

_MOST_ROWS = 20_100
_MOST_COLUMNS = 300
_WHOLE = 1e15  # beyond it a float has no exact whole number


def has_macros(content: bytes) -> bool:
    """Tell whether a workbook of the old format brings a project of macros."""
    return "_VBA_PROJECT".encode("utf-16-le") in content


def read_old(content: bytes, filename: str) -> list[Sheet]:
    """Return the sheets of a BIFF workbook as plain values, blank rows left out, and their cells that hold an error.

    Raises:
        Invalid: it is protected by a password, no workbook, or damaged.
    """
    if any(mark.encode("utf-16-le") in content for mark in ("EncryptedPackage", "WordDocument")):
        checked(content, filename=filename)  # says which of the two
    try:
        # sparse rows: a lone cell far below must not become a rectangle in memory
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True, on_demand=True)
        return [_sheet(book, name) for name in book.sheet_names()]
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise encrypted(filename) from error
        raise damaged(filename) from error
    except (*BROKEN, xlrd.compdoc.CompDocError) as error:
        raise damaged(filename) from error


def _sheet(book: Any, name: str) -> Sheet:
    grid = book.sheet_by_name(name)
    sheet = Sheet(name)
    for number in range(min(grid.nrows, _MOST_ROWS)):
        row = grid.row(number)[:_MOST_COLUMNS]
        for at, cell in enumerate(row, start=1):
            if cell.ctype == xlrd.XL_CELL_ERROR:
                address = f"{get_column_letter(at)}{number + 1}"
                sheet.errors[address] = xlrd.error_text_from_code.get(cell.value, "#?")
        cells = [_value(book, cell) for cell in row]
        if any(cell is not None for cell in cells):
            sheet.rows.append((number + 1, cells))
    book.unload_sheet(name)
    return sheet


def _value(book: Any, cell: Any) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment: datetime | time = xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (xlrd.xldate.XLDateError, *BROKEN):
            return str(cell.value)
        # less than a day is a time of the day, as the reader of today's format says it
        return moment.time() if isinstance(moment, datetime) and 0 <= cell.value < 1 else moment
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return int(cell.value) if float(cell.value).is_integer() and abs(cell.value) < _WHOLE else cell.value
    if cell.ctype == xlrd.XL_CELL_TEXT and str(cell.value).strip():
        return str(cell.value)
    return None
