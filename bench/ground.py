"""What measurements against the real server share: a portal of its own, people who are signed in, replies in bulk.

Everything is made for one run and goes with it: a temporary data folder, on PostgreSQL a database of its own beside the
one whose address is given (made empty, dropped at the end). Only processes started here are ended, by their id. Nothing
leaves loopback.
"""

from __future__ import annotations

import os
import platform
import secrets
import signal
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from itsdangerous import URLSafeTimedSerializer  # noqa: E402 - the path comes first
from sqlalchemy import insert  # noqa: E402
from sqlalchemy.orm import Session  # noqa: E402

from portal import bootstrap, clock  # noqa: E402
from portal.models import (  # noqa: E402
    Action,
    Actor,
    Assignment,
    AssignmentRecommendation,
    Membership,
    QuestionnaireVersion,
    Recommendation,
    RecommendationKind,
    Role,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
)
from portal.services.sessions import start_session  # noqa: E402
from tests import engines, factories  # noqa: E402
from tests.faults.writers import descendants, kill_all  # noqa: E402
from tests.journeys.served import Served  # noqa: E402

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from portal.models import Institution, ReportingRound

READY = 60.0  # seconds after which a start counts as failed


@dataclass(frozen=True)
class Ticket:
    """What a signed-in browser sends: its cookie, and the token of its pages."""

    cookie: str
    csrf: str


class Portal(Served):
    """The real ``serve`` that can be killed and started again at the same address."""

    def __init__(self, folder: Path, template: Path, address: str = "", **environment: str) -> None:
        """Start on a copy of the template or on the database at ``address``, with more settings of the environment."""
        self.key = secrets.token_urlsafe(32)
        self._more = environment | {"PORTAL_SECRET_KEY": self.key}
        super().__init__(folder, template, address)
        self.port = self.url.rpartition(":")[2]

    def _start(self) -> object:
        self.environment |= self._more
        return super()._start()

    def renew(self) -> None:
        """Forget the connections of this process, for when the server ended them."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look into the database without keeping writers waiting."""
        with Session(self._engine) as session:
            yield session

    def tidy(self) -> None:
        """Let a server do now what it does a minute after many rows came, so that no run has it beside it."""
        if self._engine.dialect.name == "postgresql":
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return Path(self.environment["PORTAL_DATA_DIR"])

    def processes(self) -> list[int]:
        """List the processes of the portal, the supervisor first."""
        return descendants(self._process.pid)

    def web_processes(self) -> list[int]:
        """List the processes that answer pages: the children of gunicorn's own."""
        of = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in self.processes()}
        return [pid for pid, words in of.items() if b"gunicorn" in words][1:]

    def worked(self) -> float:
        """Return how many seconds the processes that answer pages have computed so far, however busy the machine is."""
        ticks = 0
        for pid in self.web_processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the memory of all processes in MB, what they share counted once (PSS)."""
        total = 0
        for pid in self.processes():
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def kill(self) -> None:
        """Kill all processes without a word."""
        kill_all(self._process)

    def kill_web(self) -> None:
        """Kill the processes that answer pages, as a kernel out of memory does; what started them starts new ones."""
        for pid in self.web_processes():
            os.kill(pid, signal.SIGKILL)

    def wait_web(self) -> None:
        """Wait until pages are answered again."""
        begun = time.monotonic()
        while time.monotonic() - begun < READY:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return
            time.sleep(0.02)

    def again(self) -> float:
        """Start anew; return the seconds from the first process until the portal says that it is ready."""
        begun = time.monotonic()
        while self._process.poll() is not None and time.monotonic() - begun < READY:
            # a start that takes more than a minute (a very busy machine) gives itself up
            with suppress(AssertionError):
                self._process = self._start()
        while time.monotonic() - begun < READY:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return time.monotonic() - begun
            time.sleep(0.02)
        message = f"the portal was not ready after {READY:.0f} s:\n{self.last_lines()}"
        raise SystemExit(message)

    def tickets(self, people: Sequence[UserAccount]) -> list[Ticket]:
        """Sign people in as the log-in page does after the password was right: no argon2, no HTTP."""
        signer = URLSafeTimedSerializer(self.key, salt="wtf-csrf-token")
        made = []
        with self.session() as session:
            for one in people:
                row, token = start_session(session, one, lifetime=timedelta(hours=8), user_agent="bench")
                made.append(Ticket(f"tamdan=s.{token}", str(signer.dumps(row.csrf_secret))))
        return made


@contextmanager
def portal(
    postgresql: str = "", folder: Path | None = None, *, all_in_folder: bool = False, **environment: str
) -> Iterator[Portal]:
    """Lend a portal on SQLite, or on a database of its own beside the one at ``postgresql``; all of it goes again.

    With ``all_in_folder`` the tables of PostgreSQL lie in ``folder`` too (a server on this machine, as its superuser).
    """
    # as ``python3 -m portal`` does: without bytecode each process of a start compiles 1,500 modules
    bootstrap._keep_bytecode()  # noqa: SLF001 - the one place that knows how
    # ended from outside, a measurement still takes its database and its folder away
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=folder)))
        template = engines.make_sqlite_template(here)
        address = ""
        if postgresql:
            server = engines.Postgres(postgresql)
            space = ""
            if all_in_folder:
                space = f"tamdan_{secrets.token_hex(4)}"
                tables = here / "tables"
                tables.mkdir()
                here.chmod(0o755)
                server.make_tablespace(space, tables)
                stack.callback(server.drop_tablespace, space)
            stack.callback(server.close)
            address = server.clone(space)
        served = here / "served"
        served.mkdir()
        lent = Portal(served, template, address, PORTAL_LOG_LEVEL="ERROR", **environment)
        stack.callback(lent.stop)
        yield lent


def options(asked: argparse.ArgumentParser) -> None:
    """Add the option that every measurement of the server has."""
    asked.add_argument(
        "--postgresql", default="", metavar="URL",
        help="a server, such as postgresql://postgres@127.0.0.1:5432/postgres; a database is made there and dropped",
    )  # fmt: skip


def pace() -> float:
    """Return how long this machine takes for a fixed sum, in ms (best of five): rented ones vary by half."""
    took = []
    for _run in range(5):
        begun = time.perf_counter()
        sum(number * number % 7 for number in range(400_000))
        took.append(time.perf_counter() - begun)
    return min(took) * 1000


def machine(postgresql: str) -> str:
    """Say on what was measured, how busy it was before, and its pace."""
    engine = "PostgreSQL" if postgresql else "SQLite, synchronous=FULL"
    busy = os.getloadavg()[0]
    python = platform.python_version()
    cores = f"{os.cpu_count()} cores, {platform.machine()}"
    return f"machine: {cores}, Python {python}, {engine}, load {busy:.1f} at the start, pace {pace():.0f} ms"


def many_people(session: Session, at: Sequence[Institution], count: int) -> list[UserAccount]:
    """Make contributors who can sign in, spread over institutions in turn."""
    accounts = list(
        session.scalars(
            insert(UserAccount).returning(UserAccount, sort_by_parameter_order=True),
            [
                {"login": f"person.{number}", "names": {"en": f"Person {number}"}, "language": ("km", "en")[number % 2]}
                for number in range(count)
            ],
        )
    )
    session.execute(insert(Actor), [{"kind": "user", "user_id": one.id} for one in accounts])
    session.execute(
        insert(Membership),
        [
            {"user_id": one.id, "institution_id": at[number % len(at)].id, "role": Role.CONTRIBUTOR}
            for number, one in enumerate(accounts)
        ],
    )
    return accounts


def many_replies(
    session: Session, at: Sequence[Institution], round_: ReportingRound, version: QuestionnaireVersion, count: int
) -> list[tuple[int, str]]:
    """Ask institutions in turn about a recommendation each time; return id and public id of every reply."""
    document = factories.document(session)
    parts = {one.id: factories.participation(session, round_, one).id for one in at}
    of = [at[number % len(at)].id for number in range(count)]
    recommendations = session.scalars(
        insert(Recommendation).returning(Recommendation.id, sort_by_parameter_order=True),
        [
            {
                "document_id": document.id, "paragraph": str(number), "position": number,
                "texts": {"en": f"Demo text: do {number}.", "km": f"អត្ថបទសាកល្បង៖ ធ្វើ {number}។"},
                "summary": {"en": f"You are asked about {number}."}, "kind": RecommendationKind.RECOMMENDATION,
            }
            for number in range(count)
        ],
    ).all()  # fmt: skip
    assignments = session.scalars(
        insert(Assignment).returning(Assignment.id, sort_by_parameter_order=True),
        [
            {
                "round_id": round_.id, "participation_id": parts[institution], "institution_id": institution,
                "version_id": version.id, "position": number, "issued_at": clock.now(),
            }
            for number, institution in enumerate(of)
        ],
    ).all()  # fmt: skip
    session.execute(
        insert(AssignmentRecommendation),
        [
            {
                "assignment_id": assignment, "recommendation_id": recommendation, "round_id": round_.id,
                "institution_id": institution,
            }
            for assignment, recommendation, institution in zip(assignments, recommendations, of, strict=True)
        ],
    )  # fmt: skip
    replies = session.execute(
        insert(Submission).returning(Submission.id, Submission.public_id, sort_by_parameter_order=True),
        [{"assignment_id": one} for one in assignments],
    ).all()
    issued = {
        "number": 1, "action": Action.ISSUE, "status": Status.ISSUED, "details": {},
        "done_by": factories.system_actor(session).id, "done_at": clock.now(),
    }  # fmt: skip
    session.execute(insert(SubmissionEvent), [{"submission_id": one.id, **issued} for one in replies])
    return [(one.id, one.public_id) for one in replies]
