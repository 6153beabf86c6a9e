"""Clarifications to many, what was read; earlier answers judged, texts of reports, repeated recommendations, examples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
# who has handed in anything so far has something to remember
LOOK_BACK = sa.text(
    "UPDATE participation SET remembers = true WHERE institution_id IN ("
    "SELECT assignment.institution_id FROM assignment JOIN submission ON submission.assignment_id = assignment.id "
    "WHERE submission.hand_in > 0)"
)


def upgrade() -> None:
    """Make the tables; whoever has handed in something before is asked to look back."""
    op.create_table(
        "example",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("recommendation_id", sa.Integer(), nullable=False),
        sa.Column("titles", JSON, nullable=False),
        sa.Column("texts", JSON, nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=True),
        sa.Column("media_type", sa.String(length=120), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "candidate",
                "checked",
                "cleared",
                "used",
                "refused",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sent_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_example_institution_id")),
        sa.ForeignKeyConstraint(
            ["recommendation_id"], ["recommendation.id"], name=op.f("fk_example_recommendation_id")
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["actor.id"], name=op.f("fk_example_sent_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example")),
        sa.UniqueConstraint("public_id", name=op.f("uq_example_public_id")),
    )
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_example_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_example_recommendation_id"), ["recommendation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_example_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_example_state"), ["state"], unique=False)
    op.create_table(
        "recommendation_origin",
        sa.Column("recommendation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("earlier_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["earlier_id"], ["recommendation.id"], name=op.f("fk_recommendation_origin_earlier_id")
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id"], ["recommendation.id"], name=op.f("fk_recommendation_origin_recommendation_id")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["actor.id"], name=op.f("fk_recommendation_origin_set_by")),
        sa.PrimaryKeyConstraint("recommendation_id", "earlier_id", name=op.f("pk_recommendation_origin")),
    )
    with op.batch_alter_table("recommendation_origin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recommendation_origin_earlier_id"), ["earlier_id"], unique=False)
    op.create_table(
        "reported_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("recommendation_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("paragraph", sa.String(length=40), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column("texts", JSON, nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recommendation_id"], ["recommendation.id"], name=op.f("fk_reported_text_recommendation_id")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["actor.id"], name=op.f("fk_reported_text_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_text")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reported_text_public_id")),
        sa.UniqueConstraint("recommendation_id", "source", name=op.f("uq_reported_text_recommendation_id_source")),
    )
    with op.batch_alter_table("reported_text", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reported_text_recommendation_id"), ["recommendation_id"], unique=False)
    op.create_table(
        "example_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("example_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "send",
                "check",
                "clear",
                "use",
                "refuse",
                "take_back",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "candidate",
                "checked",
                "cleared",
                "used",
                "refused",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("done_by", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["actor.id"], name=op.f("fk_example_event_done_by")),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], name=op.f("fk_example_event_example_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_example_event")),
        sa.UniqueConstraint("example_id", "number", name=op.f("uq_example_event_example_id_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_example_event_public_id")),
    )
    op.create_table(
        "earlier_verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("source_question_id", sa.Integer(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "still_true",
                "update",
                "no_longer_true",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["actor.id"], name=op.f("fk_earlier_verdict_decided_by")),
        sa.ForeignKeyConstraint(["question_id"], ["question.id"], name=op.f("fk_earlier_verdict_question_id")),
        sa.ForeignKeyConstraint(["source_id"], ["submission.id"], name=op.f("fk_earlier_verdict_source_id")),
        sa.ForeignKeyConstraint(
            ["source_question_id"], ["question.id"], name=op.f("fk_earlier_verdict_source_question_id")
        ),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_earlier_verdict_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earlier_verdict")),
        sa.UniqueConstraint("public_id", name=op.f("uq_earlier_verdict_public_id")),
        sa.UniqueConstraint(
            "submission_id", "question_id", "source_id", "source_question_id", name="uq_earlier_verdict_place"
        ),
    )
    op.create_table(
        "clarification_read",
        sa.Column("clarification_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_clarification_read_actor_id")),
        sa.ForeignKeyConstraint(
            ["clarification_id"], ["clarification.id"], name=op.f("fk_clarification_read_clarification_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["clarification_message.id"], name=op.f("fk_clarification_read_message_id")
        ),
        sa.PrimaryKeyConstraint("clarification_id", "actor_id", name=op.f("pk_clarification_read")),
    )
    # no table is made anew here: rows of others point to these two
    op.add_column("clarification", sa.Column("batch", sa.String(length=32), nullable=True))
    op.create_index("ux_clarification_submission_id_batch", "clarification", ["submission_id", "batch"], unique=True)
    op.add_column("participation", sa.Column("remembers", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(LOOK_BACK)


def downgrade() -> None:
    """Drop what this room keeps; replies, answers and threads stay, and so do the questions that went to many."""
    op.drop_column("participation", "remembers")
    op.drop_index("ux_clarification_submission_id_batch", table_name="clarification")
    op.drop_column("clarification", "batch")
    op.drop_table("clarification_read")
    op.drop_table("earlier_verdict")
    op.drop_table("example_event")
    with op.batch_alter_table("reported_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reported_text_recommendation_id"))
    op.drop_table("reported_text")
    with op.batch_alter_table("recommendation_origin", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recommendation_origin_earlier_id"))
    op.drop_table("recommendation_origin")
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_example_state"))
        batch_op.drop_index(batch_op.f("ix_example_sha256"))
        batch_op.drop_index(batch_op.f("ix_example_recommendation_id"))
        batch_op.drop_index(batch_op.f("ix_example_institution_id"))
    op.drop_table("example")
