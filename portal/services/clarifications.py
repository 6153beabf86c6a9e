"""Clarifications: a question back on a reply or one of its answers; it never changes a status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Invalid
from portal.models import Clarification, ClarificationMessage, ClarificationRead, ClarificationStatus
from portal.permissions import Permission, Target, everywhere, require
from portal.services import audit
from portal.services.events import locked
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead


def body_of(text: str) -> str:
    """Return what is said, trimmed.

    Raises:
        Invalid: nothing is said.
    """
    body = text.strip()
    if not body:
        sentence = _l("Write the question or the answer first.")
        raise Invalid(sentence, problems=[Problem(sentence, field="body")])
    return body


def _said_already(session: Session, thread: Clarification | None, body: str, *, by: Principal) -> bool:
    """Tell whether the newest message of a thread is this very one: the same person sent it twice."""
    if thread is None:
        return False
    last = session.scalars(
        select(ClarificationMessage)
        .where(ClarificationMessage.clarification_id == thread.id)
        .order_by(ClarificationMessage.id.desc())
        .limit(1)
    ).first()
    return last is not None and last.written_by == by.actor_id and last.body == body


def _say(session: Session, thread: Clarification, body: str, *, staff: bool, by: Principal) -> ClarificationMessage:
    message = ClarificationMessage(
        clarification_id=thread.id, body=body, from_secretariat=staff, written_by=by.actor_id, written_at=clock.now()
    )
    session.add(message)
    session.flush()
    mark_read(session, [thread.id], by=by)
    return message


def ask(session: Session, head: SubmissionHead, text: str, *, question_id: int | None, by: Principal) -> Clarification:
    """Ask an institution about its reply, or about one answer of it; the same question again is asked already."""
    require(by, Permission.ASK_CLARIFICATION, head)
    body = body_of(text)
    locked(session, head.id)
    newest = session.scalars(
        select(Clarification)
        .where(Clarification.submission_id == head.id, Clarification.status != ClarificationStatus.CLOSED)
        .order_by(Clarification.id.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.question_id == question_id and _said_already(session, newest, body, by=by):
        return newest
    thread = Clarification(submission_id=head.id, question_id=question_id, opened_by=by.actor_id, opened_at=clock.now())
    session.add(thread)
    session.flush()
    _say(session, thread, body, staff=True, by=by)
    audit.record(session, "ask_clarification", by=by, kind="clarification", thing=thread.public_id)
    return thread


def answer(session: Session, head: SubmissionHead, thread: Clarification, text: str, *, by: Principal) -> Clarification:
    """Write the next message of a thread: the institution's answer, or the secretariat's next question.

    The same words of the same person again change nothing.
    """
    staff = everywhere(by, Permission.ASK_CLARIFICATION)
    permission = Permission.ASK_CLARIFICATION if staff else Permission.ANSWER_CLARIFICATION
    require(by, permission, Target(head.institution_id))
    body = body_of(text)
    locked(session, head.id)
    if _said_already(session, thread, body, by=by):
        return thread
    _say(session, thread, body, staff=staff, by=by)
    thread.status = ClarificationStatus.OPEN if staff else ClarificationStatus.ANSWERED
    thread.closed_at = None
    audit.record(session, "answer_clarification", by=by, kind="clarification", thing=thread.public_id)
    return thread


def close(session: Session, head: SubmissionHead, thread: Clarification, *, by: Principal) -> Clarification:
    """Close a thread that is settled."""
    require(by, Permission.ASK_CLARIFICATION, Target(head.institution_id))
    thread.status = ClarificationStatus.CLOSED
    thread.closed_at = clock.now()
    mark_read(session, [thread.id], by=by)
    audit.record(session, "close_clarification", by=by, kind="clarification", thing=thread.public_id)
    return thread


def mark_read(session: Session, clarification_ids: Collection[int], *, by: Principal) -> None:
    """Note that a person has read these clarifications to their newest message."""
    newest = session.execute(
        select(ClarificationMessage.clarification_id, func.max(ClarificationMessage.id))
        .where(ClarificationMessage.clarification_id.in_(clarification_ids))
        .group_by(ClarificationMessage.clarification_id)
        .order_by(ClarificationMessage.clarification_id)
    ).all()
    for clarification_id, message_id in newest:
        session.merge(
            ClarificationRead(
                clarification_id=clarification_id, actor_id=by.actor_id, message_id=message_id, read_at=clock.now()
            )
        )
    session.flush()
