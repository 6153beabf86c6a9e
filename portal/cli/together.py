"""An answer whose headers leave with the first of its body: one packet, and one wake of whoever waits for it.

gunicorn sends headers, then the body: two calls of the system for each, after each of which another thread of the
process may take its turn, and on a line two packets where one would do (decision 0059).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn import util
from gunicorn.http.wsgi import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

# bytes of a first piece up to which it is joined with the headers: joining copies it
JOINED = 64 * 1024


class Together(Response):
    """gunicorn's response; what it promises to a WSGI application is the same."""

    # headers that are made and not sent, and whether the next are to leave by themselves
    _waiting, _at_once = b"", False
    headers_sent: bool

    def send_headers(self) -> None:
        """Make the headers; they leave with what is sent next."""
        if self.headers_sent:
            return
        lines = [*self.default_headers(), *[f"{name}: {value}\r\n" for name, value in self.headers], "\r\n"]
        self._waiting = "".join(lines).encode("latin-1")
        self.headers_sent = True
        if self._at_once:
            self._let_go()

    def _emit_body(self, data: bytes) -> None:
        """Send a piece of the body, after the headers that wait."""
        if self._waiting and not self.chunked and len(data) <= JOINED:
            data, self._waiting = self._waiting + data, b""
        else:
            self._let_go()
        util.write(self.sock, data, self.chunked)

    def write_file(self, respiter: Iterable[bytes]) -> None:
        """Send a file: the system copies it to the line past this class, so the headers do not wait."""
        self._at_once = True
        super().write_file(respiter)

    def close(self) -> None:
        """End the answer; one without a body has its headers sent here."""
        if not self.headers_sent:
            self.send_headers()
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self.sock.sendall(waiting)
