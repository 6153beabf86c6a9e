"""Dump, verify, back up, restore: the same data on either engine, and nothing damaged is taken."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

from portal import cli, migrations
from portal.app import create_app
from portal.cli.context import Context
from portal.database import write
from portal.errors import PortalError
from portal.extensions import db
from portal.models import (
    Answer,
    AnswerRevision,
    AnswerState,
    Evidence,
    EvidenceKind,
    Invitation,
    InvitationPurpose,
    OutgoingMail,
    Recommendation,
    StaffRole,
    Status,
)
from portal.services import audit
from tests import engines, factories
from tests.client import Client
from tests.conftest import make_settings

FILE = b"%PDF-1.4 what supports the answer"
SHA = hashlib.sha256(FILE).hexdigest()
CANARY = "canary-" + "x" * 20


class _Context(Context):
    """Commands of a test run on the test's application."""

    def __init__(self, app):
        super().__init__(create_app)
        self._app = app
        self._settings = app.config["SETTINGS"]


def run(app, *arguments):
    """Run one command as the command line would; returns (exit code, standard output, standard error)."""
    with app.app_context():
        db.session.rollback()
    result = CliRunner().invoke(cli.portal, list(arguments), obj=_Context(app))
    if isinstance(result.exception, PortalError):  # as portal.cli.main says it
        with app.app_context():
            return 1, result.stdout, f"portal: {result.exception}"
    if isinstance(result.exception, click.ClickException):
        return result.exception.exit_code, result.stdout, result.exception.message
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def scene(app, session):
    """A small country: institutions under each other, a reply with answers, evidence, an invitation, an audit chain."""
    parent = factories.institution(session, "zzz")
    below = factories.institution(session, "aaa", parent_id=parent.id)
    person = factories.person(session, below, login="focal")
    staff = factories.staff(session, StaffRole.COORDINATOR, login="coordinator")
    one = factories.recommendation(session)
    two = factories.recommendation(session)
    session.get(Recommendation, one.id).pair_id = two.id
    reply = factories.submission(session, factories.assignment(session, below, about=[one, two]))
    actor = factories.principal(session, person).actor_id
    version = session.execute(text("SELECT version_id FROM assignment")).scalar()
    questions = dict(session.execute(text("SELECT code, id FROM question")).all())
    values = {"state": "done", "measures": "ចាត់វិធានការ “=1+1” \u200b", "beds": 12}
    for code, value in values.items():
        lang = "km" if code == "measures" else ""
        common = {"submission_id": reply.id, "question_id": questions[code], "lang": lang, "value": value, "revision": 1}
        common |= {"state": AnswerState.ANSWERED, "asked_in": version}
        at = factories.clock.now()
        session.add(Answer(row="", answered_by=actor, answered_at=at, **common))
        session.add(AnswerRevision(row="", saved_by=actor, saved_at=at, **common))
    for number, value in enumerate([1e22, -0.0, 0.1, 1e-7, 1234567890123456789, {"b": [None, True], "a": "é"}]):
        session.add(
            Answer(
                submission_id=reply.id, question_id=questions["beds"], row=f"r{number}", lang="", value=value,
                revision=1, state=AnswerState.ANSWERED, asked_in=version, answered_by=actor,
                answered_at=factories.clock.now(),
            )
        )  # fmt: skip
    session.add(
        Evidence(
            submission_id=reply.id, question_id=questions["beds"], round_id=reply.assignment_id and 1, number=1,
            kind=EvidenceKind.FILE, filename="proof.pdf", media_type="application/pdf", size=len(FILE), sha256=SHA,
            added_by=actor, added_at=factories.clock.now(),
        )
    )  # fmt: skip
    session.flush()
    session.execute(text("UPDATE evidence SET round_id = (SELECT round_id FROM assignment)"))
    session.add(
        Invitation(
            user_id=staff.id, purpose=InvitationPurpose.RESET, token_hash="a" * 64, code_hash="b" * 64,
            expires_at=factories.clock.now(),
        )
    )  # fmt: skip
    session.add(OutgoingMail(kind="invitation", user_id=person.id, address="a@b.org", subject="x", body=CANARY))
    by = factories.principal(session, staff)
    for number in range(5):
        audit.record(session, "test", by=by, kind="thing", thing=str(number), note=f"ចំណាំ {number}")
    session.commit()
    folder = app.config["SETTINGS"].evidence_dir / SHA[:2]
    folder.mkdir(parents=True)
    (folder / SHA).write_bytes(FILE)
    return reply


@pytest.fixture
def other_app(request, tmp_path, sqlite_template):
    """An empty installation of the engine asked for."""
    made = []

    def make(name):
        file = f"sqlite:///{tmp_path / 'other.db'}"
        url = file if name == "sqlite" else request.getfixturevalue("postgres").clone()
        made.append(create_app(make_settings(url, tmp_path / f"other-{name}", secret_key="")))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


def test_a_dump_is_sorted_and_keeps_secrets(app, scene):
    code, out, _err = run(app, "dump", "--canonical")
    lines = out.encode().splitlines()
    assert code == 0
    assert lines == sorted(lines)
    assert CANARY not in out
    rows = [json.loads(line) for line in lines]
    tables = {row["table"] for row in rows}
    assert {"answer", "answer_revision", "evidence", "audit_event", "user_account"} <= tables
    assert not tables & {"session", "login_attempt", "idempotency_key", "held_post", "job"}
    answer = next(row for row in rows if row["table"] == "answer" and row["key"][3] == "km")
    assert answer["key"][0] == scene.public_id
    assert answer["row"]["answered_by"] == next(
        row["key"][0] for row in rows if row["table"] == "actor" and row["row"]["user_id"]
        == next(r["key"][0] for r in rows if r["table"] == "user_account" and r["row"]["login"] == "focal")
    )  # fmt: skip
    assert answer["row"]["answered_at"].endswith("Z")
    secret = next(row for row in rows if row["table"] == "user_account")["row"]["password_hash"]
    assert secret.startswith("sha256:")


def test_a_changed_evidence_file_is_named(app, scene):
    path = app.config["SETTINGS"].evidence_dir / SHA[:2] / SHA
    path.write_bytes(FILE + b"!")
    code, _out, err = run(app, "dump", "--canonical")
    assert (code, "was changed" in err, "proof.pdf" in err) == (1, True, True)
    path.unlink()
    assert "missing" in run(app, "dump", "--canonical")[2]


@pytest.mark.parametrize("target", engines.ENGINES)
@pytest.mark.engines
@pytest.mark.postgresql
def test_a_backup_restores_byte_for_byte_on_either_engine(app, scene, other_app, target, tmp_path):
    before = run(app, "dump", "--canonical")[1]
    file = tmp_path / "backup.zip"
    code, _out, err = run(app, "backup", str(file))
    assert code == 0, err
    assert file.stat().st_mode & 0o077 == 0
    other = other_app(target)
    code, _out, err = run(other, "restore", str(file))
    assert code == 0, err
    assert run(other, "dump", "--canonical") == (0, before, "")
    assert run(other, "verify-audit")[0] == 0
    stored = other.config["SETTINGS"].evidence_dir / SHA[:2] / SHA
    assert stored.read_bytes() == FILE
    # life goes on: people sign in, and new rows get new numbers
    with other.app_context():
        engine = db.engine
    with Session(engine) as session:
        assert Client(other, session).sign_in("focal").status_code == 303
        factories.institution(session, "new")
        session.commit()
    again = run(other, "restore", str(file))
    assert again[0] == 1
    assert "not empty" in again[2]
    assert run(other, "restore", str(file), "--replace")[0] == 0
    assert run(other, "dump", "--canonical")[1] == before


def test_every_flipped_bit_of_a_backup_is_refused(app, scene, other_app, tmp_path):
    file, broken = tmp_path / "backup.zip", tmp_path / "broken.zip"
    assert run(app, "backup", str(file))[0] == 0
    whole = file.read_bytes()
    other = other_app("sqlite")
    chance = random.Random(7)
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        broken.write_bytes(damaged)
        code, _out, err = run(other, "restore", str(broken), "--check")
        assert (code, "damaged" in err) == (1, True), err
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        broken.write_bytes(whole[:length])
        assert run(other, "restore", str(broken))[0] == 1
    with other.app_context():
        assert migrations.current(db.engine) is None
    assert run(other, "restore", str(file), "--check")[0] == 0


def test_a_damaged_member_is_named(app, scene, other_app, tmp_path):
    file = tmp_path / "backup.zip"
    run(app, "backup", str(file))
    with zipfile.ZipFile(file) as archive:
        place = archive.getinfo("rows/answer.jsonl").header_offset + 80  # past the local header and its zip64 field
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 255
    file.write_bytes(damaged)
    assert "rows/answer.jsonl" in run(other_app("sqlite"), "restore", str(file))[2]


def test_verify_audit_names_the_place(app, scene):
    code, out, _err = run(app, "verify-audit", "--json")
    found = json.loads(out)
    assert (code, found["whole"], found["events"]) == (0, True, 5)
    assert run(app, "verify-audit", "--head", found["head"])[0] == 0
    with app.app_context(), write() as session:
        session.execute(text("DELETE FROM audit_event WHERE number = 5"))
    assert run(app, "verify-audit")[0] == 0
    code, _out, err = run(app, "verify-audit", "--head", found["head"])
    assert (code, "cut off" in err) == (1, True)
    with app.app_context(), write() as session:
        session.execute(text("UPDATE audit_event SET object_id = 'x' WHERE number = 3"))
        session.execute(text("UPDATE submission SET status = 'cleared'"))
    code, _out, err = run(app, "verify-audit")
    assert code == 1
    assert "audit event 3 was changed" in err
    assert f"submission {scene.public_id} says" in err


def test_round_commands_speak_json(app, scene):
    listed = json.loads(run(app, "round", "list", "--json")[1])
    assert listed[0]["issued"] == 1
    found = json.loads(run(app, "round", "status", listed[0]["round"], "--json")[1])
    assert found["overall"]["statuses"] == {Status.ISSUED.value: 1}
    assert found["institutions"][0]["institution"] == "aaa"
    assert run(app, "round", "status", "nothing")[0] == 1


@pytest.mark.engines
def test_the_doctor_finds_a_healthy_portal_and_a_stale_schema(app, scene):
    code, out, _err = run(app, "doctor", "--json")
    states = {one["name"]: one["state"] for one in json.loads(out)}
    assert code == 0, out
    assert states["schema"] == "ok"
    assert "clock" in states
    with app.app_context(), write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        assert run(app, "doctor")[0] == 1
        assert run(app, "backup", "x.zip")[0] == 4
    finally:  # on PostgreSQL the tests of this file share one database
        with app.app_context(), write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": migrations.head()})
