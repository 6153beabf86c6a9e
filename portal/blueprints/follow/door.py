"""The blueprint of the secretariat's follow-up, what loads a round or a reply for it, and addresses of other rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.guard import who
from portal.errors import NotFound
from portal.extensions import db
from portal.permissions import Permission, may
from portal.queries import submissions as queries
from portal.queries.clarifications import find_thread
from portal.queries.rounds import find_round
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.models import Clarification, ReportingRound
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

blueprint = Blueprint("follow", __name__)


def round_of(slug: str) -> ReportingRound:
    """Load a round by its slug."""
    found = find_round(db.session, slug)
    if found is None:
        raise NotFound
    return found


def reply_for_staff(public_id: str) -> SubmissionHead:
    """Load a reply for the secretariat; an institution reads its own replies on its own pages."""
    if not who().staff:
        raise NotFound
    found = queries.find(db.session, public_id)
    if found is None:
        raise NotFound
    return found


class ThreadOf:
    """A clarification with its reply; permissions look at the reply."""

    def __init__(self, thread: Clarification, head: SubmissionHead) -> None:
        self.thread, self.head = thread, head
        self.institution_id, self.status = head.institution_id, head.status


def thread_for_staff(public_id: str) -> ThreadOf:
    """Load a clarification with its reply, for the secretariat."""
    if not who().staff:
        raise NotFound
    found = find_thread(db.session, public_id)
    if found is None:
        raise NotFound
    return ThreadOf(found[0], reply_for_staff(found[1]))


def today() -> date:
    """Return the present day in the country."""
    return clock.today(g.country.time_zone)


def say(texts: Mapping[str, str] | None) -> str:
    """Return a text in the reader's language, never blank if there is any."""
    return pick(texts, g.view.language, g.country.languages)


def cite(asked: Sequence[AskedRecommendation]) -> str:
    """Return mechanism and paragraphs of what a reply is about, or that it is about the institution itself."""
    if not asked:
        return str(_("Questions about the institution"))
    return f"{asked[0].mechanism} · {_('paragraph')} {queries.citation(asked)}"


def address(endpoint: str, **values: Any) -> str:
    """Return the address of a page of another room, "" while that room is not furnished."""
    return str(url_for(endpoint, **values)) if endpoint in current_app.view_functions else ""


# the other rooms that the pages of a round lead to, and who may enter them
_ROOMS: Mapping[str, tuple[str, Permission]] = {
    "matrix": ("rounds.matrix", Permission.VIEW_ROUND),
    "edit": ("rounds.edit", Permission.EDIT_ROUND),
    "preview": ("rounds.preview", Permission.VIEW_ROUND),
    "invitations": ("rounds.invitations", Permission.ISSUE_ROUND),
    "outbox": ("rounds.outbox", Permission.ISSUE_ROUND),
    "evidence": ("remember.round_evidence", Permission.EXPORT_ROUND),
    "ask": ("talk.ask", Permission.ASK_CLARIFICATION),
    "remind": ("talk.remind", Permission.ISSUE_ROUND),
    "workbook": ("exports.index", Permission.EXPORT_ROUND),
    "implementation": ("recommendations.implementation", Permission.VIEW_IMPLEMENTATION),
}


def rooms(slug: str) -> dict[str, str]:
    """Return where this person may go from a round: name -> address, "" where not."""
    person = who()
    return {
        name: address(endpoint, slug=slug) if may(person, permission) else ""
        for name, (endpoint, permission) in _ROOMS.items()
    }
