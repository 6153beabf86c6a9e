"""Shows observers a consolidated state of implementation, and takes it back; every act is kept and audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import (
    ImplementationPublication,
    ImplementationState,
    PublicationAct,
    Recommendation,
    RecommendationKind,
)
from portal.queries.published import published
from portal.services import audit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal


def publish_states(session: Session, states: Sequence[str], *, with_reason: Collection[str] = (), by: Principal) -> int:
    """Publish states by their public ids, those in ``with_reason`` with their reason; return how many became visible.

    What is visible already in the same way is left alone, so that a second click adds nothing.

    Raises:
        Invalid: no state is named.
        Conflict: one of them is unknown, of an archived recommendation, or not the newest of its recommendation any
            more: what would become visible is not what was confirmed.
    """
    found = _confirmed(session, states)
    newest = set(
        session.scalars(
            select(func.max(ImplementationState.id))
            .where(ImplementationState.recommendation_id.in_([one.recommendation_id for one in found]))
            .group_by(ImplementationState.recommendation_id)
        )
    )
    if any(one.id not in newest for one in found):
        raise Conflict(_l("A state was set anew in the meantime. Look at the list again before you publish."))
    shown = published(session, [one.recommendation_id for one in found])
    done = 0
    for one in found:
        now = shown.get(one.recommendation_id)
        reason_too = one.public_id in with_reason
        if now and (now.state_public_id, now.with_reason) == (one.public_id, reason_too):
            continue
        _act(session, one, PublicationAct.PUBLISHED, reason_too=reason_too, by=by)
        done += 1
    return done


def take_back_states(session: Session, states: Sequence[str], *, by: Principal) -> int:
    """Hide published states from observers again, by their public ids; return how many were visible until now.

    Raises:
        Invalid: no state is named.
        Conflict: one of them is unknown.
    """
    found = _confirmed(session, states)
    shown = published(session, [one.recommendation_id for one in found])
    done = 0
    for one in found:
        now = shown.get(one.recommendation_id)
        if now and now.state_public_id == one.public_id:
            _act(session, one, PublicationAct.TAKEN_BACK, reason_too=False, by=by)
            done += 1
    return done


def _confirmed(session: Session, states: Sequence[str]) -> list[ImplementationState]:
    """Return the states named, in the order in which they were set."""
    wanted = set(states)
    if not wanted:
        raise Invalid(_l("Choose at least one recommendation."))
    found = list(
        session.scalars(
            select(ImplementationState)
            .join(Recommendation, Recommendation.id == ImplementationState.recommendation_id)
            .where(
                ImplementationState.public_id.in_(wanted),
                Recommendation.kind == RecommendationKind.RECOMMENDATION,
                Recommendation.archived.is_(False),
            )
            .order_by(ImplementationState.id)
            # nobody sets a newer state of them between the question and the answer (PostgreSQL; SQLite has one writer)
            .with_for_update(of=Recommendation)
        )
    )
    if len(found) != len(wanted):
        raise Conflict
    return found


def _act(session: Session, state: ImplementationState, act: PublicationAct, *, reason_too: bool, by: Principal) -> None:
    session.add(
        ImplementationPublication(
            state_id=state.id, act=act, with_reason=reason_too, done_at=clock.now(), done_by=by.actor_id
        )
    )
    session.flush()
    verb = "publish_implementation" if act is PublicationAct.PUBLISHED else "take_back_implementation"
    audit.record(
        session,
        verb,
        by=by,
        kind="implementation_state",
        thing=state.public_id,
        state=state.state.value,
        as_of=state.as_of.isoformat(),
        with_reason=reason_too,
    )
