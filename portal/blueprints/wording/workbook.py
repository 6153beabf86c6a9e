"""Wording goes out as one workbook and comes back: dry run first, two readers kept apart."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal import clock, wording
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import facts, notice
from portal.blueprints.receiving import takes_workbook
from portal.blueprints.wording.room import blueprint, files, form_of, language_names, spoken
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import wording as queries
from portal.reader import current_language
from portal.services import audit, import_drafts
from portal.services import wording_workbook as service
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import ImportDraft
    from portal.services.wording_workbook import WordingPlan
    from portal.workbooks.wording import WordingRows

KIND = "wording"
SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/workbook")
@requires(Permission.EDIT_WORDING)
def out_and_in() -> ResponseReturnValue:
    """Explain the round trip of the words, with its two doors."""
    return _ask()


def _ask(errors: list[Any] | None = None) -> str:
    limit = current_app.config["SETTINGS"].max_upload_mb
    return render_template("wording/out_and_in.html", errors=errors or [], limit=limit, tongues=language_names())


@blueprint.post("/workbook/download")
@requires(Permission.EDIT_WORDING)
@repeats("the answer is a file; each download is written down")
def download() -> ResponseReturnValue:
    """Hand out the words of one language or of all, as a workbook for native readers."""
    chosen = request.form.get("language", "")
    languages = (chosen,) if chosen in spoken() else spoken()
    if not languages:
        sentence = _("The portal speaks English only; there are no words to set.")
        return _ask([Problem(sentence)]), 422
    found = queries.entries(db.session, languages)
    content = service.write_wording(found, files(), languages, current_language())
    with write() as database:
        audit.record(database, "export_wording", by=who(), kind="wording", thing=",".join(languages), rows=len(found))
    name = f"wording-{'-'.join(languages)}-{clock.today(facts().time_zone).isoformat()}.xlsx"
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=name)


@blueprint.post("/workbook")
@requires(Permission.EDIT_WORDING)
@takes_workbook
def upload() -> ResponseReturnValue:
    """Keep a returned workbook and judge it; the dry run has a page of its own."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _ask([Problem(_("Choose a file first."), field="file")]), 422
    settings = current_app.config["SETTINGS"]
    try:
        sha256, _size = import_drafts.keep_file(sent.stream, settings.data_dir, limit=settings.max_upload_bytes)
        made = service.plan_wording(db.session, _read(sha256, sent.filename), facts().languages)
    except Invalid as error:
        return _ask(list(error.problems)), error.status
    with write() as database:
        draft = import_drafts.add_draft(
            database, KIND, filename=sent.filename, sha256=sha256, summary={"counts": made.counts}, by=who()
        )
    return redirect(url_for("wording.dry_run", public_id=draft.public_id), code=303)


def _read(sha256: str, filename: str) -> WordingRows:
    settings = current_app.config["SETTINGS"]
    path = settings.data_dir / import_drafts.FOLDER / sha256
    return service.read_wording(path, facts().languages, filename=filename, limit=settings.max_upload_bytes)


def _draft(public_id: str) -> ImportDraft:
    return import_drafts.find_draft(db.session, public_id, KIND)


@blueprint.get("/workbook/<public_id>")
@requires(Permission.EDIT_WORDING, on=_draft)
def dry_run(draft: ImportDraft) -> ResponseReturnValue:
    """Show what a returned workbook would change, judged anew."""
    import_drafts.file_of(draft, current_app.config["SETTINGS"].data_dir)
    found = _read(draft.sha256, draft.filename)
    return _dry_run_page(draft, service.plan_wording(db.session, found, facts().languages))


def _dry_run_page(draft: ImportDraft, made: WordingPlan, *, moved: bool = False) -> str:
    return render_template(
        "wording/dry_run.html",
        draft=draft,
        made=made,
        counts=made.counts,
        shown=SHOWN,
        fingerprint=made.fingerprint,
        moved=moved,
        form_of=form_of,
        parts={
            "text": _("Words"),
            "checked_by": _("Checked by a native reader"),
            "checked_on": _("Checked on"),
            "note": _("Note"),
        },
    )


@blueprint.post("/workbook/<public_id>")
@requires(Permission.EDIT_WORDING, on=_draft)
def confirm(draft: ImportDraft) -> ResponseReturnValue:
    """Judge the workbook again and write it; if the judgement differs from what was shown, show it first."""
    import_drafts.file_of(draft, current_app.config["SETTINGS"].data_dir)
    found = _read(draft.sha256, draft.filename)
    public_id, count = draft.public_id, 0
    with write() as database:
        made = service.plan_wording(database, found, facts().languages)
        same = made.fingerprint == request.form.get("fingerprint")
        if same:
            taken = import_drafts.confirm_draft(database, public_id, KIND)
            count = service.carry_out_wording(database, made, by=who(), source=taken.sha256)
    if not same:
        return _dry_run_page(_draft(public_id), made, moved=True), 409
    wording.present().look_again()
    notice(ngettext("%(num)s message was set.", "%(num)s messages were set.", count))
    if made.stale:
        notice(_("What others had changed meanwhile was not written over: compare it here."), "warn")
        return redirect(url_for("wording.dry_run", public_id=public_id), code=303)
    return redirect(url_for("wording.index"), code=303)
