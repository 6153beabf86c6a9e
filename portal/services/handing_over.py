"""A focal point hands the running work to a colleague: shares and collections are looked after by them from then on.

Who is focal point is the secretariat's to say (a letter names them); the work does not wait for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from portal.errors import Invalid
from portal.models import Actor, Assignment, Collection, Delegation, Membership, Submission, UserAccount
from portal.permissions import LEADERS, Permission, Target, require
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.permissions import Principal


@dataclass(frozen=True)
class HandedOver:
    """How much somebody looks after from now on."""

    shares: int
    collections: int


def hand_over(session: Session, institution_id: int, to: UserAccount, *, note: str = "", by: Principal) -> HandedOver:
    """Let a colleague look after everything that is shared out of an institution's replies.

    Raises:
        NotAllowed: if ``by`` may not hand over. Invalid: the colleague leads no replies of this institution.
    """
    require(by, Permission.HAND_OVER, Target(institution_id))
    leads = session.scalar(
        select(Membership.id).where(
            Membership.user_id == to.id, Membership.institution_id == institution_id, Membership.ended_at.is_(None),
            Membership.role.in_(LEADERS),
        )
    )  # fmt: skip
    if leads is None or not to.active or to.id == by.user_id:
        sentence = _l("Choose a focal point or alternate of your institution.")
        raise Invalid(sentence, problems=[Problem(sentence, field="to")])
    actor = session.scalars(select(Actor.id).where(Actor.user_id == to.id)).one()
    replies = (
        select(Submission.id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.institution_id == institution_id)
    )
    held = select(Collection.id).where(Collection.submission_id.in_(replies))
    shares = select(Delegation.id).where(
        Delegation.submission_id.in_(replies) | Delegation.collection_id.in_(held), Delegation.revoked_at.is_(None)
    )
    mine = session.scalars(shares).all(), session.scalars(held).all()
    session.execute(update(Delegation).where(Delegation.id.in_(mine[0])).values(held_by=actor))
    session.execute(update(Collection).where(Collection.id.in_(mine[1])).values(held_by=actor))
    made = HandedOver(len(mine[0]), len(mine[1]))
    audit.record(
        session, "hand_over", by=by, kind="institution", thing=by.part.institution_code if by.part else "",
        to=to.public_id, shares=made.shares, collections=made.collections, note=note.strip()[:2000],
    )  # fmt: skip
    return made
