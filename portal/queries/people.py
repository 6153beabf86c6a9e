"""Institutions in protocol order, their people, and who waits for a way in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import aliased

from portal import clock
from portal.models import (
    AuditEvent,
    Institution,
    Invitation,
    Membership,
    Role,
    StaffAppointment,
    StaffRole,
    UserAccount,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

REQUESTS_KEPT = timedelta(days=14)


@dataclass(frozen=True)
class InstitutionLine:
    """One institution of the list; ``persons`` counts whoever has a part in it now."""

    id: int
    public_id: str
    code: str
    names: Mapping[str, str]
    parent: Mapping[str, str] | None
    rank: int
    active: bool
    persons: int
    has_focal_point: bool


@dataclass(frozen=True)
class PartLine:
    """A part a person has: in an institution, or (``institution`` None) in the secretariat."""

    role: Role | StaffRole
    membership_id: int | None = None
    institution_id: int | None = None
    institution_public_id: str = ""
    institution: Mapping[str, str] | None = None


@dataclass(frozen=True)
class PersonLine:
    """One person of a list, with all parts; ``entered`` tells whether they ever chose a password."""

    id: int
    public_id: str
    login: str
    names: Mapping[str, str]
    honorific: Mapping[str, str]
    post: Mapping[str, str]
    phone: str | None
    email: str | None
    telegram: str | None
    active: bool
    entered: bool
    parts: tuple[PartLine, ...] = field(default=())

    @property
    def administrator(self) -> bool:
        """Whether only an administrator may touch the account."""
        return any(part.role is StaffRole.ADMINISTRATOR for part in self.parts)


def institutions(session: Session) -> list[InstitutionLine]:
    """List all institutions in protocol order, in two queries."""
    above = aliased(Institution)
    rows = session.execute(
        select(
            Institution.id, Institution.public_id, Institution.code, Institution.names, Institution.rank,
            Institution.active, above.names.label("parent"),
        )
        .outerjoin(above, above.id == Institution.parent_id)
        .order_by(Institution.rank, Institution.id)
    ).all()  # fmt: skip
    counted = session.execute(
        select(Membership.institution_id, Membership.role, func.count().label("persons"))
        .join(UserAccount, UserAccount.id == Membership.user_id)
        .where(Membership.ended_at.is_(None), UserAccount.active.is_(True))
        .group_by(Membership.institution_id, Membership.role)
        .order_by(Membership.institution_id, Membership.role)
    ).all()
    persons: dict[int, int] = defaultdict(int)
    focal = {row.institution_id for row in counted if row.role is Role.FOCAL_POINT}
    for row in counted:
        persons[row.institution_id] += row.persons
    return [
        InstitutionLine(
            row.id,
            row.public_id,
            row.code,
            row.names,
            row.parent,
            row.rank,
            row.active,
            persons[row.id],
            row.id in focal,
        )
        for row in rows
    ]


def institution_choices(session: Session, *, but: int | None = None) -> list[tuple[int, Mapping[str, str]]]:
    """List id and names of active institutions in protocol order, for a select field."""
    rows = session.execute(
        select(Institution.id, Institution.names)
        .where(Institution.active.is_(True))
        .order_by(Institution.rank, Institution.id)
    ).all()
    return [(row.id, row.names) for row in rows if row.id != but]


def persons_of(session: Session, institution_id: int) -> list[PersonLine]:
    """List who has a part in an institution now, by role, then log-in name."""
    chosen = select(Membership.user_id).where(
        Membership.institution_id == institution_id, Membership.ended_at.is_(None)
    )
    found = _persons(session, session.scalars(chosen).all())
    order = list(Role)

    def key(person: PersonLine) -> tuple[int, str]:
        here = (part.role for part in person.parts if part.institution_id == institution_id)
        return order.index(Role(next(here))), person.login

    return sorted(found, key=key)


def staff(session: Session) -> list[PersonLine]:
    """List the secretariat and observers, by log-in name."""
    return _persons(session, session.scalars(select(StaffAppointment.user_id).distinct()).all())


def without_part(session: Session) -> list[PersonLine]:
    """List persons who have no part anywhere (any more)."""
    member = select(Membership.user_id).where(Membership.ended_at.is_(None))
    appointed = select(StaffAppointment.user_id)
    chosen = select(UserAccount.id).where(UserAccount.id.not_in(member), UserAccount.id.not_in(appointed))
    return _persons(session, session.scalars(chosen).all())


def all_persons(session: Session) -> list[PersonLine]:
    """List everybody by log-in name (exports)."""
    return _persons(session, session.scalars(select(UserAccount.id)).all())


def person(session: Session, user_id: int) -> PersonLine | None:
    """Return one person with all parts."""
    return next(iter(_persons(session, [user_id])), None)


def email_of(session: Session, user_id: int) -> str:
    """Return the mail address of a person, "" when there is none."""
    return session.scalar(select(UserAccount.email).where(UserAccount.id == user_id)) or ""


def _persons(session: Session, ids: Sequence[int]) -> list[PersonLine]:
    wanted = set(ids)
    rows = session.execute(
        select(
            UserAccount.id, UserAccount.public_id, UserAccount.login, UserAccount.names, UserAccount.honorific,
            UserAccount.post, UserAccount.phone, UserAccount.email, UserAccount.telegram, UserAccount.active,
            UserAccount.password_hash.is_not(None).label("entered"),
        )
        .where(UserAccount.id.in_(wanted))
        .order_by(UserAccount.login, UserAccount.id)
    ).all()  # fmt: skip
    parts = _parts(session, wanted)
    return [PersonLine(*row, parts=tuple(parts[row.id])) for row in rows]


def _parts(session: Session, ids: Iterable[int]) -> dict[int, list[PartLine]]:
    found: dict[int, list[PartLine]] = defaultdict(list)
    wanted = list(ids)
    appointed = session.execute(
        select(StaffAppointment.user_id, StaffAppointment.role)
        .where(StaffAppointment.user_id.in_(wanted))
        .order_by(StaffAppointment.id)
    ).all()
    for row in appointed:
        found[row.user_id].append(PartLine(row.role))
    members = session.execute(
        select(
            Membership.user_id, Membership.role, Membership.id, Membership.institution_id, Institution.public_id,
            Institution.names,
        )
        .join(Institution, Institution.id == Membership.institution_id)
        .where(Membership.user_id.in_(wanted), Membership.ended_at.is_(None))
        .order_by(Institution.rank, Membership.id)
    ).all()  # fmt: skip
    for part in members:
        found[part.user_id].append(PartLine(part.role, part.id, part.institution_id, part.public_id, part.names))
    return found


@dataclass(frozen=True)
class PasswordRequest:
    """Somebody without an e-mail address who has forgotten the password and waits for a code."""

    public_id: str
    names: Mapping[str, str]
    login: str
    at: datetime


def password_requests(session: Session) -> list[PasswordRequest]:
    """List open requests of the last fortnight, newest first: those after which no code was made."""
    latest = (
        select(AuditEvent.object_id, func.max(AuditEvent.at).label("at"))
        .where(AuditEvent.action == "password_forgotten", AuditEvent.at > clock.now() - REQUESTS_KEPT)
        .group_by(AuditEvent.object_id)
        .subquery()
    )
    answered = (
        select(Invitation.id).where(Invitation.user_id == UserAccount.id, Invitation.created_at >= latest.c.at).exists()
    )
    rows = session.execute(
        select(UserAccount.public_id, UserAccount.names, UserAccount.login, latest.c.at)
        .join(latest, latest.c.object_id == UserAccount.public_id)
        .where(UserAccount.active.is_(True), ~answered)
        .order_by(latest.c.at.desc(), UserAccount.id)
    ).all()
    return [PasswordRequest(*row) for row in rows]


def workbook_rows(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return institutions and persons as the rows of their workbook: one row per part; administrators stay out."""
    above = aliased(Institution)
    places = session.execute(
        select(
            Institution.code, Institution.names, above.code.label("parent"), Institution.rank, Institution.kind,
            Institution.letter_form,
        )
        .outerjoin(above, above.id == Institution.parent_id)
        .order_by(Institution.rank, Institution.id)
    ).all()  # fmt: skip
    institutions = [dict(row._mapping) | {"parent": row.parent or ""} for row in places]  # noqa: SLF001 - public API
    person = (
        UserAccount.login, UserAccount.names, UserAccount.honorific, UserAccount.post, UserAccount.phone,
        UserAccount.telegram, UserAccount.email, UserAccount.language,
    )  # fmt: skip
    members = session.execute(
        select(Institution.code.label("institution"), Membership.role, *person)
        .join(Membership, Membership.user_id == UserAccount.id)
        .join(Institution, Institution.id == Membership.institution_id)
        .where(Membership.ended_at.is_(None))
        .order_by(Institution.rank, Institution.id, Membership.id)
    ).all()
    staff = session.execute(
        select(literal("").label("institution"), StaffAppointment.role, *person)
        .join(StaffAppointment, StaffAppointment.user_id == UserAccount.id)
        .where(StaffAppointment.role != StaffRole.ADMINISTRATOR)
        .order_by(StaffAppointment.id)
    ).all()
    return institutions, [_workbook_person(row) for row in [*members, *staff]]


def _workbook_person(row: Any) -> dict[str, Any]:
    values = {key: value if value is not None else "" for key, value in row._mapping.items()}  # noqa: SLF001 - the documented name-tuple interface
    honorific = next((text for text in (row.honorific or {}).values() if text), "")
    return values | {"role": row.role.value, "honorific": honorific}
