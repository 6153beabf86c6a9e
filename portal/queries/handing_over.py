"""What a new focal point must know of an institution: what runs with others, and what the secretariat asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal import clock
from portal.models import (
    Assignment,
    Clarification,
    ClarificationMessage,
    ClarificationStatus,
    Collection,
    Delegation,
    SigningPack,
    Status,
    Submission,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models import Delegation as SharedOut


@dataclass(frozen=True)
class OpenQuestion:
    """A clarification that waits for the institution, in the words in which it was asked last."""

    submission_id: int
    body: str
    at: datetime


def _home() -> ColumnElement[int]:
    return func.coalesce(Collection.submission_id, Delegation.submission_id)


def running_shares(session: Session, institution_id: int) -> Sequence[SharedOut]:
    """Return what single persons of an institution's replies still work on, the most urgent first."""
    return session.scalars(
        select(Delegation)
        .join(Submission, Submission.id == Delegation.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Assignment.institution_id == institution_id,
            Delegation.collection_id.is_(None),
            Delegation.revoked_at.is_(None),
            Delegation.expires_at > clock.now(),
        )
        .order_by(Delegation.expires_at, Delegation.id)
    ).all()


def open_collections(session: Session, institution_id: int) -> list[int]:
    """Return the replies of an institution, in force, that many units were asked about."""
    return list(
        session.scalars(
            select(Collection.submission_id)
            .join(Submission, Submission.id == Collection.submission_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(Assignment.institution_id == institution_id, Submission.status != Status.WITHDRAWN)
            .distinct()
            .order_by(Collection.submission_id)
        )
    )


def open_questions(session: Session, institution_id: int) -> list[OpenQuestion]:
    """Return the clarifications that wait for an institution's answer, oldest first; one query."""
    newest = (
        select(func.max(ClarificationMessage.id))
        .where(ClarificationMessage.clarification_id == Clarification.id)
        .correlate(Clarification)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Clarification.submission_id, ClarificationMessage.body, ClarificationMessage.written_at)
        .join(ClarificationMessage, ClarificationMessage.id == newest)
        .join(Submission, Submission.id == Clarification.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.institution_id == institution_id, Clarification.status == ClarificationStatus.OPEN)
        .order_by(ClarificationMessage.written_at, ClarificationMessage.id)
    )
    return [OpenQuestion(*row) for row in rows]


def packs_out(session: Session, institution_id: int) -> Sequence[SigningPack]:
    """Return the packs of an institution whose signed covers are still awaited, the oldest first."""
    return session.scalars(
        select(SigningPack)
        .where(
            SigningPack.institution_id == institution_id,
            SigningPack.signed_at.is_(None),
            SigningPack.cancelled_at.is_(None),
        )
        .order_by(SigningPack.made_at, SigningPack.id)
    ).all()
