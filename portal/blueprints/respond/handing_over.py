"""The hand-over pack: everything a new focal point must know, on one page to print, and the act of handing over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.guard import requires, who
from portal.blueprints.holding import held_by, last_day
from portal.blueprints.page import notice
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.sharing import collection_rows, today
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Role, RoundStatus, Status
from portal.permissions import LEADERS, Permission, may
from portal.queries import handing_over as queries
from portal.queries import owed as owed_queries
from portal.queries import people as people_queries
from portal.queries.actors import actor_names
from portal.queries.receipts import shown
from portal.queries.sharing import colleagues, collections_of
from portal.queries.submissions import citation, title_of
from portal.services import handing_over as services
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask.typing import ResponseReturnValue

    from portal.queries.owed import Owed
    from portal.queries.people import PersonLine

DONE = frozenset({Status.CLEARED, Status.NOT_OURS, Status.LAPSED})


@blueprint.get("/hand-over")
@requires(Permission.SHARE_SUBMISSION)
def hand_over_pack() -> ResponseReturnValue:
    """Show everything owed, who holds what, what runs with others, what was asked, whom to call, the next dates."""
    return _pack()


def _pack(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    here = who().institution_id
    if here is None:
        raise NotFound
    rounds = [one for one in owed_queries.rounds_of(db.session, here) if one.status is RoundStatus.OPEN]
    owed = {one.id: owed_queries.owed(db.session, here, one.id, today()) for one in rounds}
    everything = [reply for replies in owed.values() for reply in replies]
    held = held_by([reply.head for reply in everything])
    cited = {reply.head.id: _cite(reply) for reply in everything}
    page = render_template(
        "respond/hand_over.html",
        error=error,
        institution=g.view.account.detail,
        today=today(),
        rounds=[
            {
                "title": _say(one.titles),
                "due": min((reply.head.due_on for reply in owed[one.id] if _open(reply)), default=None),
                "closes": owed[one.id][0].head.closes_on if owed[one.id] else None,
                "rows": [_row(reply, held) for reply in owed[one.id]],
            }
            for one in rounds
        ],
        shares=_shares(here, cited),
        collections=_collections(here, cited),
        questions=[
            {"cite": cited.get(one.submission_id, ""), "body": one.body, "at": one.at}
            for one in queries.open_questions(db.session, here)
        ],
        packs=[
            {"url": url_for("respond.pack", public_id=one.public_id), "code": shown(one.code), "at": one.made_at}
            for one in queries.packs_out(db.session, here)
        ],
        people=[_person(one, here) for one in people_queries.persons_of(db.session, here) if one.active],
        secretariat=[_person(one, None) for one in people_queries.staff(db.session) if _coordinates(one)],
        successors=_successors(here) if may(who(), Permission.HAND_OVER) else [],
    )
    return page, status


def _say(texts: Any) -> str:
    return pick(texts, g.view.language, g.country.languages)


def _open(reply: Owed) -> bool:
    return reply.head.status not in DONE and reply.days_left >= 0


def _cite(reply: Owed) -> str:
    if not reply.asked:
        return str(_("Questions about your institution"))
    title = title_of(reply.asked, g.view.language, g.country.languages)
    return f"{reply.asked[0].mechanism} · {_('paragraph')} {citation(reply.asked)}: {title}"


def _row(reply: Owed, held: dict[int, str]) -> dict[str, Any]:
    head = reply.head
    return {
        "cite": _cite(reply),
        "url": url_for("respond.check", public_id=head.public_id),
        "status": head.status,
        "due": head.due_on,
        "days_left": reply.days_left,
        "done": head.status in DONE | {Status.SUBMITTED},
        "answered": head.answered,
        "asked": head.asked,
        "missing": head.missing,
        "held": held[head.id],
    }


def _collections(here: int, cited: dict[int, str]) -> list[dict[str, Any]]:
    found = collections_of(db.session, queries.open_collections(db.session, here))
    names = actor_names(db.session, [one.collection.held_by for one in found])
    return [
        row
        | {
            "cite": cited.get(one.collection.submission_id, ""),
            "held_by": _say(names.get(one.collection.held_by)),
        }
        for one, row in zip(found, collection_rows(found), strict=True)
    ]


def _shares(here: int, cited: dict[int, str]) -> list[dict[str, Any]]:
    found = queries.running_shares(db.session, here)
    names = actor_names(db.session, [one.held_by for one in found])
    return [
        {
            "name": one.name,
            "contact": one.contact,
            "cite": cited.get(one.submission_id, ""),
            "questions": len(one.items),
            "until": last_day(one.expires_at),
            "finished": one.finished_at is not None,
            "held_by": _say(names.get(one.held_by)),
        }
        for one in found
    ]


def _person(one: PersonLine, here: int | None) -> dict[str, Any]:
    return {
        "name": " ".join(filter(None, (_say(one.honorific), _say(one.names)))),
        "post": _say(one.post),
        "roles": [part.role for part in one.parts if part.institution_id == here],
        "ways": [way for way in (one.phone, one.telegram, one.email) if way],
    }


def _coordinates(one: PersonLine) -> bool:
    return one.active and any(part.role == "coordinator" for part in one.parts)


def _successors(here: int) -> list[tuple[str, str]]:
    leaders = {
        one.public_id
        for one in people_queries.persons_of(db.session, here)
        if _leads(part.role for part in one.parts if part.institution_id == here)
    }
    return [
        (public_id, _say(one.names))
        for public_id, one in colleagues(db.session, here).items()
        if public_id in leaders and one.id != who().user_id
    ]


def _leads(roles: Iterable[Any]) -> bool:
    return any(isinstance(role, Role) and role in LEADERS for role in roles)


@blueprint.post("/hand-over")
@requires(Permission.HAND_OVER)
def hand_over() -> ResponseReturnValue:
    """Let a colleague look after everything that is shared out."""
    here = who().institution_id
    if here is None:
        raise NotFound
    to = colleagues(db.session, here).get(request.form.get("to", ""))
    if to is None:
        return _pack(error=_("Choose a focal point or alternate of your institution."), status=422)
    try:
        with write() as session:
            made = services.hand_over(session, here, to, note=request.form.get("note", ""), by=who())
    except Invalid as error:
        return _pack(error=str(error), status=422)
    notice(
        _(
            "%(name)s now looks after everything shared out: %(shares)s links and %(collections)s collections.",
            name=_say(to.names), shares=made.shares, collections=made.collections,
        )
    )  # fmt: skip
    return redirect(url_for("respond.hand_over_pack"), code=303)
