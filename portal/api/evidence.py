"""Evidence: a file is received, hashed and judged first, then attached to an answer in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_babel import lazy_gettext as _l
from spectree import Response

from forms.answers import parse_field_name
from forms.question_types import question_type
from forms.tables import may_change
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
from portal.services.attaching import Asked, attach, is_place
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey
    from forms.definition.model import Definition
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


def _takes_files(definition: Definition, key: AnswerKey) -> bool:
    """Tell whether a file may hang there: on a question of type file, or on a cell of a column of it."""
    item = next((one for one in definition.questions() if one.code == key.code), None)
    return item is not None and question_type(item.type).control == "file" and is_place(definition, key)


@blueprint.post("/submissions/<public_id>/evidence")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
@operation("uploadEvidence", form=shapes.UploadIn, resp=Response(HTTP_201=shapes.EvidenceItem, **REFUSALS))
def upload(head: SubmissionHead) -> ResponseReturnValue:
    """Attach a file: multipart/form-data with ``question`` and ``file``.

    ``question`` is a code, in a table ``code[row]``; the row of a cell that nobody has saved comes with its file
    (``parent``: the row around it). A file that hangs there already is not doubled. Where the question may not be
    changed, or the row is gone, nothing is attached.
    """
    definition, ids = load(head)
    name = request.form.get("question", "")
    key = parse_field_name(name)
    if key is None or key.lang or not _takes_files(definition, key):
        raise _refused(_l("Name a question that takes files."), "question")
    if head.status not in EDITABLE or not may_change(definition, key.code, head.unlocked):
        raise IllegalTransition
    given = request.files.get("file")
    if given is None or not given.filename:
        raise _refused(_l("Choose a file first."), "file")
    received, parent = receiving.receive(given), request.form.get("parent", "")
    of = Asked(head, definition, ids, context_for(who(), head, definition))

    def act(session: Session) -> tuple[shapes.EvidenceItem, int]:
        made = attach(session, of, key, [received], by=who(), parent=parent, quota=receiving.quota())
        return _shape(made, key.code), 201

    return once(act, body={"question": name, "parent": parent, "name": received.filename, "sha256": received.sha256})


@blueprint.get("/evidence/<public_id>")
@requires(Permission.VIEW_ANSWERS, on=_evidence)
@operation("getEvidence", resp=Response("HTTP_200", **REFUSALS))
def download(on: EvidenceOf) -> ResponseReturnValue:
    """Give a file, always as a download; a link is given as JSON."""
    one = on.evidence
    if one.sha256 is None:
        return answer(_shape(one, None))
    return receiving.give(one.sha256, one.media_type, one.filename, one.number)
