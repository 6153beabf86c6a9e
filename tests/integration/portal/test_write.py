"""write(): one writer at a time, all or nothing, no update lost between threads."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from portal.database import deferred, write
from portal.extensions import db
from portal.models import Institution
from tests import factories

pytestmark = pytest.mark.engines


def test_an_error_undoes_the_whole_block(app, session):
    session.commit()

    class Stop(Exception):
        pass

    with app.app_context():
        with pytest.raises(Stop), write() as database:  # noqa: PT012 - the error must come after the change
            factories.institution(database, "GONE")
            raise Stop
        assert db.session.scalar(select(Institution).where(Institution.code == "GONE")) is None


@pytest.mark.parametrize("reads_first", [False, True])
def test_an_error_undoes_the_whole_block_of_a_request(app, session, reads_first):
    """What an answering page reads is no transaction on a server; what it writes is."""
    session.commit()
    with app.test_request_context("/replies/0/pages/page1"):
        if reads_first:
            assert db.session.scalar(select(Institution).where(Institution.code == "GONE")) is None
        with pytest.raises(LookupError), write() as database:  # noqa: PT012 - the error must come after the change
            factories.institution(database, "GONE")
            raise LookupError
        assert db.session.scalar(select(Institution).where(Institution.code == "GONE")) is None
        with write() as database:
            factories.institution(database, "STAYS")
    assert there(app, "STAYS")


def test_objects_changed_outside_are_refused(app, session):
    kept = factories.institution(session, "KEPT")
    session.commit()
    with app.app_context():
        db.session.get_one(Institution, kept.id).kind = "other"
        with pytest.raises(RuntimeError, match="outside"), write():
            pass


def test_an_object_changed_inside_is_kept(app, session):
    kept = factories.institution(session, "KEPT")
    session.commit()
    with app.app_context(), write() as database:
        database.get_one(Institution, kept.id).kind = "other"
    session.refresh(kept)
    assert kept.kind == "other"


def test_an_inner_write_joins_the_outer_one(app, session):
    session.commit()
    with app.app_context():
        with write() as outer, write() as inner:
            assert inner is outer
            factories.institution(inner, "ONE")
        assert db.session.scalar(select(Institution.code).where(Institution.code == "ONE")) == "ONE"


def test_concurrent_writers_queue_and_lose_nothing(app, session):
    one = factories.institution(session, "COUNT", rank=0)
    session.commit()
    errors: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(10):
                with app.app_context(), write() as database:
                    rank = database.scalar(select(Institution.rank).where(Institution.id == one.id).with_for_update())
                    database.execute(update(Institution).where(Institution.id == one.id).values(rank=rank + 1))
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    session.rollback()
    assert session.scalar(select(Institution.rank).where(Institution.id == one.id)) == 80


def there(app, code):
    with app.app_context():
        return db.session.scalar(select(Institution.code).where(Institution.code == code)) is not None


def test_deferred_writes_are_committed_together_when_settled(app, session):
    session.commit()
    begun = []
    with app.app_context():
        with deferred(begun.append) as work:
            for code in ("FIRST", "SECOND"):
                with write() as database:
                    factories.institution(database, code)
            assert work.begun
            work.settle(lambda database: factories.institution(database, "LAST"))
            assert not work.begun
            with write() as database:
                factories.institution(database, "AFTER")
        assert len(begun) == 1
        db.session.rollback()
    assert all(there(app, code) for code in ("FIRST", "SECOND", "LAST", "AFTER"))


def test_a_deferred_write_that_fails_is_undone_alone(app, session):
    session.commit()
    with app.app_context(), deferred(lambda _session: None) as work:
        with write() as database:
            factories.institution(database, "FIRST")
        with pytest.raises(LookupError), write() as database:  # noqa: PT012 - the error must come after the change
            factories.institution(database, "SECOND")
            raise LookupError
        work.settle(lambda _session: None)
    assert there(app, "FIRST")
    assert not there(app, "SECOND")


def test_what_is_never_settled_is_undone_and_lets_others_write(app, session):
    session.commit()
    with app.app_context():
        with deferred(lambda _session: None), write() as database:
            factories.institution(database, "GONE")
        with write() as database:
            factories.institution(database, "NEXT")
    assert not there(app, "GONE")
    assert there(app, "NEXT")


def test_a_first_thing_that_fails_leaves_nothing_open(app, session):
    session.commit()

    def refuse(_session):
        raise LookupError

    with app.app_context():
        with deferred(refuse) as work:
            with pytest.raises(LookupError), write():
                pass
            assert not work.begun
        with write() as database:
            factories.institution(database, "NEXT")
    assert there(app, "NEXT")
