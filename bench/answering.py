"""Measures the answering page, the autosave and a whole reply against the real server: `python bench/answering.py`.

Starts `serve` on loopback with two web processes on a fresh SQLite data folder (synchronous=FULL) or, with
``--postgresql URL``, on a database of its own there; drives it with `wrk` (Debian package wrk) over keep-alive
connections. The page has 20 questions in Khmer and English. Each autosave is a new revision of an answer, each
connection writes in a reply of its own, as typing makes them. A complete reply is 20 answers posted as one request to
a reply in which nothing was saved yet: once as the page without script posts itself (form, CSRF, a redirect), once by
the JSON API (bearer token, idempotency key). Both check permission and rules and write 20 answers, 20 revisions and an
event; counted afterwards in the database. Targets (2 cores): page 800/s, p95 below 15 ms at 8 connections; autosave
1,000/s, p95 below 15 ms at 8 and 50 ms at 32; complete reply 400/s.

The runs are short and take turns, and the pace of the cores is kept of each (`bench/cores.py`): prints the machine and
per figure the median of all runs, and that of the runs during which the cores were whole, beside its target. Takes
about 3 minutes on SQLite and as long on PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select  # noqa: E402 - the path comes first

from bench.cores import SHARED, Cores, cores  # noqa: E402
from bench.ground import Portal, machine, many_replies, options, portal  # noqa: E402
from portal.models import Answer, AnswerRevision, ItemKind, Role, VersionItem  # noqa: E402
from portal.queries.sessions import system_principal  # noqa: E402
from portal.services import accounts  # noqa: E402
from tests import factories  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from bench.ground import Ticket

KINDS = ("text", "integer", "select_one", "date")
# replies prepared per second of a run of complete replies: more than are reached
MOST_REPLIES = 1500
WANTED = {
    ("page of 20 questions", 8): (800, 15),
    ("autosave of one answer", 8): (1000, 15),
    ("autosave of one answer", 32): (1000, 50),
    ("complete reply posted as a page", 8): (400, None),
    ("complete reply by the API", 8): (400, None),
}
COMMON = """
local paths = {{ {paths} }}
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
"""
PAGE = (
    COMMON
    + """
wrk.headers["Cookie"] = "{cookie}"
wrk.headers["Accept-Encoding"] = "gzip"
function request() return wrk.format("GET", paths[(number % #paths) + 1]) end
"""
)
SAVE = (
    COMMON
    + """
local base = 0
function request()
  local body = "measures%40km=%E1%9E%85%E1%9E%98%E1%9F%92%E1%9E%9B%E1%9E%BE%E1%9E%99+" .. base
    .. "&base%3Ameasures%40km=" .. base .. "&request_key=k" .. number .. "-" .. base
  local headers = {{ ["Cookie"] = "{cookie}", ["Accept"] = "application/json", ["X-CSRFToken"] = "{csrf}",
    ["Content-Type"] = "application/x-www-form-urlencoded" }}
  return wrk.format("POST", paths[(number % #paths) + 1], headers, body)
end
function response(status) if status == 200 then base = base + 1 end end
"""
)
# thread n of t takes the replies n, n + t, n + 2t: each is answered once
REPLY = (
    COMMON
    + """
local sent = 0
function request()
  local path = paths[number + sent * {threads} + 1]
  sent = sent + 1
  if path == nil then wrk.thread:stop(); path = "/healthz" end
  local headers = {{ {headers} }}
  headers["Idempotency-Key"] = "{run}-" .. number .. "-" .. sent
  return wrk.format("POST", path, headers, {body})
end
"""
)
DONE = """
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %f %f %f %d %d\\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, summary.errors.status,
    summary.errors.timeout + summary.errors.read + summary.errors.connect + summary.errors.write))
end
"""


class Scene:
    """One person, a page of 20 questions, and as many replies to it as the runs need."""

    def __init__(self, server: Portal, count: int) -> None:
        with server.session() as session:
            institution = factories.institution(session, "MOJ")
            person = factories.person(session, institution, Role.FOCAL_POINT, language="km", password=None)
            version = factories.questionnaire_version(session)
            page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
            for number in range(17):
                _question(session, version, page, number)
            round_ = factories.reporting_round(session)
            self.replies = many_replies(session, [institution], round_, version, count)
            _row, self.token = accounts.add_token(
                session, person, name="bench", lifetime=timedelta(days=1), by=system_principal(session)
            )
        [self.ticket] = server.tickets([person])
        self.used = 0

    def take(self, count: int) -> list[str]:
        """Return replies that nobody wrote in yet, by their public ids."""
        found = [public_id for _id, public_id in self.replies[self.used : self.used + count]]
        if len(found) < count:
            raise SystemExit("too few replies were prepared")
        self.used += count
        return found


def _question(session: Session, version: object, page: VersionItem, number: int) -> None:
    kind, more = KINDS[number % 4], {}
    if kind == "select_one":
        more["choices"] = [{"key": f"c{n}", "texts": {"en": f"Choice {n}", "km": f"ជម្រើស {n}"}} for n in range(5)]
    rule = "" if number % 5 else "selected(${state}, 'done')"
    factories.question(session, version, f"x{number}", kind, parent=page, relevant=rule, **more)  # type: ignore[arg-type] # a version


def twenty_answers() -> dict[str, str | int]:
    """Return an answer to each of the 20 questions by the name of its field."""
    given: dict[str, str | int] = {"state": "done", "measures@km": "ចម្លើយសាកល្បង", "beds": 12}
    values: dict[str, str | int] = {"text": "ចម្លើយសាកល្បង", "integer": 12, "select_one": "c1", "date": "2026-05-04"}
    for number in range(17):
        kind = KINDS[number % 4]
        given[f"x{number}" + ("@km" if kind == "text" else "")] = values[kind]
    return given


def quoted(paths: list[str]) -> str:
    """Return addresses as a Lua list."""
    return ", ".join(f'"{path}"' for path in paths)


def by_page(replies: list[str], ticket: Ticket, threads: int) -> str:
    """Return the script that posts whole pages."""
    answers = twenty_answers()
    fields = {name: str(value) for name, value in answers.items()} | {f"base:{name}": "0" for name in answers}
    headers = (
        f'["Cookie"] = "{ticket.cookie}", ["X-CSRFToken"] = "{ticket.csrf}", '
        '["Content-Type"] = "application/x-www-form-urlencoded"'
    )
    body = f"{json.dumps(urlencode(fields))} .. '&request_key=r' .. number .. '-' .. sent"
    paths = quoted([f"/replies/{one}/pages/page1" for one in replies])
    return REPLY.format(paths=paths, threads=threads, headers=headers, body=body, run=secrets.token_hex(4))


def by_api(replies: list[str], token: str, threads: int) -> str:
    """Return the script that saves whole replies by the JSON API."""
    answers = [{"name": name, "value": value, "base": 0} for name, value in twenty_answers().items()]
    headers = f'["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json"'
    body = "[==[" + json.dumps({"answers": answers}, ensure_ascii=False) + "]==]"
    paths = quoted([f"/api/v1/submissions/{one}/answers" for one in replies])
    return REPLY.format(paths=paths, threads=threads, headers=headers, body=body, run=secrets.token_hex(4))


def wrk(script: str, url: str, connections: int, seconds: int) -> dict[str, float]:
    """Run wrk once, a thread per connection; return requests, their rate, p50 and p95 in ms, and failures."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed (Debian package wrk)")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + DONE)
        file.flush()
        command = [program, f"-t{connections}", f"-c{connections}", f"-d{seconds}s", "-s", file.name, url]
        out = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\S+) (\d+) (\d+)", out)
    if found is None:
        raise SystemExit(out)
    many, took, p50, p95, status, other = (float(one) for one in found.groups())
    return {"many": many, "per_second": many / took, "p50": p50, "p95": p95, "failures": status + other}


@dataclass
class Figure:
    """What is measured by runs of one kind: ``script`` takes replies of the scene and returns what wrk does."""

    name: str
    connections: int
    script: Callable[[], str]
    most: float = float("inf")  # requests that a run has replies for
    runs: list[tuple[dict[str, float], float]] = field(default_factory=list)  # with the pace of the cores

    def run(self, url: str, seconds: int, on: Cores) -> None:
        """Measure once more."""
        script = self.script()
        time.sleep(0.3)  # those of the run before have gone
        with on.watched():
            done = wrk(script, url, self.connections, seconds)
        if done["many"] >= self.most - self.connections:
            raise SystemExit("more replies were answered than prepared: raise MOST_REPLIES")
        self.runs.append((done, on.paces[-1]))

    def say(self, on: Cores) -> tuple[bool, bool]:
        """Print the medians beside the target; return whether they meet it: of all runs, of those with whole cores."""
        rate, p95 = WANTED.get((self.name, self.connections), (None, None))
        target = ", ".join(
            text for text in (f"{rate}/s" if rate else "", f"p95 below {p95} ms" if p95 else "") if text
        )
        failures = sum(done["failures"] for done, _pace in self.runs)
        print(
            f"{self.name}, {self.connections} connections"
            + (f" (target {target})" if target else "")
            + f"; failures {failures:.0f}"
        )
        met = []
        for what, runs in (
            ("all runs", [done for done, _pace in self.runs]),
            ("whole cores", [done for done, pace in self.runs if on.were_whole(pace)]),
        ):
            if not runs:
                print(f"  {what:11}: none of {len(self.runs)}")
                met.append(False)
                continue
            middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            met.append(middle["per_second"] >= (rate or 0) and (not p95 or middle["p95"] < p95) and not failures)
            print(
                f"  {what:11}: {middle['per_second']:.0f}/s, p50 {middle['p50']:.1f} ms, p95 {middle['p95']:.1f} ms "
                f"(median of {len(runs)} runs){'' if met[-1] else ' MISSED'}",
                flush=True,
            )
        return met[0], met[1]


def pages_and_saves(scene: Scene, connections: list[int]) -> list[Figure]:
    """Return what is measured of a page of 20 questions; a page first."""
    read = quoted([f"/replies/{one}/pages/page1" for one in scene.take(64)])
    page = PAGE.format(cookie=scene.ticket.cookie, paths=read)

    def save(many: int) -> str:
        # each run of saves takes replies of its own, so that every first base is 0
        fresh = quoted([f"/replies/{one}/pages/page1" for one in scene.take(many)])
        return SAVE.format(cookie=scene.ticket.cookie, csrf=scene.ticket.csrf, paths=fresh)

    found = []
    for many in connections:
        found.append(Figure("page of 20 questions", many, lambda: page))
        found.append(Figure("autosave of one answer", many, partial(save, many)))
    return found


def whole_replies(scene: Scene, each: int, connections: int = 8) -> list[Figure]:
    """Return what is measured of replies that are answered as a whole, with so many replies for each run."""
    return [
        Figure(
            "complete reply posted as a page", connections,
            lambda: by_page(scene.take(each), scene.ticket, connections), each,
        ),
        Figure(
            "complete reply by the API", connections,
            lambda: by_api(scene.take(each), scene.token, connections), each,
        ),
    ]  # fmt: skip


def each_is_whole(server: Portal, ids: Sequence[int]) -> bool:
    """Count in the database whether each of these replies that was answered has its 20 answers, once each."""
    least, most = min(ids), max(ids)
    of_these = Answer.submission_id.between(least, most)
    revisions = select(func.count()).where(AnswerRevision.submission_id.between(least, most)).scalar_subquery()
    with server.reading() as session:
        # one statement, so one moment: what was under way when the last run ended may be stored only now
        found = session.execute(select(func.count(), revisions).where(of_these).group_by(Answer.submission_id)).all()
    each = [answers for answers, _revisions in found]
    revised = found[0][1] if found else 0
    print(f"{len(each)} whole replies hold {min(each)} to {max(each)} answers, {revised} revisions")
    return set(each) == {20} and revised == sum(each)


def main() -> int:
    """Measure and print; 1 if a target was missed by the median of all runs, or a reply is not as it was sent."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=15)
    asked.add_argument("--seconds", type=int, default=1, help="how long each run takes")
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--connections", type=int, nargs="+", default=[8, 32])
    options(asked)
    given = asked.parse_args()
    print(f"{machine(given.postgresql)}, {given.processes} web processes", flush=True)
    count = given.runs * (sum(given.connections) + 2 * MOST_REPLIES * given.seconds)
    with cores() as on, portal(given.postgresql, PORTAL_PROCESSES=str(given.processes)) as server:
        scene = Scene(server, count + 64)
        server.tidy()
        each = MOST_REPLIES * given.seconds
        alone, whole = pages_and_saves(scene, given.connections), whole_replies(scene, each)
        wrk(alone[0].script(), server.url, 8, 2)  # so that both processes are warm
        # whole replies after the others: what they leave for a server to tidy up is theirs
        for turns in (alone, whole):
            before = scene.used
            for _run in range(given.runs):
                for figure in turns:
                    figure.run(server.url, given.seconds, on)
        paces = sorted(on.paces)
        print(
            f"the cores' fixed sum took {paces[0]:.2f} to {paces[-1]:.2f} ms on average of a run, in the middle "
            f"{statistics.median(paces):.2f}; they count as whole up to {on.quickest * SHARED:.2f}"
        )
        met = [figure.say(on) for figure in alone + whole]
        held = each_is_whole(server, [number for number, _public_id in scene.replies[before : scene.used]])
    for what, all_met in zip(("all runs", "runs with whole cores"), map(all, zip(*met, strict=True)), strict=True):
        print(f"{what}: {'every target was met' if all_met else 'a target was missed'}")
    return 0 if held and all(of_all for of_all, _of_whole in met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
