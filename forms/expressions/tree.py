"""The tree of an expression: seven kinds of node, walked alike in Python and in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Number:
    """A number written in the expression."""

    value: float
    at: int = 0


@dataclass(frozen=True)
class Literal:
    """A text written in the expression."""

    value: str
    at: int = 0


@dataclass(frozen=True)
class Reference:
    """`${name}`: the answer to a question."""

    name: str
    at: int = 0


@dataclass(frozen=True)
class Column:
    """A bare name: a column of the choice list, in a choice filter only."""

    name: str
    at: int = 0


@dataclass(frozen=True)
class Here:
    """`.` (the value of the question itself) or `..` (what it stands in)."""

    up: bool = False
    at: int = 0


@dataclass(frozen=True)
class Operation:
    """An operator between its parts; one part for a minus sign; `and` and `or` join two or more."""

    sign: str
    parts: tuple[Tree, ...]
    at: int = 0


@dataclass(frozen=True)
class Call:
    """A function call."""

    name: str
    parts: tuple[Tree, ...]
    at: int = 0


Tree: TypeAlias = Number | Literal | Reference | Column | Here | Operation | Call


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield every node."""
    waiting: list[Tree] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (Operation, Call)):
            waiting.extend(reversed(node.parts))


def names(tree: Tree) -> frozenset[str]:
    """Return the names of the questions that an expression reads."""
    return frozenset(node.name for node in walk(tree) if isinstance(node, Reference))


def depth(tree: Tree) -> int:
    """Return the number of levels of a tree."""
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        if isinstance(node, (Operation, Call)):
            waiting.extend((part, level + 1) for part in node.parts)
    return deepest


def to_json(tree: Tree) -> list[Any]:  # noqa: PLR0911 - one return per kind of node
    """Return the tree for the browser script.

    ["num", 1] · ["text", "a"] · ["ref", name] · ["col", name] · ["self"] · ["up"] · ["op", sign, part...] ·
    ["call", name, part...].
    """
    match tree:
        case Number():
            return ["num", int(tree.value) if tree.value.is_integer() else tree.value]
        case Literal():
            return ["text", tree.value]
        case Reference():
            return ["ref", tree.name]
        case Column():
            return ["col", tree.name]
        case Here():
            return ["up"] if tree.up else ["self"]
        case Operation():
            return ["op", tree.sign, *map(to_json, tree.parts)]
        case Call():
            return ["call", tree.name, *map(to_json, tree.parts)]
