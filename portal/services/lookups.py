"""Looking up codes of papers: who tries codes out is slowed down, in all processes alike."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal import clock
from portal.models import LoginAttempt
from portal.services.sessions import note_attempt

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# codes that nothing was handed in under, per address: enough for slips of an office behind one address, of no use to
# whoever tries codes out
ALLOWED, WITHIN = 30, timedelta(minutes=1)


def caller(secret: str, address: str) -> str:
    """Return by what an address is known here; the address itself is not kept."""
    return hmac.new(secret.encode(), b"verify\0" + address.encode(), hashlib.sha256).hexdigest()


def too_many(session: Session, who: str) -> bool:
    """Tell whether a caller has looked up too many codes that do not exist, lately."""
    missed = select(func.count()).where(LoginAttempt.account == who, LoginAttempt.at > clock.now() - WITHIN)
    return (session.scalar(missed) or 0) >= ALLOWED


def note_miss(session: Session, who: str) -> None:
    """Count a code that nothing was handed in under; call inside ``write()``."""
    note_attempt(session, who, succeeded=False)
