"""What the rules of a questionnaire say about a set of answers: what is asked, computed, required, refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, Given, Json, Rows, field_name, is_hidden
from forms.context import Context
from forms.expressions import number, text, truth
from forms.frames import MAX_ROWS, Frame, Frames
from forms.question_types.choices import label_of
from forms.scope import AnswerScope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from forms.definition.compiled import Step
    from forms.definition.model import Definition, Item
    from forms.expressions import Rule, Value
    from forms.question_types import QuestionType

__all__ = ["Context", "Evaluation", "evaluate", "fill"]

NAME = re.compile(r"\$\{\s*([^{}\s]+)\s*\}")
BREAKS_RULE = _l("This answer does not fit the rule of the question. Please check it.")
_NOTHING = Given()
_NO_ROWS: Rows = MappingProxyType({})


@dataclass(frozen=True)
class Evaluation:
    """The verdict on a set of answers.

    `hidden` holds what is not asked: codes of items (pages, groups and tables too) that are hidden everywhere, and
    single cells of tables as `code[row]`. `calculated` maps computed questions to their values. `required` and
    `missing` name questions: their keys have no language, since an answer in any language will do. `refused` maps the
    very answer (language included) to its sentence. `unreadable` are answers whose typed text could not be read:
    neither missing nor given. All of these have the row of their table in the key. `evidence` holds the field names of
    questions that need evidence. `offered` maps the field names of questions with a choice filter to the keys on
    offer. `counts` says how many rows a table should have, by its code (`code[row]` for a table in a table).
    `defaults` are answers that were never saved and begin with a value; expressions read them as if they were given,
    and they are judged like any other, so that the save which keeps them knows what they are worth.
    `doubted` are answers that do not fit a soft rule of their question: they may stay, with a reason.
    `values` is what expressions read outside tables.
    """

    hidden: frozenset[str]
    calculated: Mapping[AnswerKey, Json]
    required: frozenset[AnswerKey]
    missing: tuple[AnswerKey, ...]
    refused: Mapping[AnswerKey, str]
    unreadable: tuple[AnswerKey, ...] = ()
    evidence: frozenset[str] = frozenset()
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    defaults: Mapping[AnswerKey, Json] = field(default_factory=dict)
    doubted: tuple[AnswerKey, ...] = ()
    frames: Frames | None = None

    @property
    def complete(self) -> bool:
        """True when nothing keeps the reply from being completed."""
        return not (self.missing or self.refused or self.unreadable)

    def is_hidden(self, key: AnswerKey) -> bool:
        """Say whether an answer is not asked."""
        return is_hidden(self.hidden, key)

    def seen_from(self, key: AnswerKey) -> Mapping[str, str]:
        """Return what `${name}` reads in the row of an answer, for labels and messages there (`fill`)."""
        if self.frames is None or not key.row:
            return self.values
        table = self.frames.compiled.homes.get(key.code, "")
        row = next((frame for frame in self.frames.of[table] if frame.key == key.row), None)
        return self.values if row is None else self.frames.seen_from(row)


def evaluate(
    definition: Definition, answers: Mapping[AnswerKey, Given], context: Context, rows: Rows = _NO_ROWS
) -> Evaluation:
    """Apply relevant, calculation, default, required and constraint to the answers; total, bounded, never raises.

    Every rule of a column of a table is applied in each of its rows; answers of rows that `rows` does not name are not
    looked at.
    """
    return _Work(definition, answers, context, rows).run()


def raw_of_default(kind: QuestionType, begun: str, item: Item) -> list[str]:
    """Return a default as somebody would post it; as it is written where it is no value of the type."""
    try:
        return kind.raw(begun, item) if begun else []
    except (ValueError, ArithmeticError):
        return [begun]


def _can_be(kind: QuestionType, json: Json, item: Item) -> bool:
    """Tell whether a computed value can be shown as one of the question's type."""
    try:
        kind.text(json, item, "")
        kind.cell(json, item, "")
    except (ValueError, TypeError, ArithmeticError):
        return False
    return True


class _Work:
    """One evaluation while it runs."""

    def __init__(
        self, definition: Definition, answers: Mapping[AnswerKey, Given], context: Context, rows: Rows
    ) -> None:
        self.definition, self.answers, self.context = definition, answers, context
        self.frames = Frames(definition.compiled, rows)
        self.scope = AnswerScope(definition, context, self.frames)
        self.calculated: dict[AnswerKey, Json] = {}
        self.defaults: dict[AnswerKey, Json] = {}
        self.required: set[AnswerKey] = set()
        self.missing: list[AnswerKey] = []
        self.unreadable: list[AnswerKey] = []
        self.refused: dict[AnswerKey, str] = {}
        self.offered: dict[str, tuple[str, ...]] = {}
        self.evidence: set[str] = set()
        self.doubted: list[AnswerKey] = []

    def run(self) -> Evaluation:
        """Compute in the order of what reads what, then judge in the order of the pages."""
        compiled = self.definition.compiled
        written = {key.code for key in self.answers}
        self._compute_all(written)
        self._judge_all(written)
        return Evaluation(
            hidden=self.frames.hidden() if compiled.tables else frozenset(self.frames.root.hidden),
            calculated=self.calculated,
            required=frozenset(self.required),
            missing=tuple(self.missing),
            refused=self.refused,
            unreadable=tuple(self.unreadable),
            evidence=frozenset(self.evidence),
            offered=self.offered,
            values=self.frames.root.values,
            counts=self._counts(),
            defaults=self.defaults,
            doubted=tuple(self.doubted),
            frames=self.frames,
        )

    def _compute_all(self, written: Collection[str]) -> None:
        """Find what is hidden and what each question says; ``written`` are the codes of which anything is stored."""
        compiled, scope, of = self.definition.compiled, self.scope, self.frames.of
        for step in compiled.steps:
            if step.plain and step.item.code not in written:
                _say_nothing(step, of[step.table])
                continue
            for scope.frame in of[step.table]:
                self._compute(step, scope.frame)
        for code, children in compiled.folders:
            for frame in of[compiled.homes[code]]:
                if children and frame.hidden.issuperset(children):
                    frame.hidden.add(code)

    def _judge_all(self, written: Collection[str]) -> None:
        scope, of = self.scope, self.frames.of
        for step in self.definition.compiled.questions:
            if step.key is None or (step.free and step.item.code not in written):
                continue
            for scope.frame in of[step.table]:
                if step.item.code not in scope.frame.hidden:
                    self._judge(step, step.key, scope.frame.key)

    def _compute(self, step: Step, frame: Frame) -> None:
        code = step.item.code
        if frame.holds(step.parent, step.parent_table) or (
            step.relevant is not None and not truth(step.relevant(self.scope))
        ):
            frame.hidden.add(code)
            if step.key is not None:
                frame.values[code] = ""
        elif step.key is not None:
            frame.values[code] = self._value(step, step.key, frame.key)

    def _value(self, step: Step, plain: AnswerKey, row: str) -> str:
        """Return what expressions read for a question that is asked; computed ones are computed here."""
        kind, scope = step.kind, self.scope
        if kind is None:
            return ""
        key = _in_row(plain, row)
        if step.calculation is not None:
            scope.here = kind.expression(self.answers.get(key, _NOTHING).value)
            result = step.calculation(scope)
            scope.here = ""
            json = _json(result)
            if kind.asks and json is not None and not _can_be(kind, json, step.item):
                json = None  # a date computed from two names: nothing that could be stored or shown
            self.calculated[key] = json
            return "" if json is None else text(result)
        if not kind.asks:
            if kind.name != "hidden":
                return ""
            given = self.answers.get(key, _NOTHING).value
            json = _json(step.default(scope)) if given is None and step.default is not None else given
            self.calculated[key] = json
            return kind.expression(json)
        return self._answered(step, row)

    def _answered(self, step: Step, row: str) -> str:
        """Return what was answered, in the first language that has an answer; else what the answer begins with."""
        kind = step.kind
        saved = False
        for plain in step.keys:
            given = self.answers.get(_in_row(plain, row))
            if given is None:
                continue
            saved = True
            if given.value is not None and given.state == "answered" and given.typed is None and kind is not None:
                return kind.expression(given.value)
        if saved or step.default is None or kind is None or not step.keys:
            return ""
        begun = text(step.default(self.scope))
        raw = begun.split() if kind.several else raw_of_default(kind, begun, step.item)
        preferred = self.definition.default_language
        plain = next((key for key in step.keys if key.lang == preferred), step.keys[0])
        value = kind.parse(raw, step.item, self.context, plain.lang).value
        if value is None:
            return ""
        self.defaults[_in_row(plain, row)] = value
        return kind.expression(value)

    def _judge(self, step: Step, plain: AnswerKey, row: str) -> None:
        """Say what is required, missing, refused, unreadable and on offer of one question in one row."""
        keys = [_in_row(one, row) for one in step.keys] if row else step.keys
        said = self._said(keys)
        if step.constraint is not None and said:
            self._constrain(step, step.constraint, said)
        if step.soft is not None and said:
            self.doubted.extend(key for key in self._breaking(step, step.soft, said) if key not in self.refused)
        key = _in_row(plain, row)
        if step.choice_filter is not None:
            self.offered[field_name(key)] = self._on_offer(step, step.choice_filter, keys)
        if _holds(step.evidence, self.scope):
            self.evidence.add(field_name(key))
        if _holds(step.required, self.scope):
            self.required.add(key)
            if not said:
                self.missing.append(key)

    def _said(self, keys: Sequence[AnswerKey]) -> list[AnswerKey]:
        """Return those answers of a question that say something or begin with a value; note the unreadable ones."""
        said = []
        for key in keys:
            given = self.answers.get(key)
            if given is not None and not given.blank:
                said.append(key)
                if given.typed is not None:
                    self.unreadable.append(key)
        if self.defaults:
            said += [key for key in keys if key in self.defaults]
        return said

    def _constrain(self, step: Step, constraint: Rule, said: list[AnswerKey]) -> None:
        """Refuse the answers of a question that break its constraint, each with the sentence."""
        for key in self._breaking(step, constraint, said):
            self.refused[key] = self._refusal(step.item)

    def _breaking(self, step: Step, rule: Rule, said: list[AnswerKey]) -> list[AnswerKey]:
        """Return the answers of a question that do not fit a rule of it."""
        found = []
        for key in said:
            value = self._held(key)
            if value is None or step.kind is None:
                continue
            self.scope.here = step.kind.expression(value)
            if not truth(rule(self.scope)):
                found.append(key)
        self.scope.here = ""
        return found

    def _held(self, key: AnswerKey) -> Json:
        """Return the value that stands for an answer: given, else what it begins with."""
        given = self.answers.get(key)
        if given is None:
            return self.defaults.get(key)
        return given.value if given.state == "answered" else None

    def _on_offer(self, step: Step, rule: Rule, keys: Sequence[AnswerKey]) -> tuple[str, ...]:
        """Return the choices that the filter lets through; refuse an answer that is no longer among them."""
        offered: list[str] = []
        for self.scope.choice in step.item.choices:
            if truth(rule(self.scope)):
                offered.append(self.scope.choice.key)
        self.scope.choice = None
        for key in keys:
            value = self._held(key)
            chosen = value if isinstance(value, list) else [value]
            if value is not None and any(one not in offered for one in chosen):
                self.refused.setdefault(
                    key, _("This choice no longer fits the other answers. Please choose again from the list.")
                )
        return tuple(offered)

    def _refusal(self, item: Item) -> str:
        language = self.context.language
        sentence = item.text("constraint_message", language, self.definition.languages)
        if sentence:
            seen = self.frames.seen_from(self.scope.frame) if "${" in sentence else {}
            return fill(sentence, self.definition, seen, language)
        return str(BREAKS_RULE)

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for step in self.definition.compiled.counted:
            for frame in self.frames.of[step.table]:
                if step.count is not None and step.item.code not in frame.hidden:
                    self.scope.frame = frame
                    wanted = number(step.count(self.scope))
                    name = field_name(AnswerKey(step.item.code, frame.key))
                    counts[name] = 0 if math.isnan(wanted) else int(max(0, min(MAX_ROWS, wanted)))
        return counts


def _say_nothing(step: Step, frames: Sequence[Frame]) -> None:
    """Note of a question without rules that nobody wrote in: it says nothing, and is hidden where its folder is."""
    code, parent, table = step.item.code, step.parent, step.parent_table
    for frame in frames:
        frame.values[code] = ""
        if (frame.hidden or frame.up is not None) and frame.holds(parent, table):
            frame.hidden.add(code)


def _in_row(key: AnswerKey, row: str) -> AnswerKey:
    return AnswerKey(key.code, row, key.lang) if row else key


def _json(value: Value) -> Json:
    """Return a computed value as it is stored: whole numbers as integers, NaN and infinities as nothing."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return None if value == "" else value


def _holds(rule: Rule | bool, scope: AnswerScope) -> bool:  # noqa: FBT001 - a setting is yes, no or a rule
    return rule if isinstance(rule, bool) else truth(rule(scope))


def fill(
    sentence: str,
    definition: Definition,
    values: Mapping[str, str],
    language: str,
    spoken: Callable[[str], str] = str,
) -> str:
    """Put answers in the place of `${name}` in a label, hint or message; choices by their labels.

    The result is plain text: a template escapes it like any other. Where the sentence is HTML already, `spoken` must
    escape what is put in, labels of choices as much as what people wrote.
    """
    if "${" not in sentence:
        return sentence

    def answer(found: re.Match[str]) -> str:
        item = definition.compiled.by_code.get(found[1])
        value = values.get(found[1], "")
        if item is None or not item.choices or not value:
            return spoken(value or "…")
        said = ", ".join(label_of(key, item, language) for key in value.split())
        # the label of a choice may speak an answer itself; what that one speaks is not followed any further
        return spoken(NAME.sub(lambda inner: values.get(inner[1], "") or "…", said) if "${" in said else said)

    return NAME.sub(answer, sentence)
