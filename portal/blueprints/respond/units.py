"""The units of a collection: corrected, removed, added, and sent a new link and code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.guard import requires, who
from portal.blueprints.holding import last_day
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond.collecting import CollectionOf, chosen_units, collection_on, links_page
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.sharing import DelegationOf, about, delegation_on
from portal.blueprints.respond.sharing_texts import stage_words
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import Collection, Delegation
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.collected import unit_replies
from portal.queries.sharing import retired_units, units_of
from portal.services import collecting as services
from portal.services import units as unit_services
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.queries.sharing import SharedLine


@blueprint.get("/collections/<public_id>/units")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def units(of: CollectionOf) -> ResponseReturnValue:
    """Show the units of a collection: names and contacts to correct, who can be removed, who can be added."""
    return _units_page(of)


def _units_page(
    of: CollectionOf, *, error: str = "", field: str = "units", typed: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    head, one = of.head, of.collection
    definition, _ids = load(head)
    lines = [reply.line for reply in unit_replies(db.session, one, definition)]
    asked = {line.delegation.unit_id for line in lines}
    others = [unit for unit in units_of(db.session, head.institution_id) if unit.id not in asked]
    off = retired_units(db.session, head.institution_id)
    page = render_template(
        "respond/units.html",
        head=head,
        error=error,
        field=field,
        lines=[_line(line, off, typed or {}) for line in lines if line.delegation.left_out_at is None],
        removed=[_line(line, off, {}) for line in lines if line.delegation.left_out_at is not None],
        unopened=sum(1 for line in lines if line.delegation.opened_at is None and line.running),
        others=[(unit.public_id, unit.name, unit.contact) for unit in others],
        open=head.status in EDITABLE and one.expires_at > clock.now(),
        until=last_day(one.expires_at),
        collection=one,
        collection_url=url_for("respond.collection", public_id=one.public_id),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        **about(head),
    )
    return page, status


def _line(line: SharedLine, off: frozenset[int], typed: dict[str, str]) -> dict[str, Any]:
    one = line.delegation
    mine = typed if typed.get("public_id") == one.public_id else {}
    return {
        "public_id": one.public_id,
        "name": mine.get("name", one.name),
        "contact": mine.get("contact", one.contact),
        "seen_name": one.name,
        "seen_contact": one.contact,
        "stage": line.stage.value,
        "words": stage_words(line),
        "answered": line.answered,
        "asked": line.asked,
        "saved": line.last_saved,
        "off_list": one.unit_id in off,
    }


def _of_unit(on: DelegationOf) -> CollectionOf:
    """Return the collection of a unit; what was handed to a single person is not found here."""
    if on.delegation.collection_id is None:
        raise NotFound
    return CollectionOf(db.session.get_one(Collection, on.delegation.collection_id), on.head)


def unit_on(public_id: str) -> DelegationOf:
    """Load a unit that one's own institution asked."""
    found = delegation_on(public_id)
    _of_unit(found)
    return found


def _back(on: DelegationOf) -> ResponseReturnValue:
    address = url_for("respond.units", public_id=_of_unit(on).collection.public_id)
    return redirect(f"{address}#unit-{on.delegation.public_id}", code=303)


@blueprint.post("/delegations/<public_id>/correct")
@requires(Permission.SHARE_SUBMISSION, on=unit_on)
def correct_unit(on: DelegationOf) -> ResponseReturnValue:
    """Correct name and contact of a unit."""
    fields = {name: request.form.get(name, "") for name in ("name", "contact", "seen-name", "seen-contact")}
    try:
        with write() as session:
            unit_services.correct_unit(
                session, on.head, session.get_one(Delegation, on.delegation.id), name=fields["name"],
                contact=fields["contact"], seen=(fields["seen-name"], fields["seen-contact"]), by=who(),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        typed = fields | {"public_id": on.delegation.public_id}
        where = f"name-{on.delegation.public_id}"
        status = 422 if isinstance(error, Invalid) else 409
        return _units_page(_of_unit(on), error=str(error), field=where, typed=typed, status=status)
    notice(_("Saved."))
    return _back(on)


@blueprint.post("/delegations/<public_id>/leave-out")
@requires(Permission.SHARE_SUBMISSION, on=unit_on)
def leave_out_unit(on: DelegationOf) -> ResponseReturnValue:
    """Remove a unit from the collection, and from the list for the next time if that is ticked."""
    with write() as session:
        delegation = session.get_one(Delegation, on.delegation.id)
        unit_services.leave_out(session, on.head, delegation, by=who())
        if request.form.get("retire") == "y":
            unit_services.retire(session, on.head, delegation, by=who())
    notice(_("%(name)s was removed. What it answered counts no more; nothing is deleted.", name=on.delegation.name))
    return redirect(url_for("respond.units", public_id=_of_unit(on).collection.public_id), code=303)


@blueprint.post("/delegations/<public_id>/take-in")
@requires(Permission.SHARE_SUBMISSION, on=unit_on)
def take_in_unit(on: DelegationOf) -> ResponseReturnValue:
    """Let the answers of a removed unit count again."""
    with write() as session:
        unit_services.take_in(session, on.head, session.get_one(Delegation, on.delegation.id), by=who())
    name = on.delegation.name
    notice(_("What %(name)s answered counts again. Its link stays closed until you make a new one.", name=name))
    return _back(on)


@blueprint.post("/collections/<public_id>/units")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def ask_more(of: CollectionOf) -> ResponseReturnValue:
    """Ask some units more, and show their links and codes once."""
    head = of.head
    definition, _ids = load(head)
    context = context_for(who(), head, definition)
    try:
        with write() as session:
            more = chosen_units(session, head.institution_id, request.form.get("units", ""))
            one = session.get_one(Collection, of.collection.id)
            given = services.ask_units(session, head, definition, one, more, context=context, by=who())
    except Invalid as error:
        return _units_page(of, error=str(error), status=422)
    return links_page(head, of.collection, given)


@blueprint.post("/collections/<public_id>/anew")
@requires(Permission.SHARE_SUBMISSION, on=collection_on)
def ask_anew(of: CollectionOf) -> ResponseReturnValue:
    """Make new links and codes for all units that have not opened theirs, and show them once."""
    try:
        with write() as session:
            one = session.get_one(Collection, of.collection.id)
            given = unit_services.ask_anew(session, of.head, one, by=who())
    except Invalid as error:
        return _units_page(of, error=str(error), status=422)
    return links_page(of.head, of.collection, given)
