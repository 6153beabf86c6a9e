"""The photos that were given as the signed cover of a pack before another one was are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; no cover could be given anew before."""
    op.create_table(
        "earlier_cover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pack_id"], ["signing_pack.id"], name=op.f("fk_earlier_cover_pack_id")),
        sa.ForeignKeyConstraint(["replaced_by"], ["actor.id"], name=op.f("fk_earlier_cover_replaced_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earlier_cover")),
        sa.UniqueConstraint("pack_id", "number", name=op.f("uq_earlier_cover_pack_id_number")),
    )
    op.create_index(op.f("ix_earlier_cover_sha256"), "earlier_cover", ["sha256"], unique=False)


def downgrade() -> None:
    """Forget them; the cover that stands is on its pack."""
    op.drop_table("earlier_cover")
