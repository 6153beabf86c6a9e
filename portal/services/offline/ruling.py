"""The rules of a questionnaire held against what files would make of a reply: what is broken is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import Given, TableRow
from forms.browser import reads_of
from forms.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from forms.answers import AnswerKey
    from forms.evaluation import Evaluation
    from portal.services.offline.plan import ChangedAnswer, ReplyPlan
    from portal.table import Speakable


def warn(plan: ReplyPlan, label: Callable[[AnswerKey], str]) -> None:
    """Say which answers would break a rule of the questionnaire, or are not asked, once all of them stood.

    What breaks one where a good answer stands is held: taken only if somebody says so. The others are judged without
    it then, and once more without all that is to be seen first: nothing is clear by what is not taken with it. One
    that stands, and of which the files do not speak, may be made wrong too: that is said at what makes it so, and
    ``label`` names it.
    """
    touched = [*plan.answers, *(cell for row in plan.rows if row.chosen for cell in row.cells)]
    verdict = _verdict(plan, touched)
    said: set[AnswerKey] = set()
    while broken := [one for one in touched if one.chosen and one.key in verdict.refused and one.key not in said]:
        said |= {one.key for one in broken}
        good = _good(plan, [one.key for one in broken])
        for one in broken:
            one.warning, one.held = both(one.warning, verdict.refused[one.key]), one.key in good
        if good:
            verdict = _verdict(plan, touched)
    for one in touched:
        if one.outcome in {"new", "changed"} and verdict.is_hidden(one.key):
            sentence = _l(
                "This question is not asked now: other answers decide. The answer is kept, and counts only once it is asked."  # noqa: E501 - a sentence stays in one piece
            )
            one.warning = both(one.warning, sentence)
    _warn_of_others(plan, touched, verdict, label)
    _clear_together(plan, touched)


def _warn_of_others(
    plan: ReplyPlan, touched: Sequence[ChangedAnswer], verdict: Evaluation, label: Callable[[AnswerKey], str]
) -> None:
    """Say at each answer that would be taken which good one it would make wrong, of those that nobody changes."""
    changed = {one.key for one in touched if one.chosen}
    others = _good(plan, [key for key in verdict.refused if key not in changed])
    for key in sorted(others):
        read = reads_of(plan.definition, {key.code})
        causes = [one for one in touched if one.chosen and one.key.code in read]
        # what stands in the same row is meant first; another row counts by a sum only
        for one in [one for one in causes if one.key.row in {"", key.row}] or causes:
            sentence = _l(
                "With it “%(question)s”, which stands and is not changed here, would be wrong: %(why)s",
                question=label(key), why=verdict.refused[key],
            )  # fmt: skip
            one.warning = both(one.warning, sentence)


def _clear_together(plan: ReplyPlan, touched: Sequence[ChangedAnswer]) -> None:
    """Let what would break a rule only because something else is left to be seen first wait with it."""
    chosen = [one for one in touched if one.chosen]
    while True:
        waiting = {row.row.key for row in plan.rows if not row.clear}
        taken = [one for one in chosen if one.clear and one.key.row not in waiting]
        if len(taken) == len(chosen):
            return
        verdict = _verdict(plan, taken)
        for one in taken:
            one.waits = one.key in verdict.refused
        if not any(one.waits for one in taken):
            return


def _verdict(plan: ReplyPlan, taken: Iterable[ChangedAnswer]) -> Evaluation:
    """Judge the reply as it would stand with those of some answers that are taken unless somebody says otherwise."""
    answers: dict[AnswerKey, Given] = dict(plan.stored.answers)
    rows: dict[str, list[TableRow]] = {code: list(found) for code, found in plan.standing.items()}
    for row in plan.rows:
        if row.chosen:
            rows.setdefault(row.row.repeat, []).append(TableRow(row.row.key, row.parent))
    for one in taken:
        if one.chosen:
            parsed = one.options[0].parsed
            answers[one.key] = Given(parsed.value, parsed.state, parsed.typed, one.revision)
    return evaluate(plan.definition, answers, plan.context, rows)


def _good(plan: ReplyPlan, keys: Collection[AnswerKey]) -> set[AnswerKey]:
    """Return those of some answers of which one stands that breaks no rule itself."""
    standing = {key for key in keys if (one := plan.stored_answer(key)) is not None and not one.blank}
    if not standing:
        return standing
    refused = evaluate(plan.definition, plan.stored.answers, plan.context, plan.standing).refused
    return {key for key in standing if key not in refused and plan.stored.answers[key].typed is None}


def both(first: Speakable | None, second: Speakable) -> Speakable:
    """Put a warning after one that is there already."""
    return f"{first} {second}" if first else second
