"""The virus scanner: a fake clamd on the loopback finds, passes, is late, breaks off, talks nonsense, or is not there."""

from __future__ import annotations

import io
import logging
import socket
import struct
import threading

import pytest
from sqlalchemy import func, select

from portal import clock
from portal.database import write
from portal.errors import Invalid, Unavailable
from portal.models import Evidence, ItemKind, Role, VersionItem
from portal.services import evidence, scanning
from tests import factories

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
# the harmless test string that every scanner knows, put together here so that none takes this file away
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


class FakeClamd:
    """Speaks INSTREAM as clamd does; ``answer`` (bytes or a function of the content) is what it says at the end."""

    def __init__(self, answer=None, path=None):
        self.answer, self.seen = answer, []
        self.server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.server.bind(str(path) if path else ("127.0.0.1", 0))
        self.server.listen()
        self.address = f"unix:{path}" if path else f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            with line:
                self.talk(line)

    def talk(self, line):
        reader = line.makefile("rb")
        assert reader.read(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack("!L", reader.read(4))[0]:
            content += reader.read(size)
        reader.close()
        self.seen.append(content)
        found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR.encode() in content else b"stream: OK\0"
        answer = found if self.answer is None else self.answer
        if answer == "late":
            line.settimeout(5)
            line.recv(1)  # until the other side gives up
            return
        line.sendall(answer)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(5)


@pytest.fixture
def clamd(tmp_path):
    made = []

    def start(answer=None, path=None):
        made.append(FakeClamd(answer, path))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def receive(make_app, tmp_path):
    def receive(content, name="a.txt", **settings):
        app = make_app(**settings)
        with app.test_request_context("/"):
            given = {"folder": tmp_path / "evidence", "tmp": tmp_path / "tmp", "limit": 10**8}
            return evidence.receive(io.BytesIO(content), name, **given)

    return receive


def left_over(tmp_path):
    return [one for one in (*(tmp_path / "tmp").glob("*"), *(tmp_path / "evidence").rglob("*")) if one.is_file()]


def test_without_a_scanner_a_file_is_honestly_not_scanned(receive):
    assert receive(b"plain").scanned_at is None


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_clean_file_is_shown_whole_and_dated(receive, clamd, tmp_path, kind):
    server = clamd(path=tmp_path / "clamd.ctl" if kind == "unix" else None)
    content = b"a line of text\n" * 20_000
    before = clock.now()
    received = receive(content, clamd=server.address)
    assert received.scanned_at is not None
    assert received.scanned_at >= before
    assert server.seen == [content]


def test_an_infected_file_is_refused_by_name_and_never_kept_nor_logged(receive, clamd, tmp_path, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(Invalid, match="Eicar-Test-Signature") as refused:
        receive(EICAR.encode(), clamd=clamd().address)
    assert refused.value.code == "file_infected"
    assert left_over(tmp_path) == []
    assert "Eicar-Test-Signature" in caplog.text
    assert EICAR[:20] not in caplog.text


@pytest.mark.parametrize(
    "answer", [b"", b"stream: ", b"INSTREAM size limit exceeded. ERROR\0", b"\xff\xfe\0", b"stream: OK but not really\0", "late", b"x" * 9000]
)
def test_without_a_verdict_the_setting_decides(receive, clamd, tmp_path, answer):
    server = clamd(answer)
    with pytest.raises(Unavailable, match="does not answer"):
        receive(b"plain", clamd=server.address, clamd_seconds=1)
    assert left_over(tmp_path) == []
    assert receive(b"plain", clamd=server.address, clamd_seconds=1, clamd_required=False).scanned_at is None


def test_a_scanner_that_is_not_there_is_no_verdict_either(receive, tmp_path):
    for address in (f"unix:{tmp_path / 'nothing'}", "tcp://127.0.0.1:9"):
        with pytest.raises(Unavailable):
            receive(b"plain", clamd=address, clamd_seconds=1)


def test_a_verdict_is_one_of_two_sentences():
    assert scanning.verdict(b"stream: OK\0") == ""
    assert scanning.verdict(b"stream: Win.Test.EICAR_HDB-1 FOUND\n") == "Win.Test.EICAR_HDB-1"
    assert scanning.verdict(b"stream:  FOUND\0") == "unknown"


def test_nothing_is_scanned_inside_a_write(make_app, session, clamd, tmp_path):
    app = make_app(clamd=clamd().address)
    (tmp_path / "x").write_bytes(b"x")
    with app.test_request_context("/"), write(), pytest.raises(RuntimeError, match="before the transaction"):
        scanning.scan(tmp_path / "x", "x")


def test_the_pages_say_what_was_found_and_when_a_file_was_clean(make_app, session, clamd):
    from tests.client import Client

    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    focal = factories.person(session, moj, Role.FOCAL_POINT)
    session.commit()
    client = Client(make_app(clamd=clamd().address), session)
    client.sign_in(focal.login)
    path = f"/replies/{reply.public_id}"

    def upload(content, expect):
        given = {"file": (io.BytesIO(content), "a.txt")}
        headers = {"Accept": "application/json"}
        return client.post(f"{path}/questions/proof/files", given, headers=headers, expect=expect).get_json()

    assert upload(EICAR.encode(), 422)["code"] == "file_infected"
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0
    upload(b"plain", 201)
    client.get(f"{path}/files", expect=200)
    assert "No virus found on" in client.words
