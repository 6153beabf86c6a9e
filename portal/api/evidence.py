"""Evidence: a file is received, hashed and judged first, then attached to an answer in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_babel import lazy_gettext as _l
from spectree import Response

from forms.answers import AnswerKey, Parsed
from forms.question_types import question_type
from portal.api import shapes
from portal.api.door import answer, blueprint, named, once, operation, own_reply
from portal.api.replies import REFUSALS
from portal.blueprints import receiving
from portal.blueprints.guard import requires, who
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond.door import EvidenceOf, evidence_on
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.evidence import evidence_of
from portal.services import evidence as services
from portal.services.submissions import Change, save_answers
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.models import Evidence
    from portal.queries.submissions import SubmissionHead


def _evidence(public_id: str) -> EvidenceOf:
    found = evidence_on(named(public_id))
    principal = who()
    if not principal.staff and found.institution_id != principal.institution_id:
        raise NotFound
    return found


def _shape(one: Evidence, code: str | None) -> shapes.EvidenceItem:
    return shapes.EvidenceItem(
        id=one.public_id,
        number=one.number,
        kind=one.kind.value,
        question=code,
        filename=one.filename,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        url=one.url,
        caption=one.caption,
        visibility=one.visibility.value,
        scanned_at=one.scanned_at,
    )


def _refused(sentence: object, field: str) -> Invalid:
    return Invalid(str(sentence), problems=[Problem(str(sentence), field=field)])


@blueprint.post("/submissions/<public_id>/evidence")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
@operation("uploadEvidence", form=shapes.UploadIn, resp=Response(HTTP_201=shapes.EvidenceItem, **REFUSALS))
def upload(head: SubmissionHead) -> ResponseReturnValue:
    """Attach a file to a question of type file: multipart/form-data with ``question`` and ``file``."""
    definition, ids = load(head)
    code = request.form.get("question", "")
    item = next((one for one in definition.questions() if one.code == code), None)
    if item is None or question_type(item.type).control != "file":
        raise _refused(_l("Name a question that takes files."), "question")
    if head.status not in EDITABLE or (head.unlocked is not None and code not in head.unlocked):
        raise IllegalTransition
    given = request.files.get("file")
    if given is None or not given.filename:
        raise _refused(_l("Choose a file first."), "file")
    received = receiving.receive(given)
    context = context_for(who(), head, definition)

    def act(session: Session) -> tuple[shapes.EvidenceItem, int]:
        made = services.add_file(session, head, received, question_id=ids[code], by=who(), quota=receiving.quota())
        attached: list[object] = [
            one.public_id for one in evidence_of(session, head.id) if one.question_id == ids[code]
        ]  # fmt: skip
        change = Change(Parsed(value=attached), None)  # type: ignore[arg-type]  # a list of texts is JSON
        save_answers(session, head, definition, ids, {AnswerKey(code): change}, context=context, by=who())
        return _shape(made, code), 201

    return once(act, body={"question": code, "name": received.filename, "sha256": received.sha256})


@blueprint.get("/evidence/<public_id>")
@requires(Permission.VIEW_ANSWERS, on=_evidence)
@operation("getEvidence", resp=Response("HTTP_200", **REFUSALS))
def download(on: EvidenceOf) -> ResponseReturnValue:
    """Give a file, always as a download; a link is given as JSON."""
    one = on.evidence
    if one.sha256 is None:
        return answer(_shape(one, None))
    return receiving.give(one.sha256, one.media_type, one.filename, one.number)
