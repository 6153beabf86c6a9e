"""Colleagues of the secretariat who enter one page from paper: named to each other, as people of an institution are.

The institution's page names them too while they are at it; who of the institution is on its page is not theirs to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, render_template, request, url_for

from portal.blueprints.documents.door import DocumentOf, blueprint, paper_on
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.posting import load
from portal.database import write
from portal.errors import IllegalTransition, NotFound
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.presence import entering_here
from portal.services import documents, presence
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.post("/review/<public_id>/paper/<document>/pages/<code>/here")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
@repeats("being there twice is being there")
def say_here(on: DocumentOf) -> ResponseReturnValue:
    """Note that somebody enters this page (``?leave=1``: no longer); tell who else does."""
    page = _page(on)
    with write() as session:
        if request.args.get("leave"):
            presence.leave(session, on.head, page, by=who())
        else:
            presence.see(session, on.head, page, by=documents.on_behalf(session, on.head, by=who()))
    return {"here": _names(on, page)}


@blueprint.get("/review/<public_id>/paper/<document>/pages/<code>/here")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def here(on: DocumentOf) -> ResponseReturnValue:
    """List who else enters this page, for a reader without script."""
    page = _page(on)
    back = url_for("documents.enter", public_id=on.head.public_id, document=on.document.public_id, code=page)
    return render_template("respond/here.html", names=_names(on, page), back=back)


def _page(on: DocumentOf) -> str:
    if on.head.status not in EDITABLE:
        raise IllegalTransition
    definition, _ids = load(on.head)
    if on.code not in {page.code for page in definition.pages}:
        raise NotFound
    return on.code


def _names(on: DocumentOf, page: str) -> list[str]:
    found = entering_here(db.session, on.head, page, who())
    return [pick(names, g.view.language, g.country.languages) for names in found]
