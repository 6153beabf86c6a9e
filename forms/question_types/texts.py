"""Texts: one line or many, in each language of the questionnaire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from forms.answers import AnswerKey
from forms.question_types.base import Question, QuestionType
from forms.reading import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.answers import Json
    from forms.context import Context

_WORD = re.compile(r"[^\s\u200b]+")
_KHMER_SIGN = re.compile("[\u1780-\u17d3\u17dd]")
KHMER_SIGNS_PER_WORD = 5  # Khmer has no spaces between words; a rough length for a budget, not a segmentation


class TextType(QuestionType):
    """A text, stored as typed; settings: multiline, rows, word_budget, one_language."""

    name = "text"
    settings_keys: ClassVar[tuple[str, ...]] = ("multiline", "rows", "word_budget", "one_language")

    def keys(self, item: Question, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
        """Return one key per language, or a single one where the text has no language (a name, a number)."""
        if item.settings.get("one_language"):
            return (AnswerKey(item.code),)
        return tuple(AnswerKey(item.code, lang=lang) for lang in languages)

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the text; see `forms.reading.read_text` for what is refused."""
        del item, context
        return read_text(raw[0] if raw else "", lang=lang)


def count_words(text: str) -> int:
    """Count words for a word budget: by spaces, a run of Khmer letters by its length."""
    words = 0
    for word in _WORD.findall(text):
        khmer = len(_KHMER_SIGN.findall(word))
        words += max(1, round(khmer / KHMER_SIGNS_PER_WORD)) if khmer else 1
    return words


TYPES = (TextType(),)
