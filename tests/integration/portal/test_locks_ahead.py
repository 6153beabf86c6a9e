"""Locks that travel ahead of a save (decision 0059): they keep out whoever writes too, and hold nobody else up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select, text, update

from portal import clock
from portal.blueprints.posting import load
from portal.database import write, write_soon
from portal.errors import IllegalTransition, NotAllowed
from portal.extensions import db
from portal.models import Institution, Status, Submission
from portal.models import Session as SignedIn
from portal.prepared import Prepared
from portal.queries import submissions as queries
from portal.queries.sessions import principal_of
from portal.services import submissions as services
from tests import factories
from tests.doors import until

pytestmark = pytest.mark.engines("postgresql")

COUNTED = Prepared(select(func.count().label("many")).select_from(Institution))
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
JSON = {"Accept": "application/json"}


def test_who_may_not_save_holds_nobody_up(client_for, session, app):
    """The lock of a reply travels before anybody knows who asks; where nothing is saved, it goes with the request."""
    there, here = factories.institution(session, "MOJ"), factories.institution(session, "MOH")
    version, round_ = factories.questionnaire_version(session), factories.reporting_round(session)
    reply = factories.submission(session, factories.assignment(session, to=there, in_round=round_, version=version))
    path, number = f"/replies/{reply.public_id}/pages/page1", reply.id
    writer, stranger = factories.person(session, there), factories.person(session, here)
    session.commit()
    given = {"measures@en": "text", "base:measures@en": "0"}
    client_for(writer).post(path, given, headers=JSON, expect=200)
    free = text("SELECT id FROM submission WHERE id = :id FOR UPDATE NOWAIT")

    def is_free():
        with app.app_context(), db.engine.connect() as other:
            return other.execute(free, {"id": number}).scalar() == number

    assert is_free()
    client_for(stranger).post(path, given, headers=JSON, expect=404)
    assert is_free()
    client = client_for(writer)
    client.post(path, given | {"csrf_token": "another"}, headers=JSON, expect=400)
    assert is_free()
    client.post(path.replace("page1", "page9"), given, headers=JSON, expect=404)
    assert is_free()
    client.get(path, expect=200)
    assert is_free()
    for ended in ({"expires_at": clock.now() - timedelta(days=1)}, {"revoked_at": clock.now()}):
        session.execute(update(SignedIn).values(ended))
        session.commit()
        assert client.post(path, given, headers=JSON).status_code in {400, 401}
        assert is_free()


def test_a_lock_that_travelled_ahead_waits_for_whoever_writes(client_for, session, app):
    """A save that comes while another is under way sees what that one saved, and does not write over it."""
    institution = factories.institution(session, "MOJ")
    version, round_ = factories.questionnaire_version(session), factories.reporting_round(session)
    reply = factories.submission(
        session, factories.assignment(session, to=institution, in_round=round_, version=version)
    )
    path, number, person = f"/replies/{reply.public_id}/pages/page1", reply.id, factories.person(session, institution)
    session.commit()
    client = client_for(person)
    client.post(path, {"measures@en": "first", "base:measures@en": "0"}, headers=JSON, expect=200)
    with app.app_context():
        address = db.engine.url.set(drivername="postgresql")
    with psycopg.connect(address.render_as_string(hide_password=False)) as other:
        other.execute("SELECT id FROM submission WHERE id = %s FOR UPDATE", [number])
        with ThreadPoolExecutor(1) as beside:
            saved = beside.submit(
                client.post, path, {"measures@en": "mine", "base:measures@en": "1"}, headers=JSON, expect=409
            )
            until(lambda: other.execute(WAITING).fetchone()[0])
            other.execute("UPDATE answer SET value = '\"theirs\"', revision = 2 WHERE submission_id = %s", [number])
            other.commit()
            told = saved.result(30).json
    assert [(one["theirs"], one["mine"]) for one in told["stale"]] == [("theirs", "mine")]


@pytest.mark.parametrize("lost_by", ["a rollback", "another write", "being found before"])
def test_a_reply_is_locked_again_where_the_lock_it_was_found_with_is_over(app, session, lost_by):
    """It is handed in meanwhile: a save that relied on what was found would write into a reply that is closed."""
    institution = factories.institution(session, "MOJ")
    version, round_ = factories.questionnaire_version(session), factories.reporting_round(session)
    reply = factories.submission(
        session, factories.assignment(session, to=institution, in_round=round_, version=version)
    )
    person, public_id = factories.person(session, institution).id, reply.public_id
    session.commit()
    with app.test_request_context(f"/replies/{public_id}/pages/page1"):
        by = principal_of(db.session, person)
        db.session.rollback()
        early = lost_by == "being found before"
        assert early or write_soon(db.session)
        head = queries.find(db.session, public_id)
        assert head.locked is not early
        if lost_by == "another write":
            with write() as database:
                COUNTED.one(database, {})
        else:
            db.session.rollback()
        session.execute(update(Submission).values(status=Status.SUBMITTED))
        session.commit()
        assert not early or write_soon(db.session)
        definition, ids = load(head)
        with pytest.raises((IllegalTransition, NotAllowed)), write() as database:
            services.save_answers(database, head, definition, ids, {}, context=None, by=by)
