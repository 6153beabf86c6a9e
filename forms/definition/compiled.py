"""What is derived once from a definition: look-ups, the order of evaluation and the compiled expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.answers import AnswerKey
from forms.expressions import compile_tree, names, parse
from forms.question_types import QuestionType, question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.definition.model import Definition, Item
    from forms.expressions import Rule

ALWAYS = frozenset({"yes", "true", "true()", "1"})
NEVER = frozenset({"", "no", "false", "false()", "0"})


@dataclass(frozen=True)
class Step:
    """One item with its rules compiled; `keys` are the answers it can have, `parent` is "" for a page."""

    item: Item
    parent: str
    kind: QuestionType | None
    keys: tuple[AnswerKey, ...]
    key: AnswerKey | None
    relevant: Rule | None
    calculation: Rule | None
    constraint: Rule | None
    choice_filter: Rule | None
    required: Rule | bool
    evidence: Rule | bool


class Compiled:
    """The derived parts of one definition, cached on it. Raises: ExpressionError for a rule that cannot be parsed."""

    def __init__(self, definition: Definition) -> None:
        self.by_code: dict[str, Item] = {}
        self.page_by_code: dict[str, Item] = {}
        self.parents: dict[str, str] = {}
        for page in definition.pages:
            for item in page.items():
                self.by_code[item.code] = item
                self.page_by_code[item.code] = page
                for child in item.children:
                    self.parents[child.code] = item.code
        order, self.cycles = in_order(dependencies(self.by_code.values(), self.parents))
        self.steps = tuple(
            _step(self.by_code[code], self.parents.get(code, ""), definition.languages) for code in order
        )
        # In the order of the pages, for what people see: what is missing, what is refused.
        by_code = {step.item.code: step for step in self.steps}
        self.questions = tuple(by_code[code] for code in self.by_code if by_code[code].kind is not None)
        self.folders = tuple(reversed([_folder(item) for item in self.by_code.values() if item.children]))


def _folder(item: Item) -> tuple[str, tuple[str, ...]]:
    """Return a page or group with the codes in it that would show something to answer."""
    return item.code, tuple(child.code for child in item.children if _fills(child))


def _fills(item: Item) -> bool:
    if item.children:
        return any(_fills(child) for child in item.children)
    return item.kind == "question" and question_type(item.type).asks


def _step(item: Item, parent: str, languages: tuple[str, ...]) -> Step:
    kind = question_type(item.type) if item.kind == "question" else None
    return Step(
        item=item,
        parent=parent,
        kind=kind,
        keys=kind.keys(item, languages) if kind is not None and not item.calculation else (),
        key=AnswerKey(item.code) if kind is not None else None,
        relevant=_rule(item.relevant),
        calculation=_rule(item.calculation),
        constraint=_rule(item.constraint),
        choice_filter=_rule(item.choice_filter, filtering=True),
        required=_flag(item.required) if kind is not None and kind.asks and not item.calculation else False,
        evidence=_flag(item.settings.get("evidence_required", "")) if kind is not None else False,
    )


def _flag(source: str | bool) -> Rule | bool:  # noqa: FBT001 - a setting is yes, no or a rule
    if isinstance(source, bool):
        return source
    plain = source.strip().lower()
    if plain in NEVER:
        return False
    return True if plain in ALWAYS else compile_tree(parse(source.strip()))


def _rule(source: str, *, filtering: bool = False) -> Rule | None:
    return compile_tree(parse(source, filtering=filtering)) if source.strip() else None


def dependencies(items: Iterable[Item], parents: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return for each item what must be known before it: its folder, and what its relevant and calculation read."""
    reads: dict[str, frozenset[str]] = {}
    for item in items:
        before: set[str] = set()
        for source in (item.relevant, item.calculation):
            if source.strip():
                before |= names(parse(source))
        if item.code in parents:
            before.add(parents[item.code])
        reads[item.code] = frozenset(before)
    return reads


def in_order(reads: Mapping[str, frozenset[str]]) -> tuple[list[str], list[str]]:
    """Sort codes so that each comes after what it reads; return (order, codes that lie on a circle).

    Items on a circle still stand in the order, at its end, so that evaluation stays total.
    """
    waiting = {code: {name for name in before if name in reads} for code, before in reads.items()}
    readers: dict[str, list[str]] = {}
    for code, before in waiting.items():
        for name in before:
            readers.setdefault(name, []).append(code)
    ready = [code for code, before in waiting.items() if not before]
    order: list[str] = []
    for code in ready:  # grows while it is walked
        order.append(code)
        for reader in readers.get(code, ()):
            waiting[reader].discard(code)
            if not waiting[reader]:
                ready.append(reader)
    done = set(order)
    left = [code for code in reads if code not in done]
    # Of what is left, those nobody left reads only wait for a circle; they do not lie on one.
    ring = set(left)
    while loose := {code for code in ring if not any(reader in ring for reader in readers.get(code, ()))}:
        ring -= loose
    return order + left, [code for code in left if code in ring]
