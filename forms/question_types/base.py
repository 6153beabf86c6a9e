"""What every question type can do, and the shape in which a question reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from forms.answers import AnswerKey, CellValue, Parsed
from forms.reading import Unreadable, holdable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import Json, Text
    from forms.context import Context

Control: TypeAlias = Literal["text", "choice", "choices", "table", "file", "date", "rank", "note"]

_TYPES: dict[str, QuestionType] = {}


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
    control: ClassVar[Control] = "text"
    asks: ClassVar[bool] = True  # False: nobody fills it in (note, calculate, hidden)
    several: ClassVar[bool] = False  # several values may be posted under its name
    has_choices: ClassVar[bool] = False
    input_mode: ClassVar[str] = "text"  # of the HTML input, for the keyboard of a phone
    settings_keys: ClassVar[tuple[str, ...]] = ()  # the settings this type understands

    def keys(self, item: Question, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
        """Return the keys of the answers this question can have outside repeats."""
        del languages
        return (AnswerKey(item.code),) if self.asks else ()

    def parse(self, raw: Sequence[str], item: Question, context: Context, lang: str = "") -> Parsed:
        """Read what was posted; what cannot be read stays in `typed`, with its sentence."""
        try:
            value = self.read(raw, item, context, lang)
        except Unreadable as trouble:
            return Parsed(typed=holdable(self.typed(raw)), message=trouble.sentence)
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


def register(kind: QuestionType) -> None:
    """Make a type known under its name."""
    _TYPES[kind.name] = kind


def question_type(name: str) -> QuestionType:
    """Return the type of that name. Raises: KeyError."""
    return _TYPES[name]


def question_types() -> Mapping[str, QuestionType]:
    """Return all known types by name."""
    return _TYPES
