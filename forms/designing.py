"""The form with which a questionnaire is begun from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length

from forms.people import TextsForm, choices, text_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_CODE = 64


def new_questionnaire_form(languages: Mapping[str, str]) -> type[TextsForm]:
    """Return the form of a new questionnaire for the portal's languages (code: own name)."""

    class NewQuestionnaireForm(TextsForm):
        code = StringField(_l("Code"), validators=[Length(max=LONGEST_CODE)])
        scope = RadioField(
            _l("Asked"),
            choices=choices(
                [
                    ("recommendation", _l("once for each recommendation")),
                    ("institution", _l("once per institution, about itself")),
                ]
            ),
            default="recommendation",
        )
        length = RadioField(
            _l("Length"),
            choices=choices(
                [
                    ("full", _l("full: for those who lead")),
                    ("short", _l("short: at most a handful of questions, for those who contribute")),
                ]
            ),
            default="full",
        )

    fields = text_fields("titles", _l("Title"), languages, longest=500)
    return type("NewQuestionnaireForm", (NewQuestionnaireForm,), dict(fields))
