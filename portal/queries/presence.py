"""Who else is on a page of a reply."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal import clock
from portal.models import Actor, Delegation, Membership, Presence, StaffAppointment, UserAccount
from portal.permissions import GRANTS, WRITERS, Permission

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead

# a page says every 45 seconds that it is open; one that was silent for longer is taken for closed
LASTS = timedelta(minutes=2)


# whoever may enter from paper
_ENTERS = exists().where(
    StaffAppointment.user_id == UserAccount.id, StaffAppointment.role.in_(GRANTS[Permission.ENTER_ON_BEHALF])
)


def _on_it(head: SubmissionHead, page: str, besides: Principal, moment: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of the presence of others who have a page open."""
    return (
        Presence.submission_id == head.id,
        Presence.page == page[:80],
        Presence.actor_id != besides.actor_id,
        Presence.seen_at > moment - LASTS,
    )


def others_here(session: Session, head: SubmissionHead, page: str, besides: Principal) -> list[Mapping[str, str]]:
    """Return the names of others who have this page open and may still write in it, whoever came first; one query.

    Whoever was handed questions of it without an account is named as their focal point named them, and whoever enters
    it from paper by their own name. Somebody whose part or share ended, or who now only reads, is gone at once.
    """
    moment = clock.now()
    own = aliased(Delegation)  # of a person without an account
    handed = aliased(Delegation)  # to a colleague, who may be a reader otherwise
    writes = exists().where(
        Membership.user_id == UserAccount.id,
        Membership.institution_id == head.institution_id,
        Membership.ended_at.is_(None),
        Membership.role.in_(WRITERS)
        | exists().where(
            handed.user_id == UserAccount.id,
            handed.submission_id == head.id,
            handed.revoked_at.is_(None),
            handed.expires_at > moment,
        ),
    )
    rows = session.execute(
        select(UserAccount.names, own.name)
        .select_from(Presence)
        .join(Actor, Actor.id == Presence.actor_id)
        .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
        .outerjoin(own, own.id == Actor.delegation_id)
        .where(
            *_on_it(head, page, besides, moment),
            or_(
                and_(UserAccount.active.is_(True), writes | _ENTERS),
                and_(own.id.is_not(None), own.revoked_at.is_(None), own.expires_at > moment),
            ),
        )
        .order_by(Presence.actor_id)
    )
    return [names or {"": name} for names, name in rows]


def entering_here(session: Session, head: SubmissionHead, page: str, besides: Principal) -> list[Mapping[str, str]]:
    """Return the names of others of the secretariat who enter this page from paper; one query.

    Nobody of the institution is among them: who of it is at work is its own affair.
    """
    return list(
        session.scalars(
            select(UserAccount.names)
            .join(Actor, Actor.user_id == UserAccount.id)
            .join(Presence, Presence.actor_id == Actor.id)
            .where(
                *_on_it(head, page, besides, clock.now()),
                UserAccount.active.is_(True),
                _ENTERS,
            )
            .order_by(Presence.actor_id)
        )
    )
