"""The real ``serve`` as a subprocess on loopback, with a data folder of its own and a way into its database."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy.orm import Session

from config import ROOT
from portal.cli.supervisor import dying_with
from portal.database import _open_for_writing
from portal.models import UserAccount
from portal.services import sessions
from tests import engines, factories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTS_WITHIN = 90  # seconds; a first start builds the assets
ENDS_WITHIN = 40


class Served:
    """A portal that answers at ``url``; its log is in ``log``, its database behind :meth:`session`."""

    port = "0"
    # settings besides
    more: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path, template: Path, address: str = "") -> None:
        """Start on a copy of the template, or on the migrated database at ``address``."""
        self.folder = folder
        self.log = folder / "serve.log"
        data = folder / "data"
        data.mkdir()
        database = data / "tamdan.sqlite3"
        shutil.copyfile(template, database)
        self.sqlite = not address
        self._engine = engines.open_engine(address or f"sqlite:///{database}")
        with self.session() as session:
            factories.country(session)
            factories.system_actor(session)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        self.environment = kept | {
            "PORTAL_BOOTSTRAP": "0", "PORTAL_DATA_DIR": str(data), "PORTAL_CACHE_DIR": str(ROOT / ".cache"),
            "PORTAL_TOTP_REQUIRED": "-", "PYTHONUNBUFFERED": "1", **self.more,
        }  # fmt: skip
        if address:
            self.environment["PORTAL_DATABASE_URL"] = address
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        with self.log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "portal", "serve", "--port", self.port],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                preexec_fn=dying_with(os.getpid()),  # noqa: PLW1509 - two calls; a killed run leaves no server behind
            )  # fmt: skip
        try:
            self.url = self._announced(process)
        except BaseException:
            process.kill()
            process.wait(10)
            # left to the collector, it would make some later test fail for this one
            assert process.stdout is not None
            process.stdout.close()
            raise
        return process

    def _announced(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        until = time.monotonic() + STARTS_WITHIN
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while process.poll() is None and selector.select(max(0.0, until - time.monotonic())):
                if found := re.search(r"http://\S+", process.stdout.readline()):
                    return found.group(0)
        message = f"serve did not come up within {STARTS_WITHIN} s:\n{self.last_lines()}"
        raise AssertionError(message)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Change the database beside the running server, as one write transaction."""
        with Session(self._engine, expire_on_commit=False) as session:
            # a transaction that reads first and writes later is told that the database is locked
            _open_for_writing(session)
            yield session
            session.commit()

    def session_of(self, person: UserAccount) -> str:
        """Start a browser session for a person and return what its cookie holds."""
        with self.session() as session:
            _made, token = sessions.start_session(
                session, session.get_one(UserAccount, person.id), lifetime=timedelta(hours=1), user_agent="test"
            )
        return token

    def last_lines(self, many: int = 40) -> str:
        """Return the end of the server's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-many:])

    def stop(self) -> None:
        """End the server by TERM, or by KILL when it does not listen."""
        self._engine.dispose()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
