"""Every clarification in a list: for the secretariat with whom it waits, for an institution what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.follow.door import cite, say
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.talk.door import blueprint
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import ClarificationStatus
from portal.permissions import Permission
from portal.queries.questionnaires import definition
from portal.queries.submissions import asked_recommendations
from portal.queries.threads import ThreadLine, median_days, thread_lines
from portal.services import clarifications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

SHORT = 240
# the page of a reply to which each list leads
LEADS_TO = {"talk.index": "follow.submission", "talk.ours": "respond.check"}


@blueprint.get("/clarifications")
@requires(Permission.ASK_CLARIFICATION)
def index() -> ResponseReturnValue:
    """Show every clarification of the secretariat's: filter, age, median days to an answer."""
    lines = thread_lines(db.session, actor_id=who().actor_id, staff=True)
    rounds = {one.round_slug: say(one.round_titles) for one in lines}
    institutions = {one.institution_code: say(one.institution_names) for one in lines}
    chosen = {name: request.args.get(name, "") for name in ("round", "institution")}
    fitting = [
        one
        for one in lines
        if chosen["round"] in {"", one.round_slug} and chosen["institution"] in {"", one.institution_code}
    ]
    return render_template(
        "talk/threads.html",
        ours=False,
        fields=[
            {"name": "round", "label": _("Round"), "kind": "select", "value": chosen["round"],
             "choices": list(rounds.items())},
            {"name": "institution", "label": _("Institution"), "kind": "select", "value": chosen["institution"],
             "choices": sorted(institutions.items(), key=lambda pair: pair[1])},
        ],
        **_list(fitting, "talk.index", {name: value for name, value in chosen.items() if value}),
    )  # fmt: skip


@blueprint.get("/questions")
@requires(Permission.VIEW_OWED)
def ours() -> ResponseReturnValue:
    """Show an institution what the secretariat asks of it, and what was answered."""
    return render_template("talk/threads.html", ours=True, fields=[], **_list(_our_lines(), "talk.ours", {}))


def _our_lines() -> list[ThreadLine]:
    institution_id = who().institution_id
    if institution_id is None:
        raise NotFound
    return thread_lines(db.session, actor_id=who().actor_id, staff=False, institution_id=institution_id)


def _list(lines: Sequence[ThreadLine], endpoint: str, chosen: dict[str, str]) -> dict[str, Any]:
    """Return what the list shows: the tabs with their counts, the rows of the one chosen, the figures."""
    wanted = request.args.get("state", "")
    state = wanted if wanted in {"unread", *ClarificationStatus} else ""
    tabs = [
        (_("All"), "", len(lines)),
        (_("Unread"), "unread", sum(1 for one in lines if one.unread)),
        (_("New"), "open", sum(1 for one in lines if one.status is ClarificationStatus.OPEN)),
        (_("Answered"), "answered", sum(1 for one in lines if one.status is ClarificationStatus.ANSWERED)),
        (_("Closed"), "closed", sum(1 for one in lines if one.status is ClarificationStatus.CLOSED)),
    ]
    shown = [one for one in lines if not state or (one.unread if state == "unread" else one.status == state)]
    asked = asked_recommendations(db.session, {one.assignment_id for one in shown})
    days = median_days(lines)
    return {
        "tabs": [
            (label, _address(endpoint, chosen | ({"state": key} if key else {})), key == state, number)
            for label, key, number in tabs
        ],
        "rows": [_row(one, asked.get(one.assignment_id, ()), LEADS_TO[endpoint]) for one in shown],
        "waiting": sum(1 for one in lines if one.status is ClarificationStatus.OPEN),
        "oldest": max(
            (one.age(clock.now()) for one in lines if one.status is ClarificationStatus.OPEN), default=None
        ),
        "median": days,
        "any_unread": any(one.unread for one in lines),
        "clear_url": url_for(endpoint),
    }


def _address(endpoint: str, given: dict[str, Any]) -> str:
    return url_for(endpoint, **given)


def _row(one: ThreadLine, asked: Any, page: str) -> dict[str, Any]:
    about = ""
    if one.question_code:
        compiled = definition(db.session, one.version_id).compiled
        if one.question_code in compiled.by_code:
            about = compiled.by_code[one.question_code].text("label", g.view.language, tuple(g.country.languages))
    return {
        "public_id": one.public_id,
        "url": url_for(page, public_id=one.submission) + f"#thread-{one.public_id}",
        "institution": say(one.institution_names),
        "round": say(one.round_titles),
        "cite": cite(asked),
        "about": about,
        "state": one.status.value,
        "unread": one.unread,
        "many": one.batch is not None,
        "body": one.body if len(one.body) <= SHORT else one.body[:SHORT].rstrip() + "…",
        "at": one.said_at,
        "age": one.age(clock.now()),
    }


@blueprint.post("/clarifications/read")
@requires(Permission.ASK_CLARIFICATION)
def mark_read() -> ResponseReturnValue:
    """Note that a person of the secretariat has read one clarification, or all."""
    return _mark(thread_lines(db.session, actor_id=who().actor_id, staff=True), "talk.index")


@blueprint.post("/questions/read")
@requires(Permission.VIEW_OWED)
def mark_ours_read() -> ResponseReturnValue:
    """Note that a person of an institution has read one question, or all."""
    return _mark(_our_lines(), "talk.ours")


def _mark(lines: Sequence[ThreadLine], endpoint: str) -> ResponseReturnValue:
    wanted = set(request.form.getlist("thread"))
    chosen = [one.id for one in lines if one.unread and (not wanted or one.public_id in wanted)]
    if chosen:
        with write() as session:
            clarifications.mark_read(session, chosen, by=who())
    notice(_("Marked as read."))
    return redirect(url_for(endpoint), code=303)
