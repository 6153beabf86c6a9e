"""Is what is stored still what was done? The audit chain, the signatures, the statuses, against an outside anchor."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.errors import PortalError
from portal.models import AuditEvent, Snapshot, Submission, SubmissionEvent
from portal.models.lifecycle import fold
from portal.services import audit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def faults_of(session: Session, *, head: str | None = None) -> list[str]:
    """Return everything that does not fit, each with its place; an empty list means all is whole.

    ``head`` is the hash of an audit event noted elsewhere (a backup, a mail): a chain cut off at its end is whole in
    itself, and only such an anchor shows it.
    """
    faults = audit.verify(session)
    if head and session.scalar(select(AuditEvent.id).where(AuditEvent.hash == head)) is None:
        faults.append(f"no audit event has the hash {head}: the chain was cut off or replaced after that event")
    return [*faults, *_snapshot_faults(session), *_status_faults(session)]


def _snapshot_faults(session: Session) -> list[str]:
    """Hold each snapshot against its own sha256, and each signing in the audit chain against its snapshot."""
    faults: list[str] = []
    known: set[tuple[str, str]] = set()
    rows = session.execute(
        select(Snapshot.public_id, Snapshot.canonical, Snapshot.sha256, Submission.public_id.label("submission"))
        .join(Submission, Submission.id == Snapshot.submission_id)
        .order_by(Snapshot.id)
        .execution_options(yield_per=200)
    )
    for row in rows:
        known.add((row.submission, row.sha256))
        if hashlib.sha256(row.canonical.encode()).hexdigest() != row.sha256:
            faults.append(f"snapshot {row.public_id} of submission {row.submission} was changed")
    signings = session.execute(
        select(AuditEvent.number, AuditEvent.object_id, AuditEvent.details)
        .where(AuditEvent.object_kind == "submission")
        .order_by(AuditEvent.number)
    )
    for number, thing, details in signings:
        sha256 = details.get("sha256") if isinstance(details, dict) else None
        if sha256 and (thing, sha256) not in known:
            faults.append(f"audit event {number} signed {sha256}, but submission {thing} has no such snapshot")
    return faults


def _status_faults(session: Session) -> list[str]:
    """Fold every submission's events and hold the result against the status kept on it."""
    faults: list[str] = []
    events: dict[int, list[SubmissionEvent]] = {}
    by_submission = (SubmissionEvent.submission_id, SubmissionEvent.number)
    for event in session.scalars(select(SubmissionEvent).order_by(*by_submission)):
        events.setdefault(event.submission_id, []).append(event)
    rows = session.execute(
        select(Submission.id, Submission.public_id, Submission.status, Submission.hand_in)
        # what a unit answers its institution has no life of its own
        .where(Submission.assignment_id.is_not(None))
        .order_by(Submission.id)
    )
    for number, public_id, status, hand_in in rows:
        mine = events.get(number, [])
        if [event.number for event in mine] != list(range(1, len(mine) + 1)):
            faults.append(f"submission {public_id}: an event is missing")
            continue
        try:
            state = fold(mine)
        except PortalError:
            faults.append(f"submission {public_id}: its events do not follow from each other")
            continue
        if (state.status, state.hand_in) != (status, hand_in):
            faults.append(f"submission {public_id} says {status}, its events say {state.status}")
    return faults
