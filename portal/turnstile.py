"""One request at a time computes in a process; the others wait outside, in order, and never for long.

The threads of a Python process take turns at computing anyway. Where eight requests do so at once, each lets the others
in between every two statements to the database: all become slow together, a fifth of the processor goes into changing
turns, and the one that holds the writer lock waits like the rest. Nobody waits here for longer than a moment: a request
that takes its time (a workbook, a password) keeps nobody out.
"""

from __future__ import annotations

import io
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# seconds after which a request goes in beside the others
PATIENCE = 0.03
# bytes of a body that is read before its request goes in: a slow line must not hold the place
SMALL = 512 * 1024


class Turnstile:
    """A WSGI application in front of another one."""

    def __init__(self, app: WSGIApplication, *, patience: float = PATIENCE) -> None:
        """Let requests in one by one; each waits for ``patience`` seconds at most."""
        self._app = app
        self._patience = patience
        self._place = BoundedSemaphore()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when its turn has come; one with a large body waits for its line, and takes no turn."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > SMALL or "HTTP_TRANSFER_ENCODING" in environ:
            return self._app(environ, start_response)
        if length != "0":
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        mine = self._place.acquire(timeout=self._patience)
        try:
            return self._app(environ, start_response)
        finally:
            if mine:
                self._place.release()
