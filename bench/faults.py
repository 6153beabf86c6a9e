"""Faults at full count against the real server on loopback: `python bench/faults.py [kills|backends|editors|...]`.

kills: so many kill -9 while 8 writers save: every fourth (``--whole 4``) of all processes of the portal, which is then
started anew, the others of the processes that answer pages. What got no answer is sent again under its key, as the
page does. 0 acknowledged saves may be lost, 0 doubled; compared after every kill, and as a whole every 20 and at the
end. backends (PostgreSQL only): the server ends every connection of the portal, 20 times; no process is touched, and
the portal has to come back by itself. editors: 50 people, 20 saves each, in one answer; nobody writes over a text they
were not shown. doubles: 200 x 10 copies at once, of one save (one revision) and of one completing (one event). uploads:
20 uploads killed midway; two of three are gone on with, the third is given up; no file may stay without a row, none be
broken. disk: a file system of 96 MB is full (needs root, for a tmpfs): save, upload, export and workbooks are refused
with 507 or 503 and a sentence, and reading goes on.

Prints one line of figures each, and ends with 1 if a target is missed. Readiness after a kill of everything is told
beside its target of 5 s. ``--postgresql`` takes the address of a server; a database of its own is made and dropped.
At full count on 2 quiet cores: kills about 8 minutes (25 with ``--whole 1``; they stop by themselves after
``--minutes``), all others about 6 minutes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import create_engine, func, select, text  # noqa: E402 - the path comes first

from bench import faults_of_files  # noqa: E402
from bench.ground import READY, Portal, machine, many_replies, options, portal  # noqa: E402
from portal.models import Action, AnswerRevision, Role, Submission, SubmissionEvent  # noqa: E402
from tests import factories  # noqa: E402
from tests.faults.writers import Person, Writer, at_once, doubled, edit_together, history, lost  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READY_WITHIN = 5.0
WRITERS = 8
BACKENDS = 20


def place(server: Portal, people: int, replies: int) -> tuple[list[Person], list[tuple[int, str]]]:
    """Make signed-in people of one institution and the replies that it owes; return them, and (id, path of a page)."""
    with server.session() as session:
        institution = factories.institution(session)
        version = factories.questionnaire_version(session)
        round_ = factories.reporting_round(session)
        accounts = [factories.person(session, institution, Role.FOCAL_POINT, password=None) for _ in range(people)]
        made = many_replies(session, [institution], round_, version, replies)
    tickets = server.tickets(accounts)
    signed_in = [
        Person(server.url, account.login, "", ticket.cookie, ticket.csrf)
        for account, ticket in zip(accounts, tickets, strict=True)
    ]
    return signed_in, [(reply_id, f"/replies/{public_id}/pages/page1") for reply_id, public_id in made]


class Compared:
    """Writers at work in replies of their own, and what they were told against what the database holds."""

    def __init__(self, server: Portal) -> None:
        self.server = server
        people, replies = place(server, WRITERS, WRITERS)
        self.writers = {}
        for person, (reply_id, path) in zip(people, replies, strict=True):
            person.path = path
            self.writers[reply_id] = Writer(person)
            self.writers[reply_id].start()
        self.seen = dict.fromkeys(self.writers, 0)
        self.gone: list[tuple[int, int, str]] = []

    def saves(self) -> int:
        """Count what was acknowledged so far."""
        return sum(len(one.acknowledged) for one in self.writers.values())

    def wait_for(self, more: int, seconds: float = 30) -> None:
        """Wait until so many more saves were acknowledged, or the time is over."""
        wanted, until = self.saves() + more, time.monotonic() + seconds
        while self.saves() < wanted and time.monotonic() < until:
            time.sleep(0.005)

    def newest(self) -> list[tuple[int, int, str]]:
        """Return what is lost of the saves acknowledged since the last look."""
        told: dict[int, dict[int, str]] = {}
        for reply_id, one in self.writers.items():
            before, saves = self.seen[reply_id], one.acknowledged.copy()
            told[reply_id] = {revision: value for revision, value in saves.items() if revision > before}
            self.seen[reply_id] = max(told[reply_id], default=before)
        with self.server.reading() as session:
            found = lost(session, told)
        self.gone += found
        return found

    def whole(self) -> tuple[int, int, str]:
        """Compare everything: how many are lost, how many doubled, what the database says of itself."""
        told: Mapping[int, dict[int, str]] = {key: one.acknowledged.copy() for key, one in self.writers.items()}
        with self.server.reading() as session:
            gone, twice = lost(session, told), doubled(session)
            sound = str(session.scalar(text("PRAGMA quick_check"))) if self.server.sqlite else "ok"
        return len(gone), len(twice), sound

    def end(self) -> list[str]:
        """Let the writers finish and return their faults."""
        for one in self.writers.values():
            one.stop.set()
        for one in self.writers.values():
            one.join(60)
        return [fault for one in self.writers.values() for fault in one.faults]

    def sent_again(self) -> int:
        """Count how often something was sent again."""
        return sum(one.sent_again for one in self.writers.values())


def kills(server: Portal, count: int, whole: int, minutes: float) -> bool:
    """Kill the server under eight writers again and again: every ``whole``-th time all of it, else who answers."""
    chance = random.Random(count)
    work = Compared(server)
    ready: list[float] = []
    back: list[float] = []
    until = time.monotonic() + minutes * 60
    while (done := len(ready) + len(back)) < count and time.monotonic() < until:
        work.wait_for(WRITERS, READY)
        # at another moment of the work each time
        time.sleep(chance.uniform(0.02, 0.5))
        if done % whole:
            begun = time.monotonic()
            server.kill_web()
            work.wait_for(1, READY)
            back.append(time.monotonic() - begun)
        else:
            server.kill()
            ready.append(server.again())
        if found := work.newest():
            print(f"  LOST after kill {done + 1}: {found[:3]}", flush=True)
        if not (done + 1) % 20:
            gone, twice, sound = work.whole()
            print(
                f"  {done + 1} kills: {work.saves()} acknowledged, {gone} lost, {twice} doubled, check {sound}, "
                f"{work.sent_again()} sent again, {time.monotonic() - until + minutes * 60:.0f} s",
                flush=True,
            )
    work.wait_for(WRITERS, READY)
    faults = work.end()
    gone, twice, sound = work.whole()
    print(
        f"kills {len(ready) + len(back)} of {count} ({len(ready)} of everything): {work.saves()} acknowledged, "
        f"{max(gone, len(work.gone))} lost, {twice} doubled, {len(faults)} refused, integrity {sound}; "
        f"ready after {statistics.median(ready):.2f} s (at most {max(ready):.2f} s, target {READY_WITHIN:.0f} s)"
        + (f", next save after a kill of the web processes {statistics.median(back):.2f} s" if back else "")
    )
    for fault in faults[:3]:
        print(f"  {fault}")
    return len(ready) + len(back) == count and not (gone or work.gone or twice or faults) and sound == "ok"


def backends(server: Portal, count: int) -> bool:
    """Let PostgreSQL end all connections of the portal under eight writers; it must come back without a restart."""
    if server.sqlite:
        print("backends: only on PostgreSQL")
        return True
    address = server.environment["PORTAL_DATABASE_URL"]
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    work = Compared(server)
    ended, back = 0, []
    ending = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    chance = random.Random(count)
    for _number in range(count):
        work.wait_for(WRITERS)
        time.sleep(chance.uniform(0.02, 0.3))
        with engine.connect() as connection:
            ended += connection.execute(ending).scalar() or 0
        begun = time.monotonic()
        work.wait_for(1)
        back.append(time.monotonic() - begun)
        server.renew()
        if found := work.newest():
            print(f"  LOST: {found[:3]}")
    engine.dispose()
    work.wait_for(WRITERS)
    faults = work.end()
    gone, twice, _sound = work.whole()
    print(
        f"backends {count}: {ended} connections ended, {work.saves()} acknowledged, {gone} lost, {twice} doubled, "
        f"{len(faults)} refused, {work.sent_again()} sent again, next save after {statistics.median(back):.2f} s "
        f"(at most {max(back):.2f} s)"
    )
    for fault in faults[:3]:
        print(f"  {fault}")
    return not (gone or work.gone or twice or faults)


def editors(server: Portal, people: int, saves: int) -> bool:
    """Let many write in one answer at once."""
    writing, [(reply_id, path)] = place(server, people, 1)
    for one in writing:
        one.path = path
    begun = time.monotonic()
    done = edit_together(writing, saves)
    faults = [fault for one in done for fault in one.faults]
    told = {revision: words for one in done for revision, words in one.acknowledged.items()}
    with server.reading() as session:
        stored = history(session, reply_id)
    print(
        f"editors {people} x {saves}: {len(told)} acknowledged, {len(stored)} in the history, "
        f"{sum(one.refused for one in done)} refused with both texts, {len(faults)} faults, "
        f"{time.monotonic() - begun:.1f} s"
    )
    for fault in faults[:3]:
        print(f"  {fault}")
    return not faults and stored == told and len(told) == people * saves


def doubles(server: Portal, count: int, copies: int) -> bool:
    """Send one save, then one completing, many times at once."""
    [person], replies = place(server, 1, count)
    wrong = 0
    begun = time.monotonic()
    for number, (_reply_id, path) in enumerate(replies):
        person.path = path
        told = at_once(copies, lambda _at, number=number: person.post("once", 0, f"save-{number}"))
        saved = str(told[0][1].get("saved"))
        wrong += {(status, str(answer.get("saved"))) for status, answer in told} != {(200, saved)}
        json = {"Accept": "application/json", "X-CSRFToken": person.csrf}
        person.ask("POST", person.path, {"state": "done", "base:state": "0"}, **json)
        fields = {"csrf_token": person.csrf, "idempotency_key": f"complete-{number}"}
        complete = f"{path.partition('/pages/')[0]}/complete"
        answers = at_once(copies, lambda _at, to=complete, fields=fields: person.ask("POST", to, fields))
        wrong += {(status, headers.get("Location")) for status, _told, headers in answers} != {
            (answers[0][0], answers[0][2].get("Location"))
        } or answers[0][0] != 303
    with server.reading() as session:
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
        f"(at most {max(completed, default=0)} each), {submissions} submissions, {wrong} answers that differ, "
        f"{time.monotonic() - begun:.1f} s"
    )
    return revisions == count == len(completed) == sum(completed) and not wrong


def main() -> int:
    """Run what was asked and say whether every target was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ["kills", "backends", "editors", "doubles", "uploads", "disk"]
    parser.add_argument("what", nargs="*", default=every)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--whole", type=int, default=4, metavar="N", help="Every Nth kill is of all processes.")
    parser.add_argument("--minutes", type=float, default=25, help="The kills stop after so long and say so.")
    parser.add_argument("--editors", type=int, default=50)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--doubles", type=int, default=200)
    parser.add_argument("--uploads", type=int, default=20)
    options(parser)
    given = parser.parse_args()
    work: dict[str, Callable[[Portal], bool]] = {
        "kills": lambda server: kills(server, given.kills, given.whole, given.minutes),
        "backends": lambda server: backends(server, BACKENDS),
        "editors": lambda server: editors(server, given.editors, given.saves),
        "doubles": lambda server: doubles(server, given.doubles, 10),
        "uploads": lambda server: faults_of_files.uploads(server, given.uploads),
    }
    print(machine(given.postgresql))
    missed = []
    if ordinary := [one for one in given.what if one != "disk"]:
        with portal(given.postgresql, PORTAL_TOTP_REQUIRED="-") as server:
            missed += [one for one in ordinary if not work[one](server)]
    if "disk" in given.what and not faults_of_files.full_disk(given.postgresql):
        missed.append("disk")
    print(f"missed: {', '.join(missed)}" if missed else "every target was met")
    return 1 if missed else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        raise SystemExit(main())
