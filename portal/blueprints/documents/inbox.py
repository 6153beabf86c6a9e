"""The documents of one assignment, as its institution and the secretariat see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints import receiving
from portal.blueprints.documents.door import DocumentOf, UploadOf, blueprint, document_on, upload_for_staff
from portal.blueprints.follow.door import reply_for_staff
from portal.blueprints.guard import repeats, requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.respond.door import own_reply
from portal.database import write
from portal.errors import IllegalTransition, Invalid
from portal.extensions import db
from portal.models import AssignmentDocument, DocumentState
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, can
from portal.queries import submissions as queries
from portal.queries.actors import actor_names
from portal.queries.documents import documents_of
from portal.services import documents as services
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.queries.submissions import SubmissionHead

# how a document is read within the portal; what is of no kind here is downloaded
READING = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "application/pdf": "pages",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "words",
}


def document_rows(head: SubmissionHead, *, waiting: bool = False) -> list[dict[str, Any]]:
    """Return the documents of a reply as components/document.html shows them; ``waiting``: those to be entered."""
    found = [
        one
        for one in documents_of(db.session, head.assignment_id)
        if not waiting or one.state is DocumentState.RECEIVED or one.on_behalf_since is not None
    ]
    names = actor_names(db.session, [*(one.added_by for one in found), *(one.settled_by for one in found)])

    def name(actor_id: int | None) -> str:
        return pick(names.get(actor_id or 0), g.view.language, g.country.languages)

    return [
        document_row(one)
        | {
            "note": one.note,
            "by": name(one.added_by),
            "at": one.added_at,
            "from_secretariat": one.from_secretariat,
            "on_behalf": one.on_behalf_since is not None,
            "settled_by": name(one.settled_by),
            "settled_at": one.settled_at,
            "reason": one.reason or "",
        }
        for one in found
    ]


def document_row(one: AssignmentDocument) -> dict[str, Any]:
    """Return what a page shows of a document itself: its name, how it is read, its state."""
    reading = READING.get(one.media_type or "", "")
    return {
        "public_id": one.public_id,
        "title": one.filename,
        "url": url_for("documents.document", public_id=one.public_id),
        "reading": reading,
        "read_url": url_for("documents.read", public_id=one.public_id) if reading else "",
        "size": receiving.megabytes(one.size),
        "scanned_at": one.scanned_at,
        "state": one.state.value,
    }


def _page(head: SubmissionHead, *, staff: bool, error: str = "", status: int = 200) -> ResponseReturnValue:
    room = receiving.room(head.institution_id)
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    may_add = head.status in EDITABLE and services.may_add(who(), head)
    add_url = url_for("documents.receive" if staff else "documents.add", public_id=head.public_id)
    pieces = "documents.receive_piece" if staff else "respond.upload_piece"
    institution = pick(head.institution_names, g.view.language, g.country.languages)
    page = render_template(
        "documents/inbox.html",
        head=head,
        staff=staff,
        error=error,
        institution=institution,
        cite=f"{asked[0].mechanism} · {_('paragraph')} {queries.citation(asked)}" if asked else "",
        rows=document_rows(head),
        add_url=add_url if may_add else "",
        pieces_url=url_for(pieces, public_id=head.public_id, identifier="-").removesuffix("-"),
        can_settle=services.may_add(who(), head),
        can_enter=staff and head.status in EDITABLE and can(who(), Permission.ENTER_ON_BEHALF, head),
        room_words=receiving.room_words(room, institution=institution if staff else ""),
        back_url=url_for("follow.submission" if staff else "respond.check", public_id=head.public_id),
    )
    return page, status


@blueprint.get("/replies/<public_id>/documents")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def inbox(head: SubmissionHead) -> ResponseReturnValue:
    """Show an institution the documents of one of its assignments."""
    return _page(head, staff=False)


@blueprint.get("/review/<public_id>/documents")
@requires(Permission.VIEW_SUBMISSION, on=reply_for_staff)
def desk(head: SubmissionHead) -> ResponseReturnValue:
    """Show the secretariat the documents of an assignment."""
    return _page(head, staff=True)


@blueprint.post("/replies/<public_id>/documents")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
def add(head: SubmissionHead) -> ResponseReturnValue:
    """Take documents that an institution sends in."""
    return _add(head, staff=False)


@blueprint.post("/review/<public_id>/documents")
@requires(Permission.ENTER_ON_BEHALF, on=reply_for_staff)
def receive(head: SubmissionHead) -> ResponseReturnValue:
    """Take documents that reached the secretariat."""
    return _add(head, staff=True)


@blueprint.route("/review/<public_id>/uploads/<identifier>", methods=["GET", "PUT"])
@requires(Permission.ENTER_ON_BEHALF, on=upload_for_staff)
@repeats("a piece that came before changes nothing")
def receive_piece(of: UploadOf) -> ResponseReturnValue:
    """Take a piece of a file for a reply, or tell how much of it has come."""
    if of.head.status not in EDITABLE:
        raise IllegalTransition
    told, status = receiving.take_piece(of.head.public_id, of.head.institution_id, of.identifier)
    return dict(told), status


def _add(head: SubmissionHead, *, staff: bool) -> ResponseReturnValue:
    if head.status not in EDITABLE:
        raise IllegalTransition
    try:
        received = receiving.posted_files(head.public_id)
        with write() as session:
            for one in received:
                made = services.add_document(
                    session, head, one, by=who(), note=request.form.get("note", ""), quota=receiving.quota()
                )
    except Invalid as error:
        if wants_json():
            raise
        return _page(head, staff=staff, error=str(error), status=422)
    if wants_json():
        return {"id": made.public_id, "name": made.filename, "size": made.size, "state": made.state.value}, 201
    notice(_("Received: “%(name)s” now waits to be entered.", name=made.filename))
    return redirect(_inbox_of(head, staff=staff), code=303)


def _inbox_of(head: SubmissionHead, *, staff: bool) -> str:
    return url_for("documents.desk" if staff else "documents.inbox", public_id=head.public_id)


@blueprint.get("/documents/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=document_on)
def document(on: DocumentOf) -> ResponseReturnValue:
    """Give a document, always as a download; a page may show a photo of it beside the questions."""
    return receiving.give(on.document.sha256, on.document.media_type, on.document.filename)


def _is_staff(head: SubmissionHead) -> bool:
    return who().institution_id != head.institution_id


@blueprint.post("/documents/<public_id>/entered")
@requires(Permission.VIEW_SUBMISSION, on=document_on)
def entered(on: DocumentOf) -> ResponseReturnValue:
    """Say that a document's answers stand in the reply."""
    with write() as session:
        services.mark_entered(session, on.head, session.get_one(AssignmentDocument, on.document.id), by=who())
    notice(_("Marked as entered."))
    return redirect(_inbox_of(on.head, staff=_is_staff(on.head)), code=303)


@blueprint.post("/documents/<public_id>/set-aside")
@requires(Permission.VIEW_SUBMISSION, on=document_on)
def set_aside(on: DocumentOf) -> ResponseReturnValue:
    """Set a document aside, with a reason."""
    reason = request.form.get("reason", "")
    try:
        with write() as session:
            one = session.get_one(AssignmentDocument, on.document.id)
            services.set_aside(session, on.head, one, reason=reason, by=who())
    except Invalid as error:
        return _page(on.head, staff=_is_staff(on.head), error=str(error), status=422)
    notice(_("Set aside; both sides read the reason."))
    return redirect(_inbox_of(on.head, staff=_is_staff(on.head)), code=303)
