"""``doctor``: look over the installation and say what to mend."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import stat
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from portal import migrations
from portal.cli.context import EXIT_REFUSED, with_app
from portal.database import data_file, write
from portal.extensions import db
from portal.models import AuditEvent, MailStatus, OutgoingMail
from portal.papers.typesetting import available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from config import Settings

LEAST_FREE = 200 * 1024 * 1024
SCARCE = 1024 * 1024 * 1024
# SQLite before this can corrupt a WAL database that two connections checkpoint at once
SAFE_SQLITE = (3, 51, 3)
SLOW_LOCK = 2.0
FULL = 2


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``state`` is ok, warning or fault; ``mend`` says what to do."""

    name: str
    state: str
    found: str
    mend: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def doctor(app: Flask, *, as_json: bool) -> None:
    """Check the installation and say what to mend; exit code 1 when there is a fault (warnings are 0)."""
    settings = app.config["SETTINGS"]
    findings: list[Finding] = []
    for look in (_database, _schema, _lock, _disk, _permissions, _clock, _mail, _settings, _pdf):
        findings.extend(_looked(look, settings))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=1))
    else:
        for one in findings:
            click.echo(f"{one.state:8} {one.name:20} {one.found}" + (f"\n{'':29} {one.mend}" if one.mend else ""))
    if any(one.state == "fault" for one in findings):
        raise click.exceptions.Exit(EXIT_REFUSED)


def _looked(look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    """Let one look fail without hiding the others."""
    try:
        return list(look(settings))
    except (SQLAlchemyError, OSError, RuntimeError) as error:
        db.session.rollback()
        name = look.__name__.strip("_")
        return [Finding(name, "fault", f"could not be looked at ({type(error).__name__})", "See the finding above it.")]


def _database(_settings: Settings) -> Iterator[Finding]:
    engine = db.engine
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            yield Finding("database", "ok", f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}")
            return
        library = str(connection.execute(text("SELECT sqlite_version()")).scalar())
        safe = tuple(int(part) for part in library.split(".")) >= SAFE_SQLITE
        yield Finding(
            "sqlite library",
            "ok" if safe else "warning",
            library,
            "" if safe else "Install the pysqlite3 wheel, or serve with one process (PORTAL_PROCESSES=1).",
        )
        journal = connection.execute(text("PRAGMA journal_mode")).scalar()
        yield _must("journal mode", str(journal), "wal", "The folder may be a network drive: keep it on a local disk.")
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar()
        yield _must("synchronous", str(synchronous), str(FULL), "Answers could be lost in a power cut.")
        check = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
        yield _must("integrity", check, "ok", "Restore the last backup: python3 -m portal restore FILE.")


def _must(name: str, found: str, wanted: str, mend: str) -> Finding:
    return Finding(name, "ok", found) if found == wanted else Finding(name, "fault", f"{found}, not {wanted}", mend)


def _schema(_settings: Settings) -> Iterator[Finding]:
    found = migrations.current(db.engine) or "empty"
    yield _must("schema", found, migrations.head(), "python3 -m portal db upgrade")


def _lock(_settings: Settings) -> Iterator[Finding]:
    began = time.monotonic()
    with write() as session:
        session.execute(text("SELECT 1"))
    took = time.monotonic() - began
    slow = took > SLOW_LOCK
    mend = "Look for a hung process." if slow else ""
    yield Finding("writer lock", "warning" if slow else "ok", f"{took * 1000:.0f} ms", mend)


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir).free
    state = "fault" if free < LEAST_FREE else "warning" if free < SCARCE else "ok"
    mend = "" if state == "ok" else "Make room: nothing can be saved on a full disk."
    yield Finding("disk", state, f"{free // (1024 * 1024)} MB free in {settings.data_dir}", mend)


def _permissions(settings: Settings) -> Iterator[Finding]:
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        yield Finding("data folder", "fault", "cannot be written", f"chown the folder {settings.data_dir}")
    for name, path in _private(settings):
        if not path.exists():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        others = mode & 0o077 if name == "secret-key" else mode & 0o007
        bad = bool(others) and os.name == "posix"
        yield Finding(name, "warning" if bad else "ok", f"mode {mode:04o}", f"chmod go-rwx {path}" if bad else "")


def _private(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "secret-key", settings.data_dir / "secret-key"
    yield "evidence folder", settings.evidence_dir
    if (file := data_file(db.engine)) is not None:
        yield "database file", file


def _clock(_settings: Settings) -> Iterator[Finding]:
    newest = db.session.scalar(select(func.max(AuditEvent.at)))
    here = datetime.now(UTC)
    ahead = newest is not None and newest > here + timedelta(minutes=5)
    mend = "The clock went backwards, or was wrong: check the time service." if ahead else ""
    yield Finding("clock", "fault" if ahead else "ok", here.strftime("%Y-%m-%d %H:%M:%S UTC"), mend)
    if db.engine.dialect.name == "postgresql":
        there = db.session.scalar(select(func.clock_timestamp()))
        apart = abs((there - here).total_seconds()) if there else 0.0
        far = apart > 60
        mend = "Let both machines ask the same time service." if far else ""
        yield Finding("database clock", "warning" if far else "ok", f"{apart:.1f} s apart", mend)


def _mail(settings: Settings) -> Iterator[Finding]:
    waiting = db.session.scalar(
        select(func.count()).select_from(OutgoingMail).where(OutgoingMail.status == MailStatus.QUEUED)
    )
    failed = db.session.scalar(
        select(func.count()).select_from(OutgoingMail).where(OutgoingMail.status == MailStatus.FAILED)
    )
    mend = "See outgoing_mail.error in the dump; correct the addresses on the people pages." if failed else ""
    yield Finding("outbox", "warning" if failed else "ok", f"{waiting} waiting, {failed} failed", mend)
    if settings.spool_dir is not None:
        yield Finding("mail", "ok", f"to the folder {settings.spool_dir}")
        return
    parts = urlsplit(settings.mail_url)
    secure = parts.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    try:
        with kind(parts.hostname or "", parts.port or (465 if secure else 25), timeout=5) as server:
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        found = f"{parts.hostname} does not answer ({type(error).__name__})"
        yield Finding("mail", "warning", found, "Mails wait in the outbox until it does; check PORTAL_MAIL_URL.")
        return
    yield Finding("mail", "ok", f"{parts.hostname} answers")


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.development:
        yield Finding("development", "warning", "PORTAL_DEVELOPMENT is on", "Never on a server.")
    state = "ok" if settings.secure else "warning"
    yield Finding("address", state, settings.base_url, "" if settings.secure else "Fit for this machine only.")


def _pdf(_settings: Settings) -> Iterator[Finding]:
    if available():
        yield Finding("pdf", "ok", f"typst {version('typst')}")
        return
    mend = "serve fetches it once pages are answered; at once: python3 -m portal.bootstrap pdf"
    yield Finding("pdf", "warning", "not here yet: pages print, PDFs are not made", mend)
