"""Faults at full count against the real server on loopback: `python bench/faults.py [kills|editors|doubles]`.

kills: so many kill -9 of the process group while 8 writers save; 0 acknowledged saves may be lost or doubled, and the
portal answers again within 5 s. editors: 50 people, 20 saves each, in one answer; nobody writes over a text they were
not shown. doubles: 200 x 10 copies at once, of one save (one revision) and of one completing (one event).
Prints one line of figures each; ends with 1 if a target is missed. ``--postgresql`` takes the address of an empty
database that may be filled.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select, text  # noqa: E402 - the path comes first
from sqlalchemy.orm import Session  # noqa: E402, TC002 - likewise

from portal import migrations  # noqa: E402
from portal.models import Action, Answer, AnswerRevision, Role, Submission, SubmissionEvent  # noqa: E402
from tests import engines, factories  # noqa: E402
from tests.faults.writers import Person, Writer, at_once, doubled, edit_together, history, kill_all, lost  # noqa: E402
from tests.journeys.served import Served  # noqa: E402

READY_WITHIN = 5.0


def start(folder: Path, address: str) -> Served:
    """Start a portal of its own: on a fresh SQLite file, or on the PostgreSQL database given."""
    template = engines.make_sqlite_template(folder)
    (folder / "served").mkdir()
    if address:
        engine = engines.open_engine(address)
        migrations.upgrade(engine)
        engine.dispose()
    return Served(folder / "served", template, address)


def place(session: Session, writers: int, replies: int) -> tuple[list[str], list[tuple[int, str]]]:
    """Make people of one institution and the replies that it owes; return log-ins and (id, path)."""
    institution = factories.institution(session)
    version = factories.questionnaire_version(session)
    round_ = factories.reporting_round(session)
    logins = [factories.person(session, institution, Role.FOCAL_POINT).login for _ in range(writers)]
    made = [
        factories.submission(session, factories.assignment(session, to=institution, in_round=round_, version=version))
        for _ in range(replies)
    ]
    return logins, [(one.id, f"/replies/{one.public_id}") for one in made]


def until_ready(server: Served) -> float:
    """Start the server anew and return the seconds until it answers that it is ready."""
    begun = time.monotonic()
    server._process = server._start()  # noqa: SLF001 - the process under test
    while time.monotonic() - begun < 60:
        with suppress(OSError), urllib.request.urlopen(f"{server.url}/readyz", timeout=5) as answer:
            if answer.status == 200:
                break
        time.sleep(0.02)
    return time.monotonic() - begun


def kills(server: Served, count: int) -> bool:
    """Kill the server again and again under eight writers."""
    with server.session() as session:
        logins, replies = place(session, 8, 8)
    acknowledged: dict[int, dict[int, str]] = {reply_id: {} for reply_id, _path in replies}
    ready: list[float] = []
    for number in range(count):
        with server.session() as session:
            revisions = dict(session.execute(select(Answer.submission_id, Answer.revision)).all())
        writers = [
            Writer(server.url, login, f"{path}/pages/page1", revisions.get(reply_id, 0))
            for login, (reply_id, path) in zip(logins, replies, strict=True)
        ]
        for one in writers:
            one.start()
        for one in writers:
            one.ready.wait(30)
        # at another moment of the work each time
        time.sleep(0.15 + (number * 37 % 60) / 100)
        kill_all(server._process)  # noqa: SLF001 - the process under test
        for one, (reply_id, _path) in zip(writers, replies, strict=True):
            one.stop.set()
            one.join(30)
            acknowledged[reply_id] |= dict(one.acknowledged)
        ready.append(until_ready(server))
        if not (number + 1) % 20:
            saves = sum(len(one) for one in acknowledged.values())
            middle = statistics.median(ready)
            print(f"  {number + 1} kills, {saves} acknowledged, ready after {middle:.2f} s", flush=True)
    with server.session() as session:
        gone, twice = lost(session, acknowledged), doubled(session)
        whole = session.scalar(text("PRAGMA integrity_check")) if server.sqlite else "ok"
    saves = sum(len(one) for one in acknowledged.values())
    print(
        f"kills {count}: {saves} acknowledged, {len(gone)} lost, {len(twice)} doubled, integrity {whole}, "
        f"ready after {statistics.median(ready):.2f} s (at most {max(ready):.2f} s)"
    )
    return not gone and not twice and whole == "ok" and max(ready) <= READY_WITHIN


def editors(server: Served, people: int, saves: int) -> bool:
    """Let many write in one answer at once."""
    with server.session() as session:
        logins, [(reply_id, path)] = place(session, people, 1)
    begun = time.monotonic()
    done = edit_together(server.url, logins, f"{path}/pages/page1", saves)
    faults = [fault for one in done for fault in one.faults]
    told = {revision: words for one in done for revision, words in one.acknowledged.items()}
    with server.session() as session:
        stored = history(session, reply_id)
    print(
        f"editors {people} x {saves}: {len(told)} acknowledged, {len(stored)} in the history, "
        f"{sum(one.refused for one in done)} refused with both texts, {len(faults)} faults, "
        f"{time.monotonic() - begun:.1f} s"
    )
    return not faults and stored == told and len(told) == people * saves


def doubles(server: Served, count: int, copies: int) -> bool:
    """Send one save, then one completing, many times at once."""
    with server.session() as session:
        [login], replies = place(session, 1, count)
    wrong = 0
    person = Person(server.url, login, f"{replies[0][1]}/pages/page1")
    person.sign_in()
    for number, (_reply_id, path) in enumerate(replies):
        person.path = f"{path}/pages/page1"
        told = at_once(copies, lambda _at, number=number: person.post("once", 0, f"save-{number}"))
        wrong += told != [(200, told[0][1])] * copies
        json = {"Accept": "application/json", "X-CSRFToken": person.csrf}
        person.ask("POST", person.path, {"state": "done", "base:state": "0"}, **json)
        fields = {"csrf_token": person.csrf, "idempotency_key": f"complete-{number}"}
        answers = at_once(copies, lambda _at, path=path, fields=fields: person.ask("POST", f"{path}/complete", fields))
        wrong += {(status, headers.get("Location")) for status, _told, headers in answers} != {
            (answers[0][0], answers[0][2].get("Location"))
        } or answers[0][0] != 303
    with server.session() as session:
        ids = [reply_id for reply_id, _path in replies]
        revisions = session.scalar(select(func.count()).where(AnswerRevision.request_key.like("save-%")))
        completed = session.scalars(
            select(func.count())
            .where(SubmissionEvent.submission_id.in_(ids), SubmissionEvent.action == Action.COMPLETE)
            .group_by(SubmissionEvent.submission_id)
        ).all()
        submissions = session.scalar(select(func.count()).select_from(Submission).where(Submission.id.in_(ids)))
    print(
        f"doubles {count} x {copies}: {revisions} revisions, {sum(completed)} completed "
        f"(at most {max(completed, default=0)} each), {submissions} submissions, {wrong} answers that differ"
    )
    return revisions == count == len(completed) == sum(completed) and not wrong


def main() -> int:
    """Run what was asked and say whether every target was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["kills", "editors", "doubles"])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--editors", type=int, default=50)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--doubles", type=int, default=200)
    parser.add_argument("--postgresql", default="", metavar="URL")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
          f"{'PostgreSQL' if given.postgresql else 'SQLite, synchronous=FULL'}")  # fmt: skip
    work = {
        "kills": lambda server: kills(server, given.kills),
        "editors": lambda server: editors(server, given.editors, given.saves),
        "doubles": lambda server: doubles(server, given.doubles, 10),
    }
    met = True
    with tempfile.TemporaryDirectory() as folder:
        server = start(Path(folder), given.postgresql)
        try:
            for one in given.what:
                met = work[one](server) and met
        finally:
            server.stop()
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
