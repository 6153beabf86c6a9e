"""Choices: one of a list, several of a list, a list put in order, a single "I confirm"."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import ChoiceLike, ExcelRule, Question, QuestionType, in_language
from forms.question_types.settings import Setting
from forms.reading import Unreadable, plain_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import Json
    from forms.context import Context
    from forms.question_types.base import Joins


MANY = 15  # from more choices than this a list is drawn with a search box
SEPARATORS = re.compile(r"[;\n]")
_NAME = re.compile(r"\$\{[^{}]*\}")  # an answer that a label speaks
_PLACE = re.compile(r"^\s*\d{1,3}\.\s+")  # "2. Staff", as a rank is read aloud
TICKED = "OK"  # the value that XLSForm gives an acknowledgement
_YES = frozenset({"ok", "on", "yes", "true", "1", "x", "✓", "បាទ", "ចាស"})
_NO = frozenset({"no", "off", "false", "0", "ទេ"})

LISTED = Setting(
    "appearance",
    "appearance",
    _l("How the choices are shown"),
    options=(
        ("", _l("one below the other")),
        ("columns", _l("in columns")),
        ("minimal", _l("folded away")),
        ("search", _l("with a search box")),
    ),
)
LISTED_ONE = replace(LISTED, options=(*LISTED.options, ("likert", _l("as a scale, side by side"))))


def choices_of(item: Question, context: Context | None = None) -> Sequence[ChoiceLike]:
    """Return the choices of a question: its own, else those of its list that the caller brought."""
    if item.choices or context is None:
        return item.choices
    return context.choices.get(str(item.settings.get("list_name", "")), ())


def label_of(key: str, item: Question, language: str) -> str:
    """Return the label of a choice in a language; the key itself when the list does not know it."""
    choice = item.choice_by_key.get(key)
    return key if choice is None else _label(choice, language)


def _said(key: str, item: Question, language: str) -> str:
    """Return the label of a choice as it is read aloud; an answer not put in by forms/spoken_choices.py is "…"."""
    label = label_of(key, item, language)
    return _NAME.sub("…", label) if "${" in label else label


def _label(choice: ChoiceLike, language: str) -> str:
    return choice.texts.get(language) or next((text for text in choice.texts.values() if text), choice.key)


def appearance_words(item: Question) -> list[str]:
    """Return the words of a question's appearance (XLSForm: several may stand side by side)."""
    return str(item.settings.get("appearance", "")).split()


class _ListType(QuestionType):
    """What all types with a list of choices share."""

    has_choices = True
    variants: ClassVar[Mapping[str, str]] = {}  # word of the appearance -> variant of the control

    def variant(self, item: Question) -> str:
        """Return the variant that the appearance asks for, a search box where the list is long."""
        words = appearance_words(item)
        for word, variant in self.variants.items():
            if any(one == word or one.startswith(f"{word}-") for one in words):
                return variant
        return "search" if len(item.choices) > MANY and "search" in self.variants.values() else ""

    def shown_choices(self, item: Question, language: str) -> list[tuple[str, str]]:
        """Return keys and labels of the choices on offer."""
        return [(choice.key, _label(choice, language)) for choice in item.choices if not choice.retired]

    def keys_of(self, raw: Sequence[str], item: Question, context: Context) -> list[str]:
        """Return the keys meant: posted keys, else labels (typed or pasted from a sheet). Raises: Unreadable."""
        choices = choices_of(item, context)
        known = {choice.key for choice in choices}
        parts = [part.strip() for part in raw if part.strip()]
        if not known.issuperset(parts):
            parts = [part.strip() for one in parts for part in ([one] if one in known else SEPARATORS.split(one))]
            labels = _by_label(choices)
            parts = [
                part
                if part in known
                else labels.get(plain_line(part).casefold(), "") or spoken_key(part, labels) or part
                for part in parts
                if part
            ]
        unknown = [part for part in dict.fromkeys(parts) if part not in known]
        if unknown:
            raise Unreadable(_not_on_offer(", ".join(unknown)))
        return parts

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return the list on offer."""
        keys = tuple(choice.key for choice in item.choices if not choice.retired)
        return ExcelRule("any" if self.several else "list", choices=keys, several=self.several, number_format="@")


def spoken_key(said: str, labels: Mapping[str, str]) -> str:
    """Return the key of the one label in which `${name}` stands and that says this, whatever answer it speaks there.

    A copy that was filled in elsewhere may speak another answer than the one that stands now. "" for none or several.
    ``labels`` gives the key by label.
    """
    plain = plain_line(said).casefold()
    found = {key for label, key in labels.items() if "${" in label and _pattern(label).fullmatch(plain)}
    return found.pop() if len(found) == 1 else ""


def _pattern(label: str) -> re.Pattern[str]:
    parts = _NAME.split(plain_line(label).casefold())
    return re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)


def _by_label(choices: Sequence[ChoiceLike]) -> Mapping[str, str]:
    """Return keys by label in any language; a label that two choices share names neither."""
    found: dict[str, str] = {}
    for choice in choices:
        for label in {plain_line(text).casefold() for text in choice.texts.values() if text}:
            found[label] = "" if label in found else choice.key
    return {label: key for label, key in found.items() if key}


class SelectOneType(_ListType):
    """One choice of a list, stored as its key."""

    name = "select_one"
    title = _l("One of a list")
    control = "choice"
    settings: ClassVar[tuple[Setting, ...]] = (LISTED_ONE,)
    variants: ClassVar[Mapping[str, str]] = {
        "search": "search",
        "autocomplete": "search",
        "minimal": "minimal",
        "likert": "likert",
        "horizontal": "likert",
        "table-list": "table-list",
        "list-nolabel": "likert",  # its head row may be far away: each question keeps its labels
        "list_nolabel": "likert",
        "list": "likert",
        "columns": "columns",
    }

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the key of a choice of this list; its label will do where only one choice has it."""
        del lang
        keys = self.keys_of(raw[:1], item, context)
        if len(keys) > 1:
            raise Unreadable(_l("Only one choice can be taken here. Please choose one from the list."))
        return keys[0] if keys else None

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the label aloud."""
        return "" if json is None else _said(str(json), item, language)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count each choice, in the order of the list; unknown keys at the end."""
        return _count((str(value) for value in values if value is not None), item)


class SelectMultipleType(_ListType):
    """Several choices of a list, stored as keys in the order of the list."""

    name = "select_multiple"
    joins: ClassVar[Joins] = "union"
    title = _l("Several of a list")
    control = "choices"
    several = True
    settings: ClassVar[tuple[Setting, ...]] = (LISTED,)
    variants: ClassVar[Mapping[str, str]] = {
        "search": "search",
        "autocomplete": "search",
        "minimal": "minimal",
        "table-list": "table-list",
        "list-nolabel": "columns",
        "list_nolabel": "columns",
        "list": "columns",
        "columns": "columns",
        "horizontal": "columns",
    }

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the keys; none ticked is no answer."""
        del lang
        chosen = set(self.keys_of(raw, item, context))
        keys: list[Json] = [choice.key for choice in choices_of(item, context) if choice.key in chosen]
        return keys or None

    def typed(self, raw: Sequence[str]) -> str:
        """Keep all that was posted."""
        return "; ".join(raw)

    def raw_typed(self, typed: str) -> list[str]:
        """Return the parts, so that the boxes that are known stay ticked."""
        return typed.split("; ")

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the labels aloud, one after the other."""
        return "; ".join(_said(key, item, language) for key in _keys(json))

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


class RankType(SelectMultipleType):
    """Choices in an order, first place first; stored as keys in that order. Not all need a place."""

    name = "rank"
    joins = ""
    title = _l("A list put in order")
    control = "rank"  # type: ignore[assignment] # the base names its own of the eight controls
    settings: ClassVar[tuple[Setting, ...]] = ()
    variants: ClassVar[Mapping[str, str]] = {}

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read the keys in their order; a place left empty moves the later ones up."""
        keys = self.keys_of([_PLACE.sub("", part) for one in raw for part in SEPARATORS.split(one)], item, context)
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise Unreadable(
                _l(
                    "“%(choice)s” stands on two places. Please give each choice one place.",
                    choice=label_of(twice, item, lang or context.language),
                )
            )
        order: list[Json] = [*keys]
        return order or None

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the labels aloud with their places."""
        return "; ".join(f"{at}. {_said(key, item, language)}" for at, key in enumerate(_keys(json), 1))

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Return for each choice how often it was placed, how often first, and the mean of its places."""
        places: dict[str, list[int]] = {choice.key: [] for choice in item.choices}
        for value in values:
            for at, key in enumerate(_keys(value), 1):
                places.setdefault(key, []).append(at)
        return {
            key: {"placed": len(at), "first": at.count(1), "mean": Decimal(sum(at)) / len(at) if at else None}
            for key, at in places.items()
        }


class AcknowledgeType(QuestionType):
    """A single box to tick, stored as true; not ticked is no answer."""

    name = "acknowledge"
    title = _l("Confirmation")
    control = "choices"
    several = True
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("statement", "texts", _l("Words beside the box"), _l("Empty: “I confirm”.")),
    )

    def all_settings(self) -> tuple[Setting, ...]:
        """Return the words beside the box; a confirmation is given or not, never unavailable."""
        return self.settings

    def shown_choices(self, item: Question, language: str) -> list[tuple[str, str]]:
        """Return the one box."""
        return [(TICKED, in_language(item.settings.get("statement"), language) or str(_("I confirm")))]

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read a tick, or the word for yes."""
        del lang
        said = {plain_line(key).casefold() for key in raw if plain_line(key)}
        if not said:
            return None
        words = {
            label.casefold()
            for language in ("", *context.languages)
            for _key, label in self.shown_choices(item, language)
        }
        if said & {*_YES, *words}:
            return True
        if said <= _NO:
            return None
        raise Unreadable(_l("Please tick the box, or leave it empty."))

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
        return [TICKED] if json else []

    def expression(self, json: Json) -> str:
        """Return OK, the value XLSForm gives an acknowledgement."""
        return TICKED if json else ""

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count the ticks."""
        del item
        return {"answered": sum(1 for value in values if value)}

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return a list of the one word."""
        del item
        return ExcelRule("list", choices=(TICKED,), number_format="@")


def _keys(json: Json) -> list[str]:
    return [str(key) for key in json] if isinstance(json, list) else []


def _count(keys: Iterable[str], item: Question) -> dict[str, Any]:
    counts: dict[str, Any] = {choice.key: 0 for choice in item.choices}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts


def _not_on_offer(key: str) -> Any:
    return _l("“%(key)s” is not a choice of this question. Please choose from the list.", key=key[:80])


TYPES = (SelectOneType(), SelectMultipleType(), RankType(), AcknowledgeType())
