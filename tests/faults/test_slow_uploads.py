"""Whole files sent without script over slow lines, more than a portal has threads: pages are answered meanwhile."""

from __future__ import annotations

import hashlib
import http.client
import socket
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.models import Evidence, ItemKind, VersionItem
from tests import factories
from tests.faults.writers import Person
from tests.journeys.served import Served

pytestmark = pytest.mark.timeout(240)

THREADS, PROCESSES = 2, 1
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
BOUNDARY = "a-line-between-the-parts"


def content(number):
    return PDF + bytes([number]) * 2_000_000


def posted(person, path, number):
    """The request of a form without script with a file in it."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{person.csrf}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="proof"; filename="{number}.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    body = parts.encode() + content(number) + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {person.host}\r\nCookie: {person.cookie}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_pages_are_answered_while_more_files_come_than_there_are_threads(tmp_path, sqlite_template, monkeypatch):
    monkeypatch.setattr(Served, "more", {"PORTAL_THREADS": str(THREADS), "PORTAL_PROCESSES": str(PROCESSES)})
    server = Served(tmp_path, sqlite_template)
    try:
        with server.session() as session:
            institution = factories.institution(session)
            version = factories.questionnaire_version(session)
            page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
            factories.question(session, version, "proof", "file", parent=page)
            login = factories.person(session, institution).login
            reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
            path = f"/replies/{reply.public_id}"
        person = Person(server.url, login, f"{path}/pages/page1")
        person.sign_in()
        sent = [posted(person, f"{path}/questions/proof/files", number) for number in range(2 * THREADS * PROCESSES + 1)]
        lines = []
        for one in sent:
            lines.append(socket.create_connection(tuple(person.host.rsplit(":", 1)), timeout=60))
            lines[-1].sendall(one[:1_500_000])
        for _ in range(5):
            assert person.ask("GET", f"{path}/pages/page1")[0] == 200
        for line, one in zip(lines, sent, strict=True):
            line.sendall(one[1_500_000:])
            answer = http.client.HTTPResponse(line)
            answer.begin()
            assert answer.status == 303
            line.close()
    finally:
        server.stop()
    wanted = {hashlib.sha256(content(number)).hexdigest() for number in range(len(sent))}
    with server.session() as session:
        assert set(session.scalars(select(Evidence.sha256))) == wanted
    data = Path(server.environment["PORTAL_DATA_DIR"])
    files = [one for folder in ("tmp", "evidence") for one in (data / folder).rglob("*") if one.is_file()]
    assert {one.name for one in files} == wanted
