"""Colleagues who have the same page open: a light ping of an open page, and a list for those without script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, render_template, request, url_for

from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.posting import load
from portal.blueprints.respond.door import OnPage, blueprint, own_page
from portal.blueprints.respond.section import page_of
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
    page = _page(on)
    with write() as session:
        if request.args.get("leave"):
            services.leave(session, on.head, page, by=who())
        else:
            services.see(session, on.head, page, by=who())
    return {"here": _names(on, page)}


@blueprint.get("/replies/<public_id>/pages/<code>/here")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def here(on: OnPage) -> ResponseReturnValue:
    """List who else has the page open, for a reader without script."""
    page = _page(on)
    back = url_for("respond.section", public_id=on.head.public_id, code=page)
    return render_template("respond/here.html", names=_names(on, page), back=back)


def _page(on: OnPage) -> str:
    return page_of(load(on.head)[0], on.code).code


def _names(on: OnPage, page: str) -> list[str]:
    found = others_here(db.session, on.head, page, who())
    return [pick(names, g.view.language, g.country.languages) for names in found]
