"""Databases for tests: a migrated SQLite file copied per test, a migrated PostgreSQL database emptied after each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import LRUCache

from portal import migrations
from portal.database import engine_options, prepare
from portal.models import Base

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

ENGINES = ("sqlite", "postgresql")
ATTEMPTS = 3  # to start a private cluster


def open_engine(url: str) -> Engine:
    """Open a database as the application does."""
    from portal.app import people_type_here

    engine = create_engine(**engine_options(url))
    prepare(engine, reads_alone=people_type_here)
    return engine


_first: dict[str, Engine] = {}


def share_what_is_compiled(engine: Engine) -> None:
    """Let all engines of one kind that tests open use the statements compiled for the first of them.

    SQLAlchemy keeps them by engine and dialect object, so each test's new engine would compile every statement again: a
    fifth of what a test of pages takes. A dialect is shared once a connection has told it what the server can do.
    """
    first = _first.get(engine.dialect.name)
    if first is None:
        try:
            with engine.connect():
                first = _first[engine.dialect.name] = engine
        except OperationalError:  # a test of a database that is not there: the next one may be the first
            return
        first._compiled_cache = LRUCache(5000)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


def make_sqlite_template(folder: Path) -> Path:
    """Migrate an empty SQLite file and close it, so that it is one file without a WAL beside it."""
    path = folder / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


class Postgres:
    """A PostgreSQL server for tests, with one migrated template database per worker.

    ``stop`` ends a private cluster and removes it, with all that was made there.
    """

    def __init__(self, url: str, stop: list[list[str]] | None = None) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self._stop = stop or []
        self._template = f"tamdan_t_{uuid.uuid4().hex[:12]}"
        self._made: list[str] = []
        self._administer(f"CREATE DATABASE {self._template} TEMPLATE template0 ENCODING 'UTF8'")
        engine = open_engine(self._address(self._template))
        migrations.upgrade(engine)
        engine.dispose()

    def clone(self, tablespace: str = "") -> str:
        """Make a database like the template, in a tablespace if one is named, and return its address."""
        name = f"{self._template}_{len(self._made)}"
        place = f" TABLESPACE {tablespace}" if tablespace else ""
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._template}{place}")
        self._made.append(name)
        return self._address(name)

    def close(self) -> None:
        """Drop what was made, and stop the private cluster if there is one."""
        for name in () if self._stop else (*self._made, self._template):
            self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        for command in self._stop:
            subprocess.run(command, check=False, capture_output=True)

    def make_tablespace(self, name: str, folder: Path) -> None:
        """Let databases lie in a folder of this machine, which its server must be able to reach."""
        shutil.chown(folder, "postgres")
        self._administer(f"CREATE TABLESPACE {name} LOCATION '{folder}'")

    def drop_tablespace(self, name: str) -> None:
        """Forget a tablespace whose databases are gone."""
        self._administer(f"DROP TABLESPACE {name}")

    def _address(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _administer(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def start_postgres() -> Postgres:
    """Find a server: PORTAL_TEST_PG_URL, the local one, else a private cluster; skip (fail with CI=true) if none."""
    if given := os.environ.get("PORTAL_TEST_PG_URL"):
        return Postgres(given)
    if _listens("127.0.0.1", 5432):
        try:
            return Postgres("postgresql://postgres@127.0.0.1:5432/postgres")
        except Exception as error:  # noqa: BLE001 - a foreign server may refuse in any way; a private one follows
            reason = f"the server on 127.0.0.1:5432 does not let postgres in ({type(error).__name__})"
    else:
        reason = "no server on 127.0.0.1:5432"
    if binaries := _binaries():
        return _private_cluster(binaries)
    message = f"PostgreSQL tests need PORTAL_TEST_PG_URL or local binaries: {reason}, and no initdb was found"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def _private_cluster(binaries: Path) -> Postgres:
    folder = Path(tempfile.mkdtemp(prefix="tamdan-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    # PostgreSQL refuses to run as root
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if prefix:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    subprocess.run(
        [*prefix, str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True,
    )  # fmt: skip
    # nothing here outlives the run, so nothing is written for the case that it should
    ease = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=2GB"
    control = [*prefix, str(binaries / "pg_ctl"), "-D", data]
    for attempt in range(ATTEMPTS):
        port = _free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {ease}"
        start = [*control, "-w", "-l", str(folder / "log"), "-o", options, "start"]
        # somebody may have taken the port meanwhile: another worker, who looks for one at the same moment
        if subprocess.run(start, check=attempt == ATTEMPTS - 1, capture_output=True).returncode == 0:
            break
    stop = [[*control, "-m", "immediate", "stop"], ["rm", "-rf", str(folder)]]
    return Postgres(f"postgresql://postgres@127.0.0.1:{port}/postgres", stop)


class Lent:
    """A migrated PostgreSQL database that many tests use one after the other; each leaves it empty."""

    SWEEP_EVERY = 40  # tests; what they deleted is in the way of every look at a table until it is swept up

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_engine(url)
        self._filled: set[str] = set()
        self._tests = 0

    def empty(self) -> None:
        """Empty every table and start the numbers again."""
        self._filled |= set(empty(self._engine))
        self._tests += 1
        if self._filled and self._tests % self.SWEEP_EVERY == 0:
            with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"VACUUM {_listed(self._filled)}"))
            self._filled.clear()

    def close(self) -> None:
        """Let go of the database; the server drops it."""
        self._engine.dispose()


def empty(engine: Engine) -> list[str]:
    """Empty every table of a PostgreSQL database, start its numbers again, and return which tables held rows.

    TRUNCATE makes new files for every table and index, held rows or not: a tenth of a second. A test fills few tables, so
    only those are emptied, in any order where this account may put the foreign keys aside.
    """
    names = [table.name for table in Base.metadata.sorted_tables]
    with engine.begin() as connection:
        if not connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
            connection.execute(text(f"TRUNCATE {_listed(names)} RESTART IDENTITY CASCADE"))
            return []
        asked = " UNION ALL ".join(f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in names)
        filled = list(connection.scalars(text(asked)))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for name in filled:
            connection.execute(text(f'DELETE FROM "{name}"'))
        used = "FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
        connection.execute(text(f"SELECT setval(quote_ident(sequencename)::regclass, start_value, false) {used}"))
        return filled


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Lend a server for a test session."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.close()
