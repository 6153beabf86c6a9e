"""The functions of expressions, one row each; what is not in this table is a mistake, never false."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forms.expressions.patterns import matches
from forms.expressions.values import Value, day, days, equal, moment, number, text, truth

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_RESULT = 200_000  # characters of a text that a function returns: nothing grows without bound


class Scope(Protocol):
    """What an expression may ask for while it runs."""

    here: str

    @property
    def position(self) -> int:
        """Return the number of the row, from 1."""

    def value(self, name: str) -> str:
        """Return the answer to a question as text, "" for none."""

    def nodes(self, name: str) -> Sequence[str]:
        """Return all answers to a question: one outside repeats, one per row inside."""

    def column(self, name: str) -> str:
        """Return a column of the choice being filtered."""

    def today(self) -> str:
        """Return today as an ISO date."""

    def now(self) -> str:
        """Return now as an ISO moment with its offset."""

    def label(self, name: str, key: str) -> str:
        """Return the label of a choice of a question."""


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
    return math.pow(base, exponent)


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


def _date(value: Value) -> str:
    found = day(value)
    return "" if found is None else found.isoformat()


def _format_date(value: Value, pattern: Value) -> str:
    """Write a date by ODK's letters: %Y %y %m %n %d %e %H %h %M %S %3; other signs stand for themselves."""
    when = moment(value) if isinstance(value, str) and "T" in value else day(value)
    if when is None:
        return ""
    hour, minute, second = (getattr(when, part, 0) for part in ("hour", "minute", "second"))
    letters = {
        "Y": f"{when.year:04d}",
        "y": f"{when.year % 100:02d}",
        "m": f"{when.month:02d}",
        "n": str(when.month),
        "d": f"{when.day:02d}",
        "e": str(when.day),
        "H": f"{hour:02d}",
        "h": str(hour),
        "M": f"{minute:02d}",
        "S": f"{second:02d}",
        "3": f"{getattr(when, 'microsecond', 0) // 1000:03d}",
        "%": "%",
    }
    written = re.sub(r"%(.)", lambda found: letters.get(found[1], found[0]), text(pattern), flags=re.DOTALL)
    return written[:MAX_RESULT]


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
    "exp": Function("exp(a)", 1, 1, _floats(math.exp)),
    "pi": Function("pi()", 0, 0, lambda: math.pi),
    "sum": Function("sum(a, ...)", 1, None, _sum),
    "min": Function("min(a, ...)", 1, None, _least),
    "max": Function("max(a, ...)", 1, None, _greatest),
    "count": Function("count(a, ...)", 1, None, lambda *values: float(sum(1 for value in values if value != ""))),
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
    "string-length": Function("string-length(text)", 1, 1, lambda value: float(len(text(value)))),
    "normalize-space": Function("normalize-space(text)", 1, 1, lambda value: " ".join(_words(value))),
    "substr": Function("substr(text, start, end)", 2, 3, _substr),
    "substring-before": Function("substring-before(text, mark)", 2, 2, _before),
    "substring-after": Function("substring-after(text, mark)", 2, 2, _after),
    "translate": Function("translate(text, old, new)", 3, 3, _translate),
    "regex": Function("regex(text, 'pattern')", 2, 2, lambda value, pattern: matches(text(pattern), text(value))),
    "date": Function("date(a)", 1, 1, _date),
    "format-date": Function("format-date(date, '%d/%m/%Y')", 2, 2, _format_date),
    "format-date-time": Function("format-date-time(moment, '%H:%M')", 2, 2, _format_date),
    "decimal-date-time": Function("decimal-date-time(date)", 1, 1, lambda value: days(text(value))),
    # These see more than the values of their arguments; `compiling` knows them by name.
    "if": Function("if(condition, then, else)", 3, 3, lambda test, yes, no: yes if truth(test) else no),
    "coalesce": Function("coalesce(a, b)", 2, None, lambda *values: next((v for v in values if v != ""), "")),
    "once": Function("once(a)", 1, 1, lambda value: value),
    "position": Function("position(..)", 0, 1, lambda *_: 1.0),
    "today": Function("today()", 0, 0, lambda: ""),
    "now": Function("now()", 0, 0, lambda: ""),
    "jr:choice-name": Function("jr:choice-name(${question}, '${question}')", 2, 2, lambda key, _: text(key)),
}

OVER_ROWS = frozenset({"sum", "min", "max", "count", "count-non-empty", "join"})  # a reference means all its rows

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
