"""A reply's questions can be shared out: to one person, or to many units whose answers stand apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
# what belongs to the answers of a unit, children first
_OF_UNITS = (
    "answer", "answer_row", "answer_revision", "answer_row_revision", "evidence", "delegation",
)  # fmt: skip


def upgrade() -> None:
    """Make units and collections, let a delegation know more, and let a reply stand without an assignment."""
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_unit_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("public_id", name=op.f("uq_unit_public_id")),
        sa.UniqueConstraint("institution_id", "name", name=op.f("uq_unit_institution_id_name")),
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("items", _JSON, nullable=False),
        sa.Column("quoted", _JSON, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", _JSON, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("held_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_collection_submission_id")),
        sa.ForeignKeyConstraint(["created_by"], ["actor.id"], name=op.f("fk_collection_created_by")),
        sa.ForeignKeyConstraint(["held_by"], ["actor.id"], name=op.f("fk_collection_held_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sa.UniqueConstraint("public_id", name=op.f("uq_collection_public_id")),
    )
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_submission_id"), ["submission_id"], unique=False)
    _widen_delegation()
    _assignment_nullable(nullable=True)


def _widen_delegation() -> None:
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("collection_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("unit_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quoted", _JSON, nullable=True))
        batch_op.add_column(sa.Column("note", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("attempts", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("message", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("held_by", sa.Integer(), nullable=True))
    delegation = sa.table("delegation", *[sa.column(name) for name in ("note", "attempts", "message", "held_by", "created_by")], sa.column("quoted", _JSON))  # fmt: skip
    op.execute(delegation.update().values(quoted=[], note="", attempts=0, message="", held_by=delegation.c.created_by))
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        for name, kind in (
            ("quoted", _JSON), ("note", sa.Text()), ("attempts", sa.Integer()), ("message", sa.Text()),
            ("held_by", sa.Integer()),
        ):  # fmt: skip
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        for name, target in (
            ("collection_id", "collection"), ("unit_id", "unit"), ("user_id", "user_account"), ("held_by", "actor"),
        ):  # fmt: skip
            batch_op.create_foreign_key(batch_op.f(f"fk_delegation_{name}"), target, [name], ["id"])
        batch_op.create_index(batch_op.f("ix_delegation_collection_id"), ["collection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegation_user_id"), ["user_id"], unique=False)


def _assignment_nullable(*, nullable: bool) -> None:
    """Let a reply stand without an assignment, or forbid it again.

    Many tables point to this one, so on SQLite it cannot be built anew while foreign keys are kept; a NOT NULL is
    taken out of the stored schema as https://www.sqlite.org/lang_altertable.html#otheralter describes.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column("submission", "assignment_id", existing_type=sa.Integer(), nullable=nullable)
        return
    before, after = "assignment_id INTEGER NOT NULL", "assignment_id INTEGER"
    schema = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'submission'").scalar_one()
    old, new = (before, after) if nullable else (f"{after},", f"{before},")
    if schema.count(old) != 1:
        message = "the table submission does not look as it should: nothing was changed"
        raise RuntimeError(message)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'submission'", (schema.replace(old, new),)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    """Drop what units answered, units, collections, and what a delegation knows beyond its questions."""
    units = "SELECT id FROM submission WHERE assignment_id IS NULL"
    for name in _OF_UNITS:
        op.execute(f"DELETE FROM {name} WHERE submission_id IN ({units})")  # noqa: S608 - names of this file
    op.execute("DELETE FROM submission WHERE assignment_id IS NULL")
    _assignment_nullable(nullable=False)
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delegation_user_id"))
        batch_op.drop_index(batch_op.f("ix_delegation_collection_id"))
        for name in ("collection_id", "unit_id", "user_id", "held_by"):
            batch_op.drop_constraint(batch_op.f(f"fk_delegation_{name}"), type_="foreignkey")
        for name in (
            "collection_id", "unit_id", "user_id", "quoted", "note", "attempts", "opened_at", "finished_at", "message",
            "taken_at", "held_by",
        ):  # fmt: skip
            batch_op.drop_column(name)
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_submission_id"))
    op.drop_table("collection")
    op.drop_table("unit")
