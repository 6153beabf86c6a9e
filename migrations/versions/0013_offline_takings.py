"""What was taken over from a copy of an offline file is remembered, so that the copy is known when it comes again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; of files that came before nothing is known."""
    op.create_table(
        "offline_taking",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("book", sa.String(length=64), nullable=False),
        sa.Column("copy", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("line", sa.String(length=64), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=8), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("row", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_offline_taking_submission_id")),
        sa.PrimaryKeyConstraint(
            "submission_id", "book", "copy", "code", "line", "lang", name=op.f("pk_offline_taking")
        ),
    )


def downgrade() -> None:
    """Forget it: a copy that comes again is judged by its download alone, as before."""
    op.drop_table("offline_taking")
