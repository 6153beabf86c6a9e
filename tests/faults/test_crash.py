"""kill -9 in the midst of saving: what was acknowledged is there afterwards, once, and the portal comes up again."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import threading
import time
import urllib.parse
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from portal.models import Answer, AnswerRevision, Question, Submission
from tests import factories
from tests.journeys.served import Served

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "3"))
WRITERS = 4
pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("faults")]


def descendants(pid: int) -> list[int]:
    """Return the processes below ``pid``, the deepest last."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(parents.get(one, []))
    return found


def kill_all(server: Served) -> None:
    for pid in descendants(server._process.pid):
        os.kill(pid, signal.SIGKILL)
    server._process.wait(10)
    server._process.stdout.close()


class Writer(threading.Thread):
    """One focal point who types into one answer and remembers what was acknowledged."""

    def __init__(self, url: str, login: str, path: str, first: int) -> None:
        super().__init__(daemon=True)
        self.host = urllib.parse.urlsplit(url).netloc
        self.login, self.path, self.revision = login, path, first
        self.acknowledged: list[tuple[int, str]] = []
        self.stop = threading.Event()
        self.ready = threading.Event()

    def run(self) -> None:
        try:
            self.sign_in()
            while not self.stop.is_set():
                self.save()
        except (OSError, http.client.HTTPException):
            return

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        sent = {"Cookie": self.cookie, **headers} if getattr(self, "cookie", "") else headers
        body = urllib.parse.urlencode(fields) if fields else None
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(connection):  # the server dies under us: the socket must not wait for the collector
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            told = answer.read().decode()
            if cookie := answer.getheader("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return answer.status, told, dict(answer.getheaders())

    def token(self, path: str) -> str:
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", path)[1])[1]

    def sign_in(self) -> None:
        fields = {"email": self.login, "password": factories.PASSWORD, "csrf_token": self.token("/login")}
        assert self.ask("POST", "/login", fields)[0] == 303
        self.csrf = self.token(self.path)
        self.ready.set()

    def save(self) -> None:
        value = f"{self.revision + 1} {time.time_ns()}"
        fields = {"measures@en": value, "base:measures@en": str(self.revision), "request_key": value.replace(" ", "-")}
        status, told, _headers = self.ask("POST", self.path, fields, **{"Accept": "application/json", "X-CSRFToken": self.csrf})
        if status == 200:
            self.revision = json.loads(told)["saved"][0]["revision"]
            self.acknowledged.append((self.revision, value))


def test_no_acknowledged_save_is_lost_or_doubled_by_a_kill(tmp_path, sqlite_template):
    server = Served(tmp_path, sqlite_template)
    with server.session() as session:
        institution = factories.institution(session)
        version = factories.questionnaire_version(session)
        logins = [factories.person(session, institution).login for _ in range(WRITERS)]
        replies = [factories.submission(session, factories.assignment(session, to=institution, version=version)) for _ in range(WRITERS)]
        places = [(reply.id, f"/replies/{reply.public_id}/pages/page1") for reply in replies]
    acknowledged: dict[int, dict[int, str]] = {reply_id: {} for reply_id, _path in places}
    try:
        for _kill in range(KILLS):
            with server.session() as session:
                revisions = dict(session.execute(select(Answer.submission_id, Answer.revision)).all())
            writers = [
                Writer(server.url, login, path, revisions.get(reply_id, 0))
                for login, (reply_id, path) in zip(logins, places, strict=True)
            ]
            for writer in writers:
                writer.start()
            for writer in writers:
                assert writer.ready.wait(30)
            time.sleep(0.8)
            kill_all(server)
            for writer, (reply_id, _path) in zip(writers, places, strict=True):
                writer.stop.set()
                writer.join(30)
                acknowledged[reply_id] |= dict(writer.acknowledged)
            server._process = server._start()
            check(server, acknowledged)
    finally:
        server.stop()
    assert sum(len(one) for one in acknowledged.values()) > 5 * KILLS


def check(server: Served, acknowledged: dict[int, dict[int, str]]) -> None:
    with server.session() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        for reply_id, saves in acknowledged.items():
            stored = dict(
                session.execute(
                    select(AnswerRevision.revision, AnswerRevision.value)
                    .join(Question, Question.id == AnswerRevision.question_id)
                    .where(AnswerRevision.submission_id == reply_id, Question.code == "measures")
                ).all()
            )
            missing = {revision: value for revision, value in saves.items() if stored.get(revision) != value}
            assert missing == {}
        doubled = session.execute(
            select(AnswerRevision.request_key).group_by(AnswerRevision.request_key).having(func.count() > 1)
        ).all()
        assert doubled == []
        assert session.scalar(select(func.count()).select_from(Submission)) == WRITERS
