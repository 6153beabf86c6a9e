"""Which of a process's threads stands at its door: one, which also answers what comes, until it is busy for too long.

The threads of a Python process take turns at computing anyway. Where eight requests do so at once, each lets the others
in between every two statements to the database: all become slow together, a fifth of the processor goes into changing
turns, and the one that holds the writer lock waits like the rest. Handing each request from the thread at the door to
another one costs as much again. So whoever leads takes a request, answers it and looks for the next; nobody else runs.
Nobody waits for long either: one that takes its time (a workbook, a password, a slow disk or line) loses the lead to
the next thread and goes on beside it.
"""

from __future__ import annotations

import math
import time
from threading import Lock, get_ident

# seconds after which one that is busy loses the lead
PATIENCE = 0.01
# seconds between two looks of the one who may take it, at least: who looks all the time keeps the leader from its work
LOOK = 0.0005


class Lead:
    """The lead of a process: held by one thread at a time, and taken from one that is busy too long."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """Let a leader be busy for ``patience`` seconds when another thread wants the lead."""
        self._patience = patience
        self._mutex = Lock()
        self._next = Lock()  # held by the one who may take the lead; the others stand behind it
        self._bell = Lock()
        self._bell.acquire()
        # whether the bell is waited for: never without a limit while somebody is busy
        self._waits = self._dozes = False
        self._leader: int | None = None
        self._busy_since = math.inf

    def take(self) -> None:
        """Wait until the lead is free, or its leader was busy for too long; the lead is this thread's then."""
        with self._next:
            while not self._taken():
                self._bell.acquire(timeout=self._rest())

    def busy(self) -> None:
        """Begin something that may take its time; by the leader."""
        with self._mutex:
            self._busy_since = time.monotonic()
            if self._dozes:
                self._ring()

    def back(self) -> bool:
        """End it; tell whether the lead is still this thread's. Nobody takes it before the next :meth:`busy`."""
        with self._mutex:
            mine = self._leader == get_ident()
            if mine:
                self._busy_since = math.inf
            return mine

    def leave(self) -> None:
        """Give the lead to whoever wants it; by the leader."""
        with self._mutex:
            self._leader = None
            if self._waits:
                self._ring()

    def _taken(self) -> bool:
        with self._mutex:
            if self._leader is not None and time.monotonic() - self._busy_since < self._patience:
                return False
            self._leader, self._busy_since = get_ident(), math.inf
            return True

    def _rest(self) -> float:
        """Return for how long there is nothing to see: until the bell rings (-1), where the leader is not busy."""
        with self._mutex:
            if self._leader is None:
                return 0
            self._bell.acquire(blocking=False)  # it rang after the last rest was over
            self._waits, self._dozes = True, self._busy_since == math.inf
            return -1 if self._dozes else max(LOOK, self._busy_since + self._patience - time.monotonic())

    def _ring(self) -> None:
        self._waits = self._dozes = False
        self._bell.release()
