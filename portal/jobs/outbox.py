"""Sending the outbox: by SMTP with time-outs, or into a folder; no mail is lost, and a stuck one is shown."""

from __future__ import annotations

import logging
import os
import smtplib
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sqlalchemy import or_, select

from config import is_loopback
from portal import clock
from portal.database import write
from portal.extensions import db
from portal.masking import masked
from portal.models import MailStatus, OutgoingMail
from portal.services.mail import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from flask import Flask

    from config import Settings

    Deliver = Callable[[EmailMessage, str], None]

log = logging.getLogger("portal.mail")

BATCH = 20
LEASE = timedelta(minutes=10)
ATTEMPTS = 10
LONGEST_WAIT = timedelta(hours=6)
TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class _Taken:
    """A mail in hand, out of the transaction."""

    id: int
    public_id: str
    address: str
    subject: str
    body: str
    created_at: datetime
    attempts: int


class Unsendable(Exception):
    """This mail can never go out as it is."""


def send_due(app: Flask) -> int:
    """Send up to 20 mails that are due; return how many were taken in hand."""
    settings = app.config["SETTINGS"]
    taken = _take()
    if not taken:
        return 0
    try:
        with _route(settings) as deliver:
            for mail in taken:
                _send(mail, settings, deliver)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail does not go out: %s", type(error).__name__)
        _put_back(taken, _reason(error))
    return len(taken)


def _take() -> list[_Taken]:
    """Take mails under a lease: should this process die now, they are taken again when it has run out."""
    now = clock.now()
    due = (
        select(OutgoingMail)
        .where(
            OutgoingMail.status == MailStatus.QUEUED,
            or_(OutgoingMail.not_before.is_(None), OutgoingMail.not_before <= now),
        )
        .order_by(OutgoingMail.id)
        .limit(BATCH)
    )
    found = db.session.scalar(due.with_only_columns(OutgoingMail.id).limit(1))
    db.session.rollback()
    if found is None:
        return []
    with write() as session:
        mails = session.scalars(due.with_for_update(skip_locked=True)).all()
        for mail in mails:
            mail.attempts += 1
            mail.not_before = now + LEASE
        return [
            _Taken(one.id, one.public_id, one.address, one.subject, one.body, one.created_at, one.attempts)
            for one in mails
        ]


def _send(mail: _Taken, settings: Settings, deliver: Deliver) -> None:
    try:
        deliver(build(mail, settings), mail.public_id)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException, Unsendable) as error:
        _settle(mail, error=_reason(error), final=_is_final(error))
    except ValueError as error:
        # the e-mail package refuses a header it cannot write
        _settle(mail, error=str(error), final=True)
    else:
        _settle(mail)


def build(mail: _Taken, settings: Settings) -> EmailMessage:
    """Return a plain-text mail; its Message-ID stays the same when it is sent again, so that servers can tell."""
    message = EmailMessage()
    message["From"] = one_line(settings.mail_from)
    message["To"] = one_line(mail.address)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.created_at)
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{mail.public_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="base64")
    return message


def _settle(mail: _Taken, error: str | None = None, *, final: bool = False) -> None:
    """Write down what became of a mail; a link that lets somebody in is not kept once it has gone out."""
    with write() as session:
        row = session.get_one(OutgoingMail, mail.id, populate_existing=True)
        row.error = error
        if error is None:
            row.status, row.sent_at, row.not_before = MailStatus.SENT, clock.now(), None
            row.body = masked(row.body)
        elif final or mail.attempts >= ATTEMPTS:
            row.status, row.not_before = MailStatus.FAILED, None
        else:
            row.not_before = clock.now() + min(LONGEST_WAIT, timedelta(minutes=2**mail.attempts))


def _put_back(taken: list[_Taken], reason: str) -> None:
    """The server itself does not answer: what was not sent waits, and nothing is given up for that."""
    with write() as session:
        for row in session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.id.in_([mail.id for mail in taken]), OutgoingMail.status == MailStatus.QUEUED)
            .execution_options(populate_existing=True)
        ):
            if row.error is None or row.error == reason:
                row.not_before = clock.now() + min(LONGEST_WAIT, timedelta(minutes=2 ** min(row.attempts, 8)))
            row.error = reason
            row.attempts = min(row.attempts, ATTEMPTS - 1)


def _is_final(error: Exception) -> bool:
    """Tell whether trying again is of no use (RFC 5321: 5yz is permanent, 4yz is not)."""
    permanent = 500
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= permanent for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= permanent
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()), (0, b""))
        return one_line(f"{code} {_words(text)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return one_line(f"{error.smtp_code} {_words(error.smtp_error)}")
    return one_line(f"{type(error).__name__}: {error}")


def _words(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


@contextmanager
def _route(settings: Settings) -> Iterator[Deliver]:
    folder = settings.spool_dir
    if folder is not None:
        yield lambda message, name: _spool(folder, message, name)
        return
    with _connect(settings.mail_url) as server:
        yield lambda message, _name: _hand_over(server, message)


def _spool(folder: Path, message: EmailMessage, name: str) -> None:
    """Write a mail under its own name: sent twice, it is still one file."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}"
    with draft.open("wb") as file:
        file.write(message.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / f"{name}.eml")


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    server.send_message(message)


@contextmanager
def _connect(url: str) -> Iterator[smtplib.SMTP]:
    """Open the mail server; a password goes out over TLS or to this machine only."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    tls = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    with server:
        secure = parts.scheme == "smtps"
        server.ehlo()
        if not secure and not is_loopback(host) and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
            secure = True
        if parts.username:
            if not secure and not is_loopback(host):
                message = "the mail server offers no TLS, so the password was not sent to it"
                raise smtplib.SMTPException(message)
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
