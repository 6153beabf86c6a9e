"""How statuses are told in charts and the grid: letter, colour and words together, so that none stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from portal.models import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.queries.rates import Count, Reply


def letters() -> dict[Status, tuple[str, str, str]]:
    """Return (letter, colour, words) of each status; a translator chooses the letter before the colon."""
    told = {
        Status.CLEARED: ("good", _("C: cleared")),
        Status.SUBMITTED: ("strong", _("H: handed in, to be reviewed")),
        Status.RETURNED: ("bad", _("R: returned with questions")),
        Status.AWAITING_SIGN_OFF: ("warn", _("S: waits to be signed")),
        Status.IN_PROGRESS: ("info", _("A: being answered")),
        Status.ISSUED: ("quiet", _("N: not started")),
        Status.CLAIMED: ("violet", _("?: says it is not theirs")),
        Status.NOT_OURS: ("violet", _("×: not theirs, confirmed")),
        Status.LAPSED: ("bad", _("L: lapsed without a reply")),
        Status.WITHDRAWN: ("quiet", _("–: withdrawn")),
    }
    found = {}
    for status, (kind, sentence) in told.items():
        letter, _colon, words = sentence.partition(":")
        found[status] = (letter.strip(), kind, words.strip())
    return found


def urgency(reply: Reply) -> tuple[int, int]:
    """Order replies of one cell: what waits for the secretariat, then what is late, then the rest."""
    order: Sequence[Status] = (Status.CLAIMED, Status.SUBMITTED, Status.LAPSED, Status.AWAITING_SIGN_OFF,
                               Status.IN_PROGRESS, Status.ISSUED, Status.RETURNED, Status.CLEARED, Status.NOT_OURS,
                               Status.WITHDRAWN)  # fmt: skip
    return order.index(reply.status), -reply.days_late


def series() -> list[tuple[str, str, str]]:
    """Return the parts of a bar of replies: (key, label, colour); received ones first."""
    return [
        ("cleared", _("Cleared"), "good"),
        ("handed_in", _("Handed in"), "strong"),
        ("returned", _("Returned"), "violet"),
        ("with_them", _("Being answered"), "info"),
        ("not_started", _("Not started"), "quiet"),
        ("late", _("Late"), "bad"),
    ]


def parts(replies: Sequence[Reply], count: Count) -> dict[str, int]:
    """Split the issued replies into the parts of a bar; late ones stand apart from those that still have time."""
    with_them = not_started = 0
    for reply in replies:
        if reply.received or reply.days_late or reply.status is Status.WITHDRAWN:
            continue
        if reply.status is Status.ISSUED:
            not_started += 1
        else:
            with_them += 1
    return {
        "cleared": count.of(Status.CLEARED, Status.NOT_OURS),
        "handed_in": count.of(Status.SUBMITTED),
        "returned": count.of(Status.RETURNED),
        "with_them": with_them,
        "not_started": not_started,
        "late": count.late,
    }
