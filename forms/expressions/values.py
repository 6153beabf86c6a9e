"""Values of expressions and how one kind becomes another: XPath 1.0 doubles, texts and truth values, and dates.

An answer is always read as text ("" for none). A text that is an ISO date counts, as a number, as the days since
1970-01-01, as ODK and Enketo have it; numbers follow IEEE 754, written as XPath writes them.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = str | float | bool

_NUMBER = re.compile(r"[ \t\r\n]*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EPOCH = date(1970, 1, 1)
_FIRST_DAY, _LAST_DAY = (date(1, 1, 1) - _EPOCH).days, (date(9999, 12, 31) - _EPOCH).days
_DAY = 86_400.0
_MAX_DIGITS = 400  # a longer run of digits is infinite anyway, and slow to read


def number(value: Value) -> float:
    """Return the value as a number; NaN when it is none."""
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, float):
        return value
    found = _NUMBER.fullmatch(value) if len(value) <= _MAX_DIGITS else None
    if found:
        return float(found[1])
    return days(value)


def days(text: str) -> float:
    """Return an ISO date or moment as days since 1970-01-01 (fractions for the time of day), NaN when it is none."""
    found = _DATE.fullmatch(text.strip(" \t\r\n")) if len(text) <= 64 else None
    if not found:
        return math.nan
    try:
        whole = float((date(int(found[1]), int(found[2]), int(found[3])) - _EPOCH).days)
    except ValueError:
        return math.nan
    if found[4] is None:
        return whole
    hours, minutes, seconds = int(found[4]), int(found[5]), int(found[6] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return math.nan
    offset = 0
    zone = found[8]
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    return whole + (hours * 3600 + (minutes - offset) * 60 + seconds + float("0." + (found[7] or "0"))) / _DAY


def day(value: Value) -> date | None:
    """Return the calendar day a value means: an ISO date, or days since 1970-01-01; None when it means none."""
    if isinstance(value, str) and (found := _DATE.fullmatch(value.strip())):
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return None
    count = number(value)
    if math.isnan(count) or not _FIRST_DAY <= count <= _LAST_DAY:
        return None
    return _EPOCH + timedelta(days=math.floor(count))


def moment(value: Value) -> datetime | None:
    """Return the moment a value means, in the zone it names (UTC when it names none)."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    count = number(value)
    if math.isnan(count) or not _FIRST_DAY <= count <= _LAST_DAY:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=count)


def text(value: Value) -> str:  # noqa: PLR0911 - one return per kind of value
    """Return the value as text, as XPath 1.0 writes it: no exponent, no ".0", NaN, Infinity."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    written = format(Decimal(repr(value)), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def truth(value: Value) -> bool:
    """Return the value as true or false: a number by being neither 0 nor NaN, a text by having any character."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return value != ""


def equal(left: Value, right: Value) -> bool:
    """Compare as XPath 1.0: truth values first, then numbers, then texts."""
    if isinstance(left, bool) or isinstance(right, bool):
        return truth(left) is truth(right)
    if isinstance(left, float) or isinstance(right, float):
        return number(left) == number(right)
    return left == right
