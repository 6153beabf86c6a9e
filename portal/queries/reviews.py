"""What waits for the secretariat in a round: replies to review, claims to settle, clarifications; and who to call."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import (
    Action,
    Assignment,
    Clarification,
    ClarificationMessage,
    ClarificationStatus,
    Institution,
    Membership,
    Role,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

WAITING = (Status.SUBMITTED, Status.CLAIMED)


@dataclass(frozen=True)
class Waiting:
    """A reply that waits for a verdict; ``instead`` and ``reason`` belong to a claim that it is not theirs."""

    submission_id: int
    public_id: str
    assignment_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    status: Status
    under_review: bool
    hand_in: int
    about_institution: bool
    at: datetime | None
    instead: str = ""
    reason: str = ""


def waiting(session: Session, round_id: int) -> list[Waiting]:
    """List the replies of a round that wait for a verdict, those that wait longest first; one query."""
    newest = (
        select(SubmissionEvent.submission_id, func.max(SubmissionEvent.number).label("number"))
        .where(SubmissionEvent.action != Action.START_REVIEW, SubmissionEvent.action != Action.RECORD_SIGNATURE)
        .group_by(SubmissionEvent.submission_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Submission.id,
            Submission.public_id,
            Assignment.id.label("assignment_id"),
            Institution.code,
            Institution.names,
            Submission.status,
            Submission.under_review,
            Submission.hand_in,
            Assignment.about_institution,
            SubmissionEvent.done_at,
            SubmissionEvent.details,
            SubmissionEvent.reason,
        )
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(newest, newest.c.submission_id == Submission.id)
        .join(
            SubmissionEvent,
            (SubmissionEvent.submission_id == Submission.id) & (SubmissionEvent.number == newest.c.number),
        )
        .where(Assignment.round_id == round_id, Submission.status.in_(WAITING))
        .order_by(SubmissionEvent.done_at, Submission.id)
    )
    return [Waiting(*row[:10], (row.details or {}).get("instead", ""), row.reason or "") for row in rows]


def neighbours(session: Session, round_id: int, public_id: str) -> tuple[str | None, str | None, int]:
    """Return the replies to review before and after one, in protocol order, and how many wait besides it; one query."""
    ordered = session.execute(
        select(Submission.public_id, Submission.status)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .where(
            Assignment.round_id == round_id,
            Submission.status.in_(WAITING) | (Submission.public_id == public_id),
        )
        .order_by(Institution.rank, Institution.id, Assignment.position, Assignment.id)
    ).all()
    ids = [row.public_id for row in ordered]
    place = ids.index(public_id) if public_id in ids else len(ids)
    before = ids[place - 1] if place > 0 else None
    after = ids[place + 1] if place + 1 < len(ids) else None
    return before, after, len([one for one in ids if one != public_id])


@dataclass(frozen=True)
class OpenThread:
    """A clarification that is not closed; an answered one waits for the secretariat, others for the institution."""

    public_id: str
    answered: bool
    submission: str
    assignment_id: int
    institution_names: Mapping[str, str]
    said_at: datetime
    body: str


def open_threads(session: Session, round_id: int) -> list[OpenThread]:
    """List the clarifications of a round that are not closed, answered ones first; one query."""
    newest = (
        select(ClarificationMessage.clarification_id, func.max(ClarificationMessage.id).label("id"))
        .group_by(ClarificationMessage.clarification_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Clarification.public_id,
            Clarification.status,
            Submission.public_id.label("submission"),
            Assignment.id.label("assignment_id"),
            Institution.names,
            ClarificationMessage.written_at,
            ClarificationMessage.body,
        )
        .join(Submission, Submission.id == Clarification.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(newest, newest.c.clarification_id == Clarification.id)
        .join(ClarificationMessage, ClarificationMessage.id == newest.c.id)
        .where(Assignment.round_id == round_id, Clarification.status != ClarificationStatus.CLOSED)
        .order_by(ClarificationMessage.written_at, Clarification.id)
    )
    found = [
        OpenThread(
            row.public_id,
            row.status is ClarificationStatus.ANSWERED,
            row.submission,
            row.assignment_id,
            row.names,
            row.written_at,
            row.body,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: not one.answered)


@dataclass(frozen=True)
class Contact:
    """A person of an institution whom the secretariat calls."""

    role: Role
    names: Mapping[str, str]
    honorific: Mapping[str, str]
    post: Mapping[str, str]
    phone: str | None
    telegram: str | None
    email: str | None
    language: str | None
    digits: str
    entered: bool


def contacts(session: Session, institution_ids: Iterable[int]) -> dict[int, list[Contact]]:
    """Return focal points, then alternates, of some institutions; one query."""
    rows = session.execute(
        select(
            Membership.institution_id,
            Membership.role,
            UserAccount.names,
            UserAccount.honorific,
            UserAccount.post,
            UserAccount.phone,
            UserAccount.telegram,
            UserAccount.email,
            UserAccount.language,
            UserAccount.digits,
            UserAccount.password_hash.is_not(None),
        )
        .join(UserAccount, UserAccount.id == Membership.user_id)
        .where(
            Membership.institution_id.in_(list(institution_ids)),
            Membership.role.in_((Role.FOCAL_POINT, Role.ALTERNATE)),
            Membership.ended_at.is_(None),
            UserAccount.active.is_(True),
        )
        .order_by(Membership.institution_id, Membership.role.desc(), Membership.id)
    )
    found: dict[int, list[Contact]] = defaultdict(list)
    for institution_id, *facts in rows:
        found[institution_id].append(Contact(*facts))
    return found


def find_institution(session: Session, named: str) -> tuple[str, Mapping[str, str]] | None:
    """Find the institution somebody named by its code or by its whole name in any language: (code, names)."""
    wanted = " ".join(named.split()).casefold()
    rows: Sequence[tuple[str, Mapping[str, str]]] = [
        (code, names)
        for code, names in session.execute(
            select(Institution.code, Institution.names).order_by(Institution.rank, Institution.id)
        )
    ]
    return next(
        (
            (code, names)
            for code, names in rows
            if wanted and wanted in {code.casefold(), *(name.casefold() for name in names.values())}
        ),
        None,
    )
