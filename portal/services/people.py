"""People and institutions: one verb per sentence of the manual; each is audited."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Conflict, DuplicateCode, Invalid
from portal.models import (
    Actor,
    ActorKind,
    Institution,
    Membership,
    Role,
    StaffAppointment,
    StaffRole,
    UserAccount,
)
from portal.permissions import Permission, require
from portal.services import audit, sessions
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.table import Speakable

Thing = TypeVar("Thing", Institution, UserAccount)
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]+\.[^@\s<>,;\"]{2,}")
LONGEST_NAME = 300
SHORTEST_PHONE = 6
INSTITUTION_FIELDS = ("code", "names", "parent_id", "rank", "kind", "letter_form", "active")
PERSON_FIELDS = ("login", "names", "honorific", "post", "email", "phone", "telegram", "language")
# the first half of a log-in name that the portal makes
LOGIN_WORDS: Mapping[str, str] = {
    Role.FOCAL_POINT: "focal",
    Role.ALTERNATE: "alternate",
    Role.CONTRIBUTOR: "contributor",
    Role.APPROVER: "approver",
    Role.READER: "reader",
    StaffRole.COORDINATOR: "coordinator",
    StaffRole.REPORT_WRITER: "writer",
    StaffRole.ADMINISTRATOR: "admin",
    StaffRole.OBSERVER: "observer",
}


def add_institution(session: Session, *, by: Principal, **given: Any) -> Institution:
    """Add an institution: ``code``, ``names``, and if known ``parent_id``, ``rank``, ``kind``, ``letter_form``.

    Raises:
        Invalid: a value cannot be taken. DuplicateCode: the code is in use.
    """
    require(by, Permission.EDIT_PEOPLE)
    values = _institution_values(session, given, None)
    if "code" not in values or "names" not in values:
        raise Invalid(_l("An institution needs a code and a name."))
    values.setdefault("rank", (session.scalar(select(func.max(Institution.rank))) or 0) + 10)
    made = Institution(**values)
    session.add(made)
    session.flush()
    audit.record(session, "add_institution", by=by, kind="institution", thing=made.code, names=made.names)
    return made


def change_institution(
    session: Session, institution: Institution, *, revision: int, by: Principal, **changes: Any
) -> Institution:
    """Change an institution as it was at ``revision``.

    Raises:
        Conflict: somebody else changed it since. Invalid, DuplicateCode: a value cannot be taken.
    """
    require(by, Permission.EDIT_PEOPLE)
    _lock(session, institution, revision)
    values = _institution_values(session, changes, institution)
    return _apply(session, institution, values, "change_institution", institution.code, by)


def add_person(session: Session, *, by: Principal, hint: str = "", **given: Any) -> UserAccount:
    """Add a person, who gets an actor and cannot sign in until invited.

    Takes ``names`` and if known ``login``, ``honorific``, ``post``, ``email``, ``phone``, ``telegram``, ``language``.
    A blank log-in name is made from ``hint`` (see :func:`login_for`).

    Raises:
        Invalid: a value cannot be taken. DuplicateCode: log-in name, phone or e-mail is in use.
    """
    require(by, Permission.EDIT_PEOPLE)
    if not str(given.get("login") or "").strip():
        given["login"] = free_login(session, hint or "person")
    values = _person_values(session, given, None)
    if "names" not in values:
        raise Invalid(_l("A person needs a name."), problems=[Problem(_l("A person needs a name."), field="names")])
    made = UserAccount(**values)
    session.add(made)
    session.flush()
    session.add(Actor(kind=ActorKind.USER, user_id=made.id))
    audit.record(session, "add_person", by=by, kind="user", thing=made.public_id, login=made.login)
    return made


def change_person(
    session: Session, person: UserAccount, *, revision: int, by: Principal, **changes: Any
) -> UserAccount:
    """Change a person as they were at ``revision``; their own account, or by whoever may edit people.

    Raises:
        Conflict: somebody else changed it since. Invalid, DuplicateCode: a value cannot be taken.
    """
    if by.user_id != person.id:
        guard_account(session, person, by)
    _lock(session, person, revision)
    values = _person_values(session, changes, person)
    return _apply(session, person, values, "change_person", person.public_id, by)


def appoint(
    session: Session, person: UserAccount, institution: Institution, role: Role, *, by: Principal
) -> Membership:
    """Give a person a part in an institution, or another part; a part that had ended begins again."""
    guard_account(session, person, by)
    found = session.scalar(
        select(Membership)
        .where(Membership.user_id == person.id, Membership.institution_id == institution.id)
        .with_for_update()
    )
    if found is None:
        found = Membership(user_id=person.id, institution_id=institution.id, role=role)
        session.add(found)
    elif found.role is role and found.ended_at is None:
        return found
    found.role, found.ended_at = role, None
    session.flush()
    audit.record(
        session, "appoint", by=by, kind="user", thing=person.public_id, institution=institution.code, role=role.value
    )
    return found


def end_membership(session: Session, membership: Membership, *, by: Principal) -> Membership:
    """End a person's part in an institution; it holds for the very next click."""
    person = session.get_one(UserAccount, membership.user_id)
    guard_account(session, person, by)
    institution = session.get_one(Institution, membership.institution_id)
    if membership.ended_at is None:
        membership.ended_at = clock.now()
        audit.record(
            session, "end_membership", by=by, kind="user", thing=person.public_id, institution=institution.code
        )
    return membership


def appoint_staff(session: Session, person: UserAccount, role: StaffRole, *, by: Principal) -> StaffAppointment:
    """Give a person a role in the secretariat; only an administrator makes an administrator."""
    guard_account(session, person, by)
    _guard_role(role, by)
    found = session.scalar(
        select(StaffAppointment).where(StaffAppointment.user_id == person.id, StaffAppointment.role == role)
    )
    if found is None:
        found = StaffAppointment(user_id=person.id, role=role)
        session.add(found)
        session.flush()
        audit.record(session, "appoint_staff", by=by, kind="user", thing=person.public_id, role=role.value)
    return found


def end_staff_role(session: Session, person: UserAccount, role: StaffRole, *, by: Principal) -> None:
    """Take a role in the secretariat away; the last administrator stays.

    Raises:
        Invalid: nobody would be left to operate the portal.
    """
    guard_account(session, person, by)
    _guard_role(role, by)
    found = session.scalar(
        select(StaffAppointment).where(StaffAppointment.user_id == person.id, StaffAppointment.role == role)
    )
    if found is None:
        return
    if role is StaffRole.ADMINISTRATOR:
        _keep_an_administrator(session, person)
    session.delete(found)
    session.flush()
    audit.record(session, "end_staff_role", by=by, kind="user", thing=person.public_id, role=role.value)


def switch_off(session: Session, person: UserAccount, *, by: Principal) -> UserAccount:
    """Switch an account off: every browser of the person is signed out at once (ASVS 7.4.2).

    Raises:
        Invalid: one's own account, or the last administrator's.
    """
    guard_account(session, person, by)
    if person.id == by.user_id:
        raise Invalid(_l("You cannot switch off your own account. Ask a colleague."))
    _keep_an_administrator(session, person)
    session.refresh(person, with_for_update=True)
    if person.active:
        person.active = False
        person.revision += 1
        sessions.end_sessions_of(session, person.id)
        audit.record(session, "switch_off", by=by, kind="user", thing=person.public_id)
    return person


def switch_on(session: Session, person: UserAccount, *, by: Principal) -> UserAccount:
    """Switch an account on again; old sessions stay ended."""
    guard_account(session, person, by)
    session.refresh(person, with_for_update=True)
    if not person.active:
        person.active = True
        person.revision += 1
        audit.record(session, "switch_on", by=by, kind="user", thing=person.public_id)
    return person


def ensure_system_actor(session: Session) -> Actor:
    """Return the system as an actor, made once per installation: commands and jobs act as it."""
    found = session.scalar(select(Actor).where(Actor.kind == ActorKind.SYSTEM).order_by(Actor.id).limit(1))
    if found is None:
        found = Actor(kind=ActorKind.SYSTEM)
        session.add(found)
        session.flush()
    return found


def guard_account(session: Session, person: UserAccount, by: Principal) -> None:
    """Refuse to let anybody but an administrator touch an administrator's account (it would be a way up).

    Raises:
        NotAllowed: if so, or if ``by`` may not edit people at all.
    """
    require(by, Permission.EDIT_PEOPLE)
    administrator = session.scalar(
        select(StaffAppointment.id).where(
            StaffAppointment.user_id == person.id, StaffAppointment.role == StaffRole.ADMINISTRATOR
        )
    )
    if administrator is not None:
        require(by, Permission.OPERATE_PORTAL)


def login_for(role: Role | StaffRole, institution_code: str = "") -> str:
    """Return how a log-in name begins that the portal makes: part, then institution (``focal.moj``)."""
    word = LOGIN_WORDS[role]
    code = re.sub(r"[^a-z0-9]+", "-", institution_code.lower()).strip("-")
    return f"{word}.{code}" if code else word


def free_login(session: Session, hint: str, taken: set[str] | None = None) -> str:
    """Return ``hint``, or ``hint2``, ``hint3``..., whichever no person has yet."""
    base = re.sub(r"[^a-z0-9._-]+", "", hint.lower()).strip("._-") or "person"
    if not re.search(r"[a-z]", base):
        base = f"person{base}"
    used = set(session.scalars(select(UserAccount.login).where(UserAccount.login.startswith(base[:60]))))
    used |= taken or set()
    number, name = 1, base[:76]
    while name in used:
        number += 1
        name = f"{base[:76]}{number}"
    return name


def _guard_role(role: StaffRole, by: Principal) -> None:
    if role is StaffRole.ADMINISTRATOR:
        require(by, Permission.OPERATE_PORTAL)


def _keep_an_administrator(session: Session, person: UserAccount) -> None:
    others = session.scalars(
        select(UserAccount.id)
        .join(StaffAppointment, StaffAppointment.user_id == UserAccount.id)
        .where(StaffAppointment.role == StaffRole.ADMINISTRATOR, UserAccount.active.is_(True))
    ).all()
    if others and set(others) == {person.id}:
        raise Invalid(_l("This is the last administrator. Appoint another one first."))


def _lock(session: Session, thing: Institution | UserAccount, revision: int) -> None:
    session.refresh(thing, with_for_update=True)
    if thing.revision != revision:
        raise Conflict


def _apply(session: Session, thing: Thing, values: dict[str, Any], action: str, key: str, by: Principal) -> Thing:
    changed = {name: value for name, value in values.items() if getattr(thing, name) != value}
    if not changed:
        return thing
    for name, value in changed.items():
        setattr(thing, name, value)
    thing.revision += 1
    session.flush()
    kind = thing.__tablename__.removesuffix("_account")
    audit.record(session, action, by=by, kind=kind, thing=key, fields=sorted(changed))
    return thing


def _institution_values(session: Session, given: dict[str, Any], old: Institution | None) -> dict[str, Any]:
    values = {name: given[name] for name in INSTITUTION_FIELDS if name in given}
    if "code" in values:
        values["code"] = str(values["code"]).strip()
        if not CODE.fullmatch(values["code"]):
            _refuse("code", _l("A code is made of letters, digits, dots and dashes, at most 40."))
        same = select(Institution.id).where(func.lower(Institution.code) == values["code"].lower())
        if session.scalar(same.where(Institution.id != old.id) if old else same) is not None:
            raise DuplicateCode("code", _l("This code is already in use. Choose another."))
    if "names" in values:
        values["names"] = clean_names(values["names"])
    if old is not None and values.get("parent_id") is not None:
        _check_parent(session, old.id, values["parent_id"])
    return values


def _check_parent(session: Session, child: int, parent: int) -> None:
    rows = session.execute(select(Institution.id, Institution.parent_id)).all()
    parents = {row.id: row.parent_id for row in rows}
    above: int | None = parent
    while above is not None:
        if above == child:
            _refuse("parent_id", _l("An institution cannot stand below itself."))
        above = parents.get(above)


def clean_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return a language map without blanks.

    Raises:
        Invalid: no name is left, or one is too long.
    """
    kept = {language: text.strip() for language, text in names.items() if text and text.strip()}
    if not kept:
        _refuse("names", _l("Give the name in at least one language."))
    if any(len(text) > LONGEST_NAME for text in kept.values()):
        _refuse("names", _l("A name has at most %(count)s characters.", count=LONGEST_NAME))
    return kept


def _person_values(session: Session, given: dict[str, Any], old: UserAccount | None) -> dict[str, Any]:
    values = {name: given[name] for name in PERSON_FIELDS if name in given}
    if "names" in values:
        values["names"] = clean_names(values["names"])
    for name in ("honorific", "post"):
        if name in values:
            values[name] = {key: text.strip() for key, text in (values[name] or {}).items() if text and text.strip()}
    if "login" in values:
        values["login"] = check_login(values["login"])
    for name in ("email", "phone", "telegram"):
        if name in values:
            values[name] = CLEANERS[name](values[name])
    for name in ("login", "email", "phone"):
        if values.get(name):
            column = getattr(UserAccount, name)
            same = select(UserAccount.id).where(column == values[name])
            if session.scalar(same.where(UserAccount.id != old.id) if old else same) is not None:
                raise DuplicateCode(name, TAKEN[name])
    return values


def check_login(login: str) -> str:
    """Return a log-in name as stored.

    Raises:
        Invalid: it is not one; it must hold a letter, so that nobody takes another person's phone number for a name.
    """
    name = str(login).strip().lower()
    if not LOGIN.fullmatch(name) or not re.search(r"[a-z]", name):
        _refuse(
            "login", _l("A log-in name is made of Latin letters, digits, dots and dashes, with at least one letter.")
        )
    return name


def check_email(email: str | None) -> str | None:
    """Return an e-mail address as stored, None for a blank one.

    Raises:
        Invalid: it is not one.
    """
    text = (email or "").strip().lower()
    if not text:
        return None
    if not EMAIL.fullmatch(text) or len(text) > 254:
        _refuse("email", _l("This is not an e-mail address. Leave it empty if the person has none."))
    return text


def check_phone(phone: str | None) -> str | None:
    """Return a phone number as stored: digits with an optional plus; None for a blank one.

    Raises:
        Invalid: it has too few or too many digits.
    """
    text = (phone or "").strip()
    if not text:
        return None
    number = sessions.normal_phone(text)
    if not SHORTEST_PHONE <= len(number.lstrip("+")) <= 20:
        _refuse("phone", _l("A phone number has 6 to 20 digits, for example +855 12 345 678."))
    return number


def check_telegram(name: str | None) -> str | None:
    """Return a Telegram name or number, None for a blank one."""
    return (name or "").strip()[:80] or None


CLEANERS = {"email": check_email, "phone": check_phone, "telegram": check_telegram}
TAKEN: Mapping[str, Speakable] = {
    "login": _l("This log-in name is already in use. Choose another."),
    "email": _l("Another person has this e-mail address already."),
    "phone": _l("Another person has this phone number already."),
}


def _refuse(field: str, sentence: Speakable) -> NoReturn:
    raise Invalid(sentence, problems=[Problem(sentence, field=field)])
