"""Texts go out as one workbook and come back: dry run first, two translators kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template, request

from portal.blueprints.guard import requires
from portal.blueprints.recommendations.room import blueprint
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import recommendations as queries

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/recommendations/texts")
@requires(Permission.EDIT_RECOMMENDATIONS)
def texts() -> ResponseReturnValue:
    """Explain the round trip of the texts, with its two doors."""
    return render_template(
        "recommendations/texts.html",
        documents=queries.documents(db.session),
        chosen=request.args.get("document", ""),
        errors=[],
    )
