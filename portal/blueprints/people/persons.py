"""One person: name, ways to reach them, parts, the way in; and adding one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.people import PartForm, choices, person_form
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.people.room import (
    blueprint,
    honorific_code,
    honorific_options,
    honorific_texts,
    institution_options,
    language_names,
    load_person,
    role_of,
    role_options,
)
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import Institution, Membership, Role, StaffRole, UserAccount
from portal.permissions import Permission, may
from portal.queries import people as queries
from portal.services import people, second_factor
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session


@blueprint.get("/persons/new")
@requires(Permission.EDIT_PEOPLE)
def new_person() -> ResponseReturnValue:
    """Show an empty form, for an institution when one is named."""
    form = _form(new=True)
    form.institution_id.data = request.args.get("institution", 0, type=int)
    form.language.data = next(iter(language_names()))
    return render_template("people/new_person.html", form=form)


@blueprint.post("/persons/new")
@requires(Permission.EDIT_PEOPLE)
def add_person() -> ResponseReturnValue:
    """Add a person with a first part."""
    form = _form(new=True)
    if not form.validate_on_submit():
        return render_template("people/new_person.html", form=form), 422
    try:
        with write() as database:
            role = role_of(form.role.data)
            home = _home(database, role, form.institution_id.data)
            hint = people.login_for(role, home.code if home else "")
            made = people.add_person(database, hint=hint, by=who(), **_values(form, {}))
            _appoint(database, made, role, home)
    except Invalid as error:
        form.place(error.problems)
        return render_template("people/new_person.html", form=form), error.status
    notice(_("The person is added. Now give them a link and a code."))
    return redirect(url_for("people.person", public_id=made.public_id), code=303)


@blueprint.get("/persons/<public_id>")
@requires(Permission.VIEW_PEOPLE, on=load_person)
def person(found: UserAccount) -> ResponseReturnValue:
    """Show a person."""
    return _page(found)


@blueprint.post("/persons/<public_id>")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def change_person(found: UserAccount) -> ResponseReturnValue:
    """Change a person; what somebody else changed since the page was opened is a conflict."""
    form = _form(present=found.honorific)
    if not form.validate_on_submit():
        return _page(found, form), 422
    revision = int(form.revision.data) if str(form.revision.data).isdigit() else 0
    try:
        with write() as database:
            thing = database.get_one(UserAccount, found.id)
            people.change_person(database, thing, revision=revision, by=who(), **_values(form, thing.honorific))
    except Invalid as error:
        form.place(error.problems)
        return _page(found, form), error.status
    except Conflict as error:
        db.session.refresh(found)
        return _page(found, form, conflict=str(error)), 409
    notice(_("Saved."))
    return _back(found)


@blueprint.post("/persons/<public_id>/parts")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def appoint(found: UserAccount) -> ResponseReturnValue:
    """Give a person a part in an institution, or a role in the secretariat."""
    form = _part_form()
    if not form.validate_on_submit():
        return _page(found, part=form), 422
    try:
        with write() as database:
            role = role_of(form.role.data)
            home = _home(database, role, form.institution_id.data)
            _appoint(database, database.get_one(UserAccount, found.id), role, home)
    except Invalid as error:
        form.institution_id.errors = [str(error)]
        return _page(found, part=form), error.status
    notice(_("Saved."))
    return _back(found)


@blueprint.post("/persons/<public_id>/parts/end")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def end_part(found: UserAccount) -> ResponseReturnValue:
    """End a part in an institution, or take a role in the secretariat away."""
    with write() as database:
        staff = request.form.get("staff_role", "")
        if staff:
            if staff not in set(StaffRole):
                raise NotFound
            people.end_staff_role(database, database.get_one(UserAccount, found.id), StaffRole(staff), by=who())
        else:
            membership = database.get(Membership, request.form.get("membership", 0, type=int))
            if membership is None or membership.user_id != found.id:
                raise NotFound
            people.end_membership(database, membership, by=who())
    notice(_("Saved."))
    return _back(found)


@blueprint.post("/persons/<public_id>/switch-off")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def switch_off(found: UserAccount) -> ResponseReturnValue:
    """Switch an account off; the person is out with the next click."""
    return _switch(found, people.switch_off, _("The account is switched off; the person was signed out everywhere."))


@blueprint.post("/persons/<public_id>/switch-on")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def switch_on(found: UserAccount) -> ResponseReturnValue:
    """Switch an account on again."""
    return _switch(found, people.switch_on, _("The account is switched on."))


@blueprint.post("/persons/<public_id>/second-factor/reset")
@requires(Permission.EDIT_PEOPLE, on=load_person)
def reset_second_factor(found: UserAccount) -> ResponseReturnValue:
    """Take the second factor off an account whose phone is lost."""
    with write() as database:
        second_factor.reset(database, found.id, by=who())
    notice(_("The second factor is reset; the person was signed out everywhere."))
    return _back(found)


def _switch(found: UserAccount, verb: Callable[..., UserAccount], sentence: str) -> ResponseReturnValue:
    with write() as database:
        verb(database, database.get_one(UserAccount, found.id), by=who())
    notice(sentence)
    return _back(found)


def _back(found: UserAccount) -> ResponseReturnValue:
    return redirect(url_for("people.person", public_id=found.public_id), code=303)


def _home(database: Session, role: Role | StaffRole, institution_id: int | None) -> Institution | None:
    """Return the institution that a role needs, None for the secretariat."""
    if isinstance(role, StaffRole):
        return None
    home = database.get(Institution, institution_id or 0)
    if home is None:
        sentence = _("Choose the institution.")
        raise Invalid(sentence, problems=[Problem(sentence, field="institution_id")])
    return home


def _appoint(database: Session, thing: UserAccount, role: Role | StaffRole, home: Institution | None) -> None:
    if isinstance(role, StaffRole):
        people.appoint_staff(database, thing, role, by=who())
    elif home is not None:
        people.appoint(database, thing, home, role, by=who())


def _form(*, new: bool = False, present: dict[str, str] | None = None, **more: Any) -> Any:
    form: Any = person_form(language_names(), new=new)(**more)
    form.honorific.choices = honorific_options(present)
    form.language.choices = choices(language_names().items())
    if new:
        form.role.choices = role_options(who())
        form.institution_id.choices = institution_options()
    return form


def _part_form(**more: Any) -> Any:
    form: Any = PartForm(**more)
    form.role.choices = role_options(who())
    form.institution_id.choices = institution_options()
    return form


def _values(form: Any, present: dict[str, str]) -> dict[str, Any]:
    languages = list(language_names())
    values = {name: form[name].data or None for name in ("email", "phone", "telegram")}
    if form.login.data:
        values["login"] = form.login.data
    return values | {
        "names": form.texts("names", languages),
        "post": form.texts("post", languages),
        "honorific": honorific_texts(form.honorific.data or "", present),
        "language": form.language.data,
    }


def _page(found: UserAccount, form: Any = None, part: Any = None, conflict: str = "") -> str:
    if form is None:
        languages = list(language_names())
        form = _form(present=found.honorific, formdata=None)
        for name in ("names", "post"):
            form.fill(name, getattr(found, name), languages)
        for name in ("email", "phone", "telegram", "login", "revision"):
            form[name].data = getattr(found, name)
        form.language.data = found.language or languages[0]
        form.honorific.data = honorific_code(found.honorific)
    return render_template(
        "people/person.html",
        form=form,
        part=part or _part_form(formdata=None),
        person=queries.person(db.session, found.id),
        conflict=conflict,
        second_factor=bool(found.totp_secret),
        me=found.id == who().user_id,
        may_edit=may(who(), Permission.EDIT_PEOPLE),
        may_operate=may(who(), Permission.OPERATE_PORTAL),
    )
