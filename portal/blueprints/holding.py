"""Who holds a reply now, in words: by name for its own institution, as a part only for the secretariat."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.guard import who
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, can
from portal.queries.sharing import Holder, at_work, holder, with_delegates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from portal.models import Status
    from portal.queries.rates import Reply
    from portal.queries.submissions import SubmissionHead

NAMED = 2  # delegates whose names are said; the others are counted


def held_by(heads: Sequence[SubmissionHead]) -> dict[int, str]:
    """Say who holds some replies of one's own institution, by reply; one query, however many."""
    working = at_work(db.session, [head.id for head in heads])
    return {
        head.id: _inside(holder(head.status, shared=head.id in working), working.get(head.id, [])) for head in heads
    }


def holding_of(head: SubmissionHead) -> dict[str, Any]:
    """Return who holds one reply of one's own institution, and where the work on it is shared."""
    editing = head.status in EDITABLE and can(who(), Permission.SHARE_SUBMISSION, head)
    return {
        "words": held_by([head])[head.id],
        "share_url": url_for("respond.share", public_id=head.public_id) if editing else "",
    }


def _inside(by: Holder, working: Sequence[str]) -> str:
    names = [name for name in working if name]
    if by is Holder.DELEGATE and names:
        said = ", ".join(names[:NAMED])
        more = len(names) - NAMED
        if more > 0:
            return str(
                ngettext("now with %(names)s and %(num)s more", "now with %(names)s and %(num)s more", more, names=said)
            )
        return str(_("now with %(names)s", names=said))
    if by is Holder.DELEGATE:
        return str(_("with the units that were asked"))
    return part_words(by)


def part_words(by: Holder) -> str:
    """Say who holds a reply, as a part."""
    match by:
        case Holder.FOCAL_POINT:
            return str(_("with the focal point"))
        case Holder.DELEGATE:
            return str(_("with whom the focal point asked"))
        case Holder.APPROVER:
            return str(_("with the approver"))
        case Holder.SECRETARIAT:
            return str(_("with the secretariat"))
        case Holder.NOBODY:
            return ""


def last_day(until: datetime) -> date:
    """Return the last whole day before a moment, in the country."""
    return (until - timedelta(seconds=1)).astimezone(ZoneInfo(g.country.time_zone)).date()


class Holding:
    """Who holds the replies of a round, for the secretariat: parts only, one query for all of them."""

    def __init__(self, round_id: int) -> None:
        self._shared = with_delegates(db.session, round_id)

    def part(self, submission_id: int, status: Status) -> str:
        """Say who holds one reply; "" for nobody."""
        return part_words(holder(status, shared=submission_id in self._shared))

    def parts(self, replies: Iterable[Reply]) -> list[tuple[str, int]]:
        """Count the replies that are being written by who holds them, the commonest first; other states say it."""
        writing = (one for one in replies if one.status in EDITABLE)
        counted: Mapping[str, int] = Counter(self.part(one.submission_id, one.status) for one in writing)
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
