"""The coordinator enters a return on paper, page by page, for the institution: the same form, the same gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.question_types import question_type
from portal.blueprints import receiving
from portal.blueprints.answering import AnsweringPage, context_for, load, read_changes
from portal.blueprints.documents.door import DocumentOf, blueprint, paper_on
from portal.blueprints.documents.inbox import document_rows
from portal.blueprints.guard import repeats, requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.respond.evidence import set_files
from portal.blueprints.respond.rows import anchor, place, posted, read_row_changes, row_act, row_errors
from portal.database import write
from portal.errors import IllegalTransition, Incomplete, NotFound
from portal.extensions import db
from portal.models import AssignmentDocument, DocumentState
from portal.models.base import uuid7
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.services import documents as services
from portal.services import evidence as evidence_service
from portal.services import submissions
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.models import Evidence
    from portal.templating import FileView


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

    def _file(self, one: Evidence) -> FileView:
        view = super()._file(one)
        view.remove_url = ""
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


def _draw(answering: PaperPage, page: Item, *, errors: Sequence[tuple[str, str]] = (), mine: Any = None) -> str:
    head = answering.head
    codes = [one.code for one in answering.pages()]
    number = codes.index(page.code) if page.code in codes else 0
    questions, items = answering.drawn(page, answering.evidence(), mine)
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
        errors=list(errors),
        wide=any(item.table is not None for item in items),
        steps=answering.steps(page.code),
        missing=answering.missing(),
        previous_url=answering.page_url(codes[number - 1]) if number else "",
        last=number + 1 >= len(codes),
        finish_url=url_for(
            "documents.finish", public_id=head.public_id, document=answering.document.public_id
        ),
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
    """Save a page of answers on behalf of the institution."""
    definition, head = _open(on), on.head
    page = _page_of(definition, on.code)
    _definition, ids = load(head)
    writer = services.on_behalf(db.session, head, by=who())
    context = context_for(writer, head, definition)
    changes = read_changes(definition, page, context, posted())
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
    answering = PaperPage(DocumentOf(on.document, queries.head_by_id(db.session, head.id)), definition)
    here = {item.code for item in page.items()}
    errors = [
        (place(one.key, definition), _("Somebody else changed this answer; look at it again.")) for one in saved.stale
    ]
    errors += [(place(one.key, definition), str(one.message)) for one in saved.refused if one.key.code in here]
    errors += row_errors(saved, {})
    if errors:
        mine = {one.key: str(one.mine.value or one.mine.typed or "") for one in saved.stale if one.key.lang}
        return _draw(answering, page, errors=errors, mine=mine), saved.http_status
    if row_act():
        return redirect(answering.page_url(page.code) + anchor(saved, definition), code=303)
    codes = [one.code for one in answering.pages()]
    after = codes.index(page.code) + 1 if page.code in codes else 0
    onward = request.form.get("action") == "next" and after < len(codes)
    if not onward:
        notice(_("Saved."))
    return redirect(answering.page_url(codes[after] if onward else page.code), code=303)


@blueprint.post("/review/<public_id>/paper/<document>/questions/<code>/files")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def attach(on: DocumentOf) -> ResponseReturnValue:
    """Attach a file that came with the paper to a question."""
    definition, head = _open(on), on.head
    _definition, ids = load(head)
    item = next((one for one in definition.questions() if one.code == on.code), None)
    if item is None or question_type(item.type).control != "file":
        raise NotFound
    if head.unlocked is not None and on.code not in head.unlocked:
        raise IllegalTransition
    writer = services.on_behalf(db.session, head, by=who())
    received = receiving.posted_files(head.public_id)
    context = context_for(writer, head, definition)
    with write() as session:
        writer = services.begin_entering(session, head, session.get_one(AssignmentDocument, on.document.id), by=who())
        for one in received:
            made = evidence_service.add_file(
                session, head, one, question_id=ids[on.code], by=writer, quota=receiving.quota()
            )
        set_files(session, head, definition, ids, on.code, context, by=writer)
    if wants_json():
        return {"number": made.number, "name": made.filename, "size": made.size}, 201
    notice(_("“%(name)s” is attached.", name=made.filename))
    answering = PaperPage(on, definition)
    return redirect(answering.page_url(definition.page_of(on.code).code) + f"#q-{on.code}-item", code=303)


@blueprint.post("/review/<public_id>/paper/<document>/finish")
@requires(Permission.ENTER_ON_BEHALF, on=paper_on)
def finish(on: DocumentOf) -> ResponseReturnValue:
    """Hand in what was entered: complete, with the scan as evidence and the signature on paper recorded."""
    definition, head = _open(on), on.head
    writer = services.on_behalf(db.session, head, by=who())
    context = context_for(writer, head, definition)
    try:
        with write() as session:
            document = session.get_one(AssignmentDocument, on.document.id)
            event = services.finish_entering(session, head, document, definition, context=context, by=who())
    except Incomplete as error:
        answering = PaperPage(on, definition)
        # the questions themselves are listed beside the page
        return _draw(answering, answering.first_page(), errors=[("missing", str(error))]), 422
    told = _("Entered and handed in on behalf of the institution. It is marked as entered from paper.")
    if event.status == "awaiting_sign_off":
        told = _("Entered on behalf of the institution. This round is signed on screen: its approver is asked to sign.")
    notice(told)
    return redirect(url_for("follow.submission", public_id=head.public_id), code=303)
