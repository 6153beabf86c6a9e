"""Evidence of replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, union

from portal.models import (
    Assignment,
    AssignmentDocument,
    Collection,
    Delegation,
    DocumentState,
    Evidence,
    Submission,
    Visibility,
)
from portal.models.lifecycle import OPEN_TO_STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session


def evidence_of(session: Session, submission_id: int) -> Sequence[Evidence]:
    """Return what is attached to a reply, by number; what was removed is left out."""
    return session.scalars(
        select(Evidence)
        .where(Evidence.submission_id == submission_id, Evidence.removed_at.is_(None))
        .order_by(Evidence.number)
    ).all()


def kept_confidential(session: Session, submission_id: int) -> set[str]:
    """Return the public ids of the evidence of a reply that its institution keeps confidential, removed or not."""
    return set(
        session.scalars(
            select(Evidence.public_id).where(
                Evidence.submission_id == submission_id, Evidence.visibility == Visibility.CONFIDENTIAL
            )
        )
    )


def find_evidence(session: Session, public_id: str) -> tuple[Evidence, str] | None:
    """Find one piece of evidence with the public id of its submission."""
    row = session.execute(
        select(Evidence, Submission.public_id)
        .join(Submission, Submission.id == Evidence.submission_id)
        .where(Evidence.public_id == public_id, Evidence.removed_at.is_(None))
    ).first()
    return (row[0], row[1]) if row else None


def evidence_counts(session: Session, round_id: int) -> dict[str, int]:
    """Return the files in replies of a round that were handed in, by who may see them; and those not scanned."""
    rows = session.execute(
        select(Evidence.visibility, func.count(), func.count(Evidence.scanned_at))
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Assignment.round_id == round_id, Submission.status.in_(OPEN_TO_STAFF), Evidence.sha256.is_not(None),
            Evidence.removed_at.is_(None),
        )
        .group_by(Evidence.visibility)
        .order_by(Evidence.visibility)
    ).all()  # fmt: skip
    counts = {one.value: 0 for one in Visibility} | {one.value: count for one, count, _scanned in rows}
    files = sum(counts.values())
    return {"files": files, **counts, "not_scanned": sum(count - scanned for _one, count, scanned in rows)}


@dataclass(frozen=True)
class Room:
    """How much an institution may keep, and how much of it is used, in bytes."""

    used: int
    quota: int

    @property
    def left(self) -> int:
        """Return what may still come."""
        return max(self.quota - self.used, 0)


def used_bytes(session: Session, institution_id: int) -> int:
    """Return the size of an institution's evidence and documents, those of its units too.

    The same file counts once, what was removed not.
    """
    evidence = _of_replies(institution_id, Evidence.sha256, Evidence.size)
    units = _of_units(institution_id, Evidence.sha256, Evidence.size)
    documents = (
        select(AssignmentDocument.sha256, AssignmentDocument.size)
        .join(Assignment, Assignment.id == AssignmentDocument.assignment_id)
        .where(
            Assignment.institution_id == institution_id, AssignmentDocument.state != DocumentState.SET_ASIDE
        )
    )
    files = union(evidence, units, documents).subquery()
    return int(session.scalar(select(func.coalesce(func.sum(files.c.size), 0))) or 0)


def has_file(session: Session, institution_id: int, sha256: str) -> bool:
    """Tell whether an institution keeps this very file already."""
    kept = Evidence.sha256 == sha256
    evidence = _of_replies(institution_id, Evidence.id).where(kept)
    units = _of_units(institution_id, Evidence.id).where(kept)
    document = (
        select(AssignmentDocument.id)
        .join(Assignment, Assignment.id == AssignmentDocument.assignment_id)
        .where(Assignment.institution_id == institution_id, AssignmentDocument.sha256 == sha256)
    )
    return any(session.scalar(one.limit(1)) is not None for one in (evidence, units, document))


def _of_replies(institution_id: int, *columns: Any) -> Select[Any]:
    """Ask about the files that an institution attached to its replies."""
    return (
        select(*columns)
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Assignment.institution_id == institution_id, Evidence.sha256.is_not(None), Evidence.removed_at.is_(None)
        )
    )


def _of_units(institution_id: int, *columns: Any) -> Select[Any]:
    """Ask about the files that the units of an institution attached, beside its replies."""
    return (
        select(*columns)
        .join(Delegation, Delegation.submission_id == Evidence.submission_id)
        .join(Collection, Collection.id == Delegation.collection_id)
        .join(Submission, Submission.id == Collection.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Assignment.institution_id == institution_id, Evidence.sha256.is_not(None), Evidence.removed_at.is_(None)
        )
    )
