"""What the rules of a questionnaire say about a set of answers: what is asked, computed, required, refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from forms.answers import AnswerKey, Given, Json
from forms.context import Context
from forms.expressions import text, truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.compiled import Step
    from forms.definition.model import Choice, Definition, Item
    from forms.expressions import Rule, Value

__all__ = ["Context", "Evaluation", "evaluate", "fill"]

_NAME = re.compile(r"\$\{\s*([^{}\s]+)\s*\}")
_NOTHING = Given()


@dataclass(frozen=True)
class Evaluation:
    """The verdict on a set of answers.

    `hidden` holds codes of items (pages and groups too) that are not asked. `required` and `missing` name questions:
    their keys have no language, since an answer in any language will do. `refused` maps the very answer (language
    included) to its sentence. `unreadable` are answers whose typed text could not be read: neither missing nor given.
    `evidence` holds codes of questions that need evidence. `offered` maps questions with a choice filter to the keys
    on offer. `values` is what expressions read.
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

    @property
    def complete(self) -> bool:
        """True when nothing keeps the reply from being completed."""
        return not (self.missing or self.refused or self.unreadable)


def evaluate(definition: Definition, answers: Mapping[AnswerKey, Given], context: Context) -> Evaluation:
    """Apply relevant, calculation, required and constraint to the answers; total, bounded, never raises."""
    scope = _Scope(definition, context)
    hidden: set[str] = set()
    calculated: dict[AnswerKey, Json] = {}
    compiled = definition.compiled
    for step in compiled.steps:
        code = step.item.code
        if step.parent in hidden or (step.relevant is not None and not truth(step.relevant(scope))):
            hidden.add(code)
        elif step.key is not None:
            scope.values[code] = _value(step, step.key, answers, scope, calculated)
    for code, children in compiled.folders:
        if children and hidden.issuperset(children):
            hidden.add(code)
    return _judged(definition, answers, scope, hidden, calculated)


def _value(
    step: Step,
    key: AnswerKey,
    answers: Mapping[AnswerKey, Given],
    scope: _Scope,
    calculated: dict[AnswerKey, Json],
) -> str:
    """Return what expressions read for a question that is asked; computed ones are computed here."""
    kind = step.kind
    if kind is None:
        return ""
    if step.calculation is not None:
        scope.here = kind.expression(answers.get(key, _NOTHING).value)
        result = step.calculation(scope)
        scope.here = ""
        json = _json(result)
        calculated[key] = json
        return "" if json is None else text(result)
    if not kind.asks:
        if kind.name != "hidden":
            return ""
        json = answers.get(key, _NOTHING).value or step.item.default or None
        calculated[key] = json
        return kind.expression(json)
    for one in step.keys:
        given = answers.get(one)
        if given is not None and given.value is not None and given.state == "answered" and given.typed is None:
            return kind.expression(given.value)
    return ""


def _json(value: Value) -> Json:
    """Return a computed value as it is stored: whole numbers as integers, NaN and infinities as nothing."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return None if value == "" else value


def _judged(
    definition: Definition,
    answers: Mapping[AnswerKey, Given],
    scope: _Scope,
    hidden: set[str],
    calculated: dict[AnswerKey, Json],
) -> Evaluation:
    """Say what is required, missing, refused and unreadable, in the order of the pages."""
    required: set[AnswerKey] = set()
    missing: list[AnswerKey] = []
    unreadable: list[AnswerKey] = []
    refused: dict[AnswerKey, str] = {}
    offered: dict[str, tuple[str, ...]] = {}
    evidence: set[str] = set()
    for step in definition.compiled.questions:
        item = step.item
        if item.code in hidden or step.key is None:
            continue
        said = [key for key in step.keys if not answers.get(key, _NOTHING).blank]
        unreadable.extend(key for key in said if answers[key].typed is not None)
        if step.constraint is not None:
            refused.update(_broken(definition, step, said, answers, scope))
        if step.choice_filter is not None:
            offered[item.code] = _on_offer(step, scope, answers, refused)
        if _holds(step.evidence, scope):
            evidence.add(item.code)
        if _holds(step.required, scope):
            required.add(step.key)
            if not said:
                missing.append(step.key)
    return Evaluation(
        hidden=frozenset(hidden),
        calculated=calculated,
        required=frozenset(required),
        missing=tuple(missing),
        refused=refused,
        unreadable=tuple(unreadable),
        evidence=frozenset(evidence),
        offered=offered,
        values=scope.values,
    )


def _holds(rule: Rule | bool, scope: _Scope) -> bool:  # noqa: FBT001 - a setting is yes, no or a rule
    return rule if isinstance(rule, bool) else truth(rule(scope))


def _broken(
    definition: Definition, step: Step, said: list[AnswerKey], answers: Mapping[AnswerKey, Given], scope: _Scope
) -> dict[AnswerKey, str]:
    """Return the answers of a question that break its constraint, with the sentence."""
    broken: dict[AnswerKey, str] = {}
    for key in said:
        given = answers[key]
        if given.value is None or given.state != "answered" or step.constraint is None or step.kind is None:
            continue
        scope.here = step.kind.expression(given.value)
        if not truth(step.constraint(scope)):
            broken[key] = _refusal(definition, step.item, scope)
    scope.here = ""
    return broken


def _on_offer(
    step: Step, scope: _Scope, answers: Mapping[AnswerKey, Given], refused: dict[AnswerKey, str]
) -> tuple[str, ...]:
    """Return the choices that the filter lets through; refuse an answer that is no longer among them."""
    keys: list[str] = []
    for choice in step.item.choices:
        scope.choice = choice
        if step.choice_filter is None or truth(step.choice_filter(scope)):
            keys.append(choice.key)
    scope.choice = None
    for key in step.keys:
        value = answers.get(key, _NOTHING).value
        chosen = value if isinstance(value, list) else [value]
        if value is not None and any(one not in keys for one in chosen):
            refused.setdefault(
                key, _("This choice no longer fits the other answers. Please choose again from the list.")
            )
    return tuple(keys)


def _refusal(definition: Definition, item: Item, scope: _Scope) -> str:
    context = scope.context
    sentence = item.text("constraint_message", context.language, definition.languages)
    if sentence:
        return fill(sentence, definition, scope.values, context.language)
    return str(_("This answer does not fit the rule of the question. Please check it."))


def fill(sentence: str, definition: Definition, values: Mapping[str, str], language: str) -> str:
    """Put answers in the place of `${name}` in a label, hint or message; choices by their labels.

    The result is plain text: a template escapes it like any other.
    """
    if "${" not in sentence:
        return sentence

    def answer(found: re.Match[str]) -> str:
        item = definition.compiled.by_code.get(found[1])
        value = values.get(found[1], "")
        if item is None or not item.choices or not value:
            return value or "…"
        return ", ".join(_label(item, key, language) for key in value.split())

    return _NAME.sub(answer, sentence)


def _label(item: Item, key: str, language: str) -> str:
    choice = item.choice_by_key.get(key)
    if choice is None:
        return key
    return choice.texts.get(language) or next((label for label in choice.texts.values() if label), key)


class _Scope:
    """What expressions see while one set of answers is evaluated."""

    __slots__ = ("choice", "context", "definition", "here", "position", "values")

    def __init__(self, definition: Definition, context: Context) -> None:
        self.definition = definition
        self.context = context
        self.values: dict[str, str] = {}
        self.here = ""
        self.position = 1
        self.choice: Choice | None = None

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def nodes(self, name: str) -> Sequence[str]:
        return (self.values.get(name, ""),)

    def column(self, name: str) -> str:
        if self.choice is None:
            return ""
        return self.choice.key if name == "name" else self.choice.extra.get(name, "")

    def today(self) -> str:
        return self.context.today.isoformat()

    def now(self) -> str:
        now = self.context.now
        return f"{self.context.today.isoformat()}T00:00:00" if now is None else now.isoformat(timespec="seconds")

    def label(self, name: str, key: str) -> str:
        item = self.definition.compiled.by_code.get(name)
        return key if item is None or not key else _label(item, key, self.context.language)
