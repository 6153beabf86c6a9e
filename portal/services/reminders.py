"""Reminding institutions of what they owe: a mail to each of their people who has an address, told once per act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.queries.reminders import ACTION
from portal.services import audit
from portal.services.mail import Recipient, queue_mail
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.models import ReportingRound
    from portal.permissions import Principal


@dataclass(frozen=True)
class Reminder:
    """What one person is to read, in their language."""

    institution: str
    address: str
    language: str
    text: str


def remind(session: Session, of: ReportingRound, reminders: Sequence[Reminder], *, by: Principal) -> int:
    """Queue the mails, write down which institution was reminded; return how many mails. Call inside ``write()``."""
    require(by, Permission.ISSUE_ROUND)
    languages = country_facts(session).languages
    queued: dict[str, int] = {}
    for one in reminders:
        about = {
            code: {"round": pick(of.titles, code, languages), "text": one.text if code == one.language else ""}
            for code in languages
        }
        to = Recipient(None, one.address, one.language)
        if queue_mail(session, "reminder", to, languages=languages, about=about) is not None:
            queued[one.institution] = queued.get(one.institution, 0) + 1
    entries = [audit.Entry(institution, {"round": of.slug, "mails": number}) for institution, number in queued.items()]
    audit.record_all(session, ACTION, entries, by=by, kind="institution")
    return sum(queued.values())
