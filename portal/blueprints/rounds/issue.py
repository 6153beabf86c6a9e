"""The preview, issuing, and the invitations to hand over by chat or on paper."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import segno
from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from portal.blueprints.guard import requires, who
from portal.blueprints.once import shown_once
from portal.blueprints.page import notice
from portal.blueprints.rounds.door import after, blueprint, languages, round_of
from portal.database import write
from portal.errors import NotAllowed
from portal.extensions import db
from portal.models import ReportingRound, RoundStatus, UserAccount
from portal.permissions import Permission
from portal.queries import previews
from portal.queries import rounds as look
from portal.services import accounts, issuing

if TYPE_CHECKING:
    from datetime import date, datetime

    from flask.typing import ResponseReturnValue


@blueprint.get("/rounds/<slug>/preview")
@requires(Permission.VIEW_ROUND, on=round_of)
def preview(of: ReportingRound) -> ResponseReturnValue:
    """Show what each institution will get, and what is still missing."""
    return render_template(
        "rounds/preview.html",
        round=of,
        preview=previews.preview(db.session, of, g.country.national),
        many=previews.MANY_QUESTIONS,
        national=languages().get(g.country.national, ""),
        after=after(of),
        editable=of.status in {RoundStatus.DRAFT, RoundStatus.OPEN},
    )


@blueprint.post("/rounds/<slug>/issue")
@requires(Permission.ISSUE_ROUND, on=round_of)
def issue(of: ReportingRound) -> ResponseReturnValue:
    """Send out what waits; a second click sends nothing."""
    base_url = current_app.config["SETTINGS"].base_url
    with write() as database:
        done = issuing.issue_round(database, of, by=who(), base_url=base_url)
    if done.submissions:
        notice(
            _(
                "Issued: %(submissions)s questionnaires to %(institutions)s institutions. Mails queued: %(mails)s.",
                submissions=done.submissions,
                institutions=done.institutions,
                mails=done.mails,
            )
        )
    else:
        notice(_("Everything assigned was issued already; nothing was sent twice."), "info")
    return redirect(url_for("rounds.invitations", slug=of.slug), code=303)


@dataclass(frozen=True)
class Handed:
    """What a person is handed: the text to copy, and the link as a QR picture."""

    person: previews.Person
    institution: look.Column
    text: str
    url: str
    qr: Markup
    language: str
    code: str = ""
    until: datetime | None = None
    mail: previews.Mail | None = None


@blueprint.get("/rounds/<slug>/invitations")
@requires(Permission.ISSUE_ROUND, on=round_of)
def invitations(of: ReportingRound) -> ResponseReturnValue:
    """Show for each person concerned the text to send by chat or on paper; links with codes are made on demand."""
    return _invitations_page(of, {})


@blueprint.post("/rounds/<slug>/invitations")
@requires(Permission.ISSUE_ROUND, on=round_of)
def make_invitations(of: ReportingRound) -> ResponseReturnValue:
    """Make links and codes for the persons chosen, and show them this once; earlier ones end; a reload ends none."""
    shares = previews.preview(db.session, of, g.country.national).shares
    concerned = {person.public_id for share in shares for person in share.people}
    wanted = [one for one in request.form.getlist("person") if one in concerned]
    made: dict[int, accounts.Invited] = {}
    with write() as database:
        for person in database.scalars(
            select(UserAccount).where(UserAccount.public_id.in_(wanted)).order_by(UserAccount.id)
        ):
            try:
                made[person.id] = accounts.invite(database, person, by=who())
            except NotAllowed:
                continue
    shown_once(url_for("rounds.invitations", slug=of.slug))
    return _invitations_page(of, made)


def _invitations_page(of: ReportingRound, made: dict[int, accounts.Invited]) -> ResponseReturnValue:
    shares = previews.preview(db.session, of, g.country.national).shares
    people = [(person, share) for share in shares for person in share.people]
    mails = previews.last_mail_of(db.session, {person.id for person, _share in people})
    handed = [_hand(of, person, share, made.get(person.id), mails.get(person.id)) for person, share in people]
    fresh = [one for one in handed if one.code]
    return render_template(
        "rounds/invitations.html",
        round=of,
        handed=fresh or handed,
        fresh=bool(fresh),
        without=[person for person, _share in people if not person.has_password],
        after=after(of),
    )


def _hand(
    of: ReportingRound,
    person: previews.Person,
    share: previews.Share,
    invited: accounts.Invited | None,
    mail: previews.Mail | None,
) -> Handed:
    base_url = current_app.config["SETTINGS"].base_url
    language = person.language or g.country.national
    url = accounts.LinkMaker(base_url)(invited.token) if invited else f"{base_url}/login"
    facts = {
        "url": url,
        "code": invited.spoken_code if invited else "",
        "login": person.login,
        "count": share.lead + share.contributing,
    }
    about = issuing.mail_facts(of, g.country, _due(of), facts)[language]
    with force_locale(language):
        text = current_app.jinja_env.get_template("mail/issued.txt").render(about).strip()
    return Handed(
        person,
        share.institution,
        text,
        url,
        _qr(url),
        language,
        facts["code"] if isinstance(facts["code"], str) else "",
        invited.invitation.expires_at if invited else person.invited_until,
        mail,
    )


def _due(of: ReportingRound) -> date:
    return of.due_on


@lru_cache(maxsize=256)
def _qr(url: str) -> Markup:
    drawn = io.BytesIO()
    segno.make(url, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, svgclass=None, lineclass=None, border=2
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 - drawn here, from our own address
