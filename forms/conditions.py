"""Small conditions chosen by selects: "all of: question - operator - value", to and from the expressions of XLSForm.

What a reader returns is written again to the very same tree; anything richer is "written by hand" and left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from flask_babel import lazy_gettext as _l

from forms.expressions import ExpressionError, parse, to_source
from forms.expressions.tree import Call, Column, Here, Number, Operation, Reference
from forms.expressions.tree import Literal as Words
from forms.expressions.values import number, text
from forms.question_types import question_types
from forms.reading import latin_digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import Text
    from forms.expressions.tree import Tree

Join: TypeAlias = Literal["and", "or"]
THIS = "."  # the question itself: its own answer in a constraint

OPERATORS: Mapping[str, Text] = {
    "=": _l("is"),
    "!=": _l("is not"),
    "<": _l("is less than"),
    "<=": _l("is at most"),
    ">": _l("is more than"),
    ">=": _l("is at least"),
    "has": _l("includes"),
    "lacks": _l("does not include"),
    "given": _l("is answered"),
    "empty": _l("is not answered"),
}
WITHOUT_VALUE = frozenset({"given", "empty"})
_ANY = ("=", "!=", "given", "empty")
_ORDERED = ("=", "!=", "<", "<=", ">", ">=", "given", "empty")
_LISTED = ("has", "lacks", "given", "empty")
# how the value of a comparison is written, by what the question reads as
_NUMBERS = frozenset({"integer", "decimal", "range", "percentage", "money", "year", "calculate"})
_DAYS = frozenset({"date"})
_MOST_LINES = 50


@dataclass(frozen=True)
class Line:
    """One comparison; ``question`` is a code, or "." for the question itself; ``value`` is "" where none is needed."""

    question: str
    operator: str
    value: str = ""


@dataclass(frozen=True)
class Condition:
    """Comparisons of which all (``and``) or any (``or``) must hold."""

    lines: tuple[Line, ...] = ()
    join: Join = "and"


def operators(kind: str) -> tuple[str, ...]:
    """Return what a question of that type can be compared by; "" for a question not chosen yet."""
    known = question_types().get(kind)
    if known is not None and known.has_choices and known.several:
        return _LISTED
    return _ORDERED if kind in _NUMBERS | _DAYS else _ANY if kind else tuple(OPERATORS)


def fitted(line: Line, kind: str) -> Line:
    """Return a comparison as it is meant for a question of that type: a list of several is asked what it includes."""
    offered = operators(kind)
    if line.operator in offered:
        return line
    close = {"=": "has", "!=": "lacks", "has": "=", "lacks": "!="}.get(line.operator, offered[0])
    return Line(line.question, close if close in offered else offered[0], line.value)


def read_condition(source: str, kinds: Mapping[str, str]) -> Condition | None:
    """Return an expression as a small condition, None when it says more than that.

    ``kinds`` are the types of the questions that may stand in it, by code; "." among them where it may.
    """
    if not source.strip():
        return Condition()
    try:
        tree = parse(source)
    except ExpressionError:
        return None
    join: Join = "or" if isinstance(tree, Operation) and tree.sign == "or" else "and"
    parts = tree.parts if isinstance(tree, Operation) and tree.sign == join else (tree,)
    lines = [_line(part, kinds) for part in parts[: _MOST_LINES + 1]]
    known = tuple(line for line in lines if line is not None)
    if len(known) != len(lines) or len(known) > _MOST_LINES:
        return None
    found = Condition(known, join)
    return found if parse(write_condition(found, kinds)) == tree else None


def _line(tree: Tree, kinds: Mapping[str, str]) -> Line | None:
    """Return one comparison, None for anything else."""
    negated = isinstance(tree, Call) and tree.name == "not" and len(tree.parts) == 1
    inner = tree.parts[0] if isinstance(tree, Call) and negated else tree
    if isinstance(inner, Call) and inner.name == "selected":
        code, value = _question(inner.parts[0]), inner.parts[1]
        found = isinstance(value, Words) and Line(code, "lacks" if negated else "has", value.value)
    elif isinstance(tree, Operation) and tree.sign in OPERATORS and len(tree.parts) == 2:
        code = _question(tree.parts[0])
        said = _value(tree.parts[1])
        found = said is not None and (
            Line(code, "given" if tree.sign == "!=" else "empty")
            if said == "" and tree.sign in ("=", "!=")
            else Line(code, tree.sign, said)
        )
    else:
        return None
    return found if found and found.question in kinds and found.operator in operators(kinds[found.question]) else None


def _question(tree: Tree) -> str:
    return tree.name if isinstance(tree, Reference) else THIS if isinstance(tree, Here) else ""


def _value(tree: Tree) -> str | None:
    match tree:
        case Number(value=value):
            return text(value)
        case Words(value=said):
            return said
        case Call(name="date", parts=(Words(value=day),)):
            return day
    return None


def write_condition(condition: Condition, kinds: Mapping[str, str]) -> str:
    """Write a condition as an expression; comparisons without a question or without their value are left out."""
    parts = tuple(
        _tree(line, kinds.get(line.question, ""))
        for line in condition.lines
        if line.question and (line.value or line.operator in WITHOUT_VALUE)
    )
    if not parts:
        return ""
    return to_source(parts[0] if len(parts) == 1 else Operation(condition.join, parts))


def _tree(line: Line, kind: str) -> Tree:
    of: Tree = Here() if line.question == THIS else Reference(line.question)
    if line.operator in WITHOUT_VALUE:
        return Operation("!=" if line.operator == "given" else "=", (of, Words("")))
    if line.operator in ("has", "lacks"):
        chosen = Call("selected", (of, Words(line.value)))
        return chosen if line.operator == "has" else Call("not", (chosen,))
    return Operation(line.operator, (of, _written(line.value, kind)))


def _written(value: str, kind: str) -> Tree:
    """Return the value of a comparison as the type of its question reads it."""
    plain = latin_digits(value).strip()
    if kind in _NUMBERS and text(amount := number(plain)) == plain:
        return Number(amount)
    if kind in _DAYS:
        return Call("date", (Words(plain),))
    return Words(value)


def read_sum(source: str) -> tuple[str, ...] | None:
    """Return the questions that a calculation adds up, () for none, None when it is written by hand."""
    if not source.strip():
        return ()
    try:
        tree = parse(source)
    except ExpressionError:
        return None
    if not isinstance(tree, Call) or tree.name != "sum":
        return None
    codes = tuple(part.name for part in tree.parts if isinstance(part, Reference))
    return codes if len(codes) == len(tree.parts) else None


def write_sum(codes: Sequence[str]) -> str:
    """Write the sum of some questions; an empty answer adds nothing."""
    return to_source(Call("sum", tuple(Reference(code) for code in codes))) if codes else ""


def read_filter(source: str, columns: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
    """Return a choice filter as pairs (column of the list, question whose answer it must equal), None by hand."""
    if not source.strip():
        return ()
    try:
        tree = parse(source, filtering=True)
    except ExpressionError:
        return None
    parts = tree.parts if isinstance(tree, Operation) and tree.sign == "and" else (tree,)
    pairs = [
        (part.parts[0].name, part.parts[1].name)
        for part in parts
        if isinstance(part, Operation)
        and part.sign == "="
        and isinstance(part.parts[0], Column)
        and isinstance(part.parts[1], Reference)
    ]
    return tuple(pairs) if len(pairs) == len(parts) and {one for one, _code in pairs} <= set(columns) else None


def write_filter(pairs: Sequence[tuple[str, str]]) -> str:
    """Write a choice filter; pairs that are not whole are left out."""
    parts = tuple(Operation("=", (Column(column), Reference(code))) for column, code in pairs if column and code)
    if not parts:
        return ""
    return to_source(parts[0] if len(parts) == 1 else Operation("and", parts))
