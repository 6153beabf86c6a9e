"""Every state of every row of a table is kept, with who made it and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; of rows that stand already nothing earlier is known."""
    op.create_table(
        "answer_row_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("repeat", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("parent_key", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("saved_by", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_answer_row_revision_submission_id")
        ),
        sa.ForeignKeyConstraint(["saved_by"], ["actor.id"], name=op.f("fk_answer_row_revision_saved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_row_revision")),
        sa.UniqueConstraint(
            "submission_id", "repeat", "key", "revision",
            name=op.f("uq_answer_row_revision_submission_id_repeat_key_revision"),
        ),
    )  # fmt: skip


def downgrade() -> None:
    """Drop the table; the rows stay as they are."""
    op.drop_table("answer_row_revision")
