"""An institution sends an example of a recommendation carried out: one page, open all year."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
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
from portal.services.evidence import ReceivedFile
from portal.services.file_checks import refuse

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.table import Problem

# shorter than what is kept in the store without a row (services/housekeeping.py)
KEPT_FOR = timedelta(hours=12)


@blueprint.get("/examples/send")
@requires(Permission.SEND_EXAMPLE)
def send() -> ResponseReturnValue:
    """Ask for the example."""
    return _page()


def _page(error: Invalid | None = None, kept: ReceivedFile | None = None) -> str:
    return render_template(
        "examples/send.html",
        recommendations=citable(db.session),
        chosen=request.values.get("recommendation", ""),
        text_languages=g.country.languages,
        typed=request.form,
        kept=(kept.filename, _ticket(kept)) if kept else None,
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
    problems, file = _judged(told, of)
    if problems:
        return _page(Invalid(problems[0].message, problems=problems), file), 422
    try:
        with write() as session:
            made = services.send(
                session,
                session.get_one(Recommendation, of.id if of else 0),
                services.Told(told.titles, told.texts, told.url, told.consent, file),
                by=who(),
            )
            public_id = made.public_id
    except Invalid as error:
        return _page(error, file), 422
    notice(_("Thank you. The secretariat will check the example; you see here what becomes of it."))
    return redirect(url_for("examples.example", public_id=public_id), code=303)


def _judged(told: services.Told, of: Recommendation | None) -> tuple[list[Problem], ReceivedFile | None]:
    """Return everything that is wrong at once, and the file: one that was received is not lost with the rest."""
    problems: list[Problem] = []
    file = None
    try:
        services.judge(told, of)
    except Invalid as error:
        problems += error.problems
    try:
        file = _received()
    except Invalid as error:
        problems += error.problems
        # another one that is not taken does not drive out the one before
        with suppress(Invalid):
            file = _kept_before()
    return problems, file


def _received() -> ReceivedFile | None:
    given = request.files.get("file")
    if given is None or not given.filename:
        return _kept_before()
    settings = current_app.config["SETTINGS"]
    return evidence_service.receive(
        given.stream,
        given.filename,
        folder=settings.evidence_dir,
        tmp=settings.tmp_dir,
        limit=settings.evidence_max_bytes,
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="example-file")


def _ticket(file: ReceivedFile) -> str:
    """Return by what the next sending of the form names a file that lies in the store without a row: this person's."""
    return str(_signer().dumps([who().actor_id, file.filename, file.media_type, file.size, file.sha256]))


def _kept_before() -> ReceivedFile | None:
    """Return the file of a refused sending before, if it still goes along.

    Raises:
        Invalid: it is kept no longer.
    """
    if not (ticket := request.form.get("kept_file")):
        return None
    try:
        actor, filename, media_type, size, sha256 = _signer().loads(ticket, max_age=int(KEPT_FOR.total_seconds()))
    except BadData:
        actor, sha256 = None, ""
    folder = current_app.config["SETTINGS"].evidence_dir
    if actor != who().actor_id or not (folder / sha256[:2] / sha256).is_file():
        raise refuse(_("The file is kept no longer. Choose it again."))
    return ReceivedFile(filename, media_type, size, sha256)
