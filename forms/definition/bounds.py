"""Bounds that a rule sets by itself, as `. >= 0 and . <= 100` does: a spreadsheet can hold an answer to them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from forms.expressions import ExpressionError, number, parse
from forms.expressions.tree import Call, Here, Literal, Number, Operation
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.definition.model import Item
    from forms.expressions import Tree
    from forms.question_types.base import ExcelRule

_EPOCH = date(1970, 1, 1)  # from which expressions count days
_DAYS = range((date.min - _EPOCH).days, (date.max - _EPOCH).days + 1)
_LARGEST = 1e15  # beyond it Excel does not keep every digit
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class _Bound:
    """A comparison of the answer with a number: `sign` is one of < <= > >=, the answer stands on its left."""

    sign: str
    value: float


def bounded_rule(item: Item) -> ExcelRule:
    """Return what an offline cell of a question takes: by its type and settings, and by the bounds of its constraint.

    Of parts joined by `and` each that is such a bound counts; the others, and whatever else a constraint says, are
    judged when the answer comes back. The rule is never narrower than the constraint.
    """
    rule = question_type(item.type).excel_rule(item)
    # a moment is judged in its time zone, which a cell does not know
    if not item.constraint or rule.kind not in {"whole", "decimal", "date"} or "hh" in rule.number_format:
        return rule
    found = rule
    for bound in _bounds_in(item.constraint):
        found = _narrowed(found, bound)
    low, high = found.minimum, found.maximum
    return rule if low is not None and high is not None and low > high else found  # type: ignore[operator] # both numbers or both days


@lru_cache(maxsize=2048)
def _bounds_in(source: str) -> tuple[_Bound, ...]:
    try:
        return tuple(_bounds(parse(source)))
    except ExpressionError:
        return ()


def _bounds(tree: Tree) -> Iterator[_Bound]:
    match tree:
        case Operation(sign="and", parts=parts):
            for part in parts:
                yield from _bounds(part)
        case Operation(sign="<" | "<=" | ">" | ">=" as sign, parts=(Here(), other)):
            yield from _bound(sign, other)
        case Operation(sign="<" | "<=" | ">" | ">=" as sign, parts=(other, Here())):
            yield from _bound(_TURNED[sign], other)


def _bound(sign: str, tree: Tree) -> Iterator[_Bound]:
    match tree:
        case Number(value=value):
            found = value
        case Literal(value=text) | Call(name="date", parts=(Literal(value=text),)):
            found = number(text)
        case _:
            return
    if math.isfinite(found) and abs(found) <= _LARGEST:
        yield _Bound(sign, found)


def _narrowed(rule: ExcelRule, bound: _Bound) -> ExcelRule:
    """Return a rule with a bound where that is narrower; of a number with decimals < bounds as <= does, never less."""
    whole = _first_whole(bound)
    value: float | date = bound.value
    if rule.kind == "whole":
        value = float(whole)
    elif rule.number_format.endswith("%"):  # 34 % stands in a cell as 0.34
        value = float(Decimal(repr(bound.value)) / 100)
    elif rule.kind == "date":
        if whole not in _DAYS:
            return rule
        value = _EPOCH + timedelta(days=whole)
    if bound.sign in {">", ">="}:
        return rule if _as_narrow(rule.minimum, value, lower=True) else replace(rule, minimum=value)
    return rule if _as_narrow(rule.maximum, value, lower=False) else replace(rule, maximum=value)


def _first_whole(bound: _Bound) -> int:
    """Return the first whole number that a bound lets through."""
    if bound.sign == ">":
        return math.floor(bound.value) + 1
    if bound.sign == "<":
        return math.ceil(bound.value) - 1
    return math.ceil(bound.value) if bound.sign == ">=" else math.floor(bound.value)


def _as_narrow(given: float | date | None, value: float | date, *, lower: bool) -> bool:
    """Tell whether a bound that is set already is as narrow as another one."""
    if given is None:
        return False
    return given >= value if lower else given <= value  # type: ignore[operator] # both numbers or both days
