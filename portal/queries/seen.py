"""What a person saw of a reply when they last read it: its answers as they stood then, from their revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from forms.answers import AnswerKey
from portal.models import Action, AnswerRevision, Evidence, Question, ReplySeen, SubmissionEvent
from portal.queries.submissions import StoredAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

SIGNED_OR_HANDED_IN = (Action.SIGN_OFF, Action.SIGN_ON_PAPER, Action.HAND_IN, Action.HAND_IN_PENDING)


def seen_at(session: Session, submission_ids: Sequence[int], actor_id: int) -> Mapping[int, datetime]:
    """Return when a person last read some replies, by reply."""
    rows = session.execute(
        select(ReplySeen.submission_id, ReplySeen.seen_at).where(
            ReplySeen.submission_id.in_(submission_ids), ReplySeen.actor_id == actor_id
        )
    )
    return {row.submission_id: row.seen_at for row in rows}


def answers_at(session: Session, submission_id: int, moment: datetime) -> dict[AnswerKey, StoredAnswer]:
    """Return the answers of a reply as they stood at a moment, in one query."""
    rows = session.execute(
        select(
            Question.code, AnswerRevision.row, AnswerRevision.lang, AnswerRevision.value, AnswerRevision.state,
            AnswerRevision.typed, AnswerRevision.revision,
        )
        .join(Question, Question.id == AnswerRevision.question_id)
        .where(AnswerRevision.submission_id == submission_id, AnswerRevision.saved_at <= moment)
        .order_by(AnswerRevision.question_id, AnswerRevision.revision)
    )  # fmt: skip
    return {
        AnswerKey(code, row, lang): StoredAnswer(value, state.value, typed, revision)
        for code, row, lang, value, state, typed, revision in rows
    }


def evidence_since(session: Session, submission_id: int, moment: datetime) -> list[tuple[Evidence, bool]]:
    """List the evidence that came or went after a moment: (which, whether it came)."""
    rows = session.scalars(
        select(Evidence)
        .where(
            Evidence.submission_id == submission_id,
            or_(Evidence.added_at > moment, Evidence.removed_at > moment),
        )
        .order_by(Evidence.number)
    )
    return [(one, one.removed_at is None) for one in rows if one.removed_at is None or one.added_at <= moment]


def handed_back(session: Session, submission_id: int) -> SubmissionEvent | None:
    """Return the act by which an approver handed a reply back, until somebody signs it or hands it in."""
    acts = (Action.DECLINE, *SIGNED_OR_HANDED_IN)
    last = session.scalar(
        select(SubmissionEvent)
        .where(SubmissionEvent.submission_id == submission_id, SubmissionEvent.action.in_(acts))
        .order_by(SubmissionEvent.number.desc())
        .limit(1)
    )
    return last if last is not None and last.action is Action.DECLINE else None


def stations(session: Session, submission_ids: Sequence[int]) -> Mapping[int, int]:
    """Return the number of the last event of replies: what was read under it is what stands while it is the last."""
    rows = session.execute(
        select(SubmissionEvent.submission_id, func.max(SubmissionEvent.number))
        .where(SubmissionEvent.submission_id.in_(submission_ids))
        .group_by(SubmissionEvent.submission_id)
    )
    return {row[0]: row[1] for row in rows}
