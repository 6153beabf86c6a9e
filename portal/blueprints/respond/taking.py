"""Taking over what units answered: old and new of every line first, then one button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.answers import field_name
from forms.tables import tables
from portal.blueprints import receiving
from portal.blueprints.answering import why_closed
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond import taking_since
from portal.blueprints.respond import taking_views as views
from portal.blueprints.respond.collecting import CollectionOf, collection_on
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.sharing import about
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import Collection
from portal.permissions import Permission
from portal.queries.collected import unit_replies
from portal.queries.submissions import answers
from portal.services import taking_over, taking_plan
from portal.services.taking_shown import Chosen, Note, moved, still_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from forms.context import Context
    from forms.definition.model import Definition
    from portal.services.submissions import Saved
    from portal.services.taking_lines import Plan


@blueprint.get("/collections/<public_id>/take")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def preview_taking(of: CollectionOf) -> ResponseReturnValue:
    """Show old and new of everything that taking over would change."""
    return _take_page(of)


def _plan(of: CollectionOf, definition: Definition, context: Context, source: Any) -> Plan:
    replies = unit_replies(db.session, of.collection, definition)
    named_in = {code: source.get(f"unit-column:{code}", "") for code in tables(definition)}
    return taking_plan.plan(db.session, of.collection, of.head, definition, replies, context=context, named_in=named_in)


def _take_page(
    of: CollectionOf, *, errors: Sequence[str] = (), done: str = "", status: int = 200
) -> ResponseReturnValue:
    definition, _ids = load(of.head)
    source = request.values
    context = context_for(who(), of.head, definition)
    plan = views.plan_view(definition, _plan(of, definition, context, source), of.collection)
    page = render_template(
        "respond/take_over.html",
        head=of.head,
        errors=errors,
        done=done,
        plan=taking_since.as_chosen(plan) if request.method == "POST" else plan,
        columns=views.unit_columns(definition, of.collection.items, source),
        targets=views.targets(definition, of.head, context.languages, answers(db.session, of.head.id)),
        closed=why_closed(of.head.status),
        collection_url=url_for("respond.collection", public_id=of.collection.public_id),
        **about(of.head),
    )
    return page, status


@blueprint.post("/collections/<public_id>/take")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def take_over(of: CollectionOf) -> ResponseReturnValue:
    """Put the chosen lines into the reply, as they were shown and against the revision that was shown."""
    definition, ids = load(of.head)
    if request.form.get("action") == "again":
        chosen = {f"unit-column:{code}": request.form.get(f"unit-column:{code}", "") for code in tables(definition)}
        address = url_for("respond.preview_taking", public_id=of.collection.public_id)
        return redirect(f"{address}?{urlencode(chosen)}", code=303)
    context = context_for(who(), of.head, definition)
    made = _plan(of, definition, context, request.form)
    wanted = Chosen(
        frozenset(request.form.getlist("take")),
        {name.removeprefix("pick:"): way for name, way in request.form.items() if name.startswith("pick:")},
        _notes(of, definition, context, made),
        _bases(),
        taking_since.shown(),
    )
    try:
        with write() as session:
            saved = taking_over.take_over(
                session, session.get_one(Collection, of.collection.id), of.head, definition, ids, made, wanted,
                context=context, by=who(), quota=receiving.quota(),
            )  # fmt: skip
    except Invalid as refused:
        return _take_page(of, errors=[str(refused)], status=422)
    done = taking_since.done(made, still_shown(made, wanted), saved)
    left = [taking_since.told(definition, one) for one in moved(made, wanted)]
    if told := _left(saved):
        left.append(told)
    if left:
        return _take_page(of, errors=left, done=done, status=409)
    notice(done or _("Nothing was taken over."))
    return redirect(url_for("respond.collection", public_id=of.collection.public_id), code=303)


def _bases() -> dict[str, int]:
    """Return the revisions that the preview showed, by the name of the answer."""
    shown = [name for name in request.form if name.startswith("base:")]
    return {name.removeprefix("base:"): request.form.get(name, 0, int) for name in shown}


def _left(saved: Saved) -> str:
    """Say why something that was chosen is not in the reply, "" if all is."""
    left = [*saved.stale, *saved.stale_rows, *saved.refused_rows, *[one for one in saved.refused if not one.kept]]
    if not left:
        return ""
    sentence = str(left[0].message) if hasattr(left[0], "message") else ""
    return sentence or str(_("Somebody changed the reply meanwhile. Look at old and new again, then take over."))


def _notes(of: CollectionOf, definition: Definition, context: Context, made: Plan) -> dict[str, Note]:
    """Return what is to be written into texts: who said what, by the line that it is about."""
    stored = answers(db.session, of.head.id)
    open_to = {field_name(key): key for key in views.target_keys(definition, of.head, context.languages)}
    found = {}
    for pick in made.picks:
        target = open_to.get(request.form.get(f"note:{pick.name}", ""))
        if target is not None:
            there = stored.get(target)
            old = str(there.value) if there is not None and there.value is not None else ""
            text = views.note_text(definition, pick, target.lang)
            found[pick.name] = Note(target, old, there.revision if there else 0, text)
    return found
