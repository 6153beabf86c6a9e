"""Numbers: whole, decimal, percentage, money, year, range."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from babel.numbers import UnknownCurrencyError, get_currency_name, get_currency_symbol
from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.moments import LAST_YEAR, read_year
from forms.question_types.base import ExcelRule, Question, QuestionType, in_language
from forms.question_types.settings import UNIT, Setting
from forms.reading import plain, read_decimal, read_integer, readable, without_sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import CellKind, Json, Text
    from forms.context import Context
    from forms.question_types.base import ExcelKind, Joins

FIRST_YEAR = 1000
# Excel keeps 15 digits; a bound beyond that says nothing there.
EXCEL_LIMIT = 1e15

_PARTS = re.compile("[\\s\u200b]+")
LEAST = Setting("start", "number", _l("Smallest number"), _l("Empty: no limit."))
GREATEST = Setting("end", "number", _l("Greatest number"), _l("Empty: no limit."))


def _bound(setting: object) -> Decimal | None:
    """Return the number that a setting names, None for none (an own file may hold anything there)."""
    if setting in (None, ""):
        return None
    try:
        number = Decimal(str(setting))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


class IntegerType(QuestionType):
    """A whole number, stored as a JSON integer; settings: start, end (both allowed), unit."""

    name = "integer"
    joins: ClassVar[Joins] = "sum"
    title = _l("Whole number")
    input_mode = "numeric"
    settings: ClassVar[tuple[Setting, ...]] = (LEAST, GREATEST, UNIT)
    cell_kind: ClassVar[CellKind] = "integer"
    excel_kind: ClassVar[ExcelKind] = "whole"
    number_format: ClassVar[str] = "#,##0"

    def variant(self, item: Question) -> str:
        """Return the keyboard that a phone should show."""
        del item
        return "integer"

    def unit(self, item: Question, language: str) -> str:
        """Return the unit that stands after the field."""
        return in_language(item.settings.get("unit"), language)

    def signs(self, item: Question, context: Context) -> Iterable[str]:
        """Return what may stand before or after the digits: the question's own unit."""
        unit = item.settings.get("unit")
        del context
        return (str(text) for text in unit.values()) if isinstance(unit, dict) else (str(unit or ""),)

    def bare(self, raw: Sequence[str], item: Question, context: Context) -> str:
        """Return what was typed without the question's own unit. Raises: Unreadable for another one."""
        typed = raw[0] if raw else ""
        return without_sign(typed, self.signs(item, context), self.unit(item, context.language))

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a whole number; see `forms.reading`."""
        del lang
        return read_integer(self.bare(raw, item, context))

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the number against the start and end of the question's settings."""
        if value is None:
            return None
        number = Decimal(str(value))
        low, high = self.bounds(item.settings)
        if low is not None and high is not None and not low <= number <= high:
            return _l("Please write a number from %(low)s to %(high)s.", low=plain(low), high=plain(high))
        if low is not None and number < low:
            return _l("Please write a number of at least %(low)s.", low=plain(low))
        if high is not None and number > high:
            return _l("Please write a number of at most %(high)s.", high=plain(high))
        return None

    def bounds(self, settings: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
        """Return the smallest and the greatest number allowed, None for no limit."""
        return _bound(settings.get("start")), _bound(settings.get("end"))

    def check_settings(self, settings: Mapping[str, Any]) -> Mapping[str, Text]:
        """Refuse bounds that leave no number."""
        low, high = self.bounds(settings)
        if low is not None and high is not None and low > high:
            return {"end": _l("The greatest number must not be less than the smallest.")}
        return {}

    def how_to(self, item: Question) -> Text:
        """Say the bounds, if the question has some."""
        low, high = self.bounds(item.settings)
        if low is not None and high is not None:
            return _l("A number from %(low)s to %(high)s", low=plain(low), high=plain(high))
        if low is not None and low != 0:  # that figures count from zero needs no word
            return _l("A number of at least %(low)s", low=plain(low))
        if high is not None:
            return _l("A number of at most %(high)s", high=plain(high))
        return ""

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the number aloud, plainly, with its unit."""
        if json is None:
            return ""
        unit = self.unit(item, language)
        return f"{json} {unit}" if unit else str(json)

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a whole number."""
        del item, language
        return CellValue(self.cell_kind, None if json is None else int(str(json)))

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return count, sum, least and greatest."""
        del item
        numbers = [Decimal(str(value)) for value in values if value is not None]
        return {
            "answered": len(numbers),
            "sum": sum(numbers, Decimal(0)),
            "min": min(numbers, default=None),
            "max": max(numbers, default=None),
        }

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a number between the bounds."""
        low, high = self.bounds(item.settings)
        return ExcelRule(self.excel_kind, _excel(low), _excel(high), number_format=self.number_format)


def _excel(bound: Decimal | None) -> float | None:
    return None if bound is None or abs(bound) > EXCEL_LIMIT else float(bound)


class DecimalType(IntegerType):
    """A number with decimals, stored as plain text ("12.5") so that no digit is lost."""

    name = "decimal"
    title = _l("Number with decimals")
    input_mode = "decimal"
    cell_kind: ClassVar[CellKind] = "decimal"
    excel_kind: ClassVar[ExcelKind] = "decimal"
    number_format: ClassVar[str] = "#,##0.###"

    def variant(self, item: Question) -> str:
        """Return the keyboard that a phone should show."""
        del item
        return "decimal"

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a number; see `forms.reading`."""
        del lang
        return self.store(read_decimal(self.bare(raw, item, context)))

    def store(self, value: Any) -> Json:
        """Return the number as plain text; minus zero is zero."""
        return None if value is None else plain(Decimal(value))

    def restore(self, json: Json) -> Decimal | None:
        """Return the Decimal."""
        return None if json is None else Decimal(str(json))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return a form that `read` takes back: 12.345 is shown as 12.3450, since three decimals could be thousands."""
        del item
        return [] if json is None else [readable(str(json))]

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a Decimal."""
        del item, language
        return CellValue(self.cell_kind, self.restore(json))


class MoneyType(DecimalType):
    """An amount of money; setting `unit` is the currency: an ISO 4217 code (KHR, USD) or its name.

    A sign or name of that very currency may stand beside the digits, in any of the questionnaire's languages (CLDR).
    """

    name = "money"
    title = _l("Amount of money")
    cell_kind = "money"
    settings: ClassVar[tuple[Setting, ...]] = (
        LEAST,
        GREATEST,
        Setting("unit", "line", _l("Currency"), _l("Its code of three letters, for example KHR or USD.")),
    )

    number_format: ClassVar[str] = "#,##0.##"

    def signs(self, item: Question, context: Context) -> Iterable[str]:
        """Return code, sign and name of the currency."""
        for unit in super().signs(item, context):
            yield unit
            for language in (*context.languages, "en"):
                yield from _currency(unit.strip().upper(), language)


@lru_cache(maxsize=256)
def _currency(code: str, language: str) -> tuple[str, ...]:
    """Return sign and names of a currency in a language, as CLDR gives them; none for what is no code."""
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        return ()
    locale = language.replace("-", "_")
    try:
        names = [get_currency_name(code, count=count, locale=locale) for count in (None, 1, 2)]
        signs = {get_currency_symbol(code, locale=locale), get_currency_symbol(code, locale="en")}
    except (ValueError, UnknownCurrencyError):  # a language that CLDR does not know
        return ()
    short = {f"US{sign}" for sign in signs if code == "USD" and sign == "$"}
    # "Cambodian riels" is written "riels", "រៀលកម្ពុជា" (parted by a zero-width space) "រៀល"
    bare = [name.split()[-1] if name.isascii() else _PARTS.split(name)[0] for name in names]
    return tuple(dict.fromkeys((*signs, *short, *names, *bare)))


class PercentageType(DecimalType):
    """A percentage, stored in per cent ("34" is 34 %); a trailing % is accepted; the cell holds the fraction 0.34."""

    name = "percentage"
    joins = "average"  # percentages of different wholes are never added up
    title = _l("Percentage")
    cell_kind = "percent"
    settings: ClassVar[tuple[Setting, ...]] = (LEAST, GREATEST)
    number_format: ClassVar[str] = "0.##%"
    typical: ClassVar[float] = 0.34

    def unit(self, item: Question, language: str) -> str:
        """Return the sign."""
        del item, language
        return "%"

    def signs(self, item: Question, context: Context) -> Iterable[str]:
        """Return what a percentage may carry."""
        del item, context
        return ("%", "\uff05", "percent", "per cent", "ភាគរយ")

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud with the sign."""
        del item, language
        return "" if json is None else f"{json}%"

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the fraction, as Excel counts percentages."""
        del item, language
        number = self.restore(json)
        return CellValue("percent", None if number is None else number / 100)

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a fraction between the bounds: 34 % stands in a cell as 0.34."""
        low, high = (_excel(bound / 100 if bound is not None else None) for bound in self.bounds(item.settings))
        return ExcelRule("decimal", low, high, number_format=self.number_format)


class YearType(IntegerType):
    """A Gregorian year of four digits."""

    name = "year"
    joins = ""
    title = _l("Year")
    cell_kind: ClassVar[CellKind] = "year"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("start", "count", _l("Earliest year"), _l("Empty: any year."), FIRST_YEAR, LAST_YEAR),
        Setting("end", "count", _l("Latest year"), _l("Empty: any year."), FIRST_YEAR, LAST_YEAR),
    )
    number_format: ClassVar[str] = "0"
    typical: ClassVar[float] = 2026.0  # as its form says

    def unit(self, item: Question, language: str) -> str:
        """Return nothing: a year has no unit."""
        del item, language
        return ""

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a year; a Buddhist-era year is refused with the Gregorian one it would be."""
        year = super().read(raw, item, context, lang)
        return read_year(year) if isinstance(year, int) else None

    def how_to(self, item: Question) -> Text:
        """Say the form, and the bounds if the question has some."""
        low, high = self.bounds(item.settings)
        if low is not None and high is not None:
            return _l("A year from %(low)s to %(high)s", low=plain(low), high=plain(high))
        return _l("A year with four digits, for example 2026")

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a whole number of four digits."""
        low, high = self.bounds(item.settings)
        return ExcelRule(
            "whole",
            _excel(low) if low is not None else float(FIRST_YEAR),
            _excel(high) if high is not None else float(LAST_YEAR),
            number_format=self.number_format,
        )


class RangeType(DecimalType):
    """A number between two bounds; settings: start, end, step. XLSForm's own bounds are 1, 10 and 1."""

    name = "range"
    joins = ""
    title = _l("Number between two bounds")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("start", "number", _l("Smallest number"), _l("Empty: 1.")),
        Setting("end", "number", _l("Greatest number"), _l("Empty: 10.")),
        Setting("step", "number", _l("Step"), _l("Empty: 1.")),
        UNIT,
    )

    def bounds(self, settings: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
        """Return both bounds; a range always has them (XLSForm, question type range)."""
        low, high = super().bounds(settings)
        return Decimal(1) if low is None else low, Decimal(10) if high is None else high

    def step(self, settings: Mapping[str, Any]) -> Decimal:
        """Return the step, always greater than zero."""
        return abs(_bound(settings.get("step")) or Decimal(1))

    def check_settings(self, settings: Mapping[str, Any]) -> Mapping[str, Text]:
        """Refuse bounds that leave no number, and a step that is nothing or leaps over the whole range."""
        low, high = self.bounds(settings)
        wrong = dict(super().check_settings(settings))
        step = _bound(settings.get("step"))
        if step is not None and step <= 0:
            wrong["step"] = _l("The step must be greater than zero.")
        elif step is not None and low is not None and high is not None and not wrong and step > high - low:
            wrong["step"] = _l("The step must fit between the smallest and the greatest number.")
        return wrong

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the number against bounds and step."""
        refused = super().validate(value, item)
        if refused or value is None:
            return refused
        step, (low, _high) = self.step(item.settings), self.bounds(item.settings)
        if (Decimal(str(value)) - (low or 0)) % step:
            return _l("Please write a number in steps of %(step)s.", step=plain(step))
        return None

    def how_to(self, item: Question) -> Text:
        """Say bounds and step in words; a slider would hide them."""
        low, high = self.bounds(item.settings)
        step = self.step(item.settings)
        if step == 1 or low is None or high is None:
            return super().how_to(item)
        return _l(
            "A number from %(low)s to %(high)s in steps of %(step)s", low=plain(low), high=plain(high), step=plain(step)
        )


TYPES = (IntegerType(), DecimalType(), MoneyType(), PercentageType(), YearType(), RangeType())
