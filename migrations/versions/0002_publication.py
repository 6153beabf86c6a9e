"""States of implementation can be shown to observers, and taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of publications; what was set before stays unpublished."""
    op.create_table(
        "implementation_publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("state_id", sa.Integer(), nullable=False),
        sa.Column(
            "act",
            sa.Enum("published", "taken_back", name="act", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("with_reason", sa.Boolean(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["state_id"], ["implementation_state.id"], name=op.f("fk_implementation_publication_state_id")
        ),
        sa.ForeignKeyConstraint(["done_by"], ["actor.id"], name=op.f("fk_implementation_publication_done_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_implementation_publication")),
        sa.UniqueConstraint("public_id", name=op.f("uq_implementation_publication_public_id")),
    )
    with op.batch_alter_table("implementation_publication", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_implementation_publication_state_id"), ["state_id"], unique=False)


def downgrade() -> None:
    """Drop the table; states of implementation stay."""
    with op.batch_alter_table("implementation_publication", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_implementation_publication_state_id"))
    op.drop_table("implementation_publication")
