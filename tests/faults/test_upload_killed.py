"""kill -9 in the midst of an upload: what arrived is gone on with after the restart, and no half of a file stays."""

from __future__ import annotations

import hashlib
import json
import socket
import urllib.parse
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.models import Evidence, ItemKind, VersionItem
from tests import factories
from tests.faults.writers import Person, kill_all
from tests.journeys.served import Served

pytestmark = pytest.mark.timeout(240)

CONTENT = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n" + bytes(range(256)) * 3000
PIECE = 300_000


def put(person, path, at, piece):
    person_headers = {"Accept": "application/json", "X-CSRFToken": person.csrf, "Cookie": person.cookie}
    head = f"PUT {path}?offset={at} HTTP/1.1\r\nHost: {person.host}\r\nContent-Length: {len(piece)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in person_headers.items())
    line = socket.create_connection(tuple(person.host.rsplit(":", 1)), timeout=60)
    line.sendall(f"{head}Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n".encode())
    return line


def answer(line):
    told = b""
    while more := line.recv(65536):
        told += more
    line.close()
    return int(told.split()[1]), json.loads(told.partition(b"\r\n\r\n")[2])


def test_an_upload_killed_midway_goes_on_and_leaves_no_orphan(tmp_path, sqlite_template):
    server = Served(tmp_path, sqlite_template)
    with server.session() as session:
        institution = factories.institution(session)
        version = factories.questionnaire_version(session)
        page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
        factories.question(session, version, "proof", "file", parent=page)
        person_login = factories.person(session, institution).login
        reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
        path = f"/replies/{reply.public_id}"
    data = Path(server.environment["PORTAL_DATA_DIR"])
    upload = f"{path}/uploads/{'0123456789abcdef' * 2}"
    try:
        person = Person(server.url, person_login, f"{path}/pages/page1")
        person.sign_in()
        line = put(person, upload, 0, CONTENT[:PIECE])
        line.sendall(CONTENT[:PIECE])
        assert answer(line) == (200, {"offset": PIECE})
        line = put(person, upload, PIECE, CONTENT[PIECE : 2 * PIECE])
        line.sendall(CONTENT[PIECE : PIECE + 100_000])  # and no more: the server dies with the piece half there
        kill_all(server._process)
        line.close()
        server._process = server._start()
        person.host = urllib.parse.urlsplit(server.url).netloc
        at = json.loads(person.ask("GET", upload, Accept="application/json")[1])["offset"]
        assert PIECE <= at <= 2 * PIECE
        while at < len(CONTENT):
            line = put(person, upload, at, CONTENT[at : at + PIECE])
            line.sendall(CONTENT[at : at + PIECE])
            status, told = answer(line)
            assert status == 200
            at = told["offset"]
        fields = {"upload": upload.rpartition("/")[2], "name": "a.pdf", "size": str(len(CONTENT))}
        sent = {"Accept": "application/json", "X-CSRFToken": person.csrf}
        assert person.ask("POST", f"{path}/questions/proof/files", fields, **sent)[0] == 201
    finally:
        server.stop()
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    with server.session() as session:
        assert session.scalars(select(Evidence.sha256)).all() == [sha256]
    files = [one for folder in ("tmp", "evidence") for one in (data / folder).rglob("*") if one.is_file()]
    assert [one.name for one in files] == [sha256]
    assert files[0].read_bytes() == CONTENT
