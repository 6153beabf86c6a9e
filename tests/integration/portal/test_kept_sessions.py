"""Sessions that go from one request to the next: as good as new ones, or not kept at all."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import create_engine, insert, select, text, update

from portal import clock, prepared
from portal.database import write, write_soon
from portal.extensions import db
from portal.models import Answer, Institution
from portal.models import Session as SignedIn
from portal.prepared import Prepared
from tests import factories

pytestmark = pytest.mark.engines
JSON = {"Accept": "application/json"}
NAMES = Prepared(select(Institution.code, Institution.names).order_by(Institution.code))
ADD = Prepared(insert(Institution.__table__))
SLOW_MACHINE = 600.0


@pytest.fixture
def kept(app, monkeypatch):
    """The sessions that the application keeps."""
    monkeypatch.setattr(prepared, "TRUSTED_FOR", SLOW_MACHINE)
    made = db.keep_sessions(app.config)
    yield made
    made.close()


@pytest.fixture
def ministry(session):
    found = factories.institution(session, "MOJ")
    session.commit()
    return found


@pytest.fixture
def path(session, ministry):
    version, round_ = factories.questionnaire_version(session), factories.reporting_round(session)
    asked = factories.assignment(session, to=ministry, in_round=round_, version=version)
    return f"/replies/{factories.submission(session, asked).public_id}/pages/page1"


def in_use(app):
    """Return the session of a request that only looks, and the number of its connection with the database."""
    with app.app_context():
        NAMES.all(db.session, {})
        return db.session, number_of(db.session)


def number_of(session):
    return id(session.connection().connection.driver_connection)


def codes():
    return [row.code for row in NAMES.all(db.session, {})]


def like(session, code):
    """Return what is to be written of an institution like the first."""
    row = dict(session.execute(select(Institution.__table__).limit(1)).mappings().one())
    del row["id"]
    return row | {"public_id": f"public-{code}", "code": code}


def is_undisturbed(app):
    """Tell whether another program may write everywhere at once: nobody holds a lock, or an old state of things."""
    with app.app_context():
        url = db.engine.url
    other = create_engine(url, connect_args={"timeout": 0.2} if url.drivername.startswith("sqlite") else {})
    try:
        with other.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("UPDATE institution SET code = code"))
                return True
            busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            return connection.execute(text(busy)).scalar() == 0
    finally:
        other.dispose()


def test_whoever_comes_next_goes_on_with_it(app, kept, ministry):
    assert in_use(app) == in_use(app)


def test_an_application_that_keeps_none_gives_each_a_new_one(app, ministry):
    assert in_use(app)[0] is not in_use(app)[0]


def test_what_others_wrote_meanwhile_is_seen(app, kept, session, ministry):
    with app.app_context():
        assert codes() == ["MOJ"]
    factories.institution(session, "MOH")
    session.commit()
    with app.app_context():
        assert codes() == ["MOH", "MOJ"]


@pytest.mark.parametrize("writes", [False, True])
def test_it_waits_with_nothing_begun(app, kept, ministry, writes):
    with app.app_context():
        codes()
        if writes:
            with write() as session:
                ADD.write(session.connection(), [like(session, "MOE")])
        here = db.session
    assert is_undisturbed(app)
    with app.app_context():
        assert db.session is here
        assert codes() == (["MOE", "MOJ"] if writes else ["MOJ"])


def test_what_was_told_and_never_done_is_gone(app, kept, ministry):
    """A row that waits to be sent when its request ends is nobody's, least of all of the next request."""
    for begun in (False, True):
        with app.app_context():
            row = like(db.session, "MOE")
            if begun and write_soon(db.session):
                NAMES.soon(db.session, {})
            ADD.write(db.session.connection(), [row])
        assert is_undisturbed(app)
        with app.app_context():
            assert codes() == ["MOJ"]
            with write():
                pass
            assert codes() == ["MOJ"]


def test_one_with_objects_is_not_kept(app, kept, ministry):
    """What was loaded would be shown to the next as it stood then."""
    with app.app_context():
        codes()
        loaded = db.session.scalars(select(Institution)).one()
        here = db.session
        assert loaded.active
    with app.app_context():
        assert db.session is not here
        with write() as session:
            session.execute(update(Institution).values(active=False))
    with app.app_context():
        assert not db.session.scalars(select(Institution)).one().active


@pytest.mark.engines("postgresql")
def test_it_begins_as_the_next_request_wants_it(app, kept, client_for, session, ministry, path):
    """Statements of a page of answers stand by themselves on a server; what comes after it may want a transaction."""
    person = factories.person(session, ministry)
    session.commit()
    client = client_for(person)
    for _ in range(2):
        client.get(path, expect=200)
        with app.app_context():
            codes()
            assert not db.session.connection().connection.driver_connection.autocommit
        with app.test_request_context(path):
            codes()
            assert db.session.connection().connection.driver_connection.autocommit


def test_one_with_a_word_of_its_request_is_not_kept(app, kept, ministry):
    with app.app_context():
        codes()
        here = db.session
        here.info["of this request"] = True
    with app.app_context():
        assert db.session is not here
        assert "of this request" not in db.session.info


def test_one_whose_request_failed_is_not_kept(app, kept, ministry):
    used = []

    def fails():
        with app.app_context():
            used.append(db.session)
            codes()
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    with app.app_context():
        assert db.session is not used[0]


def test_one_that_lay_for_long_is_looked_at_first(app, kept, ministry, monkeypatch):
    here, _ = in_use(app)
    monkeypatch.setattr(prepared, "TRUSTED_FOR", 0.0)
    with app.app_context():
        assert db.session is not here
        assert codes() == ["MOJ"]


def test_where_a_connection_was_lost_none_is_trusted(app, kept, ministry, monkeypatch):
    here, _ = in_use(app)
    monkeypatch.setattr(prepared, "_lost", [time.monotonic() + SLOW_MACHINE])
    assert in_use(app)[0] is not here


@pytest.mark.engines("postgresql")
def test_one_whose_connection_ended_is_replaced(app, kept, client_for, session, ministry, path):
    person = factories.person(session, ministry)
    session.commit()
    client = client_for(person)
    client.get(path, expect=200)
    with app.app_context():
        address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    for _ in range(2):
        session.commit()
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        session.invalidate()
        client.get(path, expect=200)
        client.get(path, expect=200)


def test_saves_and_pages_of_several_people_go_through_one(app, kept, client_for, session, ministry, path):
    """A save, a conflict, a stranger and an ended session, one after the other on the same connection."""
    writer, colleague = (factories.person(session, ministry) for _ in range(2))
    stranger = factories.person(session, factories.institution(session, "MOH"))
    session.commit()
    client, beside, outside = (client_for(one) for one in (writer, colleague, stranger))
    client.get(path, expect=200)
    client.post(path, {"measures@en": "first", "base:measures@en": "0"}, headers=JSON, expect=200)
    beside.post(path, {"measures@en": "other", "base:measures@en": "0"}, headers=JSON, expect=409)
    outside.post(path, {"measures@en": "never", "base:measures@en": "1"}, headers=JSON, expect=404)
    assert is_undisturbed(app)
    beside.post(path, {"measures@en": "second", "base:measures@en": "1"}, headers=JSON, expect=200)
    assert "second" in client.get(path, expect=200).text
    session.execute(update(SignedIn).values(revoked_at=clock.now() - timedelta(days=1)))
    session.commit()
    assert client.post(path, {"measures@en": "late", "base:measures@en": "2"}, headers=JSON).status_code in {400, 401}
    assert is_undisturbed(app)
    session.expire_all()
    assert [(one.value, one.revision) for one in session.scalars(select(Answer))] == [("second", 2)]
