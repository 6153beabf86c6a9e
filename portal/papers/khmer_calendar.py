"""The Khmer lunisolar calendar of the Buddhist era, as official letters in Khmer are dated.

The computation is the traditional one (Faraut, Astronomie cambodgienne, 1910): for each year of the Buddhist era the
values aharkun, avoman and bodithey tell whether it has a thirteenth month or a thirtieth day of Jesth. Months are
counted from 1 January 1900, which was the first waxing day of Bos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

MONTHS = (
    "មិគសិរ", "បុស្ស", "មាឃ", "ផល្គុន", "ចេត្រ", "ពិសាខ", "ជេស្ឋ", "អាសាឍ", "ស្រាពណ៍", "ភទ្របទ", "អស្សុជ", "កត្តិក",
)  # fmt: skip
ANIMALS = ("ជូត", "ឆ្លូវ", "ខាល", "ថោះ", "រោង", "ម្សាញ់", "មមី", "មមែ", "វក", "រកា", "ច", "កុរ")
ERAS = ("សំរឹទ្ធិស័ក", "ឯកស័ក", "ទោស័ក", "ត្រីស័ក", "ចត្វាស័ក", "បញ្ចស័ក", "ឆស័ក", "សប្តស័ក", "អដ្ឋស័ក", "នព្វស័ក")
FIRST_ASADH, SECOND_ASADH = "បឋមាសាឍ", "ទុតិយាសាឍ"
EPOCH = date(1900, 1, 1)
BOS, PISAKH, JESTH, ASADH = 1, 5, 6, 7
FULL_MOON = 15
FIRST_YEAR, LAST_YEAR = 1901, 2199


@dataclass(frozen=True)
class KhmerDay:
    """A day: 1 to 15 waxing or waning, the month's name, the animal of the year, the era's name, the Buddhist year."""

    day: int
    waxing: bool
    month: str
    animal: str
    era: str
    year: int


def _counts(year: int) -> tuple[int, int, bool]:
    """Return (avoman, bodithey, whether the solar year is a leap year) of a Buddhist year."""
    counted = year * 292207 + 499
    aharkun = counted // 800 + 4
    eleven = 11 * aharkun + 25
    return eleven % 692, (eleven // 692 + aharkun + 29) % 30, 800 - counted % 800 <= 207


def _wants_month(year: int) -> bool:
    _avoman, bodithey, _leap = _counts(year)
    following = _counts(year + 1)[1]
    if bodithey == 25 and following == 5:
        return False
    if bodithey == 24 and following == 6:
        return True
    return bodithey >= 25 or bodithey <= 5


def _wants_day(year: int) -> bool:
    avoman, _bodithey, leap = _counts(year)
    if leap:
        return avoman <= 126
    if avoman > 137:
        return False
    return _counts(year + 1)[0] != 0


@lru_cache(maxsize=512)
def _shape(year: int) -> tuple[bool, bool]:
    """Tell whether a Buddhist year has a second Asadh, and whether its Jesth has thirty days (never both)."""
    month = _wants_month(year)
    if month:
        return True, False
    # a year that has the month already leaves its day to the next
    left_over = _wants_month(year - 1) and _wants_day(year - 1)
    return False, _wants_day(year) or left_over


@lru_cache(maxsize=512)
def _months(gregorian: int) -> tuple[tuple[str, int, int], ...]:
    """Return the months from Bos of a Gregorian year on: (name, place, days); the year's shape is of its new year."""
    thirteenth, long_jesth = _shape(gregorian + 544)
    found: list[tuple[str, int, int]] = []
    for place in (*range(BOS, 12), 0):
        days = 30 if place % 2 else 29
        if place == JESTH and long_jesth:
            days = 30
        if place == ASADH and thirteenth:
            found += [(FIRST_ASADH, ASADH, 30), (SECOND_ASADH, ASADH, 30)]
        else:
            found.append((MONTHS[place], place, days))
    return tuple(found)


@lru_cache(maxsize=512)
def _start(gregorian: int) -> date:
    """Return the first day of the Bos that begins around a Gregorian new year."""
    if gregorian == EPOCH.year:
        return EPOCH
    return _start(gregorian - 1) + timedelta(days=sum(days for _name, _place, days in _months(gregorian - 1)))


def _place(day: date) -> tuple[str, int, int]:
    """Return the month's name and place, and the day in it from 1."""
    year = day.year
    for known in range(EPOCH.year, year):  # so that nothing calls itself hundreds deep
        _start(known)
    begun = _start(year)
    if day < begun:
        year -= 1
        begun = _start(year)
    for name, place, days in _months(year):
        if day < begun + timedelta(days=days):
            return name, place, (day - begun).days + 1
        begun += timedelta(days=days)
    return _next(day, year)


def _next(day: date, year: int) -> tuple[str, int, int]:
    name, place, _days = _months(year + 1)[0]
    return name, place, (day - _start(year + 1)).days + 1


def visakha(gregorian: int) -> date:
    """Return the day of Visakha Bochea, the full moon of Pisakh, after which the Buddhist year is one more."""
    _place(date(gregorian, 12, 31))
    begun = _start(gregorian)
    for _name, place, days in _months(gregorian):
        if place == PISAKH:
            return begun + timedelta(days=FULL_MOON - 1)
        begun += timedelta(days=days)
    raise AssertionError


def khmer_day(day: date) -> KhmerDay | None:
    """Return a day in the Khmer calendar; None outside 1901 to 2199.

    The Buddhist year changes the day after Visakha Bochea, animal and era with the Khmer new year in April (14 April).
    """
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    name, _number, within = _place(day)
    begun = day >= date(day.year, 4, 14)
    year = day.year + (544 if day > visakha(day.year) else 543)
    return KhmerDay(
        within if within <= FULL_MOON else within - FULL_MOON,
        within <= FULL_MOON,
        name,
        ANIMALS[(day.year - 4 - (0 if begun else 1)) % 12],
        ERAS[(day.year + 544 - (0 if begun else 1) - 1182) % 10],
        year,
    )
