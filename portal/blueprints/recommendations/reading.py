"""Reading: the list, one document, one recommendation, and what is still missing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from forms.bilingual import own_name
from portal.blueprints.guard import requires, who
from portal.blueprints.recommendations.room import STATE_KINDS, blueprint, country, load, words
from portal.errors import NotFound
from portal.extensions import db
from portal.permissions import Permission, everywhere, may
from portal.queries import implementation as states
from portal.queries import recommendations as queries
from portal.queries.published import Published, published
from portal.reader import current_language, localized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from portal.models import Recommendation


_FILTERS = ("q", "document", "theme", "affected", "kind", "follow_up")


@blueprint.get("/recommendations")
@requires(Permission.VIEW_RECOMMENDATIONS)
def index() -> ResponseReturnValue:
    """List recommendations, narrowed by document, theme, persons affected and words."""
    kind = request.args.get("kind", "")
    filters = queries.Filters(
        document=request.args.get("document", "")[:32],
        theme=request.args.get("theme", type=int),
        affected=request.args.get("affected", type=int),
        kind=kind if kind in {*words().kinds, "all"} else "recommendation",
        search=request.args.get("q", "")[:200],
        follow_up=request.args.get("follow_up") == "1",
    )
    found = queries.listing(db.session, filters, request.args.get("page", 1, type=int) or 1)
    labels = queries.tags(db.session)
    newest = _states([row.id for row in found.rows])
    return render_template(
        "recommendations/index.html",
        found=found,
        filters=filters,
        fields=_filter_fields(filters, labels),
        states=newest,
        state_kinds=STATE_KINDS,
        words=words(),
        may_edit=may(who(), Permission.EDIT_RECOMMENDATIONS),
        may_view_states=may(who(), Permission.VIEW_IMPLEMENTATION),
        may_view_published=may(who(), Permission.VIEW_PUBLISHED),
        previous_url=_page_url(found.number - 1) if found.number > 1 else "",
        next_url=_page_url(found.number + 1) if found.number < found.pages else "",
    )


def _states(ids: list[int]) -> Mapping[int, states.Consolidated | Published]:
    """Return the states that this reader may see: the newest ones, only what is published, or none."""
    if may(who(), Permission.VIEW_IMPLEMENTATION):
        return states.newest(db.session, ids)
    if may(who(), Permission.VIEW_PUBLISHED):
        return published(db.session, ids)
    return {}


def _page_url(number: int) -> str:
    given: dict[str, Any] = {name: value for name, value in request.args.items() if name in _FILTERS and value}
    return url_for("recommendations.index", **given, page=number)


def _filter_fields(filters: queries.Filters, labels: list[queries.TagFacts]) -> list[dict[str, Any]]:
    choices: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for label in labels:
        choices[label.vocabulary].append((str(label.id), f"{localized(label.labels)} ({label.count})"))
    documents = [(one.public_id, f"{one.symbol} · {localized(one.titles)}") for one in queries.documents(db.session)]
    kinds = [*words().kinds.items()]
    kind = "" if filters.kind == "recommendation" else filters.kind
    return [
        {"name": "q", "label": _("Words, or a paragraph number"), "kind": "search", "value": filters.search},
        {"name": "document", "label": _("Document"), "kind": "select", "value": filters.document, "choices": documents},
        {"name": "theme", "label": _("Theme"), "kind": "select", "value": str(filters.theme or ""),
         "choices": choices["theme"]},
        {"name": "affected", "label": _("Persons affected"), "kind": "select", "value": str(filters.affected or ""),
         "choices": choices["affected"]},
        {"name": "kind", "label": _("Kind of paragraph"), "kind": "select", "value": kind,
         "none": _("Recommendations only"), "choices": [("all", _("All paragraphs")), *kinds[1:]]},
    ]  # fmt: skip


@blueprint.get("/recommendations/documents/<public_id>")
@requires(Permission.VIEW_RECOMMENDATIONS)
def document(public_id: str) -> ResponseReturnValue:
    """Show a source document: its paragraphs under their headings."""
    found = queries.documents(db.session, public_id)
    if not found:
        raise NotFound
    rows = queries.of_document(db.session, found[0].id)
    return render_template(
        "recommendations/document.html",
        document=found[0],
        groups=_by_heading(rows),
        states=_states([row.id for row in rows]),
        state_kinds=STATE_KINDS,
        words=words(),
        may_edit=may(who(), Permission.EDIT_RECOMMENDATIONS),
    )


def _by_heading(rows: list[queries.Listed]) -> list[tuple[Mapping[str, str], list[queries.Listed]]]:
    groups: list[tuple[Mapping[str, str], list[queries.Listed]]] = []
    for row in rows:
        if not groups or groups[-1][0] != row.heading:
            groups.append((row.heading, []))
        groups[-1][1].append(row)
    return groups


@blueprint.get("/recommendations/<public_id>")
@requires(Permission.VIEW_RECOMMENDATIONS, on=load)
def recommendation(one: Recommendation) -> ResponseReturnValue:
    """Show one recommendation: the national text first, the original one click away, and its company."""
    return show(one)


def show(one: Recommendation, **more: Any) -> str:
    """Draw the page of a recommendation; ``more`` holds what a refused state form said."""
    person = who()
    found = queries.view(db.session, one, country().national)
    may_view_states = may(person, Permission.VIEW_IMPLEMENTATION)
    may_view_answers = everywhere(person, Permission.VIEW_ANSWERS)
    return render_template(
        "recommendations/recommendation.html",
        found=found,
        one=one,
        text=shown_text(one, found.original_language),
        assignments=queries.assignments(db.session, one.id) if may(person, Permission.VIEW_ROUND) else None,
        ours=queries.asked_of(db.session, one.id, person.institution_id) if person.institution_id else [],
        history=states.history(db.session, [one.id]) if may_view_states else [],
        own=states.own_states(db.session, recommendation_id=one.id) if may_view_answers else [],
        shown=published(db.session, [one.id]).get(one.id) if may(person, Permission.VIEW_PUBLISHED) else None,
        may_view_published=may(person, Permission.VIEW_PUBLISHED),
        may_view_states=may_view_states,
        may_view_answers=may_view_answers,
        may_view_reasons=may(person, Permission.VIEW_ROUND),
        may_edit=may(person, Permission.EDIT_RECOMMENDATIONS),
        may_set_state=may(person, Permission.SET_IMPLEMENTATION),
        may_publish=may(person, Permission.PUBLISH_IMPLEMENTATION),
        state_kinds=STATE_KINDS,
        words=words(),
        **{"state_form": {}, "state_errors": [], **more},
    )


def shown_text(one: Recommendation, original: str) -> dict[str, str]:
    """Choose what stands large on the page: the reader's language if there is one, else national, else the original."""
    order = [current_language(), country().national, original, *one.texts]
    language = next((code for code in order if one.texts.get(code, "").strip()), original)
    other = original if language != original else country().national
    return {
        "language": language,
        "text": one.texts.get(language, ""),
        "other_language": other,
        "other": one.texts.get(other, "") if other != language else "",
        "other_title": _("Original text")
        if other == original
        else _("The text in %(language)s", language=own_name(other)),
    }


@blueprint.get("/recommendations/missing")
@requires(Permission.EDIT_RECOMMENDATIONS)
def missing() -> ResponseReturnValue:
    """List recommendations without national text or plain summary."""
    languages = country().languages
    other = next((code for code in languages if code != country().national), country().national)
    found = queries.missing(db.session, country().national, other, document=request.args.get("document", "")[:32])
    documents = {row.listed.symbol: row.listed.document_public_id for row in found}
    return render_template(
        "recommendations/missing.html",
        found=found,
        documents=documents,
        national=country().national,
        other=other,
        words=words(),
    )
