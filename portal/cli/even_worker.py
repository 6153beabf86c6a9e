"""A web process that leaves a new connection to the others for a moment, the longer the more connections it has itself.

All web processes wait at one socket, and whichever wakes first takes what comes: at a burst (a ministry's office in the
morning) one of two took 31 of 32 connections, which browsers then keep open, and the other stood idle. Here the one
with fewer answers the door. No process needs to know of the others: who is alone, or whose neighbours are busy or
gone, takes the connection after that moment.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    import socket

# seconds of patience per connection that this process has open, and in all
EACH, AT_MOST = 0.001, 0.010
# seconds after it in which the connection that was waited for is taken to be still the same one
GRACE = 0.005


class EvenWorker(ThreadWorker):
    """Gunicorn's worker with threads, patient at the door."""

    _patient_until = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Take a connection that nobody with fewer connections took meanwhile."""
        now = time.monotonic()
        if not self.nr_conns or self._patient_until <= now < self._patient_until + GRACE:
            super().accept(listener)
            return
        self._patient_until = now + min(AT_MOST, EACH * self.nr_conns)
        self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Listen again only when the patience is over; the loop asks each time round."""
        if enabled and time.monotonic() < self._patient_until:
            return
        super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what comes next, no longer than the patience lasts."""
        if not self._accepting and self.alive:
            timeout = max(0.0, min(timeout, self._patient_until - time.monotonic()))
        super().wait_for_and_dispatch_events(timeout)
