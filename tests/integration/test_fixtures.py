"""The shared fixtures keep their promises."""

from __future__ import annotations

import pytest

from portal.models import Submission
from tests import factories


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
