"""A questionnaire file in XLSForm (.xlsx, .xls, .csv, .md) as plain rows with sheet, row and column letter.

The content decides what kind of file it is, not the name. Rules of the XLSForm standard: sheet names and headers in
any case, reading stops after twenty blank rows.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from forms.definition.headers import canonical
from forms.definition.rows import RawRow, SheetRows
from forms.definition.tables import MAX_NAME, OURS, table_name
from portal.errors import Invalid
from portal.table import Problem
from portal.workbooks.opening import (
    LIMIT_BYTES,
    Sheet,
    Source,
    checked,
    load,
    open_workbook,
    read_sheets,
    text_of,
)
from portal.workbooks.refusals import refuse
from portal.workbooks.xlsform_text import read_table, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

SHEETS = ("survey", "choices", "settings")
BLANK_ROWS = 20
_ROWS, _COLUMNS = 20_002, 300  # one row more than is judged, so that a longer sheet is noticed
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOUND = 64  # bytes: a tag may lie across two pieces


def read(
    source: Source,
    *,
    filename: str = "",
    limit_bytes: int = LIMIT_BYTES,
    tables: Iterable[tuple[str, bytes]] = (),
) -> SheetRows:
    """Return the rows of every sheet by its lower-case name; other sheets are attached tables, headers as written.

    `tables` are further files (name, content) whose tables come in addition: each .csv under its name, each sheet of
    a workbook under the sheet's.

    Raises:
        Invalid: not a questionnaire file, or formulas whose result the file does not hold (each with its cell).
    """
    filename = filename or "(.xlsx)"
    content = load(source, filename=filename, limit_bytes=limit_bytes)
    sheets = _sheets(content, filename, limit_bytes)
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
    for name, held in tables:
        for sheet in _attached(name, held, limit_bytes):
            if sheet.name.strip().lower() not in OURS:
                rows[sheet.name.strip().lower()] = _rows(sheet)
    return rows


def _sheets(content: bytes, filename: str, limit_bytes: int) -> list[Sheet]:
    if content.startswith(_OLD):
        from portal.workbooks.old_excel import read_old  # loads xlrd, for the few old files

        return read_old(content, filename)
    if content.startswith(b"PK"):
        return _workbook(content, filename, limit_bytes)
    if b"\x00" in content[:4096] or content[:5].lower() in (b"%pdf-", b"<html", b"<!doc", b"<?xml", b"{\\rtf"):
        checked(content, filename=filename, limit_bytes=limit_bytes)  # names what it is
    return read_text(content, filename)


def _attached(filename: str, content: bytes, limit_bytes: int) -> list[Sheet]:
    """Return the tables of a file that comes beside the questionnaire."""
    content = load(content, filename=filename, limit_bytes=limit_bytes)
    if content.startswith((b"PK", _OLD)):
        return _sheets(content, filename, limit_bytes)
    name = table_name(filename)
    if len(name) > MAX_NAME:
        raise refuse(
            _l("The name of the table %(file)s is longer than %(limit)s letters.", file=filename[:80], limit=MAX_NAME),
            mend=_l("Please give the file a shorter name; questions look it up by that name."),
            code="table_name",
        )
    return [Sheet(name, list(read_table(content, filename)))]


def _workbook(content: bytes, filename: str, limit_bytes: int) -> list[Sheet]:
    sheets = read_sheets(content, filename=filename, limit_bytes=limit_bytes)
    if _has_formulas(content):
        _judge_formulas(content, filename, limit_bytes)
    return sheets


def _has_formulas(content: bytes) -> bool:
    """Say whether any sheet holds a formula, without reading its cells (the file was inspected before)."""
    with zipfile.ZipFile(_stream(content)) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            with archive.open(name) as part:
                tail = b""
                while piece := part.read(1 << 18):
                    if b"<f>" in tail + piece or b"<f " in tail + piece or b":f>" in tail + piece:
                        return True
                    tail = piece[-_BOUND:]
    return False


def _stream(content: bytes) -> IO[bytes]:
    return io.BytesIO(content)


def _judge_formulas(content: bytes, filename: str, limit_bytes: int) -> None:
    """Refuse formulas whose result the file does not hold: programs write such, and they would read as empty cells."""
    book = open_workbook(content, filename=filename, limit_bytes=limit_bytes)
    formulas = open_workbook(content, filename=filename, limit_bytes=limit_bytes, data_only=False)
    problems: list[Problem] = []
    for ws in book.worksheets:
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


def _rows(sheet: Sheet) -> list[RawRow]:
    """Return the rows under the header row; the headers of a sheet of ours in one spelling, others as written."""
    if not sheet.rows:
        return []
    ours = sheet.name.strip().lower() in OURS
    columns: dict[int, str] = {}
    for at, cell in enumerate(sheet.rows[0][1][:_COLUMNS]):
        name = canonical(text_of(cell)) if ours else " ".join(text_of(cell).split())
        if name:
            columns[at] = _unique(name, columns.values())
    letters = {name: get_column_letter(at + 1) for at, name in columns.items()}
    found, before = [], sheet.rows[0][0]
    for number, cells in sheet.rows[1:_ROWS]:
        filled = {name: text for at, name in columns.items() if at < len(cells) and (text := text_of(cells[at]))}
        if not filled:
            continue
        if number - before > BLANK_ROWS + 1:
            break
        before = number
        found.append(RawRow(sheet.name, number, filled, letters))
    return found


def _unique(name: str, taken: Iterable[str]) -> str:
    """Return a header, numbered when it stands a second time, so that nothing under it is lost."""
    held, count, found = set(taken), 1, name
    while found in held:
        count += 1
        found = f"{name} ({count})"
    return found
