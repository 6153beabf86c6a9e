"""Plain functions that build the smallest valid object of each kind; they add and flush, the test commits.

Each takes the session first and every column by keyword. Persons sign in with :data:`PASSWORD`.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal import clock
from portal.models import (
    Action,
    Actor,
    ActorKind,
    Assignment,
    AssignmentRecommendation,
    Clarification,
    ClarificationMessage,
    Country,
    Institution,
    ItemKind,
    Mechanism,
    Membership,
    Participation,
    Question,
    QuestionChoice,
    Questionnaire,
    QuestionnaireScope,
    QuestionnaireVersion,
    Recommendation,
    RecommendationKind,
    ReportingRound,
    Role,
    RoundDocument,
    RoundStatus,
    SourceDocument,
    StaffAppointment,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
    VersionItem,
    VersionStatus,
)
from portal.queries.sessions import principal_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

PASSWORD = "a quiet river in the morning"
_numbers = itertools.count(1)


@lru_cache(maxsize=4)
def _hash(password: str) -> str:
    from portal.services.sessions import hash_password

    return hash_password(password)


def country(session: Session, **more: Any) -> Country:
    """Whose portal this is: two languages, Khmer first."""
    given: dict[str, Any] = {
        "code": "KH",
        "aliases": ["Cambodia", "KH", "KHM"],
        "names": {"en": "Cambodia", "km": "កម្ពុជា"},
        "languages": [{"code": "km", "name": "ខ្មែរ", "digits": "khmr"}, {"code": "en", "name": "English"}],
        "time_zone": "Asia/Phnom_Penh",
        "secretariat": {"en": "Human Rights Committee", "km": "គណៈកម្មាធិការសិទ្ធិមនុស្ស"},
        "portal_name": {"en": "Tamdan", "km": "តាមដាន"},
    }
    return _add(session, Country(**given | more))


def today() -> date:
    """The present day in that country, as a letter of today is dated."""
    return clock.today("Asia/Phnom_Penh")


def system_actor(session: Session) -> Actor:
    """The system as an actor, once."""
    found = session.scalar(select(Actor).where(Actor.kind == ActorKind.SYSTEM))
    return found or _add(session, Actor(kind=ActorKind.SYSTEM))


def institution(session: Session, code: str = "", **more: Any) -> Institution:
    """An institution with names in both languages, last in protocol order."""
    number = next(_numbers)
    code = code or f"inst{number}"
    given: dict[str, Any] = {
        "code": code,
        "names": {"en": f"Institution {code}", "km": f"ស្ថាប័ន {code}"},
        "rank": number * 10,
    }
    return _add(session, Institution(**given | more))


def person(
    session: Session,
    at: Institution | None = None,
    role: Role = Role.FOCAL_POINT,
    *,
    staff: Sequence[StaffRole] = (),
    password: str | None = PASSWORD,
    **more: Any,
) -> UserAccount:
    """A person who can sign in, with an actor; ``at`` an institution in ``role``, or ``staff`` of the secretariat."""
    number = next(_numbers)
    given: dict[str, Any] = {
        "login": f"person{number}",
        "names": {"en": f"Person {number}", "km": f"បុគ្គល {number}"},
        "language": "en",
        "password_hash": _hash(password) if password else None,
    }
    made = _add(session, UserAccount(**given | more))
    _add(session, Actor(kind=ActorKind.USER, user_id=made.id))
    if at is not None:
        membership(session, made, at, role)
    for one in staff:
        _add(session, StaffAppointment(user_id=made.id, role=one))
    return made


def membership(session: Session, who: UserAccount, at: Institution, role: Role = Role.FOCAL_POINT) -> Membership:
    """The part of a person in an institution."""
    return _add(session, Membership(user_id=who.id, institution_id=at.id, role=role))


def staff(session: Session, role: StaffRole = StaffRole.COORDINATOR, **more: Any) -> UserAccount:
    """A person of the secretariat."""
    return person(session, staff=[role], **more)


def principal(session: Session, who: UserAccount, at: Institution | None = None) -> Principal:
    """The person as ``by=`` takes it."""
    found = principal_of(session, who.id, institution_id=at.id if at else None)
    assert found is not None
    return found


def document(session: Session, **more: Any) -> SourceDocument:
    """A source document of a mechanism of its own."""
    number = next(_numbers)
    if "mechanism_id" not in more:
        made = _add(session, Mechanism(code=f"mech{number}", names={"en": f"Committee {number}"}))
        more["mechanism_id"] = made.id
    given: dict[str, Any] = {"symbol": f"TEST/CO/{number}", "titles": {"en": f"Concluding observations {number}"}}
    return _add(session, SourceDocument(**given | more))


def recommendation(session: Session, of: SourceDocument | None = None, **more: Any) -> Recommendation:
    """A recommendation with both texts and a summary."""
    of = of or document(session)
    number = next(_numbers)
    given: dict[str, Any] = {
        "document_id": of.id,
        "paragraph": str(number),
        "position": number,
        "texts": {"en": f"The State party should do {number}.", "km": f"រដ្ឋភាគីគួរធ្វើ {number}។"},
        "summary": {"en": f"You are asked about {number}.", "km": f"សូមឆ្លើយអំពី {number}។"},
        "kind": RecommendationKind.RECOMMENDATION,
    }
    return _add(session, Recommendation(**given | more))


def questionnaire_version(session: Session, *, published: bool = True, **more: Any) -> QuestionnaireVersion:
    """One page with three questions: ``state`` (select_one, required), ``measures`` (text, required), ``beds`` (integer)."""
    number = next(_numbers)
    titles = {"en": f"Questionnaire {number}", "km": f"កម្រងសំណួរ {number}"}
    made = _add(
        session,
        Questionnaire(
            code=f"q{number}",
            titles=titles,
            scope=more.pop("scope", QuestionnaireScope.RECOMMENDATION),
            length=more.pop("length", "short"),
        ),
    )
    given: dict[str, Any] = {
        "questionnaire_id": made.id,
        "number": 1,
        "status": VersionStatus.PUBLISHED if published else VersionStatus.DRAFT,
        "titles": titles,
        "languages": ["km", "en"],
        "default_language": "km",
        "published_at": clock.now() if published else None,
    }
    version = _add(session, QuestionnaireVersion(**given | more))
    section = item(session, version, "page1", kind=ItemKind.SECTION, label="Implementation")
    choices = [
        {"key": "done", "texts": {"en": "Implemented", "km": "បានអនុវត្ត"}},
        {"key": "not_started", "texts": {"en": "Not started", "km": "មិនទាន់ចាប់ផ្តើម"}},
    ]
    question(session, version, "state", "select_one", parent=section, required="true()", choices=choices)
    question(session, version, "measures", "text", parent=section, required="true()")
    question(session, version, "beds", "integer", parent=section)
    return version


def item(
    session: Session, version: QuestionnaireVersion, code: str, *, kind: ItemKind, label: str = "", **more: Any
) -> VersionItem:
    """A place in a version."""
    given: dict[str, Any] = {
        "version_id": version.id,
        "position": next(_numbers),
        "kind": kind,
        "code": code,
        "texts": {"label": {"en": label or f"Question {code}", "km": f"សំណួរ {code}"}},
    }
    parent = more.pop("parent", None)
    if parent is not None:
        given["parent_id"] = parent.id
    return _add(session, VersionItem(**given | more))


def question(session: Session, version: QuestionnaireVersion, code: str, type_: str, **more: Any) -> VersionItem:
    """A question and its place in a version; ``choices`` are registered too."""
    made = _add(session, Question(questionnaire_id=version.questionnaire_id, code=code, type=type_))
    for position, choice in enumerate(more.get("choices", ())):
        _add(
            session,
            QuestionChoice(question_id=made.id, key=choice["key"], position=position, texts=choice["texts"]),
        )
    return item(session, version, code, kind=ItemKind.QUESTION, question_id=made.id, **more)


def reporting_round(session: Session, *documents: SourceDocument, **more: Any) -> ReportingRound:
    """An open round, due in 30 days."""
    number = next(_numbers)
    day = clock.today()
    given: dict[str, Any] = {
        "slug": f"round-{number}",
        "titles": {"en": f"Round {number}", "km": f"វគ្គ {number}"},
        "status": RoundStatus.OPEN,
        "opens_on": day,
        "due_on": day + timedelta(days=30),
        "closes_on": day + timedelta(days=45),
        "freezes_on": day + timedelta(days=60),
        "issued_at": clock.now(),
    }
    made = _add(session, ReportingRound(**given | more))
    for one in documents:
        _add(session, RoundDocument(round_id=made.id, document_id=one.id))
    return made


def participation(session: Session, in_round: ReportingRound, of: Institution) -> Participation:
    """An institution in a round, once."""
    found = session.scalar(
        select(Participation).where(Participation.round_id == in_round.id, Participation.institution_id == of.id)
    )
    return found or _add(session, Participation(round_id=in_round.id, institution_id=of.id))


def assignment(
    session: Session,
    to: Institution | None = None,
    in_round: ReportingRound | None = None,
    about: Sequence[Recommendation] = (),
    version: QuestionnaireVersion | None = None,
    **more: Any,
) -> Assignment:
    """The ask of one institution about one recommendation in one round; what is not given is made."""
    to = to or institution(session)
    about = list(about) or [recommendation(session)]
    in_round = in_round or reporting_round(session)
    version = version or questionnaire_version(session)
    given: dict[str, Any] = {
        "round_id": in_round.id,
        "participation_id": participation(session, in_round, to).id,
        "institution_id": to.id,
        "version_id": version.id,
        "position": next(_numbers),
        "issued_at": clock.now(),
    }
    made = _add(session, Assignment(**given | more))
    for one in about:
        _add(
            session,
            AssignmentRecommendation(
                assignment_id=made.id, recommendation_id=one.id, round_id=in_round.id, institution_id=to.id
            ),
        )
    return made


def submission(session: Session, for_: Assignment | None = None, **more: Any) -> Submission:
    """The reply to an assignment, just issued (with its event)."""
    for_ = for_ or assignment(session)
    made = _add(session, Submission(assignment_id=for_.id, **more))
    _add(
        session,
        SubmissionEvent(
            submission_id=made.id,
            number=1,
            action=Action.ISSUE,
            status=Status.ISSUED,
            done_by=system_actor(session).id,
            done_at=clock.now(),
        ),
    )
    return made


def clarification(session: Session, of: Submission, body: str = "Which year?", **more: Any) -> Clarification:
    """A question of the secretariat about a reply."""
    by, at = system_actor(session).id, clock.now()
    made = _add(session, Clarification(submission_id=of.id, opened_by=by, opened_at=at, **more))
    message = ClarificationMessage(
        clarification_id=made.id, body=body, from_secretariat=True, written_by=by, written_at=at
    )
    _add(session, message)
    return made


def _add(session: Session, thing: Any) -> Any:
    session.add(thing)
    session.flush()
    return thing
