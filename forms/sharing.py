"""Forms for sharing out the work on a reply: to one person, to many units, and to whoever comes in by code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from forms.base import PortalForm
from forms.people import choices

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 200
LONGEST_NOTE = 2000
LONGEST_PASTE = 40_000
MOST_UNITS = 500
# a tab as it comes out of Excel, else a semicolon, a bar, or a comma before what looks like a phone or an address
_CONTACT = re.compile(r"\t|;|\||,(?=\s*(?:\+|@|\d|[^\s,]+@))")


class EntryForm(PortalForm):
    """Link and short code: come in."""

    code = StringField(_l("Code"), validators=[InputRequired(_l("Type the code that you were given.")), Length(max=40)])


class _Until(PortalForm):
    until = DateField(_l("Until when"), validators=[InputRequired(_l("Write a date, for example 27 3 2026."))])


class UntilForm(_Until):
    """Give somebody more time."""


class _Asked(_Until):
    note = TextAreaField(_l("A note to them"), validators=[Length(max=LONGEST_NOTE)])


def share_form(colleagues: Iterable[tuple[str, str]]) -> type[PortalForm]:
    """Return the form that hands questions to a person; ``colleagues`` are (public id, name) of those with accounts."""

    class ShareForm(_Asked):
        colleague = SelectField(
            _l("A colleague with an account"),
            choices=choices([("", _l("Nobody: the person has no account")), *colleagues]),
            validators=[Optional()],
        )
        name = StringField(_l("Name or post of the person"), validators=[Length(max=LONGEST_NAME)])
        contact = StringField(_l("Phone, Telegram or e-mail"), validators=[Length(max=LONGEST_NAME)])

        def validate(self, extra_validators: Any = None) -> bool:
            """Judge the fields, and that somebody is named."""
            good = bool(super().validate(extra_validators))
            if not (self.name.data or self.colleague.data):
                self.name.errors = [_l("Write who the person is: a name or a post.")]
                return False
            return good

    return ShareForm


class CollectForm(_Asked):
    """Ask many units at once."""

    units = TextAreaField(
        _l("New units, one per line"), validators=[Length(max=LONGEST_PASTE, message=_l("This list is too long."))]
    )


def read_units(pasted: str) -> list[tuple[str, str]]:
    """Read a pasted list of units: one per line, a contact after a tab, semicolon or comma; each name once."""
    found: dict[str, str] = {}
    for line in pasted.splitlines():
        name, _sign, contact = _parted(line)
        if name:
            found.setdefault(name[:LONGEST_NAME], contact[:LONGEST_NAME])
    return list(found.items())[:MOST_UNITS]


def _parted(line: str) -> tuple[str, str, str]:
    cut = _CONTACT.search(line)
    if cut is None:
        return " ".join(line.split()), "", ""
    return " ".join(line[: cut.start()].split()), cut[0], " ".join(line[cut.end() :].split())
