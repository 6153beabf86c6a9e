"""Saying that one has finished, with a word to the focal point if one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.guard import by_link
from portal.blueprints.holding import last_day
from portal.blueprints.page import notice
from portal.blueprints.shared.door import Ended, Shared, blueprint, shared
from portal.blueprints.shared.shown import SharedPage, closed_of
from portal.database import write
from portal.extensions import db
from portal.queries.submissions import stored_reply
from portal.services import sharing
from portal.services.delegated import ShareEnded
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/work/<public_id>/finish")
@by_link(shared)
def finish_page(on: Shared) -> ResponseReturnValue:
    """Show what is not answered yet, and the one button that says "I have finished"."""
    shown = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    return render_template(
        "shared/finish.html",
        delegation=on.delegation,
        readonly=shown.readonly,
        closed=closed_of(on),
        until=last_day(on.delegation.expires_at),
        institution=pick(on.head.institution_names, g.view.language, g.country.languages),
        answered=len(shown.done_codes()),
        total=len(shown.asked_codes()),
        open=shown.unanswered(),
        troubled=shown.troubled(),
        back_url=shown.page_url(shown.pages()[-1].code),
        work_url=url_for("shared.work", public_id=on.delegation.public_id),
    )


@blueprint.post("/work/<public_id>/finish")
@by_link(shared)
def finish(on: Shared) -> ResponseReturnValue:
    """Tell the focal point that the work is done; doing so twice changes the word, and nothing else."""
    try:
        with write() as session:
            sharing.finish(session, request.form.get("message", ""), by=on.principal)
    except ShareEnded as error:
        return Ended(on.delegation, str(error)).ended()
    notice(_("Thank you. The focal point sees that you have finished."))
    return redirect(url_for("shared.finish_page", public_id=on.delegation.public_id), code=303)
