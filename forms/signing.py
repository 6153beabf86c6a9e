"""Forms of signing on paper: the signed cover that came back."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from forms.base import PortalForm
from forms.fields import DayField


class CoverForm(PortalForm):
    """The photo or scan of a signed, stamped cover, with what is written on it."""

    cover = FileField(
        _l("Photo or scan of the signed cover"),
        validators=[FileRequired(_l("Choose the photo or scan of the signed cover."))],
    )
    letter_number = StringField(
        _l("Number of the letter"),
        validators=[InputRequired(_l("Write the number that stands on the letter.")), Length(max=120)],
    )
    letter_on = DayField(
        _l("Date of the letter"), validators=[InputRequired(_l("Write the date of the letter, for example 27 3 2026."))]
    )
    signer_name = StringField(_l("Who signed it (name)"), validators=[Length(max=200)])
    signer_post = StringField(_l("Post of who signed it"), validators=[Length(max=200)])
