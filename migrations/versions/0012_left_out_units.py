"""A unit can be left out of a collection, so that its answers no longer count, and taken off its institution's list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave no unit out, and let every unit stand on its list."""
    op.add_column("unit", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delegation", sa.Column("left_out_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget which units were left out or taken off; links stay closed, answers count again."""
    op.drop_column("delegation", "left_out_at")
    op.drop_column("unit", "retired_at")
