"""Replies judged again after their questions changed: what is hidden, computed, refused and missing, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forms.tables import NO_ROWS, has_repeats
from portal import clock
from portal.queries.questionnaire_versions import answers_of, rows_of
from portal.queries.submissions import standing_rows
from portal.services.answer_rows import RowWork
from portal.services.submissions import (
    _PROGRESS,
    _REVISION,
    _UPSERTS,
    _apply_rules,
    _row,
    _Save,
    not_asked,
    progress,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.context import Context
    from forms.definition.model import Definition
    from forms.evaluation import Evaluation
    from portal.permissions import Principal


@dataclass(frozen=True)
class Reread:
    """A reply to be judged again: what was not asked of it before, and the facts its rules may need."""

    submission_id: int
    hidden: Sequence[str]
    context: Context


def judge_again(
    session: Session,
    replies: Sequence[Reread],
    definition: Definition,
    question_ids: Mapping[str, int],
    *,
    by: Principal,
) -> dict[int, Evaluation]:
    """Evaluate replies under a version and store what follows: five statements, however many replies there are.

    Answers of people stay untouched; computed values become a revision of their own where they change.
    """
    if not replies or definition.id is None:
        return {}
    at = clock.now()
    stored = answers_of(session, [one.submission_id for one in replies])
    tables = rows_of(session, [one.submission_id for one in replies]) if has_repeats(definition) else {}
    found: dict[int, Evaluation] = {}
    counts: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for one in replies:
        rows_here = RowWork(definition, tables.get(one.submission_id, {}), None)
        work = _Save(stored[one.submission_id], by.actor_id, at, definition.id, question_ids, rows_here)
        standing = standing_rows(rows_here.rows) if rows_here.rows else NO_ROWS
        found[one.submission_id] = evaluation = _apply_rules(work, definition, one.context, standing)
        hidden = sorted(not_asked(one.hidden, definition, evaluation))
        counted = progress(definition, work.stored, evaluation, standing)
        counts.append({"submission": one.submission_id, "hidden": hidden, **vars(counted)})
        rows += [_row(one.submission_id, key, answer) for key, answer in work.changed.items()]
    connection = session.connection()
    if rows:
        connection.execute(_UPSERTS[connection.dialect.name], rows)
    new = [row | {"request_key": None} for row in rows if row["answered_at"] == at]
    for row in new:
        row["saved_by"], row["saved_at"] = row.pop("answered_by"), row.pop("answered_at")
    if new:
        connection.execute(_REVISION, new)
    connection.execute(_PROGRESS, counts)
    session.expire_all()
    return found
