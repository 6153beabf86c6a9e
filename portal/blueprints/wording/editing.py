"""The list of wording, with search and counts; one message is corrected in its place in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.wording import WordingForm, placeholders
from portal import catalogues, wording
from portal.blueprints.guard import requires, who
from portal.blueprints.page import facts, notice
from portal.blueprints.wording.room import (
    blueprint,
    files,
    filters_of,
    form_of,
    in_address,
    language_names,
    load_entry,
    page_of,
    where,
)
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import wording as queries
from portal.services import wording as verbs
from portal.services.wording_workbook import catalogue_name

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.queries.wording import Entry


@blueprint.get("/")
@requires(Permission.EDIT_WORDING)
def index() -> ResponseReturnValue:
    """List the words, narrowed by the filters of the address; ``edit`` opens one of them."""
    chosen = queries.entry(db.session, facts().languages, request.args.get("edit", ""))
    return _list(chosen, _filled(chosen) if chosen else None)


@blueprint.post("/<name>")
@requires(Permission.EDIT_WORDING, on=load_entry)
def save(entry: Entry) -> ResponseReturnValue:
    """Set the words of one message; both texts are shown where somebody else was first."""
    form = WordingForm()
    if not form.validate_on_submit():
        return _list(entry, form), 422
    words = verbs.Words(
        form.text.data or "", form.checked_by.data or "", form.checked_on.data, form.note.data or ""
    )
    if words.checked_on == entry.checked_on and _others(entry, words):
        # the day belongs to the check of before
        words = words._replace(checked_on=None)
    try:
        with write() as database:
            verbs.save_wording(database, entry, words, revision=_revision(form), by=who())
    except Invalid as error:
        _place(form, error)
        return _list(entry, form), error.status
    except Conflict as error:
        form.revision.data = str(entry.revision)
        return _list(entry, form, conflict=str(error)), error.status
    wording.present().look_again()
    notice(_("Saved. The words hold everywhere within a few seconds."))
    return _back(entry)


def _others(entry: Entry, words: verbs.Words) -> bool:
    return words.text != entry.text or words.checked_by != entry.checked_by


@blueprint.post("/<name>/shipped")
@requires(Permission.EDIT_WORDING, on=load_entry)
def restore(entry: Entry) -> ResponseReturnValue:
    """Let the shipped text hold again."""
    revision = str(request.form.get("revision", entry.revision))
    try:
        with write() as database:
            verbs.restore_shipped(database, entry, revision=int(revision) if revision.isdigit() else -1, by=who())
    except Conflict as error:
        return _list(entry, _filled(entry), conflict=str(error)), error.status
    wording.present().look_again()
    notice(_("The shipped words hold again."))
    return _back(entry)


def _back(entry: Entry) -> ResponseReturnValue:
    filters, page = filters_of(request.args), page_of(request.args)
    return redirect(url_for("wording.index", **in_address(filters, page), _anchor=f"m-{entry.name}"), code=303)


def _revision(form: Any) -> int:
    text = str(form.revision.data or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _filled(entry: Entry) -> Any:
    form: Any = WordingForm(formdata=None)
    form.text.data, form.note.data = entry.text, entry.note
    if entry.checked:
        form.checked_by.data, form.checked_on.data = entry.checked_by, entry.checked_on
    form.revision.data = str(entry.revision)
    return form


def _place(form: Any, error: Invalid) -> None:
    for problem in error.problems:
        field = getattr(form, problem.field or "", form.text)
        sentence = " ".join(str(part) for part in (problem.message, problem.mend) if part)
        field.errors = [*field.errors, sentence]


def _list(chosen: Entry | None, form: Any, *, conflict: str = "") -> str:
    """Draw the list; the entry that is being corrected stands in it even where the filters leave it out."""
    everything = queries.entries(db.session, facts().languages)
    filters = filters_of(request.args)
    found = queries.matching(everything, filters)
    pages = max(1, -(-len(found) // queries.PER_PAGE))
    page = min(page_of(request.args), pages)
    shown = found[(page - 1) * queries.PER_PAGE : page * queries.PER_PAGE]
    if chosen and chosen.name not in {one.name for one in shown}:
        shown = [chosen, *shown]
    address = in_address(filters, page)
    return render_template(
        "wording/index.html",
        entries=shown,
        chosen=chosen,
        form=form,
        conflict=conflict,
        history=queries.history(db.session, chosen) if chosen else [],
        keep=placeholders(*chosen.message.sources) if chosen else (),
        used=list(files().get(chosen.message.source, ()))[:6] if chosen else [],
        where=where,
        form_of=form_of,
        filters=filters,
        counts=queries.counts(everything),
        checked=sum(one.checked for one in everything),
        outdated=sum(one.outdated for one in everything),
        total=len(everything),
        catalogue_name=catalogue_name,
        catalogue_choices=[(name, catalogue_name(name)) for name in catalogues.catalogue_names()],
        tongues=language_names(),
        found=len(found),
        page=page,
        pages=pages,
        previous_url=url_for("wording.index", **in_address(filters, page - 1)) if page > 1 else "",
        next_url=url_for("wording.index", **in_address(filters, page + 1)) if page < pages else "",
        address=address,
    )
