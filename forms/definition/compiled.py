"""What is derived once from a definition: look-ups, the order of evaluation and the compiled expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forms.answers import AnswerKey
from forms.definition.paths import TABLES, resolve, sites
from forms.expressions import FUNCTIONS, compile_tree, names, parse
from forms.question_types import QuestionType, question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.definition.model import Definition, Item
    from forms.definition.paths import Places
    from forms.expressions import Rule, Tree

ALWAYS = frozenset({"yes", "true", "true()", "1"})
NEVER = frozenset({"", "no", "false", "false()", "0"})
_CALLS = re.compile(r"(?<![\w.:\-])([^\W\d][\w.:\-]*)\(")


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
    how many rows a table should have. Where nothing was written, a `plain` question says nothing, and of one that is
    `free` there is nothing to judge: most questions are both, and cost an evaluation next to nothing.
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
    soft: Rule | None
    count: Rule | None
    plain: bool = field(init=False)
    free: bool = field(init=False)

    def __post_init__(self) -> None:
        asks = self.kind is not None and self.kind.asks
        plain = asks and self.relevant is None and self.calculation is None and self.default is None
        object.__setattr__(self, "plain", plain)
        free = self.required is False and self.evidence is False and self.choice_filter is None
        object.__setattr__(self, "free", free and self.default is None)


class Compiled:
    """The derived parts of one definition, cached on it. Raises: ExpressionError for a rule that cannot be parsed."""

    def __init__(self, definition: Definition) -> None:
        self.places = sites(definition.pages)
        self.by_code, self.parents, self.homes = self.places.by_code, self.places.parents, self.places.homes
        self.page_by_code = {item.code: page for page in definition.pages for item in page.items()}
        # An outer table comes before those in it.
        self.tables = {item.code: self._table(item) for item in self.by_code.values() if item.kind in TABLES}
        # A table and those it stands in, the nearest first, "" last.
        self.chains: dict[str, tuple[str, ...]] = {"": ("",)}
        self.inside: dict[str, tuple[str, ...]] = {}  # what stands in a table, tables in it left out
        for table in self.tables.values():
            self.chains[table.code] = (table.code, *self.chains[table.outer])
            self.inside[table.code] = tuple(code for code, home in self.homes.items() if home == table.code)
        self.lists = dict(definition.spare_lists) | {
            str(item.settings["list_name"]): item.choices
            for item in self.by_code.values()
            if item.choices and item.settings.get("list_name")
        }
        self._apexes: dict[tuple[str, str], str] = {}
        self.reads = dependencies(self.by_code.values(), self.places)
        order, self.cycles = in_order(self.reads)
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
        return _step(item, parent, (self.homes.get(parent, ""), self.homes[item.code]), languages, self.places)

    def apex(self, table: str, code: str) -> str:
        """Return the nearest table in whose row a row of `table` and an answer both stand."""
        found = self._apexes.get((table, code))
        if found is None:
            found = self._apexes[table, code] = self.places.shared(table, code)
        return found

    def _table(self, item: Item) -> Table:
        fixed = tuple(choice.key for choice in item.choices if not choice.retired)
        return Table(item.code, self.homes[item.code], fixed if item.kind == "matrix" else None)


def _folder(item: Item) -> tuple[str, tuple[str, ...]]:
    """Return a page or group with the codes in it that would show something to answer."""
    return item.code, tuple(child.code for child in item.children if _fills(child))


def _fills(item: Item) -> bool:
    if item.children:
        return any(_fills(child) for child in item.children)
    return item.kind == "question" and question_type(item.type).asks


def _step(item: Item, parent: str, tables: tuple[str, str], languages: tuple[str, ...], places: Places) -> Step:
    kind = question_type(item.type) if item.kind == "question" else None

    def rule(source: str, *, filtering: bool = False) -> Rule | None:
        return compile_tree(meant(source, item.code, places, filtering=filtering)) if source.strip() else None

    def flag(source: str | bool) -> Rule | bool:  # noqa: FBT001 - a setting is yes, no or a rule
        if isinstance(source, bool):
            return source
        plain = source.strip().lower()
        if plain in NEVER:
            return False
        return True if plain in ALWAYS else rule(source) or False

    return Step(
        item=item,
        parent=parent,
        parent_table=tables[0],
        table=tables[1],
        kind=kind,
        keys=kind.keys(item, languages) if kind is not None and not item.calculation else (),
        key=AnswerKey(item.code) if kind is not None else None,
        relevant=rule(item.relevant),
        calculation=rule(item.calculation),
        constraint=rule(item.constraint),
        choice_filter=rule(item.choice_filter, filtering=True),
        default=rule(item.default) if dynamic(item.default) else _fixed(item.default.strip()),
        required=flag(item.required) if kind is not None and kind.asks and not item.calculation else False,
        evidence=flag(item.settings.get("evidence_required", "")) if kind is not None else False,
        soft=rule(str(item.settings.get("soft_constraint") or "")) if kind is not None else None,
        count=rule(str(item.settings.get("repeat_count") or "")) if item.kind == "repeat" else None,
    )


def _fixed(default: str) -> Rule | None:
    return (lambda _scope: default) if default else None


def meant(source: str, owner: str, places: Places, *, filtering: bool = False) -> Tree:
    """Parse an expression of an item and put its paths into their meaning. Raises: ExpressionError."""
    return resolve(parse(source.strip(), filtering=filtering), owner, places)


def dynamic(default: str) -> bool:
    """Say whether a default is an expression (XLSForm, dynamic defaults): it names a question or calls a function."""
    return "${" in default or any(found[1] in FUNCTIONS for found in _CALLS.finditer(default))


def dependencies(items: Iterable[Item], places: Places) -> dict[str, frozenset[str]]:
    """Return for each item what must be known before it: its folder, and what decides and computes it reads.

    Raises: ExpressionError.
    """
    reads: dict[str, frozenset[str]] = {}
    for item in items:
        before: set[str] = set()
        for source in (item.relevant, item.calculation, item.default if dynamic(item.default) else ""):
            if source.strip():
                before |= names(meant(source, item.code, places))
        if item.code in places.parents:
            before.add(places.parents[item.code])
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
