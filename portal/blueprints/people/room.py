"""The blueprint of people, and what its pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from flask_babel import gettext as _
from sqlalchemy import select

from forms.people import choices
from portal.blueprints.page import facts, role_name
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Institution, Role, StaffRole, UserAccount
from portal.permissions import Permission, Principal, may
from portal.queries import people
from portal.reader import languages, localized

if TYPE_CHECKING:
    from wtforms.fields import SelectChoice

blueprint = Blueprint("people", __name__, url_prefix="/people")


def language_names() -> dict[str, str]:
    """Return the portal's languages by code, each named in itself, the national one first."""
    return {language.code: language.name for language in languages()}


def load_institution(public_id: str) -> Institution:
    """Load an institution by the name its address uses (404)."""
    found = db.session.scalar(select(Institution).where(Institution.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def load_person(public_id: str) -> UserAccount:
    """Load a person by the name their address uses (404)."""
    found = db.session.scalar(select(UserAccount).where(UserAccount.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def institution_options(*, but: int | None = None) -> list[SelectChoice]:
    """List institutions in protocol order for a select field; the first choice is none."""
    found = people.institution_choices(db.session, but=but)
    return choices([(0, "–"), *((id_, localized(names)) for id_, names in found)])


def role_options(principal: Principal) -> list[SelectChoice]:
    """List the roles this person may give; only an administrator makes an administrator."""
    staff = [
        role for role in StaffRole if role is not StaffRole.ADMINISTRATOR or may(principal, Permission.OPERATE_PORTAL)
    ]
    secretariat = _("secretariat")
    return choices(
        [(role.value, role_name(role)) for role in Role]
        + [(role.value, f"{role_name(role)} ({secretariat})") for role in staff]
    )


def honorific_options(present: dict[str, str] | None = None) -> list[SelectChoice]:
    """List the country's honorifics; one that is none of them stays choosable."""
    known = [(str(one["code"]), localized(one["names"])) for one in facts().honorifics]
    if present and honorific_code(present) == "other":
        known.append(("other", localized(present)))
    return choices([("", "–"), *known])


def honorific_code(present: dict[str, str]) -> str:
    """Return the code of an honorific, ``other`` for one of its own."""
    if not present:
        return ""
    return next((str(one["code"]) for one in facts().honorifics if one["names"] == present), "other")


def honorific_texts(code: str, present: dict[str, str]) -> dict[str, str]:
    """Return the honorific that a code means."""
    if code == "other":
        return present
    return next((dict(one["names"]) for one in facts().honorifics if one["code"] == code), {})


def role_of(value: str) -> Role | StaffRole:
    """Read a role chosen in a select field."""
    return Role(value) if value in set(Role) else StaffRole(value)


def kept(form: Any, *names: str) -> dict[str, Any]:
    """Return plain fields of a form as keyword arguments."""
    return {name: form[name].data or None for name in names}
