"""Units of a collection: corrected, removed, taken in again, and asked anew by a new link and code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import Delegation, Unit
from portal.services import audit
from portal.services.sharing import LONGEST_NAME, hold, renew
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import Collection
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.services.sharing import Given


def correct_unit(
    session: Session,
    head: SubmissionHead,
    delegation: Delegation,
    *,
    name: str,
    contact: str,
    seen: tuple[str, str],
    by: Principal,
) -> Unit:
    """Correct the name and contact of a unit, on its institution's list and wherever it was asked.

    ``seen`` are name and contact as the writer saw them.

    Raises:
        NotAllowed: if ``by`` may not share this reply out. Invalid: without a name, or with that of another unit.
        Conflict: somebody corrected it meanwhile.
    """
    hold(session, head, delegation, by)
    unit = session.get_one(Unit, delegation.unit_id, with_for_update=True)
    wanted, way = " ".join(name.split())[:LONGEST_NAME], contact.strip()[:LONGEST_NAME]
    if (delegation.name, delegation.contact) != seen:
        raise Conflict(_l("Somebody corrected this unit meanwhile. Look at it again."))
    if not wanted:
        raise _refused(_l("Write a name for the unit."))
    other = session.scalar(
        select(Unit.id).where(Unit.institution_id == head.institution_id, Unit.name == wanted, Unit.id != unit.id)
    )
    if other is not None:
        raise _refused(_l("Another unit of your list has this name."))
    before = unit.name
    unit.name, unit.contact = wanted, way
    session.execute(update(Delegation).where(Delegation.unit_id == unit.id).values(name=wanted, contact=way))
    session.flush()
    audit.record(session, "correct_unit", by=by, kind="unit", thing=unit.public_id, before=before, name=wanted)
    return unit


def _refused(sentence: object) -> Invalid:
    return Invalid(sentence, problems=[Problem(sentence, field="name")])  # type: ignore[arg-type] # a lazy sentence


def leave_out(session: Session, head: SubmissionHead, delegation: Delegation, *, by: Principal) -> Delegation:
    """Remove a unit from its collection: its link is closed and what it answered counts no more, though it is kept."""
    hold(session, head, delegation, by)
    if delegation.left_out_at is None:
        delegation.left_out_at = clock.now()
        delegation.revoked_at = delegation.revoked_at or delegation.left_out_at
        session.flush()
        audit.record(session, "leave_out_unit", by=by, kind="delegation", thing=delegation.public_id)
    return delegation


def take_in(session: Session, head: SubmissionHead, delegation: Delegation, *, by: Principal) -> Delegation:
    """Let what a removed unit answered count again; its link stays closed until a new one is made."""
    hold(session, head, delegation, by)
    if delegation.left_out_at is not None:
        delegation.left_out_at = None
        session.flush()
        audit.record(session, "take_in_unit", by=by, kind="delegation", thing=delegation.public_id)
    return delegation


def retire(session: Session, head: SubmissionHead, delegation: Delegation, *, by: Principal) -> Unit:
    """Take a unit off its institution's list, so that it is not offered for a next collection."""
    hold(session, head, delegation, by)
    unit = session.get_one(Unit, delegation.unit_id)
    if unit.retired_at is None:
        unit.retired_at = clock.now()
        session.flush()
        audit.record(session, "retire_unit", by=by, kind="unit", thing=unit.public_id)
    return unit


def ask_anew(session: Session, head: SubmissionHead, collection: Collection, *, by: Principal) -> list[Given]:
    """Make new links and codes for the units that have not opened theirs (lost in a chat, never arrived).

    Raises:
        Invalid: if every unit has opened its link, or the time is over.
    """
    waiting = session.scalars(
        select(Delegation)
        .join(Unit, Unit.id == Delegation.unit_id)
        .where(
            Delegation.collection_id == collection.id, Delegation.opened_at.is_(None), Delegation.revoked_at.is_(None)
        )
        .order_by(Unit.position, Unit.id)
    ).all()
    if not waiting:
        raise Invalid(_l("Every unit has opened its link."))
    return [renew(session, head, one, until=max(one.expires_at, collection.expires_at), by=by) for one in waiting]
