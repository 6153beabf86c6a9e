"""Whole scenes for tests of what comes out: a round with every status, answers of every kind, drafts with canaries."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal import clock
from portal.models import (
    Action,
    Answer,
    AnswerState,
    AssignmentRole,
    Evidence,
    EvidenceKind,
    ItemKind,
    Question,
    QuestionnaireScope,
    Signature,
    Status,
    SubmissionEvent,
    VersionItem,
)
from portal.queries import questionnaires
from portal.queries.submissions import head_by_id, stored_reply
from portal.services.snapshots import take_snapshot
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DUE = date(2026, 9, 30)
ZONE = ZoneInfo("Asia/Phnom_Penh")
IN_TIME = datetime(2026, 9, 30, 23, 30, tzinfo=ZONE)
TOO_LATE = datetime(2026, 10, 1, 0, 10, tzinfo=ZONE)
NOW = datetime(2026, 10, 5, 9, 0, tzinfo=ZONE)
DRAFT = "CANARY-OF-A-DRAFT"
OTHER_ROUND = "CANARY-OF-ANOTHER-ROUND"
HIDDEN = "CANARY-OF-A-HIDDEN-ANSWER"
STATES = [
    {"key": key, "texts": {"en": label, "km": f"{label} (km)"}}
    for key, label in (("not_started", "Not started"), ("in_progress", "In progress"), ("done", "Done and ongoing"))
]


def version(session: Session, **more: Any) -> Any:
    """A questionnaire with a question of each kind; ``why`` is asked only when nothing was started."""
    made = factories.questionnaire_version(session, **more)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == made.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    factories.question(session, made, "b1", "select_one", parent=page, choices=STATES)
    factories.question(session, made, "b6", "text", parent=page)
    factories.question(session, made, "why", "text", parent=page, relevant="selected(${b1}, 'not_started')")
    factories.question(session, made, "share", "percentage", parent=page)
    factories.question(session, made, "spent", "decimal", parent=page)
    factories.question(session, made, "adopted", "date", parent=page)
    factories.question(session, made, "topics", "select_multiple", parent=page, choices=STATES)
    factories.question(session, made, "b8", "text", parent=page)
    factories.question(session, made, "proof", "file", parent=page)
    return made


def answer(session: Session, reply: Any, of: Any, code: str, value: Any, by: int, **more: Any) -> Answer:
    """A stored answer, without going through the gate."""
    made = _answer(session, reply, of, _questions(session, of)[code], value, by, **more)
    session.flush()
    return made


def _questions(session: Session, of: Any) -> dict[str, int]:
    found = select(Question.code, Question.id).where(Question.questionnaire_id == of.questionnaire_id)
    return {one.code: one.id for one in session.execute(found)}


def _answer(session: Session, reply: Any, of: Any, question_id: int, value: Any, by: int, **more: Any) -> Answer:
    given: dict[str, Any] = {
        "submission_id": reply.id, "question_id": question_id, "row": "", "lang": "", "value": value, "revision": 1,
        "asked_in": of.id, "answered_by": by, "answered_at": clock.now(),
    }  # fmt: skip
    made = Answer(**given | more)
    session.merge(made)
    return made


def fill(session: Session, reply: Any, of: Any, by: int, text: str, **more: Any) -> None:
    """Give a reply answers of every kind, written together."""
    questions = _questions(session, of)

    def say(code: str, value: Any, **how: Any) -> None:
        _answer(session, reply, of, questions[code], value, by, **how)

    given = {"b1": "in_progress", "share": "12.5", "spent": "1234.50", "adopted": "2024-02-29",
             "topics": ["not_started", "done"], "state": "done"} | more  # fmt: skip
    for code, value in given.items():
        if value is not None:
            say(code, value)
    say("b6", f"{text} in English", lang="en")
    say("b6", f"{text} ជាភាសាខ្មែរ", lang="km")
    say("b8", f"{text} is a good practice", lang="en")
    say("why", HIDDEN, lang="en")
    say("beds", None, state=AnswerState.NOT_AVAILABLE)
    reply.hidden = ["why"]
    session.flush()


def hand_in(session: Session, reply: Any, of: Any, at: datetime, by: int) -> None:
    """Take the snapshot that a hand-in takes."""
    number = session.query(SubmissionEvent).filter_by(submission_id=reply.id).count() + 1
    event = SubmissionEvent(
        submission_id=reply.id, number=number, action=Action.SIGN_OFF, status=Status.SUBMITTED, done_by=by, done_at=at
    )
    session.add(event)
    reply.hand_in += 1
    reply.handed_in_at = reply.handed_in_at or at
    session.flush()
    head = head_by_id(session, reply.id)
    take_snapshot(
        session, head, event, questionnaires.definition(session, of.id),
        stored_reply(session, reply.id, questionnaires.definition(session, of.id)),
        hidden=reply.hidden, signed_by=by,
    )  # fmt: skip


def every_status(session: Session) -> SimpleNamespace:
    """A round whose replies stand in every status, beside another round; answers, evidence, snapshots and drafts."""
    by = factories.system_actor(session).id
    document = factories.document(session, symbol="CCPR/C/XXX/CO/3")
    recommendations = [
        factories.recommendation(session, document, paragraph=paragraph, sub_item=item, heading={"en": "Liberty", "km": "សេរីភាព"})
        for paragraph, item in (("17", "a"), ("17", "b"), ("18", ""))
    ]
    of = version(session)
    round_ = factories.reporting_round(
        session, document, slug="periodic-4", due_on=DUE, titles={"en": "Fourth report", "km": "របាយការណ៍លើកទីបួន"}
    )
    other = factories.reporting_round(session, document, slug="earlier", due_on=DUE)
    replies: dict[str, Any] = {}

    def ask(name: str, status: Status, about: list[Any], in_round: Any = round_, **more: Any) -> Any:
        to = factories.institution(session, more.pop("code", name.upper()))
        given = factories.assignment(session, to, in_round, about, more.pop("version", of), **more)
        replies[name] = reply = factories.submission(session, given)
        reply.status = status
        session.flush()
        return reply

    a, b, c = recommendations
    ask("issued", Status.ISSUED, [a])
    fill(session, ask("draft", Status.IN_PROGRESS, [a], role=AssignmentRole.CONTRIBUTING), of, by, DRAFT)
    fill(session, ask("waiting", Status.AWAITING_SIGN_OFF, [a]), of, by, DRAFT)
    for name, status, at, signature in (
        ("submitted", Status.SUBMITTED, IN_TIME, Signature.SIGNED),
        ("unsigned", Status.SUBMITTED, TOO_LATE, Signature.PENDING),
        ("cleared", Status.CLEARED, TOO_LATE, Signature.PAPER),
    ):
        reply = ask(name, status, [a, b] if name == "submitted" else [c])
        fill(session, reply, of, by, f"Handed in: {name}")
        reply.signature = signature
        hand_in(session, reply, of, at, by)
    for name, status in (
        ("returned", Status.RETURNED), ("recalled", Status.IN_PROGRESS), ("again", Status.AWAITING_SIGN_OFF),
        ("lapsed_after", Status.LAPSED), ("withdrawn_after", Status.WITHDRAWN),
    ):  # fmt: skip
        reply = ask(name, status, [b])
        fill(session, reply, of, by, f"Handed in: {name}")
        hand_in(session, reply, of, IN_TIME, by)
        reply.signature = Signature.VOID
        if name == "recalled":
            reply.handed_in_at = None
        fill(session, reply, of, by, DRAFT, b1="done", share="99", spent="9999")
    ask("claimed", Status.CLAIMED, [c])
    ask("not_ours", Status.NOT_OURS, [c])
    ask("withdrawn", Status.WITHDRAWN, [a])
    ask("lapsed", Status.LAPSED, [a])
    about = version(session, scope=QuestionnaireScope.INSTITUTION)
    reply = ask("about", Status.SUBMITTED, [a], code="SUBMITTED-2", version=about, about_institution=True)
    for link in list(session.scalars(select(_links()).where(_links().assignment_id == reply.assignment_id))):
        session.delete(link)
    fill(session, reply, about, by, "About the institution")
    hand_in(session, reply, about, IN_TIME, by)
    fill(session, ask("elsewhere", Status.SUBMITTED, [a], other), of, by, OTHER_ROUND)
    _evidence(session, round_, replies, of, by)
    session.commit()
    return SimpleNamespace(
        round=round_, other=other, replies=replies, version=of, about=about, recommendations=recommendations, by=by
    )


def _links() -> Any:
    from portal.models import AssignmentRecommendation

    return AssignmentRecommendation


def _evidence(session: Session, round_: Any, replies: dict[str, Any], of: Any, by: int) -> None:
    proof = session.scalars(
        select(Question).where(Question.questionnaire_id == of.questionnaire_id, Question.code == "proof")
    ).one()
    for number, (name, filename) in enumerate(
        (("submitted", "=decision.pdf"), ("draft", f"{DRAFT}.pdf"), ("cleared", "table.xlsx")), start=1
    ):
        session.add(
            Evidence(
                submission_id=replies[name].id, question_id=proof.id, round_id=round_.id, number=number,
                kind=EvidenceKind.FILE, filename=filename, media_type="application/pdf", size=1000 + number,
                sha256=f"{number:064d}", caption=f"Caption {number}", added_by=by,
                added_at=clock.now() + timedelta(minutes=number),
            )
        )
