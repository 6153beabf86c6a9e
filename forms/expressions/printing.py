"""From a tree back to its text: parsing it again gives an equal tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.expressions.tree import Call, Column, Literal, Number, Operation, Path, Reference
from forms.expressions.values import text

if TYPE_CHECKING:
    from forms.expressions.tree import Step, Tree

_LEVELS = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "div": 6,
    "mod": 6,
}
_MINUS, _UNION, _ATOM = 7, 8, 9
_ANY_NUMBER = ("and", "or")  # joined without brackets: a or b or c


def to_source(tree: Tree) -> str:
    """Write a tree as XLSForm does, with the fewest brackets.

    Raises: ValueError for a path that has got its meaning (`forms.definition.paths`): print what was written.
    """
    return _written(tree)[0]


def _written(tree: Tree) -> tuple[str, int]:  # noqa: PLR0911 - one return per kind of node
    """Return the text of a tree and how tightly it holds together."""
    match tree:
        case Number(value=value):
            return text(value), _MINUS if value < 0 else _ATOM
        case Literal(value=value):
            return _quoted(value), _ATOM
        case Reference(name=name):
            return f"${{{name}}}", _ATOM
        case Column(name=name):
            return name, _ATOM
        case Call(name=name, parts=parts):
            return f"{name}({', '.join(to_source(part) for part in parts)})", _ATOM
        case Path():
            return _path(tree), _ATOM
        case Operation():
            return _operation(tree)
    if type(tree).__name__ == "Here":
        return ".", _ATOM
    message = f"no source for {type(tree).__name__}"
    raise ValueError(message)


def _quoted(value: str) -> str:
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    pieces = [f"'{piece}'" for piece in value.split("'")]
    between = """, "'", """
    return f"concat({between.join(pieces)})"  # XPath 1.0 cannot quote both marks in one text


def _operation(tree: Operation) -> tuple[str, int]:
    if tree.sign == "|":
        return " | ".join(_held(part, _ATOM) for part in tree.parts), _UNION
    if len(tree.parts) == 1:
        return f"-{_held(tree.parts[0], _MINUS)}", _MINUS
    level = _LEVELS[tree.sign]
    if tree.sign in _ANY_NUMBER:
        return f" {tree.sign} ".join(_held(part, level + 1) for part in tree.parts), level
    left, right = tree.parts
    return f"{_held(left, level)} {tree.sign} {_held(right, level + 1)}", level


def _held(tree: Tree, level: int) -> str:
    written, own = _written(tree)
    return written if own >= level else f"({written})"


def _path(tree: Path) -> str:
    start = {"name": f"${{{tree.name}}}", "instance": f"instance({_quoted(tree.name)})", "current": "current()"}
    head = start.get(tree.start, "") + _bracketed(tree.where)
    steps = "/".join(map(_step, tree.steps))
    if not steps:
        return head
    return f"{head}/{steps}" if tree.start else steps


def _step(step: Step) -> str:
    return step.name + _bracketed(step.where)


def _bracketed(where: tuple[Tree, ...]) -> str:
    return "".join(f"[{to_source(rule)}]" for rule in where)
