"""What tests share: an application on a fresh database, clients that check every page, cheap passwords."""

from __future__ import annotations

import gc
import os
import shutil
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import ROOT, Settings
from tests import engines, factories
from tests.client import Client
from tests.quick import quick_applications
from tests.shares import Sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from portal.models import UserAccount


@pytest.fixture(autouse=True)
def _push_request_context() -> Iterator[None]:
    """Replace pytest-flask's fixture of this name, which keeps one context open and so leaks the signed-in user."""
    yield


@pytest.fixture(autouse=True, scope="session")
def _cheap_passwords() -> Iterator[None]:
    """Let argon2 work for microseconds; the parameters in force are tested by themselves."""
    from portal.services import sessions

    kept = sessions._hasher, sessions._DUMMY
    sessions._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    sessions._DUMMY = sessions._hasher.hash("nobody has this password")
    yield
    sessions._hasher, sessions._DUMMY = kept


@pytest.fixture(autouse=True, scope="session")
def _quick_applications() -> Iterator[None]:
    with quick_applications():
        yield


def _keep_for_good() -> None:
    """Leave what is there now out of every later look for garbage."""
    gc.collect()
    gc.freeze()


def pytest_collection_finish() -> None:
    """Look for garbage seldom: a tenth of what tests of pages took were looks through all that is not garbage."""
    _keep_for_good()
    gc.set_threshold(10_000, 10, 50)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on SQLite, or on the engines that ``@pytest.mark.engines(...)`` names (none: both)."""
    if "engine_name" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("engines")
    asked = (marker.args or engines.ENGINES) if marker else (os.environ.get("PORTAL_TEST_ENGINE", "sqlite"),)
    marks = {"postgresql": [pytest.mark.postgresql]}
    metafunc.parametrize("engine_name", [pytest.param(name, marks=marks.get(name, ())) for name in asked])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing | None:
    """Share the whole suite among workers in pieces of our own; other ways that are asked for by name are xdist's."""
    return Sharing(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once per worker."""
    return engines.make_sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[engines.Postgres]:
    """A PostgreSQL server with a migrated template database, once per worker."""
    with engines.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres: engines.Postgres) -> Iterator[engines.Lent]:
    """The PostgreSQL database of this worker, which each test leaves empty."""
    lent = engines.Lent(postgres.clone())
    yield lent
    lent.close()


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database without rows."""
    if engine_name == "sqlite":
        path = tmp_path / "portal.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    lent = request.getfixturevalue("postgres_database")
    yield lent.url
    lent.empty()


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder whose seeded demos are this run's own; what is built of the sources is shared with every run."""
    folder = tmp_path_factory.mktemp("demo-cache")
    for part in ("fonts", "static", "templates", "translations"):
        (ROOT / ".cache" / part).mkdir(parents=True, exist_ok=True)
        (folder / part).symlink_to(ROOT / ".cache" / part)
    return folder


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a small test installation; override this fixture, or use ``make_app``, for others."""
    return make_settings(database_url, tmp_path)


def make_settings(database_url: str, tmp_path: Path, **more: Any) -> Settings:
    """Return settings that touch nothing outside the test's folders but the shared cache."""
    given: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        # Built assets are named by their inputs, so runs and workers may share them: three seconds saved each.
        "cache_dir": ROOT / ".cache",
        "database_url": database_url,
        "base_url": "http://localhost",
        "secret_key": "test-only-key-of-more-than-thirty-two-characters",
        "totp_required": frozenset(),
        "testing": True,
    }
    return Settings(**given | more)


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Build applications with other settings on the test's database: ``make_app(base_url="https://portal.example")``."""
    from portal.app import create_app
    from portal.extensions import db

    made = []

    def make(**more: Any) -> Flask:
        made.append(create_app(make_settings(database_url, tmp_path, **more)))
        with made[-1].app_context():
            engines.share_what_is_compiled(db.engine)
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def _first_application() -> Callable[[], None]:
    """What the first application of a worker imports and keeps is no garbage either: a function to call after it."""
    return cache(_keep_for_good)


@pytest.fixture
def app(settings: Settings, _first_application: Callable[[], None]) -> Iterator[Flask]:
    """The application on a fresh database that holds the country and the system actor."""
    from portal.app import create_app
    from portal.extensions import db

    app = create_app(settings)
    with app.app_context():
        engine = db.engine
    engines.share_what_is_compiled(engine)
    with Session(engine) as session:
        factories.country(session)
        factories.system_actor(session)
        session.commit()
    _first_application()
    yield app
    engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The test's own database session: give it to factories and services; a client commits it before each request."""
    from portal.extensions import db

    with app.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An open request context, for services and queries called directly (never together with a client)."""
    with app.test_request_context("/"):
        yield


@pytest.fixture
def client(app: Flask, session: Session) -> Client:
    """An anonymous browser."""
    return Client(app, session)


@pytest.fixture
def client_for(app: Flask, session: Session) -> Callable[[UserAccount], Client]:
    """A browser in which a person is signed in: ``client_for(person)``."""

    def make(person: UserAccount) -> Client:
        client = Client(app, session)
        client.let_in(person)
        return client

    return make


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """Count the statements of a block: ``with count_queries() as seen: ...; assert len(seen) <= 8``."""
    from portal.extensions import db

    with app.app_context():
        engine = db.engine

    @contextmanager
    def count() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
                seen.append(statement)

        # as if it had just been looked at: the look for new wording, once in seconds, belongs to no page, nor does that
        # for the country whose portal it is, once somebody has been there
        app.extensions["wording"].looked_at = time.monotonic()
        if kept := app.extensions.get("portal_country"):
            app.extensions["portal_country"] = (time.monotonic(), kept[1])
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return count
