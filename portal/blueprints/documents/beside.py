"""What a page of answers shows of the documents of its assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import url_for

from portal.blueprints.documents.inbox import document_rows
from portal.models.lifecycle import EDITABLE

if TYPE_CHECKING:
    from portal.queries.submissions import SubmissionHead


def documents_beside(head: SubmissionHead) -> dict[str, Any]:
    """Return the documents that wait to be entered, where they are sent in, and whether staff entered the answers.

    Without documents it asks the database nothing.
    """
    return {
        "documents": document_rows(head, waiting=True) if head.documents else [],
        "documents_url": url_for("documents.inbox", public_id=head.public_id) if head.status in EDITABLE else "",
        "entered_from_paper": head.from_paper,
    }
