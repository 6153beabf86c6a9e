"""When which institution was reminded of a round, as the audit trail tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

ACTION = "remind"


def reminded(session: Session, round_slug: str) -> Mapping[str, datetime]:
    """Return when institutions were last reminded of a round, by public id; one query."""
    rows = session.execute(
        select(AuditEvent.object_id, func.max(AuditEvent.at))
        .where(
            AuditEvent.action == ACTION,
            AuditEvent.object_kind == "institution",
            AuditEvent.details["round"].as_string() == round_slug,
        )
        .group_by(AuditEvent.object_id)
        .order_by(AuditEvent.object_id)
    )
    return {row[0]: row[1] for row in rows}
