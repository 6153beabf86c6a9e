"""Statements of the answering page and of the autosave, compiled once and handed to the driver (decision 0038).

SQLAlchemy's way from a statement to the driver makes a cache key, a context, a cursor result and its metadata each
time: a third of a save, for statements that never change. A :class:`Prepared` keeps what SQLAlchemy made of a
statement for a dialect (its text, the converters of its parameters and columns) and runs it in the session's own
transaction.
"""

from __future__ import annotations

import importlib
import json
import time
from collections import deque, namedtuple
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import JSON, Text, bindparam, column, func, select
from sqlalchemy import cast as cast_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, NoResultFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Dialect, Select
    from sqlalchemy.engine.interfaces import DBAPICursor
    from sqlalchemy.orm import Session

    from portal.wire import Wire

    Converter = Callable[[Any], Any]

# rows from which on they go to a server in one statement instead of one each
MANY = 4
# where a session keeps its transaction, the connection of it and the direct way to the server on that
KEPT_CONNECTION = "portal_connection"
# seconds after its last use in which a connection is taken to live; when this process last found one lost
TRUSTED_FOR = 1.0
_lost = deque([0.0], maxlen=1)
# its fields are known at run time only, which the checker has no word for
_row_type: Any = namedtuple  # noqa: PYI024


class _Made:
    """A statement as one dialect says it: its text, how parameters go in and columns come out."""

    def __init__(self, statement: Any, dialect: Dialect, given: Sequence[str] | None) -> None:
        compiled = statement.compile(dialect=_spoken(dialect), column_keys=given)
        if getattr(compiled, "insert_prefetch", ()) or getattr(compiled, "update_prefetch", ()):
            message = "a column gets its value from Python: name it among the values"
            raise TypeError(message)
        self.text = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        places: Sequence[Any] = compiled.positiontup if compiled.positional else list(binds)
        into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        self.named = not compiled.positional
        # constants of the statement itself are converted once
        self.blank: list[Any] = [
            None if (bind := binds[name]).required else (into[name] or _same)(bind.effective_value) for name in places
        ]
        self.places = list(places)
        # of what goes out as JSON in one text with many rows, its own JSON is part
        self.by_name = [
            (name, None if isinstance(bind.type.dialect_impl(dialect), JSON) else into[name])
            for name, bind in binds.items()
            if bind.required
        ]
        self.wanted = [(at, name, into[name]) for at, name in enumerate(places) if binds[name].required]
        columns = list(getattr(statement, "selected_columns", ()))
        out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self.converters = [(at, convert) for at, convert in enumerate(out) if convert is not None]
        names = [str(getattr(column, "key", None) or "_") for column in columns]
        row: Any = _row_type("Row", names, rename=True)
        self.row: Callable[[Sequence[Any]], Any] = row._make

    def values(self, given: Mapping[str, Any]) -> Any:
        """Return the parameters as the driver takes them. Raises: KeyError for one that is missing."""
        out = self.blank.copy()
        for at, name, convert in self.wanted:
            out[at] = given[name] if convert is None else convert(given[name])
        return dict(zip(self.places, out, strict=True)) if self.named else out

    def text_of(self, rows: Sequence[Mapping[str, Any]], without: Collection[str] = ()) -> str:
        """Return rows of parameters as one JSON text, without some of them; what is not said is null."""
        wanted = [(name, convert) for name, convert in self.by_name if name not in without]
        return _as_json(
            [
                {
                    name: given if convert is None else convert(given)
                    for name, convert in wanted
                    if (given := row[name]) is not None
                }
                for row in rows
            ]
        )

    def read(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Return what the driver found as rows whose fields have the columns' names and types."""
        rows = []
        for one in found:
            row = list(one)
            for at, convert in self.converters:
                row[at] = convert(row[at])
            rows.append(self.row(row))
        return rows


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat).encode


def _same(value: Any) -> Any:
    return value


def _spoken(dialect: Dialect) -> Dialect:
    """Return the dialect in which a statement is compiled: libpq counts parameters where psycopg names them."""
    if dialect.name != "postgresql":
        return dialect
    made: Any = type(dialect)
    spoken = made(paramstyle="numeric_dollar")
    spoken.server_version_info = dialect.server_version_info
    return cast("Dialect", spoken)


class Prepared:
    """A statement of SQLAlchemy Core that is asked often: fixed text, named parameters, no list that expands.

    Rows are named tuples; the types are those of SQLAlchemy's own execution. An error of the driver comes as
    SQLAlchemy's (``OperationalError`` for a full disk), and an engine that somebody listens to (tests that count) runs
    it the common way.
    """

    def __init__(
        self, statement: Any, *, at_once: Callable[[Sequence[str]], Any] | None = None, shared: Sequence[str] = ()
    ) -> None:
        """Keep a statement; ``at_once`` makes of it what does the same on a server for many rows (:func:`rows_of`).

        It is told which columns all rows share: none, or ``shared``, which are said once then.
        """
        self.statement = statement
        self._shared = tuple(shared)
        self._at_once = Prepared(at_once(())) if at_once is not None else None
        self._at_once_alike = Prepared(at_once(self._shared)) if at_once is not None and shared else None

    def all(self, session: Session, given: Mapping[str, Any]) -> Sequence[Any]:
        """Return all rows."""
        connection, wire = way_of(session)
        if connection.engine.dispatch.before_cursor_execute:
            return connection.execute(self.statement, dict(given)).all()
        made = self._made(connection, None)
        if wire is not None:
            with errors_of(connection, made.text):
                return made.read(wire.ask(made.text, made.values(given)))
        cursor = said(connection, made.text, made.values(given))
        try:
            return made.read(cursor.fetchall())
        finally:
            cursor.close()

    def soon(self, session: Session, given: Mapping[str, Any]) -> None:
        """Tell that these rows are asked for soon: on a server they come with what is asked next.

        Only a hint: whoever asks gets the same rows without it, a journey later.
        """
        connection, wire = way_of(session)
        if wire is None or connection.engine.dispatch.before_cursor_execute:
            return
        made = self._made(connection, None)
        wire.expect(made.text, made.values(given))

    def first(self, session: Session, given: Mapping[str, Any]) -> Any | None:
        """Return the first row, None if there is none."""
        found = self.all(session, given)
        return found[0] if found else None

    def one(self, session: Session, given: Mapping[str, Any]) -> Any:
        """Return the row that must be there. Raises: NoResultFound."""
        found = self.all(session, given)
        if not found:
            raise NoResultFound
        return found[0]

    def change(self, session: Session, given: Mapping[str, Any]) -> int:
        """Run it and return how many rows it changed."""
        connection, wire = way_of(session)
        if connection.engine.dispatch.before_cursor_execute:
            return connection.execute(self.statement, dict(given)).rowcount
        made = self._made(connection, tuple(given))
        if wire is not None:
            with errors_of(connection, made.text):
                return wire.change(made.text, made.values(given))
        cursor = said(connection, made.text, made.values(given))
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once per row of values; all rows name the same columns.

        On a server this travels with what is asked next, or with the end of the transaction, which raises what fails.
        """
        if connection.engine.dispatch.before_cursor_execute:
            connection.execute(self.statement, [dict(row) for row in rows])
            return
        made = self._made(connection, tuple(rows[0]))
        if self._at_once is not None and len(rows) >= MANY and connection.dialect.name == "postgresql":
            said_once = {name: rows[0][name] for name in self._shared}
            if self._at_once_alike is not None and all(said_once.items() <= row.items() for row in rows):
                self._at_once_alike.write(connection, [{"rows": made.text_of(rows, said_once), **said_once}])
            else:
                self._at_once.write(connection, [{"rows": made.text_of(rows)}])
            return
        values = [made.values(row) for row in rows]
        if (wire := wire_of(connection)) is not None:
            with errors_of(connection, made.text):
                wire.tell([(made.text, one) for one in values])
        elif len(values) == 1:
            said(connection, made.text, values[0]).close()
        else:
            _said_each(connection, made.text, values)

    def _made(self, connection: Connection, given: tuple[str, ...] | None) -> _Made:
        # the dialect is the engine's own object, and lives as long as it
        kept: dict[Any, _Made] = vars(connection.dialect).setdefault("_portal_prepared", {})
        made = kept.get((self, given))
        if made is None:
            made = kept[self, given] = _Made(self.statement, connection.dialect, given)
        return made


def rows_of(table: Any, names: Sequence[str], shared: Collection[str] = ()) -> Select[*tuple[Any, ...]]:
    """Return what reads rows of some columns of a table out of the parameter ``rows`` (PostgreSQL).

    Columns that all rows share are parameters by their own names.
    """
    columns = [column(name, table.c[name].type) for name in names if name not in shared]
    given = func.jsonb_to_recordset(cast_(bindparam("rows", type_=Text()), JSONB)).table_valued(*columns)
    each = given.render_derived(name="given", with_types=True).c
    return select(*(bindparam(name, type_=table.c[name].type) if name in shared else each[name] for name in names))


def connection_of(session: Session) -> Connection:
    """Return the session's connection; asking the session itself for it costs a tenth of what a lookup does."""
    return way_of(session)[0]


def way_of(session: Session) -> tuple[Connection, Wire | None]:
    """Return the session's connection, and the direct way to the server on it, None where there is none."""
    kept: tuple[Any, Connection, Wire | None] | None = session.info.get(KEPT_CONNECTION)
    if (
        kept is not None
        and kept[0] is session.get_transaction()
        and session.is_active
        and not kept[1].invalidated
    ):
        return kept[1:]
    connection = session.connection()
    wire = wire_of(connection)
    session.info[KEPT_CONNECTION] = session.get_transaction(), connection, wire
    return connection, wire


def said(connection: Connection, text: str, values: Any = ()) -> DBAPICursor:
    """Say a statement to the driver on the connection of a session. Raises: DBAPIError, as SQLAlchemy does."""
    if (wire := wire_of(connection)) is not None:
        wire.settle()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(text, values)
    except connection.dialect.loaded_dbapi.Error as error:
        cursor.close()
        raise _as_sqlalchemy_says(connection, text, values, error) from error
    return cursor


def _said_each(connection: Connection, text: str, rows: Sequence[Any]) -> None:
    """Say a statement that answers nothing once per row, in one call of the driver. Raises: as :func:`said`."""
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(text, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_says(connection, text, rows, error) from error
    finally:
        cursor.close()


def _as_sqlalchemy_says(connection: Connection, text: str, values: Any, error: Any) -> DBAPIError:
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        _lost.append(time.monotonic())
        connection.invalidate(error)
    made: Any = DBAPIError.instance(
        text, values, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
    )
    return cast("DBAPIError", made)


def wire_of(connection: Connection) -> Wire | None:
    """Return the direct way to the server of a session's connection; None where there is no server."""
    if connection.dialect.name != "postgresql":
        return None
    return wire_on(connection.connection.driver_connection)


def meanwhile(session: Session, work: Callable[[], object]) -> None:
    """Let something be done while the next journey to a server is under way (:meth:`portal.wire.Wire.meanwhile`)."""
    connection, wire = way_of(session)
    if wire is not None and not connection.engine.dispatch.before_cursor_execute:
        wire.meanwhile(work)


def say_what_waits(session: Session) -> None:
    """Send what was told and waits for the next journey. Raises: DBAPIError, of the first that failed."""
    connection, wire = way_of(session)
    if wire is not None:
        with errors_of(connection, "several statements"):
            wire.settle()


def wire_on(driver: Any) -> Wire:
    """Return the direct way of a connection of psycopg."""
    kept = vars(driver)
    if "portal_wire" not in kept:
        kept["portal_wire"] = importlib.import_module("portal.wire").Wire(driver)
    return cast("Wire", kept["portal_wire"])


@contextmanager
def errors_of(connection: Connection, text: str) -> Iterator[None]:
    """Let what the driver raises come as SQLAlchemy's errors."""
    try:
        yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_says(connection, text, (), error) from error


def is_trusted(last_used: float) -> bool:
    """Tell whether a connection is taken to live without a look, by when it was last used (``time.monotonic``).

    One that was lost since makes all of them doubtful.
    """
    return time.monotonic() - last_used < TRUSTED_FOR and last_used > _lost[-1]
