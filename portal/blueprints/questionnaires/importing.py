"""Importing a questionnaire from XLSForm: looked through first, stored as a version after a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.definition.check import check
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.reading import _folder, _index
from portal.blueprints.questionnaires.room import blueprint
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import QuestionnaireScope
from portal.permissions import Permission
from portal.services import import_drafts, questionnaires
from portal.workbooks import xlsform

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

KIND = "questionnaire"


@blueprint.post("/questionnaires/import")
@requires(Permission.EDIT_QUESTIONNAIRE)
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
