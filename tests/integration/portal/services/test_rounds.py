"""Rounds: prepared, assigned, issued once, closed, extended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import (
    Assignment,
    AssignmentRole,
    Institution,
    OutgoingMail,
    Participation,
    QuestionnaireScope,
    Recommendation,
    ReportingRound,
    RoundStatus,
    SourceDocument,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.queries import rounds as look
from portal.services import assignments, issuing, rounds
from portal.services.assignments import CellChange, Wish
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.permissions import Principal

LEAD = Wish(AssignmentRole.LEAD)
CONTRIBUTING = Wish(AssignmentRole.CONTRIBUTING)


@dataclass
class Desk:
    by: Principal
    round: ReportingRound
    document: SourceDocument
    whole: Recommendation
    parts: list[Recommendation]
    first: Institution
    second: Institution


@pytest.fixture
def desk(session: Session, context: None) -> Desk:
    by = factories.principal(session, factories.staff(session))
    document = factories.document(session)
    whole = factories.recommendation(session, document, paragraph="7")
    factories.recommendation(session, document, paragraph="8")
    parts = [factories.recommendation(session, document, paragraph="8", sub_item=mark) for mark in "abc"]
    first, second = factories.institution(session, "moj"), factories.institution(session, "moi")
    factories.person(session, first, email="one@example.org")
    factories.person(session, second, email="two@example.org", password=None)
    made = rounds.create_round(session, facts(session, document), by=by)
    session.commit()
    return Desk(by, made, document, whole, parts, first, second)


def facts(session: Session, document: SourceDocument, **more: Any) -> rounds.RoundFacts:
    day = clock.today()
    given = rounds.RoundFacts(
        titles={"en": "Fourth report", "km": "របាយការណ៍លើកទី៤"},
        opens_on=day,
        due_on=day + timedelta(days=30),
        closes_on=day + timedelta(days=44),
        freezes_on=day + timedelta(days=60),
        document_ids=[document.id],
        short_version_id=factories.questionnaire_version(session).id,
        full_version_id=factories.questionnaire_version(session, length="full").id,
        institution_version_id=factories.questionnaire_version(session, scope=QuestionnaireScope.INSTITUTION).id,
    )
    return replace(given, **more)


def cell(desk: Desk, things: list[Recommendation], at: Institution, wants: Wish | None, was: str = "") -> CellChange:
    return CellChange(tuple(one.id for one in things), at.id, wants, was)


def change(session: Session, desk: Desk, *cells: CellChange, **more: Any) -> assignments.Changed:
    done = assignments.change_cells(session, desk.round, cells, by=desk.by, **more)
    session.commit()
    return done


def test_dates_are_counted_back_from_the_un_due_date() -> None:
    proposed = rounds.propose_dates(date(2026, 12, 31))
    assert proposed["opens_on"] < proposed["due_on"] < proposed["closes_on"] < proposed["freezes_on"]
    assert proposed["freezes_on"] == date(2026, 10, 22)


def test_every_field_that_is_not_right_is_told(session: Session, desk: Desk) -> None:
    bad = facts(session, desk.document, titles={}, due_on=date(2000, 1, 1), short_version_id=99999, document_ids=[])
    with pytest.raises(Invalid) as refused:
        rounds.create_round(session, bad, by=desk.by)
    assert {problem.field for problem in refused.value.problems} == {"titles", "documents", "due_on", "short_version"}


def test_a_round_changed_by_two_is_changed_by_the_first(session: Session, desk: Desk) -> None:
    wanted = facts(session, desk.document, titles={"en": "Other"})
    rounds.change_round(session, desk.round, wanted, revision=1, by=desk.by)
    with pytest.raises(Conflict):
        rounds.change_round(session, desk.round, wanted, revision=1, by=desk.by)


def test_an_introduction_is_not_asked_by_itself(session: Session, desk: Desk) -> None:
    rows = look.paragraphs(session, desk.round.id)
    assert [row.label for row in rows] == ["7", "8 (a)–(c)"]


def test_sub_items_join_in_one_reply_unless_separate(session: Session, desk: Desk) -> None:
    change(session, desk, *(cell(desk, [part], desk.first, LEAD) for part in desk.parts))
    change(session, desk, *(cell(desk, [part], desk.second, LEAD) for part in desk.parts), separately=True)
    asks = look.asks(session, desk.round.id)
    assert sorted(len(ask.recommendation_ids) for ask in asks) == [1, 1, 1, 3]


def test_a_cell_is_filled_changed_emptied(session: Session, desk: Desk) -> None:
    assert change(session, desk, cell(desk, [desk.whole], desk.first, LEAD)).created == 1
    again = change(session, desk, cell(desk, [desk.whole], desk.first, LEAD, "lead"))
    assert (again.unchanged, again.any) == (1, False)
    full = Wish(AssignmentRole.CONTRIBUTING, "full")
    assert change(session, desk, cell(desk, [desk.whole], desk.first, full, "lead")).changed == 1
    (ask,) = look.asks(session, desk.round.id)
    assert assignments.cell_value(desk.round, [ask], [desk.whole.id]) == "contributing/full"
    assert change(session, desk, cell(desk, [desk.whole], desk.first, None, "contributing/full")).removed == 1
    assert look.asks(session, desk.round.id) == []


def test_a_cell_that_somebody_else_changed_is_left_and_told(session: Session, desk: Desk) -> None:
    change(session, desk, cell(desk, [desk.whole], desk.first, LEAD))
    done = change(
        session,
        desk,
        cell(desk, [desk.whole], desk.first, CONTRIBUTING),
        cell(desk, [desk.whole], desk.second, LEAD),
    )
    assert (done.created, done.changed, len(done.refused)) == (1, 0, 1)


@pytest.mark.engines
def test_issuing_twice_sends_once(session: Session, desk: Desk) -> None:
    change(
        session,
        desk,
        cell(desk, [desk.whole], desk.first, LEAD),
        cell(desk, desk.parts, desk.first, CONTRIBUTING),
        cell(desk, [desk.whole], desk.second, LEAD),
    )
    first = issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost")
    session.commit()
    assert (first.submissions, first.institutions, first.mails) == (5, 2, 2)
    again = issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost")
    session.commit()
    assert again == issuing.Issued()
    count = {kind: session.scalar(select(func.count()).select_from(kind)) for kind in (Submission, SubmissionEvent)}
    assert count == {Submission: 5, SubmissionEvent: 5}
    known, new = session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)).all()
    assert "\n" not in known.subject
    assert "http://localhost/login" in known.body
    assert "http://localhost/enter/" in new.body
    asked = session.scalars(select(Submission.asked).distinct()).all()
    assert asked == [3]
    assert desk.round.status is RoundStatus.OPEN
    late = change(session, desk, cell(desk, desk.parts, desk.second, LEAD))
    assert late.created == 1
    assert issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost").submissions == 1


def test_nothing_assigned_cannot_be_issued(session: Session, desk: Desk) -> None:
    with pytest.raises(Invalid):
        issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost")


def test_what_was_issued_is_withdrawn_with_a_reason_and_restored(session: Session, desk: Desk) -> None:
    change(session, desk, cell(desk, [desk.whole], desk.first, LEAD))
    issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost")
    assert len(change(session, desk, cell(desk, [desk.whole], desk.first, None, "lead")).refused) == 1
    asked = session.scalars(select(Assignment).where(Assignment.about_institution.is_(False))).one()
    with pytest.raises(Invalid):
        assignments.withdraw(session, asked, reason=" ", by=desk.by)
    assert assignments.withdraw(session, asked, reason="Wrong ministry", by=desk.by).status is Status.WITHDRAWN
    assert assignments.restore(session, asked, by=desk.by).status is Status.ISSUED


def test_closing_lapses_all_but_the_extended(session: Session, desk: Desk) -> None:
    change(
        session,
        desk,
        cell(desk, [desk.whole], desk.first, LEAD),
        cell(desk, [desk.whole], desk.second, LEAD),
    )
    issuing.issue_round(session, desk.round, by=desk.by, base_url="http://localhost")
    part = session.scalars(select(Participation).where(Participation.institution_id == desk.second.id)).one()
    rounds.extend(session, part, desk.round.due_on + timedelta(days=5), reason="New minister", by=desk.by)
    assert rounds.close_round(session, desk.round, by=desk.by) == 2
    other = session.scalars(select(Participation).where(Participation.institution_id == desk.first.id)).one()
    rounds.extend(session, other, desk.round.due_on + timedelta(days=9), reason="Flood", by=desk.by)
    assert set(session.scalars(select(Submission.status))) == {Status.ISSUED}
    rounds.freeze_round(session, desk.round, by=desk.by)
    assert set(session.scalars(select(Submission.status))) == {Status.LAPSED}
    with pytest.raises(Conflict):
        change(session, desk, cell(desk, desk.parts, desk.first, LEAD))


def test_assigning_by_a_verb(session: Session, desk: Desk) -> None:
    made = assignments.assign(
        session, desk.round, desk.first, desk.parts, role=AssignmentRole.LEAD, length="full", by=desk.by
    )
    assert assignments.length_of(desk.round, made.version_id) == "full"
    with pytest.raises(Conflict):
        assignments.assign(session, desk.round, desk.first, desk.parts[:1], role=AssignmentRole.LEAD, by=desk.by)
    assignments.unassign(session, made, by=desk.by)
    assert look.asks(session, desk.round.id) == []
