"""What nobody fills in: notes, computed values, hidden values."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType

if TYPE_CHECKING:
    from forms.answers import Json


class NoteType(QuestionType):
    """A text to read; never an answer."""

    name = "note"
    control = "note"
    asks = False


class CalculateType(QuestionType):
    """A value computed from other answers: a number, a text or true/false."""

    name = "calculate"
    control = "note"
    asks = False

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the value aloud, a whole number without its decimals."""
        del item, language
        return self.expression(json)

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
        return str(json)


class HiddenType(CalculateType):
    """A value set by its default or its calculation and never shown."""

    name = "hidden"


TYPES = (NoteType(), CalculateType(), HiddenType())
