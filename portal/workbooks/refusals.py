"""Why a file is not taken, in one sentence each: every import says the same of the same trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.table import Problem

if TYPE_CHECKING:
    from portal.table import Speakable


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how files of the old formats of Office begin, and encrypted ones


def refuse(message: Speakable, *, mend: Speakable | None = None, code: str = "bad_workbook") -> Invalid:
    """Return the error that carries one sentence about a whole file."""
    return Invalid(message, problems=[Problem(message, mend=mend)], code=code)


def damaged(filename: str) -> Invalid:
    """Return the refusal of a file that is broken."""
    return refuse(
        _l(
            "The file %(file)s is damaged or was not transferred completely. Open it in Excel, save it as a new .xlsx file and upload that one.",  # noqa: E501 - a sentence stays in one piece
            file=filename,
        ),
        code="damaged",
    )


def unreadable(filename: str) -> Invalid:
    """Return the refusal of a file that the system does not hand over."""
    return refuse(_l("The file %(file)s cannot be read. Choose it again.", file=filename))


def empty(filename: str) -> Invalid:
    """Return the refusal of a file of no bytes."""
    return refuse(
        _l("The file %(file)s is empty. Choose the file again, or save it again in Excel first.", file=filename),
        code="empty",
    )


def too_large(filename: str, limit_bytes: int) -> Invalid:
    """Return the refusal of a file over the limit."""
    return refuse(
        _l(
            "The file %(file)s is larger than %(limit)s MB. Delete sheets, pictures and empty formatted rows, or split it into several files.",  # noqa: E501 - a sentence stays in one piece
            file=filename,
            limit=max(1, limit_bytes // (1024 * 1024)),
        ),
        code="too_large",
    )


def disguise(content: bytes, filename: str) -> Invalid | None:
    """Return the refusal of a file that its first bytes show to be something else, whatever its name is."""
    start = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = start[:256].lower()
    if content.startswith(OLE):
        return _ole(content, filename)
    if content.startswith(b"PK\x03\x04"):
        return None
    say = other
    if start.startswith(b"%PDF"):
        kind: Speakable = _l("a PDF document")
    elif start.startswith((b"{\\rtf",)):
        kind = _l("a Word document")
    elif start.startswith((b"{", b"[")):
        kind = _l("a JSON file")
    elif lower.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        kind, say = _l("a web page"), dressed
    elif lower.startswith(b"<?xml"):
        kind, say = _l("an XML file"), dressed
    elif b"\x00" not in content[:2048] and (b"," in start or b";" in start or b"\t" in start):
        kind, say = _l("a CSV text file"), dressed
    elif content.startswith(b"PK"):
        return damaged(filename)
    else:
        return refuse(
            _l(
                "The file %(file)s is not an Excel workbook. Choose a file that was saved in Excel as .xlsx.",
                file=filename,
            ),
            code="not_a_workbook",
        )
    return say(filename, kind)


def other(filename: str, kind: Speakable) -> Invalid:
    """Return the refusal of a file that Excel cannot make a workbook of, whatever its name says."""
    return refuse(
        _l(
            "The file %(file)s is %(kind)s, not an Excel workbook. Choose the workbook itself (.xlsx).",
            file=filename,
            kind=kind,
        ),
        code="not_a_workbook",
    )


def dressed(filename: str, kind: Speakable) -> Invalid:
    """Return the refusal of a file of another kind that Excel opens, whatever its name says."""
    return refuse(
        _l(
            "The file %(file)s is %(kind)s, not an Excel workbook. Open it in Excel and save it as an Excel workbook (.xlsx).",  # noqa: E501 - a sentence stays in one piece
            file=filename,
            kind=kind,
        ),
        code="not_a_workbook",
    )


def is_old_workbook(content: bytes) -> bool:
    """Tell whether bytes are a workbook of the old format (.xls) that nobody encrypted."""
    others = ("EncryptedPackage", "WordDocument")
    return content.startswith(OLE) and not any(mark.encode("utf-16-le") in content for mark in others)


def macros(filename: str) -> Invalid:
    """Return the refusal of a workbook with macros."""
    return refuse(
        _l(
            "The file %(file)s contains macros. Open it in Excel and save it as an Excel workbook without macros (.xlsx).",  # noqa: E501 - a sentence stays in one piece
            file=filename,
        ),
        code="macros",
    )


def _ole(content: bytes, filename: str) -> Invalid:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return refuse(
            _l(
                "The file %(file)s is protected by a password. Open it in Excel, remove the password (File, Info, Protect Workbook) and save it again.",  # noqa: E501 - a sentence stays in one piece
                file=filename,
            ),
            code="encrypted",
        )
    if "WordDocument".encode("utf-16-le") in content:
        return other(filename, _l("a Word document"))
    return refuse(
        _l(
            "The file %(file)s is in the old Excel format (.xls), whatever its name says. Open it in Excel and save it as an Excel workbook (.xlsx).",  # noqa: E501 - a sentence stays in one piece
            file=filename,
        ),
        code="old_excel",
    )


def too_many_cells(filename: str, count: int) -> Invalid:
    """Return the refusal of a workbook with more cells than can be read whole."""
    return refuse(
        _l(
            "The file %(file)s has too many cells (%(count)s). Delete the empty formatted rows and columns below and beside the table, then save it again.",  # noqa: E501 - a sentence stays in one piece
            file=filename,
            count=count,
        ),
        code="too_many_cells",
    )


def bomb(filename: str) -> Invalid:
    """Return the refusal of a file that unpacks to far more than it should."""
    return refuse(
        _l(
            "The file %(file)s unpacks to far more than a workbook needs, so it was not opened. Copy the table into a new workbook and upload that one.",  # noqa: E501 - a sentence stays in one piece
            file=filename,
        ),
        code="bomb",
    )


def encrypted(filename: str) -> Invalid:
    """Return the refusal of a file, or a part of one, that is protected by a password."""
    return refuse(
        _l("The file %(file)s is protected by a password. Save it again without one.", file=filename),
        code="encrypted",
    )


def not_utf8(filename: str) -> Invalid:
    """Return the refusal of a text file in another encoding than UTF-8."""
    return refuse(
        _l("The file %(file)s is not UTF-8 text. Save it as “CSV UTF-8”, or better as .xlsx.", file=filename),
        code="encoding",
    )
