"""What is said of tables and files of an earlier round is kept, and that somebody kept what stands against a copy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column; of what was decided before only takings are known."""
    op.create_table(
        "whole_verdict",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "still_true", "update", "no_longer_true", name="verdict", native_enum=False, create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["actor.id"], name=op.f("fk_whole_verdict_decided_by")),
        sa.ForeignKeyConstraint(["source_id"], ["submission.id"], name=op.f("fk_whole_verdict_source_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_whole_verdict_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", "source_id", "code", "sha256", name=op.f("pk_whole_verdict")),
    )  # fmt: skip
    op.add_column("offline_taking", sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget it: a table may be judged again, and a copy that comes again asks again."""
    op.execute(sa.text("DELETE FROM offline_taking WHERE kept"))
    op.drop_column("offline_taking", "kept")
    op.drop_table("whole_verdict")
