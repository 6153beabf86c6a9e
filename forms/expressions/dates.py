"""Dates in expressions: read from ISO text or days since 1970-01-01, written by ODK's letters."""

from __future__ import annotations

import math
import re

from forms.expressions.values import Value, day, days, moment, text

MAX_WRITTEN = 1_000  # characters of a written date
# Always English: a computed value is stored, and must not depend on who looks at it (docs/contract.md, Expressions).
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = re.compile(
    r"(?:.*T)?([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


def date_text(value: Value) -> str:
    """Return the day a value means as an ISO date, "" when it means none."""
    found = None if isinstance(value, bool) else day(value)
    return "" if found is None else found.isoformat()


def decimal_moment(value: Value) -> float:
    """Return a moment as days since 1970-01-01; NaN when it is none."""
    return value if isinstance(value, float) else days(text(value))


def day_fraction(value: Value) -> float:
    """Return a time of day as a part of the day (noon is 0.5), as written: its zone is not looked at."""
    found = _TIME.fullmatch(text(value)) if len(text(value)) <= 64 else None
    if found is None:
        return math.nan
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return math.nan
    return (hours * 3600 + minutes * 60 + seconds + float("0." + (found[4] or "0"))) / 86_400


def format_date(value: Value, pattern: Value) -> str:
    """Write a date by ODK's letters: %Y %y %m %n %b %d %e %a %H %h %M %S %3; other signs stand for themselves.

    %b and %a are the English three-letter names of month and day.
    """
    when = moment(value) if isinstance(value, str) and "T" in value else day(value)
    if when is None:
        return ""
    hour, minute, second = (getattr(when, part, 0) for part in ("hour", "minute", "second"))
    letters = {
        "Y": f"{when.year:04d}",
        "y": f"{when.year % 100:02d}",
        "m": f"{when.month:02d}",
        "n": str(when.month),
        "b": MONTHS[when.month - 1],
        "d": f"{when.day:02d}",
        "e": str(when.day),
        "a": DAYS[when.weekday()],
        "H": f"{hour:02d}",
        "h": str(hour),
        "M": f"{minute:02d}",
        "S": f"{second:02d}",
        "3": f"{getattr(when, 'microsecond', 0) // 1000:03d}",
        "%": "%",
    }
    written = re.sub(r"%(.)", lambda found: letters.get(found[1], found[0]), text(pattern), flags=re.DOTALL)
    return written[:MAX_WRITTEN]
