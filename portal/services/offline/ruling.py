"""The rules of a questionnaire held against what files would make of a reply: what is broken is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import Given, TableRow
from forms.evaluation import evaluate

if TYPE_CHECKING:
    from forms.answers import AnswerKey, Rows
    from portal.services.offline.plan import ReplyPlan
    from portal.table import Speakable


def warn(plan: ReplyPlan) -> None:
    """Say which answers would break a rule of the questionnaire, or are not asked, once all of them stood."""
    answers: dict[AnswerKey, Given] = dict(plan.stored.answers)
    rows: dict[str, list[TableRow]] = {code: list(found) for code, found in plan.standing.items()}
    for row in plan.rows:
        if row.outcome == "new_row":
            rows.setdefault(row.row.repeat, []).append(TableRow(row.row.key, row.parent))
    touched = [*plan.answers, *(cell for row in plan.rows if row.outcome == "new_row" for cell in row.cells)]
    for one in touched:
        if one.chosen:
            parsed = one.options[0].parsed
            answers[one.key] = Given(parsed.value, parsed.state, parsed.typed, one.revision)
    standing: Rows = rows
    verdict = evaluate(plan.definition, answers, plan.context, standing)
    for one in touched:
        if one.key in verdict.refused and one.chosen:
            one.warning = _both(one.warning, verdict.refused[one.key])
        elif one.outcome in {"new", "changed"} and verdict.is_hidden(one.key):
            sentence = _l(
                "This question is not asked now: other answers decide. The answer is kept, and counts only once it is asked."  # noqa: E501 - a sentence stays in one piece
            )
            one.warning = _both(one.warning, sentence)


def _both(first: Speakable | None, second: Speakable) -> Speakable:
    return f"{first} {second}" if first else second
