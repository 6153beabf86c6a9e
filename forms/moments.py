"""How what a person typed becomes a day, a time of day, a moment, a year: explicit rules, never a guess.

Days are Gregorian; a year of the Buddhist era is refused with the Gregorian one it would be. Times are of 24 hours
unless a mark of the half of the day stands beside them. Each reader returns None for a blank and raises `Unreadable`
with the sentence that stands beside the field.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale
from flask_babel import lazy_gettext as _l

from forms.reading import Unreadable, plain_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import Text

BUDDHIST_ERA_FROM = 2400  # a year from here on is Buddhist era: Gregorian year + 543
BUDDHIST_ERA_OFFSET = 543
FIRST_YEAR, LAST_YEAR = 1800, 2399
LAST_BUDDHIST_YEAR = LAST_YEAR + BUDDHIST_ERA_OFFSET
NOON = 12
LONGEST = 80  # characters; no date and time in words is longer

_ISO_DATE = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DAY_FIRST = re.compile(r"(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2})[-/. ](?P<y>\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2}")
_IN_WORDS = re.compile(r"(?P<before>\D{0,20})(?P<d>\d{1,2})(?P<name>\D{2,30})(?P<y>\d{4})")
_MONTH_FIRST = re.compile(r"(?P<name>[^\d\s]{2,20})\.? (?P<d>\d{1,2}),? (?P<y>\d{4})")
_AROUND = re.compile(r"\s*([-/])\s*")
_TIME = re.compile(
    r"(?P<before>[^\d:]{0,20}?)\s*(?P<h>\d{1,2})(?:\s*[:.hH]\s*(?P<min>\d{2})(?:[:.](?P<s>\d{2})(?:\.0+)?)?|\s*[hH])?"
    r"\s*(?P<after>[^\d:]{0,20})"
)
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")
_DAY_AND_TIME = re.compile(r"(?P<day>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|.*?\D\d{4})(?:\s*,\s*|\s+)(?P<time>.+)")

# The words around the parts of a written date and time; months and halves of the day come from CLDR.
_DAY_WORDS = ("ថ្ងៃទី", "ថ្ងៃ", "the", "")
_MONTH_WORDS = ("ខែ", "of", "")
_HOUR_WORDS = ("ម៉ោង", "at", "")
_BEFORE_NOON = frozenset({"am", "ព្រឹក"})
_AFTER_NOON = frozenset({"pm", "រសៀល", "ល្ងាច"})


def read_date(typed: str, languages: Sequence[str] = ("en", "km")) -> date | None:
    """Read a date: 2022-03-30, 30/3/2022, 30 March 2022, ៣០ មីនា ២០២២; blank is None.

    Months may be named in any of the languages (as in CLDR). Raises: Unreadable, naming a day that does not exist or
    the Gregorian year meant by a Buddhist-era one.
    """
    text = _AROUND.sub(r"\1", plain_line(typed))
    if not text:
        return None
    found = _ISO_DATE.fullmatch(text) or _DAY_FIRST.fullmatch(text)
    if found is not None and text.isascii():
        return _calendar_day(int(found["y"]), int(found["m"]), int(found["d"]))
    if _SHORT_YEAR.fullmatch(text):
        raise Unreadable(_l("Please write the year with four digits, for example 30/03/2022"))
    for shape in (_IN_WORDS, _MONTH_FIRST) if len(text) <= LONGEST else ():
        if (found := shape.fullmatch(text)) is None:
            continue
        parts = found.groupdict()
        month = _month(parts["name"], languages)
        if month and parts.get("before", "").strip(" ,") in _DAY_WORDS:
            return _calendar_day(int(parts["y"]), month, int(parts["d"]))
    raise Unreadable(_l("This is not a date. Please write day/month/year, for example 30/03/2022"))


def _month(written: str, languages: Sequence[str]) -> int:
    """Return the number of a named month, 0 for none."""
    name = written.removesuffix("ឆ្នាំ").strip(" ,.").removesuffix("ឆ្នាំ").strip(" ,.").casefold()
    for word in _MONTH_WORDS:
        for language in (*languages, "en"):
            if number := _months(language).get(name.removeprefix(word).strip()):
                return number
    return 0


@lru_cache(maxsize=16)
def _months(language: str) -> Mapping[str, int]:
    try:
        months = Locale.parse(language.replace("-", "_")).months["format"]
    except ValueError:  # of babel: a language that CLDR does not know names no months
        return {}
    return {
        str(name).casefold().strip("."): number
        for width in ("wide", "abbreviated")
        for number, name in months[width].items()
    }


def read_year(number: int) -> int:
    """Return a Gregorian year of four digits. Raises: Unreadable for a Buddhist-era year, 22, 20222."""
    if BUDDHIST_ERA_FROM <= number <= LAST_BUDDHIST_YEAR:
        raise Unreadable(
            _l(
                "%(year)s looks like a year of the Buddhist era; in the Gregorian calendar it is %(gregorian)s. "
                "Please write the Gregorian year.",
                year=number,
                gregorian=number - BUDDHIST_ERA_OFFSET,
            )
        )
    if not 1000 <= number <= LAST_YEAR:
        raise Unreadable(_l("Please write the year with four digits, for example 2022"))
    return number


def _calendar_day(year: int, month: int, day: int) -> date:
    if BUDDHIST_ERA_FROM <= year <= LAST_BUDDHIST_YEAR:
        gregorian = year - BUDDHIST_ERA_OFFSET
        if not (1 <= month <= 12 and 1 <= day <= monthrange(gregorian, month)[1]):
            read_year(year)  # no example with a day that does not exist
        raise Unreadable(
            _l(
                "%(year)s looks like a year of the Buddhist era; in the Gregorian calendar it is %(gregorian)s. "
                "Please write the Gregorian year, for example %(day)s/%(month)s/%(gregorian)s",
                year=year,
                gregorian=gregorian,
                day=f"{day:02d}",
                month=f"{month:02d}",
            )
        )
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Unreadable(_l("The year %(year)s cannot be right. Please check it.", year=year))
    if not 1 <= month <= 12:
        raise Unreadable(
            _l(
                "There is no month %(month)s. Please write the day first, then the month, for example 30/03/2022",
                month=month,
            )
        )
    days = monthrange(year, month)[1]
    if not 1 <= day <= days:
        raise Unreadable(
            _l(
                "%(day)s/%(month)s/%(year)s does not exist: that month has %(days)s days. Please check the day.",
                day=f"{day:02d}",
                month=f"{month:02d}",
                year=year,
                days=days,
            )
        )
    return date(year, month, day)


def read_time(typed: str) -> time | None:
    """Read a time of day: 14:30, 14h30, 14.30, 2:30 PM, ២:៣០ រសៀល; without a mark the 24 hours are meant.

    Raises: Unreadable, also for "night" (ten in the evening or two in the morning?) and 24:00.
    """
    text = plain_line(typed)
    if not text:
        return None
    found = _TIME.fullmatch(text) if len(text) <= LONGEST else None
    if found is None or found["before"].strip(" ,").casefold() not in _HOUR_WORDS or not _digits_only(found):
        raise Unreadable(_not_a_time())
    mark = found["after"].replace(".", "").replace(" ", "").casefold()
    bare = text.removeprefix("ម៉ោង").strip().isdigit()  # "1430" or "14": hours, or minutes, or a count?
    if bare or mark not in {"", *_BEFORE_NOON, *_AFTER_NOON}:
        raise Unreadable(_not_a_time())
    return _time_of_day(int(found["h"]), int(found["min"] or 0), int(found["s"] or 0), mark)


def _digits_only(found: re.Match[str]) -> bool:
    return all((found[part] or "0").isascii() for part in ("h", "min", "s"))


def _time_of_day(hour: int, minute: int, second: int, mark: str) -> time:
    if mark and (hour == 0 or (hour > NOON and mark in _BEFORE_NOON)):
        raise Unreadable(_l("The hour and the half of the day do not fit together. Please write 14:30 or 2:30 PM."))
    if mark in _AFTER_NOON and hour < NOON:
        hour += NOON
    elif mark in _BEFORE_NOON and hour == NOON:
        hour = 0
    if hour == 24 and not (minute or second):
        raise Unreadable(_l("The day ends at 23:59. Please write 23:59, or 00:00 of the next day."))
    if hour > 23 or minute > 59 or second > 59:
        raise Unreadable(
            _l(
                "There is no time %(typed)s. Please write hours and minutes, for example 14:30",
                typed=f"{hour}:{minute:02d}",
            )
        )
    return time(hour, minute, second)


def _not_a_time() -> Text:
    return _l("This is not a time of day. Please write hours and minutes, for example 14:30 or 2:30 PM")


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """Return the time zone of that name, UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # zoneinfo's own error is a KeyError; a strange name may be a folder
        return UTC


def read_moment(typed: str, time_zone: str, languages: Sequence[str] = ("en", "km")) -> datetime | None:
    """Read a day and a time of day in a time zone: 30/03/2022 14:30, or ISO text with an offset; to the second.

    Raises: Unreadable; a day without a time is never taken for midnight.
    """
    text = plain_line(typed)
    if not text:
        return None
    zone = zone_of(time_zone)
    if len(text) <= LONGEST:
        if _ISO_MOMENT.fullmatch(text):
            return _iso_moment(text, zone)
        found = _DAY_AND_TIME.fullmatch(text)
        if found is not None:
            day, clock = read_date(found["day"], languages), read_time(found["time"])
            if day is not None and clock is not None:
                return _in_zone(datetime.combine(day, clock), zone)
    read_date(text, languages)  # says what is wrong with the day, if the day is what is wrong
    raise Unreadable(_l("Please add the time of day, for example 30/03/2022 14:30"))


def _iso_moment(text: str, zone: tzinfo) -> datetime:
    day = read_date(text[:10])
    try:
        moment = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        raise Unreadable(_not_a_time()) from None
    if moment.tzinfo is None or day is None:
        return _in_zone(moment, zone)
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        raise Unreadable(_not_a_time()) from None


def _in_zone(local: datetime, zone: tzinfo) -> datetime:
    """Return the moment; a time that a change of the clocks skips is refused, of a doubled one the first is meant."""
    moment = local.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise Unreadable(
            _l(
                "The clocks were put forward at that hour, so %(time)s does not exist on that day. "
                "Please check the time.",
                time=local.strftime("%H:%M"),
            )
        )
    return moment
