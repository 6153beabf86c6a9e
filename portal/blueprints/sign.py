"""The approver: what waits to be signed; reading it; signing one reply or the whole pack at once; handing it back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal import clock
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import load
from portal.blueprints.reading import read_aloud
from portal.blueprints.respond import own_reply
from portal.blueprints.respond.findings import kept_of
from portal.blueprints.sign_reading import changes_since
from portal.blueprints.talk.news import fresh
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Action, Assignment, Status, Submission, UserAccount
from portal.permissions import Permission
from portal.queries import seen
from portal.queries import submissions as queries
from portal.queries.evidence import evidence_of
from portal.queries.packs import pack_holding
from portal.queries.receipts import shown, signed_by
from portal.services import sessions, verdicts
from portal.services.seen import note_seen
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from flask.typing import ResponseReturnValue

    from portal.queries.submissions import AskedRecommendation, SubmissionHead

blueprint = Blueprint("sign", __name__)

Error = tuple[str, str]  # the id of the field, the sentence
LATELY, MOST_LATELY = timedelta(days=14), 10


def _waiting() -> list[SubmissionHead]:
    principal = who()
    if principal.institution_id is None:
        raise NotFound
    rows = db.session.execute(
        queries.HEAD.where(
            Assignment.institution_id == principal.institution_id, Submission.status == Status.AWAITING_SIGN_OFF
        ).order_by(Assignment.round_id, Assignment.position, Assignment.id)
    ).all()
    return [queries.head_of(row) for row in rows]


@blueprint.get("/sign")
@requires(Permission.SIGN_SUBMISSION)
def pack() -> ResponseReturnValue:
    """Show everything that waits for this approver's signature, each readable in place."""
    return _pack_page(_waiting())


def _pack_page(
    heads: Sequence[SubmissionHead], *, errors: Sequence[Error] = (), chosen: Sequence[str] = (), status: int = 200
) -> ResponseReturnValue:
    language, languages = g.view.language, g.country.languages
    asked = queries.asked_recommendations(db.session, [head.assignment_id for head in heads])
    today = clock.today(g.country.time_zone)
    ids = [head.id for head in heads]
    looked, last = seen.seen_at(db.session, ids, who().actor_id), seen.stations(db.session, ids)
    rows = [
        _row(head, asked.get(head.assignment_id, []), looked.get(head.id), f"r{head.public_id}-")
        | {
            "days_left": (head.due_on - today).days,
            "chosen": not chosen or head.public_id in chosen,
            "station": last[head.id],
        }
        for head in heads
    ]
    page = render_template(
        "sign/pack.html",
        news=fresh(but={Action.COMPLETE}),  # they are the list below, until they are signed
        rows=rows,
        signed=_signed_lately(),
        errors=dict(errors),
        institution=g.view.account.detail,
        on_screen=any(row["head"].sign_off_policy in {"screen", "either"} for row in rows),
        round=pick(heads[0].round_titles, language, languages) if heads else "",
    )
    return page, status


def _row(
    head: SubmissionHead, asked: Sequence[AskedRecommendation], looked: datetime | None, under: str = ""
) -> dict[str, Any]:
    """Return one reply as its approver reads it, with what changed since they last did."""
    language, languages = g.view.language, g.country.languages
    definition, _ids = load(head)
    answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    pages = read_aloud(answering)
    return {
        "head": head,
        "cite": _cite(asked),
        "title": queries.title_of(asked, language, languages) or _("Questions about your institution"),
        "pages": pages,
        "evidence": evidence_of(db.session, head.id),
        "warnings": kept_of(answering),
        "handed_back": seen.handed_back(db.session, head.id),
        "looked": looked,
        "changes": changes_since(answering, pages, looked, under) if looked is not None else [],
        "recommendation": answering.recommendation(),
        "pack": pack_holding(db.session, head.id),
    }


@blueprint.get("/sign/<public_id>")
@requires(Permission.SIGN_SUBMISSION, on=own_reply)
def reading(head: SubmissionHead) -> ResponseReturnValue:
    """Show one reply to read before signing: what changed, what was warned of and kept, the whole text, evidence."""
    return _reading_page(head)


def _reading_page(head: SubmissionHead, *, errors: Sequence[Error] = (), status: int = 200) -> ResponseReturnValue:
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    looked = seen.seen_at(db.session, [head.id], who().actor_id).get(head.id)
    page = render_template(
        "sign/reading.html",
        errors=dict(errors),
        row=_row(head, asked, looked),
        station=seen.stations(db.session, [head.id])[head.id],
        waiting=head.status is Status.AWAITING_SIGN_OFF,
        on_screen=head.sign_off_policy in {"screen", "either"},
        days_left=(head.due_on - clock.today(g.country.time_zone)).days,
        institution=g.view.account.detail,
    )
    return page, status


def _where_it_was(
    heads: Sequence[SubmissionHead], error: Error, *, chosen: Sequence[str] = ()
) -> ResponseReturnValue:
    """Show the page from which something was sent again, with what is wrong: one reply being read, or the pack."""
    if request.form.get("at") == "reading" and len(heads) == 1:
        return _reading_page(heads[0], errors=[error], status=422)
    return _pack_page(_waiting(), errors=[error], chosen=chosen, status=422)


def _signed_lately() -> list[dict[str, Any]]:
    """Return what this person signed on screen lately and what still stands, with the codes of its receipts."""
    language, languages = g.view.language, g.country.languages
    found = signed_by(db.session, who(), since=clock.now() - LATELY, limit=MOST_LATELY)
    asked = queries.asked_recommendations(db.session, [one.assignment_id for one in found]) if found else {}
    rows = []
    for one in found:
        about = asked.get(one.assignment_id, [])
        title = queries.title_of(about, language, languages) or _("Questions about your institution")
        rows.append({"cite": _cite(about), "title": title, "code": shown(one.code), "at": one.at})
    return rows


def _cite(asked: Sequence[AskedRecommendation]) -> str:
    return f"{asked[0].mechanism} · {_('paragraph')} {queries.citation(asked)}" if asked else ""


@blueprint.post("/sign/<public_id>/seen")
@requires(Permission.SIGN_SUBMISSION, on=own_reply)
def mark_seen(head: SubmissionHead) -> ResponseReturnValue:
    """Note that this person has read the reply as it stands; next time only what changed is marked."""
    with write() as session:
        note_seen(session, [head.id], by=who())
    notice(_("Noted as read. What changes from now on will be marked for you."))
    return redirect(url_for("sign.pack"), code=303)


@blueprint.post("/sign")
@requires(Permission.SIGN_SUBMISSION)
def sign() -> ResponseReturnValue:
    """Sign the chosen replies in one act, after the password was given again: all of them or none."""
    principal = who()
    chosen = request.form.getlist("reply")
    heads = [head for head in _waiting() if head.public_id in chosen]
    if not chosen:
        return _pack_page(_waiting(), errors=[("replies", _("Choose at least one reply to sign."))], status=422)
    if len(heads) != len(set(chosen)) or _read_another(heads):
        changed = _(
            "Something changed since you opened this page: a reply was signed or handed back. Look again, then sign."
        )
        return _pack_page(_waiting(), errors=[("replies", changed)], status=409)
    account = sessions.throttle_key(principal.login)
    sessions.check_throttle(db.session, account)
    stored = db.session.scalar(select(UserAccount.password_hash).where(UserAccount.id == principal.user_id))
    if not sessions.verify_password(stored, request.form.get("password", "")):
        with write() as session:
            sessions.note_attempt(session, account, succeeded=False)
        error = ("password", _("The password is not right. Nothing was signed."))
        return _where_it_was(heads, error, chosen=chosen)
    pairs = [(head, load(head)[0]) for head in heads]
    with write() as session:
        verdicts.sign_off(session, pairs, by=principal)
        note_seen(session, [head.id for head in heads], by=principal)
    notice(ngettext("%(num)s reply is signed and handed in.", "%(num)s replies are signed and handed in.", len(heads)))
    return redirect(url_for("sign.pack"), code=303)


def _read_another(heads: Sequence[SubmissionHead]) -> bool:
    """Tell whether a reply was handed back and completed anew since the page was opened: nobody signs that unread."""
    last = seen.stations(db.session, [head.id for head in heads])
    read = {head.id: request.form.get(f"station:{head.public_id}", type=int) for head in heads}
    return any(number is not None and number != last[one] for one, number in read.items())


@blueprint.post("/replies/<public_id>/decline")
@requires(Permission.SIGN_SUBMISSION, on=own_reply)
def decline(head: SubmissionHead) -> ResponseReturnValue:
    """Hand a reply back to one's own colleagues with a reason."""
    try:
        with write() as session:
            verdicts.decline(session, head, reason=request.form.get("reason", ""), by=who())
            note_seen(session, [head.id], by=who())
    except Invalid as error:
        reading = request.form.get("at") == "reading"
        return _where_it_was([head], ("reason" if reading else f"reason-{head.public_id}", str(error)))
    notice(_("Handed back to your colleagues with your reason."))
    return redirect(url_for("sign.pack"), code=303)
