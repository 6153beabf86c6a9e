"""Reporting rounds and their response rates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import g
from spectree import Response

from portal.api import shapes
from portal.api.door import answer, blueprint, operation
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires
from portal.errors import NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import round_status as queries

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@blueprint.get("/rounds")
@requires(Permission.VIEW_ROUND)
@operation("listRounds", resp=Response(HTTP_200=shapes.Rounds, **REFUSALS))
def list_rounds() -> ResponseReturnValue:
    """List all rounds, the newest first."""
    return answer(shapes.Rounds.model_validate({"items": queries.round_list(db.session)}))


@blueprint.get("/rounds/<slug>")
@requires(Permission.VIEW_ROUND)
@operation("roundStatus", resp=Response(HTTP_200=shapes.RoundStatus, **REFUSALS))
def round_status(slug: str) -> ResponseReturnValue:
    """Tell the response rate of a round: overall, by institution, by recommendation, always with both counts."""
    if not _SLUG.fullmatch(slug):
        raise NotFound
    found = queries.round_status(db.session, slug, time_zone=g.country.time_zone)
    return answer(shapes.RoundStatus.model_validate(found))
