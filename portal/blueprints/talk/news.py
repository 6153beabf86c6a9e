"""What is new for me: every act and message that concerns a person, read or not, and how they wish to be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from portal import clock
from portal.blueprints.follow.door import cite, say
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.paging import paged
from portal.blueprints.reading import action_words
from portal.blueprints.talk.door import blueprint
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import Action, MailWish, UserAccount
from portal.permissions import Permission, may
from portal.queries import news as queries
from portal.queries.actors import actor_names
from portal.queries.submissions import asked_recommendations
from portal.services import news as services
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.news import Happening

# how far back the page looks, how many happenings it reads, and how many stand on a start page
PAST, MOST, FEW, COUNTED = timedelta(days=90), 300, 3, 100
# what one person did to many replies at a stretch stands there once
STRETCH = timedelta(minutes=10)
SHORT = 240


def _mine(since: datetime, limit: int) -> list[Happening]:
    """Return what concerns the person of this session since a moment, the newest first."""
    principal = who()
    part = principal.part
    parts = frozenset({(part.institution_id, part.role)}) if part else frozenset()
    reader = queries.Reader(principal.actor_id, parts, principal.staff)
    return queries.happenings(db.session, principal.roles, since=since, reader=reader, limit=limit)


def fresh(but: Collection[str] = ()) -> dict[str, Any] | None:
    """Return what a start page says of what is new: how much, and the newest of it; None for whom nothing is told.

    ``but`` are happenings that the page shows by itself as long as they matter.
    """
    user_id = who().user_id
    if user_id is None or not may(who(), Permission.VIEW_NEWS):
        return None
    read, _wish = queries.read_until(db.session, user_id)
    found = [one for one in _mine(max(read, clock.now() - PAST), COUNTED) if one.what not in but]
    return {"count": len(found), "many": len(found) >= COUNTED, "rows": _rows(found, read)[:FEW]}


@blueprint.get("/news")
@requires(Permission.VIEW_NEWS)
def news() -> ResponseReturnValue:
    """Show what is new for this person, the unread marked, and how they are told by mail."""
    user_id = who().user_id
    read, wish = queries.read_until(db.session, user_id) if user_id is not None else (clock.now(), None)
    found = _mine(clock.now() - PAST, MOST)
    only = request.args.get("show") == "unread"
    unread = sum(1 for one in found if one.at > read)
    listed = paged(_rows([one for one in found if one.at > read] if only else found, read), keep=("show",))
    return render_template(
        "talk/news.html",
        tabs=[
            (_("All"), url_for("talk.news"), not only, len(found)),
            (_("Unread"), url_for("talk.news", show="unread"), only, unread),
        ],
        rows=listed.rows,
        listed=listed,
        unread=unread,
        newest=found[0].at.isoformat() if found else "",
        address=db.session.scalar(select(UserAccount.email).where(UserAccount.id == user_id)),
        wish=services.wish_of(wish, staff=bool(who().staff)).value,
        wishes=_wishes(),
        chat=may(who(), Permission.ISSUE_ROUND),
    )


def _wishes() -> list[tuple[str, str]]:
    return [
        (MailWish.SOON, _("Soon after something happens, one mail for what belongs together")),
        (MailWish.DAILY, _("Once a day, in the morning")),
        (MailWish.NEVER, _("Never")),
    ]


def _rows(found: Sequence[Happening], read: datetime, *, named: bool = True) -> list[dict[str, Any]]:
    """Return happenings as the page shows them; what one person did to many replies at a stretch is one row."""
    asked = asked_recommendations(db.session, {one.assignment_id for one in found}) if found else {}
    names = actor_names(db.session, {one.by for one in found}) if found and named else {}
    groups: list[list[Happening]] = []
    for one in found:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and (last.what, last.by, last.institution_id, last.said) == (one.what, one.by, one.institution_id, one.said)
            and last.at - one.at <= STRETCH
            and (last.at > read) == (one.at > read)
        ):
            groups[-1].append(one)
        else:
            groups.append([one])
    return [_row(many, read, asked, names) for many in groups]


def _row(many: Sequence[Happening], read: datetime, asked: Any, names: Any) -> dict[str, Any]:
    one = many[0]
    if one.what in set(Action):
        words, icon, kind = action_words(Action(one.what))
    else:
        words = services.words(one.what)
        icon, kind = ("check2-square", "good") if one.what == queries.FINISHED else ("chat-left-text", "info")
    return {
        "words": words,
        "icon": icon,
        "kind": kind,
        "at": one.at,
        "who": one.name or pick(names.get(one.by), g.view.language, g.country.languages),
        "whose": say(one.institution_names) if who().staff else "",
        "round": say(one.round_titles),
        "said": one.said if len(one.said) <= SHORT else one.said[:SHORT].rstrip() + "…",
        "unread": one.at > read,
        "places": [
            (cite(asked.get(line.assignment_id, ())) or _("Questions about your institution"), _address(line))
            for line in many
        ],
    }


def _address(one: Happening) -> str:
    """Return where a happening leads: the thread, the reply, for an approver what is to be signed.

    Of the institution that somebody works for to its own pages, whatever they are in the secretariat.
    """
    if one.institution_id != who().institution_id:
        return url_for("follow.submission", public_id=one.submission) + (f"#thread-{one.thread}" if one.thread else "")
    if one.what == Action.COMPLETE and may(who(), Permission.SIGN_SUBMISSION):
        return url_for("sign.reading", public_id=one.submission)
    return url_for("respond.check", public_id=one.submission) + (f"#thread-{one.thread}" if one.thread else "")


@blueprint.post("/news/read")
@requires(Permission.VIEW_NEWS)
def mark_news_read() -> ResponseReturnValue:
    """Note that everything up to the newest of the page was read; what came meanwhile stays unread."""
    try:
        until = datetime.fromisoformat(request.form.get("newest", ""))
    except ValueError:
        raise Invalid(_("Reload the page and try again.")) from None
    if until.tzinfo is None:
        raise Invalid(_("Reload the page and try again."))
    with write() as session:
        services.mark_read(session, until=until, by=who())
    notice(_("Marked as read."))
    return redirect(url_for("talk.news"), code=303)


@blueprint.post("/news/mail")
@requires(Permission.VIEW_NEWS)
def wish_mail() -> ResponseReturnValue:
    """Note how this person wishes to be told by mail."""
    given = request.form.get("wish", "")
    if given not in set(MailWish):
        raise Invalid(_("Choose when you wish to be told."))
    with write() as session:
        services.set_wish(session, MailWish(given), by=who())
    notice(_("Saved. You will be told as you wished."))
    return redirect(url_for("talk.news"), code=303)


@blueprint.get("/news/by-chat")
@requires(Permission.ISSUE_ROUND)
def news_by_chat() -> ResponseReturnValue:
    """Show the secretariat who has unread news and no address, each with a text to copy into a chat."""
    base_url = str(current_app.config["SETTINGS"].base_url).rstrip("/")
    rows = [
        {
            "name": pick(one.person.names, g.view.language, g.country.languages),
            "count": one.count,
            "language": one.language,
            "text": one.text,
            "telegram": one.person.telegram.lstrip("@"),
            "phone": one.person.phone,
        }
        for one in services.by_chat(db.session, base_url=base_url)
    ]
    return render_template("talk/by_chat.html", rows=rows)
