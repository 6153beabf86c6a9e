"""The secretariat's own judgement of how far a recommendation is carried out; never mixed with the response rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal import clock
from portal.errors import Invalid
from portal.models import Implementation, ImplementationState, Recommendation
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

REASON_LIMIT = 20_000


def set_state(
    session: Session,
    recommendation: Recommendation,
    state: Implementation,
    *,
    as_of: date | None,
    reason: str,
    by: Principal,
    round_id: int | None = None,
    today: date | None = None,
) -> ImplementationState:
    """Add a consolidated state with its day and reason; earlier ones stay, the newest counts.

    Raises:
        Invalid: no day, a day to come, or no reason.
    """
    problems = []
    if as_of is None:
        problems.append(Problem(_l("Give the day on which this was so."), field="as_of"))
    elif as_of > (today or clock.today()):
        problems.append(Problem(_l("This day is still to come."), field="as_of"))
    if not reason.strip():
        problems.append(Problem(_l("Say in a sentence why: the reason is kept with the state."), field="reason"))
    elif len(reason) > REASON_LIMIT:
        problems.append(Problem(_l("The reason is longer than 20,000 characters."), field="reason"))
    if problems or as_of is None:
        raise Invalid(problems=problems)
    made = ImplementationState(
        recommendation_id=recommendation.id,
        round_id=round_id,
        state=state,
        as_of=as_of,
        reason=reason.strip(),
        set_at=clock.now(),
        set_by=by.actor_id,
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        "set_implementation",
        by=by,
        kind="recommendation",
        thing=recommendation.public_id,
        state=state.value,
        as_of=as_of.isoformat(),
    )
    return made
