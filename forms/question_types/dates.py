"""Dates: a calendar day of the Gregorian calendar."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType
from forms.reading import read_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.answers import Json
    from forms.context import Context


class DateType(QuestionType):
    """A day, stored as ISO text (2022-03-30); shown and read aloud day first (30/03/2022)."""

    name = "date"
    control = "date"
    input_mode = "numeric"

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a day; see `forms.reading.read_date`."""
        del item, context, lang
        return self.store(read_date(raw[0] if raw else ""))

    def store(self, value: Any) -> Json:
        """Return the ISO text."""
        return None if value is None else str(value.isoformat())

    def restore(self, json: Json) -> date | None:
        """Return the date."""
        return None if json is None else date.fromisoformat(str(json))

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud day first, as Cambodian and UN letters do."""
        del item, language
        day = self.restore(json)
        return "" if day is None else f"{day.day:02d}/{day.month:02d}/{day.year:04d}"

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return a true date."""
        del item, language
        return CellValue("date", self.restore(json))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return the day first form, which `read` takes back."""
        return [] if json is None else [self.text(json, item, "")]


TYPES = (DateType(),)
