"""The blueprint of documents, and what loads a document, or a paper that is being entered, with its reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from portal.blueprints.follow.door import reply_for_staff
from portal.blueprints.respond.door import reply_of
from portal.errors import NotFound
from portal.extensions import db
from portal.queries.documents import find_document
from portal.queries.evidence import evidence_of

if TYPE_CHECKING:
    from portal.models import AssignmentDocument, Evidence
    from portal.queries.submissions import SubmissionHead

blueprint = Blueprint("documents", __name__)


class DocumentOf:
    """A document with the reply of its assignment; permissions look at the reply."""

    def __init__(self, document: AssignmentDocument, head: SubmissionHead, code: str = "") -> None:
        self.document, self.head, self.code = document, head, code
        self.institution_id, self.status = head.institution_id, head.status


class PageOf(DocumentOf):
    """A page of a document, counted from 1, with the reply of its assignment."""

    def __init__(self, document: AssignmentDocument, head: SubmissionHead, number: int) -> None:
        super().__init__(document, head)
        self.number = number


class FileOf(DocumentOf):
    """A document that is being entered, with a piece of evidence of its reply."""

    def __init__(self, document: AssignmentDocument, head: SubmissionHead, evidence: Evidence) -> None:
        super().__init__(document, head)
        self.evidence = evidence


class UploadOf:
    """A reply with the identifier of an upload; permissions look at the reply."""

    def __init__(self, head: SubmissionHead, identifier: str) -> None:
        self.head, self.identifier = head, identifier
        self.institution_id, self.status = head.institution_id, head.status


def document_on(public_id: str) -> DocumentOf:
    """Load a document with the reply of its assignment."""
    found = find_document(db.session, public_id)
    if found is None:
        raise NotFound
    return DocumentOf(found[0], reply_of(found[1]))


def page_on(public_id: str, number: int) -> PageOf:
    """Load a document with the reply of its assignment, for one of its pages."""
    of = document_on(public_id)
    return PageOf(of.document, of.head, number)


def paper_on(public_id: str, document: str, code: str = "") -> DocumentOf:
    """Load a reply for the secretariat with one of its documents, and the code of a page or question."""
    head = reply_for_staff(public_id)
    found = find_document(db.session, document)
    if found is None or found[1] != head.public_id:
        raise NotFound
    return DocumentOf(found[0], head, code)


def file_on(public_id: str, document: str, number: int) -> FileOf:
    """Load a reply for the secretariat with one of its documents and a file of it, by the number that cites it."""
    of = paper_on(public_id, document)
    for one in evidence_of(db.session, of.head.id):
        if one.number == number:
            return FileOf(of.document, of.head, one)
    raise NotFound


def upload_for_staff(public_id: str, identifier: str) -> UploadOf:
    """Load a reply for the secretariat with the identifier of an upload."""
    return UploadOf(reply_for_staff(public_id), identifier)
