"""Words of the interface and the mails can be corrected, and marked as checked by a native reader."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of wording and its history; the shipped texts hold until somebody sets another."""
    op.create_table(
        "wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("message", sa.String(length=24), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.String(length=200), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["actor.id"], name=op.f("fk_wording_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
        sa.UniqueConstraint("language", "message", "form", name=op.f("uq_wording_language_message_form")),
    )
    op.create_table(
        "wording_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.String(length=200), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["wording_id"], ["wording.id"], name=op.f("fk_wording_revision_wording_id")),
        sa.ForeignKeyConstraint(["set_by"], ["actor.id"], name=op.f("fk_wording_revision_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording_revision")),
        sa.UniqueConstraint("wording_id", "revision", name=op.f("uq_wording_revision_wording_id_revision")),
    )


def downgrade() -> None:
    """Drop both tables; the shipped texts come back."""
    op.drop_table("wording_revision")
    op.drop_table("wording")
