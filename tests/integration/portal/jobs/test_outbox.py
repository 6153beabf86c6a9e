"""The outbox and the worker: what was queued goes out once, or is shown as failed; a dead worker loses nothing."""

from __future__ import annotations

import email
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from portal import clock
from portal.jobs import handlers, outbox, worker
from portal.models import Job, JobStatus, MailStatus, OutgoingMail
from portal.services import mail
from portal.services.jobs import queue_job
from portal.services.mail import Recipient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from sqlalchemy.orm import Session

FACTS = {
    "url": "http://localhost/enter/s3cret-token",
    "code": "ACDE-FGHJ",
    "login": "moj",
    "count": 3,
    "round": "Fourth report",
    "due": "1 March 2027",
    "message": "",
    "secretariat": "Human Rights Committee",
    "portal": "Tamdan",
}


def put(session: Session, app: Flask, address: str = "one@example.org", language: str = "km") -> OutgoingMail:
    about = {"km": FACTS | {"round": "របាយការណ៍\r\nBcc: x@example.org"}, "en": FACTS}
    with app.test_request_context("/"):
        made = mail.queue_mail(
            session, "issued", Recipient(None, address, language), languages=("km", "en"), about=about
        )
    assert made is not None
    session.commit()
    return made


def look_again(session: Session) -> None:
    """Forget what was read, and end the snapshot it was read from."""
    session.rollback()
    session.expire_all()


class Inbox:
    """A mail server that keeps what it gets and refuses some recipients."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - named by aiosmtpd
        self.got.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    kept = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    yield kept, f"smtp://127.0.0.1:{port}"
    server.stop()


def test_a_subject_cannot_start_another_header(session: Session, app: Flask) -> None:
    made = put(session, app)
    assert "\n" not in made.subject
    assert "\r" not in made.subject
    assert (
        mail.queue_mail(session, "issued", Recipient(None, "a@b.c\nBcc: d@e.f", "en"), languages=(), about={}) is None
    )


def test_mail_goes_to_the_spool_once(session: Session, app: Flask) -> None:
    made = put(session, app)
    worker.work_all(app)
    worker.work_all(app)
    look_again(session)
    files = list(app.config["SETTINGS"].spool_dir.glob("*.eml"))
    assert [file.stem for file in files] == [made.public_id]
    message = email.message_from_bytes(files[0].read_bytes(), policy=default)
    assert "s3cret-token" in message.get_content()
    assert "Bcc" not in message
    assert made.status is MailStatus.SENT
    assert "s3cret-token" not in made.body


def test_mail_goes_out_by_smtp_and_bad_recipients_are_shown(
    session: Session, make_app: Callable[..., Flask], inbox: tuple[Inbox, str]
) -> None:
    box, url = inbox
    app = make_app(mail_url=url)
    box.answers = {"no@example.org": "550 no such person", "busy@example.org": "451 later"}
    good, bad, busy = (put(session, app, f"{name}@example.org") for name in ("good", "no", "busy"))
    worker.work_once(app)
    look_again(session)
    assert [one.status for one in (good, bad, busy)] == [MailStatus.SENT, MailStatus.FAILED, MailStatus.QUEUED]
    assert "550" in (bad.error or "")
    assert [one["To"] for one in box.got] == ["good@example.org"]
    box.answers = {}
    with clock.at(clock.now() + timedelta(hours=1)):
        worker.work_once(app)
    look_again(session)
    assert busy.status is MailStatus.SENT
    assert len(box.got) == 2


def test_a_server_that_does_not_answer_loses_nothing(session: Session, make_app: Callable[..., Flask]) -> None:
    app = make_app(mail_url="smtp://127.0.0.1:9")
    made = [put(session, app) for _ in range(3)]
    start = clock.now()
    for hours in range(40):
        with clock.at(start + timedelta(hours=7 * hours)):
            worker.work_once(app)
    look_again(session)
    assert {one.status for one in made} == {MailStatus.QUEUED}
    assert all(one.error for one in made)


def test_a_job_whose_worker_died_is_done_again(session: Session, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setitem(handlers.HANDLERS, "note", lambda _app, word: done.append(word))
    job = queue_job(session, "note", word="once")
    session.commit()
    with app.app_context():
        assert worker._take() is not None
    worker.work_all(app)
    assert done == []
    with clock.at(clock.now() + worker.LEASE + timedelta(seconds=1)):
        worker.work_all(app)
    look_again(session)
    assert done == ["once"]
    assert job.status is JobStatus.DONE


def test_a_bad_job_is_tried_again_then_shown(session: Session, app: Flask) -> None:
    job = queue_job(session, "nobody-knows-this")
    session.commit()
    start = clock.now()
    for days in range(8):
        with clock.at(start + timedelta(days=days)):
            worker.work_all(app)
    look_again(session)
    assert (job.status, job.attempts) == (JobStatus.FAILED, worker.ATTEMPTS)


def test_a_mail_in_the_hand_of_a_dead_worker_is_sent_later(session: Session, app: Flask) -> None:
    made = put(session, app)
    with app.app_context():
        assert len(outbox._take()) == 1
    worker.work_all(app)
    look_again(session)
    assert made.status is MailStatus.QUEUED
    with clock.at(clock.now() + outbox.LEASE + timedelta(seconds=1)):
        worker.work_all(app)
    look_again(session)
    assert made.status is MailStatus.SENT


def test_a_killed_worker_leaves_the_mail(session: Session, app: Flask, tmp_path: Path) -> None:
    settings = app.config["SETTINGS"]
    made = put(session, app)
    environment = os.environ | {
        "PORTAL_DATABASE_URL": settings.database_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_CACHE_DIR": str(settings.cache_dir),
        "PORTAL_MAIL_URL": f"spool:{tmp_path / 'spool'}",
    }
    code = "from portal.app import create_app; from portal.jobs.worker import run; run(create_app())"
    child = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        for _ in range(900):
            if list((tmp_path / "spool").glob("*.eml")):
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait(10)
    assert [file.stem for file in (tmp_path / "spool").glob("*.eml")] == [made.public_id]
    look_again(session)
    assert session.scalars(select(OutgoingMail.status)).one() in {MailStatus.SENT, MailStatus.QUEUED}
    assert session.scalars(select(Job).where(Job.once.is_(None))).all() == []
