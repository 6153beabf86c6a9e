"""Documents that came for assignments: received and to be entered, entered, set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import (
    Actor,
    ActorKind,
    Answer,
    Assignment,
    AssignmentDocument,
    DocumentState,
    Institution,
    Membership,
    Submission,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


def documents_of(session: Session, assignment_id: int) -> Sequence[AssignmentDocument]:
    """Return what came for an assignment, the oldest first."""
    return session.scalars(
        select(AssignmentDocument)
        .where(AssignmentDocument.assignment_id == assignment_id)
        .order_by(AssignmentDocument.added_at, AssignmentDocument.id)
    ).all()


def find_document(session: Session, public_id: str) -> tuple[AssignmentDocument, str] | None:
    """Find a document with the public id of the reply to its assignment."""
    row = session.execute(
        select(AssignmentDocument, Submission.public_id)
        .join(Submission, Submission.assignment_id == AssignmentDocument.assignment_id)
        .where(AssignmentDocument.public_id == public_id)
    ).first()
    return (row[0], row[1]) if row else None


@dataclass(frozen=True)
class WaitingDocuments:
    """A reply for which documents wait to be entered: how many, and since when."""

    submission: str
    institution_id: int
    institution_names: Mapping[str, str]
    assignment_id: int
    count: int
    since: datetime


def waiting_documents(session: Session, round_id: int) -> list[WaitingDocuments]:
    """Return the replies of a round for which documents wait to be entered, the longest waiting first."""
    since = func.min(AssignmentDocument.added_at)
    rows = session.execute(
        select(
            Submission.public_id,
            Assignment.institution_id,
            Institution.names,
            Assignment.id,
            func.count(),
            since,
        )
        .join(Assignment, Assignment.id == AssignmentDocument.assignment_id)
        .join(Submission, Submission.assignment_id == Assignment.id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .where(Assignment.round_id == round_id, AssignmentDocument.state == DocumentState.RECEIVED)
        .group_by(Submission.public_id, Assignment.institution_id, Institution.names, Assignment.id)
        .order_by(since, Assignment.id)
    )
    return [WaitingDocuments(*row) for row in rows]


def document_counts(session: Session, round_id: int) -> dict[str, int]:
    """Return how many documents of a round wait, were entered, were set aside, and how many were not scanned."""
    rows = session.execute(
        select(AssignmentDocument.state, func.count(), func.count(AssignmentDocument.scanned_at))
        .join(Assignment, Assignment.id == AssignmentDocument.assignment_id)
        .where(Assignment.round_id == round_id)
        .group_by(AssignmentDocument.state)
        .order_by(AssignmentDocument.state)
    ).all()
    counts = {state.value: 0 for state in DocumentState}
    counts |= {state.value: count for state, count, _scanned in rows}
    return counts | {"not_scanned": sum(count - scanned for _state, count, scanned in rows)}


def entered_from_paper(session: Session, assignment_id: int) -> AssignmentDocument | None:
    """Return the return on paper from which the secretariat answered on behalf of the institution, if it did."""
    return session.scalars(
        select(AssignmentDocument)
        .where(AssignmentDocument.assignment_id == assignment_id, AssignmentDocument.on_behalf_since.is_not(None))
        .order_by(AssignmentDocument.on_behalf_since, AssignmentDocument.id)
        .limit(1)
    ).first()


def entered_assignments(session: Session, round_id: int) -> frozenset[int]:
    """Return the assignments of a round that the secretariat answered from paper."""
    return frozenset(
        session.scalars(
            select(AssignmentDocument.assignment_id)
            .join(Assignment, Assignment.id == AssignmentDocument.assignment_id)
            .where(Assignment.round_id == round_id, AssignmentDocument.on_behalf_since.is_not(None))
        )
    )


def written_by_institution(session: Session, submission_id: int, institution_id: int) -> bool:
    """Tell whether the institution itself, or somebody it asked, wrote an answer of a reply."""
    return (
        session.scalar(
            select(Answer.question_id)
            .join(Actor, Actor.id == Answer.answered_by)
            .outerjoin(
                Membership, (Membership.user_id == Actor.user_id) & (Membership.institution_id == institution_id)
            )
            .where(
                Answer.submission_id == submission_id,
                (Actor.kind == ActorKind.DELEGATION) | Membership.id.is_not(None),
            )
            .limit(1)
        )
        is not None
    )
