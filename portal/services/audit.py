"""The audit chain: each act is a row whose hash covers the row before it, so that tampering shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from portal import clock
from portal.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

GENESIS = "0" * 64
# one writer at a time extends the chain; any constant known to this module alone will do
_CHAIN_LOCK = 7_261_530


def digest(
    number: int, at: datetime, actor_id: int | None, act: tuple[str, str, str], details: dict[str, Any], previous: str
) -> str:
    """Return the sha256 of one audit row: canonical JSON of its content and the hash before it."""
    canonical = json.dumps(
        [number, at.astimezone(UTC).isoformat(timespec="microseconds"), actor_id, *act, details, previous],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One act among many of the same kind."""

    thing: str
    details: dict[str, Any]


def record(
    session: Session, action: str, *, by: Principal | None, kind: str = "", thing: str = "", **details: Any
) -> AuditEvent:
    """Chain one act; call it last in the transaction. ``thing`` is a public id or code, ``details`` plain JSON."""
    number, previous = _last(session)
    event = _event(number + 1, previous, (action, kind, thing), details, by=by)
    session.add(event)
    session.flush()
    return event


def record_all(session: Session, action: str, entries: Sequence[Entry], *, by: Principal | None, kind: str) -> None:
    """Chain the same act on many things, one row each, in their order; two statements however many there are."""
    number, previous = _last(session)
    rows = []
    for entry in entries:
        number += 1
        event = _event(number, previous, (action, kind, entry.thing), entry.details, by=by)
        previous = event.hash
        rows.append({column: getattr(event, column) for column in _COLUMNS})
    if rows:
        session.connection().execute(insert(AuditEvent.__table__), rows)  # type: ignore[arg-type] # __table__ is a Table


_COLUMNS = ("number", "at", "actor_id", "action", "object_kind", "object_id", "details", "previous", "hash")


def _last(session: Session) -> tuple[int, str]:
    """Return number and hash of the last act; on PostgreSQL nobody else writes one until the end of the transaction."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    last = session.execute(
        select(AuditEvent.number, AuditEvent.hash).order_by(AuditEvent.number.desc()).limit(1)
    ).first()
    return (last.number, last.hash) if last else (0, GENESIS)


def _event(
    number: int, previous: str, act: tuple[str, str, str], details: dict[str, Any], *, by: Principal | None
) -> AuditEvent:
    at = clock.now()
    actor_id = by.actor_id if by else None
    action, kind, thing = act
    return AuditEvent(
        number=number,
        at=at,
        actor_id=actor_id,
        action=action,
        object_kind=kind,
        object_id=thing,
        details=details,
        previous=previous,
        hash=digest(number, at, actor_id, act, details, previous),
    )


def verify(session: Session) -> list[str]:
    """Return what is wrong with the chain, each with its place; an empty list means it is whole."""
    faults: list[str] = []
    previous, expected = GENESIS, 1
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.number)):
        if event.number != expected:
            faults.append(f"audit event {expected} is missing (found {event.number})")
            expected = event.number
        if event.previous != previous:
            faults.append(f"audit event {event.number} does not follow the one before it")
        act = (event.action, event.object_kind, event.object_id)
        if event.hash != digest(event.number, event.at, event.actor_id, act, event.details, event.previous):
            faults.append(f"audit event {event.number} was changed")
        previous, expected = event.hash, expected + 1
    return faults
