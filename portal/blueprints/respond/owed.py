"""What an institution owes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.guard import requires, who
from portal.blueprints.holding import held_by
from portal.blueprints.posting import load
from portal.blueprints.respond.acts import check_page
from portal.blueprints.respond.door import (
    blueprint,
    offline_of,
    own_reply,
)
from portal.blueprints.respond.packs import on_paper
from portal.blueprints.respond.section import section_page
from portal.blueprints.respond.sharing import shared_with_me
from portal.blueprints.returning import copy_secret
from portal.blueprints.talk.news import fresh
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Status
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, may
from portal.queries import owed as owed_queries
from portal.queries import submissions as queries
from portal.queries.met import beside_soon, meet
from portal.queries.sessions import held_until
from portal.queries.submissions import SubmissionHead, citation, title_of
from portal.queries.threads import waiting_for
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.owed import Owed


@blueprint.get("/owed")
@requires(Permission.VIEW_OWED)
def owed() -> ResponseReturnValue:
    """Show what this person's institution owes: by when, what is late, who holds what."""
    principal = who()
    institution_id = principal.institution_id
    if institution_id is None:
        raise NotFound
    rounds = owed_queries.rounds_of(db.session, institution_id, reader=principal.actor_id)
    wanted = request.args.get("round")
    chosen = next((one for one in rounds if one.slug == wanted), rounds[0] if rounds else None)
    rows = owed_queries.owed(db.session, institution_id, chosen.id, clock.today(g.country.time_zone)) if chosen else []
    language, languages = g.view.language, g.country.languages
    held = held_by([one.head for one in rows])
    about = [_owed_row(one, held) for one in rows if one.head.about_institution]
    asked = [(one, _owed_row(one, held)) for one in rows if not one.head.about_institution]
    return render_template(
        "respond/owed.html",
        institution=g.view.account.detail,
        news=fresh(),
        questions_waiting=waiting_for(db.session, institution_id),
        round=pick(chosen.titles, language, languages) if chosen else "",
        slug=chosen.slug if chosen else None,
        rounds=[(one.slug, pick(one.titles, language, languages), one is chosen) for one in rounds],
        total=len(asked),
        late=sum(1 for one, _row in asked if one.late),
        open=sum(1 for one, _row in asked if one.head.status in EDITABLE and not one.late),
        groups=_groups(asked),
        institution_questions=about[0] if about else None,
        offline=offline_of(
            chosen.slug, any(one.head.status in EDITABLE for one in rows), taken=chosen.file_out
        ) if chosen else None,
        on_paper=on_paper([one.head for one in rows]),
        shared_with_me=shared_with_me(),
        can_hand_over=may(principal, Permission.SHARE_SUBMISSION),
        keeps=copy_secret(principal),
        held_until=held_until(db.session, principal.user_id) if principal.user_id is not None else None,
    )


def _groups(asked: Sequence[tuple[Owed, dict[str, Any]]]) -> list[dict[str, Any]]:
    waiting = {Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.CLAIMED}
    groups = [
        (_("Late"), "", [row for one, row in asked if one.late]),
        (_("To answer"), "", [row for one, row in asked if one.head.status in EDITABLE and not one.late]),
        (
            _("Waiting for others"),
            "",
            [row for one, row in asked if one.head.status in waiting and not one.late],
        ),
        (_("Done"), "", [row for one, row in asked if one.head.status in {Status.CLEARED, Status.NOT_OURS}]),
        (_("Closed without a reply"), "", [row for one, row in asked if one.head.status is Status.LAPSED]),
    ]
    return [{"title": title, "text": text, "rows": rows} for title, text, rows in groups if rows]


def _owed_row(one: Owed, held: Mapping[int, str]) -> dict[str, Any]:
    head, language, languages = one.head, g.view.language, g.country.languages
    editable = head.status in EDITABLE and may(who(), Permission.ANSWER_SUBMISSION)
    title = (
        _("Questions about your institution") if head.about_institution else title_of(one.asked, language, languages)
    )
    return {
        "cite": f"{one.asked[0].mechanism} · {_('paragraph')} {citation(one.asked)}" if one.asked else "",
        "title": title,
        "lang": "",
        "status": head.status,
        "mark": "",
        "role": "" if head.about_institution else str(head.role),
        "due": head.due_on,
        "days_left": one.days_left,
        "done": head.status in {Status.SUBMITTED, Status.CLEARED, Status.NOT_OURS, Status.CLAIMED},
        "answered": head.answered,
        "total": head.asked,
        "holder": _holder(one, held[one.head.id]),
        "documents": head.documents,
        "from_paper": head.from_paper,
        "url": url_for("respond.reply", public_id=head.public_id),
        "reading": not editable,
        "action": (_("Go on") if head.saved_at else _("Answer")) if editable else _("Read"),
    }


def _holder(one: Owed, held: str) -> str:
    """Say who holds a reply now, and for one that is being written who wrote last."""
    if one.saved_by and one.head.status in EDITABLE:
        wrote = _("last written by %(name)s", name=pick(one.saved_by, g.view.language, g.country.languages))
        return f"{held} · {wrote}" if held else str(wrote)
    return held


@blueprint.get("/replies/<public_id>/")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def reply(head: SubmissionHead) -> ResponseReturnValue:
    """Show the page where work goes on: the first with an unanswered question; for whoever only reads, all of it.

    Shown here rather than led to: a redirect is a round trip, 0.4 s on a slow line. The page knows its own address.
    """
    definition, _ids = load(head)
    meet(head, definition)
    beside_soon(db.session, head)
    page = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    if page.readonly:
        return check_page(head)
    return section_page(page, page.first_page())
