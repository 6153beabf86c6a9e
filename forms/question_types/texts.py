"""Texts: one line or many, in each language of the questionnaire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey
from forms.question_types.base import ExcelRule, Question, QuestionType
from forms.question_types.settings import Setting
from forms.reading import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.answers import Json
    from forms.context import Context

_WORD = re.compile(r"[^\s\u200b]+")
_KHMER_SIGN = re.compile("[\u1780-\u17d3\u17dd]")
KHMER_SIGNS_PER_WORD = 5  # Khmer has no spaces between words; a rough length for a budget, not a segmentation


class TextType(QuestionType):
    """A text, stored as typed; settings: multiline, rows, word_budget, one_language."""

    name = "text"
    joins = "text"
    title = _l("Text")
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("multiline", "flag", _l("Several lines"), word="multiline"),
        Setting("rows", "count", _l("Height in lines"), _l("Empty: 4. The field grows with the text."), 1, 40),
        Setting(
            "word_budget",
            "count",
            _l("Words that will do"),
            _l("Shown while writing; a longer answer is kept all the same."),
            1,
            10_000,
        ),
        Setting(
            "one_language",
            "flag",
            _l("One text for all languages"),
            _l("For names, numbers and addresses; others may be answered in each language."),
        ),
    )

    def variant(self, item: Question) -> str:
        """Return whether one line or several are offered; a budget of words asks for several."""
        settings = item.settings
        long = (
            settings.get("multiline")
            or settings.get("word_budget")
            or "multiline" in str(settings.get("appearance", ""))
        )
        return "long" if long else "line"

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a text; Excel keeps it as typed, digits and leading zeros too."""
        del item
        return ExcelRule("text", number_format="@")

    def keys(self, item: Question, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
        """Return one key per language, or a single one where the text has no language (a name, a number)."""
        if item.settings.get("one_language"):
            return (AnswerKey(item.code),)
        return tuple(AnswerKey(item.code, lang=lang) for lang in languages)

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the text; see `forms.reading.read_text` for what is refused."""
        del item, context
        return read_text(raw[0] if raw else "", lang=lang)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return how many were written, and their words together."""
        del item
        kept = [str(value) for value in values if value is not None]
        return {"answered": len(kept), "words": sum(count_words(text) for text in kept)}


def count_words(text: str) -> int:
    """Count words for a word budget: by spaces, a run of Khmer letters by its length."""
    words = 0
    for word in _WORD.findall(text):
        khmer = len(_KHMER_SIGN.findall(word))
        words += max(1, round(khmer / KHMER_SIGNS_PER_WORD)) if khmer else 1
    return words


TYPES = (TextType(),)
