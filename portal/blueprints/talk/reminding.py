"""Reminding those who have not handed in: by mail whoever has an address, by a text to copy whoever has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal import clock
from portal.blueprints.follow.door import round_of, say, today
from portal.blueprints.follow.reminders import owed_of, reminder
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.talk.door import blueprint
from portal.database import write
from portal.errors import IllegalTransition, Invalid
from portal.extensions import db
from portal.models import ReportingRound, RoundStatus
from portal.permissions import Permission
from portal.queries import reminders as queries
from portal.queries import reviews
from portal.queries.rates import rates
from portal.services import reminders as services
from portal.services.mail import is_address
from portal.services.reminders import Reminder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.rates import InstitutionRate, Rates
    from portal.queries.reviews import Contact

NOTE_LIMIT = 1_000


@blueprint.get("/rounds/<slug>/remind")
@requires(Permission.ISSUE_ROUND, on=round_of)
def remind(of: ReportingRound) -> ResponseReturnValue:
    """Choose whom to remind; whoever owes something is chosen, unless reminded today."""
    return _page(of)


def _page(of: ReportingRound, error: str = "", status: int = 200) -> ResponseReturnValue:
    if of.status is not RoundStatus.OPEN:
        raise IllegalTransition(_("Only an open round is reminded of."))
    found = rates(db.session, of.id, today=today(), time_zone=g.country.time_zone)
    owing = _owing(found)
    people = reviews.contacts(db.session, [one.id for one in owing])
    last = queries.reminded(db.session, of.slug)
    rows = [_row(of, found, one, people.get(one.id, []), last.get(one.public_id), error) for one in owing]
    page = render_template(
        "talk/remind.html",
        slug=of.slug,
        round_title=say(of.titles),
        by_mail=[row for row in rows if row["mailed"]],
        by_chat=[row for row in rows if not row["mailed"]],
        note=request.form.get("note", ""),
        note_limit=NOTE_LIMIT,
        error=error,
    )
    return page, status


def _owing(found: Rates) -> list[InstitutionRate]:
    """Return the institutions that owe something, the latest first."""
    return sorted((one for one in found.institutions if owed_of(one)), key=lambda one: -one.days_late)


def _reached(people: Sequence[Contact]) -> list[Contact]:
    return [one for one in people if one.email and is_address(one.email)]


def _row(
    of: ReportingRound, found: Rates, one: InstitutionRate, people: Sequence[Contact], last: Any, error: str
) -> dict[str, Any]:
    recommendations = {each.id: each for each in found.recommendations}
    mailed = _reached(people)
    first = next(iter(mailed or people), None)
    fresh = last is not None and last.date() == clock.now().date()
    return {
        "public_id": one.public_id,
        "name": say(one.names),
        "owed": len(owed_of(one)),
        "days_late": one.days_late,
        "mailed": [(say(person.names), person.email) for person in mailed],
        "people": [
            {"name": say(person.names), "phone": person.phone or "", "telegram": (person.telegram or "").lstrip("@")}
            for person in people
        ],
        "language": _language(first) if first is not None else g.country.national,
        "text": reminder(one, first, of, recommendations),
        "last": last,
        "chosen": one.public_id in request.form.getlist("institution") if error else not fresh,
    }


@blueprint.post("/rounds/<slug>/remind")
@requires(Permission.ISSUE_ROUND, on=round_of)
def send_reminders(of: ReportingRound) -> ResponseReturnValue:
    """Queue a mail for each person of the chosen institutions who has an address, in that person's language."""
    note, chosen = request.form.get("note", "").strip(), set(request.form.getlist("institution"))
    if of.status is not RoundStatus.OPEN:
        raise IllegalTransition(_("Only an open round is reminded of."))
    if len(note) > NOTE_LIMIT:
        return _page(of, _("Your own sentence is longer than 1,000 characters. Shorten it."), 422)
    found = rates(db.session, of.id, today=today(), time_zone=g.country.time_zone)
    owing = [one for one in _owing(found) if one.public_id in chosen]
    people = reviews.contacts(db.session, [one.id for one in owing])
    recommendations = {each.id: each for each in found.recommendations}
    sent = [
        Reminder(
            one.public_id, person.email or "", _language(person),
            _with_note(reminder(one, person, of, recommendations), note),
        )
        for one in owing
        for person in _reached(people.get(one.id, []))
    ]  # fmt: skip
    if not sent:
        return _page(of, _("Choose at least one institution."), 422)
    try:
        with write() as session:
            number = services.remind(session, session.get_one(ReportingRound, of.id), sent, by=who())
    except Invalid as error:
        return _page(of, str(error), 422)
    notice(ngettext("%(num)s reminder will be sent by mail.", "%(num)s reminders will be sent by mail.", number))
    return redirect(url_for("talk.remind", slug=of.slug), code=303)


def _language(person: Contact) -> str:
    return str(person.language) if person.language in g.country.languages else g.country.national


def _with_note(text: str, note: str) -> str:
    """Put the coordinator's own sentence behind the greeting."""
    greeting, gap, rest = text.partition("\n\n")
    return f"{greeting}{gap}{note}\n\n{rest}" if note else text
