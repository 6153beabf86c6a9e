"""The list of rounds, each with its rate, its next date and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.follow.door import address, blueprint, rooms, say, today
from portal.blueprints.guard import requires, who
from portal.blueprints.talk.news import fresh
from portal.extensions import db
from portal.permissions import Permission, may
from portal.queries.rates import round_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from flask.typing import ResponseReturnValue

    from portal.queries.rates import RoundLine


@blueprint.get("/rounds")
@requires(Permission.VIEW_ROUND)
def rounds() -> ResponseReturnValue:
    """List the rounds."""
    day = today()
    return render_template(
        "follow/rounds.html",
        news=fresh(),
        rows=[_row(line, day) for line in round_lines(db.session)],
        new_url=address("rounds.new") if may(who(), Permission.EDIT_ROUND) else "",
    )


def _row(line: RoundLine, day: date) -> dict[str, Any]:
    board = url_for("follow.board", slug=line.slug)
    words, url = _next(line, day)
    return {
        "title": say(line.titles),
        "url": board,
        "status": line.status,
        "received": line.received,
        "issued": line.issued,
        "date": next_date(line, day),
        "to_do": words,
        "to_do_url": url or board,
    }


def next_date(of: Any, day: date) -> tuple[str, date] | None:
    """Return the next of a round's dates with what happens then; None when all lie behind."""
    dates = [
        (_("opens"), of.opens_on),
        (_("replies due"), of.due_on),
        (_("closes"), of.closes_on),
        (_("freezes"), of.freezes_on),
        (_("report due at the UN"), of.un_due_on),
    ]
    return next(((words, at) for words, at in dates if at is not None and at >= day), None)


def _next(line: RoundLine, day: date) -> tuple[str, str]:
    places = rooms(line.slug)
    if line.assigned == 0:
        return _("Say who is asked about what"), places["matrix"]
    if line.waiting_to_issue:
        words = ngettext("%(num)s assignment waits to be sent out", "%(num)s assignments wait to be sent out",
                         line.waiting_to_issue)  # fmt: skip
        return words, places["preview"]
    if line.claims:
        words = ngettext("Settle %(num)s claim of “not ours”", "Settle %(num)s claims of “not ours”", line.claims)
        return words, ""
    if line.to_review:
        return ngettext("Review %(num)s reply", "Review %(num)s replies", line.to_review), ""
    return _after_review(line, day, places)


def _after_review(line: RoundLine, day: date, places: Mapping[str, str]) -> tuple[str, str]:
    if line.status == "open" and line.closes_on < day:
        return _("The closing date has passed: close the round"), places["edit"]
    if line.received < line.issued and line.status == "open":
        missing = line.issued - line.received
        return ngettext("Follow up %(num)s missing reply", "Follow up %(num)s missing replies", missing), ""
    return _("Download the workbook"), places["workbook"]
