"""Forms for reporting rounds and their assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from forms.base import PortalForm
from forms.people import TextsForm, choices, text_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_MESSAGE = 5000
LONGEST_PASTE = 200_000


def _number(value: Any) -> int | None:
    return int(value) if value else None


def _date(label: Any, *, needed: bool = True) -> DateField:
    sentence = _l("Write a date, for example 27 3 2026.")
    return DateField(label, validators=[InputRequired(sentence) if needed else Optional()])


def round_form(
    languages: Mapping[str, str],
    *,
    documents: Iterable[tuple[int, str]],
    about_recommendations: Iterable[tuple[int, str]],
    about_institutions: Iterable[tuple[int, str]],
) -> type[TextsForm]:
    """Return the form of a round for the portal's languages, with the documents and questionnaires on offer."""
    none = ("", _l("None"))

    class RoundForm(TextsForm):
        kind = SelectField(
            _l("What is reported"),
            choices=choices(
                [
                    ("periodic", _l("Periodic report")),
                    ("list_of_issues", _l("Replies to a list of issues")),
                    ("mid_term", _l("Mid-term report")),
                    ("follow_up", _l("Follow-up report")),
                ]
            ),
        )
        slug = StringField(_l("Short name in addresses and files"), validators=[Length(max=70)])
        un_due_on = _date(_l("The report is due at the UN"), needed=False)
        opens_on = _date(_l("Opens"))
        due_on = _date(_l("Replies are due"))
        closes_on = _date(_l("Closes"))
        freezes_on = _date(_l("Is frozen"))
        sign_off_policy = RadioField(
            _l("How replies are signed"),
            choices=choices(
                [
                    ("either", _l("On screen or on paper, as the institution prefers")),
                    ("screen", _l("On screen by the approver")),
                    ("paper", _l("On paper, with a scan of the signed letter")),
                    ("none", _l("Not signed: the focal point hands in")),
                ]
            ),
            default="either",
        )
        short_version = SelectField(
            _l("Short questionnaire"), choices=choices([none, *about_recommendations]), coerce=_number
        )
        full_version = SelectField(
            _l("Full questionnaire"), choices=choices([none, *about_recommendations]), coerce=_number
        )
        institution_version = SelectField(
            _l("Questions about the institution, asked once"),
            choices=choices([none, *about_institutions]),
            coerce=_number,
        )
        revision = IntegerField(widget=HiddenInput(), validators=[Optional()])

    RoundForm.documents = SelectMultipleField(_l("Documents"), choices=choices(documents), coerce=int)
    for name, field in text_fields("titles", _l("Title"), languages).items():
        setattr(RoundForm, name, field)
    for code, own in languages.items():
        label = _l("Message to the institutions (%(language)s)", language=own)
        setattr(RoundForm, f"message_{code}", TextAreaField(label, validators=[Length(max=LONGEST_MESSAGE)]))
    return RoundForm


class PasteForm(PortalForm):
    """Assignments pasted from a spreadsheet."""

    lines = TextAreaField(
        _l("Lines from Excel"),
        validators=[InputRequired(_l("Paste at least one line.")), Length(max=LONGEST_PASTE)],
    )


class ReasonForm(PortalForm):
    """An act that the other side will read the reason of."""

    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Give a reason: the other side will read it."))])


class ExtensionForm(PortalForm):
    """More time for one institution."""

    until = _date(_l("Replies are due"))
    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Give a reason: the other side will read it."))])


class BulkForm(PortalForm):
    """Many cells at once; the choices come with the page."""

    rows = SelectField(_l("Recommendations"), validate_choice=False)
    column = SelectField(_l("Institution"), validate_choice=False)
    wants = SelectField(_l("Becomes"), validate_choice=False)
    only_empty = BooleanField(_l("Only where nothing is assigned yet"), default=True)
