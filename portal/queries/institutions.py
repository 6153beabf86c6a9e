"""Institutions in protocol order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import Institution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session


def institution_names(session: Session) -> list[tuple[str, Mapping[str, str]]]:
    """Return code and names of the active institutions, in protocol order."""
    rows = session.execute(
        select(Institution.code, Institution.names)
        .where(Institution.active.is_(True))
        .order_by(Institution.rank, Institution.id)
    )
    return [(row.code, row.names) for row in rows]
