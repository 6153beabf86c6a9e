"""Runs the numbered migrations of ``migrations/`` on an engine, and tells whether the schema is at its head.

Alembic is loaded only to migrate: with its templates and highlighters it takes 12 MB and a third of a second, and
every process of the portal asks for the head.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

    from config import Settings

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_NAMED = re.compile(r"""^(?P<what>revision|down_revision)(?:\s*:[^=\n]+)?\s*=\s*["'](?P<name>\w+)["']""", re.MULTILINE)


def config() -> Config:
    """Return Alembic's configuration without an ini file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    return made


def head() -> str:
    """Return the revision that this code expects: the one that no other revision stands on."""
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (FOLDER / "versions").glob("*.py"):
        for found in _NAMED.finditer(path.read_text(encoding="utf-8")):
            named[found["what"]].add(found["name"])
    heads = named["revision"] - named["down_revision"]
    if len(heads) != 1:
        message = f"migrations/ must have one head, it has {len(heads)}"
        raise RuntimeError(message)
    return heads.pop()


def current(engine: Engine) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    from sqlalchemy import inspect, text

    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found


def standing(settings: Settings) -> str | None:
    """Return the revision of the settings' database without the application, or None for an empty one.

    A SQLite file is read by its driver alone: whoever restarts a portal waits for every import that stands before it.
    """
    path = settings.sqlite_path
    if path is None:
        from sqlalchemy import create_engine

        from portal.database import engine_options

        engine = create_engine(**engine_options(settings.database_url))
        try:
            return current(engine)
        finally:
            engine.dispose()
    if not path.exists():
        return None
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        from sqlite3 import dbapi2  # noqa: TID251 - the one library where the other has no wheel
    with contextlib.closing(dbapi2.connect(path, timeout=10)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; idempotent."""
    if revision == "head" and current(engine) == head():
        return
    from alembic import command

    settings = config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the database back to ``revision`` (tests)."""
    from alembic import command

    settings = config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)
        connection.commit()
