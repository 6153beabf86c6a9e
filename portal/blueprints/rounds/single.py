"""One paragraph of the matrix as a list (at home on a phone), and one assignment by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from forms.rounds import ExtensionForm, ReasonForm
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.rounds.door import blueprint, round_of, tell
from portal.blueprints.rounds.matrix import _words
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Assignment, Institution, Participation, ReportingRound, RoundStatus
from portal.permissions import Permission
from portal.queries import rounds as look
from portal.services import assignments, rounds
from portal.services.assignments import CellChange, cell_value, read_word

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


class InRound(NamedTuple):
    """A paragraph of a round."""

    round: ReportingRound
    paragraph: look.Paragraph


class Asked(NamedTuple):
    """An assignment of a round."""

    round: ReportingRound
    assignment: Assignment


def _paragraph(slug: str, public_id: str) -> InRound:
    of = round_of(slug)
    for row in look.paragraphs(db.session, of.id):
        if any(item.public_id == public_id for item in row.items):
            return InRound(of, row)
    raise NotFound


def _assignment(slug: str, public_id: str) -> Asked:
    of = round_of(slug)
    found = db.session.scalar(select(Assignment).where(Assignment.round_id == of.id, Assignment.public_id == public_id))
    if found is None:
        raise NotFound
    return Asked(of, found)


@blueprint.get("/rounds/<slug>/paragraph/<public_id>")
@requires(Permission.VIEW_ROUND, on=_paragraph)
def paragraph(thing: InRound) -> ResponseReturnValue:
    """Show one paragraph with every institution below the other."""
    of, row = thing
    asks = [ask for ask in look.asks(db.session, of.id) if set(ask.recommendation_ids) & set(row.ids)]
    mine = {
        one.id: [ask for ask in asks if ask.institution_id == one.id] for one in look.institutions(db.session, of.id)
    }
    both = of.short_version_id is not None and of.full_version_id is not None
    return render_template(
        "rounds/paragraph.html",
        round=of,
        row=row,
        columns=look.institutions(db.session, of.id),
        asks=mine,
        values={number: cell_value(of, some, row.ids) for number, some in mine.items()},
        words=_words(both=both),
        editable=of.status in {RoundStatus.DRAFT, RoundStatus.OPEN},
    )


@blueprint.post("/rounds/<slug>/paragraph/<public_id>")
@requires(Permission.EDIT_ROUND, on=_paragraph)
def save_paragraph(thing: InRound) -> ResponseReturnValue:
    """Save who is asked about one paragraph."""
    of, row = thing
    cells = []
    for name, word in request.form.items():
        prefix, _dash, column = name.partition("-")
        before = request.form.get(f"was-{column}", "")
        if prefix == "cell" and column.isdecimal() and word != before:
            try:
                cells.append(CellChange(row.ids, int(column), read_word(word), before))
            except ValueError as error:
                raise Invalid from error
    with write() as database:
        done = assignments.change_cells(database, of, cells, by=who())
    tell(done)
    return redirect(url_for("rounds.paragraph", slug=of.slug, public_id=row.first.public_id), code=303)


@blueprint.get("/rounds/<slug>/assignment/<public_id>")
@requires(Permission.VIEW_ROUND, on=_assignment)
def assignment(thing: Asked) -> ResponseReturnValue:
    """Show one assignment: withdraw or restore it, give its institution more time."""
    return _assignment_page(thing, ReasonForm(formdata=None), ExtensionForm(formdata=None))


def _assignment_page(
    thing: Asked, reason: ReasonForm, extension: ExtensionForm, status: int = 200
) -> ResponseReturnValue:
    of, assigned = thing
    ask = next(one for one in look.asks(db.session, of.id) if one.id == assigned.id)
    rows = [row for row in look.paragraphs(db.session, of.id) if set(row.ids) & set(ask.recommendation_ids)]
    return (
        render_template(
            "rounds/assignment.html",
            round=of,
            ask=ask,
            rows=rows,
            institution=db.session.get_one(Institution, assigned.institution_id),
            participation=db.session.get_one(Participation, assigned.participation_id),
            length=assignments.length_of(of, ask.version_id),
            reason_form=reason,
            extension_form=extension,
            errors=[*reason.summary(), *extension.summary()],
        ),
        status,
    )


@blueprint.post("/rounds/<slug>/assignment/<public_id>/withdraw")
@requires(Permission.WITHDRAW_ASSIGNMENT, on=_assignment)
def withdraw(thing: Asked) -> ResponseReturnValue:
    """Withdraw an assignment that was issued, with a reason."""
    form = ReasonForm()
    if not form.validate():
        return _assignment_page(thing, form, ExtensionForm(formdata=None), 422)
    with write() as database:
        assignments.withdraw(
            database, database.get_one(Assignment, thing.assignment.id), reason=form.reason.data or "", by=who()
        )
    notice(_("The assignment is withdrawn. The institution sees why."))
    return _to(thing)


@blueprint.post("/rounds/<slug>/assignment/<public_id>/restore")
@requires(Permission.WITHDRAW_ASSIGNMENT, on=_assignment)
def restore(thing: Asked) -> ResponseReturnValue:
    """Restore a withdrawn or lapsed assignment."""
    with write() as database:
        assignments.restore(database, database.get_one(Assignment, thing.assignment.id), by=who())
    notice(_("The assignment is restored."))
    return _to(thing)


@blueprint.post("/rounds/<slug>/assignment/<public_id>/extend")
@requires(Permission.EDIT_ROUND, on=_assignment)
def extend(thing: Asked) -> ResponseReturnValue:
    """Give the institution more time for all it owes in this round."""
    form = ExtensionForm()
    if not form.validate():
        return _assignment_page(thing, ReasonForm(formdata=None), form, 422)
    try:
        with write() as database:
            part = database.get_one(Participation, thing.assignment.participation_id)
            rounds.extend(database, part, form.until.data, reason=form.reason.data or "", by=who())
    except Invalid as error:
        for problem in error.problems:
            field = form[problem.field] if problem.field and problem.field in form else form.until
            field.errors = [*field.errors, str(problem.message)]
        return _assignment_page(thing, ReasonForm(formdata=None), form, 422)
    notice(_("The institution has more time in this round."))
    return _to(thing)


def _to(thing: Asked) -> ResponseReturnValue:
    return redirect(url_for("rounds.assignment", slug=thing.round.slug, public_id=thing.assignment.public_id), code=303)
