"""Open a Word document that a person uploaded, whatever its bytes are, or refuse it in one sentence."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from lxml import etree

from portal.errors import Invalid
from portal.workbooks.opening import BROKEN, LIMIT_BYTES, load, shown, walk_package
from portal.workbooks.refusals import disguise, refuse
from portal.workbooks.word.elements import W

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portal.table import Speakable
    from portal.workbooks.opening import Source

LARGEST_PART = 64 * 1024 * 1024  # of XML that is read into a tree
_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
_TYPES = "[Content_Types].xml"


@dataclass(frozen=True)
class Opened:
    """What is read of a document: its body, its comments, the pieces of XML data that it carries."""

    body: Any
    comments: tuple[str, ...]
    data: tuple[bytes, ...]


def open_document(source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> Opened:
    """Return a document of an uploaded .docx file.

    Raises:
        Invalid: the file is not a readable, plain .docx; the one sentence says what to do.
    """
    filename = shown(source, filename)
    try:
        content = load(source, filename=filename, limit_bytes=limit_bytes)
        if is_old_document(content):
            raise _refusal("old_word", filename, limit_bytes)
        if refusal := disguise(content, filename):
            raise refusal
        walk_package(io.BytesIO(content), filename, _kind)
    except Invalid as error:
        raise in_words_of_word(error, filename, limit_bytes) from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive)
    except BROKEN as error:
        raise _refusal("damaged", filename, limit_bytes) from error


def _read(archive: zipfile.ZipFile) -> Opened:
    names = archive.namelist()
    main = "word/document.xml"
    if main not in names:
        relations = etree.fromstring(archive.read("_rels/.rels"), _PARSER)
        targets = [one.get("Target") for one in relations if str(one.get("Type")).endswith("/officeDocument")]
        main = str(targets[0]).lstrip("/")
    body = _tree(archive, main).find(f"{{{W}}}body")
    if body is None:
        raise ValueError(main)
    comments: list[str] = []
    for name in names:
        if name.startswith("word/comments") and name.endswith("comments.xml"):
            comments += [
                "".join(text.text or "" for text in one.iter(f"{{{W}}}t")).strip()
                for one in _tree(archive, name).iter(f"{{{W}}}comment")
            ]
    data = tuple(
        archive.read(name) for name in names if name.lower().startswith("customxml/item") and "rels" not in name
    )
    return Opened(body, tuple(filter(None, comments)), data)


def _tree(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > LARGEST_PART:
        raise ValueError(name)
    content = archive.read(name)
    if _STRICT in content[:4000]:
        content = content.replace(_STRICT, W.encode())
    return etree.fromstring(content, _PARSER)


def is_document(content: bytes) -> bool:
    """Tell whether bytes are a Word document of today's format, by what the archive says of itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(_TYPES) as stream:
            return b"wordprocessingml" in (types := stream.read(1_000_000)) and b"spreadsheetml.sheet.main" not in types
    except BROKEN:
        return False


def is_old_document(content: bytes) -> bool:
    """Tell whether bytes are a Word document of the old format that nobody encrypted."""
    return (
        content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        and "WordDocument".encode("utf-16-le") in content
        and "EncryptedPackage".encode("utf-16-le") not in content
    )


def _kind(archive: zipfile.ZipFile, names: set[str], filename: str) -> None:
    if _TYPES not in names:
        if "mimetype" in names and b"opendocument.text" in archive.read("mimetype")[:100]:
            raise refuse(
                _l(
                    "The file %(file)s is a LibreOffice text document (.odt), in which the hidden part of a document of this portal is lost. Download the document again, copy the texts into it and save it as it is (.docx).",  # noqa: E501 - a sentence stays in one piece
                    file=filename,
                ),
                code="not_a_document",
            )
        if "word/document.xml" in names:
            raise refuse("damaged", code="damaged")
        raise refuse(
            _l("The file %(file)s is a zip archive, not a Word document. Unpack it and upload the .docx file inside.", file=filename),  # noqa: E501 - a sentence stays in one piece
            code="not_a_document",
        )  # fmt: skip
    with archive.open(_TYPES) as stream:
        types = stream.read(1_000_000)
    if b"macroEnabled" in types or any(name.lower().endswith("vbaproject.bin") for name in names):
        raise refuse("macros", code="macros")
    if b"wordprocessingml" not in types:
        raise refuse("damaged", code="damaged")


def in_words_of_word(error: Invalid, filename: str, limit_bytes: int) -> Invalid:
    """Return a refusal in the words for a document; as it is where they say nothing of workbooks."""
    return _refusal(error.code, filename, limit_bytes) if error.code in _SENTENCES else error


def _refusal(code: str, filename: str, limit_bytes: int) -> Invalid:
    return refuse(_SENTENCES[code](filename, max(1, limit_bytes // (1024 * 1024))), code=code)


_SENTENCES: Mapping[str, Callable[[str, int], Speakable]] = {
    "damaged": lambda file, _limit: _l(
        "The file %(file)s is damaged or was not transferred completely. Open it in Word, save it as a new .docx file and upload that one.",  # noqa: E501 - a sentence stays in one piece
        file=file,
    ),
    "empty": lambda file, _limit: _l(
        "The file %(file)s is empty. Choose the file again, or save it again in Word first.", file=file
    ),
    "too_large": lambda file, limit: _l(
        "The file %(file)s is larger than %(limit)s MB. Take pictures out of it: they are attached on the page of the reply.",  # noqa: E501 - a sentence stays in one piece
        file=file, limit=limit,
    ),
    "bomb": lambda file, _limit: _l(
        "The file %(file)s unpacks to far more than a document needs, so it was not opened. Copy the texts into the document from this portal.",  # noqa: E501 - a sentence stays in one piece
        file=file,
    ),
    "encrypted": lambda file, _limit: _l(
        "The file %(file)s is protected by a password. Open it in Word, remove the password (File, Info, Protect Document) and save it again.",  # noqa: E501 - a sentence stays in one piece
        file=file,
    ),
    "macros": lambda file, _limit: _l(
        "The file %(file)s contains macros. Open it in Word and save it as a Word document without macros (.docx).",
        file=file,
    ),
    "old_word": lambda file, _limit: _l(
        "The file %(file)s is in the old Word format (.doc), in which the hidden part of a document of this portal is lost. Download the document again, copy the texts into it and save it as it is (.docx).",  # noqa: E501 - a sentence stays in one piece
        file=file,
    ),
    "not_a_workbook": lambda file, _limit: _l(
        "The file %(file)s is not a Word document. Choose a file that was saved in Word as .docx.", file=file
    ),
}  # fmt: skip
