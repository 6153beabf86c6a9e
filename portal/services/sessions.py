"""Signing in and out: sessions, throttling, passwords, and posts held for a person whose session expired."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select, update

from portal import clock
from portal.errors import Invalid, PortalError
from portal.models import LoginAttempt, Membership, Session, UserAccount
from portal.services import audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import orm

    from portal.permissions import Principal

# argon2id with the parameters of RFC 9106, second recommendation, at its floor for a small server (ASVS 11.4.2)
_hasher = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# a hash of the same cost that nobody's password has, written down: making it is a twentieth of a second of every start
_DUMMY = "$argon2id$v=19$m=19456,t=3,p=1$66WKq6o8g7+LrTT/ndAh0g$tZifehKZ8IO00mQuZq8nCDUipEfDeb2Lz28heaYQbUA"
THROTTLE_WINDOW = timedelta(minutes=15)
THROTTLE_LIMIT = 10
MINIMUM_PASSWORD = 8
MAXIMUM_PASSWORD = 1000
# ASVS 6.2.4: the commonest ones, whatever their length
COMMON = frozenset(
    [
        "password",
        "password1",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyuiop",
        "11111111",
        "iloveyou",
        "00000000",
        "abcd1234",
        "abc12345",
        "passw0rd",
        "p@ssw0rd",
        "cambodia",
        "kampuchea",
        "phnompenh",
        "administrator",
        "87654321",
        "88888888",
        "99999999",
        "qwerty123",
        "letmein1",
    ]
)


class Throttled(PortalError):
    """Too many attempts for one account (429)."""

    status = 429
    code = "throttled"
    default = _l("Too many attempts. Wait 15 minutes, or ask your coordinator for a new code.")


def token_digest(token: str) -> str:
    """Return what is stored of a secret that only its holder knows."""
    return hashlib.sha256(token.encode()).hexdigest()


def normal_phone(text: str) -> str:
    """Return a phone number as digits with an optional leading plus, so that spaces and dashes do not matter."""
    digits = "".join(str(ord(c) - 0x17E0) if "០" <= c <= "៩" else c for c in text)
    kept = "".join(c for c in digits if c.isascii() and c.isdigit())
    return f"+{kept}" if text.strip().startswith("+") else kept


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password (milliseconds of work: never inside ``write()``)."""
    return _hasher.hash(password)


def check_new_password(password: str, login: str = "") -> None:
    """Judge a new password by length and the list of common ones (ASVS 6.2.1-6.2.4; no composition rule).

    Raises:
        Invalid: with the sentence to show beside the field.
    """
    from portal.table import Problem

    sentence = None
    if len(password) < MINIMUM_PASSWORD:
        sentence = _l("Use at least %(count)s characters; a short sentence is best.", count=MINIMUM_PASSWORD)
    elif len(password) > MAXIMUM_PASSWORD:
        sentence = _l("Use at most %(count)s characters.", count=MAXIMUM_PASSWORD)
    elif password.casefold() in COMMON or password.casefold() == login.casefold():
        sentence = _l("This password is too easy to guess. Use a short sentence that only you would think of.")
    if sentence is not None:
        raise Invalid(sentence, problems=[Problem(sentence, field="password")], code="weak_password")


def verify_password(stored: str | None, password: str) -> bool:
    """Tell whether a password is right; takes the same time when there is no account."""
    try:
        _hasher.verify(stored or _DUMMY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def find_account(session: orm.Session, name: str) -> UserAccount | None:
    """Find a person by log-in name, e-mail address or phone number, in that order; None if there is none."""
    wanted = name.strip()
    phone = normal_phone(wanted)
    conditions = [func.lower(UserAccount.login) == wanted.lower(), func.lower(UserAccount.email) == wanted.lower()]
    if len(phone.lstrip("+")) >= 6:
        conditions.append(UserAccount.phone.in_([phone, f"+{phone.lstrip('+')}", phone.lstrip("+")]))
    found: Sequence[UserAccount] = session.scalars(
        select(UserAccount).where(or_(*conditions)).order_by(UserAccount.id).limit(3)
    ).all()
    exact = [user for user in found if user.login.lower() == wanted.lower()]
    return next(iter([*exact, *found]), None) or _find_by_national_number(session, phone)


def _find_by_national_number(session: orm.Session, phone: str) -> UserAccount | None:
    """Find whom ``012 345 678`` means when ``+855 12 345 678`` is stored; nobody if it could be two people."""
    if not phone.startswith("0") or len(phone) < 8:
        return None
    found = session.scalars(
        select(UserAccount)
        .where(UserAccount.phone.startswith("+"), UserAccount.phone.endswith(phone[1:], autoescape=True))
        .order_by(UserAccount.id)
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def throttle_key(name: str, user: UserAccount | None = None) -> str:
    """Return under which key attempts are counted: the person's, however the name was spelt; else the name, folded."""
    if user is not None:
        return token_digest("login:" + user.login)
    folded = name.strip().casefold()
    phone = normal_phone(folded).lstrip("+")
    return token_digest(
        "login:" + (phone if len(phone) >= 6 and not folded.strip("+0123456789០១២៣៤៥៦៧៨៩ -.()/") else folded)
    )


def check_throttle(session: orm.Session, account: str) -> None:
    """Refuse when the account had too many failures lately; other accounts are not touched (ASVS 6.3.1).

    Raises:
        Throttled: with 429.
    """
    since = clock.now() - THROTTLE_WINDOW
    last_success = select(func.max(LoginAttempt.at)).where(
        LoginAttempt.account == account, LoginAttempt.succeeded.is_(True)
    )
    latest = session.scalar(last_success)
    failed = select(func.count()).where(
        LoginAttempt.account == account,
        LoginAttempt.succeeded.is_(False),
        LoginAttempt.at > (max(since, latest) if latest else since),
    )
    if (session.scalar(failed) or 0) >= THROTTLE_LIMIT:
        raise Throttled


def note_attempt(session: orm.Session, account: str, *, succeeded: bool) -> None:
    """Count an attempt."""
    session.add(LoginAttempt(account=account, at=clock.now(), succeeded=succeeded))


def start_session(
    session: orm.Session,
    user: UserAccount,
    *,
    lifetime: timedelta,
    user_agent: str = "",
    membership_id: int | None = None,
) -> tuple[Session, str]:
    """Make the session row of a person who has proved who they are; return it with the value of its cookie."""
    token = secrets.token_urlsafe(32)
    at = clock.now()
    if membership_id is None:
        mine = session.scalars(
            select(Membership.id)
            .where(Membership.user_id == user.id, Membership.ended_at.is_(None))
            .order_by(Membership.id)
        ).all()
        membership_id = mine[0] if mine else None
    made = Session(
        token_hash=token_digest(token),
        user_id=user.id,
        membership_id=membership_id,
        csrf_secret=secrets.token_hex(20),
        user_agent=user_agent[:200],
        last_seen=at,
        expires_at=at + lifetime,
        confirmed_at=at,
    )
    session.add(made)
    session.flush()
    return made, token


def end_session(session: orm.Session, session_id: int, *, by: Principal) -> None:
    """Sign out one browser; its cookie is worth nothing from now on."""
    session.execute(update(Session).where(Session.id == session_id).values(revoked_at=clock.now()))
    audit.record(session, "sign_out", by=by, kind="user", thing=by.public_id)


def end_sessions_of(session: orm.Session, user_id: int, *, but: int | None = None) -> None:
    """Sign a person out everywhere, perhaps but in this browser (password change, account switched off)."""
    where = [Session.user_id == user_id, Session.revoked_at.is_(None)]
    if but is not None:
        where.append(Session.id != but)
    session.execute(update(Session).where(*where).values(revoked_at=clock.now()))


def confirm(session: orm.Session, session_id: int) -> None:
    """Note that the person has just given the password again (ASVS 7.5.3)."""
    session.execute(update(Session).where(Session.id == session_id).values(confirmed_at=clock.now()))
