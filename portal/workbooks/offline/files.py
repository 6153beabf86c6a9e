"""One door for whatever comes back: an offline workbook or an offline document, told apart by content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.workbooks.offline.returned import read_offline
from portal.workbooks.opening import LIMIT_BYTES, load, shown
from portal.workbooks.refusals import empty, refuse, too_large
from portal.workbooks.word.opening import in_words_of_word, is_document, is_old_document
from portal.workbooks.word.returned import read_document

if TYPE_CHECKING:
    from portal.workbooks.offline.found import FoundBook
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.opening import Source

WORKBOOK_NAMES = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".csv")
DOCUMENT_NAMES = (".docx", ".docm", ".doc", ".dotx", ".odt", ".rtf")


def read_file(source: Source, seal: Seal, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> FoundBook:
    """Read a returned file; what it is says its content, and only if that says nothing, its name.

    Raises:
        Invalid: it cannot be read, or is none of this portal's; the sentence says which.
    """
    filename = shown(source, filename)
    try:
        content = load(source, filename=filename, limit_bytes=limit_bytes)
    except Invalid as error:
        raise in_words_of_word(error, filename, limit_bytes) if _named_document(filename) else error from error
    if is_document(content) or is_old_document(content) or (_named_document(filename) and not _is_workbook(content)):
        return read_document(content, seal, filename=filename, limit_bytes=limit_bytes)
    return read_offline(content, seal, filename=filename, limit_bytes=limit_bytes)


def unkept(error: Invalid, filename: str, limit_bytes: int) -> Invalid:
    """Return why a file was not even kept (it is empty, or too large) in the words of this door."""
    if error.code not in {"empty", "too_large"}:
        return error
    if _named_document(filename):
        return in_words_of_word(error, filename, limit_bytes)
    if error.code == "empty":
        return empty(filename)
    if filename.lower().endswith(WORKBOOK_NAMES):
        return too_large(filename, limit_bytes)
    sentence = _l(
        "The file %(file)s is larger than %(limit)s MB. Send it in on the page of the reply that it answers: larger files are taken there.",  # noqa: E501 - a sentence stays in one piece
        file=filename, limit=max(1, limit_bytes // (1024 * 1024)),
    )  # fmt: skip
    return refuse(sentence, code="too_large")


def _named_document(filename: str) -> bool:
    return filename.lower().endswith(DOCUMENT_NAMES)


def _is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK") and b"xl/workbook.xml" in content
