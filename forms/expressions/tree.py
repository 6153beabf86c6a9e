"""The tree of an expression: what was written, and what paths come to mean once their place is known.

`at` is the place in the source; it plays no part when trees are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from forms.expressions.patterns import browser_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Number:
    """A number written in the expression."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Literal:
    """A text written in the expression."""

    value: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Reference:
    """`${name}`: the answer to a question."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Column:
    """A bare name: a column of the choice list, in a choice filter only."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Here:
    """`.`: the value of the question itself, inside brackets that of the cell looked at."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Operation:
    """An operator between its parts; one part for a minus sign; `and` and `or` join two or more."""

    sign: str
    parts: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function call."""

    name: str
    parts: tuple[Tree, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Step:
    """One step of a path: a name, `..` or `.`, and the conditions in brackets behind it."""

    name: str
    where: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Path:
    """A way to other answers or to the rows of an attached table, as it was written.

    `start` is "" (from the question itself), "/" (from the top), "current" (as "", also inside brackets), "name" (from
    `${name}`) or "instance" (from `instance('name')`).
    """

    start: str
    name: str = ""
    where: tuple[Tree, ...] = ()
    steps: tuple[Step, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Filter:
    """What lets rows of a table through: a condition in each row or, `outside`, a row number computed once."""

    table: str
    rule: Tree
    outside: bool = False


@dataclass(frozen=True)
class Cells:
    """A path whose meaning is known: the answers to one question (or the rows of one table).

    They are looked for below the row of `apex` in which the expression stands, "" for everywhere.
    """

    code: str
    apex: str
    filters: tuple[Filter, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Lookup:
    """A path whose meaning is known: one column of the rows of an attached table or a list of choices."""

    table: str
    column: str
    filters: tuple[Filter, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class RowNumber:
    """`position(..)` whose meaning is known: the number of the row of this table, 1 outside tables."""

    table: str
    at: int = field(default=0, compare=False)


Written: TypeAlias = Number | Literal | Reference | Column | Here | Operation | Call | Path
Tree: TypeAlias = Written | Cells | Lookup | RowNumber


def parts_of(tree: Tree) -> tuple[Tree, ...]:
    """Return the trees directly inside a tree, those in brackets too."""
    match tree:
        case Operation() | Call():
            return tree.parts
        case Path():
            return (*tree.where, *(rule for step in tree.steps for rule in step.where))
        case Cells() | Lookup():
            return tuple(one.rule for one in tree.filters)
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield every node."""
    waiting: list[Tree] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(parts_of(node)))


def names(tree: Tree) -> frozenset[str]:
    """Return the names of the questions that an expression reads, those of paths once their meaning is known."""
    found: set[str] = set()
    for node in walk(tree):
        if isinstance(node, Reference):
            found.add(node.name)
        elif isinstance(node, Cells):
            found.add(node.code)
            found.update(one.table for one in node.filters)
        elif isinstance(node, Path) and node.start == "name":
            found.add(node.name)
    return frozenset(found)


def depth(tree: Tree) -> int:
    """Return the number of levels of a tree."""
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((part, level + 1) for part in parts_of(node))
    return deepest


def to_json(tree: Tree) -> list[Any]:  # noqa: PLR0911 - one return per kind of node
    """Return the tree for the browser script; paths must have got their meaning (`forms.definition.paths`).

    ["num", 1] · ["text", "a"] · ["ref", name] · ["col", name] · ["self"] · ["op", sign, part...] ·
    ["call", name, part...] · ["call", "regex", part, ["pattern", text or null]] ·
    ["cells", code, apex, [table, tree, outside]...] · ["lookup", table, column, [table, tree, outside]...] ·
    ["row", table].
    """
    match tree:
        case Number():
            return ["num", int(tree.value) if tree.value.is_integer() else tree.value]
        case Operation():
            return ["op", tree.sign, *map(to_json, tree.parts)]
        case Call(name="regex", parts=(value, Literal(value=pattern))):
            return ["call", "regex", to_json(value), ["pattern", browser_pattern(pattern)]]
        case Call():
            return ["call", tree.name, *map(to_json, tree.parts)]
        case Cells():
            return ["cells", tree.code, tree.apex, *map(_filter, tree.filters)]
        case Lookup():
            return ["lookup", tree.table, tree.column, *map(_filter, tree.filters)]
    return _leaf(tree)


def _leaf(tree: Tree) -> list[Any]:
    match tree:
        case Literal():
            return ["text", tree.value]
        case Reference():
            return ["ref", tree.name]
        case Column():
            return ["col", tree.name]
        case RowNumber():
            return ["row", tree.table]
    return ["self"]


def _filter(one: Filter) -> list[Any]:
    return [one.table, to_json(one.rule), one.outside]
