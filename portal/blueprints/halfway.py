"""Between password and second factor: who is half signed in, kept for ten minutes in the signed anonymous cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import session
from sqlalchemy import select

from portal import clock
from portal.extensions import db
from portal.models import UserAccount

LASTS = timedelta(minutes=10)
KEY = "half"


@dataclass(frozen=True)
class Halfway:
    """A person whose password was right, and the path they wanted to reach."""

    person: UserAccount
    target: str | None


def remember(person: UserAccount, target: str | None) -> None:
    """Note in the visitor's cookie that the password was right; it opens nothing but the page of the second factor."""
    language = session.get("lang")
    # also drops the CSRF secret of the visitor, which somebody else may have planted (ASVS 7.2.4)
    session.clear()
    # who signs in as somebody else leaves the first session, as with a password alone
    session.principal = None  # type: ignore[attr-defined] # the portal's own session
    if language:
        session["lang"] = language
    session[KEY] = [person.public_id, int(clock.now().timestamp()), _stamp(person), target or ""]


def halfway() -> Halfway | None:
    """Return who is half signed in; None if nobody is, it was too long ago, or the password changed meanwhile."""
    kept = session.get(KEY)
    if not isinstance(kept, list) or len(kept) != 4:
        return None
    public_id, at, stamp, target = kept
    if not 0 <= clock.now().timestamp() - at + 1 <= LASTS.total_seconds():
        return None
    person = db.session.scalar(select(UserAccount).where(UserAccount.public_id == public_id))
    if person is None or not person.active or _stamp(person) != stamp:
        return None
    return Halfway(person, target or None)


def _stamp(person: UserAccount) -> str:
    return person.password_changed_at.isoformat() if person.password_changed_at else ""
