"""Choices: one of a list, several of a list, a single "I confirm"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import ChoiceLike, Question, QuestionType
from forms.reading import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.answers import Json
    from forms.context import Context


def choices_of(item: Question, context: Context | None = None) -> Sequence[ChoiceLike]:
    """Return the choices of a question: its own, else those of its list that the caller brought."""
    if item.choices or context is None:
        return item.choices
    return context.choices.get(str(item.settings.get("list_name", "")), ())


def label_of(key: str, item: Question, language: str) -> str:
    """Return the label of a choice in a language; the key itself when the list does not know it."""
    choice = item.choice_by_key.get(key)
    if choice is None:
        return key
    return choice.texts.get(language) or next((text for text in choice.texts.values() if text), key)


class SelectOneType(QuestionType):
    """One choice of a list, stored as its key."""

    name = "select_one"
    control = "choice"
    has_choices = True
    settings_keys: ClassVar[tuple[str, ...]] = ("list_name", "appearance", "or_other")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the key of a choice of this list."""
        del lang
        key = raw[0].strip() if raw else ""
        if not key:
            return None
        if key not in {choice.key for choice in choices_of(item, context)}:
            raise Unreadable(_not_on_offer(key))
        return key

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the label aloud."""
        return "" if json is None else label_of(str(json), item, language)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count each choice, in the order of the list; unknown keys at the end."""
        return _count((str(value) for value in values if value is not None), item)


class SelectMultipleType(QuestionType):
    """Several choices of a list, stored as keys in the order of the list."""

    name = "select_multiple"
    control = "choices"
    several = True
    has_choices = True
    settings_keys: ClassVar[tuple[str, ...]] = ("list_name", "appearance", "or_other")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the keys; none ticked is no answer."""
        del lang
        chosen = {key.strip() for key in raw if key.strip()}
        order = [choice.key for choice in choices_of(item, context)]
        unknown = chosen.difference(order)
        if unknown:
            raise Unreadable(_not_on_offer(", ".join(sorted(unknown))))
        keys: list[Json] = [key for key in order if key in chosen]
        return keys or None

    def typed(self, raw: Sequence[str]) -> str:
        """Keep all the keys that were posted."""
        return " ".join(raw)

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the labels aloud, one after the other."""
        return "; ".join(label_of(key, item, language) for key in _keys(json))

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the labels, separated by "; "."""
        return CellValue("choices", self.text(json, item, language) or None)

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return the ticked keys."""
        del item
        return _keys(json)

    def expression(self, json: Json) -> str:
        """Return the keys separated by spaces, as XForms does."""
        return " ".join(_keys(json))

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count each choice, in the order of the list."""
        return _count((key for value in values for key in _keys(value)), item)


class AcknowledgeType(QuestionType):
    """A single box to tick, stored as true; not ticked is no answer."""

    name = "acknowledge"
    control = "choices"
    several = True

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a tick."""
        del item, context, lang
        ticked = {key.strip().lower() for key in raw} & {"ok", "on", "yes", "true", "1"}
        return True if ticked else None

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read aloud as yes."""
        del item, language
        return _("Yes") if json else ""

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return true or nothing."""
        del item, language
        return CellValue("boolean", True if json else None)

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return what ticks the box."""
        del item
        return ["OK"] if json else []

    def expression(self, json: Json) -> str:
        """Return OK, the value XLSForm gives an acknowledgement."""
        return "OK" if json else ""


def _keys(json: Json) -> list[str]:
    return [str(key) for key in json] if isinstance(json, list) else []


def _count(keys: Iterable[str], item: Question) -> dict[str, Any]:
    counts: dict[str, Any] = {choice.key: 0 for choice in item.choices}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts


def _not_on_offer(key: str) -> Any:
    return _l("“%(key)s” is not a choice of this question. Please choose from the list.", key=key[:80])


TYPES = (SelectOneType(), SelectMultipleType(), AcknowledgeType())
