"""Workbooks of a round: the list of those made, the button that makes one, the download."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g, redirect, render_template, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from portal.blueprints.guard import requires, who
from portal.blueprints.once import answer_now
from portal.blueprints.page import notice
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.jobs.exports import make_export
from portal.models import Export, JobStatus
from portal.permissions import Permission
from portal.queries.actors import actor_names
from portal.queries.rounds import find_round
from portal.reader import number as digits
from portal.services import exports

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import ReportingRound

blueprint = Blueprint("exports", __name__)

KEPT_OFF = timedelta(minutes=2)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 50


def round_of(slug: str) -> ReportingRound:
    """Load the round an address names, or answer "not found"."""
    found = find_round(db.session, slug)
    if found is None:
        raise NotFound
    return found


def export_of(public_id: str) -> Export:
    """Load a finished export whose file is there, or answer "not found"."""
    found = exports.find_export(db.session, public_id)
    if found is None or found.status is not JobStatus.DONE:
        raise NotFound
    if not exports.path_of(found, current_app.config["SETTINGS"].exports_dir).exists():
        raise NotFound
    return found


@blueprint.get("/rounds/<slug>/workbooks")
@requires(Permission.EXPORT_ROUND, on=round_of)
def index(of: ReportingRound) -> ResponseReturnValue:
    """List the workbooks made of a round, the newest first."""
    found = db.session.scalars(
        select(Export).where(Export.round_id == of.id).order_by(Export.id.desc()).limit(SHOWN)
    ).all()
    names = actor_names(db.session, [one.requested_by for one in found])
    folder = current_app.config["SETTINGS"].exports_dir
    waiting = any(one.status in {JobStatus.QUEUED, JobStatus.RUNNING} for one in found)
    page = render_template(
        "exports/index.html",
        round=of,
        board=url_for("follow.board", slug=of.slug) if "follow.board" in current_app.view_functions else "",
        rows=[_row(one, names.get(one.requested_by, {}), there=exports.path_of(one, folder).exists()) for one in found],
        waiting=waiting,
    )
    return page, 200, {"Refresh": "5"} if waiting else {}


def _row(export: Export, names: Any, *, there: bool) -> dict[str, Any]:
    return {
        "public_id": export.public_id,
        "filename": export.filename,
        "who": names,
        "at": export.requested_at,
        "status": export.status.value,
        "size": export.size or 0,
        "language": export.filters.get("language", ""),
        "counts": [
            {"sheet": sheet, "what": what, "number": digits(number)}
            for sheet, what, number in export.counts.get("lines", [])
        ],
        "altered": export.counts.get("altered", 0),
        "checksum": export.counts.get("checksum", ""),
        "error": export.error or "",
        "there": there,
    }


@blueprint.post("/rounds/<slug>/workbooks")
@requires(Permission.EXPORT_ROUND, on=round_of)
def make(of: ReportingRound) -> ResponseReturnValue:
    """Ask for a workbook; a small one is made at once, a large one by the worker."""
    at_once = exports.is_small(db.session, of.id)
    slug, language = of.slug, g.view.language
    with write() as session:
        export = exports.request_export(
            session, round_of(slug), language=language, by=who(), wait=KEPT_OFF if at_once else None
        )
        public_id = export.public_id
    # the workbook is read from one moment, in transactions of its own
    response = answer_now(redirect(url_for("exports.index", slug=slug), code=303))
    if at_once:
        make_export(current_app._get_current_object(), public_id)  # type: ignore[attr-defined]  # noqa: SLF001 - Flask-Login offers no public way
        made = exports.find_export(db.session, public_id)
        if made is not None and made.status is JobStatus.DONE:
            notice(_("The workbook is ready to download."))
        else:
            notice(_("The workbook could not be made. The list says why."), "bad")
    else:
        notice(_("The workbook is being made. This page shows it as soon as it is ready."), "info")
    return response


@blueprint.get("/workbooks/<public_id>")
@requires(Permission.EXPORT_ROUND, on=export_of)
def download(export: Export) -> ResponseReturnValue:
    """Send a finished workbook; nothing is changed by it."""
    response = send_file(
        exports.path_of(export, current_app.config["SETTINGS"].exports_dir),
        mimetype=XLSX,
        as_attachment=True,
        download_name=export.filename,
        conditional=False,
        etag=False,
        max_age=None,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
