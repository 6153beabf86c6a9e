"""Sessions that a serving process goes on with: a request that left nothing in its session hands it to the next one.

A session takes a connection from the pool, makes an object around it and a transaction around that, and undoes all
three at the end: a tenth of what a save costs, for the same connection each time (decision 0060). Here the session
stays as it is, connection included; what ends is what the driver has begun.

Only processes that answer requests keep any (:meth:`portal.cli.even_worker.EvenWorker.run`): a kept session holds its
connection out of the pool, which whoever disposes of an engine would not expect.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from portal.prepared import KEPT_CONNECTION, errors_of, is_trusted, way_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session
    from sqlalchemy.pool import PoolProxiedConnection


class KeptSessions:
    """The sessions that wait for the next request, the one used last in front."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Session, float]] = deque()

    def take(self) -> Session | None:
        """Return a session as if it were new, its transaction begun; None where there is none to go on with."""
        while self._waiting:
            try:
                session, since = self._waiting.pop()
            except IndexError:  # another thread was quicker
                return None
            if is_trusted(since) and _begins(session):
                return session
            session.close()  # the pool looks at its connection before it is used again
        return None

    def close(self) -> None:
        """Give all connections back to the pool."""
        while self._waiting:
            self._waiting.pop()[0].close()

    def keep(self, session: Session) -> bool:
        """Keep a session for the next request; False where something is left in it, or its connection is not well."""
        if not _is_blank(session) or not _ends(session):
            return False
        self._waiting.append((session, time.monotonic()))
        return True


def _is_blank(session: Session) -> bool:
    """Tell whether a session holds a sound connection and nothing else: no object, no savepoint, no word of anybody."""
    if session.info.keys() != {KEPT_CONNECTION} or not session.is_active:
        return False
    transaction, connection, _wire = session.info[KEPT_CONNECTION]
    return (
        transaction is session.get_transaction()
        and not session.in_nested_transaction()
        and not connection.invalidated
        and next(iter(session), None) is None
    )


def _begins(session: Session) -> bool:
    """Let the driver begin, as with a connection out of the pool; tell whether that went well."""
    connection, _wire = way_of(session)
    return _well(connection, connection.dialect.do_begin)


def _ends(session: Session) -> bool:
    """Undo what the driver has begun, and whatever waits to be said; tell whether that went well."""
    connection, _wire = way_of(session)
    return _well(connection, connection.dialect.do_rollback)


def _well(connection: Connection, say: Callable[[PoolProxiedConnection], None]) -> bool:
    try:
        with errors_of(connection, "the end of a request, or its beginning"):
            say(connection.connection)
    except DBAPIError:
        return False
    return True
