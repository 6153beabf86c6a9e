"""Beside the shared questions: who else has the page open, and coming in again without losing what is on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.guard import by_link, public, repeats
from portal.blueprints.returning import copy_secret
from portal.blueprints.shared.door import Shared, blueprint, shared
from portal.blueprints.shared.section import page_of
from portal.csrf_tokens import csrf_token
from portal.database import write
from portal.extensions import db
from portal.queries.presence import others_here
from portal.services import presence as services
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_TOKEN = re.compile(r"/shared/([A-Za-z0-9_-]{20,64})(?![A-Za-z0-9_/-])")


@blueprint.get("/work/<public_id>/keys")
@by_link(shared)
def keys(on: Shared) -> ResponseReturnValue:
    """Tell an open page whose it is now, and with which token its forms may be sent."""
    return {"csrf": csrf_token(), "keeps": copy_secret(on.principal)}


@blueprint.post("/work/<public_id>/pages/<code>/here")
@by_link(shared)
@repeats("being there twice is being there")
def say_here(on: Shared) -> ResponseReturnValue:
    """Note that the person has the page open (``?leave=1``: no longer); tell who else has."""
    page = page_of(on).code
    with write() as session:
        if request.args.get("leave"):
            services.leave(session, on.head, page, by=on.principal)
        else:
            services.see(session, on.head, page, by=on.principal)
    return {"here": _names(on, page)}


@blueprint.get("/work/<public_id>/pages/<code>/here")
@by_link(shared)
def here(on: Shared) -> ResponseReturnValue:
    """List who else has the page open, for a reader without script."""
    page = page_of(on).code
    back = url_for("shared.section", public_id=on.delegation.public_id, code=page)
    return render_template("respond/here.html", names=_names(on, page), back=back)


def _names(on: Shared, page: str) -> list[str]:
    found = others_here(db.session, on.head, page, on.principal)
    return [pick(names, g.view.language, g.country.languages) for names in found]


@blueprint.get("/work/<public_id>/again")
@public
def again(public_id: str) -> ResponseReturnValue:
    """Ask for the link, of which the portal keeps no copy; the page that stayed open then goes on by itself."""
    pasted = request.args.get("link", "")
    if not pasted:
        return render_template("shared/again.html", public_id=public_id, error="", pasted="")
    found = _TOKEN.search(pasted.strip())
    if found is None:
        error = _("This is not a link to shared questions. Copy the whole link from the message.")
        return render_template("shared/again.html", public_id=public_id, error=error, pasted=pasted), 422
    return redirect(url_for("shared.link", token=found[1]), code=303)
