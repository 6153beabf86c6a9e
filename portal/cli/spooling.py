"""Large requests on their way: gathered in files without a name, so that a slow line holds no thread meanwhile.

A file of 50 MB that is sent without script from a phone comes for minutes. What came of it stands in a file of the
data folder that has no name: it is gone when its connection is, or its process. Where there is no room for it, a thread
reads the request while it comes.
"""

from __future__ import annotations

import shutil
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from gunicorn.http.unreader import SocketUnreader

if TYPE_CHECKING:
    import socket
    from pathlib import Path

# bytes that a process gathers in files at once: ten whole files of the usual limit. As much must be free on the disk
# besides: the last of it is left to the database
ROOM = 512 * 1024 * 1024


class Spools:
    """The room that a process has for large requests; ``folder`` is made when it is needed."""

    def __init__(self, folder: Path | None = None, room: int = ROOM) -> None:
        self._folder, self._room = folder, room
        self.held = 0

    def begin(self, begun: bytes | bytearray, to_come: int) -> Spool | None:
        """Begin to gather a request of which ``begun`` is here; None where there is no room for it."""
        if self._folder is None or self.held + len(begun) + to_come > self._room:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self._folder).free < to_come + self._room:
                return None
            file = TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed with its last byte
        except OSError:
            return None
        self.held += len(begun) + to_come
        return Spool(bytes(begun), to_come, file)

    def forget(self, spool: Spool) -> None:
        """Let go what is left of a request, and its room."""
        spool.close()
        self.held -= spool.size


class Spool:
    """One request: how it began, in memory; what came after that, in a file; and how much is still to come."""

    def __init__(self, begun: bytes, to_come: int, file: Any) -> None:
        self.begun, self.to_come, self._file = begun, to_come, file
        self.size = len(begun) + to_come
        # bytes in the file that nobody has read yet; and what came and is not in it
        self._left, self.after = 0, b""

    def take(self, came: bytes) -> bool:
        """Keep what came; tell whether more is waited for: it is not whole, and there was room on the disk."""
        mine, written = memoryview(came)[: self.to_come], 0
        try:
            while written < len(mine):
                written += self._file.write(mine[written:])
        except OSError:  # the disk is full: a thread reads what comes from now on
            self.to_come = 0
        else:
            self.to_come -= written
        self._left += written
        self.after = came[written:]
        return self.to_come > 0

    def turn(self) -> None:
        """Go from writing to reading."""
        self._file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next bytes of the file, which is gone with the last of them; nothing when it is."""
        if not self._left:
            return b""
        piece: bytes = self._file.read(min(size, self._left))
        self._left -= len(piece)
        if not self._left:
            self.close()
        return piece

    def close(self) -> None:
        """Let the file go."""
        self._left = 0
        self._file.close()


class Gathered(SocketUnreader):
    """What gunicorn's parser reads: what was gathered, and after that what comes on the connection."""

    def __init__(self, sock: socket.socket, spool: Spool) -> None:
        super().__init__(sock)
        self._spool = spool
        self.unread(spool.begun)
        spool.turn()

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece, at most as long as gunicorn reads from a socket at once."""
        size = min(max(self.mxchunk, size_hint or 0), self.max_body_chunk)
        if piece := self._spool.read(size):
            return piece
        piece, self._spool.after = self._spool.after, b""
        return piece or bytes(super().chunk(size_hint))

    def take_buffered(self) -> bytes:
        """Return what is here of the next request."""
        along, self._spool.after = self._spool.after, b""
        return bytes(super().take_buffered() + along)
