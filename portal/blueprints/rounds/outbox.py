"""The outbox: what was mailed, what waits, what failed and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.rounds.door import blueprint, list_url
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import MailStatus, OutgoingMail
from portal.permissions import Permission
from portal.queries import previews
from portal.services import mail

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/outbox")
@requires(Permission.ISSUE_ROUND)
def outbox() -> ResponseReturnValue:
    """Show the newest mails and where each stands."""
    asked = request.args.get("status", "")
    status = MailStatus(asked) if asked in set(MailStatus) else None
    return render_template(
        "rounds/outbox.html",
        mails=previews.mails(db.session, status=status),
        counts=previews.mail_counts(db.session),
        status=status,
        list_url=list_url(),
    )


def _mail(public_id: str) -> OutgoingMail:
    found = db.session.scalar(select(OutgoingMail).where(OutgoingMail.public_id == public_id))
    if found is None:
        raise NotFound
    return found


@blueprint.post("/outbox/<public_id>/retry")
@requires(Permission.ISSUE_ROUND, on=_mail)
def retry_mail(found: OutgoingMail) -> ResponseReturnValue:
    """Send a failed mail once more."""
    with write() as database:
        mail.retry(database, database.get_one(OutgoingMail, found.id, populate_existing=True), by=who())
    notice(_("The mail will be sent again."))
    return redirect(url_for("rounds.outbox"), code=303)
