"""Reporting rounds and their response rates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import current_app, g, send_file
from spectree import Response

from portal.api import shapes
from portal.api.door import answer, blueprint, named, once, operation, take
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires, who
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Export, JobStatus, ReportingRound
from portal.permissions import Permission
from portal.queries import round_status as queries
from portal.queries.rounds import find_round
from portal.services import exports

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

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


def _round(slug: str) -> ReportingRound:
    found = find_round(db.session, slug) if _SLUG.fullmatch(slug) else None
    if found is None:
        raise NotFound
    return found


def _export(public_id: str) -> Export:
    found = exports.find_export(db.session, named(public_id))
    if found is None or found.round_id is None:
        raise NotFound
    return found


def _workbook(one: Export) -> shapes.Workbook:
    return shapes.Workbook(
        id=one.public_id,
        status=one.status.value,
        filename=one.filename,
        size=one.size,
        sha256=one.sha256,
        error=one.error,
    )


@blueprint.post("/rounds/<slug>/workbooks")
@requires(Permission.EXPORT_ROUND, on=_round)
@operation("exportWorkbook", json=shapes.WorkbookIn, resp=Response(HTTP_202=shapes.Workbook, **REFUSALS))
def export_workbook(of: ReportingRound) -> ResponseReturnValue:
    """Ask for the consolidated workbook of a round; the worker makes it."""
    given = take(shapes.WorkbookIn)
    language = str(given.language if given.language in g.country.languages else g.view.language)
    slug = of.slug

    def act(session: Session) -> tuple[shapes.Workbook, int]:
        return _workbook(exports.request_export(session, _round(slug), language=language, by=who())), 202

    return once(act, body=given.model_dump(mode="json"))


@blueprint.get("/workbooks/<public_id>")
@requires(Permission.EXPORT_ROUND, on=_export)
@operation("getWorkbook", resp=Response(HTTP_200=shapes.Workbook, HTTP_202=shapes.Workbook, **REFUSALS))
def get_workbook(one: Export) -> ResponseReturnValue:
    """Give a finished workbook as a file; 202 with its state while it is being made."""
    path = exports.path_of(one, current_app.config["SETTINGS"].exports_dir)
    if one.status is JobStatus.DONE and path.is_file():
        return send_file(path, as_attachment=True, download_name=one.filename)
    return answer(_workbook(one), 200 if one.status is JobStatus.FAILED else 202)
