"""What a delegation opens at the moment of a save: asked again inside ``write()``, since it may just have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select

from forms.tables import may_change, tables
from portal import clock
from portal.errors import Conflict
from portal.models import Delegation

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.permissions import Scope

TAKEN_BACK = _l(
    "These questions were taken back, so nothing more can be saved. What was saved before is kept; "
    "copy what is new from this page and ask the person who sent you the link."
)
RUN_OUT = _l(
    "The time for these questions is over, so nothing more can be saved. What was saved before is kept; "
    "copy what is new from this page and ask the person who sent you the link for more time."
)

NOT_SHARED = _l("This question is not among those that were shared with you.")


class ShareEnded(Conflict):
    """What was shared with somebody was taken back, or its time is over (409)."""

    code = "share_ended"
    default = TAKEN_BACK


_STANDS = select(Delegation.items, Delegation.revoked_at, Delegation.expires_at).where(
    Delegation.id == bindparam("delegation")
)


def open_to(
    session: Session, scope: Scope, definition: Definition, unlocked: Collection[str] | None
) -> frozenset[str]:
    """Return the questions and tables that a delegation opens now, as far as the reply itself is open.

    The delegation is read as it stands inside the save; taking one back locks the same reply, so either comes first.

    Raises:
        ShareEnded: if it was taken back or its time is over.
    """
    row = session.connection().execute(_STANDS, {"delegation": scope.delegation_id}).one()
    check_standing(row.revoked_at, row.expires_at)
    codes = [item.code for item in definition.questions()] + list(tables(definition))
    return frozenset(
        code for code in codes if may_change(definition, code, row.items) and may_change(definition, code, unlocked)
    )


def check_standing(revoked_at: datetime | None, expires_at: datetime) -> None:
    """Refuse what was taken back or has run out.

    Raises:
        ShareEnded: with the sentence.
    """
    if revoked_at is not None:
        raise ShareEnded(TAKEN_BACK)
    if expires_at <= clock.now():
        raise ShareEnded(RUN_OUT)
