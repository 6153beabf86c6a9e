"""Asking many units at once, following who has answered, and taking over what they said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import segno
from flask import current_app, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.quoting import quoted
from forms.sharing import CollectForm, read_units
from forms.tables import tables
from portal import clock
from portal.blueprints.answering import context_for, load
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.holding import last_day
from portal.blueprints.page import notice
from portal.blueprints.respond import collected_views as views
from portal.blueprints.respond.door import blueprint, own_reply
from portal.blueprints.respond.sharing import about, line_view, link_of, placed, question_groups, today
from portal.blueprints.respond.sharing_texts import message
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Collection, Unit
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import sharing as queries
from portal.queries.collected import unit_replies
from portal.queries.evidence import evidence_of
from portal.queries.submissions import head_by_id
from portal.services import collecting as services
from portal.services import sharing, taking_over
from portal.table import pick
from portal.templating import languages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.queries.collected import UnitReply
    from portal.queries.submissions import SubmissionHead
    from portal.services.taking_over import Plan


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
@repeats("the page shows codes that are kept nowhere; a second collection can be taken back")
def start_collection(head: SubmissionHead) -> ResponseReturnValue:
    """Ask the units, and show every link and code once: to copy, to print."""
    form = CollectForm()
    if not form.validate_on_submit():
        return _collect_page(head, form, status=422)
    definition, _ids = load(head)
    codes = request.form.getlist("codes")
    asked = sharing.Asked(
        codes,
        sharing.end_of(form.until.data, g.country.time_zone),
        quoted(definition, codes) if request.form.get("quote") == "y" else (),
        form.note.data or "",
    )
    context = context_for(who(), head, definition)
    try:
        with write() as session:
            units = _units(session, head.institution_id, form.units.data or "")
            made, given = services.collect(session, head, definition, asked, units, context=context, by=who())
    except Invalid as error:
        return _collect_page(head, placed(form, error), status=422)
    return _links_page(head, made, given)


def _units(session: Any, institution_id: int, pasted: str) -> list[Unit]:
    """Return the units that were ticked, then those that were typed in."""
    ticked = set(request.form.getlist("unit"))
    known = [one for one in queries.units_of(session, institution_id) if one.public_id in ticked]
    return [*known, *services.keep_units(session, institution_id, read_units(pasted), by=who())]


def _links_page(head: SubmissionHead, made: Collection, given: Sequence[sharing.Given]) -> str:
    rows = [
        {
            "id": f"u{number}",
            "name": one.delegation.name,
            "contact": one.delegation.contact,
            "url": (url := link_of(one)),
            "code": one.spoken_code,
            "qr": segno.make(url, error="m").svg_data_uri(scale=3, border=2),
            "texts": [(own.code, own.name, message(one, head, url, own.code)) for own in languages()],
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
        collection_url=url_for("respond.collection", public_id=made.public_id),
    )


@blueprint.get("/collections/<public_id>")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def collection(of: CollectionOf) -> ResponseReturnValue:
    """Show which units have answered, and their answers side by side."""
    return _collection_page(of)


def _collection_page(of: CollectionOf, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    head, one = of.head, of.collection
    definition, _ids = load(head)
    replies = unit_replies(db.session, one, definition)
    lines = [reply.line for reply in replies]
    page = render_template(
        "respond/collection.html",
        head=head,
        error=error,
        collection=one,
        over=one.expires_at <= clock.now(),
        until=last_day(one.expires_at),
        lines=[line_view(line, head, definition) | {"new": line.new_since} for line in lines],
        begun=sum(1 for line in lines if line.last_saved),
        finished=sum(1 for line in lines if line.delegation.finished_at),
        fresh=sum(1 for line in lines if line.new_since),
        results=views.results(definition, one.items, replies, _files(replies, one)),
        can_take=head.status in EDITABLE,
        share_url=url_for("respond.share", public_id=head.public_id),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        **about(head),
    )
    return page, status


def _files(replies: Sequence[UnitReply], one: Collection) -> dict[int, list[tuple[str, str]]]:
    """Return the files of the units by delegation: (name, address)."""
    found: dict[int, list[tuple[str, str]]] = {}
    for reply in replies:
        if reply.line.last_saved is None:
            continue
        found[reply.line.delegation.id] = [
            (file.filename or "", url_for("respond.unit_file", public_id=one.public_id, number=file.number))
            for file in evidence_of(db.session, reply.line.delegation.submission_id)
        ]
    return found


@blueprint.post("/collections/<public_id>/units")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
@repeats("the page shows codes that are kept nowhere; a unit is asked once")
def ask_more(of: CollectionOf) -> ResponseReturnValue:
    """Ask some units more, and show their links and codes once."""
    head = of.head
    definition, _ids = load(head)
    context = context_for(who(), head, definition)
    try:
        with write() as session:
            units = _units(session, head.institution_id, request.form.get("units", ""))
            one = session.get_one(Collection, of.collection.id)
            given = services.ask_units(session, head, definition, one, units, context=context, by=who())
    except Invalid as error:
        return _collection_page(of, error=str(error), status=422)
    return _links_page(head, of.collection, given)


@blueprint.get("/collections/<public_id>/files/<int:number>")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def unit_file(of: CollectionOf) -> ResponseReturnValue:
    """Give a file of a unit, always as a download, never rendered (ASVS 3.2.1, 5.3.1)."""
    definition, _ids = load(of.head)
    wanted = int((request.view_args or {})["number"])
    for reply in unit_replies(db.session, of.collection, definition):
        for one in evidence_of(db.session, reply.line.delegation.submission_id):
            path = current_app.config["SETTINGS"].evidence_dir / (one.sha256 or "")[:2] / (one.sha256 or "")
            if one.number == wanted and one.sha256 and path.is_file():
                response = send_file(path, mimetype=one.media_type, as_attachment=True, download_name=one.filename)
                response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
                response.headers["Cache-Control"] = "private, no-store"
                return response
    raise NotFound


@blueprint.get("/collections/<public_id>/take")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def preview_taking(of: CollectionOf) -> ResponseReturnValue:
    """Show old and new of everything that taking over would change."""
    return _take_page(of)


def _plan(of: CollectionOf, definition: Definition, source: Any) -> Plan:
    replies = unit_replies(db.session, of.collection, definition)
    named_in = {code: source.get(f"unit-column:{code}", "") for code in tables(definition)}
    context = context_for(who(), of.head, definition)
    return taking_over.plan(
        db.session, of.collection, of.head, definition, replies, context=context, named_in=named_in
    )


def _take_page(of: CollectionOf, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    definition, _ids = load(of.head)
    source = request.values
    plan = _plan(of, definition, source)
    page = render_template(
        "respond/take_over.html",
        head=of.head,
        error=error,
        plan=views.plan_view(definition, plan),
        gone=plan.gone,
        columns=views.unit_columns(definition, of.collection.items, source),
        can_take=of.head.status in EDITABLE,
        collection_url=url_for("respond.collection", public_id=of.collection.public_id),
        **about(of.head),
    )
    return page, status


@blueprint.post("/collections/<public_id>/take")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def take_over(of: CollectionOf) -> ResponseReturnValue:
    """Put the chosen lines into the reply, each against the revision that the preview showed."""
    definition, ids = load(of.head)
    if request.form.get("action") == "again":
        chosen = {f"unit-column:{code}": request.form.get(f"unit-column:{code}", "") for code in tables(definition)}
        address = url_for("respond.preview_taking", public_id=of.collection.public_id)
        return redirect(f"{address}?{urlencode(chosen)}", code=303)
    made = _plan(of, definition, request.form)
    bases = {
        name.removeprefix("base:"): request.form.get(name, 0, int) for name in request.form if name.startswith("base:")
    }
    context = context_for(who(), of.head, definition)
    with write() as session:
        saved = taking_over.take_over(
            session, session.get_one(Collection, of.collection.id), of.head, definition, ids, made,
            frozenset(request.form.getlist("take")), bases, context=context, by=who(),
        )  # fmt: skip
    left = [*saved.stale, *saved.refused_rows, *[one for one in saved.refused if not one.kept]]
    if left:
        sentence = str(left[0].message) if hasattr(left[0], "message") else ""
        told = sentence or _("Somebody changed the reply meanwhile. Look at old and new again, then take over.")
        return _take_page(of, error=told, status=409)
    many = len(saved.saved)
    notice(ngettext("%(num)s answer was taken over.", "%(num)s answers were taken over.", many))
    return redirect(url_for("respond.collection", public_id=of.collection.public_id), code=303)
