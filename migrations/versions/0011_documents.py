"""Documents wait at their assignment to be entered; a file knows when a scanner called it clean."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of documents, and say of no evidence file that it was scanned."""
    op.add_column("evidence", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "assignment_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("from_secretariat", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received", "entered", "set_aside", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("on_behalf_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_assignment_document_assignment_id")
        ),
        sa.ForeignKeyConstraint(["added_by"], ["actor.id"], name=op.f("fk_assignment_document_added_by")),
        sa.ForeignKeyConstraint(["settled_by"], ["actor.id"], name=op.f("fk_assignment_document_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_document")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assignment_document_public_id")),
    )
    op.create_index(op.f("ix_assignment_document_assignment_id"), "assignment_document", ["assignment_id"])
    op.create_index(op.f("ix_assignment_document_sha256"), "assignment_document", ["sha256"])


def downgrade() -> None:
    """Drop the documents; the housekeeping removes their files, since no row names them any more."""
    op.drop_table("assignment_document")
    op.drop_column("evidence", "scanned_at")
