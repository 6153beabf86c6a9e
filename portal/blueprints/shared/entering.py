"""Coming in by link and code, as often and on as many devices as one likes until the day that was set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, make_response, redirect, render_template, url_for
from flask_babel import gettext as _

from forms.sharing import EntryForm
from portal.blueprints.guard import by_link, public
from portal.blueprints.shared.door import Shared, blueprint, let_in, let_out, opened, shared, stamp
from portal.blueprints.shared.shown import SharedPage
from portal.database import write
from portal.extensions import db
from portal.queries.sharing import shared_head
from portal.queries.submissions import stored_reply
from portal.services import sharing
from portal.services.sessions import Throttled, check_throttle
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import Delegation


@blueprint.get("/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """Show what a link is for; opening it, as preview robots of chats do, changes nothing."""
    found = sharing.open_link(db.session, token)
    if found is None:
        return _dead_link()
    if opened().get(found.public_id) == stamp(found):
        return redirect(url_for("shared.work", public_id=found.public_id), code=303)
    return _code_page(EntryForm(formdata=None), found)


@blueprint.post("/<token>")
@public
def enter(token: str) -> ResponseReturnValue:
    """Let a person in by the code that belongs to the link."""
    found = sharing.open_link(db.session, token)
    if found is None:
        return _dead_link()
    form = EntryForm()
    if not form.validate_on_submit():
        return _code_page(form, found), 422
    try:
        check_throttle(db.session, sharing.throttle_key(found))
        with write() as session:
            entered = sharing.enter(session, token, form.code.data)
    except Throttled:
        form.code.errors = [
            _("Too many wrong codes. Wait 15 minutes, or ask the person who sent you the link for a new one.")
        ]
        return _code_page(form, found), 429
    if entered is None:
        form.code.errors = [_("This is not the code that belongs to the link. Look at it again.")]
        return _code_page(form, found), 422
    response = make_response(redirect(url_for("shared.work", public_id=entered.public_id), code=303))
    let_in(response, entered)
    return response


def _dead_link() -> ResponseReturnValue:
    return render_template("shared/dead_link.html"), 404


def _code_page(form: EntryForm, delegation: Delegation) -> str:
    # a link alone tells who asks and no more: neither the questions nor the person
    head = shared_head(db.session, delegation)
    return render_template(
        "shared/enter.html",
        form=form,
        institution=pick(head.institution_names, g.view.language, g.country.languages),
    )


@blueprint.get("/work/<public_id>")
@by_link(shared)
def work(on: Shared) -> ResponseReturnValue:
    """Lead to the first page with a question that is not answered."""
    page = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    return redirect(page.page_url(page.first_page().code), code=303)


@blueprint.post("/work/<public_id>/leave")
@by_link(shared)
def leave(on: Shared) -> ResponseReturnValue:
    """Let this browser forget the questions; link and code open them again."""
    # said at once: every other page would ask a guest to sign in
    response = make_response(render_template("shared/leave.html"))
    let_out(response, on.delegation)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
