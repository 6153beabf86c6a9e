"""A full disk: nothing is acknowledged that was not saved, one sentence says so, reading goes on, and it heals by itself."""

from __future__ import annotations

import errno
import io

import pytest
from sqlalchemy import event, func, select

from portal.extensions import db
from portal.models import AnswerRevision, Evidence, ItemKind, Role, VersionItem
from tests import factories


@pytest.fixture
def full(app):
    """A switch that lets the database grow no further (SQLITE_FULL, the error of a full disk)."""
    limit = {"pages": 0}

    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "checkout")
    def squeeze(connection, _entry, _proxy):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limit['pages'] or 1_073_741_823}")
        cursor.close()

    return limit


def test_a_save_on_a_full_disk_says_so_and_works_again_afterwards(app, client_for, session, full):
    institution = factories.institution(session)
    person = factories.person(session, institution, Role.FOCAL_POINT)
    reply = factories.submission(session, factories.assignment(session, to=institution))
    session.commit()
    client = client_for(person)
    path = f"/replies/{reply.public_id}/pages/page1"
    fields = {"measures@en": "x" * 60_000, "base:measures@en": "0"}
    client.get(path, expect=200)
    full["pages"] = 1
    answer = client.post(path, fields, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["code"]) == (507, "storage_full")
    assert "Retry-After" in answer.headers
    client.get(path, expect=200)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == 0
    full["pages"] = 0
    client.post(path, fields, headers={"Accept": "application/json"}, expect=200)


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
        return [one for folder in (settings.tmp_dir, settings.evidence_dir) for one in folder.rglob("*") if one.is_file()]

    def no_space(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("portal.services.evidence.os.fsync", no_space)
        answer = upload(headers={"Accept": "application/json"}, expect=507)
        assert answer.get_json()["code"] == "storage_full"
        assert "Retry-After" in answer.headers
        upload(expect=507)
        assert "disk is full" in client.words
        client.get(f"/replies/{reply.public_id}/pages/page1", expect=200)
    assert files() == []
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0
    upload(expect=303)
    assert len(files()) == 1
