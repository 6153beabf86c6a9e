"""Answering a reply page by page."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import current_app, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name
from forms.browser import FORMAT, browser_rules, filter_reads, known
from forms.question_types import question_type
from forms.tables import countable, tables
from portal.blueprints import receiving
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.documents.beside import documents_beside
from portal.blueprints.guard import repeats, requires, wants_json, who
from portal.blueprints.holding import holding_of
from portal.blueprints.later_tables import digest_of, later_tables
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load, read_changes
from portal.blueprints.reading import action_words
from portal.blueprints.respond.conflicts import told_stale, with_joined
from portal.blueprints.respond.door import (
    AskedVersion,
    OnPage,
    blueprint,
    offline_of,
    own_page,
    version_asked,
)
from portal.blueprints.respond.rows import (
    anchor,
    people,
    posted,
    read_row_changes,
    row_act,
    told_rows,
)
from portal.blueprints.respond.to_look_at import NOTHING, ToLookAt, to_look_at
from portal.blueprints.returning import copy_secret
from portal.blueprints.tables import takes_files
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Status
from portal.models.base import uuid7
from portal.models.lifecycle import CAME_BACK, EDITABLE
from portal.permissions import Permission
from portal.prepared import meanwhile
from portal.queries import submissions as queries
from portal.queries.actors import actor_names
from portal.queries.memory import earlier_source
from portal.queries.met import beside_soon, meet
from portal.reader import time_text
from portal.services import submissions as services
from portal.services.earlier_tables import whole_codes
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from flask import Response
    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.queries.submissions import SubmissionHead
    from portal.services.submissions import Change, Saved


def page_of(definition: Definition, code: str) -> Item:
    """Return a page of a questionnaire. Raises: NotFound."""
    found = next((page for page in definition.pages if page.code == code), None)
    if found is None:
        raise NotFound
    return found


@blueprint.get("/replies/<public_id>/pages/<code>")
@requires(Permission.VIEW_ANSWERS, on=own_page)
def section(on: OnPage) -> ResponseReturnValue:
    """Show one page of a reply, filled in."""
    definition, _ids = load(on.head)
    meet(on.head, definition)
    page = page_of(definition, on.code)
    beside_soon(db.session, on.head)
    answering = AnsweringPage(on.head, queries.stored_reply(db.session, on.head.id, definition), who(), definition)
    return section_page(answering, page)


def section_page(answering: AnsweringPage, page: Item, look: ToLookAt = NOTHING) -> str:
    """Draw one page of a reply; it may be shown at the address of the reply too, and posts to its own."""
    head, view = answering.head, g.view
    pages = answering.pages()
    codes = [one.code for one in pages]
    number = codes.index(page.code) if page.code in codes else 0
    evidence = (
        answering.evidence()
        if any(question_type(i.type).control == "file" for i in page.items() if i.kind == "question")
        else ()
    )
    languages = answering.context.languages
    answering.remember(page)
    answering.later = later_tables(answering, page)
    questions, items = answering.drawn(page, evidence, look.mine)
    file_items = [item for item in items if item.control == "file"]
    cell_files = takes_files(items)
    return render_template(
        "respond/section.html",
        title=answering.text(page)
        or pick(answering.definition.titles, view.language, languages),
        institution=pick(head.institution_names, view.language, g.country.languages),
        round=pick(head.round_titles, view.language, g.country.languages),
        page_url=answering.page_url(page.code),
        page_number=number + 1,
        page_total=len(codes),
        recommendation=answering.recommendation(),
        status=head.status,
        due=head.due_on,
        days_left=(head.due_on - answering.context.today).days,
        done=head.status not in EDITABLE,
        file_items=file_items,
        cell_files=cell_files,
        questions=questions,
        readonly=answering.readonly,
        # tables and files are shown on the page of earlier answers alone; it is not offered where it would be empty
        remembered=not answering.readonly
        and bool(
            answering.memory or earlier_source(db.session, head, whole_codes(answering.definition, page))
        ),
        look_url=url_for("remember.look", public_id=head.public_id, code=page.code),
        back=_why_back(head),
        look=look,
        wide=any(item.table is not None or item.control == "later" for item in items),
        later_url=url_for(
            "respond.tables_beside", public_id=head.public_id, code=page.code,
            digest=digest_of(answering, page, answering.later),
        )
        if answering.later
        else "",
        steps=answering.steps(page.code),
        missing=answering.missing(),
        answered=head.answered,
        total=head.asked or answering.asked(),
        saved_at=head.saved_at,
        previous_url=answering.page_url(codes[number - 1]) if number else "",
        next_url=answering.page_url(codes[number + 1]) if number + 1 < len(codes) else "",
        complete_url=url_for("respond.check", public_id=head.public_id),
        not_ours_url=url_for("respond.not_ours", public_id=head.public_id)
        if head.status in {Status.ISSUED, Status.IN_PROGRESS} and not head.about_institution
        else "",
        owed_url=url_for("respond.owed", round=head.round_slug),
        rules_url=url_for("respond.rules", version_id=head.version_id, language=view.language, format=FORMAT),
        known=json.dumps(
            known(answering.definition, page, answering.evaluation, answering.context.moment()),
            ensure_ascii=False,
            separators=(",", ":"),
        ),
        holding=holding_of(head),
        **_uploading(head, shown=bool(file_items) or cell_files),
        **documents_beside(head),
        request_key=uuid7(),
        today=answering.context.today.isoformat(),
        keeps=copy_secret(answering.principal),
        here_url=url_for("respond.here", public_id=head.public_id, code=page.code),
        offline=offline_of(head.round_slug, not answering.readonly, head),
    )


@blueprint.get("/replies/<public_id>/pages/<code>/tables/<digest>")
@requires(Permission.VIEW_ANSWERS, on=lambda public_id, code, digest: _Digested(own_page(public_id, code), digest))
def tables_beside(on: _Digested) -> ResponseReturnValue:
    """Give the tables of a page that are not asked at present, as HTML by code, to be kept by the browser.

    Another digest than the present one belongs to a page that was drawn before something changed: some of what it has
    places for may be asked by now, or written in by a colleague. It gets every table as it stands.
    """
    definition, _ids = load(on.head)
    page = page_of(definition, on.code)
    answering = AnsweringPage(on.head, queries.stored_reply(db.session, on.head.id, definition), who(), definition)
    codes = later_tables(answering, page)
    if on.digest != digest_of(answering, page, codes):
        return jsonify(answering.drawn_tables(page, frozenset(tables(definition))))
    response = jsonify(answering.drawn_tables(page, codes))
    response.headers["Cache-Control"] = "private, max-age=604800, immutable"
    return response


class _Digested(OnPage):
    """A page together with the name of its tables as they looked when it was drawn."""

    def __init__(self, page: OnPage, digest: str) -> None:
        super().__init__(page.head, page.code)
        self.digest = digest


def _uploading(head: SubmissionHead, *, shown: bool) -> dict[str, str]:
    """Return where pieces of files go to and where files are described, if the page takes files (else no query)."""
    if not shown:
        return {"pieces_url": "", "files_url": "", "room_words": ""}
    return {
        "pieces_url": url_for("respond.upload_piece", public_id=head.public_id, identifier="-").removesuffix("-"),
        "files_url": url_for("respond.files", public_id=head.public_id),
        "room_words": receiving.room_words(receiving.room(head.institution_id)),
    }


def _why_back(head: SubmissionHead) -> dict[str, Any] | None:
    """Return the words for a reply that came back: who handed it back, why, whether only some questions are open."""
    if head.status not in CAME_BACK:
        return None
    back = queries.handed_back(db.session, head.id)
    if back is None:
        return None
    words, _icon, _kind = action_words(back.action)
    return {"words": words, "reason": back.reason, "at": back.at, "some": head.unlocked is not None}


@blueprint.post("/replies/<public_id>/pages/<code>")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
@repeats("answers are told apart by request_key and the revisions their writer saw")
def save_section(on: OnPage) -> ResponseReturnValue:
    """Save the answers of a post: a whole page without script, or one answer of an autosave."""
    principal, head = who(), on.head
    definition, ids = load(head)
    meet(head, definition)
    page = page_of(definition, on.code)
    context = context_for(principal, head, definition)
    changes = read_changes(definition, page, context, with_joined(posted()))
    stored = queries.stored_reply(db.session, head.id, definition) if row_act() else None
    row_changes = read_row_changes(definition, changes, stored)
    request_key = request.form.get("request_key") or None
    with write() as session:
        saved = services.save_answers(
            session,
            head,
            definition,
            ids,
            changes,
            context=context,
            by=principal,
            request_key=(request_key or "")[:64] or None,
            row_changes=row_changes,
        )

        @cache
        def told() -> Response:
            answer = saved_json(saved, definition, page) | offered(saved, changes, definition, page)
            return make_response(answer, saved.http_status)

        if wants_json() and saved.http_status == HTTPStatus.OK:  # else it asks who wrote the other text
            meanwhile(session, told)
    return told() if wants_json() else show_saved(saved, head, definition, page)


def saved_json(saved: Saved, definition: Definition, page: Item) -> dict[str, Any]:
    """Return what a script is told of its save: of the page at hand alone, and of tables what changed (under 1 kB)."""
    names = actor_names(db.session, people(saved)) if saved.stale or saved.stale_rows else {}
    return {
        "saved": [{"name": field_name(key), "revision": revision} for key, revision in saved.saved.items()],
        "stale": told_stale(saved, definition, names),
        "refused": [
            {"name": field_name(one.key), "message": str(one.message), "revision": one.revision}
            for one in saved.refused
        ],
        "shown": _on_page(saved.appeared, page),
        # cells of tables, of which there may be thousands, only where they changed
        "hidden": _on_page((one for one in saved.evaluation.hidden if "[" not in one or one in saved.vanished), page),
        "missing": saved.missing,
        "counts": counts(
            saved.answered,
            [code for code in countable(definition, page.code) if code not in saved.evaluation.hidden],
            (saved.counted.answered, saved.counted.asked),
        ),
        "saved_at": time_text(saved.at),
        **(told_rows(saved, definition, names) if tables(definition) else {}),
    }


def counts(answered: Collection[str], here: Sequence[str], whole: tuple[int, int]) -> tuple[int, ...]:
    """Return what the lines "2 of 5 answered" say: of the page at hand, and of all that the writer fills in."""
    return (sum(1 for code in here if code in answered), len(here), *whole)


def _on_page(names: Iterable[str], page: Item) -> list[str]:
    return sorted(name for name in names if name.partition("[")[0] in page.codes)


def offered(
    saved: Saved, changes: Mapping[AnswerKey, Change], definition: Definition, page: Item
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Tell what the questions of the page now offer whose choices depend on what was saved."""
    changed = {key.code for key in changes}
    codes = {
        item.code
        for item in page.items()
        if item.choice_filter.strip() and not changed.isdisjoint(filter_reads(definition, item.code))
    }
    found = {name: keys for name, keys in saved.evaluation.offered.items() if name.partition("[")[0] in codes}
    return {"offered": found} if found else {}


def show_saved(saved: Saved, head: SubmissionHead, definition: Definition, page: Item) -> ResponseReturnValue:
    """Answer a post without script: go on, or show the page again with what needs a look."""
    onward = request.form.get("action") == "next" and not row_act()
    if saved.http_status == HTTPStatus.OK and not onward:
        return _here_again(saved, head, definition, page)
    head = queries.head_by_id(db.session, head.id)
    answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    here = page.codes  # what a question of another page begins with may be refused too
    refused = [one for one in saved.refused if one.key.code in here]
    if look := to_look_at(saved, definition, refused, here):
        return section_page(answering, page, look), look.status
    if not onward:
        return _here_again(saved, head, definition, page)
    codes = [one.code for one in answering.pages()]
    after = codes.index(page.code) + 1 if page.code in codes else 0
    if after < len(codes):
        return redirect(answering.page_url(codes[after]), code=303)
    return redirect(url_for("respond.check", public_id=head.public_id), code=303)


def _here_again(saved: Saved, head: SubmissionHead, definition: Definition, page: Item) -> ResponseReturnValue:
    here = url_for("respond.section", public_id=head.public_id, code=page.code)
    if row_act():
        return redirect(here + anchor(saved, definition), code=303)
    notice(_("Saved."))
    return redirect(here, code=303)


@blueprint.get("/rules/<int:version_id>/<language>")
@requires(Permission.VIEW_RULES, on=version_asked)
def rules(of: AskedVersion) -> ResponseReturnValue:
    """Give the rules of a version to the browser (forms/browser.py), with the labels and messages of one language.

    The wording of a frozen version never changes, and a new shape of the rules has a new address: it may be cached for
    ever, in private.
    """
    response = current_app.response_class(
        json.dumps(browser_rules(of.definition, of.language), separators=(",", ":")), mimetype="application/json"
    )
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
