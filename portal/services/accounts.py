"""Ways in: a link plus a short code for a first entry or a forgotten password, and one's own account."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from portal import clock
from portal.errors import Conflict, NotAllowed, NotFound
from portal.models import (
    ApiToken,
    Country,
    Invitation,
    InvitationPurpose,
    LoginAttempt,
    Membership,
    OutgoingMail,
    Role,
    StaffAppointment,
    UserAccount,
)
from portal.permissions import Permission, everywhere, require
from portal.services import audit, people, sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

# without letters and digits that look alike on paper or in Khmer handwriting: 0 O, 1 I L, 2 Z, 5 S, 8 B
CODE_LETTERS = "ACDEFGHJKMNPQRTUVWXY34679"
CODE_LENGTH = 8
CODE_ATTEMPTS = 5
LIFETIME = {
    InvitationPurpose.FIRST_ENTRY: timedelta(days=14),
    # ASVS 6.4.3: a reset lives at most an hour
    InvitationPurpose.RESET: timedelta(minutes=60),
}
FORGOTTEN_LIMIT = 3
DIGITS = ("latn", "khmr")


@dataclass(frozen=True)
class Invited:
    """What the person needs to get in; token and code exist here only, the database keeps their hashes."""

    invitation: Invitation
    token: str
    code: str

    @property
    def spoken_code(self) -> str:
        """The code in two halves, as it is read out."""
        return f"{self.code[:4]}-{self.code[4:]}"


def invite(session: Session, person: UserAccount, *, by: Principal) -> Invited:
    """Make a link and a code for a person: their first entry, or a new password; older ones are void from now on.

    Raises:
        NotAllowed: ``by`` may not let this person in. Conflict: the account is switched off.
    """
    guard_invitation(session, person, by)
    return _invite(session, person, by)


def guard_invitation(session: Session, person: UserAccount, by: Principal) -> None:
    """Refuse unless ``by`` may hand this person the key to their account.

    The secretariat may (administrators only by an administrator). A main focal point may for colleagues who belong to
    that institution alone and neither sign nor serve in the secretariat: otherwise they could become them.

    Raises:
        NotAllowed: if not.
    """
    require(by, Permission.INVITE_COLLEAGUE)
    if everywhere(by, Permission.INVITE_COLLEAGUE):
        people.guard_account(session, person, by)
        return
    rows = session.execute(
        select(Membership.institution_id, Membership.role).where(
            Membership.user_id == person.id, Membership.ended_at.is_(None)
        )
    ).all()
    staff = session.scalar(select(StaffAppointment.id).where(StaffAppointment.user_id == person.id).limit(1))
    parts: list[tuple[int | None, str]] = [(row.institution_id, row.role) for row in rows]
    if staff is not None or not wholly_of(parts, by.institution_id):
        raise NotAllowed(_l("Only the coordinator gives this person a new code."))


def wholly_of(parts: Sequence[tuple[int | None, str]], institution_id: int | None) -> bool:
    """Tell whether all parts (institution, None for the secretariat; role) are of one institution, and none signs."""
    return bool(parts) and all(where == institution_id and role != Role.APPROVER for where, role in parts)


def _invite(session: Session, person: UserAccount, by: Principal | None) -> Invited:
    if not person.active:
        raise Conflict(_l("This account is switched off. Switch it on first."))
    purpose = InvitationPurpose.RESET if person.password_hash else InvitationPurpose.FIRST_ENTRY
    at = clock.now()
    revoke_invitations(session, person.id)
    token = secrets.token_urlsafe(24)
    code = "".join(secrets.choice(CODE_LETTERS) for _letter in range(CODE_LENGTH))
    made = Invitation(
        user_id=person.id,
        purpose=purpose,
        token_hash=sessions.token_digest(token),
        code_hash=_code_digest(token, code),
        created_at=at,
        created_by=by.actor_id if by else None,
        expires_at=at + LIFETIME[purpose],
    )
    session.add(made)
    audit.record(session, "invite", by=by, kind="user", thing=person.public_id, purpose=purpose.value)
    return Invited(made, token, code)


def revoke_invitations(session: Session, user_id: int) -> None:
    """Make every open link of a person worthless."""
    session.execute(
        update(Invitation)
        .where(Invitation.user_id == user_id, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )


def _code_digest(token: str, code: str) -> str:
    # tied to the token, so that the stored hash of a short code cannot be searched through
    return sessions.token_digest(f"{token}:{normal_code(code)}")


def normal_code(text: str) -> str:
    """Return a code as typed on any keyboard: capitals, Khmer digits as Latin ones, nothing between."""
    digits = "".join(str(ord(c) - 0x17E0) if "០" <= c <= "៩" else c for c in text)
    return "".join(c for c in digits.upper() if c.isascii() and c.isalnum())


def open_invitation(session: Session, token: str) -> tuple[Invitation, UserAccount] | None:
    """Return the invitation that a link names, if it can still be used; one answer for all others."""
    row = session.execute(
        select(Invitation, UserAccount)
        .join(UserAccount, UserAccount.id == Invitation.user_id)
        .where(
            Invitation.token_hash == sessions.token_digest(token),
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now(),
            Invitation.attempts < CODE_ATTEMPTS,
            UserAccount.active.is_(True),
        )
        .execution_options(populate_existing=True)
        .with_for_update()
    ).first()
    return (row[0], row[1]) if row else None


def spend_invitation(
    session: Session, token: str, code: str, *, password_hash: str, by: Principal | None = None
) -> UserAccount | None:
    """Set a password by link and code; None if the code is wrong (it is counted) or the link is used up.

    All browsers of the person are signed out. ``password_hash`` is made before the transaction (argon2 is slow).
    """
    found = open_invitation(session, token)
    if found is None:
        return None
    invitation, person = found
    if not hmac.compare_digest(invitation.code_hash, _code_digest(token, code)):
        invitation.attempts += 1
        session.flush()
        return None
    invitation.used_at = clock.now()
    revoke_invitations(session, person.id)
    _set_password(session, person, password_hash)
    audit.record(session, "enter_by_code", by=by, kind="user", thing=person.public_id, purpose=invitation.purpose.value)
    return person


def change_password(
    session: Session, person: UserAccount, *, password_hash: str, by: Principal, keep: int | None = None
) -> None:
    """Change one's own password; other browsers are signed out (ASVS 7.4.3), ``keep`` is this session."""
    if by.user_id != person.id:
        raise NotAllowed
    _set_password(session, person, password_hash, keep=keep)
    revoke_invitations(session, person.id)
    audit.record(session, "change_password", by=by, kind="user", thing=person.public_id)


def give_demo_password(session: Session, *, password_hash: str, by: Principal) -> int:
    """Let everybody in a demo sign in with one password; return how many.

    Raises:
        NotAllowed: if this is no demo, or ``by`` does not operate it.
    """
    require(by, Permission.OPERATE_PORTAL)
    if not session.scalar(select(Country.demo).limit(1)):
        raise NotAllowed
    count = session.scalar(select(func.count(UserAccount.id))) or 0
    session.execute(
        update(UserAccount)
        .values(password_hash=password_hash, password_changed_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )
    audit.record(session, "give_demo_password", by=by, kind="user", persons=count)
    return count


def _set_password(session: Session, person: UserAccount, password_hash: str, keep: int | None = None) -> None:
    person.password_hash = password_hash
    person.password_changed_at = clock.now()
    session.flush()
    sessions.end_sessions_of(session, person.id, but=keep)


def change_own_account(
    session: Session,
    person: UserAccount,
    *,
    revision: int,
    names: dict[str, str],
    language: str,
    digits: str,
    by: Principal,
) -> UserAccount:
    """Change one's own name and how pages are shown."""
    if by.user_id != person.id:
        raise NotAllowed
    people.change_person(session, person, revision=revision, names=names, language=language, by=by)
    person.digits = digits if digits in DIGITS else "latn"
    session.flush()
    return person


def add_token(
    session: Session, person: UserAccount, *, name: str, lifetime: timedelta | None, by: Principal
) -> tuple[ApiToken, str]:
    """Make a bearer token for ``/api/v1`` that may do what the person may; returned once, stored as a hash."""
    require(by, Permission.OPERATE_PORTAL)
    token = f"tamdan_{secrets.token_urlsafe(32)}"
    made = ApiToken(
        user_id=person.id,
        name=name[:120],
        token_hash=sessions.token_digest(token),
        expires_at=clock.now() + lifetime if lifetime else None,
    )
    session.add(made)
    session.flush()
    audit.record(session, "add_token", by=by, kind="user", thing=person.public_id, token=made.public_id, name=made.name)
    return made, token


def revoke_token(session: Session, public_id: str, *, by: Principal) -> ApiToken:
    """Make a bearer token worthless.

    Raises:
        NotFound: there is no such token.
    """
    require(by, Permission.OPERATE_PORTAL)
    found = session.scalar(select(ApiToken).where(ApiToken.public_id == public_id))
    if found is None:
        raise NotFound(_l("There is no such token."))
    if found.revoked_at is None:
        found.revoked_at = clock.now()
        audit.record(session, "revoke_token", by=by, kind="token", thing=found.public_id)
    return found


def ask_for_new_password(session: Session, name: str, *, link: LinkMaker) -> None:
    """Note that somebody has forgotten a password: mail a link where there is an address, else tell the coordinator.

    Says nothing about whether the name is known; at most three requests per name count in a quarter of an hour.
    """
    account = sessions.token_digest("forgotten:" + name.strip().casefold())
    since = clock.now() - sessions.THROTTLE_WINDOW
    lately = session.scalar(select(func.count()).where(LoginAttempt.account == account, LoginAttempt.at > since))
    sessions.note_attempt(session, account, succeeded=False)
    person = sessions.find_account(session, name) if name.strip() else None
    if person is None or not person.active or (lately or 0) >= FORGOTTEN_LIMIT:
        return
    if person.email:
        made = _invite(session, person, None)
        queue_invitation_mail(session, person, made, link=link)
    else:
        audit.record(session, "password_forgotten", by=None, kind="user", thing=person.public_id)


def queue_invitation_mail(session: Session, person: UserAccount, made: Invited, *, link: LinkMaker) -> bool:
    """Put the link and the code into the outbox, in the person's language; False if they have no address."""
    if not person.email:
        return False
    with force_locale(person.language or "en"):
        subject = (
            _("Your first entry to the portal")
            if made.invitation.purpose is InvitationPurpose.FIRST_ENTRY
            else _("A new password for the portal")
        )
        body = invitation_text(person, made, link(made.token))
    session.add(
        OutgoingMail(
            kind="invitation",
            user_id=person.id,
            address=person.email,
            subject=subject,
            body=body,
            not_before=None,
        )
    )
    session.flush()
    return True


def invitation_text(person: UserAccount, made: Invited, url: str) -> str:
    """Return what a person is told, in the current language, for a chat, a mail or paper."""
    return "\n\n".join(
        [
            _("Open this link, type the code and choose your password:"),
            url,
            _("Code: %(code)s", code=made.spoken_code),
            _("Your log-in name: %(login)s", login=person.login),
            _("Nobody will ever ask you for this code. If you did not expect it, tell the coordinator."),
        ]
    )


class LinkMaker:
    """Makes the address of a link from the settings alone, never from a request (host header attacks)."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    def __call__(self, token: str) -> str:
        """Return the address that takes a token."""
        return f"{self.base_url}/enter/{token}"
