"""Days, times of day, moments, and periods from one day or year to another."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.moments import LAST_YEAR, read_date, read_moment, read_time, read_year
from forms.question_types.base import ExcelRule, Question, QuestionType
from forms.question_types.settings import Setting
from forms.reading import Unreadable, latin_digits, plain_line, read_integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import Json, Text
    from forms.context import Context

FROM_TO = " – "  # between the two ends of a period
OPEN = "…"  # stands for an end that is still to come
_ENDS = re.compile(r"[–—~]| --? | (?:to|until|till) |ដល់", re.IGNORECASE)
_YEARS = re.compile(r"(\d{4}) ?- ?(\d{4})")
# Excel counts days from 1900 on; an earlier day cannot be a date in a cell.
_FIRST_EXCEL_DAY = date(1900, 1, 1)
_LAST_DAY = date(LAST_YEAR, 12, 31)
EARLIEST = Setting("start", "day", _l("Earliest day"), _l("Empty: any day."))
LATEST = Setting("end", "day", _l("Latest day"), _l("Empty: any day."))


def spoken(day: date) -> str:
    """Write a day day first, as Cambodian and UN letters do."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def _set_day(setting: object) -> date | None:
    """Return the day that a setting names, None for none."""
    try:
        return read_date(str(setting or ""))
    except Unreadable:
        return None


def _out_of_days(day: date, settings: Mapping[str, Any]) -> Text | None:
    first, last = _set_day(settings.get("start")), _set_day(settings.get("end"))
    if first is not None and last is not None and not first <= day <= last:
        return _l("Please write a day from %(first)s to %(last)s.", first=spoken(first), last=spoken(last))
    if first is not None and day < first:
        return _l("Please write %(first)s or a later day.", first=spoken(first))
    if last is not None and day > last:
        return _l("Please write %(last)s or an earlier day.", last=spoken(last))
    return None


class _DaysType(QuestionType):
    """What types of days share: bounds, and the span of many answers."""

    control = "date"
    settings: ClassVar[tuple[Setting, ...]] = (EARLIEST, LATEST)

    def check_settings(self, settings: Mapping[str, Any]) -> Mapping[str, Text]:
        """Refuse bounds that leave no day."""
        first, last = _set_day(settings.get("start")), _set_day(settings.get("end"))
        if first is not None and last is not None and first > last:
            return {"end": _l("The latest day must not come before the earliest.")}
        return {}

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return count, earliest and latest as stored (ISO text sorts by time within one zone)."""
        del item
        kept = sorted(str(value) for value in values if value is not None)
        return {"answered": len(kept), "min": kept[0] if kept else None, "max": kept[-1] if kept else None}


class DateType(_DaysType):
    """A day, stored as ISO text (2022-03-30); shown and read aloud day first (30/03/2022)."""

    name = "date"
    title = _l("Day")
    input_mode = "numeric"

    def how_to(self, item: Question) -> Text:
        """Say the form."""
        del item
        return _l("Day, month and year, for example 27/03/2026")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a day; see `forms.moments.read_date`."""
        del item, lang
        return self.store(read_date(raw[0] if raw else "", context.languages))

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the day against the earliest and latest of the question's settings."""
        day = self.restore(value)
        return None if day is None else _out_of_days(day, item.settings)

    def store(self, value: Any) -> Json:
        """Return the ISO text."""
        return None if value is None else str(value.isoformat())

    def restore(self, json: Json) -> date | None:
        """Return the date."""
        return None if json is None else date.fromisoformat(str(json))

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud day first."""
        del item, language
        day = self.restore(json)
        return "" if day is None else spoken(day)

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a true date."""
        del item, language
        return CellValue("date", self.restore(json))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return the day first form, which `read` takes back."""
        return [] if json is None else [self.text(json, item, "")]

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a date between the bounds."""
        first, last = _set_day(item.settings.get("start")), _set_day(item.settings.get("end"))
        return ExcelRule(
            "date", max(first or _FIRST_EXCEL_DAY, _FIRST_EXCEL_DAY), last or _LAST_DAY, number_format="dd/mm/yyyy"
        )


class TimeType(QuestionType):
    """A time of day without a zone, stored as ISO text (14:30, or 14:30:05 where seconds were written)."""

    name = "time"
    title = _l("Time of day")
    control = "date"

    def variant(self, item: Question) -> str:
        """Return the form of a time."""
        del item
        return "time"

    def how_to(self, item: Question) -> Text:
        """Say the form."""
        del item
        return _l("Hours and minutes of the day, for example 14:30")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a time; see `forms.moments.read_time`."""
        del item, context, lang
        return self.store(read_time(raw[0] if raw else ""))

    def store(self, value: Any) -> Json:
        """Return the ISO text, seconds only where there are some."""
        return None if value is None else value.isoformat("seconds" if value.second else "minutes")

    def restore(self, json: Json) -> time | None:
        """Return the time."""
        return None if json is None else time.fromisoformat(str(json))

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the time of day, which Excel keeps as a part of a day."""
        del item, language
        return CellValue("time", self.restore(json))

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a time of the day; Excel counts it as a part of a day."""
        del item
        return ExcelRule("time", 0.0, 86_399 / 86_400, number_format="hh:mm")


class DateTimeType(_DaysType):
    """A moment, typed and shown in the country's time zone, stored as ISO text with that zone's offset."""

    name = "datetime"
    title = _l("Day and time")

    def variant(self, item: Question) -> str:
        """Return the form of a moment."""
        del item
        return "datetime"

    def how_to(self, item: Question) -> Text:
        """Say the form."""
        del item
        return _l("Day and time, for example 27/03/2026 14:30")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a moment; see `forms.moments.read_moment`."""
        del item, lang
        return self.store(read_moment(raw[0] if raw else "", context.time_zone, context.languages))

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the day of the moment against the bounds."""
        moment = self.restore(value)
        return None if moment is None else _out_of_days(moment.date(), item.settings)

    def store(self, value: Any) -> Json:
        """Return the ISO text to the second, with the offset."""
        return None if value is None else str(value.isoformat(timespec="seconds"))

    def restore(self, json: Json) -> datetime | None:
        """Return the aware moment."""
        return None if json is None else datetime.fromisoformat(str(json))

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud as the clock showed it where it was written."""
        del item, language
        moment = self.restore(json)
        if moment is None:
            return ""
        return f"{spoken(moment.date())} {moment.strftime('%H:%M:%S' if moment.second else '%H:%M')}"

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a true date and time; the workbook shows it in its own zone."""
        del item, language
        return CellValue("datetime", self.restore(json))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return the form that `read` takes back."""
        return [] if json is None else [self.text(json, item, "")]

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return count, earliest and latest by the moment, whatever the offsets."""
        del item
        kept = sorted((str(value) for value in values if value is not None), key=_moment_of)
        return {"answered": len(kept), "min": kept[0] if kept else None, "max": kept[-1] if kept else None}

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a date and time between the bounds (Excel validates it as a date)."""
        first, last = _set_day(item.settings.get("start")), _set_day(item.settings.get("end"))
        return ExcelRule(
            "date",
            max(first or _FIRST_EXCEL_DAY, _FIRST_EXCEL_DAY),
            last or _LAST_DAY,
            number_format="dd/mm/yyyy hh:mm",
        )


def _moment_of(json: str) -> datetime:
    return datetime.fromisoformat(json).astimezone(UTC)


class PeriodType(QuestionType):
    """From one day (or year) to another, both included; stored as a list of two texts, "" for an end to come.

    Days are ISO texts, years have four digits. Settings: precision (year, else days), open_end (the end may be
    left out: still going on). Two fields of the same name are posted; one text "2020–2024" is read too.
    """

    name = "period"
    title = _l("Period from – to")
    control = "date"
    several = True
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "precision",
            "choice",
            _l("From and to are"),
            options=(("", _l("days")), ("year", _l("years"))),
        ),
        Setting("open_end", "flag", _l("The end may be left empty"), _l("For what still goes on.")),
    )

    def variant(self, item: Question) -> str:
        """Return the form of a period: days or years."""
        return "period-year" if _by_year(item) else "period"

    def how_to(self, item: Question) -> Text:
        """Say the form of both ends."""
        if _by_year(item):
            return _l("Years with four digits, for example 2020 and 2024")
        return _l("Day, month and year, for example 01/01/2022 and 31/12/2025")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read both ends, from two fields or from one text."""
        del lang
        ends = [part.strip() for part in (_split(raw[0]) if len(raw) == 1 else raw[:2])]
        first, last = (self._end("" if part == OPEN else part, item, context) for part in (*ends, "", "")[:2])
        if first is None and last is None:
            if plain_line("".join(raw)):
                raise Unreadable(_l("This is not a period. Please write both ends, for example 2020 – 2024"))
            return None
        if first is None:
            raise Unreadable(_l("Please write also when the period begins."))
        if last is None and not item.settings.get("open_end"):
            raise Unreadable(_l("Please write also when the period ends."))
        if last is not None and last < first:  # type: ignore[operator] # both are years or both are days
            raise Unreadable(
                _l(
                    "The period ends (%(last)s) before it begins (%(first)s). Please check both.",
                    first=_said(first),
                    last=_said(last),
                )
            )
        return self.store((first, last))

    def _end(self, typed: str, item: Question, context: Context) -> date | int | None:
        if not _by_year(item):
            return read_date(typed, context.languages)
        year = read_integer(typed)
        return None if year is None else read_year(year)

    def typed(self, raw: Sequence[str]) -> str:
        """Keep both ends."""
        return FROM_TO.join(raw[:2]) if len(raw) > 1 else "".join(raw)

    def raw_typed(self, typed: str) -> list[str]:
        """Return the text of either field."""
        first, _dash, last = typed.partition(FROM_TO)
        return [first, last]

    def store(self, value: Any) -> Json:
        """Return both ends as texts."""
        if value is None:
            return None
        return [end.isoformat() if isinstance(end, date) else "" if end is None else f"{end:04d}" for end in value]

    def restore(self, json: Json) -> tuple[date | int, date | int | None] | None:
        """Return both ends."""
        if not isinstance(json, list):
            return None
        first, last = (_restored(str(end)) for end in json)
        return None if first is None else (first, last)

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read both ends aloud."""
        del item, language
        ends = self.restore(json)
        if ends is None:
            return ""
        first, last = ends
        return FROM_TO.join((_said(first), OPEN if last is None else _said(last)))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return what either field shows."""
        del item
        ends = self.restore(json)
        return [] if ends is None else ["" if end is None else _said(end) for end in ends]

    def expression(self, json: Json) -> str:
        """Return both ends separated by a space, so that selected-at(${p}, 0) is the first."""
        return " ".join(str(end) for end in json if end) if isinstance(json, list) else ""

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return count, earliest begin and latest end as stored; an open end is no end."""
        del item
        kept = [value for value in values if isinstance(value, list)]
        ends = [str(value[1]) for value in kept if value[1]]
        return {
            "answered": len(kept),
            "min": min((str(value[0]) for value in kept), default=None),
            "max": max(ends, default=None),
        }

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a text; both ends stand in one cell, as they are read aloud."""
        del item
        return ExcelRule("text", number_format="@")


def _by_year(item: Question) -> bool:
    return item.settings.get("precision") == "year"


def _split(text: str) -> list[str]:
    text = " ".join(text.split())
    if found := _YEARS.fullmatch(latin_digits(text)):
        return [found[1], found[2]]
    return _ENDS.split(text, maxsplit=1)


def _said(end: date | int) -> str:
    return spoken(end) if isinstance(end, date) else f"{end:04d}"


def _restored(end: str) -> date | int | None:
    if not end:
        return None
    return int(end) if end.isdecimal() else date.fromisoformat(end)


TYPES = (DateType(), TimeType(), DateTimeType(), PeriodType())
