"""Forms of the second factor. Field names begin with ``totp``, by which a held post leaves them out."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from forms.base import PortalForm

LONGEST_CODE = 40


def _code(label: object) -> StringField:
    return StringField(label, validators=[InputRequired(_l("Type the code.")), Length(max=LONGEST_CODE)])


class SecondStepForm(PortalForm):
    """After the password: the code of the phone, or a recovery code."""

    totp_code = _code(_l("Code from your phone"))


class FirstSetUpForm(PortalForm):
    """Set up a second factor right after the password."""

    totp_setup = HiddenField()
    totp_code = _code(_l("Code that the phone now shows"))


class SetUpForm(FirstSetUpForm):
    """Set up a second factor on the page of one's own account."""

    current_password = PasswordField(
        _l("Present password"), validators=[InputRequired(_l("Type your present password."))]
    )


class ProofForm(PortalForm):
    """What changes an existing second factor: the password and a code."""

    current_password = PasswordField(
        _l("Present password"), validators=[InputRequired(_l("Type your present password."))]
    )
    totp_present = _code(_l("Code from your phone, or a recovery code"))


class ReplaceForm(SetUpForm):
    """Move the second factor to another phone."""

    totp_present = _code(_l("Code from the present phone, or a recovery code"))
