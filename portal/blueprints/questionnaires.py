"""Questionnaires on pages: list, read aloud, import from XLSForm after a dry run, publish, give the file back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from forms.definition.check import check
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import notice
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import QuestionnaireScope, QuestionnaireVersion
from portal.permissions import Permission
from portal.queries import questionnaires as look
from portal.services import import_drafts, questionnaires
from portal.workbooks import xlsform

if TYPE_CHECKING:
    from pathlib import Path

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("questionnaires", __name__)
KIND = "questionnaire"


@blueprint.get("/questionnaires")
@requires(Permission.VIEW_QUESTIONNAIRE)
def index() -> ResponseReturnValue:
    """List all versions of all questionnaires."""
    return _index()


def _index(problems: Any = (), status: int = 200) -> ResponseReturnValue:
    return (
        render_template("questionnaires/index.html", versions=look.versions(db.session), problems=problems),
        status,
    )


def _version(public_id: str) -> look.VersionHead:
    found = look.find_version(db.session, public_id)
    if found is None:
        raise NotFound
    return found


@blueprint.get("/questionnaires/<public_id>")
@requires(Permission.VIEW_QUESTIONNAIRE, on=_version)
def view(head: look.VersionHead) -> ResponseReturnValue:
    """Read a version aloud: all questions, rules and choices, in every language it has."""
    return render_template(
        "questionnaires/view.html",
        head=head,
        definition=look.definition(db.session, head.id),
        source=_source(head),
    )


def _folder() -> Path:
    folder: Path = current_app.config["SETTINGS"].data_dir / "questionnaires"
    return folder


def _source(head: look.VersionHead) -> Path | None:
    path = _folder() / f"{head.source_sha256}.xlsx"
    return path if head.source_sha256 and path.is_file() else None


@blueprint.get("/questionnaires/<public_id>/file")
@requires(Permission.VIEW_QUESTIONNAIRE, on=_version)
def source(head: look.VersionHead) -> ResponseReturnValue:
    """Give back the file a version was made from."""
    path = _source(head)
    if path is None:
        raise NotFound
    return send_file(path, as_attachment=True, download_name=f"{head.code}-{head.number}.xlsx")


@blueprint.post("/questionnaires/import")
@requires(Permission.EDIT_QUESTIONNAIRE)
@repeats("the answer is a page, and what was uploaded only waits for a yes")
def upload() -> ResponseReturnValue:
    """Look through a file: every mistake with its place; nothing is stored yet."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _index([Invalid(_("Choose a file first.")).problems[0]], 422)
    settings = current_app.config["SETTINGS"]
    try:
        digest, _size = import_drafts.keep_file(file.stream, settings.data_dir, limit=settings.max_upload_bytes)
        kept = settings.data_dir / import_drafts.FOLDER / digest
        report = check(xlsform.read(kept, filename=file.filename, limit_bytes=settings.max_upload_bytes))
    except Invalid as error:
        return _index(error.problems, 422)
    if report.definition is None:
        return _index(report.problems, 422)
    with write() as database:
        draft = import_drafts.add_draft(database, KIND, filename=file.filename, sha256=digest, summary={}, by=who())
    return render_template(
        "questionnaires/confirm.html", draft=draft, definition=report.definition, problems=report.problems
    )


@blueprint.post("/questionnaires/import/<public_id>/confirm")
@requires(Permission.EDIT_QUESTIONNAIRE)
def confirm(public_id: str) -> ResponseReturnValue:
    """Store the file that was looked through as a version, and publish it if asked."""
    settings = current_app.config["SETTINGS"]
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    path = import_drafts.file_of(draft, settings.data_dir)
    report = check(xlsform.read(path, filename=draft.filename, limit_bytes=settings.max_upload_bytes))
    if report.definition is None:
        return _index(report.problems, 422)
    questionnaires.keep_source(_folder(), draft.sha256, path.read_bytes())
    asked = request.form.get("scope", "")
    scope = QuestionnaireScope(asked) if asked in set(QuestionnaireScope) else QuestionnaireScope.RECOMMENDATION
    length = "short" if request.form.get("length") == "short" else "full"
    try:
        with write() as database:
            import_drafts.confirm_draft(database, public_id, KIND)
            version = questionnaires.store(
                database, report.definition, source_sha256=draft.sha256, scope=scope, length=length, by=who()
            )
            if request.form.get("publish") is not None:
                questionnaires.publish(database, version, by=who())
    except Invalid as error:
        return _index(error.problems, 422)
    notice(_("The questionnaire is stored as version %(number)s.", number=version.number))
    return redirect(url_for("questionnaires.view", public_id=version.public_id), code=303)


@blueprint.post("/questionnaires/<public_id>/publish")
@requires(Permission.EDIT_QUESTIONNAIRE, on=_version)
def publish(head: look.VersionHead) -> ResponseReturnValue:
    """Freeze a version, so that rounds can use it."""
    with write() as database:
        version = database.get_one(QuestionnaireVersion, head.id, populate_existing=True)
        questionnaires.publish(database, version, by=who())
    notice(_("The version is published: it cannot change any more, and rounds can use it."))
    return redirect(url_for("questionnaires.view", public_id=head.public_id), code=303)
