"""Numbers: whole, decimal, percentage, money, year, range."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType
from forms.reading import BUDDHIST_ERA_FROM, BUDDHIST_ERA_OFFSET, Unreadable, read_decimal, read_integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.answers import CellKind, Json, Text
    from forms.context import Context

THOUSANDS = 3  # digits between two separators


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without a trailing point: the stored form."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class IntegerType(QuestionType):
    """A whole number, stored as a JSON integer; settings: start, end (both allowed), unit."""

    name = "integer"
    input_mode = "numeric"
    settings_keys: ClassVar[tuple[str, ...]] = ("start", "end", "unit")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a whole number; see `forms.reading`."""
        del item, context, lang
        return read_integer(raw[0] if raw else "")

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the number against the start and end of the question's settings."""
        if value is None:
            return None
        number = Decimal(str(value))
        low, high = _bound(item.settings.get("start")), _bound(item.settings.get("end"))
        if low is not None and high is not None and not low <= number <= high:
            return _l("Please write a number from %(low)s to %(high)s.", low=plain(low), high=plain(high))
        if low is not None and number < low:
            return _l("Please write a number of at least %(low)s.", low=plain(low))
        if high is not None and number > high:
            return _l("Please write a number of at most %(high)s.", high=plain(high))
        return None

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the number aloud, plainly, with its unit."""
        if json is None:
            return ""
        unit = item.settings.get("unit")
        return f"{json} {_unit(unit, language)}" if unit else str(json)

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a whole number."""
        del item, language
        return CellValue("integer", None if json is None else int(str(json)))

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


class DecimalType(IntegerType):
    """A number with decimals, stored as plain text ("12.5") so that no digit is lost."""

    name = "decimal"
    input_mode = "decimal"
    cell_kind: ClassVar[CellKind] = "decimal"

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a number; see `forms.reading`."""
        del item, context, lang
        return self.store(read_decimal(raw[0] if raw else ""))

    def store(self, value: Any) -> Json:
        """Return the number as plain text."""
        return None if value is None else plain(Decimal(value))

    def restore(self, json: Json) -> Decimal | None:
        """Return the Decimal."""
        return None if json is None else Decimal(str(json))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return a form that `read` takes back: 12.345 is shown as 12.3450, since three decimals could be thousands."""
        del item
        if json is None:
            return []
        text = str(json)
        whole, _point, decimals = text.partition(".")
        return [text + "0" if len(decimals) == THOUSANDS and whole.lstrip("-") != "0" else text]

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a Decimal."""
        del item, language
        return CellValue(self.cell_kind, self.restore(json))


class MoneyType(DecimalType):
    """An amount of money; setting `unit` is the currency."""

    name = "money"
    cell_kind = "money"


class PercentageType(DecimalType):
    """A percentage, stored in per cent ("34" is 34 %); a trailing % is accepted; the cell holds the fraction 0.34."""

    name = "percentage"
    cell_kind = "percent"

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a number, with or without a % sign."""
        typed = (raw[0] if raw else "").strip()
        return super().read([typed.removesuffix("%").removesuffix("\uff05")], item, context, lang)

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud with the sign."""
        del item, language
        return "" if json is None else f"{json}%"

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the fraction, as Excel counts percentages."""
        del item, language
        number = self.restore(json)
        return CellValue("percent", None if number is None else number / 100)


class YearType(IntegerType):
    """A Gregorian year of four digits."""

    name = "year"

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a year; a Buddhist-era year is refused with the Gregorian one it would be."""
        year = super().read(raw, item, context, lang)
        if not isinstance(year, int):
            return None
        if year >= BUDDHIST_ERA_FROM:
            raise Unreadable(
                _l(
                    "%(year)s looks like a year of the Buddhist era; in the Gregorian calendar it is %(gregorian)s. "
                    "Please write the Gregorian year.",
                    year=year,
                    gregorian=year - BUDDHIST_ERA_OFFSET,
                )
            )
        if year < 1000:
            raise Unreadable(_l("Please write the year with four digits, for example 2022"))
        return year


def _bound(setting: object) -> Decimal | None:
    if setting in (None, ""):
        return None
    try:
        return Decimal(str(setting))
    except InvalidOperation:
        return None


def _unit(unit: object, language: str) -> str:
    if isinstance(unit, dict):
        return str(unit.get(language) or next(iter(unit.values()), ""))
    return str(unit)


class RangeType(DecimalType):
    """A number between two bounds; settings: start, end, step."""

    name = "range"
    settings_keys = ("start", "end", "step", "unit")

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the number against bounds and step."""
        refused = super().validate(value, item)
        step, low = _bound(item.settings.get("step")), _bound(item.settings.get("start"))
        if refused or value is None or not step:
            return refused
        if (Decimal(str(value)) - (low or 0)) % step:
            return _l("Please write a number in steps of %(step)s.", step=plain(step))
        return None


TYPES = (IntegerType(), DecimalType(), MoneyType(), PercentageType(), YearType(), RangeType())
