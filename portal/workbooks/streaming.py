"""Long tables go into the workbook as finished XML: the same cells as the guarded writer's, without an object per cell.

openpyxl still makes the sheet, its header, styles, filter and panes; the rows are spliced into its sheet part on save.
A test compares both ways cell by cell.
"""

from __future__ import annotations

import re
import tempfile
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from xml.parsers.expat import ParserCreate  # only reads what this module has written
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from isal import isal_zlib
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.constants import ARC_WORKBOOK, ARC_WORKBOOK_RELS, REL_NS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from portal.table import Figure
from portal.workbooks.cell_text import is_khmer, is_risky

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from portal.table import Cell, Column
    from portal.workbooks.writer import ReportBook

SHORT = 5_000  # characters under which a text needs neither splitting nor counting of its UTF-16 units
_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")
_CHUNK = 1 << 18


class StreamedRows:
    """The rows of one sheet, serialised into a temporary file that is read back when the workbook is saved.

    ``rows`` is passed through once; a second time only if a text is longer than a cell and its column has to go over
    several. ``count`` and ``spans`` (cells side by side per column) are known after :meth:`serialise`.
    """

    def __init__(
        self,
        book: ReportBook,
        ws: Worksheet,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        *,
        row_height: float,
        tints: Mapping[str, str],
    ) -> None:
        self.book, self.ws, self.columns, self.rows = book, ws, columns, rows
        self.row_height, self.tints = row_height, tints
        self.count = 0
        self.spans = [1] * len(columns)
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the book
        self._styles: dict[tuple[str, bool, bool, bool, str], int] = {}

    def serialise(self) -> None:
        """Write all rows; what had to be altered is noted in the book as the guarded writer does."""
        noted = len(self.book.notes)
        while (needed := self._pass()) != self.spans:
            self.spans = needed
            del self.book.notes[noted:]
        self.rows = ()

    def _pass(self) -> list[int]:
        """Write all rows in columns of the present spans; return the spans that they need."""
        self.file.seek(0)
        self.file.truncate()
        self._needed = [1] * len(self.columns)
        columns, place = [], 1
        for at, (span, column) in enumerate(zip(self.spans, self.columns, strict=True)):
            columns.append((at, place, get_column_letter(place), column))
            place += span
        pending: list[str] = []
        size = number = 0
        for number, row in enumerate(self.rows, start=1):
            cells = [
                self._cell(number + 1, at, place, letter, column, value)
                for (at, place, letter, column), value in zip(columns, row, strict=True)
                if value is not None and value != ""
            ]
            line = f'<row r="{number + 1}"{self._height(row)}>{"".join(cells)}</row>'
            pending.append(line)
            size += len(line)
            if size > _CHUNK:
                self.file.write("".join(pending).encode())
                pending, size = [], 0
        self.file.write("".join(pending).encode())
        self.count = number
        return self._needed

    def _height(self, row: Sequence[Cell]) -> str:
        if not self.row_height:
            return ""
        height = 20.0
        for column, value in zip(self.columns, row, strict=True):
            if column.wrap and isinstance(value, str):
                height = max(height, self.book.height(value[:1500], column.width))
        return f' ht="{min(height, self.row_height):g}" customHeight="1"'

    def _cell(self, number: int, at: int, place: int, letter: str, column: Column, value: Cell) -> str:
        if isinstance(value, str):
            if len(value) < SHORT and not _SPECIAL.search(value):
                return self._text(f"{letter}{number}", value, column)
            return self._guarded(number, at, place, column, value)
        kind: str = column.kind
        if isinstance(value, Figure):
            kind, value = value.kind, value.value
        if isinstance(value, bool):
            return f'<c r="{letter}{number}" s="{self._style("boolean")}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, datetime):
            value = value.astimezone(self.book.zone).replace(tzinfo=None, microsecond=0) if value.tzinfo else value
            kind = "date" if kind == "date" else "datetime"
        guarded = self.book.number_or_text(self.ws, number, place, value)
        if isinstance(guarded, str):
            return self._text(f"{letter}{number}", guarded, column)
        if isinstance(guarded, (date, time)):
            if isinstance(guarded, time):
                kind = "time"
            elif kind not in {"date", "datetime"}:
                kind = "date"
            shown = repr(to_excel(guarded))  # type: ignore[no-untyped-call] # the stubs leave its argument open
            return f'<c r="{letter}{number}" s="{self._style(kind)}"><v>{shown}</v></c>'
        plain = format(guarded, "f") if isinstance(guarded, Decimal) else repr(guarded)
        return f'<c r="{letter}{number}" s="{self._style(kind)}"><v>{plain}</v></c>'

    def _text(self, where: str, value: str, column: Column) -> str:
        look = self.tints.get(value, "body") if column.key == "state" else "body"
        style = self._style(
            "", khmer=is_khmer(value), prefix=is_risky(value), wrap=column.wrap, look=look
        )
        space = ' xml:space="preserve"' if value != value.strip() or "\n" in value else ""
        return f'<c r="{where}" s="{style}" t="inlineStr"><is><t{space}>{escape(value)}</t></is></c>'

    def _guarded(self, number: int, at: int, place: int, column: Column, value: str) -> str:
        """Let the guarded writer judge a text that is long or holds something odd."""
        made = []
        parts = self.book.guarded_parts(self.ws, number, place, value)
        self._needed[at] = max(self._needed[at], len(parts))
        for offset, part in enumerate(parts):
            if part:
                made.append(self._text(f"{get_column_letter(place + offset)}{number}", part, column))
        return "".join(made)

    def _style(
        self, kind: str, *, khmer: bool = False, prefix: bool = False, wrap: bool = False, look: str = "body"
    ) -> int:
        key = (kind, khmer, prefix, wrap, look)
        if key not in self._styles:
            self._styles[key] = self.book.styles.number(look, kind, khmer=khmer, prefix=prefix, wrap=wrap)
        return self._styles[key]


class _Writer(ExcelWriter):
    """openpyxl's writer, which splices the finished rows into the sheets that have some."""

    def __init__(self, book: ReportBook, archive: ZipFile) -> None:
        super().__init__(book.workbook, archive)
        self.book = book
        self.archive = archive

    def write_worksheet(self, ws: Worksheet) -> None:
        """Write one sheet part."""
        rows = self.book.streamed.get(ws.title)
        if rows is None:
            super().write_worksheet(ws)
            return
        part_of: Any = ws  # the stubs do not know the private names that ExcelWriter sets likewise
        made: Any = WorksheetWriter(ws)  # likewise
        made.write()
        part_of._rels = made._rels  # noqa: SLF001 - ExcelWriter reads it for the relations part
        part_of._drawing = None  # noqa: SLF001 - ExcelWriter reads it; streamed sheets draw nothing
        with Path(made.out).open("rb") as part:
            head, end, tail = part.read().partition(b"</sheetData>")
        last = f"{get_column_letter(sum(rows.spans))}{rows.count + 1}"
        head = re.sub(rb'<dimension ref="[^"]*"', f'<dimension ref="A1:{last}"'.encode(), head, count=1)
        rows.file.seek(0)
        with self.archive.open(ws.path[1:], "w", force_zip64=True) as target:
            packer: Any = target  # zipfile has no public way to another deflate; this one packs five times as fast
            packer._compressor = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)  # noqa: SLF001 - zipfile offers no hook for a compressor
            target.write(head)
            while chunk := rows.file.read(_CHUNK):
                target.write(chunk)
            target.write(end + tail)
        self.manifest.append(ws)
        made.cleanup()


def save_workbook(book: ReportBook, stream: IO[bytes]) -> None:
    """Write the workbook with its streamed sheets."""
    with ZipFile(stream, "w", ZIP_DEFLATED, allowZip64=True, compresslevel=4) as archive:
        _Writer(book, archive).save()


def sheet_parts(path: Path) -> dict[str, str]:
    """Return the part of each sheet of a written workbook, by title; the strings of the workbook are not loaded."""
    with ZipFile(path) as archive:
        book = fromstring(archive.read(ARC_WORKBOOK))
        related = fromstring(archive.read(ARC_WORKBOOK_RELS))
    targets = {one.attrib["Id"]: one.attrib["Target"].lstrip("/") for one in related}
    sheets = book.iter(f"{{{SHEET_MAIN_NS}}}sheet")
    return {sheet.attrib["name"]: targets[sheet.attrib[f"{{{REL_NS}}}id"]] for sheet in sheets}


def count_rows(path: Path, part: str) -> int:
    """Count the rows of one sheet part of a written workbook, reading all of it and checking that it is well-formed.

    Raises:
        ExpatError: if it is not.
    """
    parser = ParserCreate()
    count, rest = 0, b""
    with ZipFile(path) as archive, archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk)
            # an angle bracket in a text is escaped, so this can only be the element
            seen = rest + chunk
            count += seen.count(b"<row ")
            rest = seen[-4:]
    parser.Parse(b"", True)  # noqa: FBT003 - expat takes is_final by position only
    return count
