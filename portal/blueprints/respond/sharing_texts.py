"""What is said to whoever was handed questions, in every language of the country: texts to copy into a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from babel import Locale
from babel.dates import format_date
from flask import g
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.blueprints.holding import last_day
from portal.queries.sharing import Stage
from portal.reader import languages
from portal.table import pick

if TYPE_CHECKING:
    from datetime import datetime

    from portal.models import Delegation
    from portal.queries.sharing import SharedLine
    from portal.queries.submissions import SubmissionHead
    from portal.services import sharing as services


def stage_words(line: SharedLine) -> str:
    """Name how far a delegation is."""
    words = {
        Stage.NOT_OPENED: _("not opened yet"),
        Stage.OPENED: _("opened, nothing written yet"),
        Stage.STARTED: _("at work"),
        Stage.FINISHED: _("has finished"),
        Stage.EXPIRED: _("time is over"),
        Stage.REVOKED: _("taken back"),
    }
    return str(words[line.stage])


def reminder(one: Delegation, head: SubmissionHead, language: str) -> str:
    """Return a text that reminds a person, in a language; it holds no link, since no one keeps it."""
    with force_locale(language):
        institution = pick(head.institution_names, language, g.country.languages)
        return "\n\n".join(
            [
                _("%(name)s, %(institution)s waits for your answers.", name=one.name, institution=institution),
                _("Please answer until %(day)s, with the link and the code that you were sent.",
                  day=_day(one.expires_at, language)),
                _("If you have lost them, ask for new ones: a new link and a new code are made in a minute."),
            ]
        )  # fmt: skip


class Texts(NamedTuple):
    """What goes to whoever was handed questions, in one language: without the code, told by phone, and with it."""

    language: str
    language_name: str
    apart: str
    together: str


def messages(given: services.Given, head: SubmissionHead, url: str) -> list[Texts]:
    """Return the texts that go with a link and a code, in every language of the country, for a chat."""
    return [
        Texts(
            own.code,
            own.name,
            _message(given, head, url, own.code, ""),
            _message(given, head, url, own.code, given.spoken_code),
        )
        for own in languages()
    ]


def _message(given: services.Given, head: SubmissionHead, url: str, language: str, code: str) -> str:
    with force_locale(language):
        institution = pick(head.institution_names, language, g.country.languages)
        # follow-ups that are not asked yet are no questions to whoever opens the link now
        asked = sum(1 for code in given.delegation.items if code not in head.hidden)
        parts = [
            _("%(institution)s asks you to answer %(count)s questions.", institution=institution, count=asked)
            if asked > 1
            else _("%(institution)s asks you to answer one question.", institution=institution),
            *([given.delegation.note] if given.delegation.note else []),
            _("Open this link and type the code. You may come back as often as you like, on any device."),
            url,
            _("Code: %(code)s", code=code) if code else _("You are told the code by phone."),
            _("Until: %(day)s", day=_day(given.delegation.expires_at, language)),
        ]
    return "\n\n".join(parts)


def _day(until: datetime, language: str) -> str:
    return format_date(last_day(until), format="d MMMM y", locale=Locale.parse(language.replace("-", "_")))
