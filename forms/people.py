"""Forms for institutions and persons; texts in several languages are one field per language (``names_km``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import EmailField, HiddenField, IntegerField, SelectField, StringField, TelField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from forms.base import PortalForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wtforms import Field

LONGEST_NAME = 300


class TextsForm(PortalForm):
    """A form with language maps, each drawn as one field per language."""

    def texts(self, name: str, languages: Sequence[str]) -> dict[str, str]:
        """Return a language map out of its fields."""
        return {language: self[f"{name}_{language}"].data or "" for language in languages}

    def fill(self, name: str, texts: Mapping[str, str], languages: Sequence[str]) -> None:
        """Show a language map in its fields."""
        for language in languages:
            self[f"{name}_{language}"].data = texts.get(language, "")

    def place(self, problems: Iterable[Any]) -> None:
        """Put sentences found behind the form beside the fields they are about, else beside the first one."""
        for problem in problems:
            wanted = problem.field or ""
            fields = [field for field in self if field.name == wanted or field.name.startswith(f"{wanted}_")]
            target = fields[0] if wanted and fields else next(f for f in self if f.type != "CSRFTokenField")
            target.errors = [*target.errors, str(problem.message)]


def choices(pairs: Iterable[tuple[Any, Any]]) -> list[SelectChoice]:
    """Turn pairs of value and label into the choices of a select field."""
    return [SelectChoice(value, label) for value, label in pairs]


def text_fields(
    name: str, label: Any, languages: Mapping[str, str], *, longest: int = LONGEST_NAME
) -> dict[str, Field]:
    """Return one field per language for a language map, labelled by the languages' own names."""
    return {
        f"{name}_{code}": StringField(
            _l("%(label)s (%(language)s)", label=label, language=own) if len(languages) > 1 else label,
            # no Optional(): it would end the chain before the rule that one language is needed
            validators=[Length(max=longest)],
        )
        for code, own in languages.items()
    }


def some_name(form: Any, field: Field) -> None:  # noqa: ARG001 - WTForms gives it
    """Refuse when the name is blank in all languages."""
    if not any((one.data or "").strip() for one in form if one.name.startswith("names_")):
        raise ValidationError(_l("Give the name in at least one language."))


class _InstitutionForm(TextsForm):
    code = StringField(
        _l("Code"), validators=[InputRequired(_l("Give a short code, for example moj.")), Length(max=40)]
    )
    parent_id = SelectField(_l("Belongs to"), coerce=int, validators=[Optional()])
    rank = IntegerField(
        _l("Protocol order"),
        validators=[Optional(), NumberRange(0, 1_000_000, _l("The protocol order is a whole number, for example 10."))],
    )
    revision = HiddenField(default="0")


def institution_form(languages: Mapping[str, str]) -> type[TextsForm]:
    """Return the form of an institution; ``languages`` maps codes to their own names."""
    fields = text_fields("names", _l("Name"), languages)
    made = type("InstitutionForm", (_InstitutionForm,), fields)
    first = next(iter(fields))
    setattr(made, f"validate_{first}", some_name)
    return made


class _PersonForm(TextsForm):
    honorific = SelectField(_l("Honorific"), validators=[Optional()])
    phone = TelField(_l("Phone number"), validators=[Optional(), Length(max=32)])
    telegram = StringField(_l("Telegram"), validators=[Optional(), Length(max=80)])
    email = EmailField(_l("E-mail, if there is one"), validators=[Optional(), Length(max=254)])
    login = StringField(_l("Log-in name"), validators=[Optional(), Length(max=80)])
    language = SelectField(_l("Language of the pages"))
    revision = HiddenField(default="0")


class _NewPersonForm(_PersonForm):
    role = SelectField(_l("Role"))
    institution_id = SelectField(_l("Institution"), coerce=int, validators=[Optional()])


def person_form(languages: Mapping[str, str], *, new: bool = False) -> type[TextsForm]:
    """Return the form of a person; a new one gets a role too."""
    fields = {**text_fields("names", _l("Name"), languages), **text_fields("post", _l("Post"), languages)}
    made = type("PersonForm", (_NewPersonForm if new else _PersonForm,), fields)
    first = next(iter(fields))
    setattr(made, f"validate_{first}", some_name)
    return made


class PartForm(PortalForm):
    """A part in an institution, or in the secretariat (no institution)."""

    role = SelectField(_l("Role"))
    institution_id = SelectField(_l("Institution"), coerce=int, validators=[Optional()])


class ImportForm(PortalForm):
    """A workbook to look through."""

    file = FileField(_l("Workbook"), validators=[FileRequired(_l("Choose the workbook first."))])
