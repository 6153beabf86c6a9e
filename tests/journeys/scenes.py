"""What the journeys find in the portal: one institution that owes one reply, with everybody who deals with it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal import clock
from portal.models import (
    ItemKind,
    Questionnaire,
    QuestionnaireScope,
    QuestionnaireVersion,
    Role,
    StaffRole,
    VersionStatus,
)
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import (
        Assignment,
        Institution,
        Recommendation,
        ReportingRound,
        SourceDocument,
        Submission,
        UserAccount,
    )

STATES = (
    ("done", "Implemented", "បានអនុវត្ត"),
    ("partly", "Partly implemented", "បានអនុវត្តខ្លះ"),
    ("not_started", "Not started", "មិនទាន់ចាប់ផ្តើម"),
)


@dataclass
class Scene:
    """The things of a scene; persons sign in with ``factories.PASSWORD``."""

    institution: Institution
    round: ReportingRound
    assignment: Assignment
    reply: Submission
    focal: UserAccount
    colleague: UserAccount
    approver: UserAccount
    coordinator: UserAccount
    writer: UserAccount
    newcomer: UserAccount
    asked: Recommendation
    document: SourceDocument
    version: QuestionnaireVersion

    @property
    def path(self) -> str:
        """The reply's address."""
        return f"/replies/{self.reply.public_id}"

    @property
    def first(self) -> str:
        """The address of its first page."""
        return f"{self.path}/pages/measures"

    @property
    def second(self) -> str:
        """The address of its second page."""
        return f"{self.path}/pages/proof"


def scene(session: Session, name: str = "", *, language: str = "en", entered: bool = True) -> Scene:
    """Make an institution with a focal point, a colleague and an approver, and the one reply that it owes.

    Two pages: ``state`` (select_one, required), ``why`` (asked unless done), ``text`` (text, required), ``beds`` (integer);
    ``since`` (date), ``files`` (file), ``remark`` (text). ``entered=False`` leaves the focal point without a password.
    """
    institution = factories.institution(session, name)
    version = _empty_version(session)
    page = factories.item(session, version, "measures", kind=ItemKind.SECTION, label="Measures taken")
    choices = [{"key": key, "texts": {"en": english, "km": khmer}} for key, english, khmer in STATES]
    factories.question(
        session,
        version,
        "standing",
        "select_one",
        parent=page,
        required="true()",
        choices=choices,
        label="How far is it?",
    )
    factories.question(
        session, version, "why", "text", parent=page, required="true()", relevant="not(selected(${standing}, 'done')) and ${standing} != ''",
        label="What stands in the way?",
    )  # fmt: skip
    factories.question(session, version, "text", "text", parent=page, required="true()", label="What was done?")
    factories.question(session, version, "places", "integer", parent=page, label="How many places?")
    page = factories.item(session, version, "proof", kind=ItemKind.SECTION, label="Proof")
    factories.question(session, version, "since", "date", parent=page, label="Since when?")
    factories.question(session, version, "files", "file", parent=page, label="Papers that show it")
    factories.question(session, version, "remark", "text", parent=page, label="Anything else?")
    document = factories.document(session)
    asked = factories.recommendation(session, document, heading={"en": "Places of detention", "km": "កន្លែងឃុំឃាំង"})
    round_ = factories.reporting_round(session, document)
    assignment = factories.assignment(session, to=institution, in_round=round_, about=[asked], version=version)
    return Scene(
        institution,
        round_,
        assignment,
        factories.submission(session, assignment),
        factories.person(
            session, institution, Role.FOCAL_POINT, language=language, password=factories.PASSWORD if entered else None
        ),
        factories.person(session, institution, Role.CONTRIBUTOR, language=language),
        factories.person(session, institution, Role.APPROVER, language=language),
        factories.staff(session, StaffRole.COORDINATOR, language=language),
        factories.staff(session, StaffRole.REPORT_WRITER, language=language),
        factories.person(session, factories.institution(session), Role.FOCAL_POINT, language=language),
        asked,
        document,
        version,
    )


def _empty_version(session: Session) -> QuestionnaireVersion:
    titles = {"en": "Short questionnaire", "km": "កម្រងសំណួរខ្លី"}
    code = f"short{uuid.uuid4().hex[:8]}"
    made = Questionnaire(code=code, titles=titles, scope=QuestionnaireScope.RECOMMENDATION, length="short")
    session.add(made)
    session.flush()
    version = QuestionnaireVersion(
        questionnaire_id=made.id,
        number=1,
        status=VersionStatus.PUBLISHED,
        titles=titles,
        languages=["km", "en"],
        default_language="km",
        published_at=clock.now(),
    )
    session.add(version)
    session.flush()
    return version
