"""The database ends a connection under a request: the next one is taken, or the portal says that it is busy; nobody is signed out."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from portal.extensions import db
from portal.prepared import said
from tests import engines, factories


@pytest.fixture
def gone(app):
    """How many of the next looks for a session meet a connection that was ended."""
    times = {"left": 0}
    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(_connection, _cursor, statement, *_more):
        if "token_hash" in statement and times["left"]:
            times["left"] -= 1
            raise OperationalError(statement, {}, Exception("terminating connection due to administrator command"))

    return times


def test_a_connection_that_was_ended_is_replaced_and_nobody_is_signed_out(app, client_for, session, gone):
    institution = factories.institution(session)
    person = factories.person(session, institution)
    reply = factories.submission(session, factories.assignment(session, to=institution))
    session.commit()
    client = client_for(person)
    path = f"/replies/{reply.public_id}/pages/page1"
    fields = {"measures@en": "a word", "base:measures@en": "0"}
    client.get(path, expect=200)
    gone["left"] = 1
    client.get(path, expect=200)
    # not once more: the whole server is away
    gone["left"] = 2
    answer = client.post(path, fields, headers={"Accept": "application/json"}, expect=503)
    assert answer.get_json()["code"] == "busy"
    assert "Retry-After" in answer.headers
    assert "Set-Cookie" not in answer.headers
    gone["left"] = 2
    shown = client.get(path, expect=503)
    assert "កំពុងរវល់បន្តិច" in client.words  # in the national language: who asks is not known
    assert "tamdan=" not in shown.headers.get("Set-Cookie", "")
    gone["left"] = 0
    client.get(path, expect=200)
    client.post(path, fields, headers={"Accept": "application/json"}, expect=200)


@pytest.mark.engines("postgresql")
def test_every_connection_at_rest_may_have_been_ended_and_the_next_page_is_shown(
    app, client_for, session, database_url, monkeypatch
):
    """As a server does that is started again: what the pool gave out a moment ago is not looked at, and is gone."""
    person = factories.person(session, factories.institution(session))
    session.commit()
    client = client_for(person)
    client.get("/owed", expect=200)
    session.close()
    monkeypatch.setattr("portal.prepared.TRUSTED_FOR", 60)  # a busy machine takes its time
    with app.app_context():
        for _ in range(2):  # made, and given out once more
            at_rest = [db.engine.connect() for _ in range(4)]
            ends = [one.connection.driver_connection.info.backend_pid for one in at_rest]
            for one in at_rest:
                one.close()
        end(database_url, ends)
        lost = db.engine.connect()
        with pytest.raises(OperationalError):
            said(lost, "SELECT 1")
        # whoever comes next takes its place, and the one after gets one that was in use a moment ago too
        with db.engine.connect(), db.engine.connect() as living:
            assert living.scalar(text("SELECT 1")) == 1
        lost.close()
    client.get("/owed", expect=200)


def end(database_url, processes):
    another = engines.open_engine(database_url)
    with another.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(one) FROM unnest(:them) AS one"), {"them": processes})
    another.dispose()
