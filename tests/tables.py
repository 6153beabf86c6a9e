"""A questionnaire with tables for tests: a repeat with columns of every kind, a matrix, and a table within a table."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from portal import clock
from portal.models import ItemKind, Questionnaire, QuestionnaireVersion, Role, StaffRole, VersionStatus
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PROVINCES = [
    {"key": "kandal", "texts": {"en": "Kandal", "km": "កណ្តាល"}},
    {"key": "takeo", "texts": {"en": "Takeo", "km": "តាកែវ"}},
    {"key": "kep", "texts": {"en": "Kep", "km": "កែប"}},
]
PARTNERS = [
    {"key": "un", "texts": {"en": "United Nations", "km": "សហប្រជាជាតិ"}},
    {"key": "ngo", "texts": {"en": "Civil society", "km": "សង្គមស៊ីវិល"}},
]
SEXES = [
    {"key": "f", "texts": {"en": "Women", "km": "ស្ត្រី"}},
    {"key": "m", "texts": {"en": "Men", "km": "បុរស"}},
]


def _texts(english: str, khmer: str, hint: str = "") -> dict[str, Any]:
    return {"label": {"en": english, "km": khmer}} | ({"hint": {"en": hint}} if hint else {})


def version(session: Session, **settings: Any) -> QuestionnaireVersion:
    """Return a published version: page "tables" (a repeat ``b5``, a matrix ``c2``), page "inner" (``b3`` with ``b3y``)."""
    number = next(factories._numbers)
    titles = {"en": "Tables", "km": "តារាង"}
    of = factories._add(session, Questionnaire(code=f"tables{number}", titles=titles, scope="recommendation", length="full"))
    made = factories._add(
        session,
        QuestionnaireVersion(
            questionnaire_id=of.id, number=1, status=VersionStatus.PUBLISHED, titles=titles, languages=["km", "en"],
            default_language="km", published_at=clock.now(), settings=settings,
        ),
    )  # fmt: skip

    def question(code: str, type_: str, parent: Any, english: str, khmer: str, **more: Any) -> None:
        factories.question(session, made, code, type_, parent=parent, texts=_texts(english, khmer), **more)

    page = factories.item(session, made, "tables", kind=ItemKind.SECTION, texts=_texts("Measures and figures", "វិធានការ និងតួលេខ"))
    b5 = factories.item(
        session, made, "b5", kind=ItemKind.REPEAT, parent=page,
        texts=_texts("Practical measures", "វិធានការជាក់ស្តែង", "Training, campaigns, services; no plans here."),
    )  # fmt: skip
    question("activity", "text", b5, "Activity", "សកម្មភាព", required="true()")
    question("held", "date", b5, "Date", "កាលបរិច្ឆេទ")
    question("place", "select_one", b5, "Place", "ទីកន្លែង", choices=PROVINCES)
    question("women", "integer", b5, "Women reached", "ចំនួនស្ត្រី", settings={"total": "sum", "not_available": True})
    question("men", "integer", b5, "Men reached", "ចំនួនបុរស", settings={"total": "sum"})
    question("reached", "calculate", b5, "All", "សរុប", calculation="sum(${women}) + sum(${men})", settings={"total": "sum"})
    question("cost", "money", b5, "Cost", "ថ្លៃចំណាយ", settings={"unit": "USD", "total": "sum"})
    question("partners", "select_multiple", b5, "Partners", "ដៃគូ", choices=PARTNERS)
    question("public", "acknowledge", b5, "Open to the public", "បើកជាសាធារណៈ")
    question("sites", "text", b5, "Where exactly", "ទីតាំងពិតប្រាកដ", relevant="${place} = 'kandal'", settings={"one_language": True})
    c2 = factories.item(
        session, made, "c2", kind=ItemKind.MATRIX, parent=page, choices=SEXES, texts=_texts("Complaints", "បណ្តឹង")
    )
    question("received", "integer", c2, "Received", "បានទទួល", settings={"total": "sum", "not_applicable": True})
    question("convicted", "integer", c2, "Convicted", "បានកាត់ទោស", constraint=". <= ${received}", settings={"total": "sum"})
    question("people", "integer", page, "People in all", "ចំនួនមនុស្សសរុប", constraint=". = sum(${reached})")
    inner = factories.item(session, made, "inner", kind=ItemKind.SECTION, texts=_texts("Budget", "ថវិកា"))
    b3 = factories.item(session, made, "b3", kind=ItemKind.REPEAT, parent=inner, texts=_texts("Programmes", "កម្មវិធី"))
    question("programme", "text", b3, "Programme", "កម្មវិធី", settings={"one_language": True})
    b3y = factories.item(session, made, "b3y", kind=ItemKind.REPEAT, parent=b3, texts=_texts("Years", "ឆ្នាំ"))
    question("year", "year", b3y, "Year", "ឆ្នាំ")
    question("spent", "decimal", b3y, "Spent", "បានចំណាយ", settings={"total": "sum"})
    return made


def scene(session: Session, language: str = "en", **settings: Any) -> Any:
    """Return an institution with a focal point, a colleague and an approver that owes one reply with tables."""
    institution = factories.institution(session)
    made = version(session, **settings)
    focal = factories.person(session, institution, Role.FOCAL_POINT, language=language)
    colleague = factories.person(session, institution, Role.CONTRIBUTOR, language=language)
    approver = factories.person(session, institution, Role.APPROVER, language=language)
    staff = factories.person(session, staff=[StaffRole.COORDINATOR], language=language)
    one_round = factories.reporting_round(session)
    asked = factories.assignment(session, to=institution, in_round=one_round, version=made)
    reply = factories.submission(session, asked)
    session.commit()
    path = f"/replies/{reply.public_id}/pages/tables"
    return SimpleNamespace(
        institution=institution, version=made, focal=focal, colleague=colleague, approver=approver, staff=staff,
        round=one_round, assignment=asked, reply=reply, path=path, inner=path.replace("/tables", "/inner"),
    )  # fmt: skip


def key(number: int, letter: str = "R") -> str:
    """Return a row key as a client would make it."""
    return f"{letter}{number:015d}"
