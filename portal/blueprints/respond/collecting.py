"""Asking many units at once, and following who has answered what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import segno
from flask import g, render_template, request, url_for

from forms.quoting import quoted
from forms.sharing import CollectForm, read_units
from portal import clock
from portal.blueprints import receiving
from portal.blueprints.answering import why_closed
from portal.blueprints.guard import requires, who
from portal.blueprints.holding import last_day
from portal.blueprints.once import shown_once
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond import collected_views as views
from portal.blueprints.respond.door import blueprint, own_reply
from portal.blueprints.respond.sharing import about, line_view, link_of, placed, question_groups, today
from portal.blueprints.respond.sharing_texts import messages
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import sharing as queries
from portal.queries.collected import unit_replies
from portal.queries.submissions import head_by_id
from portal.services import collecting as services
from portal.services import sharing
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.models import Collection, Unit
    from portal.queries.submissions import SubmissionHead


class CollectionOf:
    """A collection with the reply that it serves; permissions look at the reply."""

    def __init__(self, collection: Collection, head: SubmissionHead) -> None:
        self.collection, self.head = collection, head
        self.institution_id, self.status = head.institution_id, head.status


def collection_on(public_id: str, **_more: Any) -> CollectionOf:
    """Load a collection of one's own institution."""
    found = queries.find_collection(db.session, public_id)
    if found is None:
        raise NotFound
    head = head_by_id(db.session, found.submission_id)
    if head.institution_id != who().institution_id:
        raise NotFound
    return CollectionOf(found, head)


@blueprint.get("/replies/<public_id>/collect")
@requires(Permission.SHARE_SUBMISSION, on=own_reply)
def collect(head: SubmissionHead) -> ResponseReturnValue:
    """Choose questions or a table, and the units that are asked."""
    form = CollectForm(formdata=None)
    form.until.data = sharing.default_day(head.due_on, today())
    return _collect_page(head, form)


def _collect_page(head: SubmissionHead, form: CollectForm, *, status: int = 200) -> ResponseReturnValue:
    definition, _ids = load(head)
    chosen = set(request.form.getlist("codes"))
    ticked = set(request.form.getlist("unit"))
    known = queries.units_of(db.session, head.institution_id)
    page = render_template(
        "respond/collect.html",
        head=head,
        form=form,
        open=head.status in EDITABLE,
        groups=question_groups(head, definition, chosen),
        units=[(one.public_id, one.name, one.contact, one.public_id in ticked or not request.form) for one in known],
        share_url=url_for("respond.share", public_id=head.public_id),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        **about(head),
    )
    return page, status


@blueprint.post("/replies/<public_id>/collect")
@requires(Permission.SHARE_SUBMISSION, on=own_reply)
def start_collection(head: SubmissionHead) -> ResponseReturnValue:
    """Ask the units, and show every link and code once: to copy, to print."""
    form = CollectForm()
    if not form.validate_on_submit():
        return _collect_page(head, form, status=422)
    definition, _ids = load(head)
    codes = sharing.with_follow_ups(definition, request.form.getlist("codes"), head)
    asked = sharing.Asked(
        codes,
        sharing.end_of(form.until.data, g.country.time_zone),
        quoted(definition, codes) if request.form.get("quote") == "y" else (),
        form.note.data or "",
    )
    context = context_for(who(), head, definition)
    try:
        with write() as session:
            units = chosen_units(session, head.institution_id, form.units.data or "")
            made, given = services.collect(session, head, definition, asked, units, context=context, by=who())
    except Invalid as error:
        return _collect_page(head, placed(form, error), status=422)
    return links_page(head, made, given)


def chosen_units(session: Session, institution_id: int, pasted: str) -> list[Unit]:
    """Return the units that were ticked, then those that were typed in."""
    ticked = set(request.form.getlist("unit"))
    known = [one for one in queries.units_of(session, institution_id) if one.public_id in ticked]
    return [*known, *services.keep_units(session, institution_id, read_units(pasted), by=who())]


def links_page(head: SubmissionHead, made: Collection, given: Sequence[sharing.Given]) -> str:
    """Show links and codes of units once; the page sent again leads to the collection."""
    collection = url_for("respond.collection", public_id=made.public_id)
    shown_once(collection)
    rows = [
        {
            "id": f"u{number}",
            "name": one.delegation.name,
            "contact": one.delegation.contact,
            "url": (url := link_of(one)),
            "code": one.spoken_code,
            "qr": segno.make(url, error="m").svg_data_uri(scale=3, border=2),
            "texts": messages(one, head, url),
        }
        for number, one in enumerate(given, start=1)
    ]
    return render_template(
        "respond/collection_links.html",
        rows=rows,
        # one line per unit with tabs between: it pastes into Excel as a table
        table="\n".join(
            "\t".join((one.delegation.name, one.delegation.contact, link_of(one), one.spoken_code)) for one in given
        ),
        until=last_day(made.expires_at),
        collection_url=collection,
    )


@blueprint.get("/collections/<public_id>")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def collection(of: CollectionOf) -> ResponseReturnValue:
    """Show which units have answered, and their answers side by side."""
    head, one = of.head, of.collection
    definition, ids = load(head)
    replies = unit_replies(db.session, one, definition)
    lines = [reply.line for reply in replies if reply.line.delegation.left_out_at is None]
    return render_template(
        "respond/collection.html",
        head=head,
        collection=one,
        over=one.expires_at <= clock.now(),
        until=last_day(one.expires_at),
        lines=[line_view(line, head, definition) | {"new": line.new_since} for line in lines],
        removed=len(replies) - len(lines),
        begun=sum(1 for line in lines if line.last_saved),
        finished=sum(1 for line in lines if line.delegation.finished_at),
        fresh=sum(1 for line in lines if line.new_since),
        results=views.results(definition, ids, one, replies),
        closed=why_closed(head.status),
        share_url=url_for("respond.share", public_id=head.public_id),
        units_url=url_for("respond.units", public_id=one.public_id),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        **about(head),
    )


@blueprint.get("/collections/<public_id>/files/<int:number>")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def unit_file(of: CollectionOf) -> ResponseReturnValue:
    """Give a file of a unit, always as a download, never rendered (ASVS 3.2.1, 5.3.1)."""
    definition, _ids = load(of.head)
    wanted = int((request.view_args or {})["number"])
    for reply in unit_replies(db.session, of.collection, definition):
        for one in reply.files:
            if one.number == wanted:
                return receiving.give(one.sha256, one.media_type, one.filename, one.number)
    raise NotFound
