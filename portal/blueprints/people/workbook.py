"""Institutions and persons as one workbook: template, export, and the import with its dry run."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, render_template, send_file, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from forms.people import ImportForm
from portal import clock
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import facts, notice, role_name
from portal.blueprints.people.room import blueprint
from portal.blueprints.receiving import takes_workbook
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import ImportDraft, Role, StaffRole
from portal.permissions import Permission
from portal.queries import people as queries
from portal.services import audit, import_drafts
from portal.services.people_import import ImportReport, import_people, judge_people
from portal.workbooks import people as workbook

if TYPE_CHECKING:
    from pathlib import Path

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

KIND = "people"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/template")
@requires(Permission.EDIT_PEOPLE)
def template() -> ResponseReturnValue:
    """Download the empty workbook."""
    return _send(_book([], []), "people-template.xlsx")


@blueprint.post("/export")
@requires(Permission.EDIT_PEOPLE)
@repeats("the answer is a file; each download is written down")
def export() -> ResponseReturnValue:
    """Download everybody as the same workbook, to change and upload again."""
    content = _book(*queries.workbook_rows(db.session))
    with write() as database:
        audit.record(database, "export_people", by=who())
    return _send(content, f"people-{clock.today(facts().time_zone).isoformat()}.xlsx")


@blueprint.get("/import")
@requires(Permission.EDIT_PEOPLE)
def import_() -> ResponseReturnValue:
    """Ask for the workbook."""
    return render_template("people/import_.html", form=ImportForm())


@blueprint.post("/import")
@requires(Permission.EDIT_PEOPLE)
@takes_workbook
def upload() -> ResponseReturnValue:
    """Look the workbook through and keep it; nothing is written to people or institutions."""
    form = ImportForm()
    if not form.validate_on_submit():
        return render_template("people/import_.html", form=form), 422
    settings = current_app.config["SETTINGS"]
    name = form.file.data.filename or ""
    try:
        sha256, _size = import_drafts.keep_file(
            form.file.data.stream, settings.data_dir, limit=settings.max_upload_bytes
        )
        report = _judge(db.session, settings.data_dir / import_drafts.FOLDER / sha256, name)
    except Invalid as error:
        form.file.errors = [
            " ".join(str(part) for part in (problem.message, problem.mend) if part) for problem in error.problems
        ]
        return render_template("people/import_.html", form=form), error.status
    with write() as database:
        draft = import_drafts.add_draft(database, KIND, filename=name, sha256=sha256, summary=report.counts, by=who())
    return redirect(url_for("people.dry_run", public_id=draft.public_id), code=303)


@blueprint.app_template_filter("column_name")
def column_name(field: str) -> str:
    """Return how the workbook calls a column, in the reader's language."""
    known = [*workbook.INSTITUTION_FIELDS, *workbook.PERSON_FIELDS]
    return next((str(one.title) for one in known if one.key == field), field)


def _draft(public_id: str) -> ImportDraft:
    return import_drafts.find_draft(db.session, public_id, KIND)


@blueprint.get("/import/<public_id>")
@requires(Permission.EDIT_PEOPLE, on=_draft)
def dry_run(draft: ImportDraft) -> ResponseReturnValue:
    """Show what would be added, changed, left and refused, row by row; judged afresh each time."""
    path = import_drafts.file_of(draft, current_app.config["SETTINGS"].data_dir)
    report = _judge(db.session, path, draft.filename)
    return render_template("people/dry_run.html", draft=draft, report=report)


@blueprint.post("/import/<public_id>/confirm")
@requires(Permission.EDIT_PEOPLE, on=_draft)
def confirm(draft: ImportDraft) -> ResponseReturnValue:
    """Take over what can be taken over: read and judged once more, in one transaction."""
    path = import_drafts.file_of(draft, current_app.config["SETTINGS"].data_dir)
    rows = _read(path, draft.filename)
    with write() as database:
        taken = import_drafts.confirm_draft(database, draft.public_id, KIND)
        report = import_people(database, rows.institutions, rows.persons, by=who(), source=taken.sha256, **_country())
        taken.summary = report.counts
    counts = report.counts
    notice(
        _(
            "Taken over: %(added)s added, %(changed)s changed, %(refused)s refused.",
            added=counts["added"], changed=counts["changed"], refused=counts["refused"],
        )
    )  # fmt: skip
    return redirect(url_for("people.institutions"), code=303)


def _read(path: Path, filename: str) -> workbook.PeopleRows:
    limit = current_app.config["SETTINGS"].max_upload_bytes
    return workbook.read(path, facts().languages, filename=filename, limit_bytes=limit)


def _country() -> dict[str, Any]:
    return {"languages": facts().languages, "honorifics": facts().honorifics}


def _judge(session: Session, path: Path, filename: str) -> ImportReport:
    rows = _read(path, filename)
    report = judge_people(session, rows.institutions, rows.persons, by=who(), **_country())
    report.unread = tuple(rows.problems)
    return report


def _book(institutions: list[dict[str, Any]], persons: list[dict[str, Any]]) -> bytes:
    country = facts()
    roles: dict[str, dict[str, str]] = {}
    for language in country.languages:
        with force_locale(language):
            for role in [*Role, *(one for one in StaffRole if one is not StaffRole.ADMINISTRATOR)]:
                roles.setdefault(role.value, {})[language] = role_name(role)
    return workbook.template(country.languages, roles, country.honorifics, institutions, persons)


def _send(content: bytes, filename: str) -> ResponseReturnValue:
    return send_file(BytesIO(content), mimetype=MEDIA_TYPE, as_attachment=True, download_name=filename)
