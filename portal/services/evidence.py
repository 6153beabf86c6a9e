"""Evidence: a file is received, judged by content and name, stored under its sha256, then attached to an answer."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Invalid
from portal.models import Evidence, EvidenceKind, ReportingRound, Visibility
from portal.queries.evidence import has_file, used_bytes
from portal.services import audit
from portal.services.file_checks import ALLOWED, check_content, check_name, refuse
from portal.services.scanning import scan
from portal.services.uploads import no_room
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead

CHUNK = 1024 * 1024
CAPTION = 1000
ADDRESS = 2000


@dataclass(frozen=True)
class ReceivedFile:
    """A file that lies safely under its sha256 and was judged fit."""

    filename: str
    media_type: str
    size: int
    sha256: str
    # when a virus scanner called it clean; None: it was not scanned
    scanned_at: datetime | None = None


def foresee(filename: str, size: int, *, limit: int, kinds: Sequence[str] = ()) -> None:
    """Judge a file by its name and the size its sender says it has, before any of it has come.

    Raises:
        Invalid: as :func:`receive`, where these two tell it already.
    """
    name, _extension = check_name(filename, kinds)
    if size == 0:
        raise _empty(name)
    if size > limit:
        raise too_large(name, limit)


def receive(
    stream: IO[bytes], filename: str, *, folder: Path, tmp: Path, limit: int, kinds: Sequence[str] = ()
) -> ReceivedFile:
    """Stream a file into the store: hash, size limit, checks, scan, fsync, rename to its sha256, fsync the folder.

    ``kinds`` are the endings that its question takes; none: every safe one.
    The row comes afterwards, in a transaction; a sweep removes files without a row.

    Raises:
        Invalid: with one sentence (too large, empty, a kind not taken, content that belies the name, macros, a virus).
        Unavailable: the virus scanner does not answer.
    """
    name, extension = check_name(filename, kinds)
    tmp.mkdir(parents=True, exist_ok=True)
    draft = tmp / f"upload-{secrets.token_hex(8)}"
    try:
        size, sha256 = _spool(stream, draft, limit, name)
        return _keep(draft, name, extension, folder=folder, size=size, sha256=sha256)
    finally:
        draft.unlink(missing_ok=True)


def receive_pieces(
    draft: Path, filename: str, *, folder: Path, limit: int, kinds: Sequence[str] = ()
) -> ReceivedFile:
    """Take a file that came in pieces and was claimed (:func:`portal.services.uploads.claim`) into the store.

    Size and fingerprint are the server's own. The draft is gone afterwards, taken or not.

    Raises:
        Invalid, Unavailable: as :func:`receive`.
    """
    try:
        name, extension = check_name(filename, kinds)
        with draft.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise too_large(name, limit)
            if size == 0:
                raise _empty(name)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        return _keep(draft, name, extension, folder=folder, size=size, sha256=sha256)
    finally:
        draft.unlink(missing_ok=True)


def too_large(name: str, limit: int) -> Invalid:
    """Return the refusal of a file over the limit."""
    return refuse(
        _l("“%(name)s” is larger than %(limit)s MB. Make it smaller.", name=name, limit=limit // CHUNK),
        "file_too_large",
    )


def _empty(name: str) -> Invalid:
    return refuse(_l("“%(name)s” is empty. Choose the file again.", name=name))


def _keep(draft: Path, name: str, extension: str, *, folder: Path, size: int, sha256: str) -> ReceivedFile:
    check_content(draft, extension, name)
    scanned_at = scan(draft, name)
    target = folder / sha256[:2] / sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    # the sweep goes by the age of the file: it must be new when it gets its name
    os.utime(draft)
    draft.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return ReceivedFile(name, ALLOWED[extension], size, sha256, scanned_at)


def _spool(stream: IO[bytes], draft: Path, limit: int, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with draft.open("xb") as out:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise too_large(name, limit)
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if size == 0:
        raise _empty(name)
    return size, digest.hexdigest()


def add_file(
    session: Session,
    head: SubmissionHead,
    received: ReceivedFile,
    *,
    question_id: int | None,
    by: Principal,
    caption: str = "",
    visibility: Visibility = Visibility.INTERNAL,
    quota: int | None = None,
) -> Evidence:
    """Give a received file its number and attach it to a reply (and to one of its questions).

    Raises:
        Invalid: the institution has no room for it (``quota``, in bytes).
    """
    check_room(session, head.institution_id, received, quota)
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
            scanned_at=received.scanned_at,
            caption=caption,
            visibility=visibility,
            added_by=by.actor_id,
            added_at=clock.now(),
        ),
        head,
        by,
    )


def check_room(session: Session, institution_id: int, received: ReceivedFile, quota: int | None) -> None:
    """Refuse a file for which its institution has no room; one that it keeps already takes none.

    Raises:
        Invalid: there is no room.
    """
    if quota is None or has_file(session, institution_id, received.sha256):
        return
    if used_bytes(session, institution_id) + received.size > quota:
        raise no_room()


def add_link(
    session: Session, head: SubmissionHead, url: str, *, question_id: int | None, by: Principal, caption: str = ""
) -> Evidence:
    """Attach a link to a public source.

    Raises:
        Invalid: if it is not an http or https address.
    """
    if not _is_address(url):
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
            caption=caption.strip()[:CAPTION],
            added_by=by.actor_id,
            added_at=clock.now(),
        ),
        head,
        by,
    )


def _is_address(url: str) -> bool:
    """Tell whether an address leads out of the portal to a host with a name, and holds no password."""
    if not url.startswith(("http://", "https://")) or len(url) > ADDRESS or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # brackets or a port that are none
        return False
    return "." in host and port != 0 and parts.username is None


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


def describe(
    session: Session, evidence: Evidence, *, caption: str, visibility: Visibility, by: Principal
) -> Evidence:
    """Say what a piece of evidence shows and who may see it, while the reply is open."""
    told = {"caption": caption.strip()[:CAPTION], "visibility": visibility}
    if (evidence.caption, evidence.visibility) == tuple(told.values()):
        return evidence
    before = evidence.visibility
    evidence.caption, evidence.visibility = caption.strip()[:CAPTION], visibility
    session.flush()
    audit.record(
        session, "describe_evidence", by=by, kind="evidence", thing=evidence.public_id,
        before=str(before), visibility=str(visibility),
    )  # fmt: skip
    return evidence
