"""The one clock: every time stamp of the product comes from :func:`now`, so that tests and the demo can set it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_set_time: ContextVar[datetime | None] = ContextVar("portal_clock", default=None)


def now() -> datetime:
    """Return the present moment as an aware UTC datetime, or the moment set by :func:`at`."""
    return _set_time.get() or datetime.now(UTC)


def today(time_zone: str = "UTC") -> date:
    """Return the present day in an IANA time zone (deadlines are days in the country's zone)."""
    return now().astimezone(ZoneInfo(time_zone)).date()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let :func:`now` answer ``moment`` (aware) inside the block, for this thread or task only."""
    if moment.tzinfo is None:
        message = "clock.at() needs an aware datetime"
        raise ValueError(message)
    token = _set_time.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _set_time.reset(token)
