"""2,000 people who fill at the same time: `python bench/people.py`, against the real server on loopback.

2,000 signed-in people of 40 institutions, two in each of 1,000 replies, each in a question of their own; everybody
saves once every 10 s (200 saves/s), at their own moment. The client is one process of its own, in two ways: ``kept``
keeps a connection per person between saves, as a browser does (the server closes an idle one after gunicorn's
``--keep-alive`` of 15 s, so at one save in 10 s it lives on, and 2,000 stand open); ``new`` opens a connection for
every save, as a phone whose radio slept, or a proxy without keep-alive. A connection that the other side closed is
opened again and the same save sent once more under its key, as browsers and the page do.

A save's time runs from the moment it was due, so that a queue in front of the server counts too. After a warm-up of
10 s (one save each) the next ``--seconds`` count: p50, p95, p99, the greatest, 5xx, other refusals; at the end every
acknowledged save is looked for in the database's history, by reply, revision and text. Targets: p95 below 100 ms, no
5xx, nothing lost. Sessions are made by the portal's own service, without 2,000 log-ins. A full run takes about 2.5
minutes; the client needs about a fifth of a core itself, and says by how much it was late.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select  # noqa: E402 - the path comes first

from bench.ground import Portal, machine, many_people, many_replies, options, portal  # noqa: E402
from portal.models import AnswerRevision, ItemKind, Question, VersionItem  # noqa: E402
from tests import factories  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

EVERY = 10.0  # seconds between two saves of one person
WARM = 10.0
# a save without an answer is sent again so long after the last was due; the page itself never gives up
PATIENCE = 60.0
P95_MS = 100
PER_REPLY = 2
WAYS = ("kept", "new")


@dataclass
class Filler:
    """One person, where they write, and what they were told."""

    cookie: str
    csrf: str
    path: str
    reply_id: int
    question: str
    base: int = 0
    number: int = 0
    acknowledged: dict[int, str] = field(default_factory=dict)


@dataclass
class Told:
    """What a way of connecting came to: seconds per save, statuses, and how the client itself fared."""

    took: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    # the first answer of each other status
    said: dict[int, str] = field(default_factory=dict)
    sent_again: int = 0
    connections: int = 0
    late: float = 0.0


class Line:
    """A connection that speaks just enough HTTP."""

    def __init__(self, host: str, port: int, *, keep: bool) -> None:
        self.host, self.port, self.keep = host, port, keep
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes, told: Told) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
            told.connections += 1
        reader, writer = self.streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status, lines = int(head[9:12]), head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        body = await reader.readexactly(length)
        if not self.keep or b"connection: close" in lines:
            self.close()
        return status, body

    def close(self) -> None:
        """Let go of the connection."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def fill(one: Filler, line: Line, host: str, first: float, until: tuple[float, float], told: Told) -> None:
    """Save every 10 s from the first moment on; what was due after the warm-up counts."""
    due = first
    while due < until[1]:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        late = time.monotonic() - due
        one.number += 1
        text, key = f"{one.question} {one.number} {time.time_ns()}", f"{one.reply_id}-{one.question}-{one.number}"
        name = f"{one.question}@km"
        body = urlencode({name: text, f"base:{name}": one.base, "request_key": key}).encode()
        request = (
            f"POST {one.path} HTTP/1.1\r\nHost: {host}\r\nCookie: {one.cookie}\r\nX-CSRFToken: {one.csrf}\r\n"
            f"Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if line.keep else 'close'}\r\n\r\n"
        ).encode() + body
        status, answer = 0, b""
        while not status and time.monotonic() < until[1] + PATIENCE:
            try:
                status, answer = await asyncio.wait_for(line.ask(request, told), 30)
            except (OSError, EOFError, TimeoutError):
                line.close()
                told.sent_again += 1
                await asyncio.sleep(0.2)
        if status == 200:
            one.base = json.loads(answer)["saved"][0]["revision"]
            one.acknowledged[one.base] = text
        else:
            told.said.setdefault(status, answer[:300].decode("utf-8", "replace"))
        if due >= until[0]:
            told.took.append(time.monotonic() - due)
            told.statuses[status] = told.statuses.get(status, 0) + 1
            told.late = max(told.late, late)
        if not status:
            break
        due += EVERY
    line.close()


async def everybody(fillers: Sequence[Filler], url: str, seconds: float, *, keep: bool) -> Told:
    """Let everybody fill, spread evenly over the 10 s."""
    told, host = Told(), urlsplit(url).netloc
    name, port = host.split(":")
    begun = time.monotonic() + 0.5
    until = (begun + WARM, begun + WARM + seconds)
    await asyncio.gather(
        *(
            fill(one, Line(name, int(port), keep=keep), host, begun + EVERY * at / len(fillers), until, told)
            for at, one in enumerate(fillers)
        )
    )
    return told


def client(fillers: list[Filler], url: str, seconds: float, way: str, back: Connection) -> None:
    """Fill in a process of its own and hand back what was told."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, len(fillers) + 1000), most))
    told = asyncio.run(everybody(fillers, url, seconds, keep=way == "kept"))
    spent = resource.getrusage(resource.RUSAGE_SELF)
    back.send((told, fillers, spent.ru_utime + spent.ru_stime))
    back.close()


def scene(server: Portal, people: int, institutions: int) -> list[Filler]:
    """Make institutions, their people and replies, two people in each; sign all of them in."""
    with server.session() as session:
        at = [factories.institution(session, f"M{number:02}") for number in range(institutions)]
        version = factories.questionnaire_version(session)
        page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
        for number in range(17):
            kind = ("text", "integer", "date")[number % 3]
            factories.question(session, version, f"x{number}", kind, parent=page)
        accounts = many_people(session, at, people)
        count = institutions * -(-people // (institutions * PER_REPLY))
        replies = many_replies(session, at, factories.reporting_round(session), version, count)
    tickets = server.tickets(accounts)
    # person n is of institution n modulo all, and so is reply n: person and reply have to agree on it
    mine: dict[int, Iterator[tuple[int, str, str]]] = {
        place: iter(
            [(number, name, code) for number, name in replies[place::institutions] for code in ("measures", "x0")]
        )
        for place in range(institutions)
    }
    made = []
    for number, ticket in enumerate(tickets):
        reply_id, public_id, code = next(mine[number % institutions])
        made.append(Filler(ticket.cookie, ticket.csrf, f"/replies/{public_id}/pages/page1", reply_id, code))
    return made


def compare(server: Portal, fillers: Sequence[Filler]) -> tuple[int, int, int]:
    """Look for every acknowledged save in the history: how many there are, lost, doubled."""
    with server.reading() as session:
        rows = session.execute(
            select(AnswerRevision.submission_id, Question.code, AnswerRevision.revision, AnswerRevision.value)
            .join(Question, Question.id == AnswerRevision.question_id)
            .where(AnswerRevision.lang == "km")
        )
        stored = {(row[0], row[1], row[2]): row[3] for row in rows}
        keys = select(AnswerRevision.request_key).group_by(AnswerRevision.submission_id, AnswerRevision.request_key)
        twice = len(session.scalars(keys.having(func.count() > 1)).all())
    told = {(one.reply_id, one.question, at): text for one in fillers for at, text in one.acknowledged.items()}
    return len(told), sum(stored.get(key) != text for key, text in told.items()), twice


def measure(server: Portal, fillers: list[Filler], way: str, seconds: float) -> tuple[list[Filler], bool]:
    """Let everybody fill in one way of connecting; print what came of it."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=client, args=(fillers, server.url, seconds, way, there)
    )
    process.start()
    there.close()
    try:
        told, fillers, spent = here.recv()
        process.join(10)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    took = sorted(told.took)
    at = statistics.quantiles(took, n=100)
    worst = sum(count for status, count in told.statuses.items() if status >= 500 or status == 0)
    other = sum(count for status, count in told.statuses.items() if status not in {0, 200} and status < 500)
    saves, gone, twice = compare(server, fillers)
    print(
        f"{way} connections: {len(took) / seconds:.0f} saves/s over {seconds:.0f} s, p50 {at[49] * 1000:.1f} ms, "
        f"p95 {at[94] * 1000:.1f} ms (target {P95_MS}), p99 {at[98] * 1000:.1f} ms, at most {took[-1] * 1000:.0f} ms; "
        f"{worst} 5xx or no answer, {other} other refusals; {saves} acknowledged so far, {gone} lost, {twice} doubled; "
        f"{told.connections} connections, {told.sent_again} sent again, portal {server.memory():.0f} MB, "
        f"client {100 * spent / (seconds + WARM):.0f} % of a core, late by {told.late * 1000:.0f} ms at most",
        flush=True,
    )
    for status, answer in told.said.items():
        print(f"  {status}: {answer}")
    return fillers, at[94] * 1000 < P95_MS and not (worst or other or gone or twice)


def main() -> int:
    """Measure and print; 1 if a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=2000)
    asked.add_argument("--institutions", type=int, default=40)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    options(asked)
    given = asked.parse_args()
    print(machine(given.postgresql), flush=True)
    met = True
    with portal(given.postgresql) as server:
        begun = time.monotonic()
        fillers = scene(server, given.people, given.institutions)
        print(f"{given.people} people of {given.institutions} institutions made in {time.monotonic() - begun:.1f} s")
        for way in given.ways:
            fillers, well = measure(server, fillers, way, given.seconds)
            met = met and well
    print("every target was met" if met else "a target was missed")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
