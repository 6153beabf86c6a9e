"""Acts on a submission: each is one event, checked against the lifecycle table, folded into the cached status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal import clock
from portal.models import Action, Submission, SubmissionEvent
from portal.models.lifecycle import State, check_reason, fold, follow, transition
from portal.permissions import Permission, Target, require

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.permissions import Principal


def locked(session: Session, submission_id: int) -> Submission:
    """Read a submission again inside ``write()``, locked on PostgreSQL (SQLite has one writer)."""
    return session.scalars(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def append_event(
    session: Session,
    submission: Submission,
    action: Action,
    *,
    by: Principal,
    institution_id: int,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> SubmissionEvent:
    """Do ``action`` to a submission that was read by :func:`locked`: one event, and the status it leads to.

    Raises:
        IllegalTransition: if it does not follow from the present status.
        NotAllowed: if ``by`` may not.
        Invalid: if a reason is needed and missing.
    """
    past = session.scalars(
        select(SubmissionEvent).where(SubmissionEvent.submission_id == submission.id).order_by(SubmissionEvent.number)
    ).all()
    state = fold(past)
    rule = transition(state.status, action)
    require(by, Permission(rule.permission), Target(institution_id, state.status, handed_in=state.hand_in > 0))
    event = SubmissionEvent(
        submission_id=submission.id,
        number=len(past) + 1,
        action=action,
        reason=check_reason(rule, reason),
        details=details or {},
        done_by=by.actor_id,
        done_at=clock.now(),
    )
    after = follow(state, event)
    if after.status is None:
        message = "an event must lead to a status"
        raise RuntimeError(message)
    event.status = after.status
    session.add(event)
    cache(submission, after)
    session.flush()
    return event


def cache(submission: Submission, state: State) -> None:
    """Keep the folded state on the submission."""
    if state.status is not None:
        submission.status = state.status
    submission.hand_in = state.hand_in
    submission.signature = state.signature
    submission.under_review = state.under_review
    submission.handed_in_at = state.handed_in_at
    submission.unlocked = list(state.unlocked) if state.unlocked is not None else None
