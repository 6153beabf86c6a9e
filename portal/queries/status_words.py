"""Where a reply stands, in words: the one list, said to its institution, to the secretariat, or in a report.

Readers are told apart where they must be: an institution reads "not started" where a report says "not opened yet".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.models import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.table import Speakable


class To(StrEnum):
    """Who reads the words."""

    INSTITUTION = "institution"
    STAFF = "staff"
    REPORT = "report"


_TO_ALL: Mapping[Status, Speakable] = {
    Status.ISSUED: _l("Not started"),
    Status.IN_PROGRESS: _l("Being answered"),
    Status.AWAITING_SIGN_OFF: _l("Waiting for signature"),
    Status.SUBMITTED: _l("Handed in"),
    Status.RETURNED: _l("Returned"),
    Status.CLEARED: _l("Cleared"),
    Status.CLAIMED: _l("Says: not ours"),
    Status.NOT_OURS: _l("Not ours, confirmed"),
    Status.WITHDRAWN: _l("Withdrawn"),
    Status.LAPSED: _l("Lapsed"),
}
_OTHERWISE: Mapping[To, Mapping[Status, Speakable]] = {
    To.INSTITUTION: {Status.RETURNED: _l("Returned to you")},
    To.STAFF: {},
    To.REPORT: {
        Status.ISSUED: _l("Not opened yet"),
        Status.AWAITING_SIGN_OFF: _l("Waits for signature"),
        Status.RETURNED: _l("Returned for correction"),
        Status.NOT_OURS: _l("Confirmed: not theirs"),
        Status.LAPSED: _l("Round closed without reply"),
    },
}


def status_words(status: Status | str, to: To | str = To.INSTITUTION) -> str:
    """Return where a reply stands, in the words of its reader and the language in force."""
    standing = Status(status)
    return str(_OTHERWISE[To(to)].get(standing) or _TO_ALL[standing])
