"""What every question type can do, and the shape in which a question reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from flask_babel import lazy_gettext as _l

from forms.answers import STATES, AnswerKey, CellValue, Parsed
from forms.question_types.settings import NOT_APPLICABLE, NOT_AVAILABLE, Setting
from forms.reading import Unreadable, holdable, plain_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from forms.answers import Given, Json, Text
    from forms.context import Context

Control: TypeAlias = Literal["text", "choice", "choices", "table", "file", "date", "rank", "note"]

Joins: TypeAlias = Literal["", "sum", "text", "average", "union"]

ExcelKind: TypeAlias = Literal["any", "text", "whole", "decimal", "date", "time", "list"]

# What people write into a field for "there is no answer"; never taken as an answer, only pointed to the boxes.
_NO_ANSWER = frozenset(
    {
        "-",
        "--",
        "---",
        ".",
        "n/a",
        "na",
        "n.a.",
        "n.a",
        "nil",
        "none",
        "not available",
        "not applicable",
        "unknown",
        "?",
    }
    | {"គ្មាន", "មិនមាន", "គ្មានទិន្នន័យ", "មិនមានទិន្នន័យ", "មិនពាក់ព័ន្ធ"}
)

_TYPES: dict[str, QuestionType] = {}


@dataclass(frozen=True)
class ExcelRule:
    """What a cell for this question takes in an offline workbook: the data validation of Excel, and its number format.

    `choices` are the keys that a list offers (their labels are the type's `text`); `several` says that a cell may hold
    more than one of them, which no validation of Excel can check. Bounds are inclusive, None = open.
    """

    kind: ExcelKind = "any"
    minimum: float | date | None = None
    maximum: float | date | None = None
    choices: tuple[str, ...] = ()
    several: bool = False
    number_format: str = "General"


class ChoiceLike(Protocol):
    """A choice, by shape."""

    @property
    def key(self) -> str:
        """The key that is stored."""

    @property
    def texts(self) -> Mapping[str, str]:
        """The label per language."""

    @property
    def retired(self) -> bool:
        """True when it is no longer offered."""


class Question(Protocol):
    """A question, by shape: what a type needs to know of it."""

    @property
    def code(self) -> str:
        """The code of the question."""

    @property
    def type(self) -> str:
        """The name of its type."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the type and the own columns say."""

    @property
    def choices(self) -> Sequence[ChoiceLike]:
        """The choices in order."""

    @property
    def choice_by_key(self) -> Mapping[str, ChoiceLike]:
        """The choices by key."""


class QuestionType:
    """One question type in every audience: asked, stored, read aloud, put in a cell, counted.

    A type holds no state; one instance serves all questions. Values are JSON, `None` when nothing was said.
    """

    name: ClassVar[str]
    title: ClassVar[Text]  # what the designer calls it
    control: ClassVar[Control] = "text"
    asks: ClassVar[bool] = True  # False: nobody fills it in (note, calculate, hidden)
    several: ClassVar[bool] = False  # several values may be posted under its name
    has_choices: ClassVar[bool] = False
    input_mode: ClassVar[str] = "text"  # of the HTML input, for the keyboard of a phone
    typical: ClassVar[float] = 1234.0  # of numbers, as a cell holds them: what an example shows where bounds allow it
    computed: ClassVar[bool] = False  # True: shown read-only where it has a label
    # how the answers of many become one: added up, put below one another; on request averaged, or all choices that
    # anybody made; "": one of them is chosen
    joins: ClassVar[Joins] = ""
    settings: ClassVar[tuple[Setting, ...]] = ()  # what a designer may set for this type alone

    def all_settings(self) -> tuple[Setting, ...]:
        """Return what a designer may set: the type's own settings, then what every asked question has."""
        return (*self.settings, NOT_AVAILABLE, NOT_APPLICABLE) if self.asks else self.settings

    def check_settings(self, settings: Mapping[str, Any]) -> Mapping[str, Text]:
        """Return the sentence for each setting that does not fit the others."""
        del settings
        return {}

    def variant(self, item: Question) -> str:
        """Return how the control is drawn for this question, "" for its plain form."""
        del item
        return ""

    def unit(self, item: Question, language: str) -> str:
        """Return what stands after the field, "" for nothing."""
        del item, language
        return ""

    def how_to(self, item: Question) -> Text:
        """Return how to write an answer (form, bounds), "" where that needs no word."""
        del item
        return ""

    def accept(self, item: Question) -> str:
        """Return the kinds of file that may be attached, as HTML writes them; "" for a type that takes none."""
        del item
        return ""

    def shown_choices(self, item: Question, language: str) -> list[tuple[str, str]]:
        """Return (value, label) of what can be chosen; retired choices are not offered anew."""
        del item, language
        return []

    def excel_rule(self, item: Question) -> ExcelRule:
        """Return what an offline cell takes."""
        del item
        return ExcelRule()

    def keys(self, item: Question, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
        """Return the keys of the answers this question can have outside repeats."""
        del languages
        return (AnswerKey(item.code),) if self.asks else ()

    def parse(self, raw: Sequence[str], item: Question, context: Context, lang: str = "") -> Parsed:
        """Read what was posted; what cannot be read stays in `typed`, with its sentence."""
        try:
            value = self.read(raw, item, context, lang)
        except Unreadable as trouble:
            typed = self.typed(raw)
            return Parsed(typed=holdable(typed), message=_no_answer_meant(typed, item) or trouble.sentence)
        return Parsed(value=value)

    def judge(self, raw: Sequence[str], item: Question, context: Context, lang: str = "") -> Parsed:
        """Read what was posted and hold it against the question's own settings; what is not taken stays in `typed`."""
        parsed = self.parse(raw, item, context, lang)
        if parsed.value is not None and (refused := self.validate(parsed.value, item)) is not None:
            # It reads well but is out of bounds, so it is kept as typed and said beside the field.
            return Parsed(typed=holdable(self.typed(raw)), message=refused)
        return parsed

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Return the value posted. Raises: Unreadable."""
        raise NotImplementedError

    def typed(self, raw: Sequence[str]) -> str:
        """Return what was posted as one text, to be kept when it cannot be read."""
        return raw[0] if raw else ""

    def raw_typed(self, typed: str) -> list[str]:
        """Return what the control shows for a text that could not be read: the way back from `typed`."""
        return [typed]

    def validate(self, value: Json, item: Question) -> Text | None:
        """Return the sentence for a value that reads well but breaks the question's own settings."""
        del value, item
        return None

    def store(self, value: Any) -> Json:
        """Return the JSON that stands for a Python value."""
        return value  # type: ignore[no-any-return] # JSON

    def restore(self, json: Json) -> Any:
        """Return the Python value that the JSON stands for."""
        return json

    def text(self, json: Json, item: Question, language: str) -> str:
        """Read the value aloud in a language; "" for none."""
        del item, language
        return "" if json is None else str(json)

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the value typed for a workbook cell."""
        return CellValue("text", None if json is None else self.text(json, item, language))

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return what the control shows for a stored value."""
        del item
        return [] if json is None else [str(json)]

    def expression(self, json: Json) -> str:
        """Return what expressions read for the value: text, as in the XForms instance; "" for none."""
        return "" if json is None else str(json)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count the values of many replies."""
        del item
        return {"answered": sum(1 for value in values if value is not None)}

    def tally_all(self, answers: Iterable[Given], item: Question) -> dict[str, Any]:
        """Count many replies: their values by `tally`, and beside them each state, and what cannot be read."""
        kept = list(answers)
        states: dict[str, Any] = {
            state: sum(1 for one in kept if one.state == state) for state in STATES if state != "answered"
        }
        given = [one.value for one in kept if one.state == "answered" and one.typed is None and one.value is not None]
        unreadable = sum(1 for one in kept if one.state == "answered" and one.typed is not None)
        return {**self.tally(given, item), "answered": len(given), **states, "unreadable": unreadable}


def _no_answer_meant(typed: str, item: Question) -> Text | None:
    """Return a pointer to the boxes for "n/a", "-" and their like, if the question has such boxes."""
    offered = item.settings.get("not_available") or item.settings.get("not_applicable")
    if not offered or len(typed) > 40 or plain_line(typed).casefold() not in _NO_ANSWER:
        return None
    return _l(
        "If there is no answer, please open “Cannot answer this?” below and say why. Otherwise write the answer here; "
        "zero is written 0."
    )


def in_language(texts: object, language: str) -> str:
    """Return a setting that may be one text or a text per language, in that language, else in any; "" for none."""
    if isinstance(texts, dict):
        return str(texts.get(language) or next((text for text in texts.values() if text), ""))
    return "" if texts is None else str(texts)


def register(kind: QuestionType) -> None:
    """Make a type known under its name."""
    _TYPES[kind.name] = kind


def question_type(name: str) -> QuestionType:
    """Return the type of that name. Raises: KeyError."""
    return _TYPES[name]


def question_types() -> Mapping[str, QuestionType]:
    """Return all known types by name."""
    return _TYPES
