"""The audit chain: whole as written, and every tampering shows with its place."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import delete, select, text, update

from portal.database import write
from portal.models import AuditEvent
from portal.services import audit
from tests import factories

pytestmark = pytest.mark.engines


@pytest.fixture
def chain(app, session):
    who = factories.principal(session, factories.staff(session))
    session.commit()
    with app.app_context():
        for number in range(30):
            with write() as database:
                audit.record(database, "test", by=who, kind="thing", thing=str(number), note=f"ចំណាំ {number}")
    session.rollback()
    return session


def test_a_chain_as_written_is_whole(chain):
    assert audit.verify(chain) == []


def test_a_row_changed_in_the_database_is_named(chain):
    rng = random.Random(7)
    for _ in range(20):
        number = rng.randint(1, 30)
        field, value = rng.choice([("action", "other"), ("object_id", "x"), ("details", {"note": "changed"}), ("actor_id", None)])
        chain.execute(update(AuditEvent).where(AuditEvent.number == number).values({field: value}))
        assert any(f"audit event {number}" in fault for fault in audit.verify(chain))
        chain.rollback()


def test_a_deleted_or_inserted_row_is_named(chain):
    chain.execute(delete(AuditEvent).where(AuditEvent.number == 12))
    assert any("12 is missing" in fault for fault in audit.verify(chain))
    chain.rollback()
    last = chain.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
    chain.add(AuditEvent(number=31, at=last.at, action="forged", previous=last.hash, hash="0" * 64, details={}))
    chain.flush()
    assert any("31 was changed" in fault for fault in audit.verify(chain))


def test_two_rows_that_change_places_are_noticed(chain):
    chain.execute(text("UPDATE audit_event SET number = 1000 WHERE number = 5"))
    chain.execute(text("UPDATE audit_event SET number = 5 WHERE number = 6"))
    chain.execute(text("UPDATE audit_event SET number = 6 WHERE number = 1000"))
    chain.expire_all()
    assert audit.verify(chain)
