"""What a returned sheet no longer has in common with the questionnaire: another version, questions that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.question_types import question_type
from forms.questionnaire import answer_keys
from forms.tables import may_change, table_of
from portal.services.offline.plan import in_part
from portal.table import Problem
from portal.workbooks.cell_text import MOST, clean, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forms.answers import AnswerKey
    from forms.definition.model import Item
    from portal.services.offline.plan import ReplyPlan
    from portal.services.offline.reading import CopyOfReply
    from portal.workbooks.offline.found import FoundBook


def unlocked(book: FoundBook) -> list[Problem]:
    """Tell of locks that were taken off, once for the whole file: a file has forty sheets."""
    names = [sheet.name for sheet in book.sheets if not sheet.locked]
    if not names:
        return []
    sentence = _l(
        "The lock of these sheets was taken off: %(sheets)s. Their hidden marks are whole, so they were read like any other.",  # noqa: E501 - a sentence stays in one piece
        sheets=", ".join(names),
    )
    return [Problem(sentence)]


def outdated(plans: Sequence[ReplyPlan]) -> list[Problem]:
    """Tell, once for all replies, which were downloaded before their questionnaire was renewed."""
    found = {sheet.name: sheet for plan in plans for sheet in plan.outdated}
    if not found:
        return []
    sentence = _l(
        "This file was made for an earlier version of the questionnaire. Answers to questions that are still asked were read."  # noqa: E501 - a sentence stays in one piece
    )
    names = ", ".join(found)
    place = in_part(names, word=next(iter(found.values())).word)
    return [Problem(sentence, names, mend=_l("Download it again for the new questions."), place=place)]


def note_structure(plan: ReplyPlan, copy: CopyOfReply, language: str) -> None:
    """Tell what the sheet asked that is asked no longer, and which of its lines are gone."""
    sheet = copy.sheet
    place = in_part(sheet.name, word=sheet.word)
    if copy.no_longer_asked:
        sentence = _l(
            "The questionnaire was renewed since the download. These questions are no longer asked, and were left out: %(questions)s",  # noqa: E501 - a sentence stays in one piece
            questions="; ".join(copy.no_longer_asked[:20]) + ("…" if len(copy.no_longer_asked) > 20 else ""),
        )
        # somebody wrote it: it is not passed over among what is said by the way
        plan.problems.append(Problem(sentence, sheet.name, place=place))
    if sheet.mark.version != plan.head.version_id:
        plan.outdated.append(sheet)
        return
    if sheet.word:  # its reader told which fields are gone
        return
    for item in _gone(copy, _wanted(plan)):
        label = item.text("label", language, plan.context.languages) or item.code
        sentence = (
            _l("The line of the question “%(question)s” was not read; what stands in the portal stays.", question=label[:80])  # noqa: E501 - a sentence stays in one piece
            if sheet.unread
            else _l(
                "The line of the question “%(question)s” was deleted from the sheet; what stands in the portal stays.",
                question=label[:80],
            )
        )
        plan.remarks.append(Problem(sentence, sheet.name))


def _gone(copy: CopyOfReply, wanted: Iterable[tuple[Item, str]]) -> Iterable[Item]:
    return {item.code: item for item, row in wanted if (item.code, row) not in copy.seen}.values()


def _wanted(plan: ReplyPlan) -> Iterator[tuple[Item, str]]:
    """Yield the questions that a whole sheet of this version holds, with the fixed rows they stand in."""
    for item in plan.definition.questions():
        kind = question_type(item.type)
        if not kind.asks or item.calculation or kind.control == "file":
            continue
        if not may_change(plan.definition, item.code, plan.head.unlocked):
            continue
        table = table_of(plan.definition, item.code)
        if table is None:
            keys = answer_keys(item, plan.context.languages)
            if not any(_too_long(plan, key) for key in keys):
                yield item, ""
        elif table.fixed:
            for row in table.rows({}):
                yield item, row.key


def _too_long(plan: ReplyPlan, key: AnswerKey) -> bool:
    """Tell whether an answer may have been kept off the sheet: no cell holds it."""
    stored = plan.stored_answer(key)
    return stored is not None and isinstance(stored.value, str) and units(clean(stored.value)[0]) > MOST
