"""A POST sent twice happens once: its answer is kept for seven days under the key that the sender made.

For the JSON API (header ``Idempotency-Key``, :mod:`portal.api.door`) and for plain pages (a hidden field,
:mod:`portal.blueprints.once`): call :func:`begin` first inside ``write()``; where it returns an answer, give that; else
do the work and :func:`keep` its answer in that transaction.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.errors import Invalid
from portal.models import IdempotencyKey
from portal.prepared import Prepared

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KEPT_FOR = timedelta(days=7)
_KEY = re.compile(r"[!-~]{1,64}")
# kept out of the fingerprint: a stored hash of a password or code could be guessed at
_UNHASHED = ("password", "totp")
_UNDER_WAY = 0


# every post of a page and of the API asks these: each is made once
_TABLE: Any = IdempotencyKey.__table__
_THIS = (_TABLE.c.user_id == bindparam("user"), _TABLE.c.key == bindparam("of_key"))
_DROP_OLD = Prepared(delete(_TABLE).where(*_THIS, _TABLE.c.created_at < bindparam("before")))
_TAKE = {
    name: Prepared(one.insert(_TABLE).on_conflict_do_nothing(index_elements=["user_id", "key"]))
    for name, one in {"postgresql": postgresql, "sqlite": sqlite}.items()
}
_FIND = Prepared(select(_TABLE.c.body_hash, _TABLE.c.status, _TABLE.c.body, _TABLE.c.location).where(*_THIS))
_KEEP = Prepared(
    update(_TABLE).where(*_THIS).values({name: bindparam(name) for name in ("status", "body", "location")})
)


@dataclass(frozen=True)
class KeptAnswer:
    """What was answered the first time."""

    status: int
    body: str | None = None
    location: str | None = None


def fingerprint(method: str, path: str, body: Any) -> str:
    """Return the sha256 that tells one request from another; ``body`` is JSON or a mapping of form fields."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if not any(secret in name for secret in _UNHASHED)}
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def begin(session: Session, *, user_id: int, key: str, body_hash: str) -> KeptAnswer | None:
    """Take a key, or return what was answered under it; call first inside ``write()``.

    A second sender of the same key waits for the first one's transaction (PostgreSQL: on the unique key; SQLite: on
    the writer lock), so that only one of them does the work.

    Raises:
        Invalid: the key is not 1 to 64 visible ASCII characters, or belongs to another request
            (``idempotency_key_reused``).
    """
    if not _KEY.fullmatch(key):
        sentence = _l("The idempotency key must be 1 to 64 visible ASCII characters.")
        raise Invalid(sentence, code="idempotency_key_invalid")
    moment = clock.now()
    wanted = {"user_id": user_id, "key": key}
    # all others that are over go by housekeeping
    _DROP_OLD.write(session.connection(), [{"user": user_id, "of_key": key, "before": moment - KEPT_FOR}])
    made = wanted | {"body_hash": body_hash, "status": _UNDER_WAY, "created_at": moment}
    if _TAKE[session.connection().dialect.name].change(session, made):
        return None
    return find(session, user_id=user_id, key=key, body_hash=body_hash)


def find(session: Session, *, user_id: int, key: str, body_hash: str) -> KeptAnswer | None:
    """Return what was answered under a key, None if it was never used.

    Raises:
        Invalid: it belongs to another request (``idempotency_key_reused``).
    """
    kept = _FIND.first(session, {"user": user_id, "of_key": key})
    if kept is None:
        return None
    if kept.body_hash != body_hash:
        sentence = _l("This idempotency key was used for another request. Make a new key for each thing you do.")
        raise Invalid(sentence, code="idempotency_key_reused")
    return KeptAnswer(kept.status, kept.body, kept.location)


def keep(
    session: Session, *, user_id: int, key: str, status: int, body: str | None = None, location: str | None = None
) -> None:
    """Keep the answer of a request whose key was taken by :func:`begin` in this transaction."""
    given = {"user": user_id, "of_key": key, "status": status, "body": body, "location": location}
    _KEEP.write(session.connection(), [given])


def forget(session: Session, *, user_id: int, key: str) -> None:
    """Give a key free again whose request was refused: the same page may be sent once more, put right."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key))
