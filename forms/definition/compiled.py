"""What is derived once from a definition: look-ups, the order of evaluation and the compiled expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.answers import AnswerKey
from forms.expressions import FUNCTIONS, compile_tree, names, parse
from forms.question_types import QuestionType, question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.definition.model import Definition, Item
    from forms.expressions import Rule

ALWAYS = frozenset({"yes", "true", "true()", "1"})
NEVER = frozenset({"", "no", "false", "false()", "0"})
_CALLS = re.compile(r"(?<![\w.:\-])([^\W\d][\w.:\-]*)\(")
TABLES = frozenset({"repeat", "matrix"})


@dataclass(frozen=True)
class Table:
    """A table; `outer` is the table it stands in, "" for none; `rows` are the fixed rows of a matrix."""

    code: str
    outer: str
    rows: tuple[str, ...] | None


@dataclass(frozen=True)
class Step:
    """One item with its rules compiled; `keys` are the answers it can have, `parent` is "" for a page.

    `table` is the table it stands in, "" for none; inside one, each of the `keys` is had once per row. `count` computes
    how many rows a table should have.
    """

    item: Item
    parent: str
    parent_table: str
    table: str
    kind: QuestionType | None
    keys: tuple[AnswerKey, ...]
    key: AnswerKey | None
    relevant: Rule | None
    calculation: Rule | None
    constraint: Rule | None
    choice_filter: Rule | None
    default: Rule | None
    required: Rule | bool
    evidence: Rule | bool
    count: Rule | None


class Compiled:
    """The derived parts of one definition, cached on it. Raises: ExpressionError for a rule that cannot be parsed."""

    def __init__(self, definition: Definition) -> None:
        self.by_code: dict[str, Item] = {}
        self.page_by_code: dict[str, Item] = {}
        self.parents: dict[str, str] = {}
        self.homes: dict[str, str] = {}  # the table that an item stands in, "" for none
        self.tables: dict[str, Table] = {}  # an outer one before those in it
        for page in definition.pages:
            for item in page.items():
                self.by_code[item.code] = item
                self.page_by_code[item.code] = page
                for child in item.children:
                    self.parents[child.code] = item.code
                self._place(item)
        # A table and those it stands in, the nearest first, "" last.
        self.chains: dict[str, tuple[str, ...]] = {"": ("",)}
        self.inside: dict[str, tuple[str, ...]] = {}  # what stands in a table, tables in it left out
        for table in self.tables.values():
            self.chains[table.code] = (table.code, *self.chains[table.outer])
            self.inside[table.code] = tuple(code for code, home in self.homes.items() if home == table.code)
        order, self.cycles = in_order(dependencies(self.by_code.values(), self.parents))
        self.steps = tuple(self._step(self.by_code[code], definition.languages) for code in order)
        # In the order of the pages, for what people see: what is missing, what is refused.
        by_code = {step.item.code: step for step in self.steps}
        self.questions = tuple(by_code[code] for code in self.by_code if by_code[code].kind is not None)
        self.folders = tuple(
            reversed([_folder(item) for item in self.by_code.values() if item.children and item.kind not in TABLES])
        )
        self.counted = tuple(by_code[code] for code in self.tables if by_code[code].count is not None)

    def _step(self, item: Item, languages: tuple[str, ...]) -> Step:
        parent = self.parents.get(item.code, "")
        return _step(item, parent, (self.homes.get(parent, ""), self.homes[item.code]), languages)

    def _place(self, item: Item) -> None:
        parent = self.by_code.get(self.parents.get(item.code, ""))
        home = "" if parent is None else parent.code if parent.kind in TABLES else self.homes[parent.code]
        self.homes[item.code] = home
        if item.kind in TABLES:
            fixed = tuple(choice.key for choice in item.choices if not choice.retired)
            self.tables[item.code] = Table(item.code, home, fixed if item.kind == "matrix" else None)


def _folder(item: Item) -> tuple[str, tuple[str, ...]]:
    """Return a page or group with the codes in it that would show something to answer."""
    return item.code, tuple(child.code for child in item.children if _fills(child))


def _fills(item: Item) -> bool:
    if item.children:
        return any(_fills(child) for child in item.children)
    return item.kind == "question" and question_type(item.type).asks


def _step(item: Item, parent: str, tables: tuple[str, str], languages: tuple[str, ...]) -> Step:
    kind = question_type(item.type) if item.kind == "question" else None
    return Step(
        item=item,
        parent=parent,
        parent_table=tables[0],
        table=tables[1],
        kind=kind,
        keys=kind.keys(item, languages) if kind is not None and not item.calculation else (),
        key=AnswerKey(item.code) if kind is not None else None,
        relevant=_rule(item.relevant),
        calculation=_rule(item.calculation),
        constraint=_rule(item.constraint),
        choice_filter=_rule(item.choice_filter, filtering=True),
        default=_default(item.default),
        required=_flag(item.required) if kind is not None and kind.asks and not item.calculation else False,
        evidence=_flag(item.settings.get("evidence_required", "")) if kind is not None else False,
        count=_rule(str(item.settings.get("repeat_count") or "")) if item.kind == "repeat" else None,
    )


def _flag(source: str | bool) -> Rule | bool:  # noqa: FBT001 - a setting is yes, no or a rule
    if isinstance(source, bool):
        return source
    plain = source.strip().lower()
    if plain in NEVER:
        return False
    return True if plain in ALWAYS else compile_tree(parse(source.strip()))


def _default(source: str) -> Rule | None:
    """Return how an answer begins: a fixed text, or an expression that is evaluated once."""
    if dynamic(source):
        return _rule(source)
    fixed = source.strip()
    return (lambda _scope: fixed) if fixed else None


def dynamic(default: str) -> bool:
    """Say whether a default is an expression (XLSForm, dynamic defaults): it names a question or calls a function."""
    return "${" in default or any(found[1] in FUNCTIONS for found in _CALLS.finditer(default))


def _rule(source: str, *, filtering: bool = False) -> Rule | None:
    return compile_tree(parse(source, filtering=filtering)) if source.strip() else None


def dependencies(items: Iterable[Item], parents: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return for each item what must be known before it: its folder, and what its relevant and calculation read."""
    reads: dict[str, frozenset[str]] = {}
    for item in items:
        before: set[str] = set()
        for source in (item.relevant, item.calculation, item.default if dynamic(item.default) else ""):
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
