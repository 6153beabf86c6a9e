"""Documents that come for an assignment, and answers that the secretariat enters from them for an institution.

A Word file, PDF or photo is at once "received, to be entered": it counts as no answer. Whoever enters it passes the
same form and the same gate as everybody; a return on paper keeps its scan as evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import clock
from portal.errors import Conflict, IllegalTransition, Invalid, NotAllowed
from portal.models import AssignmentDocument, DocumentState, Evidence, SignOffPolicy, Status
from portal.models.lifecycle import EDITABLE
from portal.models.people import Role
from portal.permissions import Part, Permission, Target, can, require
from portal.queries.countries import country_facts
from portal.queries.documents import written_by_institution
from portal.queries.evidence import evidence_of
from portal.services import audit, evidence, kept_warnings, verdicts
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from forms.context import Context
    from forms.definition.model import Definition
    from portal.models import SubmissionEvent
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.services.evidence import ReceivedFile
    from portal.table import Speakable

NOTE = 1000


def may_add(by: Principal, head: SubmissionHead) -> bool:
    """Tell whether somebody may send a document in: who answers, and whoever enters on behalf."""
    target = Target(head.institution_id, head.status)
    return can(by, Permission.ANSWER_SUBMISSION, target) or can(by, Permission.ENTER_ON_BEHALF, target)


def add_document(
    session: Session,
    head: SubmissionHead,
    received: ReceivedFile,
    *,
    by: Principal,
    note: str = "",
    quota: int | None = None,
) -> AssignmentDocument:
    """Keep a document for an assignment: received, to be entered. The same file again is the same document.

    Raises:
        NotAllowed: ``by`` neither answers for the institution nor enters for it.
        IllegalTransition: the reply is closed.
        Invalid: the institution has no room.
    """
    if not may_add(by, head):
        raise NotAllowed
    if head.status not in EDITABLE:
        raise IllegalTransition
    same = session.scalars(
        select(AssignmentDocument).where(
            AssignmentDocument.assignment_id == head.assignment_id,
            AssignmentDocument.sha256 == received.sha256,
            AssignmentDocument.state != DocumentState.SET_ASIDE,
        )
    ).first()
    if same is not None:
        return same
    evidence.check_room(session, head.institution_id, received, quota)
    made = AssignmentDocument(
        assignment_id=head.assignment_id,
        filename=received.filename,
        media_type=received.media_type,
        size=received.size,
        sha256=received.sha256,
        scanned_at=received.scanned_at,
        note=note.strip()[:NOTE],
        from_secretariat=by.institution_id != head.institution_id,
        added_by=by.actor_id,
        added_at=clock.now(),
        state=DocumentState.RECEIVED,
    )
    session.add(made)
    session.flush()
    audit.record(session, "receive_document", by=by, kind="document", thing=made.public_id, sha256=made.sha256)
    return made


def _settle(
    session: Session, document: AssignmentDocument, state: DocumentState, *, by: Principal, reason: str | None = None
) -> AssignmentDocument:
    session.refresh(document, with_for_update=True)
    if document.state is not DocumentState.RECEIVED:
        raise Conflict
    document.state, document.reason = state, reason
    document.settled_by, document.settled_at = by.actor_id, clock.now()
    session.flush()
    audit.record(session, f"document_{state.value}", by=by, kind="document", thing=document.public_id, reason=reason)
    return document


def mark_entered(
    session: Session, head: SubmissionHead, document: AssignmentDocument, *, by: Principal
) -> AssignmentDocument:
    """Say that what a document answers now stands in the reply.

    Raises:
        Conflict: somebody settled it before.
    """
    if not may_add(by, head):
        raise NotAllowed
    return _settle(session, document, DocumentState.ENTERED, by=by)


def set_aside(
    session: Session, head: SubmissionHead, document: AssignmentDocument, *, reason: str, by: Principal
) -> AssignmentDocument:
    """Say why a document is not entered (another institution's, unreadable, sent twice).

    Raises:
        Invalid: no reason is given. Conflict: somebody settled it before.
    """
    if not may_add(by, head):
        raise NotAllowed
    if not reason.strip():
        sentence = _l("Give a reason: the other side will read it.")
        raise Invalid(sentence, problems=[Problem(sentence, field="reason")], code="reason_required")
    return _settle(session, document, DocumentState.SET_ASIDE, by=by, reason=reason.strip()[:NOTE])


def on_behalf(session: Session, head: SubmissionHead, *, by: Principal) -> Principal:
    """Return the coordinator as one who writes for the institution of a reply: same person, its part.

    Only while the institution has not answered itself: what it writes is its own until it hands it in.

    Raises:
        NotAllowed: ``by`` may not enter on behalf. Conflict: the institution has begun to answer.
    """
    require(by, Permission.ENTER_ON_BEHALF, Target(head.institution_id, head.status))
    if written_by_institution(session, head.id, head.institution_id):
        raise Conflict(
            _l("The institution has begun to answer itself. Ask it to enter what is on the paper, or to hand it in."),
            code="institution_answers",
        )
    part = Part(0, head.institution_id, head.institution_code, head.institution_names, Role.FOCAL_POINT)
    return replace(by, part=part, staff=frozenset())


def begin_entering(
    session: Session, head: SubmissionHead, document: AssignmentDocument, *, by: Principal
) -> Principal:
    """Begin, or go on, to enter a document on behalf of the institution; return as whom (:func:`on_behalf`).

    From the first time on, the reply is marked as entered by the secretariat from this document.
    """
    writer = on_behalf(session, head, by=by)
    if document.on_behalf_since is None:
        document.on_behalf_since = clock.now()
        session.flush()
        audit.record(
            session, "enter_on_behalf", by=by, kind="document", thing=document.public_id,
            institution=head.institution_code, submission=head.public_id,
        )  # fmt: skip
    return writer


def finish_entering(
    session: Session,
    head: SubmissionHead,
    document: AssignmentDocument,
    definition: Definition,
    *,
    context: Context,
    by: Principal,
) -> SubmissionEvent:
    """Hand in what was entered from a paper return: complete, its scan as evidence, its signature on paper recorded.

    Raises:
        Incomplete: with every question that still needs something.
        Conflict, NotAllowed: as :func:`begin_entering`.
    """
    writer = begin_entering(session, head, document, by=by)
    scan = _scan_of(session, head, document, by=by)
    # what looks odd on paper is not the secretariat's to mend
    odd = [one for one in kept_warnings.look(session, head, definition, context) if not one.reason]
    if odd:
        reason = _stored_words(session, _l("This is what the return on paper says."))
        kept_warnings.keep_warnings(session, head, odd, {one.warned.name: reason for one in odd}, by=writer)
    event = verdicts.complete(session, head, definition, context=context, by=writer)
    if event.status is Status.AWAITING_SIGN_OFF and head.sign_off_policy in {
        SignOffPolicy.PAPER,
        SignOffPolicy.EITHER,
    }:
        event = verdicts.sign_on_paper(session, head, definition, by=by, sheet=verdicts.SignedSheet(scan.public_id))
    if document.state is DocumentState.RECEIVED:
        _settle(session, document, DocumentState.ENTERED, by=by)
    return event


def _scan_of(session: Session, head: SubmissionHead, document: AssignmentDocument, *, by: Principal) -> Evidence:
    there = next((one for one in evidence_of(session, head.id) if one.sha256 == document.sha256), None)
    if there is not None:
        return there
    received = evidence.ReceivedFile(
        document.filename, document.media_type, document.size, document.sha256, document.scanned_at
    )
    caption = _stored_words(session, _l("The return on paper, entered by the secretariat"))
    return evidence.add_file(session, head, received, question_id=None, by=by, caption=caption)


def _stored_words(session: Session, words: Speakable) -> str:
    """Return words of the portal that are stored with a reply in the national language: its institution reads them."""
    with force_locale(country_facts(session).national):
        return str(words)
