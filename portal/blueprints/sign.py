"""The approver: what waits to be signed; reading it; signing one reply or the whole pack at once; handing it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal import clock
from portal.blueprints.answering import AnsweringPage, load, title_of
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.reading import read_aloud
from portal.blueprints.respond import own_reply
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Assignment, Status, Submission, UserAccount
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.queries.evidence import evidence_of
from portal.services import sessions, verdicts
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.submissions import SubmissionHead

blueprint = Blueprint("sign", __name__)


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
    heads: Sequence[SubmissionHead], *, error: str = "", chosen: Sequence[str] = (), status: int = 200
) -> ResponseReturnValue:
    language, languages = g.view.language, g.country.languages
    asked = queries.asked_recommendations(db.session, [head.assignment_id for head in heads])
    today = clock.today(g.country.time_zone)
    rows: list[dict[str, Any]] = []
    for head in heads:
        definition, _ids = load(head)
        answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
        mine = asked.get(head.assignment_id, [])
        rows.append(
            {
                "head": head,
                "cite": f"{mine[0].mechanism} · {_('paragraph')} {queries.citation(mine)}" if mine else "",
                "title": title_of(mine, language, languages) or _("Questions about your institution"),
                "pages": read_aloud(answering),
                "evidence": evidence_of(db.session, head.id),
                "days_left": (head.due_on - today).days,
                "chosen": not chosen or head.public_id in chosen,
            }
        )
    page = render_template(
        "sign/pack.html",
        rows=rows,
        error=error,
        institution=g.view.account_detail,
        on_screen=any(row["head"].sign_off_policy in {"screen", "either"} for row in rows),
        round=pick(heads[0].round_titles, language, languages) if heads else "",
    )
    return page, status


@blueprint.post("/sign")
@requires(Permission.SIGN_SUBMISSION)
def sign() -> ResponseReturnValue:
    """Sign the chosen replies in one act, after the password was given again: all of them or none."""
    principal = who()
    chosen = request.form.getlist("reply")
    heads = [head for head in _waiting() if head.public_id in chosen]
    if not chosen:
        return _pack_page(_waiting(), error=_("Choose at least one reply to sign."), status=422)
    if len(heads) != len(set(chosen)):
        return _pack_page(
            _waiting(),
            error=_(
                "Something changed since you opened this page: a reply was signed or handed back. "
                "Look again, then sign."
            ),
            status=409,
        )
    account = sessions.throttle_key(principal.login)
    sessions.check_throttle(db.session, account)
    stored = db.session.scalar(select(UserAccount.password_hash).where(UserAccount.id == principal.user_id))
    if not sessions.verify_password(stored, request.form.get("password", "")):
        with write() as session:
            sessions.note_attempt(session, account, succeeded=False)
        return _pack_page(
            _waiting(), error=_("The password is not right. Nothing was signed."), chosen=chosen, status=422
        )
    pairs = [(head, load(head)[0]) for head in heads]
    with write() as session:
        verdicts.sign_off(session, pairs, by=principal)
    notice(ngettext("%(num)s reply is signed and handed in.", "%(num)s replies are signed and handed in.", len(heads)))
    return redirect(url_for("sign.pack"), code=303)


@blueprint.post("/replies/<public_id>/decline")
@requires(Permission.SIGN_SUBMISSION, on=own_reply)
def decline(head: SubmissionHead) -> ResponseReturnValue:
    """Hand a reply back to one's own colleagues with a reason."""
    try:
        with write() as session:
            verdicts.decline(session, head, reason=request.form.get("reason", ""), by=who())
    except Invalid as error:
        return _pack_page(_waiting(), error=str(error), status=422)
    notice(_("Handed back to your colleagues with your reason."))
    return redirect(url_for("sign.pack"), code=303)
