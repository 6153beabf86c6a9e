"""Completing, claiming, recalling a reply, and answering the secretariat's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.answering import AnsweringPage, recommendation_box
from portal.blueprints.guard import requires, who
from portal.blueprints.happened import with_documents, with_packs, with_shares, with_threads
from portal.blueprints.holding import holding_of
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.reading import read_aloud, thread_views, timeline
from portal.blueprints.recollections import citations, mark_confirmed, summary
from portal.blueprints.respond.door import (
    ThreadOf,
    blueprint,
    offline_of,
    own_reply,
    thread_on,
)
from portal.blueprints.respond.findings import findings
from portal.blueprints.respond.packs import papers_of
from portal.database import write
from portal.errors import IllegalTransition, Incomplete, Invalid
from portal.extensions import db
from portal.models import Clarification, Status
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, may
from portal.queries import submissions as queries
from portal.queries.clarifications import threads
from portal.queries.evidence import evidence_of
from portal.queries.institutions import institution_names
from portal.queries.packs import packs_with
from portal.services import clarifications, verdicts
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.models import SubmissionEvent
    from portal.queries.clarifications import Thread
    from portal.queries.submissions import SubmissionHead


@blueprint.get("/replies/<public_id>/check")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def check(head: SubmissionHead) -> ResponseReturnValue:
    """Show the whole reply read aloud, what is missing, what happened, and what can be done next."""
    return check_page(head)


def check_page(
    head: SubmissionHead, *, error: str = "", status: int = 200, at: str = "missing"
) -> ResponseReturnValue:
    """Draw the check page; after a refusal with the sentence, which leads to the part it is ``at``, if to any."""
    definition, _ids = load(head)
    answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    events, spoken = queries.events(db.session, head.id), threads(db.session, head.id)
    page = render_template(
        "respond/check.html",
        head=head,
        error=error,
        at=at,
        findings=findings(answering),
        **papers_of(head),
        title=pick(definition.titles, g.view.language, answering.context.languages),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        recommendation=answering.recommendation(),
        pages=mark_confirmed(head, read_aloud(answering), answering.stored),
        earlier=summary(head, definition, answering),
        unknown_evidence=citations(head, answering.stored),
        evidence_url=url_for("remember.own_evidence", round=head.round_slug),
        missing=answering.needed(),
        evidence=evidence_of(db.session, head.id),
        timeline=_told(head, events, spoken),
        threads=thread_views(spoken, definition, staff=False),
        can_complete=not answering.readonly and may(who(), Permission.COMPLETE_SUBMISSION),
        can_recall=head.status is Status.SUBMITTED
        and not head.under_review
        and may(who(), Permission.RECALL_SUBMISSION),
        can_retract=head.status is Status.CLAIMED and may(who(), Permission.COMPLETE_SUBMISSION),
        can_hand_in_pending=head.status is Status.AWAITING_SIGN_OFF
        and head.sign_off_policy in {"paper", "either"}
        and may(who(), Permission.COMPLETE_SUBMISSION),
        days_left=(head.due_on - answering.context.today).days,
        editing=head.status in EDITABLE,
        holding=holding_of(head),
        owed_url=url_for("respond.owed", round=head.round_slug),
        history_url=url_for("respond.reply", public_id=head.public_id) + "history",
        offline=offline_of(head.round_slug, not answering.readonly, head),
    )
    return page, status


def _told(head: SubmissionHead, events: Sequence[SubmissionEvent], spoken: Sequence[Thread]) -> list[dict[str, Any]]:
    """Tell all that happened to a reply, as its institution may know it: what it shared is told to nobody else."""
    told = with_packs(with_threads(timeline(events), spoken), packs_with(db.session, head.id))
    return with_shares(with_documents(told, head.assignment_id), head.id)


@blueprint.post("/replies/<public_id>/complete")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def complete(head: SubmissionHead) -> ResponseReturnValue:
    """Say that the reply is complete."""
    principal = who()
    definition, _ids = load(head)
    if head.status is Status.AWAITING_SIGN_OFF or (head.status is Status.SUBMITTED and head.hand_in):
        return redirect(url_for("respond.check", public_id=head.public_id), code=303)
    context = context_for(principal, head, definition)
    try:
        with write() as session:
            event = verdicts.complete(session, head, definition, context=context, by=principal)
    except Incomplete as error:
        at = "warnings" if error.code == "warnings_open" else "missing"
        return check_page(head, error=str(error), status=422, at=at)
    if event.status is Status.SUBMITTED:
        notice(_("Handed in. The secretariat has been told."))
    else:
        notice(_("Complete. It now waits for the approver's signature."))
    return redirect(url_for("respond.owed", round=head.round_slug), code=303)


@blueprint.post("/replies/<public_id>/hand-in-pending")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def hand_in_pending(head: SubmissionHead) -> ResponseReturnValue:
    """Hand in a reply whose stamped signature follows."""
    definition, _ids = load(head)
    with write() as session:
        verdicts.hand_in_pending(session, head, definition, by=who())
    notice(_("Handed in, signature to follow."))
    return redirect(url_for("respond.check", public_id=head.public_id), code=303)


@blueprint.post("/replies/<public_id>/recall")
@requires(Permission.RECALL_SUBMISSION, on=own_reply)
def recall(head: SubmissionHead) -> ResponseReturnValue:
    """Take a reply back before the secretariat starts its review."""
    try:
        with write() as session:
            verdicts.recall(session, head, by=who())
    except IllegalTransition as error:
        return check_page(queries.head_by_id(db.session, head.id), error=str(error), status=error.status, at="")
    notice(_("Taken back. You can change it and complete it again."))
    return redirect(url_for("respond.reply", public_id=head.public_id), code=303)


@blueprint.get("/replies/<public_id>/not-ours")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def not_ours(head: SubmissionHead) -> ResponseReturnValue:
    """Ask which institution should answer instead."""
    return _not_ours_page(head)


def _not_ours_page(head: SubmissionHead, *, error: Invalid | None = None) -> str:
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    return render_template(
        "respond/not_ours.html",
        head=head,
        error=error,
        instead=request.form.get("instead", ""),
        reason=request.form.get("reason", ""),
        recommendation=recommendation_box(asked, g.view.language, g.country) if asked else None,
        institutions=[
            (code, pick(names, g.view.language, g.country.languages))
            for code, names in institution_names(db.session)
            if code != head.institution_code
        ],
    )


@blueprint.post("/replies/<public_id>/not-ours")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def claim_not_ours(head: SubmissionHead) -> ResponseReturnValue:
    """Say that another institution should answer: an answer, never silence."""
    try:
        with write() as session:
            verdicts.claim_not_ours(
                session, head, instead=request.form.get("instead", ""), reason=request.form.get("reason", ""), by=who()
            )
    except IllegalTransition:
        raise
    except Invalid as error:
        return _not_ours_page(head, error=error), 422
    notice(_("Thank you. The secretariat will decide who answers."))
    return redirect(url_for("respond.owed", round=head.round_slug), code=303)


@blueprint.post("/replies/<public_id>/retract")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def retract(head: SubmissionHead) -> ResponseReturnValue:
    """Take back the claim that another institution should answer."""
    with write() as session:
        verdicts.retract_claim(session, head, by=who())
    return redirect(url_for("respond.reply", public_id=head.public_id), code=303)


@blueprint.post("/clarifications/<public_id>/answer")
@requires(Permission.ANSWER_CLARIFICATION, on=thread_on)
def answer_clarification(on: ThreadOf) -> ResponseReturnValue:
    """Answer the secretariat's question; the reply itself does not change."""
    try:
        with write() as session:
            thread = session.get_one(Clarification, on.thread.id)
            clarifications.answer(session, on.head, thread, request.form.get("body", ""), by=who())
    except Invalid as error:
        return check_page(on.head, error=str(error), status=422, at=f"body-{on.thread.public_id}")
    notice(_("Your answer was sent to the secretariat."))
    return redirect(url_for("respond.check", public_id=on.head.public_id), code=303)
