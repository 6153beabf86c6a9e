"""A reply that is changed leaves the pack that was printed with it (docs/decisions/0025)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from portal.models import Action, PackedReply, SubmissionEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

# what leaves the printed bytes as they are: handing them in now and the signature later, reading and clearing them;
# and what is begun only now was never printed
STAYS = frozenset({Action.HAND_IN_PENDING, Action.START_REVIEW, Action.CLEAR, Action.FIRST_SAVE})


def leave_packs(session: Session, acts: Mapping[int, Action]) -> None:
    """Take the replies of these acts out of the packs that are out; the acts are stored already.

    The pack's own signature closes its replies first, so it takes none of them out.
    """
    gone = [submission for submission, action in acts.items() if action not in STAYS]
    if not gone:
        return
    last = (
        select(func.max(SubmissionEvent.id))
        .where(SubmissionEvent.submission_id == PackedReply.submission_id)
        .scalar_subquery()
    )
    session.execute(
        update(PackedReply)
        .where(PackedReply.submission_id.in_(gone), PackedReply.open.is_(True))
        .values(open=False, left_event_id=last)
        .execution_options(synchronize_session=False)
    )
