"""``db upgrade`` and ``db check``: the schema of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portal import migrations
from portal.cli.context import with_app
from portal.cli.schema import judge
from portal.database import write
from portal.extensions import db as database
from portal.services.people import ensure_system_actor

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def db() -> None:
    """Upgrade or check the database schema."""


@db.command()
@with_app
def upgrade(app: Flask) -> None:
    """Bring the schema to the version of this code; safe to repeat."""
    click.echo(upgrade_schema(app))


@db.command()
@with_app
def check(app: Flask) -> None:
    """Say whether the schema fits this code; exit code 4 when it does not."""
    require_schema(app)
    click.echo(f"The database is at {migrations.head()}, as this version needs.")


def upgrade_schema(app: Flask) -> str:
    """Migrate within an application context and return the sentence that says what was done."""
    app.config["SETTINGS"].data_dir.mkdir(parents=True, exist_ok=True)
    before = migrations.current(database.engine)
    migrations.upgrade(database.engine)
    with write() as session:
        ensure_system_actor(session)
    after = migrations.current(database.engine)
    if before == after:
        return f"The database is at {after}."
    return f"The database went from {before or 'empty'} to {after}."


def require_schema(_app: Flask) -> None:
    """Refuse to go on with a database of another version.

    Raises:
        Refused: with exit code 4 and the command that mends it.
    """
    judge(migrations.current(database.engine))
