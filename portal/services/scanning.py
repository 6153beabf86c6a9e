"""The virus scanner: a file is shown to clamd (INSTREAM) before it is kept, where one is configured."""

from __future__ import annotations

import logging
import socket
import struct
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import lazy_gettext as _l

from portal import clock
from portal.database import writing
from portal.errors import Invalid, Unavailable
from portal.extensions import db
from portal.table import Problem

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

log = logging.getLogger("portal.scanning")

CHUNK = 64 * 1024
LONGEST_ANSWER = 4096


class NoAnswer(Exception):
    """The scanner cannot be reached, takes too long, or says something that is no verdict."""


def scan(path: Path, name: str) -> datetime | None:
    """Return when the file was found clean; None where it was not scanned. Never call it inside ``write()``.

    What the scanner calls infected, and (``PORTAL_CLAMD_REQUIRED``) what it does not answer about, is refused.

    Raises:
        Invalid: a virus was found; the log says its name and the file's fingerprint, never the content.
        Unavailable: the scanner does not answer and must.
    """
    settings = current_app.config["SETTINGS"]
    if not settings.clamd:
        return None
    if writing(db.session):
        message = "a file is scanned before the transaction that attaches it"
        raise RuntimeError(message)
    try:
        found = ask(settings.clamd, path, settings.clamd_seconds)
    except (OSError, NoAnswer) as error:
        why = error if isinstance(error, NoAnswer) else type(error).__name__
        log.warning("the virus scanner does not answer: %s", why)
        if not settings.clamd_required:
            return None
        raise Unavailable(
            _l("The virus scanner does not answer, so “%(name)s” was not taken. Try again in some minutes.", name=name),
            code="scanner_unavailable",
        ) from error
    if found:
        log.warning("a file with a virus was refused: %s, %s bytes", _plain(found), path.stat().st_size)
        sentence = _l("A virus was found in “%(name)s” (%(virus)s). It was not taken.", name=name, virus=_plain(found))
        raise Invalid(sentence, problems=[Problem(sentence, field="file")], code="file_infected")
    return clock.now()


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:120]


def ask(address: str, path: Path, seconds: float) -> str:
    """Stream a file to clamd; return the name of what it found, "" for a clean file. ``seconds`` bound the whole talk.

    Raises:
        NoAnswer, OSError: there is no verdict.
    """
    end = time.monotonic() + seconds
    with _connect(address, seconds) as line, path.open("rb") as file:
        try:
            line.sendall(b"zINSTREAM\0")
            while chunk := file.read(CHUNK):
                line.settimeout(_left(end))
                line.sendall(struct.pack("!L", len(chunk)) + chunk)
            line.sendall(struct.pack("!L", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it stopped listening (over its size limit), but may have said why
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < LONGEST_ANSWER:
            line.settimeout(_left(end))
            if not (more := line.recv(1024)):
                break
            answer += more
    return verdict(answer)


def verdict(answer: bytes) -> str:
    """Return what an answer of clamd names, "" for clean.

    Raises:
        NoAnswer: it is neither "stream: OK" nor "stream: NAME FOUND".
    """
    text = answer.rstrip(b"\0\n").decode("utf-8", "replace")
    if text == "stream: OK":
        return ""
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        return text.removeprefix("stream: ").removesuffix(" FOUND") or "unknown"
    raise NoAnswer(_plain(text) or "an empty answer")


def _connect(address: str, seconds: float) -> socket.socket:
    if address.startswith("unix:"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(seconds)
        try:
            line.connect(address.removeprefix("unix:"))
        except OSError:
            line.close()
            raise
        return line
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=seconds)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise NoAnswer("it takes too long")
    return left
