"""A file that was looked through but not yet taken over: kept by its sha256 between dry run and confirmation."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import IO, TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import clock
from portal.errors import Conflict, Invalid, NotFound
from portal.models import ImportDraft
from portal.table import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

CHUNK = 1 << 20
FOLDER = "imports"


def keep_file(stream: IO[bytes], data_dir: Path, *, limit: int) -> tuple[str, int]:
    """Write an upload to ``data_dir/imports`` under its sha256, and return that and the size in bytes.

    Call it outside ``write()``: a slow upload must not hold the writers.

    Raises:
        Invalid: the file is empty or larger than ``limit`` bytes; nothing is kept.
    """
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        with draft.open("xb") as file:
            while piece := stream.read(CHUNK):
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if size == 0:
            mend = _l("Choose the file again; if it stays empty, save it anew.")
            raise Invalid(problems=[Problem(_l("The file is empty."), field="file", mend=mend)], code="empty")
        draft.replace(folder / digest.hexdigest())
    finally:
        draft.unlink(missing_ok=True)
    return digest.hexdigest(), size


def _too_large(limit: int) -> Invalid:
    sentence = _l("The file is larger than %(limit)s MB.", limit=limit // (1024 * 1024))
    mend = _l("Export fewer rows, or ask the administrator to import it on the server.")
    return Invalid(problems=[Problem(sentence, field="file", mend=mend)], code="too_large")


def file_of(draft: ImportDraft, data_dir: Path) -> Path:
    """Return where the file of a draft lies.

    Raises:
        Conflict: it is no longer there; it has to be uploaded again.
    """
    path = data_dir / FOLDER / draft.sha256
    if not path.is_file():
        raise Conflict(_l("This file is no longer kept. Upload it again."))
    return path


def add_draft(
    session: Session, kind: str, *, filename: str, sha256: str, summary: dict[str, Any], by: Principal
) -> ImportDraft:
    """Remember a dry run; ``summary`` holds its options, figures and fingerprint."""
    draft = ImportDraft(kind=kind, filename=filename[-255:], sha256=sha256, summary=summary, created_by=by.actor_id)
    session.add(draft)
    session.flush()
    return draft


def find_draft(session: Session, public_id: str, kind: str) -> ImportDraft:
    """Return a dry run by the name its address uses.

    Raises:
        NotFound: there is none of this kind.
    """
    found = session.scalar(select(ImportDraft).where(ImportDraft.public_id == public_id, ImportDraft.kind == kind))
    if found is None:
        raise NotFound
    return found


def of_institution(session: Session, kind: str, institution_id: int, most: int = 50) -> list[ImportDraft]:
    """Return the newest dry runs of a kind that persons of an institution made, newest first."""
    found = session.scalars(
        select(ImportDraft)
        .where(ImportDraft.kind == kind, ImportDraft.summary["institution"].as_integer() == institution_id)
        .order_by(ImportDraft.id.desc())
        .limit(most)
    )
    return list(found)


def confirm_draft(session: Session, public_id: str, kind: str) -> ImportDraft:
    """Take a dry run for carrying out, locked; a second click on the button is refused.

    Raises:
        Conflict: it was confirmed before.
    """
    draft = session.scalar(
        select(ImportDraft)
        .where(ImportDraft.public_id == public_id, ImportDraft.kind == kind)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if draft is None:
        raise NotFound
    if draft.confirmed_at is not None:
        raise Conflict(_l("This file was taken over already."))
    draft.confirmed_at = clock.now()
    return draft


def mark_taken(session: Session, public_id: str) -> None:
    """Note when a dry run was first carried out; one that may be carried out in parts stays open for the rest."""
    draft = session.scalar(select(ImportDraft).where(ImportDraft.public_id == public_id).with_for_update())
    if draft is not None and draft.confirmed_at is None:
        draft.confirmed_at = clock.now()
