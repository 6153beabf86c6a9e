"""The rows of an uploaded workbook one at a time, however many there are: memory stays flat.

The texts that cells share lie in a temporary file while the rows pass by; a cell is decoded only when it is asked for.
"""

from __future__ import annotations

import io
import posixpath
import re
import tempfile
import zipfile
from array import array
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lxml import etree
from openpyxl.utils import column_index_from_string

from portal.workbooks import opening, refusals
from portal.workbooks.opening import BROKEN, LIMIT_BYTES, RATIO, SHEETS, UNPACKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.workbooks.opening import Source

HEAD = 64 * 1024 * 1024  # as much of a file that is no zip is looked at, to say what it is
# what a hostile part could ask of the parser is off; a document type is refused before the parser sees it
_SAFE: Mapping[str, Any] = {"resolve_entities": False, "load_dtd": False, "no_network": True}


# a lone half of a surrogate pair is no letter: it stays as it is written
_ESCAPED = re.compile("_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")


class Row:
    """One row while it passes by: ``number`` as Excel shows it, cells from column A = 0. Do not keep it."""

    __slots__ = ("_element", "_texts", "number")

    def __init__(self, number: int, element: Any, texts: SharedTexts) -> None:
        self.number, self._element, self._texts = number, element, texts

    def cell(self, at: int) -> Any:
        """Return the value of a cell: str, int, float, bool or None; a date comes as Excel's number of days."""
        element = self._element
        # blank cells may be left out, so a cell stands at its column's place or before it
        for place in range(min(at, len(element) - 1), -1, -1):
            column = _column(element[place], place)
            if column == at:
                return self._value(element[place])
            if column < at:
                break
        return None

    def cells(self) -> list[Any]:
        """Return all cells up to the last."""
        found = {_column(element, place): self._value(element) for place, element in enumerate(self._element)}
        return [found.get(at) for at in range(max(found, default=-1) + 1)]

    def _value(self, element: Any) -> Any:
        kind = element.get("t")
        if kind == "inlineStr":
            return _filled(_text(element))
        said = next((part.text for part in element if part.tag[-2:] in {"}v", "v"}), None)
        if said is None or kind == "e":
            return None
        if kind == "s":
            return _filled(self._texts[int(said)])
        if kind in {"str", "d"}:
            return _filled(said)
        if kind == "b":
            return said.strip() == "1"
        number = float(said)
        return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _filled(text: str) -> str | None:
    """Return a text with its escapes undone ("_x000D_" is a carriage return), None for a blank one."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text if text.strip() else None


def _column(element: Any, place: int) -> int:
    where = element.get("r")
    return _index(where.rstrip("0123456789")) if where else place


@cache
def _index(letters: str) -> int:
    """Return the place of a column; openpyxl knows 18,278 of them and refuses others."""
    return column_index_from_string(letters) - 1


def _text(element: Any) -> str:
    """Return the text of a string with its differently drawn parts joined, without the reading aids of East Asia."""
    return "".join(part.text or "" for part in element.iter("{*}t") if etree.QName(part.getparent()).localname != "rPh")


class SharedTexts:
    """The texts that cells name by number: on disk, eight bytes of memory each."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._ends = array("Q", [0])

    def take(self, part: IO[bytes]) -> None:
        """Take over the texts of a part, in their order."""
        end = 0
        for element in _elements(part, "{*}si"):
            alone = element[0] if len(element) == 1 else None
            plain = alone is not None and etree.QName(alone).localname == "t"
            written = ((alone.text or "") if plain and alone is not None else _text(element)).encode()
            self._file.write(written)
            end += len(written)
            self._ends.append(end)
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        """Return a text.

        Raises:
            IndexError: there is no such number.
        """
        if number < 0:
            raise IndexError(number)
        start = self._ends[number]
        self._file.seek(start)
        return self._file.read(self._ends[number + 1] - start).decode()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class _Guarded:
    """A part on its way to the parser; a document type in it ends the reading, in whatever encoding."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._tail = b""
        self._wide: bool | None = None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            BadZipFile: a document type, or bytes that are not those that the archive promised.
        """
        piece = self._stream.read(size if size > 0 else 1 << 16)
        if self._wide is None:
            self._wide = piece[:2] in {b"\xfe\xff", b"\xff\xfe"}
        seen = self._tail + (piece.replace(b"\x00", b"") if self._wide else piece)
        if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
            raise zipfile.BadZipFile("a document type")
        self._tail = seen[-16:]
        return piece


def _elements(part: IO[bytes], tag: str) -> Iterator[Any]:
    """Yield the elements of a name as they end; each is emptied when the next one is asked for."""
    for _event, element in etree.iterparse(_Guarded(part), events=("end",), tag=tag, **_SAFE):
        yield element
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


class LongSheet:
    """One worksheet; :meth:`rows` reads it from its beginning."""

    def __init__(self, name: str, archive: zipfile.ZipFile, part: str, texts: SharedTexts) -> None:
        self.name, self._archive, self._part, self._texts = name, archive, part, texts

    def rows(self) -> Iterator[Row]:
        """Yield the rows that the file holds, blank ones too."""
        number = 0
        with self._archive.open(self._part) as part:
            for element in _elements(part, "{*}row"):
                number = int(element.get("r") or number + 1)
                yield Row(number, element, self._texts)


@contextmanager
def open_rows(source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> Iterator[list[LongSheet]]:
    """Open an uploaded .xlsx file of any size and lend its worksheets.

    Above :data:`~portal.workbooks.opening.LIMIT_BYTES` (command line) it may unpack to more than a web upload may.

    Raises:
        Invalid: not a readable, plain .xlsx; the one sentence says what to do. Also while the rows pass by.
    """
    filename = opening.shown(source, filename)
    stream, opened = _stream(source, filename)
    texts = SharedTexts()
    try:
        _check_bytes(stream, filename, limit_bytes)
        unpacked = UNPACKED if limit_bytes <= LIMIT_BYTES else max(UNPACKED, RATIO * limit_bytes)
        with zipfile.ZipFile(stream) as archive:
            opening.check_package(archive, filename, unpacked=unpacked)
            sheets, shared = _parts(archive)
            if shared in archive.namelist():
                with archive.open(shared) as part:
                    texts.take(part)
            yield [LongSheet(name, archive, part, texts) for name, part in sheets[:SHEETS]]
    except BROKEN as error:
        raise refusals.damaged(filename) from error
    finally:
        texts.close()
        if opened:
            stream.close()


def _stream(source: Source, filename: str) -> tuple[IO[bytes], bool]:
    if isinstance(source, bytes):
        return io.BytesIO(source), True
    if isinstance(source, (str, Path)):
        try:
            return Path(source).open("rb"), True
        except OSError as error:
            raise refusals.unreadable(filename) from error
    return source, False


def _check_bytes(stream: IO[bytes], filename: str, limit_bytes: int) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size == 0:
        raise refusals.empty(filename)
    if size > limit_bytes:
        raise refusals.too_large(filename, limit_bytes)
    if stream.read(4) != b"PK\x03\x04":
        stream.seek(0)
        raise refusals.disguise(stream.read(HEAD), filename) or refusals.damaged(filename)
    stream.seek(0)


def _parts(archive: zipfile.ZipFile) -> tuple[list[tuple[str, str]], str]:
    """Return (title, part) of every worksheet in the order of the tabs, and the part of the shared texts."""
    book = _related(archive, "")["officeDocument"][0][1]
    related = _related(archive, book)
    parts = dict(related.get("worksheet", ()))
    sheets = [
        (str(found.get("name")), parts[key])
        for found in _parsed(archive, book).iter("{*}sheet")
        for name, key in found.attrib.items()
        if etree.QName(name).localname == "id" and etree.QName(name).namespace and key in parts
    ]
    return sheets, next((part for _key, part in related.get("sharedStrings", ())), "")


def _related(archive: zipfile.ZipFile, part: str) -> dict[str, list[tuple[str, str]]]:
    """Return what a part leads to: kind -> (id, part)."""
    folder, name = posixpath.split(part)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in _parsed(archive, posixpath.join(folder, "_rels", f"{name}.rels")):
        target = posixpath.normpath(posixpath.join("/", folder, one.get("Target") or "")).lstrip("/")
        found.setdefault((one.get("Type") or "").rpartition("/")[2], []).append((one.get("Id") or "", target))
    return found


def _parsed(archive: zipfile.ZipFile, part: str) -> Any:
    with archive.open(part) as stream:
        guarded: Any = _Guarded(stream)  # the stubs ask for a whole file, the parser only reads
        return etree.parse(guarded, etree.XMLParser(**_SAFE)).getroot()
