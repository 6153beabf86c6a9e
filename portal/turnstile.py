"""One request at a time computes in a process; the others wait outside, in order, and never for long.

The threads of a Python process take turns at computing anyway. Where eight requests do so at once, each lets the others
in between every two statements to the database: all become slow together, a fifth of the processor goes into changing
turns, and the one that holds the writer lock waits like the rest. Nobody waits here for long: a request that takes its
time (a workbook, a password, a slow disk) loses its place to the next one and goes on beside it.
"""

from __future__ import annotations

import io
import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# seconds after which the request inside loses its place to the next one
PATIENCE = 0.01
# seconds between two looks, at least: one that looks all the time keeps the one inside from its work
LOOK = 0.0005
# bytes of a body that is read before its request goes in: a slow line must not hold the place
SMALL = 512 * 1024


class Place:
    """A lock that is handed over in the order of arrival, and taken from one that keeps it too long.

    Not a semaphore: whoever comes just when that is released is before those who wait for it.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._mutex = Lock()
        self._queue: deque[Lock] = deque()
        self._holder: Lock | None = None
        self._since = 0.0

    def enter(self) -> Lock:
        """Wait for the place; return what :meth:`leave` wants to be told."""
        turn = Lock()
        turn.acquire()
        with self._mutex:
            if self._holder is None:
                self._give(turn)
                return turn
            self._queue.append(turn)
            until = self._since + self._patience * len(self._queue)
        while not turn.acquire(timeout=max(LOOK, until - time.monotonic())):
            with self._mutex:
                if turn not in self._queue:  # given in this very moment, and perhaps lost again in it
                    break
                if turn is self._queue[0] and time.monotonic() - self._since >= self._patience:
                    self._give(self._queue.popleft())
                    break
                until = self._since + self._patience * (self._queue.index(turn) + 1)
        return turn

    def leave(self, turn: Lock) -> None:
        """Let the next one in, unless somebody took the place meanwhile."""
        with self._mutex:
            if turn is not self._holder:
                return
            self._holder = None
            if self._queue:
                following = self._queue.popleft()
                self._give(following)
                following.release()

    def _give(self, turn: Lock) -> None:
        self._holder, self._since = turn, time.monotonic()


class Turnstile:
    """A WSGI application in front of another one."""

    def __init__(self, app: WSGIApplication, *, patience: float = PATIENCE) -> None:
        """Let requests in one by one; the one inside is alone for ``patience`` seconds at most."""
        self._app = app
        self._place = Place(patience)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when its turn has come; one with a large body waits for its line, and takes no turn."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > SMALL or "HTTP_TRANSFER_ENCODING" in environ:
            return self._app(environ, start_response)
        if length != "0":
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        turn = self._place.enter()
        try:
            return self._app(environ, start_response)
        finally:
            self._place.leave(turn)
