"""Forms for ways in and for one's own account; passwords are read exactly as typed, never trimmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from forms.base import PortalForm
from forms.people import TextsForm, choices, some_name, text_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_PASSWORD = 1000


class CodeForm(PortalForm):
    """Link and short code: set the password."""

    code = StringField(_l("Code"), validators=[InputRequired(_l("Type the code that you were given.")), Length(max=40)])
    password = PasswordField(_l("New password"), validators=[InputRequired(_l("Choose a password."))])


class PasswordForm(PortalForm):
    """Change one's own password."""

    current_password = PasswordField(
        _l("Present password"), validators=[InputRequired(_l("Type your present password."))]
    )
    password = PasswordField(_l("New password"), validators=[InputRequired(_l("Choose a password."))])


class _AccountForm(TextsForm):
    language = SelectField(_l("Language of the pages"))
    revision = HiddenField(default="0", filters=[lambda value: int(value) if str(value).isdigit() else 0])


# digits by the name of their numbering system (Unicode CLDR)
DIGITS = {"latn": "0 1 2 3", "khmr": "០ ១ ២ ៣"}


def account_form(
    languages: Sequence[str], names: Sequence[str] = (), digits: Sequence[str] = ("latn", "khmr")
) -> type[TextsForm]:
    """Return the form of one's own account; ``names`` are the languages' own names, in the same order.

    ``digits`` are those the country writes with; where there is one kind only, nothing is asked.
    """
    own = dict(zip(languages, names or languages, strict=True))
    made = type("AccountForm", (_AccountForm,), text_fields("names", _l("Your name"), own))
    setattr(made, f"validate_names_{languages[0]}", some_name)
    made.language = SelectField(_l("Language of the pages"), choices=choices(own.items()))  # type: ignore[attr-defined] # a class made per request
    kinds = [(name, DIGITS[name]) for name in digits if name in DIGITS]
    made.digits = SelectField(_l("Digits"), choices=choices(kinds)) if len(kinds) > 1 else None  # type: ignore[attr-defined] # a class made per request
    return made
