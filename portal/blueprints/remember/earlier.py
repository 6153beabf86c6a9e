"""What is said of an earlier answer: still true, to be updated, no longer true; a copy is a save like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, field_name
from forms.question_types import question_type
from portal.blueprints.answering import context_for, load, read_changes
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import notice
from portal.blueprints.remember.door import blueprint
from portal.blueprints.respond.door import OnPage, own_page
from portal.blueprints.respond.section import page_of, show_saved
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Recollection
from portal.permissions import Permission
from portal.queries.memory import Earlier, earlier
from portal.services import memory
from portal.services import submissions as services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.queries.submissions import SubmissionHead


@blueprint.post("/replies/<public_id>/pages/<code>/earlier")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
@repeats("answers are told apart by the revisions their writer saw; a verdict said again is the same verdict")
def recall(on: OnPage) -> ResponseReturnValue:
    """Save the page as it was sent, and with it what is said of one earlier answer."""
    principal, head = who(), on.head
    definition, ids = load(head)
    page = page_of(definition, on.code)
    verdict, item, one = _asked_for(head, definition, page)
    context = context_for(principal, head, definition)
    keys = question_type(item.type).keys(item, context.languages)
    post = MultiDict(request.form)
    if verdict is not Recollection.NO_LONGER_TRUE:
        put_in(post, item, keys, one)
    changes = read_changes(definition, page, context, post)
    with write() as session:
        saved = services.save_answers(session, head, definition, ids, changes, context=context, by=principal)
        copied = [key for key in keys if key.lang in one.answers] if verdict is not Recollection.NO_LONGER_TRUE else []
        left = {stale.key for stale in saved.stale} | {refused.key for refused in saved.refused}
        # what a colleague wrote meanwhile, or what is not taken, was not copied: nothing is said of it yet
        if not left.intersection(copied):
            revision = max((saved.saved[key] for key in copied), default=0)
            memory.judge(session, head, ids[item.code], one, verdict, revision=revision, by=principal)
    if saved.http_status != 200:
        return show_saved(saved, changes, head, definition, page)
    notice(_told(verdict))
    url = url_for("respond.section", public_id=head.public_id, code=page.code)
    return redirect(f"{url}#q-{item.code}-item", code=303)


def _told(verdict: Recollection) -> str:
    words: dict[Recollection, str] = {
        Recollection.STILL_TRUE: _("Taken over: the answer is still true."),
        Recollection.UPDATE: _("The earlier answer stands in the field: bring it up to date."),
        Recollection.NO_LONGER_TRUE: _("Noted: the earlier answer is no longer true. Nothing was taken over."),
    }
    return words[verdict]


def _asked_for(head: SubmissionHead, definition: Definition, page: Item) -> tuple[Recollection, Item, Earlier]:
    """Return what is said of which earlier answer; one that is not this institution's does not exist."""
    verdict, _first, rest = request.form.get("earlier", "").partition("=")
    code, _colon, source = rest.partition(":")
    item = next((one for one in page.items() if one.kind == "question" and one.code == code), None)
    if item is None or verdict not in set(Recollection):
        raise NotFound
    found = earlier(db.session, head, definition, [item]).get(code, ())
    one = next((one for one in found if f"{one.source}:{one.source_code}" == source), None)
    if one is None:
        raise NotFound
    return Recollection(verdict), item, one


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
