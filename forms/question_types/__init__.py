"""The question types: one class each; a new type is one class, registered here, and its test."""

from __future__ import annotations

from forms.question_types import choices, dates, files, numbers, silent, texts
from forms.question_types.base import Question, QuestionType, question_type, question_types, register

for _kind in (*texts.TYPES, *numbers.TYPES, *choices.TYPES, *dates.TYPES, *files.TYPES, *silent.TYPES):
    register(_kind)

__all__ = ["Question", "QuestionType", "question_type", "question_types"]
