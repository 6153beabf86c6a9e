"""Days as papers write them: Gregorian in the language of the side; in Khmer the day of the Buddhist era beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time

from portal.papers.khmer_calendar import khmer_day

if TYPE_CHECKING:
    from datetime import date, datetime

KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")


def figures(text: object, language: str) -> str:
    """Write the digits of a text as papers in that language do."""
    return str(text).translate(KHMER_DIGITS) if language == "km" else str(text)


def day_words(day: date, language: str) -> str:
    """Write a day in words: "25 November 2026", "ថ្ងៃទី២៥ ខែវិច្ឆិកា ឆ្នាំ២០២៦"."""
    locale = Locale.parse(language.replace("-", "_"))
    if language == "km":
        month = format_date(day, "MMMM", locale=locale)
        return figures(f"ថ្ងៃទី{day.day:02d} ខែ{month} ឆ្នាំ{day.year}", language)
    return str(format_date(day, "d MMMM y", locale=locale))


def both_calendars(day: date, language: str) -> str:
    """Write a day in words, in Khmer with its day of the Buddhist era first, as official letters do."""
    gregorian = day_words(day, language)
    known = khmer_day(day) if language == "km" else None
    if known is None:
        return gregorian
    weekday = format_date(day, "EEEE", locale=Locale.parse("km"))
    phase = "កើត" if known.waxing else "រោច"
    lunar = f"ថ្ងៃ{weekday} {known.day}{phase} ខែ{known.month} ឆ្នាំ{known.animal} {known.era} ព.ស.{known.year}"
    return f"{figures(lunar, language)} ត្រូវនឹង{gregorian}"


def local_day(moment: datetime, time_zone: str) -> date:
    """Return the day of a moment where the portal is."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def moment_words(moment: datetime, time_zone: str, language: str) -> str:
    """Write a moment as its local day, in both calendars, and time of day."""
    local = moment.astimezone(ZoneInfo(time_zone))
    time = format_time(local, "HH:mm", locale=Locale.parse(language.replace("-", "_")))
    return f"{both_calendars(local.date(), language)}, {figures(time, language)}"
