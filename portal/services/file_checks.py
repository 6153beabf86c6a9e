"""What a file must be to be kept: a kind that is taken, content that fits its name, a name that hides nothing."""

from __future__ import annotations

import mmap
import unicodedata
from typing import TYPE_CHECKING

import puremagic
from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.services import file_structure
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from portal.table import Speakable

# extension -> the media type under which it is served, always as an attachment
ALLOWED = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".txt": "text/plain",
    ".csv": "text/csv",
}
# an older Office file is a small file system whose names are written in UTF-16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# what such a file of each kind holds one of, and what shows macros; the words of a sheet may stand in UTF-16 too, so
# that of a workbook only names are looked for that nobody writes in a cell
_OLD = {
    ".doc": (("WordDocument",), ("_VBA_PROJECT", "VBA", "Macros")),
    ".xls": (("Workbook\0", "Book\0"), ("_VBA_PROJECT",)),
}
_PACKAGES = frozenset({".docx", ".xlsx", ".pptx", ".odt", ".ods"})
_PICTURES = frozenset({".jpg", ".jpeg", ".png"})
MAXIMUM_NAME = 180
HEAD = 1024 * 1024
# what runs, or is drawn, where it is opened: such a name inside a name is a trap ("minutes.exe.pdf")
DANGEROUS = frozenset(
    {
        *("exe", "com", "scr", "pif", "bat", "cmd", "ps1", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta", "msi"),
        *("msp", "jar", "lnk", "reg", "cpl", "dll", "sh", "app", "apk", "dmg", "iso", "img", "html", "htm", "xhtml"),
        *("svg", "xml", "php", "asp", "aspx", "jsp", "docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "potm", "ppam"),
    }
)
# marks that turn the reading direction, so that "exe.fdp" is read as "pdf.exe" backwards
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# photos as iPhones take them: a box "ftyp" of one of these brands begins the file (ISO/IEC 23008-12)
PHONE_PHOTOS = (".heic", ".heif", ".hif")
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MARKUP = (b"<!doctype", b"<html", b"<script", b"<svg", b"<?xml", b"<?php", b"#!")


def refuse(sentence: Speakable, code: str = "file_refused") -> Invalid:
    """Return the error of a file that is not taken."""
    return Invalid(sentence, problems=[Problem(sentence, field="file")], code=code)


def clean_name(name: str) -> str:
    """Return a file name fit to be shown and downloaded: no path, no control or direction marks, not too long."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in bare if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} and c not in TURNING)
    stem, dot, extension = kept.rpartition(".")
    if dot and len(kept) > MAXIMUM_NAME:
        kept = stem[: MAXIMUM_NAME - len(extension) - 1] + "." + extension
    return kept.strip(" .") or "file"


def phone_photo(name: str) -> Invalid:
    """Return the refusal of a photo in the format of iPhones, with the two ways to mend it."""
    return refuse(
        _l(
            "“%(name)s” is a photo in the format of iPhones (HEIC), which many computers here cannot open. "
            "Send it in Telegram as a photo (not as a file) and save it from there, or set the phone to Settings, "
            "Camera, Formats, Most Compatible and take it again: then it is a JPG.",
            name=name,
        )
    )


def is_phone_photo(head: bytes) -> bool:
    """Tell by its first bytes whether a file is such a photo, whatever it is called."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def check_name(filename: str, kinds: Sequence[str] = ()) -> tuple[str, str]:
    """Return a name as it will be shown, and its extension; ``kinds`` are the extensions that its question takes.

    Raises:
        Invalid: it hides something (control or turning marks, a second extension that runs), or is of no kind taken.
    """
    name = clean_name(filename)
    if any(c in TURNING or unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in filename):
        raise refuse(
            _l(
                "The name of “%(name)s” contains invisible marks that can hide what it is. "
                "Rename it, then send it again.",
                name=name,
            )
        )
    stem, _dot, last = name.lower().rpartition(".")
    extension = f".{last}" if stem else ""
    if extension in PHONE_PHOTOS:
        raise phone_photo(name)
    if extension not in ALLOWED:
        raise refuse(
            _l(
                "“%(name)s” is not of a kind that is taken. "
                "Send PDF, Word, Excel, PowerPoint, OpenDocument, JPG, PNG, text or CSV.",
                name=name,
            )
        )
    if kinds and extension not in kinds:
        raise refuse(
            _l(
                "“%(name)s” is not of a kind that this question takes. Send one that ends in %(kinds)s.",
                name=name,
                kinds=", ".join(one for one in kinds if one in ALLOWED),
            )
        )
    if inner := next((part for part in stem.split(".")[1:] if part.strip() in DANGEROUS), ""):
        raise refuse(
            _l(
                "“%(name)s” has a second ending, .%(inner)s, as files have that harm. "
                "Rename it, then send it again.",
                name=name,
                inner=inner,
            )
        )
    return name, extension


def check_content(path: Path, extension: str, name: str) -> None:
    """Hold the content against the name (ASVS 5.2.2): a disguise is refused, and so are macros."""
    belies = refuse(
        _l("The content of “%(name)s” is not what its name says. Open it in its program and save it again.", name=name)
    )
    if extension in {".txt", ".csv"}:
        with path.open("rb") as file:
            head = file.read(HEAD)
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
        if b"\0" in head or head[:5] == b"%PDF-" or head[:2] in {b"PK", b"MZ"} or start.startswith(_MARKUP):
            raise belies
        return
    if extension in _OLD:
        _judge_old_office(path, extension, name, belies)
        return
    if extension in _PACKAGES:
        _judge_package(path, extension, name, belies)
        return
    with path.open("rb") as file:
        if is_phone_photo(file.read(12)):
            raise phone_photo(name)
    try:
        found = {match.extension for match in puremagic.magic_file(str(path))}
    except (puremagic.PureError, ValueError):
        found = set()
    wanted = {".jpg", ".jpeg", ".jfif"} if extension in {".jpg", ".jpeg"} else {extension}
    if not found & wanted or (extension in _PICTURES and not file_structure.is_picture(path, extension)):
        raise belies


def _judge_old_office(path: Path, extension: str, name: str, belies: Invalid) -> None:
    kinds, macros = _OLD[extension]
    if path.stat().st_size < len(_OLE):
        raise belies
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[: len(_OLE)] != _OLE or all(content.find(kind.encode("utf-16-le")) < 0 for kind in kinds):
            raise belies
        if any(content.find(mark.encode("utf-16-le")) >= 0 for mark in macros):
            raise _with_macros(name)


def _with_macros(name: str) -> Invalid:
    return refuse(_l("“%(name)s” contains macros. Save it without macros and send it again.", name=name))


def _judge_package(path: Path, extension: str, name: str, belies: Invalid) -> None:
    try:
        file_structure.judge_package(path, extension)
    except file_structure.HasMacros:
        raise _with_macros(name) from None
    except file_structure.HasProgram as error:
        inner = clean_name(str(error))
        raise refuse(
            _l("“%(name)s” contains a program, %(inner)s. Remove it, then send it again.", name=name, inner=inner)
        ) from None
    except file_structure.NoPackage:
        raise belies from None
