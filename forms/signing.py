"""Forms of signing on paper: the signed cover that came back, the signed sheet that the secretariat holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField, ValidationError
from wtforms.validators import InputRequired, Length

from forms.base import PortalForm
from forms.fields import DayField
from forms.question_types.dates import spoken

if TYPE_CHECKING:
    from datetime import date

    from forms.answers import Text


class CoverForm(PortalForm):
    """The photo or scan of a signed, stamped cover, with what is written on it.

    The letter is dated from ``first`` (the day the paper was printed) to ``last`` (today), both included: what signs a
    paper was not there before it, and is not of tomorrow.
    """

    def __init__(self, *given: Any, first: date, last: date, **more: Any) -> None:
        super().__init__(*given, **more)
        self.first, self.last = first, last

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

    def validate_letter_on(self, field: DayField) -> None:
        """Refuse a day on which nobody can have signed. Raises: ValidationError."""
        if field.data is None:
            return
        if field.data > self.last:
            sentence = _l("The date of the letter is in the future; today is %(day)s.", day=spoken(self.last))
            raise ValidationError(sentence)
        if field.data < self.first:
            raise ValidationError(self.too_early(spoken(self.first)))

    def too_early(self, day: str) -> Text:
        """Say why the letter cannot be dated before ``day``."""
        return _l("The pack was printed on %(day)s, so its letter cannot be dated before that.", day=day)


class LetterForm(CoverForm):
    """What is written on the letter of a pack that is signed already, to be corrected; its photo stays."""

    cover = None


class AnotherCoverForm(PortalForm):
    """Another photo or scan of a cover that was sent already."""

    cover = CoverForm.cover


class SheetForm(CoverForm):
    """A stamped sheet that came to the secretariat without a pack; ``first`` is the day the reply was asked for."""

    cover = None  # its scan is kept with the evidence of the reply
    scan = FileField(
        _l("Photo or scan of the signed sheet"),
        validators=[FileRequired(_l("Choose the photo or scan of the signed sheet."))],
        render_kw={"accept": "image/jpeg,image/png,application/pdf,.pdf,.jpg,.jpeg,.png"},
    )

    def too_early(self, day: str) -> Text:
        """Say why the letter cannot be dated before ``day``."""
        return _l("The reply was asked for on %(day)s, so its letter cannot be dated before that.", day=day)
