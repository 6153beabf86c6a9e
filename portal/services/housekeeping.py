"""Housekeeping: what has served its time goes. Answers, events and the audit chain are never touched."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select

from portal import clock
from portal.models import (
    AssignmentDocument,
    EarlierCover,
    Evidence,
    Example,
    HeldPost,
    IdempotencyKey,
    ImportDraft,
    LoginAttempt,
    Presence,
    Session,
    SigningPack,
)
from portal.services.idempotency import KEPT_FOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, orm

ATTEMPTS_KEPT = timedelta(days=30)
SESSIONS_KEPT = timedelta(days=30)
DRAFTS_KEPT = timedelta(days=7)
PRESENCE_KEPT = timedelta(hours=1)
# an upload whose row is still to come, or that is still being received
FILES_KEPT = timedelta(hours=24)
_SHA256 = re.compile(r"[0-9a-f]{64}")
AT_ONCE = 500
# the columns that name a kept file
_NAMING = (Evidence.sha256, Example.sha256, SigningPack.cover_sha256, EarlierCover.sha256, AssignmentDocument.sha256)


def forget_rows(session: orm.Session) -> dict[str, int]:
    """Delete the rows that have served their time; return how many, by table."""
    moment = clock.now()
    over: dict[type, ColumnElement[bool]] = {
        HeldPost: HeldPost.expires_at <= moment,
        IdempotencyKey: IdempotencyKey.created_at < moment - KEPT_FOR,
        LoginAttempt: LoginAttempt.at < moment - ATTEMPTS_KEPT,
        ImportDraft: ImportDraft.created_at < moment - DRAFTS_KEPT,
        Presence: Presence.seen_at < moment - PRESENCE_KEPT,
        Session: or_(
            Session.expires_at < moment - SESSIONS_KEPT,
            Session.revoked_at < moment - SESSIONS_KEPT,
        ),
    }
    counts = {}
    for model, condition in over.items():
        found = session.execute(delete(model).where(condition).execution_options(synchronize_session=False))
        counts[str(model.__tablename__)] = int(getattr(found, "rowcount", 0))  # type: ignore[attr-defined] # every model has it
    return counts


def old_files(folder: Path, age: timedelta, pattern: str = "*") -> list[Path]:
    """List the files of a folder that nobody has written for longer than ``age``; links are passed by."""
    return [path for path in folder.glob(pattern) if not path.is_symlink() and path.is_file() and _older(path, age)]


def _older(path: Path, age: timedelta) -> bool:
    try:
        return path.stat().st_mtime < clock.now().timestamp() - age.total_seconds()
    except FileNotFoundError:
        return False


def old_evidence(folder: Path) -> list[Path]:
    """List evidence files older than a day, with or without a row; anything not named by a sha256 is passed by."""
    return [path for path in old_files(folder, FILES_KEPT, "??/*") if _SHA256.fullmatch(path.name)]


def orphans(session: orm.Session, files: Sequence[Path]) -> list[Path]:
    """Return those evidence files that no row names, removed evidence and documents included."""
    left = []
    for some in _portions(files):
        names = [path.name for path in some]
        known = {
            one
            for column in _NAMING
            for one in session.scalars(select(column).where(column.in_(names)))
        }
        left += [path for path in some if path.name not in known]
    return left


def remove_evidence(session: orm.Session, files: Sequence[Path]) -> int:
    """Remove evidence files that still have no row; call it inside ``write()``, which keeps new rows away."""
    return _remove(path for path in orphans(session, files) if _older(path, FILES_KEPT))


def remove_imports(session: orm.Session, files: Sequence[Path]) -> int:
    """Remove uploaded workbooks that no dry run needs any more; call it inside ``write()``."""
    needed = set(session.scalars(select(ImportDraft.sha256)))
    return _remove(path for path in files if path.name not in needed and _older(path, DRAFTS_KEPT))


def remove_uploads(files: Sequence[Path]) -> int:
    """Remove what broken uploads and unfinished pieces left behind, if nobody went on with them since they were listed.

    Call it inside ``write()``, as all sweeps.
    """
    return _remove(path for path in files if _older(path, FILES_KEPT))


def _remove(files: Iterator[Path] | Sequence[Path]) -> int:
    count = 0
    for path in files:
        path.unlink(missing_ok=True)
        count += 1
    return count


def _portions(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for at in range(0, len(files), AT_ONCE):
        yield files[at : at + AT_ONCE]
