"""What is said of an earlier answer: still true, to be updated, no longer true; a copy is a save like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, field_name
from forms.question_types import question_type
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.changes import said
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load, read_changes
from portal.blueprints.recollections import heading, place_of, read_answers
from portal.blueprints.remember.door import blueprint
from portal.blueprints.remember.whole import take, ticked, views
from portal.blueprints.respond.door import OnPage, own_page
from portal.blueprints.respond.section import page_of, show_saved
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Recollection
from portal.permissions import Permission
from portal.queries.memory import Earlier, earlier
from portal.queries.submissions import asked_recommendations, stored_reply
from portal.services import memory
from portal.services import submissions as services
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.queries.submissions import SubmissionHead
    from portal.services.submissions import Change, Saved


@blueprint.post("/replies/<public_id>/pages/<code>/earlier")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
@repeats("answers are told apart by the revisions their writer saw; a verdict said again is the same verdict")
def recall(on: OnPage) -> ResponseReturnValue:
    """Save the page as it was sent, and with it what is said of one earlier answer.

    Another answer that stands in its place is not replaced unasked: both are shown first, side by side.
    """
    principal, head = who(), on.head
    definition, ids = load(head)
    page = page_of(definition, on.code)
    verdict, item, one = _asked_for(head, definition, page, request.form.get("earlier", ""))
    context = context_for(principal, head, definition)
    keys = question_type(item.type).keys(item, context.languages)
    post = MultiDict(request.form)
    changes = read_changes(definition, page, context, post)
    copied: list[AnswerKey] = []
    asks = False
    if verdict is not Recollection.NO_LONGER_TRUE:
        copied = [key for key in keys if key.lang in one.answers]
        put_in(post, item, keys, one)
        with_copy = read_changes(definition, page, context, post)
        asks = "replace" not in request.form and _replaces(head, definition, copied, changes, with_copy)
        changes = changes if asks else with_copy
    with write() as session:
        saved = services.save_answers(session, head, definition, ids, changes, context=context, by=principal)
        left = {stale.key for stale in saved.stale} | {refused.key for refused in saved.refused}
        # what a colleague wrote meanwhile, or what is not taken, was not copied: nothing is said of it yet
        if not asks and not left.intersection(copied):
            revision = max((saved.saved[key] for key in copied), default=0)
            memory.judge(session, head, ids[item.code], one, verdict, revision=revision, by=principal)
    if asks and not saved.stale and not saved.stale_rows and not saved.refused_rows and not left.difference(copied):
        said_so = request.form["earlier"]
        return redirect(url_for("remember.look", public_id=head.public_id, code=page.code, earlier=said_so), code=303)
    if saved.http_status != 200:
        return show_saved(saved, head, definition, page)
    notice(_told(verdict, one))
    url = url_for("respond.section", public_id=head.public_id, code=page.code)
    return redirect(f"{url}#q-{item.code}-item", code=303)


def _replaces(
    head: SubmissionHead,
    definition: Definition,
    keys: Sequence[AnswerKey],
    sent: Mapping[AnswerKey, Change],
    with_copy: Mapping[AnswerKey, Change],
) -> bool:
    """Tell whether another answer stands where an earlier one would be copied: on the page as sent, else as stored."""
    unsent = [key for key in keys if key not in sent]
    stored = stored_reply(db.session, head.id, definition).answers if unsent else {}
    for key in keys:
        now = sent[key].parsed if key in sent else stored.get(key)
        then = with_copy[key].parsed if key in with_copy else None
        if now is None or then is None or (now.value is None and now.typed is None and now.state == "answered"):
            continue
        if (now.value, now.state, now.typed) != (then.value, then.state, then.typed):
            return True
    return False


def _told(verdict: Recollection, one: Earlier) -> str:
    if one.elsewhere:
        asked = asked_recommendations(db.session, [one.assignment_id]).get(one.assignment_id, ())
        place = place_of(one, asked)
        return str(_("Copied from your answer on %(place)s. Look whether it is right here too.", place=place))
    words: dict[Recollection, str] = {
        Recollection.STILL_TRUE: _("Taken over: the answer is still true."),
        Recollection.UPDATE: _("The earlier answer stands in the field: bring it up to date."),
        Recollection.NO_LONGER_TRUE: _("Noted: the earlier answer is no longer true. Nothing was taken over."),
    }
    return words[verdict]


def _asked_for(
    head: SubmissionHead, definition: Definition, page: Item, asked: str
) -> tuple[Recollection, Item, Earlier]:
    """Return what is said of which earlier answer; one that is not this institution's does not exist."""
    verdict, _first, rest = asked.partition("=")
    code, _colon, source = rest.partition(":")
    item = next((one for one in page.items() if one.kind == "question" and one.code == code), None)
    if verdict not in set(Recollection):
        raise Invalid(_("Choose one of the earlier answers on the page."))
    if item is None:
        raise NotFound
    found = earlier(db.session, head, definition, [item]).get(code, ())
    one = next((one for one in found if f"{one.source}:{one.source_code}" == source), None)
    if one is None:
        raise NotFound
    return Recollection(verdict), item, one


@blueprint.get("/replies/<public_id>/pages/<code>/earlier")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def look(on: OnPage) -> ResponseReturnValue:
    """Show all earlier answers of a page beside what stands now: a preview, nothing is copied by it.

    ``?earlier=`` asks of one whether it replaces what stands in its place.
    """
    head = on.head
    definition, ids = load(head)
    page = page_of(definition, on.code)
    if "earlier" in request.args:
        return _replace_page(head, definition, page, request.args["earlier"])
    reply = stored_reply(db.session, head.id, definition)
    answering = AnsweringPage(head, reply, who(), definition)
    language, languages = g.view.language, answering.context.languages
    rows = []
    for code, one in _of_earlier_rounds(head, definition, page).items():
        item = definition.question(code)
        keys = question_type(item.type).keys(item, languages)
        stored = {key: answering.stored[key] for key in keys if key in answering.stored}
        now = [(key.lang, said(item, given.value, given.state, given.typed)) for key, given in stored.items()]
        rows.append(
            {
                "code": code,
                "label": item.text("label", language, languages),
                "round": pick(one.round_titles, language, g.country.languages),
                "earlier": read_answers(one, item, language),
                "now": [(lang, text) for lang, text in now if text],
                "verdict": one.verdict.value if one.verdict else "",
                "open": not answering.readonly and not answering.locked(code),
                "fields": [(field_name(key), stored[key].revision if key in stored else 0) for key in keys],
            }
        )
    return render_template(
        "remember/look.html",
        head=head,
        title=page.text("label", language, languages),
        page_url=url_for("respond.section", public_id=head.public_id, code=page.code),
        rows=rows,
        whole=views(head, definition, page, reply, ids, open_=not answering.readonly),
        gone_url=url_for("remember.no_longer_true", public_id=head.public_id, code=page.code),
    )


def _replace_page(head: SubmissionHead, definition: Definition, page: Item, asked: str) -> ResponseReturnValue:
    """Show an earlier answer beside the one that it would replace; without one that stands there is nothing to ask."""
    _verdict, item, one = _asked_for(head, definition, page, asked)
    answering = AnsweringPage(head, stored_reply(db.session, head.id, definition), who(), definition)
    language, languages = g.view.language, answering.context.languages
    keys = [key for key in question_type(item.type).keys(item, languages) if key.lang in one.answers]
    stored = {key: answering.stored[key] for key in keys if key in answering.stored}
    now = [(key.lang, said(item, given.value, given.state, given.typed)) for key, given in stored.items()]
    about = asked_recommendations(db.session, [one.assignment_id]).get(one.assignment_id, ()) if one.elsewhere else ()
    page_url = url_for("respond.section", public_id=head.public_id, code=page.code)
    return render_template(
        "remember/replace.html",
        head=head,
        title=page.text("label", language, languages),
        page_url=page_url,
        back_url=f"{page_url}#q-{item.code}-item",
        asked=asked,
        label=item.text("label", language, languages),
        heading=heading(one, about),
        earlier=read_answers(one, item, language),
        now=[(lang, text) for lang, text in now if text],
        open=not answering.readonly and not answering.locked(item.code),
        fields=[(field_name(key), stored[key].revision if key in stored else 0) for key in keys],
    )


def _of_earlier_rounds(head: SubmissionHead, definition: Definition, page: Item) -> dict[str, Earlier]:
    """Return by question its answer of an earlier round, in the order of the page."""
    found = earlier(db.session, head, definition, page.items())
    order = [item.code for item in page.items()]
    first = {code: one for code, many in found.items() for one in many[:1] if not one.elsewhere}
    return dict(sorted(first.items(), key=lambda pair: order.index(pair[0])))


@blueprint.post("/replies/<public_id>/pages/<code>/earlier/all")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def recall_many(on: OnPage) -> ResponseReturnValue:
    """Take over what was ticked: answers, each against the revision that this person saw, tables and files."""
    head = on.head
    definition, ids = load(head)
    page = page_of(definition, on.code)
    codes, whole = set(request.form.getlist("take")), ticked()
    if not codes and whole is None:
        raise Invalid(_("Choose one of the earlier answers on the page."))
    saves, told = [], []
    with write() as session:
        if codes:
            saved, words = _take_answers(session, head, definition, page, ids, codes)
            saves.append(saved)
            told.append(words)
        if whole is not None:
            saved, words = take(session, head, definition, page, ids, whole)
            saves.append(saved)
            told.append(words)
    for saved in saves:
        if saved.http_status != 200:
            return show_saved(saved, head, definition, page)
    notice(" ".join(told))
    return redirect(url_for("respond.section", public_id=head.public_id, code=page.code), code=303)


def _take_answers(
    session: Session, head: SubmissionHead, definition: Definition, page: Item, ids: Mapping[str, int], codes: set[str]
) -> tuple[Saved, str]:
    """Take single answers over within a transaction; return what was saved, and what to tell."""
    principal = who()
    context = context_for(principal, head, definition)
    chosen = {code: one for code, one in _of_earlier_rounds(head, definition, page).items() if code in codes}
    post: MultiDict[str, str] = MultiDict({name: text for name, text in request.form.items() if name[:5] == "base:"})
    keys = {}
    for code, one in chosen.items():
        item = definition.question(code)
        keys[code] = [key for key in question_type(item.type).keys(item, context.languages) if key.lang in one.answers]
        put_in(post, item, tuple(keys[code]), one)
    changes = read_changes(definition, page, context, post)
    saved = services.save_answers(session, head, definition, ids, changes, context=context, by=principal)
    left = {stale.key for stale in saved.stale} | {refused.key for refused in saved.refused}
    for code, one in chosen.items():
        if not left.intersection(keys[code]):
            newest = max((saved.saved[key] for key in keys[code]), default=0)
            memory.judge(session, head, ids[code], one, Recollection.STILL_TRUE, revision=newest, by=principal)
    return saved, ngettext("%(num)s answer was taken over.", "%(num)s answers were taken over.", len(chosen))


def put_in(post: MultiDict[str, str], item: Item, keys: tuple[AnswerKey, ...], one: Earlier) -> None:
    """Put an earlier answer into a post as its controls would send it; the bases stay what the writer saw."""
    kind = question_type(item.type)
    for key in keys:
        name = field_name(key)
        value, state = one.answers.get(key.lang, (None, "answered"))
        if key.lang and key.lang not in one.answers:
            continue  # the other language stays as it is
        post.setlist(name, kind.raw(value, item) if state == "answered" else [])
        post.setlist(name + PRESENT_SUFFIX, ["1"])
        post.setlist(name + STATE_SUFFIX, [state])
