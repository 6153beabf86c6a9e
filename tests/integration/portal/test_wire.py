"""The direct way to PostgreSQL: what waits goes in order, is never lost and never doubled, and journeys are few."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Integer, bindparam, column, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from portal import clock
from portal.database import begun_ahead, deferred, write, write_soon
from portal.extensions import db
from portal.models import ApiToken, Institution
from portal.prepared import Prepared, meanwhile
from portal.services.sessions import token_digest
from tests import factories
from tests.integration.portal.test_prepared import rows_like

pytestmark = pytest.mark.engines("postgresql")

BY_CODE = Prepared(select(Institution.id, Institution.names).where(Institution.code == bindparam("code")))
COUNTED = Prepared(select(func.count().label("many")).select_from(Institution))
JSON = {"Accept": "application/json"}
ADD = Prepared(insert(Institution.__table__))
DROP = Prepared(delete(Institution.__table__).where(Institution.code == bindparam("code_")))


@pytest.fixture
def row(app, session):
    factories.institution(session, "MOJ")
    session.commit()
    with app.app_context():
        yield dict(db.session.execute(select(Institution.__table__)).mappings().one())


@pytest.fixture
def journeys(monkeypatch):
    """How many statements each journey to the server took along."""
    from portal.wire import Wire

    made, travel = [], Wire._travel

    def counted(self, statements, **how):
        made.append(len(statements))
        return travel(self, statements, **how)

    monkeypatch.setattr(Wire, "_travel", counted)
    return made


def many():
    return COUNTED.one(db.session, {}).many


def test_what_is_told_goes_before_what_is_asked_next_in_one_journey(row, journeys):
    one, two = rows_like(row, "AAAA", "BBBB")
    with write() as session:
        ADD.write(session.connection(), [one])
        ADD.write(session.connection(), [two])
        assert journeys == []
        assert many() == 3
        assert journeys == [3]
        assert DROP.change(session, {"code_": "AAAA"}) == 1
        ADD.write(session.connection(), [one])
    assert journeys == [3, 1, 1]
    assert many() == 3


def test_what_is_told_goes_before_what_sqlalchemy_says(row):
    [one] = rows_like(row, "AAAA")
    with write() as session:
        ADD.write(session.connection(), [one])
        assert session.scalar(select(func.count()).select_from(Institution)) == 2
        DROP.write(session.connection(), [{"code_": "AAAA"}])
        session.execute(text("UPDATE institution SET names = '{}'"))
        ADD.write(session.connection(), [one])
        with session.begin_nested():
            session.execute(text("UPDATE institution SET code = 'ZZZZ' WHERE code = 'AAAA'"))
    assert db.session.scalars(select(Institution.code).order_by(Institution.code)).all() == ["MOJ", "ZZZZ"]


def test_what_is_undone_takes_what_waits_along(row):
    [one] = rows_like(row, "AAAA")
    with pytest.raises(ZeroDivisionError), write() as session:  # noqa: PT012 - it fails after it was told
        ADD.write(session.connection(), [one])
        raise ZeroDivisionError
    assert many() == 1
    with write() as session:
        DROP.write(session.connection(), [{"code_": "none"}])
    assert many() == 1


def test_what_is_undone_to_a_savepoint_is_never_said(row):
    one, again = rows_like(row, "AAAA", "MOJ")
    with write() as session:
        ADD.write(session.connection(), [one])
        with pytest.raises(ZeroDivisionError), session.begin_nested():  # noqa: PT012 - it fails after it was told
            ADD.write(session.connection(), [again])
            raise ZeroDivisionError
        assert many() == 2
    assert many() == 2


def test_what_fails_in_one_of_several_blocks_is_undone_alone(row):
    """As the acts of one post are: each a block of its own, one COMMIT for all."""
    one, again, two = rows_like(row, "AAAA", "MOJ", "BBBB")
    with deferred(lambda _session: None) as together:
        with write() as session:
            ADD.write(session.connection(), [one])
        with pytest.raises(IntegrityError), write() as session:
            ADD.write(session.connection(), [again])
        with write() as session:
            ADD.write(session.connection(), [two])
        together.settle(lambda _session: None)
    assert db.session.scalars(select(Institution.code).order_by(Institution.code)).all() == ["AAAA", "BBBB", "MOJ"]


def test_the_statement_that_fails_says_so_and_the_connection_goes_on(row):
    one, again = rows_like(row, "AAAA", "MOJ")
    with pytest.raises(IntegrityError, match="code"), write() as session:  # noqa: PT012 - told with what is asked
        ADD.write(session.connection(), [again])
        ADD.write(session.connection(), [one])
        many()
    assert many() == 1
    with write() as session:
        ADD.write(session.connection(), [one])
    assert many() == 2


def test_what_is_said_outside_a_transaction_does_not_wait(app, row):
    [one] = rows_like(row, "AAAA")
    db.session.rollback()
    with app.test_request_context("/replies/x/"):
        many()
        ADD.write(db.session.connection(), [one])  # nothing in the portal does
        db.session.rollback()
        assert many() == 2


def test_a_question_that_was_told_of_comes_along_and_is_the_same(row, journeys):
    BY_CODE.soon(db.session, {"code": "MOJ"})
    assert many() == 1
    found = BY_CODE.one(db.session, {"code": "MOJ"})
    assert journeys == [2]
    assert (found.id, found.names) == (row["id"], row["names"])
    assert BY_CODE.one(db.session, {"code": "MOJ"}) == found  # a second time it is asked
    assert journeys == [2, 1]


def test_an_answer_that_is_kept_is_forgotten_when_anything_is_written_or_ends(row, journeys):
    [one] = rows_like(row, "AAAA")

    def expected():
        COUNTED.soon(db.session, {})
        BY_CODE.first(db.session, {"code": "MOJ"})

    with write() as session:
        expected()
        ADD.write(session.connection(), [one])
        assert many() == 2
        expected()
        session.execute(text("DELETE FROM institution WHERE code = 'AAAA'"))
        assert many() == 1
        expected()
        assert DROP.change(session, {"code_": "none"}) == 0
        journeys.clear()
        assert many() == 1
        assert journeys == [1]
        expected()
    journeys.clear()
    assert many() == 1
    assert journeys == [1]


def test_a_page_is_one_journey_and_a_save_two(client_for, session, journeys, monkeypatch):
    for again in ("portal.wording.EVERY", "portal.blueprints.page.COUNTRY_KEPT", "portal.prepared.TRUSTED_FOR"):
        monkeypatch.setattr(again, 600)  # seconds after which something is looked at that belongs to no page
    institution = factories.institution(session, "MOJ")
    person = factories.person(session, institution)
    version = factories.questionnaire_version(session)
    asked = factories.assignment(session, to=institution, in_round=factories.reporting_round(session), version=version)
    path = f"/replies/{factories.submission(session, asked).public_id}/pages/page1"
    session.commit()
    client = client_for(person)
    for base in range(2):
        client.post(path, {"measures@en": f"text {base}", "base:measures@en": str(base)}, headers=JSON, expect=200)
    client.get(path, expect=200)
    journeys.clear()
    client.get(path, expect=200)
    assert journeys == [6]  # session and reply; answers, recommendation, who is at work on it, why it came back
    journeys.clear()
    client.post(path, {"measures@en": "again", "base:measures@en": "2"}, headers=JSON, expect=200)
    assert journeys == [3, 1]  # session, reply with its lock, answers; answer, revision and counts in one, with COMMIT
    journeys.clear()
    client.get(path.removesuffix("pages/page1"), expect=200)
    assert journeys == [6]  # the page that opens is no other
    journeys.clear()
    slow = {"Expect": "100-continue"}  # its body comes when it is asked for: no lock waits for that
    client.post(path, {"measures@en": "slow", "base:measures@en": "3"}, headers=JSON | slow, expect=200)
    assert journeys == [2, 2, 1]
    monkeypatch.setattr("portal.queries.met._met", {})
    journeys.clear()
    client.post(path, {"measures@en": "more", "base:measures@en": "4"}, headers=JSON, expect=200)
    assert journeys == [2, 2, 1]  # of a reply that was not met here before, the lock and the answers come after
    monkeypatch.setattr("portal.queries.met._met", {})
    journeys.clear()
    client.get(path, expect=200)
    assert journeys == [2, 4]
    client.get("/replies/%00%ff/pages/page1", expect=404)
    client.get(f"/replies/{'x' * 65}/pages/page1", expect=404)


def test_a_save_by_the_api_is_four_journeys(app, session, journeys, monkeypatch):
    for again in ("portal.wording.EVERY", "portal.blueprints.page.COUNTRY_KEPT", "portal.prepared.TRUSTED_FOR"):
        monkeypatch.setattr(again, 600)
    institution = factories.institution(session, "MOJ")
    person, version = factories.person(session, institution), factories.questionnaire_version(session)
    round_ = factories.reporting_round(session)
    reply = factories.submission(session, factories.assignment(session, to=institution, in_round=round_, version=version))
    path, token = f"/api/v1/submissions/{reply.public_id}/answers", f"tamdan_one_{'x' * 30}"
    session.add(ApiToken(user_id=person.id, name="one", token_hash=token_digest(token), last_used_at=clock.now()))
    session.commit()
    client = app.test_client(use_cookies=False)
    for base in range(3):
        journeys.clear()
        told = client.post(
            path,
            json={"answers": [{"name": "measures@en", "value": f"text {base}", "base": base}]},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": f"key-{base}"},
        )
        assert (told.status_code, told.json["status"]) == (200, "in_progress")
    # token and reply; the key; the lock and the answers; what is written and what was answered, with COMMIT
    assert journeys == [2, 2, 2, 2]


def test_what_fails_with_the_commit_is_told_as_sqlalchemy_tells_it(row):
    with pytest.raises(IntegrityError), write() as session:
        ADD.write(session.connection(), [row | {"public_id": "another"}])
    assert many() == 1


def test_what_is_done_meanwhile_is_done_once_and_changes_nothing_of_the_journey(row):
    done = []

    def fails():
        done.append("failed")
        raise ArithmeticError

    added = iter(rows_like(row, "MOE", "MOH", "MOI", "MOT"))
    for work in (lambda: done.append("made"), fails):
        with write() as session:
            ADD.write(session.connection(), [next(added)])
            meanwhile(session, work)
            before = len(done)
            assert many() == 2 * before + 2
            assert len(done) == before + 1  # while that was asked
            ADD.write(session.connection(), [next(added)])
    assert (done, many()) == (["made", "failed"], 5)


def test_what_is_done_meanwhile_asks_nothing(row):
    """An answer would come to a question that is not its own."""
    told = []

    def asks():
        for ask in (many, lambda: db.session.execute(text("SELECT 1")).all()):
            with pytest.raises(RuntimeError, match="journey") as caught:
                ask()
            told.append(str(caught.value))

    with write() as session:
        ADD.write(session.connection(), rows_like(row, "MOE"))
        meanwhile(session, asks)
    assert (len(told), many()) == (2, 2)


def test_an_answer_that_was_made_before_its_commit_failed_is_not_given(row):
    made = []
    with pytest.raises(IntegrityError), write() as session:  # noqa: PT012 - the error comes with the commit
        ADD.write(session.connection(), [row | {"public_id": "another"}])
        meanwhile(session, lambda: made.append("saved"))
    assert (made, many()) == (["saved"], 1)


def test_what_was_to_be_done_meanwhile_goes_with_what_is_undone(row):
    made = []
    for _ in range(2):
        meanwhile(db.session, lambda: made.append("made"))
        db.session.rollback()
        assert many() == 1
    with write() as session:
        ADD.write(session.connection(), rows_like(row, "MOE"))
    assert (made, many()) == ([], 2)


def test_a_transaction_that_was_begun_ahead_and_undone_is_begun_again(app, row):
    one, two = rows_like(row, "AAAA", "BBBB")
    with app.test_request_context("/replies/x/pages/y"):
        for ahead in (True, False):
            assert write_soon(db.session)
            if ahead:
                BY_CODE.soon(db.session, {"code": "MOJ"})
                assert many() == 1
            db.session.rollback()
            with pytest.raises(IntegrityError), write() as session:  # noqa: PT012 - the error must come after the change
                ADD.write(session.connection(), [one])
                assert many() == 2
                ADD.write(session.connection(), [two])
                ADD.write(session.connection(), [row | {"public_id": "another"}])
            assert many() == 1


def test_what_was_begun_ahead_is_over_where_another_transaction_begins(app, row):
    with app.test_request_context("/replies/x/pages/y"), deferred(lambda _session: None) as waiting:
        assert write_soon(db.session)
        assert begun_ahead(db.session)
        with write() as session:
            assert not begun_ahead(session)
        waiting.settle(lambda _session: None)
        assert not begun_ahead(db.session)


def test_more_than_a_socket_holds_goes_both_ways(row):
    """What waits is sent while answers are read: neither side waits for the other for ever."""
    large = [one | {"names": {"en": "x" * 20_000}} for one in rows_like(row, *(f"C{n:05}" for n in range(2_500)))]
    with write() as session:
        ADD.write(session.connection(), large)
        for one in large[:300]:
            BY_CODE.soon(session, {"code": one["code"]})
        assert many() == 2_501
        assert len(BY_CODE.one(session, {"code": "C00299"}).names["en"]) == 20_000


def test_a_connection_that_ended_is_replaced_at_the_next_question(row, monkeypatch):
    monkeypatch.setattr("portal.prepared.TRUSTED_FOR", 600)  # a busy machine takes its time

    def end():
        pid = db.session.connection().connection.driver_connection.info.backend_pid
        db.session.rollback()
        address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])

    for write_first in (False, True):
        for _ in range(2):  # one that was in use a moment ago is not looked at
            many()
            db.session.rollback()
        end()
        with pytest.raises(OperationalError), write() as session:  # noqa: PT012 - told or asked
            if write_first:
                DROP.write(session.connection(), [{"code_": "MOJ"}])
            else:
                many()
        db.session.rollback()
        assert many() == 1


def test_a_statement_whose_columns_changed_is_prepared_anew(row):
    whole = Prepared(text("SELECT n FROM one_more").columns(column("n", Integer)))
    with write() as session:
        session.execute(text("CREATE TABLE one_more (n INTEGER)"))
    try:
        assert whole.all(db.session, {}) == []
        db.session.rollback()
        with write() as session:
            session.execute(text("ALTER TABLE one_more ALTER n TYPE BIGINT"))
        with pytest.raises(DBAPIError, match="cached plan"):
            whole.all(db.session, {})
        db.session.rollback()
        assert whole.all(db.session, {}) == []
    finally:
        db.session.rollback()
        with write() as session:
            session.execute(text("DROP TABLE one_more"))
