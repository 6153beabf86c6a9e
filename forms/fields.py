"""Fields: one answer of a questionnaire, and dates and numbers that read Khmer digits on ordinary forms."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from flask_babel import lazy_gettext as _l
from wtforms import Field, StringField

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, STATES, Parsed, State, field_name
from forms.moments import read_date
from forms.question_types import question_type
from forms.reading import Unreadable, holdable, plain, read_decimal, read_integer, readable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from forms.answers import AnswerKey
    from forms.context import Context
    from forms.question_types import Question

# where words are typed: what was written there is never dropped for a state that was chosen beside it
_WRITTEN = frozenset({"text", "date"})
NO_ERRORS: tuple[str, ...] = ()


class AnswerField(Field):
    """One answer: binds `name`, `name!state` and `name!present`, and parses by the question's type.

    It draws nothing: pages are drawn by macros over the questions. `present` is False when the post does not speak of
    this answer at all; then it is neither read nor validated nor saved.
    """

    def __init__(self, item: Question, key: AnswerKey, context: Context, *, name: str, **options: Any) -> None:
        # Field.__init__ builds label, validators and translations that a questionnaire never uses; at 40 fields per
        # request that is most of the time a page takes.
        self.name = self.id = self.short_name = options.get("_prefix", "") + name
        self.item = item
        self.key = key
        self.context = context
        self.type = "AnswerField"
        self.present = False
        self.parsed = Parsed()
        self.raw_data: list[str] = []
        self.data: Any = None
        self.object_data = None
        self.errors: Sequence[Any] = NO_ERRORS
        self.process_errors: list[Any] = []
        self.validators: list[Any] = []
        self.flags = None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read this answer from a post, if the post speaks of it."""
        del data, extra_filters
        if formdata is None:
            return
        name = self.name
        states = formdata.getlist(name + STATE_SUFFIX)
        # a text in several languages has one state for all of them
        shared = formdata.getlist(field_name(self.key._replace(lang="")) + STATE_SUFFIX) if self.key.lang else []
        raw = [part for part in formdata.getlist(name) if isinstance(part, str)]
        if not (raw or states or name in formdata or name + PRESENT_SUFFIX in formdata):
            return
        self.present = True
        self.raw_data = raw
        said = states or shared
        self.parsed = judged(self.item, self.key, raw, said[-1].strip() if said else "", self.context)
        self.data = self.parsed.value

    def post_process(self, *args: Any, **options: Any) -> None:
        """Nothing is left to do once the post was read."""

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Say whether what was posted could be read; `errors` holds the sentence."""
        del form, extra_validators
        self.errors = NO_ERRORS if self.parsed.message is None else (self.parsed.message,)
        return self.parsed.message is None

    def populate_obj(self, obj: Any, name: str) -> None:
        """Answers are saved by their keys, never onto an object. Raises: TypeError."""
        message = f"an answer is saved by read_answers, not onto {obj!r}.{name}"
        raise TypeError(message)


def judged(item: Question, key: AnswerKey, raw: Sequence[str], state: str, context: Context) -> Parsed:
    """Read one answer as it was posted, its state beside it: the one reading for replies and for sample answers.

    Words beside "not available" or "not applicable" are kept as typed with a sentence that names both ways out; a
    choice beside them gives way, since a radio button cannot be taken back without script.
    """
    kind = question_type(item.type)
    if state in ("not_applicable", "not_available"):
        if not item.settings.get(state):
            return Parsed(typed=holdable(kind.typed(raw)) or None, message=_state_refused(state))
        if kind.control in _WRITTEN and any(part.strip() for part in raw):
            return Parsed(typed=holdable(kind.typed(raw)), message=_side_by_side(state))
        return Parsed(state=cast("State", state))
    if state not in ("", *STATES):
        typed = holdable(kind.typed(raw)) or None
        return Parsed(typed=typed, message=_l("Please choose one of the boxes offered."))
    return kind.judge(raw, item, context, key.lang)


def raw_of(value: Any) -> list[str]:
    """Return a JSON value as a control would post it; a number is written so that it can be read in one way only."""
    if isinstance(value, list):
        return [text for one in value for text in ([str(one)] if isinstance(one, list) else raw_of(one))]
    if isinstance(value, bool):
        return ["true"] if value else []
    if isinstance(value, float):
        return [readable(f"{Decimal(repr(value)):f}")]
    return [] if value is None else [str(value)]


def _state_refused(state: str) -> Any:
    if state == "not_applicable":
        return _l("This question cannot be marked “not applicable”. Please answer it.")
    return _l("This question cannot be marked “not available”. Please answer it.")


def _side_by_side(state: str) -> Any:
    return _l(
        "An answer and “%(said)s” stand side by side. To keep the answer, take “%(said)s” back; else empty the answer.",
        said=_l("Not applicable") if state == "not_applicable" else _l("Not available"),
    )


class _ReadField(StringField):
    """A text box whose text is read by explicit rules; what cannot be read stays in the box."""

    data: Any

    def read(self, typed: str) -> object:
        """Return the value. Raises: Unreadable."""
        raise NotImplementedError

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read what was posted."""
        if not valuelist:
            return
        try:
            self.data = self.read(valuelist[0])
        except Unreadable as trouble:
            self.data: Any = None
            raise ValueError(trouble.sentence) from None

    def _value(self) -> str:
        if self.raw_data:
            return holdable(str(self.raw_data[0]))
        return "" if self.data is None else self.shown(self.data)

    def shown(self, value: Any) -> str:
        """Return the text for a value that the server brought."""
        return str(value)


class DayField(_ReadField):
    """A date typed as 30/03/2022 or 2022-03-30, Khmer digits too."""

    def read(self, typed: str) -> object:
        """Read a day."""
        return read_date(typed)

    def shown(self, value: date) -> str:
        """Return the ISO form, which HTML date inputs take."""
        return value.isoformat()


class NumberTextField(_ReadField):
    """A number with decimals, Khmer digits too; `data` is its plain text ("12.5"), as settings keep it."""

    def read(self, typed: str) -> object:
        """Read a number."""
        number = read_decimal(typed)
        return None if number is None else plain(number)

    def shown(self, value: Any) -> str:
        """Return a form that `read` takes back."""
        return readable(str(value))


class WholeNumberField(_ReadField):
    """A whole number, Khmer digits too."""

    def read(self, typed: str) -> object:
        """Read a whole number."""
        return read_integer(typed)
