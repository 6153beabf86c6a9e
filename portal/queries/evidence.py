"""Evidence of replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Evidence, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def evidence_of(session: Session, submission_id: int) -> Sequence[Evidence]:
    """Return what is attached to a reply, by number; what was removed is left out."""
    return session.scalars(
        select(Evidence)
        .where(Evidence.submission_id == submission_id, Evidence.removed_at.is_(None))
        .order_by(Evidence.number)
    ).all()


def find_evidence(session: Session, public_id: str) -> tuple[Evidence, str] | None:
    """Find one piece of evidence with the public id of its submission."""
    row = session.execute(
        select(Evidence, Submission.public_id)
        .join(Submission, Submission.id == Evidence.submission_id)
        .where(Evidence.public_id == public_id, Evidence.removed_at.is_(None))
    ).first()
    return (row[0], row[1]) if row else None
