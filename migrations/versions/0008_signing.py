"""Packs signed on paper, codes of receipts, kept warnings, and what an approver has seen."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def upgrade() -> None:
    """Make the tables, and give a code to everything that was handed in before."""
    op.add_column("snapshot", sa.Column("code", sa.String(length=16), nullable=True))
    _give_codes()
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.alter_column("code", existing_type=sa.String(length=16), nullable=False)
        batch_op.create_unique_constraint(op.f("uq_snapshot_code"), ["code"])
    _make_packs()
    op.create_table(
        "kept_warning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("warning", sa.String(length=200), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Integer(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_kept_warning_submission_id")),
        sa.ForeignKeyConstraint(["kept_by"], ["actor.id"], name=op.f("fk_kept_warning_kept_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_warning")),
        sa.UniqueConstraint("public_id", name=op.f("uq_kept_warning_public_id")),
        sa.UniqueConstraint("submission_id", "warning", name=op.f("uq_kept_warning_submission_id_warning")),
    )
    op.create_index(op.f("ix_kept_warning_submission_id"), "kept_warning", ["submission_id"], unique=False)
    op.create_table(
        "reply_seen",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_reply_seen_submission_id")),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_reply_seen_actor_id")),
        sa.PrimaryKeyConstraint("submission_id", "actor_id", name=op.f("pk_reply_seen")),
        sqlite_with_rowid=False,
    )


def _give_codes() -> None:
    snapshot = sa.table("snapshot", sa.column("id", sa.Integer()), sa.column("code", sa.String()))
    connection = op.get_bind()
    given = [
        {"which": number, "made": "".join(secrets.choice(LETTERS) for _ in range(16))}
        for number in connection.scalars(sa.select(snapshot.c.id))
    ]
    if given:
        chosen = snapshot.c.id == sa.bindparam("which")
        connection.execute(sa.update(snapshot).where(chosen).values(code=sa.bindparam("made")), given)


def _make_packs() -> None:
    op.create_table(
        "signing_pack",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letter_number", sa.String(length=120), nullable=True),
        sa.Column("letter_on", sa.Date(), nullable=True),
        sa.Column("signer_name", sa.String(length=200), nullable=False),
        sa.Column("signer_post", sa.String(length=200), nullable=False),
        sa.Column("cover_name", sa.String(length=255), nullable=True),
        sa.Column("cover_type", sa.String(length=120), nullable=True),
        sa.Column("cover_size", sa.Integer(), nullable=True),
        sa.Column("cover_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_by", sa.Integer(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Integer(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["reporting_round.id"], name=op.f("fk_signing_pack_round_id")),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_signing_pack_institution_id")),
        sa.ForeignKeyConstraint(["made_by"], ["actor.id"], name=op.f("fk_signing_pack_made_by")),
        sa.ForeignKeyConstraint(["signed_by"], ["actor.id"], name=op.f("fk_signing_pack_signed_by")),
        sa.ForeignKeyConstraint(["cancelled_by"], ["actor.id"], name=op.f("fk_signing_pack_cancelled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_pack")),
        sa.UniqueConstraint("public_id", name=op.f("uq_signing_pack_public_id")),
        sa.UniqueConstraint("code", name=op.f("uq_signing_pack_code")),
    )
    op.create_index(op.f("ix_signing_pack_cover_sha256"), "signing_pack", ["cover_sha256"], unique=False)
    op.create_index("ix_signing_pack_round_id_institution_id", "signing_pack", ["round_id", "institution_id"])
    op.create_table(
        "packed_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pack_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("left_event_id", sa.Integer(), nullable=True),
        sa.Column("signed_event_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["pack_id"], ["signing_pack.id"], name=op.f("fk_packed_reply_pack_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_packed_reply_submission_id")),
        sa.ForeignKeyConstraint(
            ["left_event_id"], ["submission_event.id"], name=op.f("fk_packed_reply_left_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["signed_event_id"], ["submission_event.id"], name=op.f("fk_packed_reply_signed_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packed_reply")),
        sa.UniqueConstraint("pack_id", "submission_id", name=op.f("uq_packed_reply_pack_id_submission_id")),
    )
    op.create_index(
        "uq_packed_reply_open", "packed_reply", ["submission_id"], unique=True,
        sqlite_where=sa.text("open"), postgresql_where=sa.text("open"),
    )  # fmt: skip
    op.create_index("ix_packed_reply_submission_id", "packed_reply", ["submission_id"])


def downgrade() -> None:
    """Drop what was made; replies, events and snapshots stay."""
    op.drop_table("packed_reply")
    op.drop_table("signing_pack")
    op.drop_table("reply_seen")
    op.drop_table("kept_warning")
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_snapshot_code"), type_="unique")
        batch_op.drop_column("code")
