"""Replies judged again after their questions changed: what is hidden, computed, refused and missing, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.tables import NO_ROWS, has_repeats
from portal import clock
from portal.queries.questionnaire_versions import answers_of, rows_of
from portal.queries.submissions import standing_rows
from portal.services.answer_rows import RowWork
from portal.services.answer_storing import Judged, Work, apply_rules, not_asked, progress, store_judged

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
    judged: list[Judged] = []
    for one in replies:
        rows_here = RowWork(definition, tables.get(one.submission_id, {}), None)
        work = Work(stored[one.submission_id], by.actor_id, at, definition.id, question_ids, rows_here)
        standing = standing_rows(rows_here.rows) if rows_here.rows else NO_ROWS
        found[one.submission_id] = evaluation = apply_rules(work, definition, one.context, standing)
        hidden = sorted(not_asked(one.hidden, definition, evaluation))
        judged.append(Judged(one.submission_id, work, hidden, progress(definition, work.stored, evaluation, standing)))
    store_judged(session.connection(), judged, at)
    session.expire_all()
    return found
