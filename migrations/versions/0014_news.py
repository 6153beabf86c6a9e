"""People are told what is new for them: how far each has read, how far each was told by mail."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the marks; whoever is here already has read the past and is not told of it again."""
    op.create_table(
        "news_mark",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "wish",
            sa.Enum("soon", "daily", "never", name="wish", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_news_mark_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_news_mark")),
    )
    op.create_index(op.f("ix_submission_event_done_at"), "submission_event", ["done_at"])
    op.create_index(op.f("ix_clarification_message_written_at"), "clarification_message", ["written_at"])
    people = sa.table("user_account", sa.column("id", sa.Integer()))
    marks = sa.table(
        "news_mark",
        sa.column("user_id", sa.Integer()),
        sa.column("read_until", sa.DateTime(timezone=True)),
        sa.column("told_until", sa.DateTime(timezone=True)),
    )
    now = sa.bindparam("now", datetime.now(UTC), sa.DateTime(timezone=True))
    op.execute(marks.insert().from_select(["user_id", "read_until", "told_until"], sa.select(people.c.id, now, now)))


def downgrade() -> None:
    """Drop the marks and the indexes."""
    op.drop_index(op.f("ix_clarification_message_written_at"), "clarification_message")
    op.drop_index(op.f("ix_submission_event_done_at"), "submission_event")
    op.drop_table("news_mark")
