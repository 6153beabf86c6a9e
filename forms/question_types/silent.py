"""What nobody fills in: notes, computed values, hidden values."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType, in_language
from forms.question_types.settings import UNIT, Setting
from forms.reading import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forms.answers import Json


class NoteType(QuestionType):
    """A text to read; never an answer."""

    name = "note"
    title = _l("Note to read")
    control = "note"
    asks = False


class CalculateType(QuestionType):
    """A value computed from other answers: a number, a text or true/false."""

    name = "calculate"
    title = _l("Computed value")
    control = "note"
    asks = False
    computed = True
    settings: ClassVar[tuple[Setting, ...]] = (UNIT,)

    def variant(self, item: Question) -> str:
        """Return the form of a value that is read, not written."""
        del item
        return "value"

    def unit(self, item: Question, language: str) -> str:
        """Return the unit that stands after the value."""
        return in_language(item.settings.get("unit"), language)

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the value aloud, yes or no for a truth, with its unit."""
        if isinstance(json, bool):
            return str(_("Yes") if json else _("No"))
        said, unit = self.expression(json), self.unit(item, language)
        return f"{said} {unit}" if said and unit else said

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the value as what it is."""
        del item, language
        if isinstance(json, bool):
            return CellValue("boolean", json)
        if isinstance(json, int):
            return CellValue("integer", json)
        if isinstance(json, float):
            return CellValue("decimal", Decimal(repr(json)))
        return CellValue("text", None if json is None else str(json))

    def expression(self, json: Json) -> str:
        """Return the value as expressions write it."""
        if json is None:
            return ""
        if isinstance(json, bool):
            return "true" if json else "false"
        if isinstance(json, float):
            return plain(Decimal(repr(json)))
        return str(json)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return count, and of the numbers among the values sum, least and greatest."""
        del item
        kept = [value for value in values if value is not None]
        numbers = [
            Decimal(repr(value)) for value in kept if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        return {
            "answered": len(kept),
            "sum": sum(numbers, Decimal(0)),
            "min": min(numbers, default=None),
            "max": max(numbers, default=None),
        }


class HiddenType(CalculateType):
    """A value set by its default or its calculation and never shown."""

    name = "hidden"
    title = _l("Hidden value")
    computed = False
    settings: ClassVar[tuple[Setting, ...]] = ()


TYPES = (NoteType(), CalculateType(), HiddenType())
