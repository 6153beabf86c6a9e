"""No index of columns with which another one begins, nor one that nothing asks for.

A planner without statistics takes the poorer of two (a page of a reply read all recommendations of a document), and
every row that is written is written into each of them.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# each with the constraint or index that begins with the same column
TWICE = (
    ("attached_table", "version_id"),  # uq_attached_table_version_id_name
    ("clarification", "submission_id"),  # ux_clarification_submission_id_batch
    ("kept_warning", "submission_id"),  # uq_kept_warning_submission_id_warning
    ("membership", "user_id"),  # uq_membership_user_id_institution_id
    ("question", "questionnaire_id"),  # uq_question_questionnaire_id_code
    ("question_choice", "question_id"),  # uq_question_choice_question_id_key
    ("questionnaire_version", "questionnaire_id"),  # uq_questionnaire_version_questionnaire_id_number
    ("recommendation", "document_id"),  # uq_recommendation_document_id_paragraph_sub_item
    ("reported_text", "recommendation_id"),  # uq_reported_text_recommendation_id_source
    ("staff_role", "user_id"),  # uq_staff_role_user_id_role
)
# a request is looked for among the revisions of the answers it speaks of, which are found by these
BY_REQUEST = "ix_answer_revision_submission_id_request_key"


def upgrade() -> None:
    """Drop them; nothing that is stored changes."""
    for table, column in TWICE:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    op.drop_index(BY_REQUEST, table_name="answer_revision")


def downgrade() -> None:
    """Make them again."""
    op.create_index(BY_REQUEST, "answer_revision", ["submission_id", "request_key"], unique=False)
    for table, column in TWICE:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
