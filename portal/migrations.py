"""Runs the numbered migrations of ``migrations/`` on an engine, and tells whether the schema is at its head."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy import Engine

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def config() -> Config:
    """Return Alembic's configuration without an ini file."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    return made


def head() -> str:
    """Return the revision that this code expects."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    if found is None:
        message = "migrations/ holds no revision"
        raise RuntimeError(message)
    return found


def current(engine: Engine) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; idempotent."""
    settings = config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the database back to ``revision`` (tests)."""
    settings = config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, revision)
        connection.commit()
