"""The functions of expressions, one row each; what is not in this table is a mistake, never false."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.expressions.dates import date_text, day_fraction, decimal_moment, format_date
from forms.expressions.patterns import matches
from forms.expressions.values import Value, equal, number, text, truth

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_RESULT = 100_000  # characters of a text that a function returns: nothing grows without bound


@dataclass(frozen=True)
class Function:
    """One function: how it is written, how many arguments it takes, what it does with their values."""

    usage: str
    least: int
    most: int | None
    run: Callable[..., Value]


_WORDS = re.compile(r"[^ \t\r\n]+")


def _words(value: Value) -> list[str]:
    return _WORDS.findall(text(value))


def _whole(value: Value, otherwise: int = 0) -> int:
    count = number(value)
    if math.isnan(count):
        return otherwise
    return int(max(-1e9, min(1e9, count)))


def _selected(chosen: Value, key: Value) -> bool:
    return text(key).strip() in _words(chosen)


def _selected_at(chosen: Value, index: Value) -> str:
    words, place = _words(chosen), _whole(index, -1)
    return words[place] if 0 <= place < len(words) else ""


def _round(value: Value, places: Value = 0.0) -> float:
    count, digits = number(value), max(-15, min(15, _whole(places)))
    if math.isnan(count) or math.isinf(count):
        return count
    factor = 10.0 ** abs(digits)
    if digits < 0:
        return math.floor(count / factor + 0.5) * factor
    scaled = count * factor + 0.5
    return math.floor(scaled) / factor if math.isfinite(scaled) else count


def _int(value: Value) -> float:
    count = number(value)
    return float(math.trunc(count)) if math.isfinite(count) else count


def _floats(work: Callable[..., float]) -> Callable[..., float]:
    def run(*values: Value) -> float:
        try:
            return float(work(*(number(value) for value in values)))
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return run


def _power(base: float, exponent: float) -> float:
    odd = exponent % 2 == 1
    if base == 0 and exponent < 0:
        return math.copysign(math.inf, base) if odd else math.inf
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and odd else math.inf


def _whole_number(work: Callable[[float], int]) -> Callable[[float], float]:
    return lambda count: float(work(count)) if math.isfinite(count) else count


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _log10(value: float) -> float:
    return -math.inf if value == 0 else math.log10(value)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [number(value) for value in values if value != ""]


def _sum(*values: Value) -> float:
    total = 0.0
    for count in _numbers(values):
        total += count
    return total


def _least(*values: Value) -> float:
    counts = _numbers(values)
    return math.nan if not counts or any(map(math.isnan, counts)) else min(counts)


def _greatest(*values: Value) -> float:
    counts = _numbers(values)
    return math.nan if not counts or any(map(math.isnan, counts)) else max(counts)


def _substr(value: Value, start: Value, end: Value | None = None) -> str:
    whole = text(value)
    return whole[_whole(start) : (len(whole) if end is None else _whole(end))]


def _before(value: Value, mark: Value) -> str:
    whole, sign = text(value), text(mark)
    return whole.partition(sign)[0] if sign and sign in whole else ""


def _after(value: Value, mark: Value) -> str:
    whole, sign = text(value), text(mark)
    return whole.partition(sign)[2] if sign else whole


def _translate(value: Value, old: Value, new: Value) -> str:
    table: dict[int, str | None] = {}
    fresh = text(new)
    for place, sign in enumerate(text(old)):
        table.setdefault(ord(sign), fresh[place] if place < len(fresh) else None)
    return text(value).translate(table)


def _joined(parts: list[str], between: str = "") -> str:
    return between.join(parts)[:MAX_RESULT]


def _base64(value: Value) -> str:
    """Decode base64 to text; "" when it is none."""
    try:
        return base64.b64decode(text(value), validate=True).decode()[:MAX_RESULT]
    except ValueError:
        return ""


def _ticked(value: Value) -> bool:
    """Say whether a response of a checklist counts: the text "yes", or something that holds (ODK, checklist)."""
    return value == "yes" if isinstance(value, str) else truth(value)


def _between(least: Value, most: Value, count: float) -> bool:
    """Hold a count against its bounds; -1 is no bound."""
    low, high = number(least), number(most)
    return (low == -1 or low <= count) and (high == -1 or count <= high)


def _checklist(least: Value, most: Value, *responses: Value) -> bool:
    return _between(least, most, float(sum(1 for one in responses if _ticked(one))))


def _weighted(least: Value, most: Value, *pairs: Value) -> bool:
    weights = [number(weight) for one, weight in zip(pairs[::2], pairs[1::2], strict=False) if _ticked(one)]
    return _between(least, most, float(sum(weights)))


def _boolean_from_string(value: Value) -> bool:
    return text(value) in ("1", "true")


FUNCTIONS: dict[str, Function] = {
    "true": Function("true()", 0, 0, lambda: True),
    "false": Function("false()", 0, 0, lambda: False),
    "not": Function("not(a)", 1, 1, lambda value: not truth(value)),
    "boolean": Function("boolean(a)", 1, 1, truth),
    "boolean-from-string": Function("boolean-from-string(a)", 1, 1, _boolean_from_string),
    "number": Function("number(a)", 1, 1, number),
    "string": Function("string(a)", 1, 1, text),
    "int": Function("int(a)", 1, 1, _int),
    "round": Function("round(a, places)", 1, 2, _round),
    "abs": Function("abs(a)", 1, 1, _floats(math.fabs)),
    "pow": Function("pow(a, b)", 2, 2, _floats(_power)),
    "sqrt": Function("sqrt(a)", 1, 1, _floats(math.sqrt)),
    "log": Function("log(a)", 1, 1, _floats(_log)),
    "log10": Function("log10(a)", 1, 1, _floats(_log10)),
    "sin": Function("sin(a)", 1, 1, _floats(math.sin)),
    "cos": Function("cos(a)", 1, 1, _floats(math.cos)),
    "tan": Function("tan(a)", 1, 1, _floats(math.tan)),
    "asin": Function("asin(a)", 1, 1, _floats(math.asin)),
    "acos": Function("acos(a)", 1, 1, _floats(math.acos)),
    "atan": Function("atan(a)", 1, 1, _floats(math.atan)),
    "atan2": Function("atan2(y, x)", 2, 2, _floats(math.atan2)),
    "exp10": Function("exp10(a)", 1, 1, _floats(lambda power: _power(10.0, power))),
    "floor": Function("floor(a)", 1, 1, _floats(_whole_number(math.floor))),
    "ceiling": Function("ceiling(a)", 1, 1, _floats(_whole_number(math.ceil))),
    "exp": Function("exp(a)", 1, 1, _floats(math.exp)),
    "pi": Function("pi()", 0, 0, lambda: math.pi),
    "sum": Function("sum(a, ...)", 1, None, _sum),
    "min": Function("min(a, ...)", 1, None, _least),
    "max": Function("max(a, ...)", 1, None, _greatest),
    "count": Function("count(${table})", 1, None, lambda *values: float(len(values))),
    "count-non-empty": Function(
        "count-non-empty(a, ...)", 1, None, lambda *values: float(sum(1 for value in values if value != ""))
    ),
    "selected": Function("selected(${question}, 'choice')", 2, 2, _selected),
    "selected-at": Function("selected-at(${question}, index)", 2, 2, _selected_at),
    "count-selected": Function("count-selected(${question})", 1, 1, lambda chosen: float(len(_words(chosen)))),
    "concat": Function("concat(a, b, ...)", 1, None, lambda *values: _joined([text(value) for value in values])),
    "join": Function(
        "join(separator, a, ...)",
        2,
        None,
        lambda between, *values: _joined([text(value) for value in values], text(between)),
    ),
    "contains": Function("contains(text, part)", 2, 2, lambda whole, part: text(part) in text(whole)),
    "starts-with": Function("starts-with(text, start)", 2, 2, lambda whole, part: text(whole).startswith(text(part))),
    "ends-with": Function("ends-with(text, end)", 2, 2, lambda whole, part: text(whole).endswith(text(part))),
    "string-length": Function("string-length(text)", 0, 1, lambda value: float(len(text(value)))),
    "normalize-space": Function("normalize-space(text)", 0, 1, lambda value: " ".join(_words(value))),
    "substr": Function("substr(text, start, end)", 2, 3, _substr),
    "substring-before": Function("substring-before(text, mark)", 2, 2, _before),
    "substring-after": Function("substring-after(text, mark)", 2, 2, _after),
    "translate": Function("translate(text, old, new)", 3, 3, _translate),
    "regex": Function("regex(text, 'pattern')", 2, 2, lambda value, pattern: matches(text(pattern), text(value))),
    "base64-decode": Function("base64-decode(text)", 1, 1, _base64),
    "date": Function("date(a)", 1, 1, date_text),
    "format-date": Function("format-date(date, '%d/%m/%Y')", 2, 2, format_date),
    "format-date-time": Function("format-date-time(moment, '%H:%M')", 2, 2, format_date),
    "decimal-date-time": Function("decimal-date-time(date)", 1, 1, decimal_moment),
    "decimal-time": Function("decimal-time(time)", 1, 1, day_fraction),
    "checklist": Function("checklist(least, most, a, ...)", 3, None, _checklist),
    "weighted-checklist": Function("weighted-checklist(least, most, a, weight, ...)", 4, None, _weighted),
    # These see more than the values of their arguments; `compiling` knows them by name.
    "if": Function("if(condition, then, else)", 3, 3, lambda test, yes, no: yes if truth(test) else no),
    "coalesce": Function("coalesce(a, b)", 2, None, lambda *values: next((v for v in values if v != ""), "")),
    "once": Function("once(a)", 1, 1, lambda value: value),
    "position": Function("position(..)", 0, 1, lambda *_: 1.0),
    "last": Function("last()", 0, 0, lambda: 1.0),
    "indexed-repeat": Function("indexed-repeat(${question}, ${table}, number)", 3, 7, lambda *_: ""),
    "pulldata": Function("pulldata('table', 'column', 'key column', key)", 4, 4, lambda *_: ""),
    "today": Function("today()", 0, 0, lambda: ""),
    "now": Function("now()", 0, 0, lambda: ""),
    "jr:choice-name": Function("jr:choice-name(${question}, '${question}')", 2, 2, lambda key, _: text(key)),
}

# In these a reference means all its rows.
OVER_ROWS = frozenset({"sum", "min", "max", "count", "count-non-empty", "join", "concat", "checklist"})
LEADING = {"join": 1, "checklist": 2}  # how many first arguments of these are one value each, whatever they name
OF_ITSELF = frozenset({"string-length", "normalize-space"})  # without an argument they take the answer itself

OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "=": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": lambda left, right: number(left) < number(right),
    "<=": lambda left, right: number(left) <= number(right),
    ">": lambda left, right: number(left) > number(right),
    ">=": lambda left, right: number(left) >= number(right),
    "+": lambda left, right: number(left) + number(right),
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "div": lambda left, right: divided(number(left), number(right)),
    "mod": lambda left, right: remainder(number(left), number(right)),
}


def divided(left: float, right: float) -> float:
    """Divide as IEEE 754 does: by zero gives an infinity, or NaN for 0 div 0."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: float, right: float) -> float:
    """Return the remainder with the sign of the dividend."""
    if right == 0 or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.fmod(left, right)
