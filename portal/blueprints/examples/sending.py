"""An institution sends an example of a recommendation carried out: one page, open all year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from portal.blueprints.examples.door import blueprint
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import Recommendation
from portal.permissions import Permission
from portal.queries.reported import citable
from portal.services import evidence as evidence_service
from portal.services import examples as services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.services.evidence import ReceivedFile


@blueprint.get("/examples/send")
@requires(Permission.SEND_EXAMPLE)
def send() -> ResponseReturnValue:
    """Ask for the example."""
    return _page()


def _page(error: Invalid | None = None) -> str:
    return render_template(
        "examples/send.html",
        recommendations=citable(db.session),
        chosen=request.values.get("recommendation", ""),
        text_languages=g.country.languages,
        typed=request.form,
        errors=[(problem.field, str(problem.message)) for problem in error.problems] if error else [],
        institution=g.view.account.detail,
    )


@blueprint.post("/examples/send")
@requires(Permission.SEND_EXAMPLE)
def keep() -> ResponseReturnValue:
    """Take the example: the file first, then its row."""
    given = request.form
    of = db.session.scalars(
        select(Recommendation).where(
            Recommendation.public_id == given.get("recommendation", ""), Recommendation.archived.is_(False)
        )
    ).first()
    told = services.Told(
        titles={language: given.get(f"title@{language}", "") for language in g.country.languages},
        texts={language: given.get(f"text@{language}", "") for language in g.country.languages},
        url=given.get("url", "").strip(),
        consent=given.get("consent") == "y",
    )
    try:
        services.judge(told, of)
        file = _received()
        with write() as session:
            made = services.send(
                session,
                session.get_one(Recommendation, of.id if of else 0),
                services.Told(told.titles, told.texts, told.url, told.consent, file),
                by=who(),
            )
            public_id = made.public_id
    except Invalid as error:
        return _page(error), 422
    notice(_("Thank you. The secretariat will check the example; you see here what becomes of it."))
    return redirect(url_for("examples.example", public_id=public_id), code=303)


def _received() -> ReceivedFile | None:
    given = request.files.get("file")
    if given is None or not given.filename:
        return None
    settings = current_app.config["SETTINGS"]
    return evidence_service.receive(
        given.stream,
        given.filename,
        folder=settings.evidence_dir,
        tmp=settings.tmp_dir,
        limit=settings.evidence_max_bytes,
    )
