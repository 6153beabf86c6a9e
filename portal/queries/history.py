"""Every save of one answer, and of the rows of a table, newest first: who, when, what it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.models import AnswerRevision, AnswerRowRevision, Question
from portal.queries.actors import actor_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

MOST = 500  # saves of one question that a page shows


@dataclass(frozen=True)
class SavedAnswer:
    """One save of one answer."""

    code: str
    row: str
    lang: str
    revision: int
    value: Any
    state: str
    typed: str | None
    by: Mapping[str, str] | None
    at: datetime


@dataclass(frozen=True)
class SavedRow:
    """One state of a row of a table."""

    key: str
    revision: int
    removed: bool
    position: int
    by: Mapping[str, str] | None
    at: datetime


def answer_saves(session: Session, submission_id: int, codes: Collection[str]) -> list[SavedAnswer]:
    """Return the saves of some questions of a reply, newest first; two queries."""
    rows = session.execute(
        select(
            Question.code, AnswerRevision.row, AnswerRevision.lang, AnswerRevision.revision, AnswerRevision.value,
            AnswerRevision.state, AnswerRevision.typed, AnswerRevision.saved_by, AnswerRevision.saved_at,
        )
        .join(Question, Question.id == AnswerRevision.question_id)
        .where(AnswerRevision.submission_id == submission_id, Question.code.in_(codes))
        .order_by(AnswerRevision.id.desc())
        .limit(MOST)
    ).all()  # fmt: skip
    names = actor_names(session, [row.saved_by for row in rows])
    return [
        SavedAnswer(
            row.code, row.row, row.lang, row.revision, row.value, row.state.value, row.typed, names.get(row.saved_by),
            row.saved_at,
        )
        for row in rows
    ]  # fmt: skip


def row_saves(session: Session, submission_id: int, repeat: str) -> list[SavedRow]:
    """Return what became of the rows of a table, newest first; two queries."""
    rows = session.execute(
        select(
            AnswerRowRevision.key, AnswerRowRevision.revision, AnswerRowRevision.removed, AnswerRowRevision.position,
            AnswerRowRevision.saved_by, AnswerRowRevision.saved_at,
        )
        .where(AnswerRowRevision.submission_id == submission_id, AnswerRowRevision.repeat == repeat)
        .order_by(AnswerRowRevision.id.desc())
        .limit(MOST)
    ).all()  # fmt: skip
    names = actor_names(session, [row.saved_by for row in rows])
    return [
        SavedRow(row.key, row.revision, row.removed, row.position, names.get(row.saved_by), row.saved_at)
        for row in rows
    ]
