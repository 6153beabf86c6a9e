"""Questionnaires: stored once per source, fixed where answers hang on it, compiled from rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from forms.definition.model import Choice, Definition, Item
from forms.tables import countable
from portal.errors import Invalid
from portal.models import Question, QuestionChoice, QuestionnaireScope, QuestionnaireVersion, VersionStatus
from portal.queries import questionnaires as look
from portal.services import questionnaires
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.permissions import Principal

STATE = Item(
    None,
    "question",
    "b1",
    "select_one",
    {"label": {"en": "State", "km": "ស្ថានភាព"}},
    required="true()",
    settings={"scope": "recommendation"},
    choices=(Choice("done", {"en": "Done"}, {"rank": "1"}), Choice("planned", {"en": "Planned"})),
)
TEXT = Item(None, "question", "b6", "text", {"label": {"en": "Results"}}, relevant="${b1} = 'done'")
NOTE = Item(None, "note", "n1", "note", {"label": {"en": "Thank you"}})


def made(*items: Item) -> Definition:
    page = Item(None, "section", "page", texts={"label": {"en": "Page"}}, children=items or (STATE, TEXT, NOTE))
    return Definition(None, "short", 1, {"en": "Short"}, ("km", "en"), "km", (page,))


@pytest.fixture
def by(session: Session) -> Principal:
    return factories.principal(session, factories.staff(session))


def put(session: Session, by: Principal, of: Definition, source: str = "a" * 64) -> QuestionnaireVersion:
    given: dict[str, Any] = {"source_sha256": source, "scope": QuestionnaireScope.RECOMMENDATION, "length": "short"}
    version = questionnaires.store(session, of, by=by, **given)
    questionnaires.publish(session, version, by=by)
    session.commit()
    return version


def test_the_same_source_makes_one_version(session: Session, by: Principal) -> None:
    first = put(session, by, made())
    assert put(session, by, made()).id == first.id
    assert put(session, by, made(), "b" * 64).number == 2


def test_what_was_stored_is_read_back(session: Session, by: Principal) -> None:
    version = put(session, by, made())
    found = look.definition(session, version.id)
    ids = look.question_ids(session, version.id)
    bare = replace(found.question("b1"), id=None)
    assert bare == STATE
    assert replace(found.question("n1"), id=None) == NOTE
    assert found.page_of("b6").code == "page"
    assert (found.id, found.code, found.version, found.languages) == (version.id, "short", 1, ("km", "en"))
    assert set(ids) == {"b1", "b6"}
    assert countable(found) == ("b1", "b6")


def test_a_published_version_is_read_once(session: Session, by: Principal, count_queries: Any) -> None:
    version = put(session, by, made())
    look.definition(session, version.id)
    with count_queries() as seen:
        look.definition(session, version.id)
        look.question_ids(session, version.id)
    assert seen == []


def test_a_version_that_may_be_rolled_back_is_not_kept(session: Session, by: Principal) -> None:
    version = questionnaires.store(
        session, made(), source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="short", by=by
    )
    questionnaires.publish(session, version, by=by)
    number = version.id
    assert look.definition(session, number).question("b1").type == "select_one"
    session.rollback()
    other = put(session, factories.principal(session, factories.staff(session)), made(NOTE))
    assert other.id == number
    assert "b1" not in look.question_ids(session, number)


def test_a_type_is_fixed_for_ever(session: Session, by: Principal) -> None:
    put(session, by, made())
    with pytest.raises(Invalid) as refused:
        put(session, by, made(replace(TEXT, type="integer"), replace(STATE, type="text", choices=())), "b" * 64)
    assert [problem.field for problem in refused.value.problems] == ["b6", "b1"]


def test_a_choice_key_is_never_reused(session: Session, by: Principal) -> None:
    put(session, by, made())
    put(session, by, made(replace(STATE, choices=STATE.choices[:1])), "b" * 64)
    gone = session.scalars(select(QuestionChoice.key).where(QuestionChoice.retired.is_(True))).all()
    assert gone == ["planned"]
    assert session.scalars(select(Question.code).where(Question.retired.is_(True))).all() == ["b6"]
    again = replace(STATE, choices=(*STATE.choices[:1], Choice("planned", {"en": "Abandoned"})))
    with pytest.raises(Invalid):
        put(session, by, made(again), "c" * 64)
    session.rollback()
    back = put(session, factories.principal(session, factories.staff(session)), made(), "d" * 64)
    assert back.status == VersionStatus.PUBLISHED
    assert not session.scalars(select(QuestionChoice).where(QuestionChoice.retired.is_(True))).all()
