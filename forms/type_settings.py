"""The settings form of a question type: built from what the type says of itself, to and from `item.settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from forms.base import PortalForm
from forms.fields import DayField, NumberTextField, WholeNumberField
from forms.moments import read_date
from forms.reading import Unreadable
from forms.validators import Readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wtforms import Field, Form
    from wtforms.fields.core import UnboundField

    from forms.answers import Text
    from forms.question_types import QuestionType
    from forms.question_types.settings import Setting

MAX_LINE = 200  # characters of a setting that is a text
APPEARANCE = "appearance"


class TypeSettingsForm(PortalForm):
    """The base of all settings forms; see `settings_form`."""

    kind: ClassVar[QuestionType]
    languages: ClassVar[tuple[str, ...]]

    def validate(self, extra_validators: Any = None) -> bool:
        """Say whether each setting can be read and fits the others."""
        if not super().validate(extra_validators):
            return False
        wrong = self.kind.check_settings(self.to_settings({}))
        for name, sentence in wrong.items():
            field: Any = self[name]
            field.errors = [*field.errors, sentence]
        return not wrong

    def to_settings(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of an item with what this form says; settings that are none of its business stay."""
        settings = dict(before)
        for setting in self.kind.all_settings():
            value = self._said(setting)
            if setting.kind == "appearance":
                _set_word(settings, [key for key, _label in setting.options if key], str(value or ""))
                continue
            if setting.word and not value:
                _set_word(settings, [setting.word], "")  # a flag that stays on leaves its word where a file wrote it
            if value in (None, "", False) or value == {}:
                settings.pop(setting.name, None)
            else:
                settings[setting.name] = value
        return settings

    def _said(self, setting: Setting) -> Any:
        """Return the value as it is stored, None for not set."""
        if setting.kind == "texts":
            texts = {language: self[_name(setting, language)].data for language in self.languages}
            said = {language: text for language, text in texts.items() if text}
            same = len(said) == len(self.languages) and len(set(said.values())) == 1
            return next(iter(said.values())) if same else said
        value = self[setting.name].data
        return value.isoformat() if setting.kind == "day" and value is not None else value


def settings_form(kind: QuestionType, languages: Sequence[str]) -> type[TypeSettingsForm]:
    """Return a new form class with the settings of a type; texts have one field per language of the questionnaire.

    Build it with `data=settings_data(kind, item.settings, languages)`; after a valid post `to_settings(item.settings)`
    gives the new settings. A field's `description` is its hint. A type without settings has a form without fields.
    """
    attributes: dict[str, Any] = {"kind": kind, "languages": tuple(languages)}
    for setting in kind.all_settings():
        attributes.update(_fields(setting, languages))
    return type("TypeSettingsForm", (TypeSettingsForm,), attributes)


def settings_data(kind: QuestionType, settings: Mapping[str, Any], languages: Sequence[str]) -> dict[str, Any]:
    """Return what the fields of the form show for the settings of an item."""
    found: dict[str, Any] = {}
    words = str(settings.get(APPEARANCE, "")).split()
    for setting in kind.all_settings():
        value = settings.get(setting.name)
        if setting.kind == "texts":
            # one text for all languages (a file without a column per language) is shown in each of them
            for language in languages:
                found[_name(setting, language)] = value.get(language, "") if isinstance(value, dict) else value or ""
        elif setting.kind == "appearance":
            found[setting.name] = next((key for key, _label in setting.options if key and key in words), "")
        elif setting.kind == "flag":
            found[setting.name] = bool(value) or bool(setting.word and setting.word in words)
        elif setting.kind == "line" and isinstance(value, dict):
            found[setting.name] = next((text for text in value.values() if text), "")
        elif setting.kind == "day":
            found[setting.name] = _day(value)
        else:
            found[setting.name] = "" if value is None and setting.kind in {"line", "choice"} else value
    return found


def _day(value: object) -> Any:
    try:
        return read_date(str(value or ""))
    except Unreadable:
        return None


def _set_word(settings: dict[str, Any], words: Sequence[str], chosen: str) -> None:
    """Put one of some words into the appearance; the other words there stay (XLSForm: several side by side)."""
    kept = [word for word in str(settings.get(APPEARANCE, "")).split() if word not in words]
    if text := " ".join([*kept, chosen] if chosen else kept):
        settings[APPEARANCE] = text
    else:
        settings.pop(APPEARANCE, None)


def _name(setting: Setting, language: str) -> str:
    return f"{setting.name}_{language.replace('-', '_')}"


def _fields(setting: Setting, languages: Sequence[str]) -> Iterator[tuple[str, UnboundField]]:
    """Yield the fields of one setting."""
    if setting.kind == "texts":
        for language in languages:
            label = _l("%(setting)s (%(language)s)", setting=setting.label, language=language)
            checks = [Readable(MAX_LINE, lang=language)]
            yield _name(setting, language), StringField(label, checks, description=setting.hint)
        return
    yield setting.name, _FIELDS[setting.kind](setting)


class _Within:
    """The whole number lies within the bounds of the setting."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, form: Form, field: Field) -> None:
        """Raises: ValidationError."""
        del form
        if field.data is not None and not self.least <= int(field.data) <= self.most:
            sentence = _l("Please write a number from %(low)s to %(high)s.", low=self.least, high=self.most)
            raise ValidationError(sentence)


def _flag(setting: Setting) -> Any:
    return BooleanField(_text(setting.label), description=_text(setting.hint))


def _count(setting: Setting) -> Any:
    checks = [_Within(setting.least, setting.most)]
    return WholeNumberField(_text(setting.label), checks, description=_text(setting.hint))


def _number(setting: Setting) -> Any:
    return NumberTextField(_text(setting.label), description=_text(setting.hint))


def _line(setting: Setting) -> Any:
    return StringField(_text(setting.label), [Readable(MAX_LINE)], description=_text(setting.hint))


def _options(setting: Setting) -> Any:
    choices = [SelectChoice(value=value, label=_text(label)) for value, label in setting.options]
    return SelectField(_text(setting.label), choices=choices, default="", description=_text(setting.hint))


def _day_field(setting: Setting) -> Any:
    return DayField(_text(setting.label), description=_text(setting.hint))


def _text(text: Text) -> Any:
    return text  # lazy: worded when it is drawn


_FIELDS: Mapping[str, Callable[[Setting], Any]] = {
    "flag": _flag,
    "count": _count,
    "number": _number,
    "line": _line,
    "choice": _options,
    "appearance": _options,
    "day": _day_field,
}
