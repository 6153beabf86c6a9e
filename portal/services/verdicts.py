"""Verdicts of the institution: complete, sign, hand in, decline, recall, claim "not ours"; each an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.evaluation import evaluate
from portal.errors import IllegalTransition, Incomplete, Invalid
from portal.models import Action, SignOffPolicy, Status
from portal.models.lifecycle import EDITABLE
from portal.queries.questionnaires import question_ids
from portal.queries.submissions import standing_rows, stored_reply
from portal.services import audit
from portal.services.answer_storing import not_asked
from portal.services.events import append_event, locked
from portal.services.kept_warnings import settle_warnings, warned
from portal.services.packs import printed_text
from portal.services.snapshots import keep_snapshot, take_snapshot
from portal.services.submissions import save_answers, what_is_missing
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from forms.context import Context
    from forms.definition.model import Definition
    from portal.models import SubmissionEvent
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead


@dataclass(frozen=True)
class SignedSheet:
    """A stamped sheet that came without a pack: ``scan`` is the public id of its picture, the rest stands on it.

    A whole return on paper that the secretariat enters has its scan alone.
    """

    scan: str
    letter_number: str = ""
    letter_on: date | None = None
    signer_name: str = ""
    signer_post: str = ""

    def details(self) -> dict[str, str]:
        """Return it as an event keeps it."""
        found = {
            "letter": self.letter_number, "letter_on": self.letter_on.isoformat() if self.letter_on else "",
            "name": self.signer_name, "post": self.signer_post, "scan": self.scan,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}


def complete(
    session: Session, head: SubmissionHead, definition: Definition, *, context: Context, by: Principal
) -> SubmissionEvent:
    """Say that a reply is complete: it goes to the approver, or is handed in where no signature is asked.

    Raises:
        Incomplete: with every question that still needs something.
        IllegalTransition, NotAllowed: as for any act.
    """
    submission = locked(session, head.id)
    reply = stored_reply(session, head.id, definition)
    evaluation = evaluate(definition, reply.answers, context, standing_rows(reply.rows))
    if evaluation.defaults and submission.status in EDITABLE:
        # what answers begin with was read from the page, but nothing was saved since it is asked
        ids = question_ids(session, head.version_id)
        evaluation = save_answers(session, head, definition, ids, {}, context=context, by=by).evaluation
        reply = stored_reply(session, head.id, definition)
        session.refresh(submission)
    if problems := what_is_missing(definition, reply.answers, evaluation, context):
        raise Incomplete(problems=problems)
    settle_warnings(session, head.id, warned(session, head, definition, reply, evaluation, context))
    hidden = sorted(not_asked(submission.hidden, definition, evaluation))
    if submission.hidden != hidden:
        submission.hidden = hidden
    unsigned = head.sign_off_policy is SignOffPolicy.NONE
    if submission.status is Status.ISSUED:
        # nothing was asked that needs an answer; completing is the first act
        append_event(session, submission, Action.FIRST_SAVE, by=by, institution_id=head.institution_id)
    action = Action.HAND_IN if unsigned else Action.COMPLETE
    event = append_event(session, submission, action, by=by, institution_id=head.institution_id)
    frozen = {}
    if unsigned:
        made = take_snapshot(session, head, event, definition, reply, hidden=hidden, signed_by=None)
        frozen = {"sha256": made.sha256}
    audit.record(session, "complete", by=by, kind="submission", thing=head.public_id, **frozen)
    return event


def sign_off(
    session: Session, heads: Iterable[tuple[SubmissionHead, Definition]], *, by: Principal
) -> list[SubmissionEvent]:
    """Sign one reply or a whole pack in one act, all or none; each gets its event and its snapshot.

    The caller has just checked the password again (ASVS 7.5.3).

    Raises:
        IllegalTransition: if any of them is no longer waiting; none is signed then.
    """
    return [_hand_in(session, head, definition, Action.SIGN_OFF, by=by) for head, definition in heads]


def sign_on_paper(
    session: Session, head: SubmissionHead, definition: Definition, *, by: Principal, sheet: SignedSheet | None = None
) -> SubmissionEvent:
    """Record that a reply was signed on paper, by the sheet that says so."""
    return _hand_in(session, head, definition, Action.SIGN_ON_PAPER, by=by, **_written(sheet))


def hand_in_pending(
    session: Session, head: SubmissionHead, definition: Definition, *, by: Principal
) -> SubmissionEvent:
    """Hand in a reply whose signature will follow; it is counted apart and marked unsigned in every workbook."""
    return _hand_in(session, head, definition, Action.HAND_IN_PENDING, by=by)


def _hand_in(
    session: Session, head: SubmissionHead, definition: Definition, action: Action, *, by: Principal, **details: Any
) -> SubmissionEvent:
    allowed = {
        Action.SIGN_OFF: {SignOffPolicy.SCREEN, SignOffPolicy.EITHER},
        Action.SIGN_ON_PAPER: {SignOffPolicy.PAPER, SignOffPolicy.EITHER},
        Action.HAND_IN_PENDING: {SignOffPolicy.PAPER, SignOffPolicy.EITHER},
    }[action]
    if head.sign_off_policy not in allowed:
        raise IllegalTransition(_l("This round is not signed in this way."))
    submission = locked(session, head.id)
    # what is printed and out to be signed is handed in as it was printed
    printed = printed_text(session, head.id) if action is Action.HAND_IN_PENDING else None
    event = append_event(session, submission, action, by=by, institution_id=head.institution_id, details=details)
    if printed is not None:
        snapshot = keep_snapshot(session, head, event, printed)
    else:
        reply = stored_reply(session, head.id, definition)
        signed_by = by.actor_id if action is Action.SIGN_OFF else None
        snapshot = take_snapshot(
            session, head, event, definition, reply, hidden=submission.hidden, signed_by=signed_by
        )
    audit.record(
        session, action.value, by=by, kind="submission", thing=head.public_id, sha256=snapshot.sha256, **details
    )
    return event


def record_signature(
    session: Session, head: SubmissionHead, *, by: Principal, sheet: SignedSheet | None = None
) -> SubmissionEvent:
    """Record the signature that was to follow a reply already handed in, by the sheet that says so."""
    submission, details = locked(session, head.id), _written(sheet)
    event = append_event(
        session, submission, Action.RECORD_SIGNATURE, by=by, institution_id=head.institution_id, details=details
    )
    audit.record(session, event.action.value, by=by, kind="submission", thing=head.public_id, **details)
    return event


def _written(sheet: SignedSheet | None) -> dict[str, str]:
    return sheet.details() if sheet is not None else {}


def act(
    session: Session,
    head: SubmissionHead,
    action: Action,
    *,
    by: Principal,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> SubmissionEvent:
    """Do one of the acts that only change the status: decline, recall, claim, confirm, refuse, withdraw, restore."""
    submission = locked(session, head.id)
    event = append_event(
        session, submission, action, by=by, institution_id=head.institution_id, reason=reason, details=details
    )
    audit.record(session, action.value, by=by, kind="submission", thing=head.public_id, reason=event.reason)
    return event


def decline(session: Session, head: SubmissionHead, *, reason: str, by: Principal) -> SubmissionEvent:
    """Hand a reply back to its own colleagues instead of signing it; the same questions are open as before."""
    return act(session, head, Action.DECLINE, by=by, reason=reason)


def recall(session: Session, head: SubmissionHead, *, by: Principal) -> SubmissionEvent:
    """Take back a reply before the secretariat starts to review it."""
    return act(session, head, Action.RECALL, by=by)


def claim_not_ours(
    session: Session, head: SubmissionHead, *, instead: str, reason: str, by: Principal
) -> SubmissionEvent:
    """Say that a recommendation is another institution's (``instead``: its code or name): an answer, never silence."""
    if not instead.strip():
        sentence = _l("Name the institution that should answer instead.")
        raise Invalid(sentence, problems=[Problem(sentence, field="instead")])
    return act(session, head, Action.CLAIM_NOT_OURS, by=by, reason=reason, details={"instead": instead.strip()})


def retract_claim(session: Session, head: SubmissionHead, *, by: Principal) -> SubmissionEvent:
    """Take back the claim that a recommendation is not ours."""
    return act(session, head, Action.RETRACT_CLAIM, by=by)
