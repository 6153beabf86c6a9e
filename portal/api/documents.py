"""Documents of an assignment for machines: listed, sent in, given out; a document is no answer to anything yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_babel import lazy_gettext as _l
from spectree import Response

from portal.api.document_shapes import Document, DocumentIn, Documents
from portal.api.door import answer, any_reply, blueprint, named, once, operation
from portal.api.replies import REFUSALS
from portal.blueprints import receiving
from portal.blueprints.documents.door import DocumentOf, document_on
from portal.blueprints.guard import requires, who
from portal.errors import IllegalTransition, Invalid, NotAllowed
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.documents import documents_of
from portal.services import documents as services
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.models import AssignmentDocument
    from portal.queries.submissions import SubmissionHead


def _document(public_id: str) -> DocumentOf:
    return document_on(named(public_id))


def _shape(one: AssignmentDocument, head: SubmissionHead) -> Document:
    return Document(
        id=one.public_id, submission=head.public_id, state=one.state.value, filename=one.filename,
        media_type=one.media_type, size=one.size, sha256=one.sha256, note=one.note,
        from_secretariat=one.from_secretariat, added_at=one.added_at, scanned_at=one.scanned_at,
        on_behalf_since=one.on_behalf_since, settled_at=one.settled_at, reason=one.reason,
    )  # fmt: skip


@blueprint.get("/submissions/<public_id>/documents")
@requires(Permission.VIEW_SUBMISSION, on=any_reply)
@operation("listDocuments", resp=Response(HTTP_200=Documents, **REFUSALS))
def list_documents(head: SubmissionHead) -> ResponseReturnValue:
    """List what came for a reply outside the form, the oldest first."""
    return answer(Documents(items=[_shape(one, head) for one in documents_of(db.session, head.assignment_id)]))


@blueprint.post("/submissions/<public_id>/documents")
@requires(Permission.VIEW_SUBMISSION, on=any_reply)
@operation("addDocument", form=DocumentIn, resp=Response(HTTP_201=Document, **REFUSALS))
def add_document(head: SubmissionHead) -> ResponseReturnValue:
    """Send a document in: multipart/form-data with ``file`` and ``note``; received, to be entered.

    For whoever answers for the institution, and for the coordinator. The same file again is the same document.
    """
    if not services.may_add(who(), head):
        raise NotAllowed
    if head.status not in EDITABLE:
        raise IllegalTransition
    given = request.files.get("file")
    if given is None or not given.filename:
        sentence = _l("Choose a file first.")
        raise Invalid(sentence, problems=[Problem(sentence, field="file")])
    received, note = receiving.receive(given), request.form.get("note", "")

    def act(session: Session) -> tuple[Document, int]:
        made = services.add_document(session, head, received, by=who(), note=note, quota=receiving.quota())
        return _shape(made, head), 201

    return once(act, body={"note": note, "name": received.filename, "sha256": received.sha256})


@blueprint.get("/documents/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=_document)
@operation("getDocument", resp=Response("HTTP_200", **REFUSALS))
def get_document(on: DocumentOf) -> ResponseReturnValue:
    """Give a document, always as a download."""
    return receiving.give(on.document.sha256, on.document.media_type, on.document.filename)
