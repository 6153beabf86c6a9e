"""Questions back, and what is answered; they never change a status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from spectree import Response

from portal.api import shapes
from portal.api.door import answer, any_reply, blueprint, named, once, operation, take
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires, who
from portal.blueprints.posting import load
from portal.blueprints.respond.door import ThreadOf, thread_on
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Clarification
from portal.permissions import Permission
from portal.queries.clarifications import threads
from portal.services import clarifications as services
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.queries.clarifications import Thread
    from portal.queries.submissions import SubmissionHead


def _thread(public_id: str) -> ThreadOf:
    found = thread_on(named(public_id))
    principal = who()
    if not principal.staff and found.institution_id != principal.institution_id:
        raise NotFound
    return found


def _shape(one: Thread) -> shapes.Clarification:
    return shapes.Clarification(
        id=one.public_id,
        status=one.status.value,
        question=one.question_code,
        messages=[
            shapes.Message(
                body=said.body,
                from_secretariat=said.from_secretariat,
                by=dict(said.by) if said.by else None,
                at=said.at,
            )
            for said in one.messages
        ],
    )


def _of(session: Session, submission_id: int, public_id: str) -> shapes.Clarification:
    return next(_shape(one) for one in threads(session, submission_id) if one.public_id == public_id)


@blueprint.get("/submissions/<public_id>/clarifications")
@requires(Permission.VIEW_SUBMISSION, on=any_reply)
@operation("listClarifications", resp=Response(HTTP_200=shapes.Clarifications, **REFUSALS))
def list_clarifications(head: SubmissionHead) -> ResponseReturnValue:
    """List the clarifications of a reply with their messages."""
    return answer(shapes.Clarifications(items=[_shape(one) for one in threads(db.session, head.id)]))


@blueprint.post("/submissions/<public_id>/clarifications")
@requires(Permission.ASK_CLARIFICATION, on=any_reply)
@operation("askClarification", json=shapes.AskIn, resp=Response(HTTP_201=shapes.Clarification, **REFUSALS))
def ask(head: SubmissionHead) -> ResponseReturnValue:
    """Ask an institution about its reply, or about one of its questions."""
    given = take(shapes.AskIn)
    _definition, ids = load(head)
    if given.question is not None and given.question not in ids:
        sentence = _l("This questionnaire asks no question of this name.")
        raise Invalid(sentence, problems=[Problem(sentence, field="question")])
    question_id = ids[given.question] if given.question else None

    def act(session: Session) -> tuple[shapes.Clarification, int]:
        made = services.ask(session, head, given.body, question_id=question_id, by=who())
        return _of(session, head.id, made.public_id), 201

    return once(act, body=given.model_dump(mode="json"))


@blueprint.post("/clarifications/<public_id>/messages")
@requires(Permission.VIEW_SUBMISSION, on=_thread)
@operation("answerClarification", json=shapes.MessageIn, resp=Response(HTTP_201=shapes.Clarification, **REFUSALS))
def answer_clarification(on: ThreadOf) -> ResponseReturnValue:
    """Write the next message: the institution's answer, or the secretariat's next question."""
    given = take(shapes.MessageIn)

    def act(session: Session) -> tuple[shapes.Clarification, int]:
        thread = session.get_one(Clarification, on.thread.id)
        services.answer(session, on.head, thread, given.body, by=who())
        session.flush()
        return _of(session, on.head.id, thread.public_id), 201

    return once(act, body=given.model_dump(mode="json"))


@blueprint.post("/clarifications/<public_id>/close")
@requires(Permission.ASK_CLARIFICATION, on=_thread)
@operation("closeClarification", resp=Response(HTTP_200=shapes.Clarification, **REFUSALS))
def close(on: ThreadOf) -> ResponseReturnValue:
    """Close a clarification that is settled."""

    def act(session: Session) -> tuple[shapes.Clarification, int]:
        thread = session.get_one(Clarification, on.thread.id)
        services.close(session, on.head, thread, by=who())
        session.flush()
        return _of(session, on.head.id, thread.public_id), 200

    return once(act)
