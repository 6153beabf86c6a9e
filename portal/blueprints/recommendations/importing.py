"""Importing recommendations: upload, dry run, confirmation; nothing is written before the last."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from babel import Locale
from flask import current_app, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.receiving import takes_workbook
from portal.blueprints.recommendations.room import blueprint, country, words
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.permissions import Permission
from portal.reader import current_language
from portal.services import import_drafts
from portal.services.recommendation_files import read_file
from portal.services.recommendation_plan import ImportPlan, plan
from portal.services.recommendation_rows import ORIGINAL
from portal.services.recommendations import carry_out
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from config import Settings
    from portal.models import ImportDraft
    from portal.services.recommendation_files import Incoming

KIND = "recommendations"
SHOWN = 200
# the languages in which the index publishes
LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def settings() -> Settings:
    """Return the settings of this installation."""
    found: Settings = current_app.config["SETTINGS"]
    return found


@blueprint.get("/recommendations/import")
@requires(Permission.EDIT_RECOMMENDATIONS)
def import_() -> ResponseReturnValue:
    """Ask for the file."""
    return _ask()


def _ask(errors: list[Any] | None = None) -> str:
    return render_template(
        "recommendations/import.html",
        errors=errors or [],
        limit=settings().max_upload_mb,
        text_languages=[(code, Locale.parse(code).get_display_name(current_language()) or code) for code in LANGUAGES],
        original=request.form.get("language", ORIGINAL),
    )


@blueprint.post("/recommendations/import")
@requires(Permission.EDIT_RECOMMENDATIONS)
@takes_workbook
def upload() -> ResponseReturnValue:
    """Keep the file and judge it; the dry run has a page of its own, so that it can be read again."""
    language = request.form.get("language", ORIGINAL)
    language = language if language in LANGUAGES else ORIGINAL
    try:
        name, sha256 = receive()
        incoming, made = _judge(sha256, name, language)
    except Invalid as error:
        return _ask(list(error.problems)), 422
    summary = {"language": language, "counts": _counts(incoming, made), "fingerprint": made.fingerprint}
    with write() as session:
        draft = import_drafts.add_draft(session, KIND, filename=name, sha256=sha256, summary=summary, by=who())
        public_id = draft.public_id
    return redirect(url_for("recommendations.import_draft", public_id=public_id), code=303)


def receive() -> tuple[str, str]:
    """Keep the uploaded file and return its name and sha256.

    Raises:
        Invalid: no file, empty, or too large.
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(problems=[Problem(_l("Choose a file first."), field="file")])
    given = settings()
    try:
        sha256, _size = import_drafts.keep_file(file.stream, given.data_dir, limit=given.max_upload_bytes)
    finally:
        file.close()
    return file.filename, sha256


def _judge(sha256: str, filename: str, language: str) -> tuple[Incoming, ImportPlan]:
    given = settings()
    path = given.data_dir / import_drafts.FOLDER / sha256
    incoming = read_file(path, country(), filename=filename, language=language, limit=given.max_upload_bytes)
    return incoming, judge(incoming, language)


def judge(incoming: Incoming, language: str) -> ImportPlan:
    """Judge the rows of a file, with what the reader had already put aside."""
    made = plan(db.session, incoming.rows, country(), language=language)
    made.other_countries += incoming.other_countries
    made.refused = [*incoming.refused, *made.refused]
    return made


def _counts(incoming: Incoming, made: ImportPlan) -> dict[str, int]:
    return made.counts | {"rows": len(incoming.rows) + len(incoming.refused) + incoming.other_countries}


@blueprint.get("/recommendations/import/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def import_draft(public_id: str) -> ResponseReturnValue:
    """Show the dry run: what would be added, changed, left and refused, judged anew against today's database."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    incoming, made = _judge(draft.sha256, draft.filename, draft.summary["language"])
    return _dry_run_page(draft, incoming, made)


def _dry_run_page(draft: ImportDraft, incoming: Incoming, made: ImportPlan, *, moved: bool = False) -> str:
    return render_template(
        "recommendations/dry_run.html",
        draft=draft,
        made=made,
        counts=_counts(incoming, made),
        shown=SHOWN,
        fingerprint=made.fingerprint,
        moved=moved,
        words=words(),
    )


@blueprint.post("/recommendations/import/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def confirm(public_id: str) -> ResponseReturnValue:
    """Read and judge the file again and carry it out; if the judgement differs from what was shown, show it first."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    given, language = settings(), draft.summary["language"]
    path = given.data_dir / import_drafts.FOLDER / draft.sha256
    filename, sha256 = draft.filename, draft.sha256
    incoming = read_file(path, country(), filename=filename, language=language, limit=given.max_upload_bytes)
    made = None
    with write() as session:
        made = judge(incoming, language)
        same = made.fingerprint == request.form.get("fingerprint")
        if same:
            import_drafts.confirm_draft(session, public_id, KIND)
            carry_out(session, made, by=who(), filename=filename, sha256=sha256)
    if not same:
        return _dry_run_page(import_drafts.find_draft(db.session, public_id, KIND), incoming, made, moved=True), 409
    given_counts = {"added": len(made.added), "changed": len(made.changed)}
    notice(_("Taken over: %(added)s new, %(changed)s changed.", **given_counts))
    return redirect(url_for("recommendations.index"), code=303)


@blueprint.get("/recommendations/template.xlsx")
@requires(Permission.EDIT_RECOMMENDATIONS)
def template() -> ResponseReturnValue:
    """Hand out the portal's own template, empty, with its instructions."""
    from portal.workbooks import recommendations as workbook

    content = workbook.template(country().languages)
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name="recommendations-template.xlsx")
