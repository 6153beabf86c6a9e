"""A web process that leaves a new connection to another one that has fewer, so that all are as busy as each other.

All web processes wait at one socket, and whichever wakes first takes what comes: at a burst (a ministry's office in the
morning) one of two took 31 of 32 connections, which browsers then keep open, and the other stood idle. Here each writes
down how many it has, in a page of memory that all share, and one that has more than another leaves the door to that one
for a moment. What it finds there is advice and never more: nobody waits for longer than the moment, whatever the others
do, and what a process wrote that was killed, or hangs, counts for nothing after a second or two.
"""

from __future__ import annotations

import mmap
import struct
import time
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    import socket

# seconds of patience at the door in all; after each look; and after a look in which a connection is still the same one
PATIENCE, LOOK, GRACE = 0.025, 0.001, 0.005
# seconds after which a process that wrote nothing is taken to be gone; a living one writes each second
STALE = 2.5


class Board:
    """How many connections each process has open and when it said so, in memory that forked processes share."""

    ENTRY = struct.Struct("=qd")
    PLACES = 256

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self.ENTRY.size * self.PLACES)

    def say(self, place: int, connections: int) -> None:
        """Write down the connections of one process; no other writes at its place."""
        self.ENTRY.pack_into(self._memory, place % self.PLACES * self.ENTRY.size, connections, time.monotonic())

    def fewest(self, besides: int) -> int | None:
        """Return the smallest number among the other processes that live; None if there is no other."""
        since = time.monotonic() - STALE
        return min(
            (
                connections
                for place, (connections, said) in enumerate(self.ENTRY.iter_unpack(self._memory))
                if said > since and place != besides % self.PLACES
            ),
            default=None,
        )


# made where the application is imported once, before the processes are forked
BOARD = Board()


class EvenWorker(ThreadWorker):
    """Gunicorn's worker with threads, which lets one with fewer connections go first."""

    # until when it looks away from the door, and since when it has been patient with the connection there
    _patient_until = _since = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.board = BOARD

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, unless another process has fewer and did not leave this one standing already."""
        now = time.monotonic()
        if now > self._patient_until + GRACE:
            self._since = now
        fewest = self.board.fewest(self.age)
        if fewest is None or self.nr_conns <= fewest or now - self._since > PATIENCE:
            self._patient_until = 0.0
            super().accept(listener)
            self.board.say(self.age, self.nr_conns)
            return
        self._patient_until = now + LOOK
        self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Listen again only when the patience is over; the loop asks each time round."""
        if enabled and time.monotonic() < self._patient_until:
            return
        super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what comes next, no longer than the patience lasts."""
        self.board.say(self.age, self.nr_conns)
        if not self._accepting and self.alive:
            timeout = max(0.0, min(timeout, self._patient_until - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)
