"""Replies that this process has met: what never changes of them, so that what a page of one asks is told at once.

An address names a reply by its public id, its rows by its key. Whoever met the reply before knows the key, and a page's
rows come with the session and the reply, in one journey to a server instead of two (decision 0059). All of it are hints
(:meth:`portal.prepared.Prepared.soon`): of a reply that nobody met here, the same rows come a journey later, and nobody
is shown any of them before it was asked whether they may see the reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portal.models.lifecycle import CAME_BACK
from portal.queries.sharing import at_work_soon
from portal.queries.submissions import asked_soon, handed_back_soon, stored_soon

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.models import Status
    from portal.queries.submissions import SubmissionHead

# replies that a process remembers: some 300 bytes each
KEPT = 4_000


class Met(NamedTuple):
    """A reply's key and its assignment's; its status and questionnaire when it was met, which may be others by now."""

    id: int
    assignment_id: int
    status: Status
    definition: Definition


_met: dict[str, Met] = {}


def meet(head: SubmissionHead, definition: Definition) -> None:
    """Remember a reply whose page is asked for."""
    known = _met.get(head.public_id)
    if known is not None and known.definition is definition and known.status is head.status:
        return
    if len(_met) >= KEPT:
        _met.clear()
    _met[head.public_id] = Met(head.id, head.assignment_id, head.status, definition)


def met(public_id: str) -> Met | None:
    """Return what is known of a reply; None if no page of it was asked for here."""
    return _met.get(public_id)


def page_soon(session: Session, known: Met) -> None:
    """Tell that a page of a reply is about to be drawn."""
    stored_soon(session, known.id, known.definition)
    beside_soon(session, known)


def beside_soon(session: Session, reply: SubmissionHead | Met) -> None:
    """Tell what a page of a reply asks beside the answers, so that it comes with them."""
    asked_soon(session, reply.assignment_id)
    at_work_soon(session, reply.id)
    if reply.status in CAME_BACK:
        handed_back_soon(session, reply.id)
