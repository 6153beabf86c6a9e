"""The secretariat's acts on a reply. Each can be clicked twice: the second click is told the same and does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.tables import tables
from portal.blueprints import receiving
from portal.blueprints.follow.door import ThreadOf, blueprint, reply_for_staff, thread_for_staff
from portal.blueprints.follow.review import may_record_signature, review_page, sheet_form
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import load
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.models import Action, Assignment, Clarification, ClarificationStatus, Status
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.queries.clarifications import threads
from portal.services import assignments, clarifications, covers, reviews, verdicts
from portal.services import evidence as evidence_service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session
    from werkzeug.datastructures import FileStorage

    from portal.models import SubmissionEvent
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.services.evidence import ReceivedFile
    from portal.table import Speakable


def _done_already(
    session: Session, head: SubmissionHead, actions: Sequence[Action], reason: str, unlocked: list[str] | None
) -> bool:
    """Tell whether the newest event is this very act: the same person clicked twice."""
    past = queries.events(session, head.id)
    last: SubmissionEvent | None = past[-1] if past else None
    return (
        last is not None
        and last.action in actions
        and last.done_by == who().actor_id
        and (last.reason or "") == reason
        and (unlocked is None or last.details.get("unlocked") == unlocked)
    )


def _act(
    head: SubmissionHead,
    action: Action | Sequence[Action],
    do: Callable[[Session, SubmissionHead], Any],
    told: str,
    *,
    reason: str = "",
    form: str = "",
    unlocked: list[str] | None = None,
) -> ResponseReturnValue:
    """Do an act once, tell it, and lead back to the reply; a refusal is a sentence on the same page."""
    actions = [action] if isinstance(action, Action) else action
    try:
        with write() as session:
            now = queries.head_by_id(session, head.id)
            if not _done_already(session, now, actions, reason, unlocked):
                do(session, now)
    except Invalid as error:
        return review_page(head, error=str(error), field=error.problems[0].field or form, status=422)
    except Conflict as error:
        return review_page(queries.head_by_id(db.session, head.id), error=str(error), status=409)
    notice(told)
    return redirect(url_for("follow.submission", public_id=head.public_id), code=303)


def _start(session: Session, head: SubmissionHead) -> None:
    """Let a verdict begin the review, where no button did."""
    if head.status is Status.SUBMITTED and not head.under_review:
        reviews.start_review(session, head, by=who())


@blueprint.post("/review/<public_id>/start")
@requires(Permission.REVIEW_SUBMISSION, on=reply_for_staff)
def start_review(head: SubmissionHead) -> ResponseReturnValue:
    """Start to review: from now on the institution cannot take the reply back."""

    def do(session: Session, now: SubmissionHead) -> None:
        if not (now.status is Status.SUBMITTED and now.under_review):
            reviews.start_review(session, now, by=who())

    return _act(head, Action.START_REVIEW, do, _("The review has started; the reply can no longer be taken back."))


@blueprint.post("/review/<public_id>/clear")
@requires(Permission.REVIEW_SUBMISSION, on=reply_for_staff)
def clear(head: SubmissionHead) -> ResponseReturnValue:
    """Take a reply as good."""

    def do(session: Session, now: SubmissionHead) -> None:
        if now.status is Status.CLEARED:
            return
        _start(session, now)
        reviews.clear(session, now, by=who())

    return _act(head, Action.CLEAR, do, _("Cleared. It can still be reopened with a reason."))


@blueprint.post("/review/<public_id>/return")
@requires(Permission.REVIEW_SUBMISSION, on=reply_for_staff)
def return_reply(head: SubmissionHead) -> ResponseReturnValue:
    """Return a reply with a note; exactly the questions ticked can be changed."""
    definition, _ids = load(head)
    known = {item.code for item in definition.questions() if item.code not in head.hidden} | set(tables(definition))
    codes = [code for code in dict.fromkeys(request.form.getlist("codes")) if code in known]
    note = request.form.get("note", "").strip()

    def do(session: Session, now: SubmissionHead) -> None:
        named = [
            one.public_id
            for one in threads(session, now.id)
            if one.status is not ClarificationStatus.CLOSED and one.question_code in codes
        ]
        _start(session, now)
        reviews.return_reply(session, now, note=note, codes=codes, clarifications=named, by=who())

    told = _("Returned. The institution can change the questions you named, and nothing else.")
    return _act(head, Action.RETURN, do, told, reason=note, form="note", unlocked=sorted(codes))


def _withdraw(session: Session, head: SubmissionHead, *, reason: str, by: Principal) -> object:
    return assignments.withdraw(session, session.get_one(Assignment, head.assignment_id), reason=reason, by=by)


def _restore(session: Session, head: SubmissionHead, *, by: Principal) -> object:
    return assignments.restore(session, session.get_one(Assignment, head.assignment_id), by=by)


@dataclass(frozen=True)
class _Verdict:
    """A verdict that takes nothing but perhaps a reason; ``field`` is the id of the reason's box on the page."""

    path: str
    permission: Permission
    action: Action
    verb: Callable[..., object]
    about: str
    told: Speakable
    field: str = ""

    def view(self) -> Callable[[SubmissionHead], ResponseReturnValue]:
        """Return the view of this verdict, named and described as if it were written out."""

        def verdict(head: SubmissionHead) -> ResponseReturnValue:
            given = {"reason": request.form.get("reason", "").strip()} if self.field else {}
            return _act(
                head,
                self.action,
                lambda session, now: self.verb(session, now, **given, by=who()),
                str(self.told),
                reason=given.get("reason", ""),
                form=self.field,
            )

        verdict.__name__ = verdict.__qualname__ = self.path.replace("-", "_")
        verdict.__doc__ = self.about
        return verdict


VERDICTS = (
    _Verdict("reopen", Permission.REOPEN_SUBMISSION, Action.REOPEN, reviews.reopen,
             'Open a cleared reply, or a confirmed "not ours", again.',
             _l("Reopened. The signature no longer counts; the earlier one stays in the history."), "reopen-reason"),
    _Verdict("confirm-not-ours", Permission.REVIEW_SUBMISSION, Action.CONFIRM_NOT_OURS, reviews.confirm_not_ours,
             "Agree that another institution answers.",
             _l("Confirmed: it counts as received. Ask the right institution now.")),
    _Verdict("refuse-not-ours", Permission.REVIEW_SUBMISSION, Action.REFUSE_NOT_OURS, reviews.refuse_not_ours,
             "Ask the institution to answer all the same.",
             _l("The institution is asked to answer all the same; it reads your reason."), "refuse-reason"),
    _Verdict("withdraw", Permission.WITHDRAW_ASSIGNMENT, Action.WITHDRAW, _withdraw,
             "Take the request back; it no longer counts.",
             _l("Withdrawn. It no longer counts; the institution sees your reason."), "withdraw-reason"),
    _Verdict("restore", Permission.WITHDRAW_ASSIGNMENT, Action.RESTORE, _restore,
             "Let a withdrawn or lapsed request be answered again, where it had stood.",
             _l("Opened again where it had stood.")),
)  # fmt: skip
for _one in VERDICTS:
    blueprint.post(f"/review/<public_id>/{_one.path}")(requires(_one.permission, on=reply_for_staff)(_one.view()))


@blueprint.post("/review/<public_id>/signature")
@requires(Permission.RECORD_SIGNATURE, on=reply_for_staff)
def record_signature(head: SubmissionHead) -> ResponseReturnValue:
    """Record that the stamped sheet is here: number and date of its letter, and its scan."""
    definition, _ids = load(head)
    waiting = head.status is Status.AWAITING_SIGN_OFF
    either, told = (Action.SIGN_ON_PAPER, Action.RECORD_SIGNATURE), _("The signature on paper is recorded.")
    if not may_record_signature(head):
        # an earlier click is told the same; anything else is refused by the act itself
        return _act(head, either, lambda session, now: verdicts.record_signature(session, now, by=who()), told)
    form = sheet_form(head)
    if not form.validate():
        return review_page(head, sheet=form, status=422)
    try:
        received = _received(form.scan.data)
    except Invalid as error:
        form.scan.errors = [str(error)]
        return review_page(head, sheet=form, status=422)

    def do(session: Session, now: SubmissionHead) -> None:
        kept = evidence_service.add_file(
            session, now, received, question_id=None, by=who(), caption=_("Signed sheet")
        )
        sheet = verdicts.SignedSheet(
            kept.public_id, form.letter_number.data, form.letter_on.data, form.signer_name.data or "",
            form.signer_post.data or "",
        )  # fmt: skip
        if waiting:
            verdicts.sign_on_paper(session, now, definition, by=who(), sheet=sheet)
        else:
            verdicts.record_signature(session, now, by=who(), sheet=sheet)

    return _act(head, either, do, told)


def _received(given: FileStorage) -> ReceivedFile:
    of = receiving.settings()
    return covers.receive(
        given.stream, given.filename or "", folder=of.evidence_dir, tmp=of.tmp_dir, limit=of.evidence_max_bytes
    )


@blueprint.post("/review/<public_id>/ask")
@requires(Permission.ASK_CLARIFICATION, on=reply_for_staff)
def ask(head: SubmissionHead) -> ResponseReturnValue:
    """Ask the institution about its reply, or about one question; the status does not change."""
    _definition, ids = load(head)
    code = request.form.get("question", "")
    body = request.form.get("body", "").strip()
    try:
        with write() as session:
            clarifications.ask(session, head, body, question_id=ids.get(code), by=who())
    except Invalid as error:
        return review_page(head, error=str(error), field="ask-body", status=422)
    notice(_("Your question was sent to the institution."))
    return redirect(url_for("follow.submission", public_id=head.public_id) + "#threads", code=303)


@blueprint.post("/review/clarifications/<public_id>/answer")
@requires(Permission.ASK_CLARIFICATION, on=thread_for_staff)
def answer_clarification(on: ThreadOf) -> ResponseReturnValue:
    """Write the secretariat's next message of a thread."""
    body = request.form.get("body", "").strip()
    try:
        with write() as session:
            thread = session.get_one(Clarification, on.thread.id)
            clarifications.answer(session, on.head, thread, body, by=who())
    except Invalid as error:
        return review_page(on.head, error=str(error), field=f"body-{on.thread.public_id}", status=422)
    notice(_("Your message was sent to the institution."))
    return _back_to(on)


@blueprint.post("/review/clarifications/<public_id>/close")
@requires(Permission.ASK_CLARIFICATION, on=thread_for_staff)
def close_clarification(on: ThreadOf) -> ResponseReturnValue:
    """Close a thread that is settled."""
    with write() as session:
        thread = session.get_one(Clarification, on.thread.id)
        if thread.status is not ClarificationStatus.CLOSED:
            clarifications.close(session, on.head, thread, by=who())
    notice(_("The clarification is closed."))
    return _back_to(on)


def _back_to(on: ThreadOf) -> ResponseReturnValue:
    url = url_for("follow.submission", public_id=on.head.public_id)
    return redirect(f"{url}#thread-{on.thread.public_id}", code=303)
