"""What an institution owes: its assignments in rounds under way, by when, how far, who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, literal, select

from portal.models import (
    Assignment,
    AuditEvent,
    Membership,
    ReportingRound,
    Role,
    RoundStatus,
    Status,
    Submission,
    UserAccount,
)
from portal.models.lifecycle import EDITABLE
from portal.queries.actors import actor_names
from portal.queries.submissions import HEAD, AskedRecommendation, asked_recommendations, head_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.queries.submissions import SubmissionHead


@dataclass(frozen=True)
class Owed:
    """One reply that is owed, or was given."""

    head: SubmissionHead
    asked: Sequence[AskedRecommendation]
    saved_by: Mapping[str, str] | None
    days_left: int

    @property
    def late(self) -> bool:
        """Return whether the institution itself holds it past its due date."""
        return self.days_left < 0 and self.head.status in EDITABLE | {Status.AWAITING_SIGN_OFF}


@dataclass(frozen=True)
class OwedRound:
    """A round in which the institution takes part; ``file_out``: its reader took answers of it out of the portal."""

    id: int
    slug: str
    titles: Mapping[str, str]
    status: RoundStatus
    file_out: bool


def rounds_of(session: Session, institution_id: int, *, reader: int | None = None) -> list[OwedRound]:
    """Return the rounds that asked this institution something, the newest first; ``reader`` is an actor."""
    taken = exists().where(
        AuditEvent.actor_id == reader,
        AuditEvent.action == "download_offline",
        AuditEvent.object_id == ReportingRound.slug,
    )
    file_out = literal(value=False) if reader is None else taken
    rows = session.execute(
        select(ReportingRound.id, ReportingRound.slug, ReportingRound.titles, ReportingRound.status, file_out)
        .where(
            ReportingRound.id.in_(
                select(Assignment.round_id)
                .join(Submission, Submission.assignment_id == Assignment.id)
                .where(Assignment.institution_id == institution_id)
            )
        )
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc())
    )
    return [OwedRound(*row) for row in rows]


def owed(session: Session, institution_id: int, round_id: int, today: date) -> list[Owed]:
    """Return every reply of one institution in one round, in the order of the recommendations; three queries."""
    rows = session.execute(
        HEAD.where(
            Assignment.institution_id == institution_id,
            Assignment.round_id == round_id,
            Submission.status != Status.WITHDRAWN,
        ).order_by(Assignment.about_institution.desc(), Assignment.position, Assignment.id)
    ).all()
    heads = [head_of(row) for row in rows]
    asked = asked_recommendations(session, [head.assignment_id for head in heads])
    names = actor_names(session, [head.saved_by for head in heads])
    return [
        Owed(head, asked.get(head.assignment_id, []), names.get(head.saved_by or 0), (head.due_on - today).days)
        for head in heads
    ]


def approvers(session: Session, institution_id: int) -> list[Mapping[str, str]]:
    """Return the names of an institution's approvers."""
    return list(
        session.scalars(
            select(UserAccount.names)
            .join(Membership, Membership.user_id == UserAccount.id)
            .where(
                Membership.institution_id == institution_id,
                Membership.role == Role.APPROVER,
                Membership.ended_at.is_(None),
                UserAccount.active.is_(True),
            )
            .order_by(Membership.id)
        )
    )
