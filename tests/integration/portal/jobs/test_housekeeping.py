"""Housekeeping removes what has served its time, nothing else, and does no harm when two workers do it."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal import clock
from portal.jobs import housekeeping, worker
from portal.models import (
    AuditEvent,
    Evidence,
    EvidenceKind,
    HeldPost,
    IdempotencyKey,
    ImportDraft,
    Job,
    LoginAttempt,
    Session,
    SubmissionEvent,
)
from portal.services import audit
from tests import factories

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def aged(path, age: timedelta):
    """Make a file that was last written ``age`` ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")
    at = (clock.now() - age).timestamp()
    os.utime(path, (at, at))
    return path


def count(session, model) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def settings_of(app):
    return app.config["SETTINGS"]


def keep_house(app, session) -> dict[str, int]:
    session.commit()
    with app.app_context():
        return housekeeping.keep_house(app)


@pytest.mark.engines
def test_rows_go_when_their_time_is_over(app, session):
    person = factories.staff(session)
    actor = factories.principal(session, person).actor_id
    now = clock.now()

    def ended(age: timedelta, **more) -> Session:
        given = {
            "token_hash": f"{age.days} {len(more)}",
            "user_id": person.id,
            "csrf_secret": "x",
            "last_seen": now - age,
        }
        return Session(**given | {"expires_at": now - age} | more)

    kept = [
        HeldPost(user_id=person.id, path="/", fields=[], expires_at=now + HOUR),
        IdempotencyKey(user_id=person.id, key="new", body_hash="x", status=200, created_at=now - 6 * DAY),
        LoginAttempt(account="a", at=now - 29 * DAY, succeeded=False),
        ImportDraft(kind="people", filename="x", sha256="1" * 64, created_by=actor, created_at=now - 6 * DAY),
        ended(29 * DAY),
    ]
    gone = [
        HeldPost(user_id=person.id, path="/", fields=[], expires_at=now - HOUR),
        IdempotencyKey(user_id=person.id, key="old", body_hash="x", status=200, created_at=now - 8 * DAY),
        LoginAttempt(account="a", at=now - 31 * DAY, succeeded=False),
        ImportDraft(kind="people", filename="x", sha256="2" * 64, created_by=actor, created_at=now - 8 * DAY),
        ended(31 * DAY),
        ended(31 * DAY, expires_at=now + DAY, revoked_at=now - 31 * DAY),
    ]
    session.add_all([*kept, *gone])
    counts = keep_house(app, session)
    assert {name: counts[name] for name in counts if counts[name]} == {
        "held_post": 1, "idempotency_key": 1, "login_attempt": 1, "import_draft": 1, "session": 2,
    }  # fmt: skip
    assert [count(session, model) for model in (HeldPost, IdempotencyKey, LoginAttempt, ImportDraft, Session)] == [
        1
    ] * 5
    assert not any(keep_house(app, session).values())


def test_replies_events_and_audit_are_left_alone(app, session):
    factories.submission(session)
    with app.test_request_context():
        audit.record(session, "sign_in", by=None)
    before = [count(session, model) for model in (AuditEvent, SubmissionEvent)]
    with clock.at(clock.now() + 4000 * DAY):
        keep_house(app, session)
    assert [count(session, model) for model in (AuditEvent, SubmissionEvent)] == before


def test_evidence_without_a_row_goes_after_a_day(app, session, settings_of):
    asked = factories.assignment(session)
    reply = factories.submission(session, asked)
    actor = factories.system_actor(session).id
    folder = settings_of.evidence_dir
    named, removed, orphan, fresh = (
        aged(folder / (letter * 2) / (letter * 64), age)
        for letter, age in (("a", 30 * DAY), ("b", 30 * DAY), ("c", 25 * HOUR), ("d", 23 * HOUR))
    )
    stranger = aged(folder / "ee" / "README", 30 * DAY)
    for number, path in enumerate((named, removed), 1):
        session.add(
            Evidence(
                submission_id=reply.id, round_id=asked.round_id, number=number, kind=EvidenceKind.FILE, filename="x.pdf",
                sha256=path.name, added_by=actor, added_at=clock.now(),
                removed_at=clock.now() if path is removed else None,
            )
        )  # fmt: skip
        session.flush()
    assert keep_house(app, session)["evidence files"] == 1
    assert [path.exists() for path in (named, removed, orphan, fresh, stranger)] == [True, True, False, True, True]


def test_a_row_that_comes_meanwhile_saves_its_file(app, session, settings_of, monkeypatch):
    """The folder is looked through without the lock; what counts is looked up again inside it."""
    path = aged(settings_of.evidence_dir / "aa" / ("a" * 64), 30 * DAY)
    seen = housekeeping.housekeeping.orphans
    calls = []

    def later(database, files):
        calls.append(list(files))
        return seen(database, files) if len(calls) == 1 else []

    monkeypatch.setattr(housekeeping.housekeeping, "orphans", later)
    assert keep_house(app, session)["evidence files"] == 0
    assert len(calls) == 2
    assert path.exists()


def test_imports_go_with_their_dry_run(app, session, settings_of):
    actor = factories.principal(session, factories.staff(session)).actor_id
    folder = settings_of.data_dir / "imports"
    needed, old, fresh = (
        aged(folder / (letter * 64), age) for letter, age in (("1", 9 * DAY), ("2", 9 * DAY), ("3", DAY))
    )
    broken = aged(folder / ".0123abcd", 9 * DAY)
    session.add(ImportDraft(kind="people", filename="x", sha256="1" * 64, created_by=actor))
    assert keep_house(app, session)["import files"] == 2
    assert [path.exists() for path in (needed, old, fresh, broken)] == [True, False, True, False]


def test_broken_uploads_go_after_a_day(app, session, settings_of):
    old = aged(settings_of.tmp_dir / "upload-1", 25 * HOUR)
    fresh = aged(settings_of.tmp_dir / "upload-2", HOUR)
    assert keep_house(app, session)["uploads"] == 1
    assert (old.exists(), fresh.exists()) == (False, True)
    with clock.at(clock.now() + DAY):
        keep_house(app, session)
    assert not fresh.exists()


@pytest.mark.engines
def test_two_workers_queue_it_once_a_day(app, session):
    session.commit()
    days = [housekeeping.queue_daily(app) for _worker in range(2)]
    assert days[0] == days[1]
    assert count(session, Job) == 1
    with clock.at(clock.now() + DAY):
        assert housekeeping.queue_daily(app, days[0]) != days[0]
        assert count(session, Job) == 2
        worker.work_all(app)
    session.rollback()
    assert set(session.scalars(select(Job.status))) == {"done"}
