"""Acts on a submission: each is one event, checked against the lifecycle table, folded into the cached status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm.util import identity_key

from portal import clock
from portal.models import Action, Submission, SubmissionEvent
from portal.models.base import uuid7
from portal.models.lifecycle import State, check_reason, fold, follow, transition
from portal.permissions import Permission, Target, require
from portal.prepared import Prepared
from portal.services.leaving import leave_packs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.models import Status
    from portal.models.lifecycle import Transition
    from portal.permissions import Principal


def locked(session: Session, submission_id: int) -> Submission:
    """Read a submission again inside ``write()``, locked on PostgreSQL (SQLite has one writer)."""
    return session.scalars(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def locked_all(session: Session, submission_ids: Sequence[int]) -> dict[int, Submission]:
    """Read some submissions again inside ``write()`` by key, locked on PostgreSQL, in one statement."""
    return {
        one.id: one
        for one in session.scalars(
            select(Submission)
            .where(Submission.id.in_(submission_ids))
            .order_by(Submission.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }


@dataclass(frozen=True)
class Act:
    """One act among many: what is done to which reply."""

    submission_id: int
    institution_id: int
    action: Action
    reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


_CACHED = ("status", "hand_in", "signature", "under_review", "handed_in_at", "unlocked")


def append_events(session: Session, acts: Sequence[Act], *, by: Principal) -> Mapping[int, State]:
    """Do many acts at once, in their order; the replies were read by :func:`locked_all`. Three statements, all or none.

    Returns the state that each reply is in afterwards. Objects in the session are expired.

    Raises:
        IllegalTransition, NotAllowed, Invalid: as :func:`append_event`.
    """
    ids = sorted({act.submission_id for act in acts})
    if not ids:
        return {}
    past: dict[int, list[SubmissionEvent]] = {one: [] for one in ids}
    for event in session.scalars(
        select(SubmissionEvent)
        .where(SubmissionEvent.submission_id.in_(ids))
        .order_by(SubmissionEvent.submission_id, SubmissionEvent.number)
    ):
        past[event.submission_id].append(event)
    states = {one: fold(events) for one, events in past.items()}
    numbers = {one: len(events) for one, events in past.items()}
    at = clock.now()
    rows = []
    for act in acts:
        state = states[act.submission_id]
        rule = _allowed(state, act.action, act.submission_id, act.institution_id, by)
        numbers[act.submission_id] += 1
        event = SubmissionEvent(
            submission_id=act.submission_id,
            number=numbers[act.submission_id],
            action=act.action,
            reason=check_reason(rule, act.reason),
            details=act.details,
            done_by=by.actor_id,
            done_at=at,
        )
        states[act.submission_id] = after = follow(state, event)
        rows.append(
            {name: getattr(event, name) for name in ("submission_id", "number", "action", "reason", "details")}
            | {"status": after.status, "done_by": by.actor_id, "done_at": at}
        )
    connection = session.connection()
    connection.execute(insert(SubmissionEvent.__table__), rows)  # type: ignore[arg-type] # __table__ is a Table
    leave_packs(session, {act.submission_id: act.action for act in acts})
    connection.execute(
        update(Submission.__table__)  # type: ignore[arg-type] # __table__ is a Table
        .where(Submission.id == bindparam("reply"))
        .values({name: bindparam(f"new_{name}") for name in _CACHED}),
        [{"reply": one, **_cached(state)} for one, state in states.items()],
    )
    session.expire_all()
    return states


def _allowed(state: State, action: Action, submission_id: int, institution_id: int, by: Principal) -> Transition:
    """Return what an action does from here. Raises: IllegalTransition, NotAllowed."""
    rule = transition(state.status, action)
    target = Target(institution_id, state.status, handed_in=state.hand_in > 0, submission_id=submission_id)
    require(by, Permission(rule.permission), target)
    return rule


def _cached(state: State) -> dict[str, Any]:
    kept = {name: getattr(state, name) for name in _CACHED}
    kept["unlocked"] = list(state.unlocked) if state.unlocked is not None else None
    return {f"new_{name}": value for name, value in kept.items()}


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
    rule = _allowed(state, action, submission.id, institution_id, by)
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
    leave_packs(session, {submission.id: action})
    return event


# the first save is made on the hot path: no object is built and every statement is made once
_PAST = Prepared(
    select(SubmissionEvent.action, SubmissionEvent.done_at, SubmissionEvent.details)
    .where(SubmissionEvent.submission_id == bindparam("submission"))
    .order_by(SubmissionEvent.number)
)
_EVENT = Prepared(insert(SubmissionEvent.__table__).inline())  # type: ignore[arg-type] # __table__ is a Table
_MOVE = Prepared(
    update(Submission.__table__)  # type: ignore[arg-type] # __table__ is a Table
    .where(Submission.id == bindparam("submission"))
    .values(status=bindparam("status"))
)


def begin_soon(session: Session, submission_id: int) -> None:
    """Tell that :func:`begin_reply` is likely to follow."""
    _PAST.soon(session, {"submission": submission_id})


def begin_reply(session: Session, submission_id: int, *, by: Principal, institution_id: int) -> Status:
    """Note the first save of a reply whose row is locked already: an event, and the status it leads to, returned.

    Raises:
        IllegalTransition: if it was begun already or cannot be. NotAllowed: if ``by`` may not.
    """
    given = {"submission": submission_id}
    past = _PAST.all(session, given)
    rule = _allowed(fold(past), Action.FIRST_SAVE, submission_id, institution_id, by)
    event = {
        "public_id": uuid7(), "submission_id": submission_id, "number": len(past) + 1,
        "action": Action.FIRST_SAVE, "reason": None, "details": {},
        "status": rule.to, "done_by": by.actor_id, "done_at": clock.now(),
    }  # fmt: skip
    connection = session.connection()
    _EVENT.write(connection, [event])
    _MOVE.write(connection, [given | {"status": rule.to}])
    known = session.identity_map.get(identity_key(Submission, submission_id))
    if known is not None:
        session.expire(known)
    return cast("Status", rule.to)  # the table leads a first save to one


def cache(submission: Submission, state: State) -> None:
    """Keep the folded state on the submission."""
    if state.status is not None:
        submission.status = state.status
    submission.hand_in = state.hand_in
    submission.signature = state.signature
    submission.under_review = state.under_review
    submission.handed_in_at = state.handed_in_at
    submission.unlocked = list(state.unlocked) if state.unlocked is not None else None
