"""The shared fixtures keep their promises."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from config import ROOT
from portal.models import AuditEvent, LoginAttempt, Submission
from portal.models import Session as UserSession
from tests import factories
from tests.client import Client
from tests.shares import ALONE, TOGETHER, piece_of


@pytest.mark.engines
def test_a_submission_can_be_built_on_both_engines(session, engine_name):
    made = factories.submission(session)
    session.commit()
    assert session.get(Submission, made.id) is made
    assert session.get_bind().dialect.name == engine_name


def test_each_test_starts_empty(session):
    assert session.query(Submission).count() == 0


def test_two_clients_share_no_person(session, client, client_for):
    person = factories.staff(session)
    signed_in = client_for(person)
    assert signed_in.post("/logout").status_code == 303
    again = client_for(person)
    assert client.get("/held").headers["Location"].startswith("/login")
    assert again.get("/held").headers["Location"] == "/rounds"


def test_queries_are_counted(session, client, count_queries):
    with count_queries() as seen:
        client.get("/login")
    assert 0 < len(seen) < 5


def test_what_is_costly_to_set_up_goes_to_one_worker_and_everything_else_goes_alone():
    for places in (*TOGETHER.values(), ALONE):
        assert all((ROOT / "tests" / place).exists() for place in places), places
    assert {piece_of(f"tests/journeys/test_{name}.py::test_it[km-390]") for name in ("tables", "sizes")} == {"browser"}
    for one in ("tests/unit/test_config.py::test_it[a@b]", "tests/journeys/test_accessibility.py::test_page[login-km]"):
        assert piece_of(one) == one


def test_a_person_let_in_has_what_the_log_in_page_gives(session, app, client_for):
    person = factories.staff(session)
    session.commit()
    by_page = Client(app, session)
    assert by_page.sign_in(person.login).status_code == 303
    beside = client_for(person)
    rows = session.scalars(select(UserSession).order_by(UserSession.id)).all()
    assert len(rows) == 2
    same = ("user_id", "membership_id", "revoked_at")
    assert [getattr(rows[0], name) for name in same] == [getattr(rows[1], name) for name in same]
    assert rows[0].confirmed_at is not None
    assert rows[1].confirmed_at is not None
    assert len(session.scalars(select(LoginAttempt).where(LoginAttempt.succeeded)).all()) == 2
    assert len(session.scalars(select(AuditEvent).where(AuditEvent.action == "sign_in")).all()) == 2
    for client in (by_page, beside):
        client.get("/account", expect=200)
        assert client.sign_out().status_code == 303
