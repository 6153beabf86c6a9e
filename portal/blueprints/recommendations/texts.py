"""Texts go out as one workbook and come back: dry run first, two translators kept apart."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal import clock
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import notice
from portal.blueprints.receiving import takes_workbook
from portal.blueprints.recommendations.importing import SHOWN, XLSX, receive, settings
from portal.blueprints.recommendations.room import blueprint, country, words
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import recommendations as queries
from portal.services import audit, import_drafts
from portal.services.recommendation_workbook import TextPlan, carry_out_texts, plan_texts, read_texts, write_texts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import ImportDraft
    from portal.workbooks.texts import TextsRows

KIND = "texts"


@blueprint.get("/recommendations/texts")
@requires(Permission.EDIT_RECOMMENDATIONS)
def texts() -> ResponseReturnValue:
    """Explain the round trip of the texts, with its two doors."""
    return _ask()


def _ask(errors: list[Any] | None = None) -> str:
    return render_template(
        "recommendations/texts.html",
        documents=queries.documents(db.session),
        chosen=request.values.get("document", ""),
        errors=errors or [],
    )


@blueprint.post("/recommendations/texts.xlsx")
@requires(Permission.EDIT_RECOMMENDATIONS)
@repeats("the answer is a file; each download is written down")
def texts_out() -> ResponseReturnValue:
    """Hand out the texts of one document or of all, as a workbook for translators."""
    document = request.form.get("document", "")[:32]
    rows, symbols = queries.for_translators(db.session, document)
    content = write_texts(rows, symbols, country())
    with write() as session:
        audit.record(session, "export_texts", by=who(), kind="document", thing=document, rows=len(rows))
    day = clock.today(country().time_zone).isoformat()
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=f"recommendation-texts-{day}.xlsx")


@blueprint.post("/recommendations/texts")
@requires(Permission.EDIT_RECOMMENDATIONS)
@takes_workbook
def texts_in() -> ResponseReturnValue:
    """Keep a returned workbook and judge it; the dry run has a page of its own."""
    try:
        name, sha256 = receive()
        made = plan_texts(db.session, _read(sha256, name))
    except Invalid as error:
        return _ask(list(error.problems)), 422
    summary = {"counts": made.counts, "fingerprint": made.fingerprint}
    with write() as session:
        draft = import_drafts.add_draft(session, KIND, filename=name, sha256=sha256, summary=summary, by=who())
        public_id = draft.public_id
    return redirect(url_for("recommendations.texts_draft", public_id=public_id), code=303)


def _read(sha256: str, filename: str) -> TextsRows:
    given = settings()
    path = given.data_dir / import_drafts.FOLDER / sha256
    return read_texts(path, country(), filename=filename, limit=given.max_upload_bytes)


@blueprint.get("/recommendations/texts/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def texts_draft(public_id: str) -> ResponseReturnValue:
    """Show what a returned workbook would change, judged anew."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    return _dry_run_page(draft, plan_texts(db.session, _read(draft.sha256, draft.filename)))


def _dry_run_page(draft: ImportDraft, made: TextPlan, *, moved: bool = False) -> str:
    recommendations = [one.recommendation for one in made.changed] + [one for _row, one, _text in made.stale]
    return render_template(
        "recommendations/text_dry_run.html",
        draft=draft,
        made=made,
        counts=made.counts,
        shown=SHOWN,
        fingerprint=made.fingerprint,
        moved=moved,
        places={one.id: queries.cite(one.paragraph, one.sub_item) for one in recommendations},
        words=words(),
    )


@blueprint.post("/recommendations/texts/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def texts_confirm(public_id: str) -> ResponseReturnValue:
    """Judge the workbook again and write it; if the judgement differs from what was shown, show it first."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    found = _read(draft.sha256, draft.filename)
    with write() as session:
        made = plan_texts(session, found)
        same = made.fingerprint == request.form.get("fingerprint")
        if same:
            import_drafts.confirm_draft(session, public_id, KIND)
            carry_out_texts(session, made, by=who())
    if not same:
        return _dry_run_page(import_drafts.find_draft(db.session, public_id, KIND), made, moved=True), 409
    notice(ngettext("%(num)s recommendation was changed.", "%(num)s recommendations were changed.", len(made.changed)))
    if made.stale:
        notice(_("What others had changed meanwhile was not written over: compare it here."), "warn")
        return redirect(url_for("recommendations.texts_draft", public_id=public_id), code=303)
    return redirect(url_for("recommendations.index"), code=303)
