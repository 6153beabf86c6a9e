"""Who did something, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Actor, Delegation, UserAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session


def actor_names(session: Session, actor_ids: Iterable[int | None]) -> dict[int, Mapping[str, str]]:
    """Return the names of some actors by id, in one query; the system and unknown ones are left out.

    A person without an account is called what the focal point called them, in every language.
    """
    wanted = {actor_id for actor_id in actor_ids if actor_id is not None}
    if not wanted:
        return {}
    rows = session.execute(
        select(Actor.id, UserAccount.names, Delegation.name)
        .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
        .outerjoin(Delegation, Delegation.id == Actor.delegation_id)
        .where(Actor.id.in_(wanted))
    )
    return {actor_id: names or {"": name} for actor_id, names, name in rows if names or name}
