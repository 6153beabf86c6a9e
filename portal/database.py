"""The database: engine set-up for SQLite and PostgreSQL, and :func:`write`, the one way to change anything."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
import time
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from portal.extensions import db
from portal.prepared import connection_of, errors_of, is_trusted, said, say_what_waits, way_of, wire_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from sqlalchemy import Connection, Dialect, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.orm import Session
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Windows has none: there the thread lock of the one process is enough
fcntl: ModuleType | None = importlib.import_module("fcntl") if importlib.util.find_spec("fcntl") else None

WRITE = "portal_write"
_DEFERRED, _BEGUN = "portal_deferred", "portal_begun"
_locks: dict[str, threading.RLock] = {}
# whether the transaction that begins now will write
_immediate: ContextVar[bool] = ContextVar("portal_immediate", default=False)


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of ``create_engine`` for a database address, time-outs included.

    SQLite is opened through ``pysqlite3``, whose bundled library is free of the WAL-reset bug (SQLite < 3.51.3).
    """
    options: dict[str, Any] = {"url": url, "json_serializer": _json, "json_deserializer": _unjson}
    if url.startswith("sqlite"):
        try:
            from pysqlite3 import dbapi2
        except ImportError:
            from sqlite3 import dbapi2
        options |= {
            "module": dbapi2,
            "pool_size": 16,
            # the connection used last has what is asked for in its cache
            "pool_use_lifo": True,
            "max_overflow": 16,
            "pool_timeout": 10,
            "connect_args": {"timeout": 10, "check_same_thread": False},
        }
    else:
        options |= {
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 10,
            "pool_pre_ping": True,
            "pool_use_lifo": True,
            "connect_args": {
                "connect_timeout": 5,
                # at each rollback, which ends a page that read, psycopg forgets all that is prepared, portal.wire's too
                "prepare_threshold": None,
                "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c timezone=UTC",
            },
        }
    return options


# json.dumps would make an encoder each time
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


_decoder = json.JSONDecoder()
# its reader in C; the rest of ``decode`` looks for blanks around a text, which neither we nor a server write
_scanned = _decoder.scan_once  # type: ignore[attr-defined] # not among its documented names, there since Python 2.6


def _unjson(text: str | bytes) -> Any:
    # psycopg hands bytes over, in UTF-8: json.loads would look first which encoding that is. Of a number, which SQLite
    # makes of a JSON text of digits, str raises the TypeError that SQLAlchemy waits for
    said = text if isinstance(text, str) else str(text, "utf-8")
    try:
        found, end = _scanned(said, 0)
    except StopIteration:
        return _decoder.decode(said)
    return found if end == len(said) else _decoder.decode(said)


def prepare(engine: Engine, *, reads_alone: Callable[[], bool] = lambda: False) -> None:
    """Attach the connection settings that durability and integrity need (design, section 3).

    ``reads_alone`` tells, when reading begins, whether each statement may stand by itself on a server (no transaction
    around them, so no round trips for it): for pages that are asked often and read no stream of rows.
    """
    # not by events: an engine with listeners asks them again at every statement
    if engine.dialect.name != "sqlite":
        engine.dialect.do_begin = _begin_on_server(reads_alone)  # type: ignore[method-assign,assignment] # each engine has a dialect of its own
        engine.dialect.do_ping = _ping(engine.dialect)  # type: ignore[method-assign,assignment] # the same
        _let_wires_speak(engine.dialect)
        return

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # SQLAlchemy says BEGIN itself, see below; the driver must not
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    engine.dialect.do_begin = _begin  # type: ignore[method-assign,assignment] # each engine has a dialect of its own


def _begin(connection: DBAPIConnection) -> None:
    connection.cursor().execute("BEGIN IMMEDIATE" if _immediate.get() else "BEGIN")


def _begin_on_server(reads_alone: Callable[[], bool]) -> Callable[[PoolProxiedConnection], None]:
    """Return what begins a transaction: the driver does it with the first statement, or not at all.

    Under READ COMMITTED each statement sees its own moment anyway; a transaction promises to what is only read nothing.
    """

    def begin(lent: PoolProxiedConnection) -> None:
        connection: Any = lent.driver_connection
        if _immediate.get() and _is_alone(connection):
            wire_on(connection).begin()
            return
        alone = not _immediate.get() and reads_alone()
        if alone is not _is_alone(connection):
            _let_alone(connection, alone)

    return begin


def _is_alone(connection: Any) -> bool:
    # not its autocommit: that may have been asked for by somebody else
    return bool(vars(connection).get("portal_alone"))


def _let_alone(connection: Any, alone: bool) -> None:  # noqa: FBT001 - a setter
    connection.autocommit = vars(connection)["portal_alone"] = alone


def _let_wires_speak(dialect: Any) -> None:
    """Let what waits on a connection (:mod:`portal.wire`) go before what SQLAlchemy says there, and end with it."""

    def after_what_waits(say: Callable[..., None]) -> Callable[..., None]:
        def said_after(cursor: Any, *more: Any, **named: Any) -> None:
            if (wire := vars(cursor.connection).get("portal_wire")) is not None:
                wire.settle()
            say(dialect, cursor, *more, **named)

        return said_after

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        setattr(dialect, name, after_what_waits(getattr(type(dialect), name)))
    dialect.do_commit, dialect.do_rollback = _commit, _roll_back
    undo = type(dialect).do_rollback_to_savepoint

    def undo_part(connection: Connection, name: str) -> None:
        # what was told since the savepoint is undone unsaid; what was told before it went before it
        wire_on(connection.connection.driver_connection).drop()
        undo(dialect, connection, name)

    dialect.do_rollback_to_savepoint = undo_part


def _commit(lent: PoolProxiedConnection) -> None:
    driver: Any = lent.driver_connection
    (vars(driver).get("portal_wire") or driver).commit()


def _roll_back(lent: PoolProxiedConnection) -> None:
    driver: Any = lent.driver_connection
    (vars(driver).get("portal_wire") or driver).rollback()


def _ping(dialect: Dialect) -> Callable[[DBAPIConnection], bool]:
    """Return what looks whether a pooled connection still lives, unless it was in use a moment ago.

    A server that went away within that moment is met by the first statement of a request, which is asked once more
    (:func:`portal.blueprints.sessions.asked_again`); what was met so makes all connections doubtful.
    """
    ask = type(dialect).do_ping

    def alive(connection: DBAPIConnection) -> bool:
        kept = vars(connection)
        seen = kept.get("portal_seen", 0.0)
        kept["portal_seen"] = time.monotonic()
        return is_trusted(seen) or ask(dialect, connection)

    return alive


def _end_reading(session: Session) -> None:
    """End what the session has read so far; its connection stays, where it has one.

    What a driver does for a commit is done by the driver itself: the session's own way gives the connection back to the
    pool and takes it out again, a tenth of the time that a save takes.
    """
    session.info.pop(_BEGUN, None)  # what was begun ahead ends as well, and its locks with it
    if not session.in_transaction():
        return
    connection = connection_of(session)
    try:
        connection.dialect.do_commit(connection.connection)
    except connection.dialect.loaded_dbapi.Error:
        session.rollback()  # the connection is lost; what was read through it is over all the same


def _open_for_writing(session: Session) -> None:
    """Begin the session's transaction as one that writes: nobody else's write comes between its reads and its own."""
    if session.in_transaction():  # its reading has ended, see _end_reading
        connection = connection_of(session)
        if connection.dialect.name == "sqlite":
            said(connection, "BEGIN IMMEDIATE").close()
        elif _is_alone(connection.connection.driver_connection):
            wire_on(connection.connection.driver_connection).begin()
        return
    token = _immediate.set(True)
    try:
        session.connection()
    finally:
        _immediate.reset(token)


def _commit_written(session: Session) -> None:
    """Commit; where the session holds no objects, as after statements alone, by the driver itself.

    The session's own commit looks through what it holds, gives the connection back and takes it out for the next word.
    """
    if next(iter(session), None) is not None:
        session.commit()
        return
    connection = connection_of(session)
    with errors_of(connection, "COMMIT"):
        connection.dialect.do_commit(connection.connection)


def write_soon(session: Session) -> bool:
    """Begin at once, on a server, the transaction of the :func:`write` that this request is likely to come to.

    What is told to come next (:meth:`portal.prepared.Prepared.soon`) may be a lock then, and ``write()`` finds the
    transaction begun. A request that never comes to it rolls back at its end. Tells whether it was begun: never on
    SQLite, where nobody else could write meanwhile.
    """
    connection, wire = way_of(session)
    if wire is None or connection.engine.dispatch.before_cursor_execute:
        return False
    wire.begin()
    session.info[_BEGUN] = session.get_transaction()
    return True


def begun_ahead(session: Session) -> bool:
    """Tell whether the session is in a transaction of :func:`write_soon`, before its ``write()`` or in it."""
    begun = session.info.get(_BEGUN)
    return begun is not None and begun is session.get_transaction()


def _lock_for(engine: Engine) -> AbstractContextManager[object]:
    """Return the lock that queues writers: none on PostgreSQL; on SQLite a thread lock, then a file lock."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return nullcontext()
    return _queue(path)


@contextmanager
def _queue(path: str) -> Iterator[None]:
    lock = _locks.setdefault(path, threading.RLock())
    with lock:
        if fcntl is None:
            yield
            return
        handle = os.open(f"{path}-writer", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@contextmanager
def write() -> Iterator[Session]:
    """Run the block in one write transaction: commit at its clean end, roll back on any error.

    What was read before is another transaction, ended here; the block must re-read what it relies on. Writers queue
    behind one lock instead of colliding (SQLite); an inner ``write()`` joins the outer one. Inside :func:`deferred` the
    commit waits.
    """
    session = db.session
    if session.info.get(WRITE):
        yield session
        return
    if session.new or session.dirty or session.deleted:
        message = "objects were changed outside write()"
        raise RuntimeError(message)
    if (waiting := session.info.get(_DEFERRED)) is not None:
        with waiting.joined(session):
            yield session
        return
    begun = begun_ahead(session)
    if not begun:
        _end_reading(session)
    with _lock_for(db.engine):
        session.info[WRITE] = True
        try:
            if not begun:
                _open_for_writing(session)
            yield session
            _commit_written(session)
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop(WRITE, None)
            session.info.pop(_BEGUN, None)


class Deferred:
    """The transaction of all ``write()`` blocks of one request, committed when its answer is known."""

    def __init__(self, first: Callable[[Session], None]) -> None:
        self._first = first
        self._locks: ExitStack | None = None

    @property
    def begun(self) -> bool:
        """Tell whether something was written that still waits for its commit."""
        return self._locks is not None

    @contextmanager
    def joined(self, session: Session) -> Iterator[None]:
        """Run one ``write()`` block: undone alone if it fails, committed with the others."""
        session.info[WRITE] = True
        try:
            if self._locks is not None:
                with session.begin_nested():
                    yield
                    # told in the block, so that what fails is undone with it: at its end it is too late for that
                    say_what_waits(session)
                return
            _end_reading(session)
            with ExitStack() as locks:
                locks.enter_context(_lock_for(db.engine))
                try:
                    _open_for_writing(session)
                    self._first(session)
                    yield
                    session.flush()
                except BaseException:
                    session.rollback()
                    raise
                self._locks = locks.pop_all()
        finally:
            session.info.pop(WRITE, None)

    def settle(self, last: Callable[[Session], None]) -> None:
        """Do the last thing and commit; ``write()`` blocks after it stand by themselves."""
        session, locks = db.session, self._locks
        if session.info.get(_DEFERRED) is self:
            del session.info[_DEFERRED]
        self._locks = None
        if locks is None:
            return
        with locks:
            try:
                last(session)
                _commit_written(session)
            except BaseException:
                session.rollback()
                raise

    def abandon(self) -> None:
        """Undo what was never settled; nothing if it was."""
        session, locks = db.session, self._locks
        if session.info.get(_DEFERRED) is self:
            del session.info[_DEFERRED]
        self._locks = None
        if locks is not None:
            with locks:
                session.rollback()


@contextmanager
def deferred(first: Callable[[Session], None]) -> Iterator[Deferred]:
    """Let the ``write()`` blocks inside share one transaction, which ``Deferred.settle`` commits.

    ``first`` runs at the beginning of the first of them. Work that wants other transactions meanwhile must settle first
    (SQLite would wait for itself).
    """
    made = Deferred(first)
    db.session.info[_DEFERRED] = made
    try:
        yield made
    finally:
        # whoever left without settling: nothing of it stays
        made.abandon()


def writing(session: Session) -> bool:
    """Tell whether the session is inside :func:`write`."""
    return bool(session.info.get(WRITE))


def data_file(engine: Engine) -> Path | None:
    """Return the SQLite file, or None on a server."""
    path = engine.url.database
    return Path(path) if engine.dialect.name == "sqlite" and path else None
