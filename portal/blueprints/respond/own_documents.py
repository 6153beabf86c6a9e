"""Files sent to the door of Excel and Word that are none of ours: handed in as they are, received, to be entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from portal import clock
from portal.blueprints import receiving
from portal.blueprints.guard import requires, who
from portal.blueprints.page import facts, notice
from portal.blueprints.respond.door import blueprint, own_reply
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import ImportDraft
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import owed as owed_queries
from portal.queries.submissions import citation, title_of
from portal.services import documents, evidence, import_drafts
from portal.services.file_checks import check_content, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.queries.owed import Owed

KIND = "own_document"


class OwnDocument:
    """A file that waits to be handed in, with the institution that sent it; permissions look at that."""

    def __init__(self, draft: ImportDraft) -> None:
        self.draft = draft
        self.institution_id: int = draft.summary["institution"]


def own_document(public_id: str) -> OwnDocument:
    """Load a file that the person's own institution sent; to others it does not exist, not even to staff."""
    found = OwnDocument(import_drafts.find_draft(db.session, public_id, KIND))
    if found.institution_id != who().institution_id:
        raise NotFound
    return found


def is_document(path: Path, filename: str) -> bool:
    """Tell whether a file that is none of ours would be taken as a document."""
    try:
        name, extension = check_name(filename)
        check_content(path, extension, name)
    except Invalid:
        return False
    return True


def remember(
    session: Session, own: Sequence[dict[str, str]], institution_id: int, slug: str, beside: str
) -> list[ImportDraft]:
    """Keep files until somebody says for which reply they are; ``beside`` is the reply on whose page they were sent."""
    summary = {"institution": institution_id, "round": slug, "reply": beside}
    return [import_drafts.add_draft(session, KIND, **one, summary=summary, by=who()) for one in own]


def kept_ones(public_ids: Sequence[str]) -> Sequence[ImportDraft]:
    """Return those of some files that were not handed in yet, in the order in which they were sent."""
    if not public_ids:
        return ()
    return db.session.scalars(
        select(ImportDraft)
        .where(ImportDraft.public_id.in_(public_ids), ImportDraft.confirmed_at.is_(None))
        .order_by(ImportDraft.id)
    ).all()


def offers(own: Sequence[ImportDraft]) -> list[dict[str, Any]]:
    """Return how pages offer to hand files in: where to, and for which replies."""
    institution_id = who().institution_id
    if not own or institution_id is None:
        return []
    slug = own[0].summary["round"]
    found = next((one for one in owed_queries.rounds_of(db.session, institution_id) if one.slug == slug), None)
    rows = owed_queries.owed(db.session, institution_id, found.id, clock.today(facts().time_zone)) if found else []
    replies = [(one.head.public_id, _name(one)) for one in rows if one.head.status in EDITABLE]
    if not replies:
        return []
    return [
        {
            "url": url_for("respond.hand_in_document", public_id=one.public_id), "name": one.filename,
            "id": one.public_id, "replies": replies, "chosen": one.summary["reply"],
        }
        for one in own
    ]  # fmt: skip


def _name(one: Owed) -> str:
    if one.head.about_institution or not one.asked:
        return str(_("Questions about your institution"))
    title = title_of(one.asked, g.view.language, g.country.languages)
    cite = f"{one.asked[0].mechanism} {citation(one.asked)}"
    return f"{cite} · {title[:80]}" if title else cite


@blueprint.post("/owed/offline/documents/<public_id>")
@requires(Permission.ANSWER_SUBMISSION, on=own_document)
def hand_in_document(on: OwnDocument) -> ResponseReturnValue:
    """Take a file that is none of ours as a document of a reply: received, to be entered."""
    of = receiving.settings()
    path = import_drafts.file_of(on.draft, of.data_dir)
    head = own_reply(request.form.get("reply", ""))
    try:
        with path.open("rb") as file:
            received = evidence.receive(
                file, on.draft.filename, folder=of.evidence_dir, tmp=of.tmp_dir, limit=of.evidence_max_bytes
            )
        with write() as session:
            made = documents.add_document(session, head, received, by=who(), quota=receiving.quota())
            import_drafts.mark_taken(session, on.draft.public_id)
    except Invalid as error:
        notice(str(error), "bad")
        return redirect(url_for("documents.inbox", public_id=head.public_id), code=303)
    notice(_("Received: “%(name)s” now waits to be entered.", name=made.filename))
    return redirect(url_for("documents.inbox", public_id=head.public_id), code=303)
