"""Editing one recommendation: its texts language by language, and what is said beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.recommendations.reading import show
from portal.blueprints.recommendations.room import blueprint, country, load, words
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.models import Implementation, Recommendation, RecommendationKind, StatePosition, TextStatus
from portal.permissions import Permission
from portal.queries import recommendations as queries
from portal.services.implementation import set_state as set_state_
from portal.services.recommendation_texts import (
    FIELDS,
    TEXT_LIMIT,
    Facts,
    StaleText,
    TextEdit,
    lock,
    save_facts,
    save_texts,
)

if TYPE_CHECKING:
    from datetime import date

    from flask.typing import ResponseReturnValue


@blueprint.get("/recommendations/<public_id>/edit")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def edit(one: Recommendation) -> ResponseReturnValue:
    """Show the texts and facts of a recommendation for editing."""
    return _edit_page(one)


def _edit_page(one: Recommendation, **more: Any) -> str:
    found = queries.view(db.session, one, country().national)
    languages = list(dict.fromkeys([*country().languages, found.original_language, *one.texts]))
    return render_template(
        "recommendations/edit.html",
        one=one,
        found=found,
        text_languages=languages,
        fields=("summary", "texts", "heading"),
        labels=_labels_by_vocabulary(),
        words=words(),
        **{"stale": {}, "typed": {}, "errors": [], "facts": {}, "tagged": {tag.id for tag in found.tags}, **more},
    )


def _labels_by_vocabulary() -> dict[str, list[queries.TagFacts]]:
    groups: dict[str, list[queries.TagFacts]] = {}
    for label in queries.tags(db.session, used=False):
        groups.setdefault(label.vocabulary, []).append(label)
    return groups


@blueprint.post("/recommendations/<public_id>/texts")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def edit_texts(one: Recommendation) -> ResponseReturnValue:
    """Save texts; one that somebody else changed meanwhile comes back with both versions, the others are saved."""
    edits = [
        TextEdit(name, lang, request.form.get(f"base:{name}@{lang}", ""), request.form[f"{name}@{lang}"])
        for name in FIELDS
        for lang in {*country().languages, *one.texts, *one.summary, *one.heading}
        if f"{name}@{lang}" in request.form
    ]
    errors = [
        (f"{edit.field}-{edit.lang}", _("This text is longer than 100,000 characters. Shorten it."))
        for edit in edits
        if len(edit.new) > TEXT_LIMIT
    ]
    typed = {(edit.field, edit.lang): edit.new for edit in edits}
    if errors:
        return _edit_page(one, errors=errors, typed=typed), 422
    status = request.form.get("text_status", "")
    with write() as session:
        done = save_texts(
            session,
            lock(session, one.id),
            edits,
            by=who(),
            text_status=TextStatus(status) if status in set(TextStatus) else None,
            checked_by=request.form.get("checked_by"),
        )
    if done.stale:
        stale: dict[tuple[str, str], StaleText] = {(one_text.field, one_text.lang): one_text for one_text in done.stale}
        return _edit_page(load(one.public_id), stale=stale, typed=typed), 409
    notice(_("The texts were saved."))
    return redirect(url_for("recommendations.recommendation", public_id=one.public_id), code=303)


@blueprint.post("/recommendations/<public_id>/facts")
@requires(Permission.EDIT_RECOMMENDATIONS, on=load)
def edit_facts(one: Recommendation) -> ResponseReturnValue:
    """Save place, kind, pair, follow-up, State position and labels."""
    given = request.form
    position = given.get("state_position", "")
    kind = given.get("kind", "")
    facts = Facts(
        paragraph=given.get("paragraph", "")[:24],
        sub_item=given.get("sub_item", "")[:8],
        kind=RecommendationKind(kind) if kind in set(RecommendationKind) else one.kind,
        follow_up=given.get("follow_up") == "y",
        state_position=StatePosition(position) if position in set(StatePosition) else None,
        recommending_state=given.get("recommending_state", ""),
        tags=frozenset(int(tag) for tag in given.getlist("tags") if tag.isdecimal() and len(tag) < 10),
        pair=given.get("pair"),
    )
    try:
        with write() as session:
            save_facts(session, lock(session, one.id), facts, revision=given.get("revision", 0, type=int), by=who())
    except Conflict:
        sentence = _("Somebody else saved this recommendation meanwhile. What you chose is still here: check and save.")
        return _edit_page(load(one.public_id), errors=[("paragraph", sentence)], facts=given, tagged=facts.tags), 409
    except Invalid as error:
        errors = [(problem.field or "", str(problem.message)) for problem in error.problems]
        return _edit_page(load(one.public_id), errors=errors, facts=given, tagged=facts.tags), 422
    notice(_("The recommendation was saved."))
    return redirect(url_for("recommendations.recommendation", public_id=one.public_id), code=303)


@blueprint.post("/recommendations/<public_id>/state")
@requires(Permission.SET_IMPLEMENTATION, on=load)
def set_state(one: Recommendation) -> ResponseReturnValue:
    """Add a consolidated state of implementation with its day and reason."""
    state = request.form.get("state", "")
    if state not in set(Implementation):
        return show(one, state_form=request.form, state_errors=[("state-not_started", _("Choose a state."))]), 422
    try:
        with write() as session:
            set_state_(
                session,
                lock(session, one.id),
                Implementation(state),
                as_of=_day(request.form.get("as_of", "")),
                reason=request.form.get("reason", ""),
                today=clock.today(country().time_zone),
                by=who(),
            )
    except Invalid as error:
        errors = [(problem.field or "", str(problem.message)) for problem in error.problems]
        return show(load(one.public_id), state_form=request.form, state_errors=errors), 422
    notice(_("The state of implementation was saved. Earlier ones are kept."))
    return redirect(url_for("recommendations.recommendation", public_id=one.public_id), code=303)


def _day(text: str) -> date | None:
    from datetime import date

    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
