"""Warnings that institutions kept with a reason, as they stand in what they handed in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.models import Assignment, Institution, Snapshot, Submission
from portal.queries.handed_in import WITHOUT_CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Kept:
    """One kept warning: its kind, the code of the answer it is about, and the reason."""

    kind: str
    place: str
    reason: str


def kept_in(snapshot: Mapping[str, Any]) -> list[Kept]:
    """Return the warnings that a snapshot was handed in with."""
    found = []
    for one in snapshot.get("warnings", ()):
        kind, _space, place = one["warning"].partition(" ")
        found.append(Kept(kind, place, one["reason"]))
    return found


def kept_in_round(session: Session, round_id: int) -> Iterator[tuple[str, str, Kept]]:
    """Yield (institution code, public id of the reply, warning) of all that is handed in in a round, in its order."""
    newest = select(func.max(Snapshot.id)).group_by(Snapshot.submission_id)
    rows = session.execute(
        select(Institution.code, Submission.public_id, Snapshot.canonical)
        .join(Submission, Submission.id == Snapshot.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .where(
            Snapshot.id.in_(newest),
            Assignment.round_id == round_id,
            Submission.status.not_in(sorted(WITHOUT_CONTENT)),
            Snapshot.canonical.contains('"warnings":[{'),
        )
        .order_by(Institution.rank, Institution.id, Assignment.position, Assignment.id)
    )
    for row in rows:
        for kept in kept_in(json.loads(row.canonical)):
            yield row.code, row.public_id, kept


def kind_words() -> Mapping[str, str]:
    """Return what the kinds of warnings are called, in the language in force."""
    return {
        "soft_constraint": _("Unusual answer"),
        "over_total": _("Parts and total"),
        "reversed": _("Dates"),
        "evidence": _("Evidence"),
        "languages": _("Two languages"),
    }
