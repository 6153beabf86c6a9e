"""A questionnaire for tests whose choices, labels and notes follow other answers: on a page, in a table and in a table's row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from portal import clock
from portal.models import ItemKind, Questionnaire, QuestionnaireVersion, Role, VersionStatus
from tests import factories
from tests.tables import PROVINCES

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DISTRICTS = [
    {"key": key, "texts": {"en": english, "km": khmer}, "extra": {"province": province}}
    for key, english, khmer, province in (
        ("angsnuol", "Ang Snuol", "អង្គស្នួល", "kandal"),
        ("takhmau", "Ta Khmau", "តាខ្មៅ", "kandal"),
        ("bati", "Bati", "បាទី", "takeo"),
        ("kirivong", "Kiri Vong", "គិរីវង់", "takeo"),
        ("damnak", "Damnak Chang'aeur", "ដំណាក់ចង្អើរ", "kep"),
    )
]
FITS = "province = ${province}"


def version(session: Session) -> QuestionnaireVersion:
    """Return a published version of one page: ``province`` decides the choices below it, ``visits`` is a table."""
    number = next(factories._numbers)
    titles = {"en": "Places", "km": "ទីកន្លែង"}
    of = factories._add(
        session, Questionnaire(code=f"places{number}", titles=titles, scope="recommendation", length="full")
    )
    made = factories._add(
        session,
        QuestionnaireVersion(
            questionnaire_id=of.id, number=1, status=VersionStatus.PUBLISHED, titles=titles, languages=["en", "km"],
            default_language="en", published_at=clock.now(), settings={},
        ),
    )  # fmt: skip
    page = factories.item(session, made, "places", kind=ItemKind.SECTION, label="Places")

    def question(code: str, kind: str, parent: Any = page, **more: Any) -> None:
        factories.question(session, made, code, kind, parent=parent, **({"label": f"Question {code}"} | more))

    question("province", "select_one", choices=PROVINCES)
    question("visitor", "text", settings={"one_language": True})
    question("said", "text", required="true()", settings={"one_language": True},
             texts={"label": {"en": "What did ${visitor} say in ${province}?"}, "hint": {"en": "Ask ${visitor}."}})  # fmt: skip
    factories.item(session, made, "thanks", kind=ItemKind.NOTE, parent=page, settings={"type": "note"},
                   label="**Thanks**, ${visitor}. [More](https://guide.example/)")  # fmt: skip
    question("wishes", "rank", label="Wishes of ${visitor}", choices=PROVINCES)
    question("district", "select_one", choices=DISTRICTS, choice_filter=FITS)
    question("several", "select_multiple", choices=DISTRICTS, choice_filter=FITS)
    question("listed", "select_one", choices=DISTRICTS, choice_filter=FITS, settings={"appearance": "minimal"})
    question("searched", "select_one", choices=DISTRICTS, choice_filter=FITS, settings={"appearance": "search"})
    question("order", "rank", choices=DISTRICTS, choice_filter=FITS)
    visits = factories.item(session, made, "visits", kind=ItemKind.REPEAT, parent=page, label="Visits")
    question("place", "select_one", visits, choices=PROVINCES)
    question("part", "select_one", visits, label="Part of ${place}", choices=DISTRICTS, choice_filter="province = ${place}")
    question("parts", "select_multiple", visits, choices=DISTRICTS, choice_filter="province = ${place}")
    return made


def scene(session: Session, language: str = "en", made: QuestionnaireVersion | None = None) -> Any:
    """Return two focal points, each of an institution that owes a reply to the questionnaire."""
    made = made or version(session)
    one_round = factories.reporting_round(session)

    def owes() -> Any:
        institution = factories.institution(session)
        focal = factories.person(session, institution, Role.FOCAL_POINT, language=language)
        reply = factories.submission(session, factories.assignment(session, to=institution, in_round=one_round, version=made))
        return SimpleNamespace(focal=focal, reply=reply, path=f"/replies/{reply.public_id}/pages/places")

    first, second = owes(), owes()
    session.commit()
    return SimpleNamespace(version=made, other=second, **vars(first))
