"""Measures a reply with 500 answers: `python bench/large_reply.py`, against the real server on loopback.

Three replies, each with 500 stored answers: ``pages`` (25 pages of 20 questions), ``table`` (one table of 50 rows by
ten columns on a page), ``one page`` (500 questions on a single page, which no questionnaire of ours has). Opens the
reply (its address leads to the first page with an open question), its pages, its check page and the page of one who
only reads, over one connection. Prints per address the median and the greatest time from the first byte sent to the
last byte received, beside the target of 200 ms, and the processor time of the web process, which does not depend on how
busy the machine is; then one autosave in the full reply, and what the memory of all processes grew by.
``--postgresql URL`` measures on a database of its own there. A full run (30 openings each) takes about a minute.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select  # noqa: E402 - the path comes first

from bench.ground import Portal, machine, many_replies, options, portal  # noqa: E402
from forms.answers import AnswerKey, Parsed, field_name  # noqa: E402
from forms.context import Context  # noqa: E402
from portal import clock  # noqa: E402
from portal.models import Answer, ItemKind, QuestionnaireVersion, Role, VersionItem  # noqa: E402
from portal.queries.questionnaires import definition, question_ids  # noqa: E402
from portal.queries.submissions import head_by_id  # noqa: E402
from portal.services.answer_rows import RowChange  # noqa: E402
from portal.services.submissions import Change, save_answers  # noqa: E402
from tests import factories  # noqa: E402

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bench.ground import Ticket
    from portal.models import Institution, UserAccount

ANSWERS = 500
TARGET_MS = 200
KINDS = ("text", "integer", "select_one", "date")
VALUES: dict[str, Any] = {"text": "ចម្លើយសាកល្បងនៃសំណួរមួយ", "integer": 12, "select_one": "c1", "date": "2026-05-04"}


def question(session: Session, version: QuestionnaireVersion, parent: VersionItem, number: int) -> tuple[str, Any]:
    """Add the next question in turn; return its name with the language it is answered in, and an answer."""
    kind, more = KINDS[number % 4], {}
    if kind == "select_one":
        more["choices"] = [{"key": f"c{n}", "texts": {"en": f"Choice {n}", "km": f"ជម្រើស {n}"}} for n in range(5)]
    factories.question(session, version, f"q{number}", kind, parent=parent, **more)
    return f"q{number}", VALUES[kind]


def shape(session: Session, version: QuestionnaireVersion, name: str) -> dict[AnswerKey, Any]:
    """Give a questionnaire 500 places for answers; return an answer for each."""
    given: dict[AnswerKey, Any] = {}
    if name == "table":
        page = factories.item(session, version, "tables", kind=ItemKind.SECTION)
        table = factories.item(session, version, "list", kind=ItemKind.REPEAT, parent=page)
        columns = [question(session, version, table, number) for number in range(10)]
        for row in range(ANSWERS // 10):
            given |= {AnswerKey(code, row_key(row), "km" if isinstance(value, str) and value[0] > "z" else ""): value
                      for code, value in columns}  # fmt: skip
        return given
    each = 20 if name == "pages" else ANSWERS
    for number in range(ANSWERS):
        if not number % each:
            page = factories.item(session, version, f"part{number // each}", kind=ItemKind.SECTION)
        code, value = question(session, version, page, number)
        given[AnswerKey(code, "", "km" if KINDS[number % 4] == "text" else "")] = value
    return given


def row_key(number: int) -> str:
    """Return the key of a row: 16 letters or digits."""
    return f"row{number:013}"


def reply(session: Session, at: Institution, who: UserAccount, name: str) -> tuple[int, str]:
    """Make a reply with 500 answers through the gate that all answers pass; return its id and address."""
    version = factories.questionnaire_version(session)
    given = shape(session, version, name)
    [(number, public_id)] = many_replies(session, [at], factories.reporting_round(session), version, 1)
    head, of = head_by_id(session, number), definition(session, version.id)
    rows = sorted({key.row for key in given if key.row})
    save_answers(
        session, head, of, question_ids(session, version.id),
        {key: Change(Parsed(value=value), 0) for key, value in given.items()},
        context=Context(today=clock.today(), languages=("km", "en"), language="km"),
        by=factories.principal(session, who),
        row_changes=[RowChange("list", key, position=at, base=0) for at, key in enumerate(rows, 1)],
    )  # fmt: skip
    return number, f"/replies/{public_id}"


class Reader:
    """One connection that asks again and again."""

    def __init__(self, server: Portal, ticket: Ticket) -> None:
        self.server = server
        self.line = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        self.ticket = ticket

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[float, int, bytes]:
        """Return how many ms an answer took, its status and its body."""
        headers = {"Cookie": self.ticket.cookie, "Accept-Encoding": "gzip", "X-CSRFToken": self.ticket.csrf}
        body = urlencode(fields) if fields else None
        if fields:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        begun = time.perf_counter()
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        content = answer.read()
        return (time.perf_counter() - begun) * 1000, answer.status, content

    def measure(self, what: str, path: str, runs: int) -> bool:
        """Open a page so often; print its times and say whether the target was met."""
        times, size, worked = [], 0, 0.0
        for run in range(runs + 2):
            if run == 2:  # the first two read what is kept afterwards
                worked = self.server.worked()
            took, status, content = self.ask("GET", path)
            if status not in {200, 302, 303}:
                raise SystemExit(f"{what}: {path} answered {status}")
            times.append(took)
            size = len(content)
        middle, worked = statistics.median(times[2:]), 1000 * (self.server.worked() - worked) / runs
        print(
            f"  {what:<28} median {middle:6.1f} ms, at most {max(times[2:]):6.1f} ms, first {times[0]:6.1f} ms, "
            f"processor {worked:5.1f} ms, {size / 1024:.0f} kB sent", flush=True,
        )  # fmt: skip
        return middle < TARGET_MS


def open_reply(
    server: Portal, reader: Reader, approver: Reader, made: tuple[int, str], pages: list[str], runs: int
) -> bool:
    """Open every door of one reply, then save one answer in it."""
    number, path = made
    met = reader.measure("the reply (leads to a page)", f"{path}/", runs)
    for page in (pages[0], pages[len(pages) // 2], pages[-1])[: len(pages)]:
        met = reader.measure(f"page {page}", f"{path}/pages/{page}", runs) and met
    met = reader.measure("check page", f"{path}/check", runs) and met
    met = approver.measure(f"page {pages[-1]}, read only", f"{path}/pages/{pages[-1]}", runs) and met
    saves, base, worked = [], 0, server.worked()
    name = field_name(AnswerKey("measures", "", "km"))
    for at in range(runs + 2):
        fields = {name: f"ចម្លើយ {at}", f"base:{name}": str(base), "request_key": os.urandom(8).hex()}
        took, status, told = reader.ask("POST", f"{path}/pages/page1", fields)
        if status != 200:
            raise SystemExit(f"a save answered {status}: {told[:300]!r}")
        base = json.loads(told)["saved"][0]["revision"]
        saves.append(took)
    worked = 1000 * (server.worked() - worked) / len(saves)
    print(
        f"  autosave in it               median {statistics.median(saves[2:]):6.1f} ms, processor {worked:5.1f} ms, "
        f"{len(told)} bytes told"
    )
    with server.reading() as session:
        stored = session.scalar(select(func.count()).where(Answer.submission_id == number))
    if stored != ANSWERS + 1:
        raise SystemExit(f"{stored} answers are stored")
    return met


def main() -> int:
    """Measure and print; 1 if a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--runs", type=int, default=30)
    asked.add_argument("what", nargs="*", default=["pages", "table", "one page"])
    options(asked)
    given = asked.parse_args()
    print(machine(given.postgresql), flush=True)
    met = True
    with portal(given.postgresql, PORTAL_PROCESSES="1") as server:
        with server.session() as session:
            at = factories.institution(session)
            people = [factories.person(session, at, role, language="km", password=None)
                      for role in (Role.FOCAL_POINT, Role.APPROVER)]  # fmt: skip
            made = {name: reply(session, at, people[0], name) for name in given.what}
        writer, approver = (Reader(server, ticket) for ticket in server.tickets(people))
        writer.ask("GET", "/owed")
        before = server.memory()
        for name, one in made.items():
            pages = {"pages": [f"part{n}" for n in range(25)], "table": ["tables"]}.get(name, ["part0"])
            print(f"{ANSWERS} answers, {name}:")
            met = open_reply(server, writer, approver, one, pages, given.runs) and met
            now = server.memory()
            print(f"  memory of all processes      {now:.0f} MB, {now - before:+.0f} MB", flush=True)
    print("every target was met" if met else f"a target of {TARGET_MS} ms was missed")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
