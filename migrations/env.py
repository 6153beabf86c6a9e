"""How migrations run: on the connection given by the caller, in one transaction, batch mode for SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import JSON, create_engine

from portal.models import Base
from portal.models.base import UtcDateTime

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Connection


def render(kind: str, thing: object, autogen: AutogenContext) -> str | bool:
    """Write our own column types as plain ones, so that an old migration never depends on today's code."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")'
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations on one connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None and hasattr(given, "execute"):
    migrate(given)
elif given is not None:  # an engine
    with given.connect() as connection:
        migrate(connection)
        connection.commit()
else:
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        message = "no database: run migrations with 'python3 -m portal db upgrade'"
        raise RuntimeError(message)
    with create_engine(url).connect() as connection:
        migrate(connection)
        connection.commit()
