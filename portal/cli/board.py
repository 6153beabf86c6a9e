"""How many connections each web process has, and how many of those that stand at the door each takes.

What is written down is advice and never more: of a process that was killed, or hangs, it counts for nothing after a
second or two, and nobody needs a lock.
"""

from __future__ import annotations

import math
import mmap
import socket
import struct
import sys
import time

# seconds after which a process that wrote nothing is taken to be gone; a living one writes each second
STALE = 2.5
# struct tcp_info of Linux (linux/tcp.h): eight bytes and four numbers, and then tcpi_unacked, which of a socket that
# listens says how many connections wait to be accepted; systems that know the name too have another structure
_TCP_INFO = socket.TCP_INFO if sys.platform == "linux" else None
_WAITING = struct.Struct("=24xI")


class Board:
    """How many connections each process has open and when it said so, in memory that forked processes share."""

    ENTRY = struct.Struct("=qd")
    PLACES = 256

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self.ENTRY.size * self.PLACES)

    def say(self, place: int, connections: int) -> None:
        """Write down the connections of one process; no other writes at its place."""
        self.ENTRY.pack_into(self._memory, place % self.PLACES * self.ENTRY.size, connections, time.monotonic())

    def others(self, besides: int) -> list[int]:
        """Return how many connections each of the other processes has that live."""
        since = time.monotonic() - STALE
        return [
            connections
            for place, (connections, said) in enumerate(self.ENTRY.iter_unpack(self._memory))
            if said > since and place != besides % self.PLACES
        ]


def share(mine: int, others: list[int], waiting: int) -> int:
    """Return how many of the ``waiting`` a process takes now that has ``mine``: as if each went to whoever has fewest.

    Never more than an even part of them: what another process said may be old (it has yet to look at those who went),
    and a connection that was taken stays. The rest is taken at the next look.
    """
    counts = [mine, *others]
    level = min(counts)
    while sum(max(0, level - count) for count in counts) < waiting:
        level += 1
    return min(max(0, level - mine), math.ceil(waiting / len(counts)))


def standing(listener: socket.socket) -> int:
    """Return how many connections wait at a socket to be accepted, of which one is known; 1 where no system tells."""
    if _TCP_INFO is None:
        return 1
    try:
        told = listener.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _WAITING.size)
        return min(max(1, int(_WAITING.unpack(told)[0])), socket.SOMAXCONN)
    except (OSError, struct.error):  # a socket of another family, or a system with another structure
        return 1
