"""Writers for fault tests and ``bench/faults.py``: people who save over HTTP and remember what they were told."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import threading
import time
import urllib.parse
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.models import AnswerRevision, Question
from tests import factories

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

NAME = "measures@en"


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


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill a server with everything below it, without a word."""
    for pid in descendants(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait(10)
    if process.stdout is not None:
        process.stdout.close()


class Person:
    """A signed-in person at a connection of their own."""

    def __init__(self, url: str, login: str, path: str, cookie: str = "", csrf: str = "") -> None:
        self.host = urllib.parse.urlsplit(url).netloc
        self.login, self.path = login, path
        self.cookie, self.csrf = cookie, csrf

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Send one request over a connection of its own."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        sent = {"Cookie": self.cookie, **headers} if self.cookie else headers
        body = urllib.parse.urlencode(fields) if fields else None
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(connection):  # the server may die under us: the socket must not wait for the collector
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            told = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                if cookie.startswith("tamdan="):  # a notice is a cookie too
                    self.cookie = cookie.partition(";")[0]
            return answer.status, told, dict(answer.getheaders())

    def token(self, path: str) -> str:
        """Return the token that a page carries."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", path)[1])
        assert found, path
        return found[1]

    def sign_in(self) -> None:
        """Sign in through the log-in page and open the page to write on."""
        fields = {"email": self.login, "password": factories.PASSWORD, "csrf_token": self.token("/login")}
        assert self.ask("POST", "/login", fields)[0] == 303
        self.csrf = self.token(self.path)

    def post(self, text: str, base: int, key: str) -> tuple[int, dict[str, Any]]:
        """Save one answer as the page does."""
        fields = {NAME: text, f"base:{NAME}": str(base), "request_key": key}
        status, told, _headers = self.ask("POST", self.path, fields, **{"Accept": "application/json", "X-CSRFToken": self.csrf})
        return status, json.loads(told) if told.startswith("{") else {}


class Writer(threading.Thread):
    """One who types into one answer until told to stop, and remembers what was acknowledged.

    A save without an answer - the server died, or is not up yet - is sent again as the page sends it: the same text, on
    the same revision, under the same key.
    """

    def __init__(self, person: Person, revision: int = 0) -> None:
        super().__init__(daemon=True)
        self.person = person
        self.revision = revision
        self.acknowledged: dict[int, str] = {}
        self.sent_again = 0
        self.faults: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Save until told to stop; a refusal ends it."""
        while not self.stop.is_set() and not self.faults:
            self.save(f"{self.revision + 1} {time.time_ns()}")

    def save(self, text: str) -> None:
        """Save one text, however often it has to be sent."""
        while True:
            status, told = 0, {}
            with suppress(OSError, http.client.HTTPException):
                status, told = self.person.post(text, self.revision, text.replace(" ", "-"))
            if status == 200:
                self.revision = told["saved"][0]["revision"]
                self.acknowledged[self.revision] = text
                return
            if status not in {0, 503} or self.stop.is_set():
                self.faults += [f"{text}: status {status}, {told}"] if status else []
                return
            self.sent_again += 1
            time.sleep(0.02)


class Editor(threading.Thread):
    """One of many who write in one answer at once; meets conflicts, and writes again on what was shown.

    ``faults`` holds every save that wrote over a text its writer had not been shown, or was refused without both texts.
    """

    def __init__(self, person: Person, saves: int) -> None:
        super().__init__(daemon=True)
        self.person, self.saves = person, saves
        self.acknowledged: dict[int, str] = {}
        self.refused = 0
        self.faults: list[str] = []

    def run(self) -> None:
        """Save as often as asked; a conflict is shown, not counted as a save."""
        if not self.person.cookie:
            self.person.sign_in()
        base = 0
        while len(self.acknowledged) < self.saves:
            text = f"{self.person.login} {len(self.acknowledged)} {time.time_ns()}"
            status, told = self.person.post(text, base, text.replace(" ", "-"))
            if status == 200:
                (saved,) = told["saved"]
                if saved["revision"] != base + 1:
                    self.faults.append(f"{text}: revision {saved['revision']} on {base}")
                base = saved["revision"]
                self.acknowledged[base] = text
            elif status == 409:
                (stale,) = told["stale"]
                self.refused += 1
                if stale["mine"] != text or not stale["theirs"] or stale["revision"] <= base:
                    self.faults.append(f"{text}: told {stale}")
                base = stale["revision"]
            else:
                self.faults.append(f"{text}: status {status}")
                return


def edit_together(people: Iterable[Person], saves: int) -> list[Editor]:
    """Let everybody write in one answer at once until each has saved so often."""
    editors = [Editor(one, saves) for one in people]
    for one in editors:
        one.start()
    for one in editors:
        one.join()
    return editors


def history(session: Session, submission_id: int, after: int = 0) -> dict[int, str]:
    """Return every revision, after one, of the answer that the writers write in."""
    rows = session.execute(
        select(AnswerRevision.revision, AnswerRevision.value)
        .join(Question, Question.id == AnswerRevision.question_id)
        .where(
            AnswerRevision.submission_id == submission_id, Question.code == "measures", AnswerRevision.revision > after
        )
    )
    return dict(rows.all())  # type: ignore[arg-type] # rows of two


def lost(session: Session, acknowledged: Mapping[int, Mapping[int, str]]) -> list[tuple[int, int, str]]:
    """List what was acknowledged and is not there: (submission, revision, text)."""
    return [
        (submission_id, revision, value)
        for submission_id, saves in acknowledged.items()
        for stored in [history(session, submission_id, min(saves, default=1) - 1)]
        for revision, value in saves.items()
        if stored.get(revision) != value
    ]


def doubled(session: Session) -> list[str]:
    """List the request keys under which more than one revision stands."""
    keys = select(AnswerRevision.request_key).group_by(AnswerRevision.request_key).having(func.count() > 1)
    return [key for key in session.scalars(keys) if key]


def at_once(many: int, work: Any) -> list[Any]:
    """Run one thing many times at the same moment; return what each gave."""
    given: list[Any] = [None] * many
    gate = threading.Barrier(many)

    def one(at: int) -> None:
        gate.wait()
        given[at] = work(at)

    threads = [threading.Thread(target=one, args=(at,), daemon=True) for at in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given
