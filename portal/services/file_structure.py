"""What is inside a file: the header of a picture, the parts of an Office package, as their formats lay them down.

A signature of a few bytes proves nothing: whatever follows it would be taken along. Only as much is read as tells a
document from a disguise; nothing is drawn, run or unpacked as a whole.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

PNG = b"\x89PNG\r\n\x1a\n"
# PNG 11.2.1 (W3C, third edition): which bit depths a colour type may have
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
# more than any scanner here draws, and less than what only fills a memory
LARGEST_SIDE = 100_000
# ITU-T T.81, table B.1: frames; markers that stand alone; the scan
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _END = 0xDA, 0xD9
# before the picture stand a few notes and thumbnails: whoever puts in more hides something
_SEGMENTS = 10_000

CONTENT_TYPES = "[Content_Types].xml"
_LARGEST_LIST = 2 * 1024 * 1024
_MAIN = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
_ODF = {".odt": b"application/vnd.oasis.opendocument.text", ".ods": b"application/vnd.oasis.opendocument.spreadsheet"}
_MACROS = re.compile(r"macroenabled|vbaproject|vbadata|macrosheet", re.IGNORECASE)
_WITH_MACROS = re.compile(r"\.(docm|dotm|xlsm|xltm|xlam|xlsb|pptm|potm|ppsm|ppam|sldm)$|(^|/)vbaproject\.bin$")
# modules of OpenDocument: Basic lies in libraries, other languages in Scripts
_ODF_MODULE = re.compile(r"^Basic/[^/]+/(?!script-l[bc]\.xml$)[^/]+\.xml$|^Scripts/.*[^/]$")
_PROGRAM = re.compile(
    r"\.(exe|com|scr|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msp|jar|lnk|reg|cpl|dll|sh|apk|dmg|iso|php|asp|aspx|jsp)$"
)
# Windows, Linux and macOS begin their programs so; embedded fonts are scrambled and may begin with anything
_PROGRAM_HEADS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_SCRAMBLED = (".odttf", ".fntdata")
# no document has as many parts
_MEMBERS = 20_000


class NoPackage(Exception):
    """The file is not what the ending of its name says."""


class HasMacros(Exception):
    """The package holds macros."""


class HasProgram(Exception):
    """The package holds a file that runs; its name is the argument."""


def is_picture(path: Path, extension: str) -> bool:
    """Tell whether a file begins as a PNG or a JPEG does: with the signature, and with a picture behind it."""
    with path.open("rb") as file:
        try:
            return _is_png(file) if extension == ".png" else _is_jpeg(file)
        except struct.error:  # it ends in the middle
            return False


def _is_png(file: BinaryIO) -> bool:
    return file.read(8) == PNG and _is_png_header(file) and _has_png_data(file)


def _is_png_header(file: BinaryIO) -> bool:
    length, kind = struct.unpack(">I4s", file.read(8))
    header = file.read(13)
    (check,) = struct.unpack(">I", file.read(4))
    if (length, kind) != (13, b"IHDR") or zlib.crc32(kind + header) != check:
        return False
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if packing or filtering or interlace > 1:
        return False
    return 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and depth in _DEPTHS.get(colour, ())


def _has_png_data(file: BinaryIO) -> bool:
    for _each in range(_SEGMENTS):
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"IDAT":
            return True
        if not kind.isalpha() or length > 0x7FFFFFFF:
            return False
        file.seek(length + 4, 1)
    return False


def _is_jpeg(file: BinaryIO) -> bool:
    if file.read(2) != b"\xff\xd8":
        return False
    framed = False
    for _each in range(_SEGMENTS):
        (lead, marker) = struct.unpack("BB", file.read(2))
        while lead == 0xFF and marker == 0xFF:  # fill bytes
            (marker,) = struct.unpack("B", file.read(1))
        if lead != 0xFF or marker in {0, _END}:
            return False
        if marker in _ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if length < 2:
            return False
        if marker == _SCAN:
            return framed
        if marker in _FRAMES:
            _precision, _height, width, parts = struct.unpack(">BHHB", file.read(6))
            # the height may follow later (DNL), the width may not
            if framed or not width or not parts or length != 8 + 3 * parts:
                return False
            framed = True
            length -= 6
        file.seek(length - 2, 1)
    return False


def judge_package(path: Path, extension: str) -> None:
    """Hold an Office or OpenDocument file against what its own list of contents says (ECMA-376 part 2; ODF 1.3 part 2).

    Raises:
        NoPackage, HasMacros, HasProgram: and then it must not be kept.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as package:
            names = package.namelist()
            file.seek(0)
            # a zip archive may follow anything, a program too
            if file.read(4) != b"PK\x03\x04" or len(names) > _MEMBERS:
                raise NoPackage
            if any(_WITH_MACROS.search(name.lower()) for name in names):
                raise HasMacros
            if extension in _MAIN:
                _judge_office(package, names, _MAIN[extension])
            else:
                _judge_open_document(package, names, _ODF[extension])
            _judge_members(package)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise NoPackage from error


def _judge_office(package: zipfile.ZipFile, names: list[str], main: str) -> None:
    if names.count(CONTENT_TYPES) != 1:
        raise NoPackage
    by_ending, by_name = _content_types(package)
    types = {name: by_name.get(f"/{name}".lower()) or by_ending.get(_ending(name), "") for name in names}
    if any(_MACROS.search(one) for one in (*types.values(), *by_name.values())):
        raise HasMacros
    if not any(one.lower() == main for one in types.values()):
        raise NoPackage


def _content_types(package: zipfile.ZipFile) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the types of a package by ending and by name of the part; both are compared in small letters."""
    with package.open(CONTENT_TYPES) as file:
        content = file.read(_LARGEST_LIST + 1)
    if len(content) > _LARGEST_LIST:
        raise NoPackage
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise NoPackage from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NoPackage
    by_ending: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for one in root.iterchildren(tag=etree.Element):
        of_type = one.get("ContentType", "")
        match etree.QName(one).localname:
            case "Default":
                by_ending[one.get("Extension", "").lower()] = of_type
            case "Override":
                by_name[one.get("PartName", "").lower()] = of_type
    return by_ending, by_name


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _judge_open_document(package: zipfile.ZipFile, names: list[str], kind: bytes) -> None:
    if "mimetype" not in names or "content.xml" not in names:
        raise NoPackage
    with package.open("mimetype") as file:
        if not file.read(200).startswith(kind):
            raise NoPackage
    if any(_ODF_MODULE.search(name) for name in names):
        raise HasMacros


def _judge_members(package: zipfile.ZipFile) -> None:
    for one in package.infolist():
        if one.is_dir():
            continue
        if _PROGRAM.search(one.filename.lower()):
            raise HasProgram(one.filename)
        # what is encrypted cannot be looked into
        if one.flag_bits & 1 or one.filename.lower().endswith(_SCRAMBLED):
            continue
        with package.open(one) as file:
            head = file.read(4)
        if head.startswith(_PROGRAM_HEADS) and one.file_size > len(head):
            raise HasProgram(one.filename)
