"""write(): one writer at a time, all or nothing, no update lost between threads."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from portal.database import write
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


def test_objects_changed_outside_are_refused(app, session):
    kept = factories.institution(session, "KEPT")
    session.commit()
    with app.app_context():
        db.session.get_one(Institution, kept.id).kind = "other"
        with pytest.raises(RuntimeError, match="outside"), write():
            pass


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
