"""A full disk: nothing is acknowledged that was not saved, one sentence says so, reading goes on, and it heals by itself."""

from __future__ import annotations

import errno
import io
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError

from portal import clock
from portal.extensions import db
from portal.models import Answer, AnswerRevision, Evidence, ItemKind, Role, Session, VersionItem
from portal.queries.sessions import system_principal
from portal.services import accounts
from tests import factories
from tests.client import Client


@pytest.fixture
def full(app):
    """Switches: the database grows no further ("pages"), or not even what fits into its pages is written ("nothing")."""
    limit = {"pages": 0, "nothing": False}

    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "checkout")
    def squeeze(connection, _entry, _proxy):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limit['pages'] or 1_073_741_823}")
        cursor.close()

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(_connection, _cursor, statement, *_more):
        if limit["nothing"] and statement.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError(statement, {}, Exception("database or disk is full"))

    return limit


def test_on_a_full_disk_nothing_is_saved_unseen_and_reading_goes_on(app, client_for, session, full):
    institution = factories.institution(session)
    person = factories.person(session, institution, Role.FOCAL_POINT)
    reply = factories.submission(session, factories.assignment(session, to=institution))
    session.commit()
    client = client_for(person)
    path = f"/replies/{reply.public_id}/pages/page1"
    fields = {"measures@en": "x" * 60_000, "base:measures@en": "0"}
    client.get(path, expect=200)
    _made, secret = accounts.add_token(
        session, person, name="test", lifetime=timedelta(days=1), by=system_principal(session)
    )
    # so long ago that the next request would like to note that somebody was here
    session.execute(update(Session).values(last_seen=clock.now() - timedelta(minutes=6)))
    session.commit()
    full["pages"] = 1
    answer = client.post(path, fields, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["code"]) == (507, "storage_full")
    assert "Retry-After" in answer.headers
    full["nothing"] = True
    for page in (path, "/owed", f"/replies/{reply.public_id}/check"):
        client.get(page, expect=200)
    read = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert read.status_code == 200, read.text
    # what is given out is written down: it waits too, and the sentence says why
    client.post("/owed/workbook", {"round": ""}, expect=507)
    assert "disk is full" in client.words
    session.rollback()
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == 0
    full |= {"pages": 0, "nothing": False}
    client.post(path, fields, headers={"Accept": "application/json"}, expect=200)


def test_what_was_typed_without_script_is_sent_again_from_the_page_of_the_error(app, client_for, session, full):
    institution = factories.institution(session)
    person = factories.person(session, institution, Role.FOCAL_POINT)
    reply = factories.submission(session, factories.assignment(session, to=institution))
    session.commit()
    client = client_for(person)
    path = f"/replies/{reply.public_id}/pages/page1"
    client.get(path, expect=200)
    full["nothing"] = True
    client.post(path, {"measures@en": "one <b>\ntwo", "base:measures@en": "0"}, expect=507)
    assert "kept on this page" in client.words
    full["nothing"] = False
    client.submit(0, expect=200)
    session.rollback()
    assert [one.splitlines() for one in session.scalars(select(Answer.value))] == [["one <b>", "two"]]
    # what holds a secret is not put into a page
    full["nothing"] = True
    stranger = Client(app, session)
    stranger.post("/login", {"email": person.login, "password": "hunter22"}, expect=507)
    assert "hunter22" not in stranger.text
    assert "kept on this page" not in stranger.words


def test_an_upload_on_a_full_disk_says_so_leaves_nothing_behind_and_works_again(app, client_for, session, monkeypatch):
    institution = factories.institution(session)
    person = factories.person(session, institution, Role.FOCAL_POINT)
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
    session.commit()
    client = client_for(person)
    path = f"/replies/{reply.public_id}/questions/proof/files"
    settings = app.config["SETTINGS"]

    def upload(**more):
        content = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
        return client.post(path, {"file": (io.BytesIO(content), "a.pdf")}, **more)

    def files():
        folders = (settings.tmp_dir, settings.evidence_dir, settings.data_dir / "imports")
        return [one for folder in folders for one in folder.rglob("*") if one.is_file()]

    def no_space(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("portal.services.evidence.os.fsync", no_space)
        answer = upload(headers={"Accept": "application/json"}, expect=507)
        assert answer.get_json()["code"] == "storage_full"
        assert "Retry-After" in answer.headers
        upload(expect=507)
        assert "disk is full" in client.words
        # a workbook that comes back is kept between dry run and confirmation
        client.post("/owed/offline", {"round": "", "file": (io.BytesIO(b"PK"), "back.xlsx")}, expect=507)
        assert "disk is full" in client.words
        client.get(f"/replies/{reply.public_id}/pages/page1", expect=200)
    assert files() == []
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0
    upload(expect=303)
    assert len(files()) == 1
