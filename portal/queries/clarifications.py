"""Clarifications of replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Clarification, ClarificationMessage, ClarificationStatus, Question, Submission
from portal.queries.actors import actor_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class ThreadMessage:
    """One message of a thread."""

    body: str
    from_secretariat: bool
    by: Mapping[str, str] | None
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A clarification with its messages, oldest first."""

    id: int
    public_id: str
    status: ClarificationStatus
    question_code: str | None
    closed_at: datetime | None
    messages: Sequence[ThreadMessage]


def threads(session: Session, submission_id: int) -> list[Thread]:
    """Return the clarifications of a reply with their messages; three queries."""
    found = session.execute(
        select(Clarification.id, Clarification.public_id, Clarification.status, Question.code, Clarification.closed_at)
        .outerjoin(Question, Question.id == Clarification.question_id)
        .where(Clarification.submission_id == submission_id)
        .order_by(Clarification.id)
    ).all()
    if not found:
        return []
    rows = session.execute(
        select(
            ClarificationMessage.clarification_id,
            ClarificationMessage.body,
            ClarificationMessage.from_secretariat,
            ClarificationMessage.written_by,
            ClarificationMessage.written_at,
        )
        .where(ClarificationMessage.clarification_id.in_([one.id for one in found]))
        .order_by(ClarificationMessage.id)
    ).all()
    names = actor_names(session, [row.written_by for row in rows])
    messages: dict[int, list[ThreadMessage]] = {}
    for row in rows:
        said = ThreadMessage(row.body, row.from_secretariat, names.get(row.written_by), row.written_at)
        messages.setdefault(row.clarification_id, []).append(said)
    return [Thread(*one, messages.get(one.id, [])) for one in found]


def find_thread(session: Session, public_id: str) -> tuple[Clarification, str] | None:
    """Find a clarification with the public id of its submission."""
    row = session.execute(
        select(Clarification, Submission.public_id)
        .join(Submission, Submission.id == Clarification.submission_id)
        .where(Clarification.public_id == public_id)
    ).first()
    return (row[0], row[1]) if row else None
