"""Evidence: received, given out, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, request, send_file, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, Parsed
from forms.question_types import question_type
from portal.blueprints.answering import context_for, load
from portal.blueprints.guard import requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.respond.door import (
    EvidenceOf,
    OnPage,
    blueprint,
    evidence_on,
    own_page,
)
from portal.database import write
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.models import Evidence
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.evidence import evidence_of
from portal.services import evidence as evidence_service
from portal.services import submissions as services
from portal.services.submissions import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.queries.submissions import SubmissionHead


@blueprint.post("/replies/<public_id>/questions/<code>/files")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def upload(on: OnPage) -> ResponseReturnValue:
    """Attach files to a question: stored and hashed first, then their rows and the answer in one transaction."""
    head, principal = on.head, who()
    definition, ids = load(head)
    item = next((i for i in definition.questions() if i.code == on.code), None)
    if item is None or question_type(item.type).control != "file":
        raise NotFound
    if head.status not in EDITABLE or (head.unlocked is not None and on.code not in head.unlocked):
        raise IllegalTransition
    given = [one for _field, one in request.files.items(multi=True) if one.filename]
    if not given:
        raise Invalid(_("Choose a file first."))
    settings = current_app.config["SETTINGS"]
    received = [
        evidence_service.receive(
            one.stream,
            one.filename or "",
            folder=settings.evidence_dir,
            tmp=settings.tmp_dir,
            limit=settings.evidence_max_bytes,
        )
        for one in given
    ]
    context = context_for(principal, head, definition)
    with write() as session:
        for one in received:
            made = evidence_service.add_file(session, head, one, question_id=ids[on.code], by=principal)
        _set_files(session, head, definition, ids, on.code, context)
    if wants_json():
        return {
            "number": made.number,
            "name": made.filename,
            "size": made.size,
            "url": url_for("respond.evidence", public_id=made.public_id),
            "remove_url": url_for("respond.remove_evidence", public_id=made.public_id),
        }, 201
    notice(_("“%(name)s” is attached.", name=made.filename))
    return redirect(
        url_for("respond.section", public_id=head.public_id, code=definition.page_of(on.code).code)
        + f"#q-{on.code}-item",
        code=303,
    )


def _set_files(
    session: Any, head: SubmissionHead, definition: Definition, ids: Mapping[str, int], code: str, context: Any
) -> None:
    """Let the answer of a file question name what is attached to it."""
    attached = [one.public_id for one in evidence_of(session, head.id) if one.question_id == ids[code]]
    change = Change(Parsed(value=attached or None), None)  # type: ignore[arg-type] # a list is JSON
    services.save_answers(session, head, definition, ids, {AnswerKey(code): change}, context=context, by=who())


@blueprint.get("/evidence/<public_id>")
@requires(Permission.VIEW_ANSWERS, on=evidence_on)
def evidence(on: EvidenceOf) -> ResponseReturnValue:
    """Give a file, always as a download, never rendered (ASVS 3.2.1, 5.3.1); a link is shown, not followed."""
    one = on.evidence
    if one.sha256 is None:
        return redirect(one.url or url_for("public.home"), code=303)
    path = current_app.config["SETTINGS"].evidence_dir / one.sha256[:2] / one.sha256
    if not path.is_file():
        raise NotFound(
            _("This file is missing from the store. Tell the administrator its number: %(number)s.", number=one.number)
        )
    response = send_file(path, mimetype=one.media_type, as_attachment=True, download_name=one.filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/evidence/<public_id>/remove")
@requires(Permission.ANSWER_SUBMISSION, on=evidence_on)
def remove_evidence(on: EvidenceOf) -> ResponseReturnValue:
    """Take a file off a reply that may still be changed."""
    head = on.head
    definition, ids = load(head)
    code = next((code for code, question_id in ids.items() if question_id == on.evidence.question_id), None)
    if head.status not in EDITABLE or (head.unlocked is not None and code not in head.unlocked):
        raise IllegalTransition
    context = context_for(who(), head, definition)
    with write() as session:
        one = session.get_one(Evidence, on.evidence.id)
        evidence_service.remove(session, one, by=who())
        session.flush()
        if code is not None:
            _set_files(session, head, definition, ids, code, context)
    if wants_json():
        return {"removed": True}
    notice(_("The file was removed."))
    target = (
        url_for("respond.section", public_id=head.public_id, code=definition.page_of(code).code)
        if code
        else url_for("respond.check", public_id=head.public_id)
    )
    return redirect(target, code=303)
