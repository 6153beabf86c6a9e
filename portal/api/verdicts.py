"""The acts on a reply; each is one event, and happens once for the same ``Idempotency-Key``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import lazy_gettext as _l
from spectree import Response

from forms.tables import tables
from portal.api import shapes
from portal.api.door import any_reply, blueprint, once, operation, own_reply, take
from portal.api.replies import REFUSALS
from portal.blueprints.guard import confirm_password, requires, who
from portal.blueprints.posting import context_for, load
from portal.errors import Conflict
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.queries.seen import stations
from portal.services import kept_warnings, reviews, verdicts
from portal.services.seen import note_seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from pydantic import BaseModel
    from sqlalchemy.orm import Session

    from portal.models import SubmissionEvent
    from portal.queries.submissions import SubmissionHead

_CHANGED = _l("A reply was changed since you read it, so nothing was signed. Read it again, then sign.")
VERDICT = Response(HTTP_200=shapes.Verdict, **REFUSALS)


def _operation(name: str, body: type[BaseModel] | None = None) -> Any:
    return operation(name, json=body, resp=VERDICT)


def _done(
    head: SubmissionHead, do: Callable[[Session], SubmissionEvent], given: BaseModel | None = None
) -> ResponseReturnValue:
    def act(session: Session) -> tuple[shapes.Verdict, int]:
        return _verdict(session, head, do(session)), 200

    return once(act, body=given.model_dump(mode="json") if given is not None else None)


def _verdict(session: Session, head: SubmissionHead, event: SubmissionEvent) -> shapes.Verdict:
    after = queries.head_by_id(session, head.id)
    signature = after.signature.value if after.signature else None
    return shapes.Verdict(
        id=after.public_id, status=after.status, signature=signature, hand_in=after.hand_in, event=event.number
    )


def _nothing() -> None:
    """Take no body, or an empty object."""
    if request.get_data():
        take(shapes.EmptyIn)


@blueprint.post("/submissions/<public_id>/complete")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
@_operation("complete")
def complete(head: SubmissionHead) -> ResponseReturnValue:
    """Say that a reply is complete: it goes to the approver, or is handed in where no signature is asked.

    The body may be left out; `{"reasons": {warning: reason}}` keeps warnings, each with its reason.
    """
    given = take(shapes.CompleteIn) if request.get_data() else shapes.CompleteIn()
    definition, _ids = load(head)
    context = context_for(who(), head, definition)

    def do(session: Session) -> SubmissionEvent:
        if given.reasons:
            found = kept_warnings.look(session, head, definition, context)
            kept_warnings.keep_warnings(session, head, found, given.reasons, by=who())
        return verdicts.complete(session, head, definition, context=context, by=who())

    return _done(head, do, given if given.reasons else None)


@blueprint.post("/submissions/<public_id>/sign-off")
@requires(Permission.SIGN_SUBMISSION, on=own_reply)
@_operation("signOff", shapes.SignIn)
def sign_off(head: SubmissionHead) -> ResponseReturnValue:
    """Sign a reply, after the password was given again."""
    given = take(shapes.SignIn)
    confirm_password(who(), given.password)
    definition, _ids = load(head)
    return _done(head, lambda session: verdicts.sign_off(session, [(head, definition)], by=who())[0], given)


@blueprint.post("/sign-off")
@requires(Permission.SIGN_SUBMISSION)
@operation("signPack", json=shapes.SignPackIn, resp=Response(HTTP_200=shapes.Verdicts, **REFUSALS))
def sign_pack() -> ResponseReturnValue:
    """Sign several replies in one act, after the password was given again: all of them or none.

    A token alone signs nothing (ASVS 7.5.3). A reply that is not as it was read is told, and nothing is signed.
    """
    given = take(shapes.SignPackIn)
    wanted = {one.id: one.event for one in given.submissions}
    pairs = [(head, load(head)[0]) for head in map(own_reply, wanted)]
    confirm_password(who(), given.password)

    def act(session: Session) -> tuple[shapes.Verdicts, int]:
        last = stations(session, [head.id for head, _definition in pairs])
        if any(wanted[head.public_id] not in {None, last.get(head.id)} for head, _definition in pairs):
            raise Conflict(_CHANGED)
        events = verdicts.sign_off(session, pairs, by=who())
        note_seen(session, [head.id for head, _definition in pairs], by=who())
        made = [_verdict(session, head, event) for (head, _definition), event in zip(pairs, events, strict=True)]
        return shapes.Verdicts(items=made), 200

    return once(act, body=given.model_dump(mode="json"))


@blueprint.post("/submissions/<public_id>/not-ours")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
@_operation("claimNotOurs", shapes.NotOursIn)
def claim_not_ours(head: SubmissionHead) -> ResponseReturnValue:
    """Say that another institution should answer: an answer, never silence."""
    given = take(shapes.NotOursIn)
    return _done(
        head,
        lambda session: verdicts.claim_not_ours(
            session, head, instead=given.instead, reason=given.reason, by=who()
        ),
        given,
    )  # fmt: skip


@blueprint.post("/submissions/<public_id>/return")
@requires(Permission.REVIEW_SUBMISSION, on=any_reply)
@_operation("returnSubmission", shapes.ReturnIn)
def return_submission(head: SubmissionHead) -> ResponseReturnValue:
    """Return a reply with a note; exactly the questions named are unlocked."""
    given = take(shapes.ReturnIn)
    definition, ids = load(head)
    codes = [code for code in given.questions if code in ids or code in tables(definition)]
    return _done(
        head, lambda session: reviews.return_reply(session, head, note=given.note, codes=codes, by=who()), given
    )


@dataclass(frozen=True)
class _Act:
    """An act that takes nothing but perhaps a reason: its path, who may do it to which reply, and the verb."""

    path: str
    operation: str
    permission: Permission
    on: Callable[[str], SubmissionHead]
    verb: Callable[..., SubmissionEvent]
    told: str
    reasoned: bool = False

    def view(self) -> Callable[[SubmissionHead], ResponseReturnValue]:
        """Return the view of this act, named and described as if it were written out."""

        def act(head: SubmissionHead) -> ResponseReturnValue:
            if not self.reasoned:
                _nothing()
                return _done(head, lambda session: self.verb(session, head, by=who()))
            given = take(shapes.ReasonIn)
            return _done(head, lambda session: self.verb(session, head, reason=given.reason, by=who()), given)

        act.__name__ = act.__qualname__ = self.path.replace("-", "_")
        act.__doc__ = self.told
        return act


_SIGN, _REVIEW = Permission.SIGN_SUBMISSION, Permission.REVIEW_SUBMISSION
_RECALL, _COMPLETE, _REOPEN = Permission.RECALL_SUBMISSION, Permission.COMPLETE_SUBMISSION, Permission.REOPEN_SUBMISSION
ACTS = (
    _Act("decline", "decline", _SIGN, own_reply, verdicts.decline,
         "Hand a reply back to one's own colleagues with a reason.", reasoned=True),
    _Act("recall", "recall", _RECALL, own_reply, verdicts.recall,
         "Take a reply back before the secretariat starts its review."),
    _Act("retract-claim", "retractClaim", _COMPLETE, own_reply, verdicts.retract_claim,
         "Take back the claim that another institution should answer."),
    _Act("start-review", "startReview", _REVIEW, any_reply, reviews.start_review,
         "Begin to read a reply; from now on it cannot be recalled."),
    _Act("clear", "clear", _REVIEW, any_reply, reviews.clear,
         "Take a reply as good."),
    _Act("reopen", "reopen", _REOPEN, any_reply, reviews.reopen,
         'Open a cleared reply, or a confirmed "not ours", again.', reasoned=True),
    _Act("confirm-not-ours", "confirmNotOurs", _REVIEW, any_reply, reviews.confirm_not_ours,
         "Agree that another institution answers."),
    _Act("refuse-not-ours", "refuseNotOurs", _REVIEW, any_reply, reviews.refuse_not_ours,
         "Ask the institution to answer all the same.", reasoned=True),
)  # fmt: skip
for _act in ACTS:
    _described = _operation(_act.operation, shapes.ReasonIn if _act.reasoned else None)(_act.view())
    blueprint.post(f"/submissions/<public_id>/{_act.path}")(requires(_act.permission, on=_act.on)(_described))
