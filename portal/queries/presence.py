"""Who else is on a page of a reply."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal import clock
from portal.models import Actor, Membership, Presence, UserAccount
from portal.permissions import WRITERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead

# a page says every 45 seconds that it is open; one that was silent for longer is taken for closed
LASTS = timedelta(minutes=2)


def others_here(session: Session, head: SubmissionHead, page: str, besides: Principal) -> list[Mapping[str, str]]:
    """Return the names of others who have this page open and may still write in it, whoever came first.

    Somebody whose part in the institution ended, or who now only reads, is gone at once.
    """
    rows = session.execute(
        select(UserAccount.names)
        .select_from(Presence)
        .join(Actor, Actor.id == Presence.actor_id)
        .join(UserAccount, UserAccount.id == Actor.user_id)
        .join(Membership, Membership.user_id == UserAccount.id)
        .where(
            Presence.submission_id == head.id,
            Presence.page == page[:80],
            Presence.actor_id != besides.actor_id,
            Presence.seen_at > clock.now() - LASTS,
            UserAccount.active.is_(True),
            Membership.institution_id == head.institution_id,
            Membership.ended_at.is_(None),
            Membership.role.in_(WRITERS),
        )
        .order_by(Presence.actor_id)
    )
    return [names for (names,) in rows]
