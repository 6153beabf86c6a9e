"""The second factor: six digits from a phone (TOTP, RFC 6238), each taken once, and recovery codes for a lost phone.

Secret and codes never reach a log, an audit event or a dump.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

import pyotp
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import clock
from portal.errors import Conflict, NotAllowed
from portal.models import UserAccount
from portal.queries.sessions import principal_of
from portal.services import audit, people, sessions
from portal.services.accounts import CODE_LETTERS, normal_code

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

STEP_SECONDS = 30
DIGITS = 6
# a phone whose clock is off by one step is let in (RFC 6238, 5.2)
DRIFT = (0, -1, 1)
RECOVERY_CODES = 10
RECOVERY_LENGTH = 12


def new_secret() -> str:
    """Return a secret of 160 random bits, in base32."""
    return pyotp.random_base32()


def address(secret: str, person: UserAccount, portal_name: str) -> str:
    """Return the ``otpauth:`` address that a phone reads from the QR picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name=portal_name)


def spoken_secret(secret: str) -> str:
    """Return a secret in groups of four, to be typed into a phone."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def must_have(principal: Principal, required: Collection[str]) -> bool:
    """Tell whether one of the person's roles, in any institution, is among those that need a second factor."""
    roles = {role.value for role in principal.staff} | {part.role.value for part in principal.parts}
    return not roles.isdisjoint(required)


def asked_of(session: Session, person: UserAccount, required: Collection[str]) -> bool:
    """Tell whether the password alone does not let this person in."""
    if person.totp_secret:
        return True
    principal = principal_of(session, person.id) if required else None
    return principal is not None and must_have(principal, required)


def matching_step(secret: str, code: str, after: int | None) -> int | None:
    """Return the time step whose code this is, if it is later than ``after``; None for a wrong or used code."""
    typed = normal_code(code)
    if len(typed) != DIGITS or not typed.isdigit():
        return None
    present, generator = int(clock.now().timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    found = None
    for step in (present + drift for drift in DRIFT):
        if hmac.compare_digest(generator.generate_otp(step), typed) and found is None:
            found = step
    return found if found is not None and (after is None or found > after) else None


def throttle_key(person: UserAccount) -> str:
    """Return under which key codes of a person are counted, apart from their passwords."""
    return sessions.token_digest(f"totp:{person.public_id}")


def recovery_hash(person: UserAccount, code: str) -> str | None:
    """Return which of the person's hashes a recovery code belongs to; argon2, so never inside ``write()``."""
    typed = normal_code(code)
    if len(typed) != RECOVERY_LENGTH:
        return None
    return next((stored for stored in person.totp_recovery if sessions.verify_password(stored, typed)), None)


def spend_code(session: Session, user_id: int, code: str, recovery: str | None, *, by: Principal | None) -> bool:
    """Take a code from the phone, or the recovery code that :func:`recovery_hash` found; count the attempt.

    The account is locked, so that of two requests with one code only one is right (ASVS 6.5.1).

    Raises:
        Throttled: too many wrong codes for this account.
    """
    person = _locked(session, user_id)
    key = throttle_key(person)
    sessions.check_throttle(session, key)
    right = _spend(session, person, code, recovery, by)
    sessions.note_attempt(session, key, succeeded=right)
    session.flush()
    return right


def _spend(session: Session, person: UserAccount, code: str, recovery: str | None, by: Principal | None) -> bool:
    if not person.totp_secret:
        return False
    if recovery is not None and recovery in person.totp_recovery:
        person.totp_recovery = [stored for stored in person.totp_recovery if stored != recovery]
        audit.record(
            session, "use_recovery_code", by=by, kind="user", thing=person.public_id, left=len(person.totp_recovery)
        )
        return True
    step = matching_step(person.totp_secret, code, person.totp_last_step)
    if step is None:
        return False
    person.totp_last_step = step
    return True


def _locked(session: Session, user_id: int) -> UserAccount:
    return session.scalars(
        select(UserAccount).where(UserAccount.id == user_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def new_recovery_codes() -> tuple[list[str], list[str]]:
    """Return ten recovery codes as they are shown once, and their hashes (argon2: never inside ``write()``)."""
    codes = ["".join(secrets.choice(CODE_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    shown = ["-".join(code[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4)) for code in codes]
    return shown, [sessions.hash_password(code) for code in codes]


def set_up(
    session: Session,
    user_id: int,
    *,
    secret: str,
    code: str,
    recovery: Sequence[str],
    replaces: str | None,
    by: Principal | None,
    keep: int | None = None,
) -> bool:
    """Switch a second factor on, once a code proves that the phone has it; every other browser is signed out.

    ``replaces`` is the secret that the person proved to hold, None where there was none. False if the code is wrong:
    not counted, since whoever types it has the secret before them.

    Raises:
        Conflict: it was set up elsewhere meanwhile.
    """
    person = _locked(session, user_id)
    if person.totp_secret != replaces:
        raise Conflict(_l("The second factor was changed in the meantime. Open the page again."))
    step = matching_step(secret, code, None)
    if step is None:
        return False
    person.totp_secret, person.totp_last_step, person.totp_recovery = secret, step, list(recovery)
    session.flush()
    sessions.end_sessions_of(session, person.id, but=keep)
    audit.record(session, "set_up_second_factor", by=by, kind="user", thing=person.public_id)
    return True


def renew_recovery_codes(session: Session, user_id: int, recovery: Sequence[str], *, by: Principal) -> None:
    """Replace the recovery codes; the old ones are void.

    Raises:
        NotAllowed: the account is somebody else's, or has no second factor.
    """
    person = _own(session, user_id, by)
    person.totp_recovery = list(recovery)
    audit.record(session, "renew_recovery_codes", by=by, kind="user", thing=person.public_id)


def turn_off(session: Session, user_id: int, *, required: Collection[str], by: Principal) -> None:
    """Switch one's own second factor off.

    Raises:
        NotAllowed: a role of the person needs it, the account is somebody else's, or it has none.
    """
    person = _own(session, user_id, by)
    if must_have(by, required):
        raise NotAllowed(_l("Your role needs a second factor."))
    _forget(person)
    audit.record(session, "turn_off_second_factor", by=by, kind="user", thing=person.public_id)


def _own(session: Session, user_id: int, by: Principal) -> UserAccount:
    person = _locked(session, user_id)
    if by.user_id != person.id or not person.totp_secret:
        raise NotAllowed
    return person


def _forget(person: UserAccount) -> None:
    person.totp_secret, person.totp_last_step, person.totp_recovery = None, None, []


def reset(session: Session, user_id: int, *, by: Principal) -> UserAccount:
    """Take the second factor off somebody else's account (lost phone), and sign them out everywhere.

    Raises:
        NotAllowed: ``by`` may not touch this account, or it is their own.
    """
    person = _locked(session, user_id)
    people.guard_account(session, person, by)
    if by.user_id == person.id:
        raise NotAllowed(_l("Change your own second factor on the page of your account."))
    if person.totp_secret:
        _forget(person)
        session.flush()
        sessions.end_sessions_of(session, person.id)
        audit.record(session, "reset_second_factor", by=by, kind="user", thing=person.public_id)
    return person
