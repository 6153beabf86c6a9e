"""Importing a questionnaire from XLSForm: looked through first, stored as a version after a yes; and the way back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.incoming import arrivals, changes, grouped
from portal.blueprints.questionnaires.reading import _folder, _index
from portal.blueprints.questionnaires.room import blueprint, version_of
from portal.blueprints.receiving import takes_workbooks
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import QuestionnaireScope
from portal.permissions import Permission
from portal.queries import questionnaires as look
from portal.queries.questionnaire_versions import open_draft_of
from portal.services import import_drafts, questionnaires
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine, source_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session
    from werkzeug.datastructures import FileStorage

    from forms.definition.model import Definition
    from forms.definition.report import Report
    from portal.models import ImportDraft, QuestionnaireVersion

KIND = "questionnaire"
MOST_TABLES = 20  # files that come beside one questionnaire
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.post("/questionnaires/import")
@requires(Permission.EDIT_QUESTIONNAIRE)
@repeats("the answer is a page, and what was uploaded only waits for a yes")
@takes_workbooks
def upload() -> ResponseReturnValue:
    """Look through a file: every mistake with its place; nothing is stored yet."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _index([Invalid(_("Choose a file first.")).problems[0]], 422)
    try:
        digest = _keep(file)
        tables = request.files.getlist("tables")[:MOST_TABLES]
        kept = [[one.filename or "", _keep(one)] for one in tables if one.filename]
        report = _examined(digest, file.filename, kept)
    except Invalid as error:
        return _index(error.problems, 422)
    if report.definition is None:
        return _index(report.problems, 422)
    with write() as database:
        draft = import_drafts.add_draft(
            database, KIND, filename=file.filename, sha256=digest, summary={"tables": kept}, by=who()
        )
    return _confirmation(draft, report, report.definition)


def _keep(file: FileStorage) -> str:
    settings = current_app.config["SETTINGS"]
    digest, _size = import_drafts.keep_file(file.stream, settings.data_dir, limit=settings.max_upload_bytes)
    return digest


def _examined(digest: str, filename: str, tables: list[list[str]]) -> Report:
    settings = current_app.config["SETTINGS"]
    folder = settings.data_dir / import_drafts.FOLDER
    return examine(
        folder / digest,
        filename=filename,
        limit_bytes=settings.max_upload_bytes,
        tables=[(name, (folder / held).read_bytes()) for name, held in tables],
    )


def _confirmation(
    draft: ImportDraft, report: Report, definition: Definition, sentence: str = ""
) -> str:
    head = look.find_by_code(db.session, definition.code)
    present = look.definition(db.session, head.id) if head is not None else None
    return render_template(
        "questionnaires/confirm.html",
        draft=draft,
        definition=definition,
        told=grouped(report.problems),
        arrivals=arrivals(definition),
        head=head,
        opened=open_draft_of(db.session, definition.code),
        changes=changes(present, definition),
        sentence=sentence,
    )


@blueprint.post("/questionnaires/import/<public_id>/confirm")
@requires(Permission.EDIT_QUESTIONNAIRE)
def confirm(public_id: str) -> ResponseReturnValue:
    """Store the file that was looked through as a version, and publish it if asked."""
    settings = current_app.config["SETTINGS"]
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    path = import_drafts.file_of(draft, settings.data_dir)
    tables: list[list[Any]] = draft.summary.get("tables") or []
    try:
        report = _examined(draft.sha256, draft.filename, tables)
    except Invalid as error:
        return _index(error.problems, 422)
    if report.definition is None:
        return _index(report.problems, 422)
    source = source_of(path.read_bytes(), report.definition, alone=not tables)
    questionnaires.keep_source(_folder(), source.sha256, source.content)
    asked = request.form.get("scope", "")
    scope = QuestionnaireScope(asked) if asked in set(QuestionnaireScope) else QuestionnaireScope.RECOMMENDATION
    length = "short" if request.form.get("length") == "short" else "full"
    try:
        with write() as database:
            import_drafts.confirm_draft(database, public_id, KIND)
            version = questionnaires.store(
                database,
                report.definition,
                source_sha256=source.sha256,
                scope=scope,
                length=length,
                instead_of=_instead_of(database, report.definition.code),
                by=who(),
            )
            if request.form.get("publish") is not None:
                questionnaires.publish(database, version, by=who())
    except Invalid as error:
        return _index(error.problems, 422)
    except questionnaires.OpenDraft as error:
        return _confirmation(draft, report, report.definition, str(error)), error.status
    notice(_("The questionnaire is stored as version %(number)s.", number=version.number))
    return redirect(url_for("questionnaires.view", public_id=version.public_id), code=303)


def _instead_of(database: Session, code: str) -> QuestionnaireVersion | None:
    """Return the open draft that is to be laid aside: the one that was seen, not one begun meanwhile."""
    opened = open_draft_of(database, code)
    return opened if opened is not None and opened.public_id == request.form.get("instead_of") else None


@blueprint.get("/questionnaires/<public_id>/workbook")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def workbook(head: look.VersionHead) -> ResponseReturnValue:
    """Give a version as an XLSForm workbook, to be read, edited in Excel and uploaded again."""
    content = xlsform_out.write(look.definition(db.session, head.id))
    return send_file(
        io.BytesIO(content), mimetype=XLSX, as_attachment=True, download_name=f"{head.code}-{head.number}.xlsx"
    )
