"""Keep the web server and the worker running as children, pass TERM on, and leave none behind."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from config import ROOT
from portal.cli.context import EXIT_CHILD, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from config import Settings

GRACE = 30.0  # seconds a child may take to finish what it has in hand
READY_WITHIN = 180.0  # an old machine that is busy takes its time; giving up would help nobody
# seconds after which a connection whose other end vanished without a word (a phone that lost its line) is given up: the
# half of a request that came over it would keep a thread for ever
LOST_AFTER = 60
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket before anything else starts, so that a port in use is one clear sentence.

    Raises:
        Refused: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host.strip("[]"), port))
    except OSError as error:
        made.close()
        raise Refused(f"cannot listen on {host} port {port}: {error.strerror}. Choose another with --port.") from error
    _give_up_the_lost(made)
    made.listen(512)
    made.set_inheritable(True)
    return made


def _give_up_the_lost(listening: socket.socket) -> None:
    """Let the system ask silent ends whether they are there, and end what is not; connections inherit it."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {
        "TCP_KEEPIDLE": LOST_AFTER // 2,
        "TCP_KEEPINTVL": max(1, LOST_AFTER // 6),
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": LOST_AFTER * 1000,  # for what was sent and never acknowledged
    }
    for name, value in wanted.items():
        if (option := getattr(socket, name, None)) is not None:  # some systems know only some of them
            listening.setsockopt(socket.IPPROTO_TCP, option, value)


def web_command(settings: Settings, descriptor: int) -> list[str]:
    """Return the command of the web server: gunicorn with threads, on the socket that is already open."""
    shared_memory = ["--worker-tmp-dir", "/dev/shm"] if os.path.isdir("/dev/shm") else []  # noqa: S108, PTH112 - gunicorn's own advice for its heartbeat
    return [
        sys.executable, "-m", "gunicorn", "portal.wsgi:application()",
        "--bind", f"fd://{descriptor}", "--worker-class", "portal.cli.even_worker.EvenWorker",
        "--workers", str(settings.processes), "--threads", str(settings.threads),
        "--timeout", "90", "--graceful-timeout", str(int(GRACE) - 5), "--keep-alive", "15",
        # the application is imported once and forked: it opens no connection before its first request
        "--preload", "--log-level", "warning", "--logger-class", "portal.cli.server_log.MaskedLog",
        "--no-control-socket", *shared_memory,
    ]  # fmt: skip


@dataclass
class Child:
    """One process under supervision; an essential one ends the whole when it ends."""

    name: str
    command: list[str]
    essential: bool
    # ends by itself when its work is done, and is not started again
    once: bool = False
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    again_at: float = 0.0
    started_at: float = field(default=0.0)

    def start(self, environment: dict[str, str]) -> None:
        """Start the process in a group of its own, so that Ctrl-C reaches it through the supervisor only."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, pass_fds=self.descriptors,
            start_new_session=True, preexec_fn=dying_with(os.getpid()),  # noqa: PLW1509 - two calls, no threads yet
        )  # fmt: skip

    def signal(self, number: int) -> None:
        """Send a signal to the process, if it still runs."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End the process and whatever it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def dying_with(parent: int) -> Callable[[], None]:
    """Return what a child does before it becomes its program, so that it ends when its parent does (Linux)."""

    def prepare() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # a parent that was killed between fork and this line leaves no signal behind: the child would stay for ever
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Supervisor:
    """Start the children, watch them, and stop them together."""

    def __init__(self, children: list[Child], environment: dict[str, str]) -> None:
        """Take over the children; ``environment`` is added to this process's own."""
        self.children = children
        self.environment = {**os.environ, **environment, "PORTAL_BOOTSTRAP": "0"}
        self.stopping = False

    def start(self) -> None:
        """Start every child and take over TERM, INT and HUP (HUP reloads the web processes)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._reload)
        for child in self.children:
            child.start(self.environment)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        for child in self.children:
            child.signal(signal.SIGHUP if child.essential else signal.SIGTERM)

    def add(self, child: Child) -> None:
        """Start one more child beside those that run."""
        self.children.append(child)
        child.start(self.environment)

    def wait_ready(self, address: tuple[str, int]) -> bool:
        """Return True when the web server answers, False when it was stopped or died first."""
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until and not self.stopping:
            if any(child.essential and child.process and child.process.poll() is not None for child in self.children):
                return False
            connection = http.client.HTTPConnection(*address, timeout=5)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            else:
                return True
            finally:
                connection.close()
        return False

    def run(self) -> int:
        """Watch until TERM or INT (returns 0) or until an essential child ends by itself (returns 5)."""
        code = 0
        while not self.stopping:
            for child in list(self.children):
                if child.process is not None and child.process.poll() is not None:
                    code = self._ended(child)
                elif child.process is None and time.monotonic() >= child.again_at:
                    child.start(self.environment)
            time.sleep(0.2)
        self.shut_down()
        return code

    def _ended(self, child: Child) -> int:
        returned = child.process.returncode if child.process else 0
        if child.once:
            self.children.remove(child)
            return 0
        if child.essential:
            click.echo(f"portal: the {child.name} ended by itself (code {returned}); stopping.", err=True)
            self.stopping = True
            return EXIT_CHILD
        # A worker that ran for ten minutes starts counting anew.
        child.deaths = 0 if time.monotonic() - child.started_at > 600 else child.deaths
        pause = BACKOFF[min(child.deaths, len(BACKOFF) - 1)]
        child.deaths += 1
        child.process, child.again_at = None, time.monotonic() + pause
        click.echo(f"portal: the {child.name} ended (code {returned}); starting it again in {pause:.0f} s.", err=True)
        return 0

    def shut_down(self) -> None:
        """Pass TERM to all children, wait for them, and kill what is left."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + GRACE
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, until - time.monotonic()))
                child.kill()
