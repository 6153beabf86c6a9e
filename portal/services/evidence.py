"""Evidence: a file is received, judged by content and name, stored under its sha256, then attached to an answer."""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import puremagic
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Invalid
from portal.models import Evidence, EvidenceKind, ReportingRound, Visibility
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.table import Speakable

# extension -> the media type under which it is served, always as an attachment
ALLOWED = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
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
_OFFICE = {".docx": "word/", ".xlsx": "xl/", ".pptx": "ppt/"}
_ODF = {".odt": b"opendocument.text", ".ods": b"opendocument.spreadsheet"}
CHUNK = 1024 * 1024
MAXIMUM_NAME = 180


@dataclass(frozen=True)
class ReceivedFile:
    """A file that lies safely under its sha256 and was judged fit."""

    filename: str
    media_type: str
    size: int
    sha256: str


def _refuse(sentence: Speakable) -> Invalid:
    return Invalid(sentence, problems=[Problem(sentence, field="file")], code="file_refused")


def clean_name(name: str) -> str:
    """Return a file name fit to be shown and downloaded: no path, no control or direction marks, not too long."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        c
        for c in bare
        if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"}
        and c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
    stem, dot, extension = kept.rpartition(".")
    if dot and len(kept) > MAXIMUM_NAME:
        kept = stem[: MAXIMUM_NAME - len(extension) - 1] + "." + extension
    return kept.strip(" .") or "file"


def receive(stream: IO[bytes], filename: str, *, folder: Path, tmp: Path, limit: int) -> ReceivedFile:
    """Stream a file into the store: hash, size limit, content check, fsync, rename to its sha256, fsync the folder.

    The row comes afterwards, in a transaction; a sweep removes files without a row.

    Raises:
        Invalid: with one sentence (too large, empty, a kind not taken, content that belies the name, macros).
    """
    name = clean_name(filename)
    extension = "." + name.rpartition(".")[2].lower() if "." in name else ""
    if extension not in ALLOWED:
        raise _refuse(
            _l(
                "“%(name)s” is not of a kind that is taken. "
                "Send PDF, Word, Excel, PowerPoint, OpenDocument, JPG, PNG, text or CSV.",
                name=name,
            )
        )
    tmp.mkdir(parents=True, exist_ok=True)
    draft = tmp / f"upload-{secrets.token_hex(8)}"
    try:
        size, sha256 = _spool(stream, draft, limit, name)
        _judge(draft, extension, name)
        target = folder / sha256[:2] / sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    finally:
        draft.unlink(missing_ok=True)
    return ReceivedFile(name, ALLOWED[extension], size, sha256)


def _spool(stream: IO[bytes], draft: Path, limit: int, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with draft.open("xb") as out:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise _refuse(
                    _l(
                        "“%(name)s” is larger than %(limit)s MB. Make it smaller, or give a link.",
                        name=name,
                        limit=limit // CHUNK,
                    )
                )
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if size == 0:
        raise _refuse(_l("“%(name)s” is empty. Choose the file again.", name=name))
    return size, digest.hexdigest()


def _judge(path: Path, extension: str, name: str) -> None:
    """Hold the content against the name (ASVS 5.2.2): a disguise is refused, and so are macros."""
    belies = _refuse(
        _l("The content of “%(name)s” is not what its name says. Open it in its program and save it again.", name=name)
    )
    if extension in {".txt", ".csv"}:
        with path.open("rb") as file:
            head = file.read(CHUNK)
        if b"\0" in head or head[:5] == b"%PDF-" or head[:2] == b"PK":
            raise belies
        return
    if extension in _OFFICE or extension in _ODF:
        _judge_package(path, extension, name, belies)
        return
    try:
        found = {match.extension for match in puremagic.magic_file(str(path))}
    except (puremagic.PureError, ValueError):
        found = set()
    wanted = {".jpg", ".jpeg", ".jfif"} if extension in {".jpg", ".jpeg"} else {extension}
    if not found & wanted:
        raise belies


def _judge_package(path: Path, extension: str, name: str, belies: Invalid) -> None:
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
            if any(member.lower().endswith("vbaproject.bin") for member in names):
                raise _refuse(_l("“%(name)s” contains macros. Save it without macros and send it again.", name=name))
            if extension in _OFFICE:
                fits = "[Content_Types].xml" in names and any(member.startswith(_OFFICE[extension]) for member in names)
            else:
                fits = "mimetype" in names and _ODF[extension] in package.open("mimetype").read(200)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        raise belies from None
    if not fits:
        raise belies


def add_file(
    session: Session,
    head: SubmissionHead,
    received: ReceivedFile,
    *,
    question_id: int | None,
    by: Principal,
    caption: str = "",
    visibility: Visibility = Visibility.INTERNAL,
) -> Evidence:
    """Give a received file its number and attach it to a reply (and to one of its questions)."""
    return _add(
        session,
        Evidence(
            submission_id=head.id,
            question_id=question_id,
            round_id=head.round_id,
            number=0,
            kind=EvidenceKind.FILE,
            filename=received.filename,
            media_type=received.media_type,
            size=received.size,
            sha256=received.sha256,
            caption=caption,
            visibility=visibility,
            added_by=by.actor_id,
            added_at=clock.now(),
        ),
        head,
        by,
    )


def add_link(
    session: Session, head: SubmissionHead, url: str, *, question_id: int | None, by: Principal, caption: str = ""
) -> Evidence:
    """Attach a link to a public source.

    Raises:
        Invalid: if it is not an http or https address.
    """
    if not url.startswith(("http://", "https://")) or any(c.isspace() for c in url):
        sentence = _l("Give the whole address, beginning with https://")
        raise Invalid(sentence, problems=[Problem(sentence, field="url")])
    return _add(
        session,
        Evidence(
            submission_id=head.id,
            question_id=question_id,
            round_id=head.round_id,
            number=0,
            kind=EvidenceKind.LINK,
            url=url,
            caption=caption,
            added_by=by.actor_id,
            added_at=clock.now(),
        ),
        head,
        by,
    )


def _add(session: Session, evidence: Evidence, head: SubmissionHead, by: Principal) -> Evidence:
    # the round's row serialises the numbering on PostgreSQL
    session.execute(select(ReportingRound.id).where(ReportingRound.id == head.round_id).with_for_update())
    last = session.scalar(select(func.max(Evidence.number)).where(Evidence.round_id == head.round_id))
    evidence.number = (last or 0) + 1
    session.add(evidence)
    session.flush()
    audit.record(session, "add_evidence", by=by, kind="evidence", thing=evidence.public_id, sha256=evidence.sha256)
    return evidence


def remove(session: Session, evidence: Evidence, *, by: Principal) -> None:
    """Take a piece of evidence off a reply; its number is never given again, the file stays for what was signed."""
    evidence.removed_at = clock.now()
    evidence.removed_by = by.actor_id
    audit.record(session, "remove_evidence", by=by, kind="evidence", thing=evidence.public_id)
