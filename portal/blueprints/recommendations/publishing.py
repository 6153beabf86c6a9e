"""Publishing states of implementation: what observers see, and the two acts with the page that asks before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.recommendations.room import STATE_KINDS, blueprint, words
from portal.database import write
from portal.errors import Conflict
from portal.extensions import db
from portal.models import Implementation
from portal.permissions import Permission, may
from portal.queries import implementation as states
from portal.queries import published as queries
from portal.services.publishing import publish_states, take_back_states

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response as BaseResponse


@blueprint.get("/published")
@requires(Permission.VIEW_PUBLISHED)
def published() -> ResponseReturnValue:
    """Show the published states: all that observers see of the state of implementation."""
    return render_template(
        "recommendations/published.html",
        found=queries.published_summary(db.session),
        order=list(Implementation),
        state_kinds=STATE_KINDS,
        words=words(),
        may_view_states=may(who(), Permission.VIEW_IMPLEMENTATION),
    )


@blueprint.post("/publishing")
@requires(Permission.PUBLISH_IMPLEMENTATION)
def ask_to_publish() -> ResponseReturnValue:
    """Show exactly what would become visible; nothing is changed yet."""
    return _ask(taking_back=False)


@blueprint.post("/publishing/yes")
@requires(Permission.PUBLISH_IMPLEMENTATION)
def publish() -> ResponseReturnValue:
    """Publish the states that were confirmed."""
    chosen, reasons = request.form.getlist("state"), request.form.getlist("reason")
    if not chosen:
        return _nothing_chosen()
    try:
        with write() as session:
            done = publish_states(session, chosen, with_reason=set(reasons), by=who())
    except Conflict as error:
        again = _ask(taking_back=False, problem=str(error), reasons=set(reasons))
        return (again, 409) if isinstance(again, str) else again
    notice(ngettext("%(num)s state is now visible to observers.", "%(num)s states are now visible to observers.", done))
    return redirect(url_for("recommendations.published"), code=303)


@blueprint.post("/publishing/back")
@requires(Permission.PUBLISH_IMPLEMENTATION)
def ask_to_take_back() -> ResponseReturnValue:
    """Show exactly what would be hidden from observers; nothing is changed yet."""
    return _ask(taking_back=True)


@blueprint.post("/publishing/back/yes")
@requires(Permission.PUBLISH_IMPLEMENTATION)
def take_back() -> ResponseReturnValue:
    """Hide the states that were confirmed."""
    chosen = request.form.getlist("state")
    if not chosen:
        return _nothing_chosen()
    with write() as session:
        done = take_back_states(session, chosen, by=who())
    notice(ngettext("%(num)s state is hidden again.", "%(num)s states are hidden again.", done))
    return redirect(url_for("recommendations.published"), code=303)


def _nothing_chosen() -> BaseResponse:
    notice(_("Choose at least one recommendation that has a state."), "warn")
    return redirect(url_for("recommendations.implementation"), code=303)


def _ask(*, taking_back: bool, problem: str = "", reasons: Collection[str] = ()) -> str | BaseResponse:
    """Draw the page that asks; recommendations are named by public id, or by a state shown earlier."""
    wanted = set(request.form.getlist("recommendation"))
    named = set(request.form.getlist("state"))
    all_new = request.form.get("all") == "new"
    visible = queries.published(db.session)
    current = states.consolidated(db.session)
    # a state that was replaced meanwhile still names its recommendation
    meant = {one.recommendation_id for one in states.history(db.session) if one.public_id in named}
    rows = []
    for row in states.summary(db.session, own=False).rows:
        now, newest = visible.get(row.id), current.get(row.id)
        chosen = row.public_id in wanted or row.id in meant
        if all_new and newest and (now is None or now.state_public_id != newest.public_id):
            chosen = True
        if chosen and (now if taking_back else newest):
            rows.append((row, newest, now))
    if not rows:
        return _nothing_chosen()
    return render_template(
        "recommendations/publish.html",
        rows=rows,
        taking_back=taking_back,
        problem=problem,
        reasons=reasons,
        state_kinds=STATE_KINDS,
        words=words(),
    )
