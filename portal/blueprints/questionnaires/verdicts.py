"""What the evaluator says of sample answers, question by question, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forms.answers import AnswerKey, field_name
from forms.definition.said import said
from forms.question_types import question_type
from forms.question_types.choices import label_of
from portal.blueprints.tables import computed_text
from portal.reader import digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation
    from forms.trial import Sample

MOST_CELLS = 300  # cells of one table that are spoken of


@dataclass(frozen=True)
class Said:
    """The verdict on one question, in one row ("" outside tables); ``value`` is read aloud."""

    label: str
    row: str
    asked: bool
    required: bool
    missing: bool
    value: str
    message: str
    offered: tuple[str, ...] | None = None


@dataclass
class Verdict:
    """The verdict on one item of a page; ``cells`` are those of a table, ``more`` the cells not spoken of."""

    code: str
    label: str
    asked: bool
    rule: str = ""
    source: str = ""
    said: Said | None = None
    cells: list[Said] = field(default_factory=list)
    more: int = 0


def verdicts(
    of: Definition, sample: Sample, evaluation: Evaluation, judged: Mapping[str, Any], language: str
) -> dict[str, Verdict]:
    """Return the verdict on each item by its code; a table holds those of its cells."""
    by_code, homes = of.compiled.by_code, of.compiled.homes
    found = {item.code: _empty(of, item, evaluation, language) for item in by_code.values() if not homes[item.code]}
    numbers = {
        (table, frame.key): digits(at)
        for table, frames in (evaluation.frames.of.items() if evaluation.frames else ())
        for at, frame in enumerate(frames, start=1)
        if table
    }
    for one in judged["questions"]:
        item = by_code[one["code"]]
        home = homes[item.code]
        top = _outermost(of, home)
        verdict = found.get(top or item.code)
        if verdict is None:
            continue
        row = _row_name(by_code.get(home), one["row"], numbers, language)
        said_ = _said(of, item, one, row, evaluation, language)
        if not home:
            verdict.said = said_
        elif len(verdict.cells) < MOST_CELLS:
            verdict.cells.append(said_)
        else:
            verdict.more += 1
    del sample
    return found


def _empty(of: Definition, item: Item, evaluation: Evaluation, language: str) -> Verdict:
    label = item.text("label", language, of.languages) or item.code
    rule = said(item.relevant, of.compiled.by_code, language, of.languages) if item.relevant else ""
    return Verdict(item.code, label, item.code not in evaluation.hidden, rule, item.relevant)


def _outermost(of: Definition, table: str) -> str:
    while table and of.compiled.homes.get(table):
        table = of.compiled.homes[table]
    return table


def _row_name(table: Item | None, key: str, numbers: Mapping[tuple[str, str], str], language: str) -> str:
    if table is None or not key:
        return ""
    choice = table.choice_by_key.get(key)
    if choice is not None:
        return choice.texts.get(language) or next(iter(choice.texts.values()), key)
    return numbers.get((table.code, key), key)


def _said(
    of: Definition, item: Item, one: Mapping[str, Any], row: str, evaluation: Evaluation, language: str
) -> Said:
    offered = evaluation.offered.get(field_name(AnswerKey(item.code, one["row"])))
    return Said(
        label=item.text("label", language, of.languages) or item.code,
        row=row,
        asked=one["relevant"],
        required=one["required"],
        missing=one["missing"],
        value=_aloud(item, one["value"], language),
        message=str(one["message"] or ""),
        offered=None if offered is None else tuple(label_of(key, item, language) for key in offered),
    )


def _aloud(item: Item, value: Any, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and question_type(item.type).control == "text":
        return " / ".join(f"{text} ({code})" for code, text in value.items())
    if item.calculation or question_type(item.type).computed:
        return computed_text(item, value, language)
    return question_type(item.type).text(value, item, language)
