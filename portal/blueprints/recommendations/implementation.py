"""State of implementation: how many of the recommendations stand where, beside the response rate and never mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from portal.blueprints.guard import requires, who
from portal.blueprints.paging import paged
from portal.blueprints.recommendations.room import STATE_KINDS, blueprint, words
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Implementation, ReportingRound
from portal.permissions import Permission, everywhere, may
from portal.queries import implementation as states
from portal.queries.published import published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

# what the address says of the table of recommendations
_FILTERS = ("q", "state")
_NO_STATE = "none"


@blueprint.get("/implementation", defaults={"slug": None})
@blueprint.get("/implementation/<slug>")
@requires(Permission.VIEW_IMPLEMENTATION)
def implementation(slug: str | None) -> ResponseReturnValue:
    """Show the state of implementation of all recommendations, or of those of one round."""
    person = who()
    rounds = []
    if may(person, Permission.VIEW_ROUND):
        rounds = list(
            db.session.execute(
                select(ReportingRound.id, ReportingRound.slug, ReportingRound.titles).order_by(
                    ReportingRound.opens_on.desc(), ReportingRound.id.desc()
                )
            )
        )
    chosen = next((one for one in rounds if one.slug == slug), None)
    if slug is not None and chosen is None:
        raise NotFound
    own = everywhere(person, Permission.VIEW_ANSWERS)
    found = states.summary(db.session, round_id=chosen.id if chosen else None, own=own)
    return render_template(
        "recommendations/implementation.html",
        found=found,
        listed=paged(_narrowed(found.rows), keep=_FILTERS, anchor="each"),
        fields=_fields(),
        rounds=rounds,
        chosen=chosen,
        order=list(Implementation),
        state_kinds=STATE_KINDS,
        words=words(),
        may_view_answers=own,
        may_view_reasons=may(person, Permission.VIEW_ROUND),
        may_publish=may(person, Permission.PUBLISH_IMPLEMENTATION),
        visible=published(db.session),
    )


def _narrowed(rows: Sequence[states.StateRow]) -> Sequence[states.StateRow]:
    """Return the recommendations that the filters leave: by words of their place or heading, by consolidated state."""
    said, state = request.args.get("q", "").strip()[:200].casefold(), request.args.get("state", "")
    return [
        row
        for row in rows
        if (not state or state == (row.consolidated.state.value if row.consolidated else _NO_STATE))
        and said in f"{row.symbol} {row.citation} {' '.join(row.heading.values())}".casefold()
    ]


def _fields() -> list[dict[str, Any]]:
    labels = words().states
    choices = [*((state.value, labels[state]) for state in Implementation), (_NO_STATE, _("No state yet"))]
    return [
        {
            "name": "q",
            "label": _("Words, or a paragraph number"),
            "kind": "search",
            "value": request.args.get("q", "")[:200],
        },
        {
            "name": "state",
            "label": _("Consolidated state"),
            "kind": "select",
            "value": request.args.get("state", ""),
            "choices": choices,
        },
    ]
