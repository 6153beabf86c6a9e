"""Presence: somebody has a page of a reply open, and says so now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.models import Presence
from portal.permissions import Permission, Target, require

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead


def _upsert(dialect: Any) -> Any:
    made = dialect.insert(Presence)
    seen = {"page": made.excluded.page, "seen_at": made.excluded.seen_at}
    return made.on_conflict_do_update(index_elements=["submission_id", "actor_id"], set_=seen)


_UPSERTS = {"sqlite": _upsert(sqlite), "postgresql": _upsert(postgresql)}


def see(session: Session, head: SubmissionHead, page: str, *, by: Principal) -> None:
    """Note that a person is on a page of a reply: one statement, never part of a save.

    Raises:
        NotAllowed: if ``by`` may not answer.
    """
    require(by, Permission.ANSWER_SUBMISSION, Target(head.institution_id, head.status, submission_id=head.id))
    connection = session.connection()
    connection.execute(
        _UPSERTS[connection.dialect.name],
        {"submission_id": head.id, "actor_id": by.actor_id, "page": page[:80], "seen_at": clock.now()},
    )


def leave(session: Session, head: SubmissionHead, page: str, *, by: Principal) -> None:
    """Note that a person has left a page; if they are on another by now, that stays."""
    mine = (Presence.submission_id == head.id, Presence.actor_id == by.actor_id, Presence.page == page[:80])
    session.execute(delete(Presence).where(*mine))
