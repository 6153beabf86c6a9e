"""The list of institutions in protocol order, one institution, and adding one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, url_for
from flask_babel import gettext as _

from forms.people import institution_form
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.people.room import blueprint, institution_options, language_names, load_institution
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.models import Institution
from portal.permissions import Permission, may
from portal.queries import people as queries
from portal.services import people

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/")
@requires(Permission.VIEW_PEOPLE)
def institutions() -> ResponseReturnValue:
    """List institutions in protocol order, the secretariat, and who waits for a code."""
    return render_template(
        "people/institutions.html",
        institutions=queries.institutions(db.session),
        staff=queries.staff(db.session),
        others=queries.without_part(db.session),
        requests=queries.password_requests(db.session),
        may_edit=may(who(), Permission.EDIT_PEOPLE),
    )


@blueprint.get("/institutions/new")
@requires(Permission.EDIT_PEOPLE)
def new_institution() -> ResponseReturnValue:
    """Show an empty form."""
    return _form_page(_form())


@blueprint.post("/institutions/new")
@requires(Permission.EDIT_PEOPLE)
def add_institution() -> ResponseReturnValue:
    """Add an institution."""
    form = _form()
    if not form.validate_on_submit():
        return _form_page(form), 422
    try:
        with write() as database:
            made = people.add_institution(database, by=who(), **_values(form))
    except Invalid as error:
        form.place(error.problems)
        return _form_page(form), error.status
    notice(_("The institution is added."))
    return redirect(url_for("people.institution", public_id=made.public_id), code=303)


@blueprint.get("/institutions/<public_id>")
@requires(Permission.VIEW_PEOPLE, on=load_institution)
def institution(found: Institution) -> ResponseReturnValue:
    """Show an institution, its people, and (to whoever may) its form."""
    return _form_page(_filled(found), found)


@blueprint.post("/institutions/<public_id>")
@requires(Permission.EDIT_PEOPLE, on=load_institution)
def change_institution(found: Institution) -> ResponseReturnValue:
    """Change an institution; what somebody else changed since the page was opened is a conflict."""
    form = _form(found)
    if not form.validate_on_submit():
        return _form_page(form, found), 422
    try:
        with write() as database:
            thing = database.get_one(Institution, found.id)
            people.change_institution(
                database, thing, revision=_number(form["revision"].data), by=who(), **_values(form)
            )
    except Invalid as error:
        form.place(error.problems)
        return _form_page(form, found), error.status
    except Conflict as error:
        db.session.refresh(found)
        return _form_page(form, found, conflict=str(error)), 409
    notice(_("Saved."))
    return redirect(url_for("people.institution", public_id=found.public_id), code=303)


@blueprint.post("/institutions/<public_id>/switch")
@requires(Permission.EDIT_PEOPLE, on=load_institution)
def switch_institution(found: Institution) -> ResponseReturnValue:
    """Take an institution out of the lists of choices, or back into them; nothing of it is lost."""
    with write() as database:
        thing = database.get_one(Institution, found.id)
        people.change_institution(database, thing, revision=thing.revision, active=not thing.active, by=who())
    notice(_("Saved."))
    return redirect(url_for("people.institution", public_id=found.public_id), code=303)


def _form(found: Institution | None = None) -> Any:
    form: Any = institution_form(language_names())()
    form.parent_id.choices = institution_options(but=found.id if found else None)
    return form


def _filled(found: Institution) -> Any:
    form: Any = institution_form(language_names())(formdata=None, obj=None)
    form.parent_id.choices = institution_options(but=found.id)
    form.fill("names", found.names, list(language_names()))
    form.code.data, form.parent_id.data, form.rank.data = found.code, found.parent_id or 0, found.rank
    form.revision.data = found.revision
    return form


def _values(form: Any) -> dict[str, Any]:
    values = {
        "code": form.code.data,
        "names": form.texts("names", list(language_names())),
        "parent_id": form.parent_id.data or None,
    }
    if form.rank.data is not None:
        values["rank"] = form.rank.data
    return values


def _number(text: object) -> int:
    return int(str(text)) if str(text).isdigit() else 0


def _form_page(form: Any, found: Institution | None = None, conflict: str = "") -> str:
    return render_template(
        "people/institution.html",
        form=form,
        institution=found,
        persons=queries.persons_of(db.session, found.id) if found else [],
        conflict=conflict,
        may_edit=may(who(), Permission.EDIT_PEOPLE),
    )
