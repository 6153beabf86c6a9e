"""The texts of a version out to translators and back as a workbook: dry run first, two translators kept apart."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, redirect, render_template, request, send_file, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.room import blueprint, reading_order, row_of, version_of
from portal.blueprints.questionnaires.translating import words_of
from portal.blueprints.receiving import takes_workbook
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import QuestionnaireVersion
from portal.permissions import Permission
from portal.queries.questionnaire_texts import lines_of
from portal.queries.questionnaires import definition
from portal.queries.version_letters import language_name
from portal.reader import digits
from portal.services import import_drafts
from portal.services.questionnaire_text_files import FilePlan, carry_out_file, plan_file, read_file, write_file
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.models import ImportDraft
    from portal.queries.questionnaires import VersionHead
    from portal.workbooks.questionnaire_texts import TextRows

KIND = "questionnaire_texts"
SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/questionnaires/<public_id>/translations/workbook")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def texts_out(head: VersionHead) -> ResponseReturnValue:
    """Give the texts of a version as a workbook for translators."""
    content = write_file(
        definition(db.session, head.id),
        reading_order(),
        lambda line: f"{line.place.code} · {words_of(line)}".strip(" ·"),
    )
    return send_file(
        io.BytesIO(content), XLSX, as_attachment=True, download_name=f"{head.code}-{head.number}-texts.xlsx"
    )


@blueprint.get("/questionnaires/<public_id>/translations/file")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def texts_file(head: VersionHead) -> ResponseReturnValue:
    """Explain the round trip of the texts, with its two doors."""
    return _ask(head)


def _ask(head: VersionHead, errors: Sequence[Problem] = (), status: int = 200) -> ResponseReturnValue:
    return render_template("questionnaires/texts_file.html", head=head, errors=errors), status


@blueprint.post("/questionnaires/<public_id>/translations/file")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
@takes_workbook
def texts_in(head: VersionHead) -> ResponseReturnValue:
    """Keep a returned workbook and judge it; the dry run has a page of its own."""
    settings = current_app.config["SETTINGS"]
    file = request.files.get("file")
    if file is None or not file.filename:
        return _ask(head, [Problem(_l("Choose a file first."), field="file")], 422)
    try:
        sha256, _size = import_drafts.keep_file(file.stream, settings.data_dir, limit=settings.max_upload_bytes)
        made = plan_file(db.session, row_of(head), _read(head, sha256, file.filename))
    except Invalid as error:
        return _ask(head, error.problems, 422)
    summary = {"version": head.public_id, "counts": made.counts, "fingerprint": made.fingerprint}
    with write() as session:
        draft = import_drafts.add_draft(session, KIND, filename=file.filename, sha256=sha256, summary=summary, by=who())
        public_id = draft.public_id
    return redirect(url_for("questionnaires.texts_dry_run", public_id=head.public_id, draft=public_id), code=303)


def _read(head: VersionHead, sha256: str, filename: str) -> TextRows:
    settings = current_app.config["SETTINGS"]
    path = settings.data_dir / import_drafts.FOLDER / sha256
    return read_file(path, definition(db.session, head.id), filename=filename, limit=settings.max_upload_bytes)


@dataclass(frozen=True)
class Returned:
    """A returned workbook and the version it was brought to."""

    head: VersionHead
    draft: ImportDraft


def returned_of(public_id: str, draft: str) -> Returned:
    """Load a version and a workbook that was brought to it; to another version it does not exist."""
    found, head = import_drafts.find_draft(db.session, draft, KIND), version_of(public_id)
    if found.summary.get("version") != head.public_id:
        raise NotFound
    return Returned(head, found)


@blueprint.get("/questionnaires/<public_id>/translations/file/<draft>")
@requires(Permission.EDIT_QUESTIONNAIRE, on=returned_of)
def texts_dry_run(of: Returned) -> ResponseReturnValue:
    """Show what a returned workbook would change, judged anew."""
    return _dry_run(of, _judged(of))


def _judged(of: Returned) -> FilePlan:
    import_drafts.file_of(of.draft, current_app.config["SETTINGS"].data_dir)
    return plan_file(db.session, row_of(of.head), _read(of.head, of.draft.sha256, of.draft.filename))


def _dry_run(of: Returned, made: FilePlan, *, moved: bool = False, status: int = 200) -> ResponseReturnValue:
    found = definition(db.session, of.head.id)
    return (
        render_template(
            "questionnaires/texts_dry_run.html",
            head=of.head,
            draft=of.draft,
            made=made,
            counts=made.counts,
            shown=SHOWN,
            moved=moved,
            names={code: language_name(code) for code in found.languages},
            words={line.place: words_of(line) for line in lines_of(found)},
        ),
        status,
    )


@blueprint.post("/questionnaires/<public_id>/translations/file/<draft>")
@requires(Permission.EDIT_QUESTIONNAIRE, on=returned_of)
def texts_confirm(of: Returned) -> ResponseReturnValue:
    """Judge the workbook again and write it; if the judgement differs from what was shown, show it first."""
    import_drafts.file_of(of.draft, current_app.config["SETTINGS"].data_dir)
    rows = _read(of.head, of.draft.sha256, of.draft.filename)
    draft_id = of.draft.public_id
    try:
        with write() as session:
            version = session.get_one(QuestionnaireVersion, of.head.id, populate_existing=True)
            made = plan_file(session, version, rows)
            same = made.fingerprint == request.form.get("fingerprint")
            if same:
                import_drafts.confirm_draft(session, draft_id, KIND)
                target, _done = carry_out_file(session, version, made, by=who())
                address = target.public_id
    except Conflict as error:
        notice(str(error.message), "warn")
        return redirect(url_for("questionnaires.texts_file", public_id=of.head.public_id), code=303)
    if not same:
        return _dry_run(returned_of(of.head.public_id, draft_id), made, moved=True, status=409)
    count = len(made.edits)
    notice(digits(ngettext("%(num)s text was saved.", "%(num)s texts were saved.", count)))
    return redirect(url_for("questionnaires.translations", public_id=address), code=303)
