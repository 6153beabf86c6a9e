"""What the last report said per recommendation: pasted on a page, or brought as a file with a dry run."""

from __future__ import annotations

from datetime import date
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
from portal.blueprints.recommendations.room import country, load
from portal.blueprints.remember.door import blueprint
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.models import Recommendation
from portal.permissions import Permission
from portal.queries import reported as queries
from portal.services import audit, import_drafts
from portal.services import reported as services
from portal.table import Problem
from portal.workbooks import reported as workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.models import ImportDraft

KIND = "reported"


@blueprint.get("/recommendations/last-report")
@requires(Permission.EDIT_RECOMMENDATIONS)
def reported() -> ResponseReturnValue:
    """List the recommendations with what is known of the last report, and take a file."""
    return _list()


def _list(errors: Sequence[Any] = ()) -> str:
    rows = queries.citable(db.session)
    return render_template(
        "remember/reported.html", rows=rows, known=sum(1 for one in rows if one.reported), errors=list(errors)
    )


@blueprint.post("/recommendations/last-report.xlsx")
@requires(Permission.EDIT_RECOMMENDATIONS)
@repeats("the answer is a file; each download is written down")
def reported_out() -> ResponseReturnValue:
    """Hand out the workbook to fill in."""
    rows = queries.template_rows(db.session)
    content = workbook.write(rows, country().languages)
    with write() as session:
        audit.record(session, "export_reported_texts", by=who(), kind="recommendation", rows=len(rows))
    day = clock.today(country().time_zone).isoformat()
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=f"last-report-{day}.xlsx")


@blueprint.post("/recommendations/last-report")
@requires(Permission.EDIT_RECOMMENDATIONS)
@takes_workbook
def reported_in() -> ResponseReturnValue:
    """Keep a file and judge it; the dry run has a page of its own."""
    try:
        name, sha256 = receive()
        made = _judge(sha256, name)
    except Invalid as error:
        return _list(error.problems), 422
    summary = {"counts": made.counts, "fingerprint": made.fingerprint}
    with write() as session:
        draft = import_drafts.add_draft(session, KIND, filename=name, sha256=sha256, summary=summary, by=who())
        public_id = draft.public_id
    return redirect(url_for("remember.reported_draft", public_id=public_id), code=303)


def _read(sha256: str, filename: str) -> workbook.ReportedRows:
    given = settings()
    path = given.data_dir / import_drafts.FOLDER / sha256
    return workbook.read(path, country().languages, filename=filename, limit_bytes=given.max_upload_bytes)


def _judge(sha256: str, filename: str) -> services.ReportedPlan:
    return services.plan_reported(db.session, _read(sha256, filename))


@blueprint.get("/recommendations/last-report/files/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def reported_draft(public_id: str) -> ResponseReturnValue:
    """Show what a file would change, judged anew."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    return _dry_run(draft, _judge(draft.sha256, draft.filename))


def _dry_run(draft: ImportDraft, made: services.ReportedPlan, *, moved: bool = False) -> str:
    return render_template(
        "remember/reported_dry_run.html", draft=draft, made=made, counts=made.counts, shown=SHOWN, moved=moved
    )


@blueprint.post("/recommendations/last-report/files/<public_id>")
@requires(Permission.EDIT_RECOMMENDATIONS)
def reported_confirm(public_id: str) -> ResponseReturnValue:
    """Judge the file again and write it; if the judgement differs from what was shown, show it first."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    import_drafts.file_of(draft, settings().data_dir)
    found = _read(draft.sha256, draft.filename)
    with write() as session:
        made = services.plan_reported(session, found)
        same = made.fingerprint == request.form.get("fingerprint")
        if same:
            import_drafts.confirm_draft(session, public_id, KIND)
            number = services.carry_out(session, made, by=who())
    if not same:
        return _dry_run(import_drafts.find_draft(db.session, public_id, KIND), made, moved=True), 409
    notice(ngettext("%(num)s text was taken over.", "%(num)s texts were taken over.", number))
    return redirect(url_for("remember.reported"), code=303)


@blueprint.get("/recommendations/<public_id>/last-report")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def paste(one: Recommendation) -> ResponseReturnValue:
    """Show what reports said on one recommendation, to be pasted or mended."""
    return _paste_page(one)


def _paste_page(one: Recommendation, *, error: Invalid | Conflict | None = None) -> str:
    stored = queries.texts_of(db.session, one.id)
    rows = queries.citable(db.session)
    mine = next((row for row in rows if row.id == one.id), None)
    chosen = set(queries.origins(db.session, one.id))
    return render_template(
        "remember/paste.html",
        one=one,
        cite=mine.cite if mine else one.paragraph,
        text_languages=country().languages,
        stored=stored,
        newest=stored[0] if stored else None,
        typed=request.form,
        error=error,
        field=(error.problems[0].field if isinstance(error, Invalid) and error.problems else "") or "source",
        others=[row for row in rows if row.id != one.id and (mine is None or row.symbol != mine.symbol)],
        repeats=[row for row in rows if row.id in chosen],
    )


@blueprint.post("/recommendations/<public_id>/last-report")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def save_reported(one: Recommendation) -> ResponseReturnValue:
    """Keep what a report said on one recommendation."""
    given = request.form
    texts = {language: given.get(f"text@{language}", "") for language in country().languages}
    try:
        on = _day(given.get("reported_on", ""))
        report = services.Report(given.get("source", ""), given.get("paragraph", ""), on)
        with write() as session:
            services.set_reported(
                session, session.get_one(Recommendation, one.id), report, texts,
                base=given.get("base", type=int) if given.get("source") == given.get("base_source") else None, by=who(),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _paste_page(one, error=error), error.status
    notice(_("Kept. Institutions that are asked about it see it beside the recommendation."))
    return redirect(url_for("remember.paste", public_id=one.public_id), code=303)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        sentence = _("Write the day as 2021-03-31.")
        raise Invalid(sentence, problems=[Problem(sentence, field="reported_on")]) from None


@blueprint.post("/recommendations/<public_id>/repeats")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def save_origins(one: Recommendation) -> ResponseReturnValue:
    """Say which earlier recommendations this one repeats: their answers are remembered with it."""
    by_cite = {row.cite: row.id for row in queries.citable(db.session)}
    wanted = [line.strip() for line in request.form.getlist("repeats") if line.strip()]
    unknown = [line for line in wanted if line not in by_cite]
    try:
        if unknown:
            sentence = _("The portal has no recommendation “%(cite)s”. Choose one of the list.", cite=unknown[0])
            raise Invalid(sentence, problems=[Problem(sentence, field="repeats")])  # noqa: TRY301 - told like the others
        with write() as session:
            services.set_origins(
                session, session.get_one(Recommendation, one.id),
                [session.get_one(Recommendation, by_cite[line]) for line in dict.fromkeys(wanted)], by=who(),
            )  # fmt: skip
    except Invalid as error:
        return _paste_page(one, error=error), 422
    notice(_("Kept: earlier answers to these recommendations are remembered with it."))
    return redirect(url_for("remember.paste", public_id=one.public_id), code=303)
