"""A door with a certificate (gunicorn's ``certfile`` and ``keyfile``): what is said there is deciphered as it comes.

gunicorn lets a thread make the handshake and read the request, and waits for both: so many halves of handshakes, so
many threads. Here the one at the door goes on with each handshake as its messages come, and what follows is gathered
like any other request. HTTP/2 is not spoken.
"""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gunicorn import http
from gunicorn.sock import ssl_context

if TYPE_CHECKING:
    from gunicorn.workers.gthread import TConn

# they say that a message is not whole, or the line is full
_LATER = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Cipher:
    """Deciphers the connections of a worker by its certificate, which is read once."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = ssl_context(self._cfg)
        return context

    def take(self, connection: TConn, most: int) -> bytes:
        """Return what came on a connection that has something to say, b"" at its end.

        Raises:
            BlockingIOError: nothing can be read yet: a message is not whole, or was one of the handshake.
            OSError: it speaks something else, or is gone.
        """
        if not isinstance(connection.sock, ssl.SSLSocket):
            connection.sock = self._context.wrap_socket(
                connection.sock, server_side=True, do_handshake_on_connect=False
            )
        connection.sock.settimeout(0)
        try:
            if not connection.initialized:
                connection.sock.do_handshake()
                connection.parser = http.get_parser(self._cfg, connection.sock, connection.client)
                connection.initialized = True
            return bytes(connection.sock.recv(most))
        except _LATER as error:
            raise BlockingIOError from error

    @staticmethod
    def left(connection: TConn) -> bytes:
        """Return what was deciphered for a thread and not read by it: the line does not tell of that again."""
        found = b""
        while count := connection.sock.pending():
            found += connection.sock.recv(count)
        return found
