"""Faults that have to do with files: uploads killed midway, and a full disk; run by `bench/faults.py uploads disk`."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from bench.ground import ROOT, Portal, many_replies, portal
from portal import clock
from portal.models import AnswerRevision, Evidence, Export, ItemKind, Role, StaffRole, VersionItem
from portal.models import Session as SessionRow
from tests import factories
from tests.faults.writers import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from portal.models import UserAccount

HEAD = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PIECE = 300_000
# one person may have twelve files under way
EACH = 6
DISK_MB = 96
JSON = {"Accept": "application/json"}


def scene(session: Session, people: int, replies: int) -> tuple[list[UserAccount], list[tuple[int, str]], str]:
    """Make people of an institution, replies with a question for files, and return them with the round's name."""
    institution = factories.institution(session)
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.kind == ItemKind.SECTION, VersionItem.version_id == version.id)
    ).one()
    factories.question(session, version, "proof", "file", parent=page)
    round_ = factories.reporting_round(session)
    accounts = [factories.person(session, institution, Role.FOCAL_POINT, password=None) for _ in range(people)]
    made = many_replies(session, [institution], round_, version, replies)
    return accounts, [(number, f"/replies/{public_id}") for number, public_id in made], round_.slug


def signed_in(server: Portal, accounts: list[UserAccount]) -> list[Person]:
    """Return people with cookie and token."""
    tickets = zip(accounts, server.tickets(accounts), strict=True)
    return [Person(server.url, account.login, "", ticket.cookie, ticket.csrf) for account, ticket in tickets]


def send(
    person: Person, method: str, path: str, body: bytes = b"", kind: str = "", **headers: str
) -> tuple[int, bytes]:
    """Send bytes over a connection of its own; (0, b"") when the server died under it."""
    sent = {"Cookie": person.cookie, "X-CSRFToken": person.csrf, "Content-Type": kind or "application/octet-stream"}
    line = http.client.HTTPConnection(person.host, timeout=60)
    with suppress(OSError, http.client.HTTPException), closing(line):
        line.request(method, path, body, sent | headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    return 0, b""


def form(person: Person, path: str, file: tuple[str, bytes] | None = None, **fields: str) -> tuple[int, bytes]:
    """Send a form as a page without script does, with a file or without."""
    edge = "edge-of-a-part"
    fields |= {"csrf_token": person.csrf, "idempotency_key": os.urandom(8).hex()}
    body = b""
    for name, value in fields.items():
        body += f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if file is not None:
        body += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"\r\n\r\n'.encode()
        body += file[1] + b"\r\n"
    return send(person, "POST", path, body + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}")


def kept(server: Portal) -> list[Path]:
    """List every file of evidence and of uploads under way."""
    return [one for folder in ("tmp", "evidence") for one in (server.data / folder).rglob("*") if one.is_file()]


# --- uploads ---------------------------------------------------------------------------------------------------------


def uploads(server: Portal, count: int) -> bool:
    """Kill the server in the midst of uploads, of a piece or of the end; go on with two of three, give up the third."""
    chance = random.Random(count)
    with server.session() as session:
        accounts, replies, _round = scene(session, count // EACH + 1, count)
    people = signed_in(server, accounts)
    wanted: set[str] = set()
    faults: list[str] = []
    for number, (_reply_id, path) in enumerate(replies):
        content = HEAD + chance.randbytes(2 * PIECE + chance.randrange(PIECE))
        one = _Upload(people[number // EACH], path, f"{number:04}" + "0123456789abcdef", content)
        after, whole = chance.uniform(0, 0.03), not number % 5
        fault = one.until_killed(server, at_the_end=number % 3 == 1, after=after, whole=whole)
        if whole:
            server.again()
        else:
            server.wait_web()
        if not fault and number % 3 != 2:
            fault = one.go_on()
            wanted.add(hashlib.sha256(content).hexdigest())
        if fault:
            faults.append(f"upload {number}: {fault}")
    with server.reading() as session:
        rows = sorted(session.scalars(select(Evidence.sha256).where(Evidence.sha256.is_not(None))))
    midway = len(kept(server))
    # a day later
    for one in kept(server):
        os.utime(one, (time.time() - 90_000, time.time() - 90_000))
    swept = subprocess.run(
        [sys.executable, "-m", "portal", "housekeep"], cwd=ROOT, env=server.environment, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    files = kept(server)
    broken = [one.name for one in files if hashlib.sha256(one.read_bytes()).hexdigest() != one.name]
    if swept.returncode:
        faults.append(swept.stderr[-300:])
    print(
        f"uploads {count} killed midway: {len(wanted)} gone on with, {len(rows)} rows, "
        f"{midway} files before the sweep, "
        f"{len(files)} after ({len({one.name for one in files} - set(rows))} without a row, {len(broken)} broken), "
        f"{len(faults)} faults"
    )
    for fault in faults[:3]:
        print(f"  {fault}")
    return not faults and not broken and set(rows) == wanted == {one.name for one in files} and len(rows) == len(wanted)


class _Upload:
    """One file on its way in pieces."""

    def __init__(self, person: Person, path: str, identifier: str, content: bytes) -> None:
        self.person, self.content = person, content
        self.pieces, self.end = f"{path}/uploads/{identifier}", f"{path}/questions/proof/files"
        self.fields = {"upload": identifier, "name": "a.pdf", "size": str(len(content))}

    def until_killed(self, server: Portal, *, at_the_end: bool, after: float, whole: bool) -> str:
        """Send until the server is killed: with half a piece there, or while the end is being worked on.

        ``whole`` kills all of it, else only who answers pages.
        """
        at = 0
        while at < (len(self.content) if at_the_end else PIECE):
            if fault := self.piece(at):
                return fault
            at = min(at + PIECE, len(self.content))
        line = http.client.HTTPConnection(self.person.host, timeout=20)
        with closing(line):
            if at_the_end:
                body = "&".join(f"{name}={value}" for name, value in self.fields.items()).encode()
                self.head(line, "POST", self.end, "application/x-www-form-urlencoded", len(body))
            else:
                body = self.content[at : at + PIECE // 3]
                self.head(line, "PUT", f"{self.pieces}?offset={at}", "application/octet-stream", PIECE)
            line.send(body)
            time.sleep(after)
            (server.kill if whole else server.kill_web)()
        return ""

    def head(self, line: http.client.HTTPConnection, method: str, path: str, kind: str, length: int) -> None:
        """Send the head of a request whose body may never come as a whole."""
        line.putrequest(method, path)
        sent = {"Cookie": self.person.cookie, "X-CSRFToken": self.person.csrf, "Content-Type": kind}
        for name, value in (sent | JSON | {"Content-Length": str(length)}).items():
            line.putheader(name, value)
        line.endheaders()

    def piece(self, at: int) -> str:
        """Send one piece."""
        status, told = send(self.person, "PUT", f"{self.pieces}?offset={at}", self.content[at : at + PIECE], **JSON)
        return "" if status == 200 else f"piece at {at}: {status} {told[:200]!r}"

    def go_on(self) -> str:
        """Ask how much has come, send the rest and the end, as the page does; what was finished is told again."""
        headers = JSON | {"X-CSRFToken": self.person.csrf}
        for _attempt in range(3):
            status, told, _headers = self.person.ask("POST", self.end, self.fields, **headers)
            if status == 201:
                return ""
            if status != 409:
                return f"the end: {status} {told[:200]}"
            status, came = send(self.person, "GET", self.pieces, **JSON)
            at = json.loads(came)["offset"] if status == 200 else -1
            if not 0 <= at <= len(self.content):
                return f"offset {at}, status {status}"
            while at < len(self.content):
                if fault := self.piece(at):
                    return fault
                at += PIECE
        return "it did not end after three attempts"


# --- a full disk -----------------------------------------------------------------------------------------------------


@contextmanager
def small_disk() -> Iterator[Path]:
    """Lend a file system of its own; it goes at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs", str(folder)]
    folder.chmod(0o755)
    subprocess.run(command, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)
        folder.rmdir()


def full_disk(postgresql: str) -> bool:
    """Fill the disk under a running portal, try everything, make room again, try once more."""
    if os.geteuid() or shutil.which("mount") is None:
        print("disk: needs root, for a small file system of its own; the tests do the same by SQLite's own limit")
        return True
    with small_disk() as disk, portal(postgresql, disk, all_in_folder=True, PORTAL_TOTP_REQUIRED="-") as server:
        work = _OnDisk(server)
        before = work.everything("before", expected="works")
        # so long ago that the next request would like to note it
        with server.session() as session:
            session.execute(update(SessionRow).values(last_seen=clock.now() - timedelta(minutes=9)))
        filler = disk / "filler"
        _fill(filler)
        revisions, *others = work.counts()
        seen = work.base
        full = work.everything("full", expected="refused")
        # a text that still fitted into what the database holds already was acknowledged, and stays
        stored, left = (revisions + work.base - seen, *others), work.counts()
        filler.unlink()
        after = work.everything("after", expected="works")
        faults = before + full + after
        if left != stored:
            faults.append(f"something stayed of what was refused: {stored} became {left}")
    print(f"disk full ({DISK_MB} MB): {work.tried} attempts, {len(faults)} not as they should be")
    for fault in faults:
        print(f"  {fault}")
    return not faults


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


class _OnDisk:
    """A focal point and a coordinator who try everything that writes, and look at pages."""

    def __init__(self, server: Portal) -> None:
        self.server, self.tried = server, 0
        with server.session() as session:
            accounts, replies, self.round = scene(session, 1, 2)
            accounts.append(factories.staff(session, StaffRole.COORDINATOR, password=None))
        self.person, self.coordinator = signed_in(server, accounts)
        self.reply_id, self.reply = replies[0]
        self.base, self.book = 0, b""

    def counts(self) -> tuple[int, int, int]:
        """Count revisions, evidence and files: what is refused must leave nothing."""
        with self.server.reading() as session:
            revisions = session.scalar(select(func.count()).select_from(AnswerRevision))
            evidence = session.scalar(select(func.count()).select_from(Evidence))
        return revisions or 0, evidence or 0, len(kept(self.server))

    def everything(self, when: str, expected: str) -> list[str]:
        """Try everything once; return what was not as expected."""
        refused = expected == "refused"
        faults = []
        writing = {
            "save": (self.save, refused, 200),
            "upload": (self.upload, refused, 303),
            "piece": (self.piece, refused, 200),
            "workbook of what is owed": (self.workbook, refused, 200),
            "returned workbook": (self.returned, refused, 303),
            "export": (self.export, refused, 303),
        }
        for name, (act, is_refused, right) in writing.items():
            self.tried += 1
            status, answer = act()
            told = answer.decode("utf-8", "replace")
            wanted = (507, 503) if is_refused else (right,)
            if name == "workbook of what is owed" and not self.server.sqlite:
                wanted += (200,)  # the line that tells of it fits into a page that the server has
            if status not in wanted:
                faults.append(f"{when}: {name} answered {status}, not {wanted}: {_sentence(told)}")
            elif is_refused and status != right and not ("disk is full" in told or "busy" in told):
                faults.append(f"{when}: {name} answered {status} without a sentence: {told[-300:]}")
        pages = ("/owed", f"{self.reply}/pages/page1", f"{self.reply}/check", f"{self.reply}/files")
        for who, path in [(self.person, one) for one in pages] + [(self.coordinator, f"/rounds/{self.round}")]:
            self.tried += 1
            status, told = send(who, "GET", path)
            if status != 200:
                faults.append(f"{when}: {path} answered {status}: {_sentence(told.decode())}")
        return faults

    def save(self) -> tuple[int, bytes]:
        """Save long texts until one is refused (a few may still fit into what the database holds already), or once."""
        for attempt in range(200):
            name, key = "measures@en", os.urandom(8).hex()
            fields = {name: f"{attempt} " + "x" * 60_000, f"base:{name}": str(self.base), "request_key": key}
            headers = JSON | {"X-CSRFToken": self.person.csrf}
            status, told, _headers = self.person.ask("POST", f"{self.reply}/pages/page1", fields, **headers)
            if status != 200:
                return status, told.encode()
            self.base = json.loads(told)["saved"][0]["revision"]
            if not self.is_full():
                break
        with self.server.reading() as session:
            of_this = select(func.max(AnswerRevision.revision)).where(AnswerRevision.submission_id == self.reply_id)
            there = session.scalar(of_this)
        return (200, b"") if there == self.base else (0, b"revision %d was acknowledged, not kept" % self.base)

    def is_full(self) -> bool:
        """Tell whether the disk is full, as far as this measurement filled it."""
        return shutil.disk_usage(self.server.data).free < 1 << 20

    def upload(self) -> tuple[int, bytes]:
        """Attach a file as a page without script does."""
        return form(self.person, f"{self.reply}/questions/proof/files", ("a.pdf", HEAD + os.urandom(200_000)))

    def piece(self) -> tuple[int, bytes]:
        """Send the first piece of a file."""
        path = f"{self.reply}/uploads/{os.urandom(8).hex()}?offset=0"
        return send(self.person, "PUT", path, os.urandom(PIECE), **JSON)

    def workbook(self) -> tuple[int, bytes]:
        """Download everything that is owed."""
        status, content = form(self.person, "/owed/workbook", round=self.round)
        if status == 200:
            self.book = content
        return status, content

    def returned(self) -> tuple[int, bytes]:
        """Send back the workbook that was downloaded last."""
        return form(self.person, "/owed/offline", ("back.xlsx", self.book), round=self.round)

    def export(self) -> tuple[int, bytes]:
        """Make the workbook of the round; it counts as made only if it is there."""
        status, told = form(self.coordinator, f"/rounds/{self.round}/workbooks")
        if status == 303:
            with self.server.reading() as session:
                made = session.scalars(select(Export).order_by(Export.id.desc())).first()
            if made is None or made.status.value != "done":
                return 0, f"export {made and made.status.value}".encode()
        return status, told


def _sentence(page: str) -> str:
    return " ".join(page.split())[-300:]
