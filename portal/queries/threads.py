"""Clarifications as a list: whose turn it is, how old, what is unread; for the secretariat and for one institution."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from portal.models import (
    Assignment,
    Clarification,
    ClarificationMessage,
    ClarificationRead,
    ClarificationStatus,
    Institution,
    Question,
    ReportingRound,
    Submission,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

DAY_SECONDS = 86_400
_Message = ClarificationMessage


@dataclass(frozen=True)
class ThreadLine:
    """A clarification in a list: its newest message, how many of the other side's messages this person has not read.

    ``answered_at`` is the institution's first message.
    """

    id: int
    public_id: str
    status: ClarificationStatus
    batch: str | None
    submission: str
    assignment_id: int
    version_id: int
    question_code: str | None
    institution_code: str
    institution_names: Mapping[str, str]
    round_slug: str
    round_titles: Mapping[str, str]
    opened_at: datetime
    closed_at: datetime | None
    said_at: datetime
    body: str
    answered_at: datetime | None
    unread: int

    def age(self, now: datetime) -> int:
        """Return for how many whole days it has been open, until it was closed."""
        return int(((self.closed_at or now) - self.opened_at).total_seconds() // DAY_SECONDS)


def thread_lines(
    session: Session, *, actor_id: int, staff: bool, institution_id: int | None = None, round_id: int | None = None
) -> list[ThreadLine]:
    """List clarifications, those that wait longest first, closed ones last; one query."""
    unread = (
        select(_Message.clarification_id, func.count().label("number"))
        .outerjoin(
            ClarificationRead,
            and_(
                ClarificationRead.clarification_id == _Message.clarification_id, ClarificationRead.actor_id == actor_id
            ),
        )
        .where(
            _Message.from_secretariat.is_(not staff), _Message.id > func.coalesce(ClarificationRead.message_id, 0)
        )
        .group_by(_Message.clarification_id)
        .subquery()
    )
    newest = (
        select(_Message.clarification_id, func.max(_Message.id).label("id"))
        .group_by(_Message.clarification_id)
        .subquery()
    )
    answered = (
        select(_Message.clarification_id, func.min(_Message.written_at).label("at"))
        .where(_Message.from_secretariat.is_(False))
        .group_by(_Message.clarification_id)
        .subquery()
    )
    found = (
        select(
            Clarification.id, Clarification.public_id, Clarification.status, Clarification.batch,
            Submission.public_id, Assignment.id, Assignment.version_id, Question.code,
            Institution.code, Institution.names, ReportingRound.slug, ReportingRound.titles,
            Clarification.opened_at, Clarification.closed_at,
            _Message.written_at, _Message.body, answered.c.at, func.coalesce(unread.c.number, 0),
        )
        .join(Submission, Submission.id == Clarification.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(newest, newest.c.clarification_id == Clarification.id)
        .join(_Message, _Message.id == newest.c.id)
        .outerjoin(Question, Question.id == Clarification.question_id)
        .outerjoin(answered, answered.c.clarification_id == Clarification.id)
        .outerjoin(unread, unread.c.clarification_id == Clarification.id)
        .order_by(Clarification.opened_at, Clarification.id)
    )  # fmt: skip
    if institution_id is not None:
        found = found.where(Assignment.institution_id == institution_id)
    if round_id is not None:
        found = found.where(Assignment.round_id == round_id)
    rows: Any = session.execute(found)  # more columns than the type checker counts
    lines = [ThreadLine(*row) for row in rows]
    return sorted(lines, key=lambda one: one.status is ClarificationStatus.CLOSED)


def waiting_for(session: Session, institution_id: int) -> int:
    """Count the questions that wait for an institution's answer; one query."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Clarification)
            .join(Submission, Submission.id == Clarification.submission_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(Assignment.institution_id == institution_id, Clarification.status == ClarificationStatus.OPEN)
        )
        or 0
    )


def median_days(lines: Iterable[ThreadLine]) -> float | None:
    """Return the median days from a question to its first answer; None while nothing is answered."""
    spans: Sequence[float] = [
        (one.answered_at - one.opened_at).total_seconds() / DAY_SECONDS
        for one in lines
        if one.answered_at is not None
    ]
    return round(median(spans), 1) if spans else None
