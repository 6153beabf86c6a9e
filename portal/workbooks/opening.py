"""Open a workbook that a person uploaded, whatever its bytes are, or refuse it in one sentence."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import openpyxl
from flask_babel import lazy_gettext as _l
from openpyxl.xml import DEFUSEDXML
from python_calamine import CalamineError, CalamineWorkbook

from portal.workbooks.refusals import (
    bomb,
    damaged,
    disguise,
    dressed,
    empty,
    encrypted,
    macros,
    other,
    refuse,
    too_large,
    too_many_cells,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpyxl.workbook import Workbook

if not DEFUSEDXML:  # openpyxl falls back silently to a parser that expands entities
    raise ImportError("defusedxml must be installed")

Source: TypeAlias = "str | Path | bytes | IO[bytes]"
# what refuses an archive that is not of the kind wanted: archive, names of its members, name of the file
Kind: TypeAlias = "Callable[[zipfile.ZipFile, set[str], str], None]"

LIMIT_BYTES = 25 * 1024 * 1024
MEMBERS = 2_000
UNPACKED = 400 * 1024 * 1024
RATIO = 150  # of one member beyond RATIO_FROM unpacked; honest sheets reach about 40
RATIO_FROM = 8 * 1024 * 1024
MEASURED = 64 * 1024 * 1024  # unpacked at most to see whether a directory that promises too much keeps its word
CELLS = 400_000  # whole-workbook reading costs about 0.5 kB a cell
AREA = 6_000_000  # bulk reading holds the rectangle of a sheet's used cells
SHEETS = 300

# What the two parsers raise on broken input; the bytes are a stranger's, so the list is long on purpose.
BROKEN = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, EOFError, RuntimeError,
    AssertionError, SyntaxError, MemoryError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
    CalamineError,
)  # fmt: skip

_CELL = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,3})(\d{1,7})"[^>]*?(/?)>')
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ESCAPED = re.compile("_x005[Ff]_(?=x[0-9A-Fa-f]{4}_)")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


@dataclass
class Sheet:
    """One visible or hidden sheet as plain values; ``rows`` pairs Excel's row number with the cells from column A.

    ``errors`` are those of cells by their address, where the reader tells them (the one of the old format does).
    """

    name: str
    rows: list[tuple[int, list[Any]]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class _Size:
    cells: int = 0
    area: int = 0


def open_workbook(
    source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES, data_only: bool = True
) -> Workbook:
    """Return an openpyxl workbook of an uploaded .xlsx file, links to other files dropped.

    ``data_only`` gives the values Excel stored for formulas; False gives the formulas.

    Raises:
        Invalid: the file is not a readable, plain .xlsx; the one sentence says what to do.
    """
    filename = shown(source, filename)
    content = checked(source, filename=filename, limit_bytes=limit_bytes)
    size = _inspect(content, filename)
    if size.cells > CELLS:
        raise too_many_cells(filename, size.cells)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of features it drops; none of them is data
            book = openpyxl.load_workbook(content, data_only=data_only, keep_links=False)
    except BROKEN as error:
        raise damaged(filename) from error
    if not book.worksheets:
        raise damaged(filename)
    return book


def read_sheets(source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> list[Sheet]:
    """Return every sheet's values by the fast reader: str, int, float, bool, date, datetime, time or None.

    Blank rows are left out; each row keeps the number that Excel shows.

    Raises:
        Invalid: as :func:`open_workbook`.
    """
    filename = shown(source, filename)
    content = checked(source, filename=filename, limit_bytes=limit_bytes)
    size = _inspect(content, filename)
    if size.area > AREA:
        raise too_many_cells(filename, size.area)
    try:
        book = CalamineWorkbook.from_filelike(content)
        return [_sheet(book, name) for name in book.sheet_names[:SHEETS] if _is_grid(book, name)]
    except BROKEN as error:
        raise damaged(filename) from error
    except BaseException as error:  # the Rust reader's panics derive from BaseException
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(filename) from error


def _is_grid(book: CalamineWorkbook, name: str) -> bool:
    kinds = {entry.name: str(entry.typ) for entry in book.sheets_metadata}
    return kinds.get(name, "").rsplit(".", 1)[-1] in {"WorkSheet", ""}


def _sheet(book: CalamineWorkbook, name: str) -> Sheet:
    grid = book.get_sheet_by_name(name)
    first = (grid.start or (0, 0))[0]
    sheet = Sheet(name)
    padding = [None] * (grid.start or (0, 0))[1]
    # to_python(skip_empty_area=True) starts at the first used cell, in both directions
    for number, values in enumerate(grid.to_python(skip_empty_area=True), start=first + 1):
        row = [_plain(value) for value in values]
        if any(value is not None for value in row):
            sheet.rows.append((number, padding + row))
    return sheet


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, timedelta):
        return str(value)
    return value


def shown(source: Source, filename: str) -> str:
    """Return the name by which sentences call a file."""
    if not filename and isinstance(source, (str, Path)):
        filename = Path(source).name
    return filename or "(.xlsx)"


def checked(source: Source, *, filename: str, limit_bytes: int = LIMIT_BYTES) -> io.BytesIO:
    """Read at most ``limit_bytes`` and refuse what is not an .xlsx by its first bytes, whatever its name is."""
    content = load(source, filename=filename, limit_bytes=limit_bytes)
    if refusal := disguise(content, filename):
        raise refusal
    return io.BytesIO(content)


def load(source: Source, *, filename: str, limit_bytes: int) -> bytes:
    """Return the bytes of an uploaded file of any kind.

    Raises:
        Invalid: empty, larger than the limit, or unreadable.
    """
    try:
        if isinstance(source, bytes):
            content = source
        elif isinstance(source, (str, Path)):
            with Path(source).open("rb") as stream:
                content = stream.read(limit_bytes + 1)
        else:
            content = source.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        raise unreadable(filename) from error
    if not content:
        raise empty(filename)
    if len(content) > limit_bytes:
        raise too_large(filename, limit_bytes)
    return content


def walk_package(content: io.BytesIO, filename: str, kind: Kind) -> None:
    """Judge an Office file of another ``kind`` as a workbook is judged: every member unpacked once, nothing kept.

    Raises:
        Invalid: in the words that a workbook is refused with; the code tells why.
    """
    _inspect(content, filename, kind)


def _inspect(content: io.BytesIO, filename: str, kind: Kind | None = None) -> _Size:
    """Walk the zip once without keeping anything: sizes, kind, macros, document types, number of cells."""
    try:
        with zipfile.ZipFile(content) as archive:
            check_package(archive, filename, kind=kind)
            size = _Size()
            for entry in archive.infolist():
                _walk(content, entry, size, filename)
    except BROKEN as error:
        raise damaged(filename) from error
    content.seek(0)
    return size


def check_package(
    archive: zipfile.ZipFile, filename: str, *, unpacked: int = UNPACKED, kind: Kind | None = None
) -> None:
    """Judge an archive by its directory: bytes it may unpack to, kind, macros; nothing is unpacked but the types.

    Raises:
        Invalid: it is not a plain .xlsx.
    """
    entries = archive.infolist()
    _directory(archive, entries, filename, unpacked)
    (kind or _kind)(archive, {entry.filename for entry in entries}, filename)


def _directory(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], filename: str, unpacked: int) -> None:
    if len(entries) > MEMBERS:
        raise bomb(filename)
    once = {entry.filename.lower() for entry in entries}
    if len(once) != len(entries) or _promised(archive) not in {len(entries), 0xFFFF}:  # the latter: more than fit there
        raise damaged(filename)
    if sum(entry.file_size for entry in entries) > unpacked or any(
        entry.file_size > RATIO_FROM and entry.file_size > RATIO * max(entry.compress_size, 1) for entry in entries
    ):
        raise bomb(filename) if _keeps_its_word(archive, entries) else damaged(filename)
    for entry in entries:
        if entry.flag_bits & 0x1 and archive.fp is not None:
            raise encrypted(filename) if _local_flags(archive.fp, entry) & 0x1 else damaged(filename)


def _promised(archive: zipfile.ZipFile) -> int:
    """Return how many members the archive says to have: zipfile passes over what a broken directory swallows."""
    if archive.fp is None:
        return 0
    archive.fp.seek(-22 - len(archive.comment), io.SEEK_END)
    return int.from_bytes(archive.fp.read(22)[10:12], "little")


def _keeps_its_word(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> bool:
    """Tell whether large members are as large as the directory says: in a file damaged on its way they are not."""
    measured = 0
    for entry in entries:
        if entry.file_size <= RATIO_FROM or archive.fp is None:
            continue
        found = 0
        for piece in _pieces(archive.fp, entry):
            found += len(piece)
            measured += len(piece)
            if measured > MEASURED:
                return True
        if found < entry.file_size:
            return False
    return True


def _kind(archive: zipfile.ZipFile, names: set[str], filename: str) -> None:
    lower = {name.lower() for name in names}
    if "[Content_Types].xml" not in names:
        if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")[:100]:
            raise dressed(filename, _l("a LibreOffice spreadsheet"))
        if "xl/workbook.xml" in lower:
            raise damaged(filename)
        raise refuse(
            _l(
                "The file %(file)s is a zip archive, not an Excel workbook. Unpack it and upload the .xlsx file inside.",  # noqa: E501 - a sentence stays in one piece
                file=filename,
            ),
            code="not_a_workbook",
        )
    with archive.open("[Content_Types].xml") as stream:
        types = stream.read(1_000_000)
    if b"macroEnabled" in types or any(name.endswith("vbaproject.bin") for name in lower):
        raise macros(filename)
    if b"wordprocessingml" in types:
        raise other(filename, _l("a Word document"))
    if b"presentationml" in types:
        raise other(filename, _l("a PowerPoint presentation"))
    if b"sheet.binary" in types:
        raise dressed(filename, _l("a binary Excel workbook (.xlsb)"))
    if b"spreadsheetml" not in types:
        raise damaged(filename)


def _walk(content: IO[bytes], entry: zipfile.ZipInfo, size: _Size, filename: str) -> None:  # noqa: C901 - one pass over hostile bytes, in this order
    """Unpack one member in pieces and compare it with what the directory promised, so that no reader gets more."""
    xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    grid = bool(_SHEET.fullmatch(entry.filename))
    check, total, rows, columns, tail, first = 0, 0, 0, 0, b"", True
    # a flipped byte makes a member somewhat longer than it was, and that is damage; a bomb goes on and on
    most = min(max(entry.file_size, RATIO * entry.compress_size) + RATIO_FROM, UNPACKED)
    for piece in _pieces(content, entry):
        total += len(piece)
        if total > most:
            raise bomb(filename)
        check = zlib.crc32(piece, check)
        if first and xml and piece[:2] in {b"\xfe\xff", b"\xff\xfe"}:
            piece = piece.replace(b"\x00", b"")  # noqa: PLW2901  # UTF-16 would hide a document type
        first = False
        if not xml:
            continue
        text = tail + piece
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise damaged(filename)
        if grid:
            size.cells += len(_ANY_CELL.findall(piece))
            for column, row, closed in _CELL.findall(text):
                if not closed:
                    rows, columns = max(rows, int(row)), max(columns, _column_number(column))
        tail = text[-256:]
    if total != entry.file_size or check != entry.CRC:
        raise damaged(filename)
    size.area += max(rows * columns, 0)
    if size.cells > AREA * 2:
        raise too_many_cells(filename, size.cells)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _pieces(content: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member unpacked to its true end: zipfile stops at the promised size, other readers may not."""
    _local_flags(content, entry)
    left = entry.compress_size
    if entry.compress_type == zipfile.ZIP_STORED:
        while left > 0 and (raw := content.read(min(left, 1 << 16))):
            left -= len(raw)
            yield raw
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile("unusual compression")
    unpack = zlib.decompressobj(-15)
    while left > 0 and not unpack.eof and (raw := content.read(min(left, 1 << 16))):
        left -= len(raw)
        while raw and not unpack.eof:
            yield unpack.decompress(raw, 1 << 20)
            raw = unpack.unconsumed_tail
    yield unpack.flush(1 << 16)


def _local_flags(content: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """Return what a member says of itself where it stands, and leave the stream at its data."""
    content.seek(entry.header_offset)
    header = content.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no local header")
    name, extra = struct.unpack("<HH", header[26:30])
    if content.read(name) != entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437"):
        raise zipfile.BadZipFile("another name")
    content.seek(extra, io.SEEK_CUR)
    return int.from_bytes(header[6:8], "little")


def find_header(
    sheet: Sheet, wanted: set[str], normalise: Any, *, within: int = 15, least: int = 2
) -> tuple[int, dict[str, int]] | None:
    """Find the header row: index in ``sheet.rows`` and normalised header -> column index (0 = A).

    The first of the top rows that holds at least ``least`` of the ``wanted`` headers wins; titles above are skipped.
    """
    for index, (_, cells) in enumerate(islice(sheet.rows, within)):
        found: dict[str, int] = {}
        for position, cell in enumerate(cells):
            if isinstance(cell, str) and (header := normalise(cell)):
                found.setdefault(header, position)
        if len(wanted & set(found)) >= least:
            return index, found
    return None


def text_of(value: Any) -> str:
    """Return a cell as the text a person meant: trimmed, whole numbers without '.0', dates as ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "isoformat"):
        stamp = str(value.isoformat())
        return stamp.removesuffix("T00:00:00")
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("_x000D_", "")
    return _ESCAPED.sub("_", text).strip()
