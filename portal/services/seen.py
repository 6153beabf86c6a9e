"""What a person has read to its end: noted when they say so, sign, or hand back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.models import ReplySeen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from portal.permissions import Principal


def note_seen(session: Session, submission_ids: Iterable[int], *, by: Principal) -> None:
    """Note that a person has read replies as they stand now; call inside ``write()``."""
    rows = [
        {"submission_id": one, "actor_id": by.actor_id, "seen_at": clock.now()} for one in sorted(set(submission_ids))
    ]
    if not rows:
        return
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(ReplySeen.__table__)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["submission_id", "actor_id"], set_={"seen_at": insert.excluded.seen_at}
        ),
        rows,
    )
