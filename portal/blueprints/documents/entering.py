"""The coordinator enters a return on paper, page by page, for the institution: the same form, the same gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name
from forms.browser import FORMAT, known
from forms.tables import may_change
from portal.blueprints import receiving
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.documents.door import DocumentOf, FileOf, blueprint, file_on, paper_on
from portal.blueprints.documents.inbox import document_rows
from portal.blueprints.file_places import anchor_of, file_kinds, file_place, row_around
from portal.blueprints.guard import repeats, requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load, read_changes
from portal.blueprints.receiving import typed_link
from portal.blueprints.respond.conflicts import with_joined
from portal.blueprints.respond.rows import (
    anchor,
    posted,
    read_row_changes,
    row_act,
)
from portal.blueprints.respond.to_look_at import NOTHING, ToLookAt, refused_file, to_look_at
from portal.blueprints.returning import copy_secret
from portal.blueprints.tables import takes_files
from portal.database import write
from portal.errors import IllegalTransition, Incomplete, Invalid, NotFound
from portal.extensions import db
from portal.models import AssignmentDocument, DocumentState, Evidence
from portal.models.base import uuid7
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.services import attaching, submissions
from portal.services import documents as services
from portal.services.attaching import Asked
from portal.table import pick

if TYPE_CHECKING:

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.page_views import FileView
    from portal.services.submissions import Saved


class PaperPage(AnsweringPage):
    """The answering page as the coordinator fills it from a document."""

    def __init__(self, on: DocumentOf, definition: Definition) -> None:
        self.document = on.document
        writer = services.on_behalf(db.session, on.head, by=who())
        super().__init__(on.head, queries.stored_reply(db.session, on.head.id, definition), writer, definition)

    def page_url(self, code: str) -> str:
        """Return the address of a page of the paper."""
        return url_for(
            "documents.enter", public_id=self.head.public_id, document=self.document.public_id, code=code
        )

    def upload_url(self, code: str) -> str:
        """Return where a file that came with the paper is sent to."""
        return url_for(
            "documents.attach", public_id=self.head.public_id, document=self.document.public_id, code=code
        )

    def link(self, code: str) -> str | None:
        """Return the address that was typed beside a question and not taken, else an empty field."""
        return typed_link(code)

    def _file(self, one: Evidence) -> FileView:
        view = super()._file(one)
        view.remove_url = url_for(
            "documents.detach", public_id=self.head.public_id, document=self.document.public_id, number=one.number
        )
        return view


def _open(on: DocumentOf) -> Definition:
    """Return the questionnaire of a reply that may be entered from a document."""
    if on.head.status not in EDITABLE or on.document.state is DocumentState.SET_ASIDE:
        raise IllegalTransition
    return load(on.head)[0]


def _page_of(definition: Definition, code: str) -> Item:
    found = next((page for page in definition.pages if page.code == code), None)
    if found is None:
        raise NotFound
    return found


def _draw(answering: PaperPage, page: Item, look: ToLookAt = NOTHING) -> str:
    head = answering.head
    codes = [one.code for one in answering.pages()]
    number = codes.index(page.code) if page.code in codes else 0
    questions, items = answering.drawn(page, answering.evidence(), look.mine)
    rows = [row for row in document_rows(head) if row["state"] != "set_aside"]
    return render_template(
        "documents/enter.html",
        head=head,
        document=next(row for row in rows if row["public_id"] == answering.document.public_id),
        others=[row for row in rows if row["public_id"] != answering.document.public_id],
        title=answering.text(page),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        recommendation=answering.recommendation(),
        questions=questions,
        items=items,
        look=look,
        saved_at=head.saved_at,
        rules_url=url_for("respond.rules", version_id=head.version_id, language=g.view.language, format=FORMAT),
        known=json.dumps(
            known(answering.definition, page, answering.evaluation, answering.context.moment()),
            ensure_ascii=False, separators=(",", ":"),
        ),
        keeps=copy_secret(who()),
        here_url=url_for(
            "documents.here", public_id=head.public_id, document=answering.document.public_id, code=page.code
        ),
        today=answering.context.today.isoformat(),
        pieces_url=url_for("documents.receive_piece", public_id=head.public_id, identifier="-").removesuffix("-"),
        wide=any(item.table is not None for item in items),
        cell_files=takes_files(items),
        steps=answering.steps(page.code),
        missing=answering.missing(),
        previous_url=answering.page_url(codes[number - 1]) if number else "",
        last=number + 1 >= len(codes),
        desk_url=url_for("documents.desk", public_id=head.public_id),
        request_key=uuid7(),
    )


@blueprint.get("/review/<public_id>/paper/<document>/pages/<code>")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def enter(on: DocumentOf) -> ResponseReturnValue:
    """Show a page of the questionnaire beside the document."""
    definition = _open(on)
    return _draw(PaperPage(on, definition), _page_of(definition, on.code))


@blueprint.get("/review/<public_id>/paper/<document>")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def paper(on: DocumentOf) -> ResponseReturnValue:
    """Lead to the page where entering goes on."""
    answering = PaperPage(on, _open(on))
    return redirect(answering.page_url(answering.first_page().code), code=303)


@blueprint.post("/review/<public_id>/paper/<document>/pages/<code>")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
@repeats("answers are told apart by request_key and the revisions their writer saw")
def save_entered(on: DocumentOf) -> ResponseReturnValue:
    """Save answers on behalf of the institution: a whole page without script, or one answer of an autosave."""
    definition, head = _open(on), on.head
    page = _page_of(definition, on.code)
    _definition, ids = load(head)
    writer = services.on_behalf(db.session, head, by=who())
    context = context_for(writer, head, definition)
    changes = read_changes(definition, page, context, with_joined(posted()))
    stored = queries.stored_reply(db.session, head.id, definition) if row_act() else None
    row_changes = read_row_changes(definition, changes, stored)
    with write() as session:
        document = session.get_one(AssignmentDocument, on.document.id)
        writer = services.begin_entering(session, head, document, by=who())
        saved = submissions.save_answers(
            session,
            head,
            definition,
            ids,
            changes,
            context=context,
            by=writer,
            request_key=request.form.get("request_key", "")[:64] or None,
            row_changes=row_changes,
        )
    if wants_json():
        # the institution's page shows documents, so it cannot be imported where this module is
        from portal.blueprints.respond.section import offered, saved_json

        return saved_json(saved, definition, page) | offered(saved, changes, definition, page), saved.http_status
    answering = PaperPage(DocumentOf(on.document, queries.head_by_id(db.session, head.id)), definition)
    return _after_save(on, answering, saved, page)


def _after_save(on: DocumentOf, answering: PaperPage, saved: Saved, page: Item) -> ResponseReturnValue:
    """Answer a post without script: go on, or show the page again with what needs a look."""
    definition = answering.definition
    refused = [one for one in saved.refused if one.key.code in page.codes]
    if look := to_look_at(saved, definition, refused, page.codes):
        return _draw(answering, page, look), look.status
    if row_act():
        return redirect(answering.page_url(page.code) + anchor(saved, definition), code=303)
    if request.form.get("action") == "finish":
        return _finish(on, definition)
    codes = [one.code for one in answering.pages()]
    after = codes.index(page.code) + 1 if page.code in codes else 0
    onward = request.form.get("action") == "next" and after < len(codes)
    if not onward:
        notice(_("Saved."))
    return redirect(answering.page_url(codes[after] if onward else page.code), code=303)


@blueprint.post("/review/<public_id>/paper/<document>/questions/<code>/files")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def attach(on: DocumentOf) -> ResponseReturnValue:
    """Attach a file that came with the paper, or a link that it names, to a question."""
    definition, head = _open(on), on.head
    _definition, ids = load(head)
    key = file_place(definition, on.code)
    if not may_change(definition, on.code, head.unlocked):
        raise IllegalTransition
    writer = services.on_behalf(db.session, head, by=who())
    of = Asked(head, definition, ids, context_for(writer, head, definition))
    link = None if key.row else receiving.link_given()
    try:
        received = [] if link is not None else receiving.posted_files(
            head.public_id, field=field_name(key) if key.row else "", kinds=file_kinds(definition, on.code)
        )  # fmt: skip
        with write() as session:
            paper = session.get_one(AssignmentDocument, on.document.id)
            writer = services.begin_entering(session, head, paper, by=who())
            if link is not None:
                made = attaching.attach_link(session, of, key, link, by=writer)
            else:
                made = attaching.attach(
                    session, of, key, received, by=writer, parent=row_around(), quota=receiving.quota()
                )
    except Invalid as refused:
        if wants_json():
            raise
        look = refused_file(definition, key, refused)
        return _draw(PaperPage(on, definition), definition.page_of(on.code), look), look.status
    if wants_json():
        return {"number": made.number, "name": made.filename, "size": made.size}, 201
    notice(_("“%(name)s” is attached.", name=made.filename) if made.sha256 else _("The link is attached."))
    answering = PaperPage(on, definition)
    page = answering.page_url(definition.page_of(on.code).code)
    return redirect(page + anchor_of(definition, key), code=303)


@blueprint.post("/review/<public_id>/paper/<document>/evidence/<int:number>/remove")
@requires(Permission.ENTER_ON_BEHALF, on=file_on)
def detach(on: FileOf) -> ResponseReturnValue:
    """Take off a file or link that was put beside a question by mistake, while the paper is entered."""
    definition, head = _open(on), on.head
    _definition, ids = load(head)
    code = next((code for code, question_id in ids.items() if question_id == on.evidence.question_id), "")
    if not code or not may_change(definition, code, head.unlocked):
        raise IllegalTransition
    with write() as session:
        paper = session.get_one(AssignmentDocument, on.document.id)
        writer = services.begin_entering(session, head, paper, by=who())
        of = Asked(head, definition, ids, context_for(writer, head, definition))
        attaching.detach(session, of, session.get_one(Evidence, on.evidence.id), by=writer)
    notice(_("The file was removed.") if on.evidence.sha256 else _("The link was removed."))
    page = PaperPage(on, definition).page_url(definition.page_of(code).code)
    return redirect(page + anchor_of(definition, AnswerKey(code)), code=303)


@blueprint.post("/review/<public_id>/paper/<document>/finish")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def finish(on: DocumentOf) -> ResponseReturnValue:
    """Hand in what was entered: complete, with the scan as evidence and the signature on paper recorded."""
    return _finish(on, _open(on))


def _finish(on: DocumentOf, definition: Definition) -> ResponseReturnValue:
    head = on.head
    writer = services.on_behalf(db.session, head, by=who())
    context = context_for(writer, head, definition)
    try:
        with write() as session:
            document = session.get_one(AssignmentDocument, on.document.id)
            event = services.finish_entering(session, head, document, definition, context=context, by=who())
    except Incomplete as error:
        answering = PaperPage(on, definition)
        # the questions themselves are listed beside the page
        return _draw(answering, answering.first_page(), ToLookAt([("missing", str(error))])), 422
    told = _("Entered and handed in on behalf of the institution. It is marked as entered from paper.")
    if event.status == "awaiting_sign_off":
        told = _("Entered on behalf of the institution. This round is signed on screen: its approver is asked to sign.")
    notice(told)
    return redirect(url_for("follow.submission", public_id=head.public_id), code=303)
