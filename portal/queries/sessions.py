"""Who is behind a request: one joined query for session, user, actor, memberships and staff roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from portal import clock
from portal.models import (
    Actor,
    ApiToken,
    HeldPost,
    Institution,
    Membership,
    Role,
    Session,
    StaffAppointment,
    StaffRole,
    UserAccount,
)
from portal.permissions import Part, Principal
from portal.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row, orm

# how long who gave the password counts as the one at the keyboard
CONFIRMED_FOR = timedelta(minutes=10)

_PERSON = (
    UserAccount.id.label("user_id"),
    UserAccount.public_id,
    UserAccount.login,
    UserAccount.names,
    UserAccount.language,
    UserAccount.digits,
    UserAccount.active,
    UserAccount.totp_secret.is_not(None).label("second_factor"),
    Actor.id.label("actor_id"),
    Membership.id.label("membership_id"),
    Membership.institution_id,
    Membership.role,
    Institution.code,
    Institution.names.label("institution_names"),
    StaffAppointment.role.label("staff_role"),
)
_FROM = (
    select(*_PERSON)
    .select_from(UserAccount)
    .join(Actor, Actor.user_id == UserAccount.id)
    .outerjoin(Membership, (Membership.user_id == UserAccount.id) & Membership.ended_at.is_(None))
    .outerjoin(Institution, Institution.id == Membership.institution_id)
    .outerjoin(StaffAppointment, StaffAppointment.user_id == UserAccount.id)
)
_BY_SESSION = Prepared(_FROM.add_columns(
    Session.id.label("session_id"),
    Session.public_id.label("session_public_id"),
    Session.membership_id.label("chosen"),
    Session.csrf_secret,
    Session.last_seen,
    Session.expires_at,
    Session.revoked_at,
    Session.confirmed_at,
).join(Session, Session.user_id == UserAccount.id).where(Session.token_hash == bindparam("token_hash")))


@dataclass(frozen=True)
class FoundSession:
    """A session as stored, with its person; whether it still holds is the caller's judgement."""

    principal: Principal
    active: bool
    last_seen: datetime
    expires_at: datetime
    revoked_at: datetime | None


def find_session(session: orm.Session, token_hash: str) -> FoundSession | None:
    """Load session, person, memberships and staff roles in one query; None if there is no such session."""
    rows = _BY_SESSION.all(session, {"token_hash": token_hash})
    if not rows:
        return None
    first = rows[0]
    principal = _principal(
        rows,
        chosen=first.chosen,
        session_id=first.session_id,
        session_public_id=first.session_public_id,
        csrf_secret=first.csrf_secret,
        confirmed=first.confirmed_at is not None and first.confirmed_at + CONFIRMED_FOR > clock.now(),
    )
    return FoundSession(principal, first.active, first.last_seen, first.expires_at, first.revoked_at)


def principal_of(session: orm.Session, user_id: int, *, institution_id: int | None = None) -> Principal | None:
    """Return a person as a principal (commands, tokens, tests); for one institution where they have several."""
    rows = session.execute(_FROM.where(UserAccount.id == user_id, UserAccount.active.is_(True))).all()
    if not rows:
        return None
    chosen = next((row.membership_id for row in rows if row.institution_id == institution_id), None)
    return _principal(rows, chosen=chosen)


def _principal(rows: Sequence[Row[*tuple[Any, ...]]], *, chosen: int | None, **more: Any) -> Principal:
    first = rows[0]
    parts: dict[int, Part] = {}
    # the oldest membership first; almost always it is the only one, and a server makes much of putting one row in order
    for row in rows if len(rows) == 1 else sorted(rows, key=lambda row: row.membership_id or 0):
        if row.membership_id is not None and row.membership_id not in parts:
            parts[row.membership_id] = Part(
                row.membership_id, row.institution_id, row.code, row.institution_names, Role(row.role)
            )
    return Principal(
        actor_id=first.actor_id,
        user_id=first.user_id,
        public_id=first.public_id,
        login=first.login,
        names=first.names,
        language=first.language,
        digits=first.digits,
        second_factor=bool(first.second_factor),
        parts=tuple(parts.values()),
        part=parts.get(chosen) if chosen is not None else next(iter(parts.values()), None),
        staff=frozenset(StaffRole(row.staff_role) for row in rows if row.staff_role is not None),
        **more,
    )


_BY_TOKEN = Prepared(
    _FROM.add_columns(
        ApiToken.id.label("token_id"), ApiToken.last_used_at, ApiToken.expires_at, ApiToken.revoked_at
    )
    .join(ApiToken, ApiToken.user_id == UserAccount.id)
    .where(ApiToken.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True)
class FoundToken:
    """A bearer token that holds, with the person it speaks for."""

    id: int
    principal: Principal
    last_used_at: datetime | None


def find_token(session: orm.Session, token_hash: str) -> FoundToken | None:
    """Load the person of a bearer token in one query; None if it is unknown, expired, revoked, or its person off."""
    rows = _BY_TOKEN.all(session, {"token_hash": token_hash})
    if not rows:
        return None
    first = rows[0]
    expired = first.expires_at is not None and first.expires_at <= clock.now()
    if not first.active or first.revoked_at is not None or expired:
        return None
    return FoundToken(first.token_id, _principal(rows, chosen=None), first.last_used_at)


@dataclass(frozen=True)
class SessionLine:
    """One browser in which a person is signed in."""

    id: int
    user_agent: str
    created_at: datetime
    last_seen: datetime


def sessions_of(session: orm.Session, user_id: int, *, idle: timedelta) -> list[SessionLine]:
    """List where a person is signed in at present, newest first."""
    moment = clock.now()
    rows = session.execute(
        select(Session.id, Session.user_agent, Session.created_at, Session.last_seen)
        .where(
            Session.user_id == user_id,
            Session.revoked_at.is_(None),
            Session.expires_at > moment,
            Session.last_seen > moment - idle,
        )
        .order_by(Session.last_seen.desc(), Session.id.desc())
    ).all()
    return [SessionLine(*row) for row in rows]


def held_until(session: orm.Session, user_id: int, public_id: str | None = None) -> datetime | None:
    """Return until when a person's text is held that was sent after a session ended (``public_id``: that one)."""
    wanted = [HeldPost.user_id == user_id, HeldPost.expires_at > clock.now()]
    if public_id is not None:
        wanted.append(HeldPost.public_id == public_id)
    return session.scalar(select(func.max(HeldPost.expires_at)).where(*wanted))


def system_principal(session: orm.Session) -> Principal:
    """Return the system as an actor (jobs, commands); the row is made by ``init``."""
    actor = session.scalar(select(Actor).where(Actor.kind == "system").order_by(Actor.id).limit(1))
    if actor is None:
        message = "the database has no system actor: run 'python3 -m portal init'"
        raise RuntimeError(message)
    return Principal(actor_id=actor.id, names={"en": "Tamdan"}, login="system", system=True)
