"""A questionnaire has one open draft at the most."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ONE_DRAFT = "uq_questionnaire_version_one_draft"

_OLDER_DRAFTS = """
UPDATE questionnaire_version SET status = 'retired'
WHERE status = 'draft' AND EXISTS (
    SELECT 1 FROM questionnaire_version AS newer
    WHERE newer.questionnaire_id = questionnaire_version.questionnaire_id
      AND newer.status = 'draft' AND newer.number > questionnaire_version.number
)
"""
_OVERTAKEN = """
UPDATE questionnaire_version SET number = 1 + (
    SELECT max(other.number) FROM questionnaire_version AS other
    WHERE other.questionnaire_id = questionnaire_version.questionnaire_id
)
WHERE status = 'draft' AND EXISTS (
    SELECT 1 FROM questionnaire_version AS newer
    WHERE newer.questionnaire_id = questionnaire_version.questionnaire_id
      AND newer.number > questionnaire_version.number
)
"""


def upgrade() -> None:
    """Lay aside the drafts that a newer draft left behind: they stay readable, and a draft can be begun from each.

    A draft that a version overtook (both made by imports) becomes the newest, as publishing it would have made it.
    """
    op.execute(sa.text(_OLDER_DRAFTS))
    op.execute(sa.text(_OVERTAKEN))
    where = sa.text("status = 'draft'")
    op.create_index(
        ONE_DRAFT,
        "questionnaire_version",
        ["questionnaire_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    """Drop the index; what was laid aside stays aside."""
    op.drop_index(ONE_DRAFT, table_name="questionnaire_version")
