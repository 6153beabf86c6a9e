"""Remembering: what is said of earlier answers, and which institutions have anything to remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from portal import clock
from portal.models import Assignment, EarlierVerdict, Participation, Recollection, Submission, WholeVerdict
from portal.permissions import Permission, require
from portal.services import audit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.memory import Earlier, Source
    from portal.queries.submissions import SubmissionHead


def judge(
    session: Session, head: SubmissionHead, question_id: int, of: Earlier, verdict: Recollection, *, revision: int,
    by: Principal,
) -> EarlierVerdict:  # fmt: skip
    """Record what is said of an earlier answer; ``revision`` is what the answer here became by it (0: nothing).

    The answer itself was saved through ``save_answers`` in the same transaction.
    """
    require(by, Permission.ANSWER_SUBMISSION, head)
    made = session.scalars(
        select(EarlierVerdict).where(
            EarlierVerdict.submission_id == head.id,
            EarlierVerdict.question_id == question_id,
            EarlierVerdict.source_id == of.source_id,
            EarlierVerdict.source_question_id == of.source_question_id,
        )
    ).first()
    if made is None:
        made = EarlierVerdict(
            submission_id=head.id, question_id=question_id, source_id=of.source_id,
            source_question_id=of.source_question_id,
        )  # fmt: skip
        session.add(made)
    made.verdict, made.revision = verdict, revision
    made.decided_by, made.decided_at = by.actor_id, clock.now()
    session.flush()
    audit.record(
        session, verdict.value, by=by, kind="submission", thing=head.public_id,
        question=of.code, source=of.source, round=of.round_slug, revision=revision,
    )  # fmt: skip
    return made


def judge_whole(
    session: Session, head: SubmissionHead, source: Source, things: Iterable[tuple[str, str]], verdict: Recollection,
    *, by: Principal,
) -> None:  # fmt: skip
    """Record what is said of tables and files of an earlier reply: (code, sha256), "" for a table; the newest counts.

    Rows and files were taken over in the same transaction. Audit is the caller's, who knows how many there were.
    """
    require(by, Permission.ANSWER_SUBMISSION, head)
    for code, sha256 in dict.fromkeys(things):
        made = session.get(WholeVerdict, (head.id, source.id, code, sha256))
        if made is None:
            made = WholeVerdict(submission_id=head.id, source_id=source.id, code=code, sha256=sha256)
            session.add(made)
        made.verdict, made.decided_by, made.decided_at = verdict, by.actor_id, clock.now()
    session.flush()


def note_hand_in(session: Session, institution_id: int) -> None:
    """Let all pages of an institution look for earlier answers: it has handed in something."""
    session.execute(
        update(Participation)
        .where(Participation.institution_id == institution_id, Participation.remembers.is_(False))
        .values(remembers=True)
        .execution_options(synchronize_session=False)
    )


def look_back(session: Session, round_id: int) -> None:
    """Let the institutions of a round that is sent out remember, if they have handed in anything before."""
    handed_in = (
        select(Assignment.institution_id)
        .join(Submission, Submission.assignment_id == Assignment.id)
        .where(Submission.hand_in > 0)
    )
    session.execute(
        update(Participation)
        .where(Participation.round_id == round_id, Participation.institution_id.in_(handed_in))
        .values(remembers=True)
        .execution_options(synchronize_session=False)
    )
