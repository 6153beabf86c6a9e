"""Colleagues who have the same page open: a light ping of an open page, and a list for those without script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, render_template, request, url_for

from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.respond.door import OnPage, blueprint, own_page
from portal.database import write
from portal.extensions import db
from portal.permissions import Permission
from portal.queries.presence import others_here
from portal.services import presence as services
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.post("/replies/<public_id>/pages/<code>/here")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
@repeats("being there twice is being there")
def say_here(on: OnPage) -> ResponseReturnValue:
    """Note that somebody has the page open (``?leave=1``: no longer); tell who else has."""
    with write() as session:
        if request.args.get("leave"):
            services.leave(session, on.head, on.code, by=who())
        else:
            services.see(session, on.head, on.code, by=who())
    return {"here": _names(on)}


@blueprint.get("/replies/<public_id>/pages/<code>/here")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def here(on: OnPage) -> ResponseReturnValue:
    """List who else has the page open, for a reader without script."""
    back = url_for("respond.section", public_id=on.head.public_id, code=on.code)
    return render_template("respond/here.html", names=_names(on), back=back)


def _names(on: OnPage) -> list[str]:
    found = others_here(db.session, on.head, on.code, who())
    return [pick(names, g.view.language, g.country.languages) for names in found]
