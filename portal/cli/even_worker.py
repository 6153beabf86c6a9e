"""A web process that takes its share of new connections and no more, so that all are as busy as each other.

All web processes wait at one socket, and whichever wakes first takes what comes: at a burst (a ministry's office in the
morning) one of two took 31 of 32 connections, which browsers then keep open, and the other stood idle. Here each writes
down how many it has, in a page of memory that all share (:mod:`portal.cli.board`), and one that has more than another
leaves the door to that one for a moment. Nobody waits for longer than the moment, whatever the others do.
"""

from __future__ import annotations

import errno
import math
import socket
import time
from collections import deque
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from selectors import EVENT_READ
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from gunicorn.http import wsgi
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from portal.cli.arriving import LARGEST, has_head, still_to_come, without_end
from portal.cli.board import Board, share, standing
from portal.cli.ciphered import Cipher
from portal.cli.lead import Lead
from portal.cli.spooling import Gathered, Spools
from portal.cli.together import Together
from portal.extensions import db

if TYPE_CHECKING:
    from types import FrameType

    from gunicorn.workers.gthread import TConn

    from portal.cli.spooling import Spool

# seconds of patience at the door in all; after each look; and after a look in which a connection is still the same one
PATIENCE, LOOK, GRACE = 0.025, 0.001, 0.005
# what a machine says that has no room for one more connection, and seconds until it is asked again
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
NO_ROOM_FOR = 0.5
# bytes taken from a connection at once; what one that has said something may be silent for; bytes of requests on their
# way that are held in memory at most, after which files take them, and where there is no room either threads read them
TAKEN, SILENCE, HELD = 64 * 1024, 60.0, 64 * 1024 * 1024

# made where the application is imported once, before the processes are forked
BOARD = Board()


class EvenWorker(ThreadWorker):
    """Gunicorn's worker with threads, one of which leads (:mod:`portal.cli.lead`), and which leaves the door to others.

    The main thread only says that the process lives and hears signals. What belongs to the door (the poller, which
    connections there are) is touched by the leader alone, and never while it may lose the lead.
    """

    # until when it looks away from the door, and since when it has been patient with the connection there
    _patient_until = _since = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.board = BOARD
        self.lead = Lead()
        self.over = False
        # connections on which nothing has come, the one that is closed first before the others
        self.keepalived_conns: dict[TConn, None] = {}
        # the beginning of requests whose end has not come; the order is the same
        self._arriving: dict[TConn, bytearray] = {}
        self._held = 0
        # those that are too large for that, on their way and then while they are answered; how large one may be
        self._spools, self._longest = Spools(), 0
        self._spooling: dict[TConn, Spool] = {}
        self._gathered: dict[TConn, Spool] = {}
        self._watched: set[TConn] = set()
        self._watching = Lock()
        self._ready: deque[TConn] = deque()
        self._heard: SimpleQueue[None] = SimpleQueue()
        self._cipher = Cipher(self.cfg) if self.cfg.is_ssl else None
        # when nobody is waited for any more
        self._last = math.inf

    def run(self) -> None:
        """Serve until told to stop, then until nobody is being answered any more, or the grace is over."""
        # gunicorn takes its class of answers from this name; and it asks for some thirty settings per request, each by
        # two calls: nothing changes them in a process that serves
        wsgi.Response = Together
        settings: dict[str, Any] = self.cfg.__dict__
        settings |= {name: setting.get() for name, setting in self.cfg.settings.items()}
        if (told := getattr(self.wsgi, "config", None)) is not None:
            self._spools, self._longest = Spools(told["SETTINGS"].tmp_dir), told["MAX_CONTENT_LENGTH"]
            db.keep_sessions(told)
        self.poller.register(self.method_queue.fileno(), EVENT_READ, self.method_queue.run_callbacks)
        for number in range(self.cfg.threads):
            Thread(target=self.answer_in_turn, name=f"answering {number + 1}", daemon=True).start()
        while self.alive and self.is_parent_alive():
            self._live()
        self.stop()
        until = time.monotonic() + self.cfg.graceful_timeout
        while not self.over and time.monotonic() < until:
            self._live()
        for listener in self.sockets:
            listener.close()

    def _live(self) -> None:
        self.notify()
        with suppress(Empty):
            self._heard.get(timeout=1.0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - gunicorn's signature
        """Begin to stop, told by a signal."""
        self.stop()

    def stop(self) -> None:
        """Begin to stop, at any moment: no new connections, and none that waits for a request for long."""
        self.alive = False
        self._last = min(self._last, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.method_queue.defer(int)
        self._heard.put(None)

    def answer_in_turn(self) -> None:
        """Lead, answer what comes, and stand behind the others after something that took its time.

        Whatever goes wrong at the door itself ends the process, when it has answered what it has; another is started.
        """
        try:
            self._lead_in_turn()
        except Exception:
            self.log.exception("This web process cannot go on; another one takes its place.")
            if self.lead.back():
                self.lead.leave()
            self.stop()

    def _lead_in_turn(self) -> None:
        while True:
            self.lead.take()
            while (connection := self.next_ready()) is not None:
                self.lead.busy()
                kept = self._answer(connection)
                if not self.lead.back():
                    self.method_queue.defer(self._settle, connection, kept)
                    break
                self._settle(connection, kept)
            else:
                self.lead.leave()
                return

    def next_ready(self) -> TConn | None:
        """Wait for a connection that wants an answer; None when there will be none any more."""
        while not self._ready:
            if not self.alive and self.nr_conns == 0:
                self.over = True
                self._heard.put(None)
                return None
            self.set_accept_enabled(self.alive and self.nr_conns < self.worker_connections)
            self.wait_for_and_dispatch_events(1.0 if self.alive else 0.1)
            self.murder_keepalived()
        return self._ready.popleft()

    def _answer(self, connection: TConn) -> bool:
        """Answer one request; return whether the connection is kept for the next. Closing it may take time as well."""
        kept = False
        try:
            kept = bool(self.handle(connection))
        except SystemExit:  # it ends a request, not the thread that leads
            self.log.exception("A request wanted to end its process.")
        if not kept:
            self._watch_no_more(connection)
            with suppress(OSError):
                connection.close(graceful=True)
        return kept

    def _settle(self, connection: TConn, kept: bool) -> None:
        """Put a connection back to those that wait for a request, or forget it."""
        along = connection.parser.unreader.take_buffered() if kept else b""
        if kept and self._cipher is not None:
            along += self._cipher.left(connection)
        if self._gathered and (spool := self._gathered.pop(connection, None)) is not None:
            self._spools.forget(spool)
            if kept:
                connection.parser.unreader = SocketUnreader(connection.sock)
        if not kept:
            self._one_less()
        elif along:  # came together with the request before
            self._came(connection, along)
        else:
            self.enqueue_req(connection)

    def enqueue_req(self, conn: TConn) -> None:
        """Let a connection wait for a request, of a new one its first: no thread waits with it."""
        conn.set_timeout()
        self.keepalived_conns[conn] = None
        self._watch(conn)

    def _readable(self, connection: TConn, _socket: socket.socket) -> None:
        if (
            connection not in self.keepalived_conns
            and connection not in self._arriving
            and connection not in self._spooling
        ):
            # more comes while it is being answered, by one that lost the lead; it is watched again afterwards
            self._watch_no_more(connection)
            return
        try:
            if self._cipher is None:
                came = connection.sock.recv(TAKEN, socket.MSG_DONTWAIT)
            else:
                came = self._cipher.take(connection, TAKEN)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        if came:
            self._came(connection, came)
        else:
            self._end(connection)

    def _came(self, connection: TConn, came: bytes) -> None:
        """Let a request be answered once all of it is here."""
        self.keepalived_conns.pop(connection, None)
        if self._spooling and (spool := self._spooling.pop(connection, None)) is not None:
            self._gather(connection, spool, came)
            return
        arrived = self._arriving.pop(connection, bytearray())
        self._held -= len(arrived)
        arrived += came
        if (lacking := still_to_come(arrived, self._longest)) and self._waited_for(connection, arrived, lacking):
            return
        connection.init()
        connection.parser.unreader.unread(arrived)
        self._ready.append(connection)

    def _waited_for(self, connection: TConn, arrived: bytearray, lacking: int) -> bool:
        """Wait for the rest of a request, unless there is no room for it; tell whether nobody is to answer it now."""
        if without_end(arrived):  # nobody's browser, and nobody will ever be done reading it
            self._end(connection)
            return True
        if len(arrived) + lacking <= LARGEST and self._held < HELD:
            self._held += len(arrived)
            self._arriving[connection] = arrived
        elif has_head(arrived) and (spool := self._spools.begin(arrived, lacking)) is not None:
            self._spooling[connection] = spool
        else:
            return False
        connection.timeout = time.monotonic() + SILENCE
        self._watch(connection)
        return True

    def _gather(self, connection: TConn, spool: Spool, came: bytes) -> None:
        """Keep what came of a large request; let it be answered when it is whole, or the disk is full."""
        if spool.take(came):
            connection.timeout = time.monotonic() + SILENCE
            self._spooling[connection] = spool
            return
        connection.init()
        connection.parser.unreader = Gathered(connection.sock, spool)
        self._gathered[connection] = spool
        self._ready.append(connection)

    def _end(self, connection: TConn) -> None:
        """Close a connection that nobody answers."""
        self.keepalived_conns.pop(connection, None)
        self._held -= len(self._arriving.pop(connection, b""))
        if (spool := self._spooling.pop(connection, None)) is not None:
            self._spools.forget(spool)
        self._watch_no_more(connection)
        self._one_less()
        connection.close()

    def _one_less(self) -> None:
        self.nr_conns -= 1
        self.board.say(self.age, self.nr_conns)

    def _watch(self, connection: TConn) -> None:
        with self._watching:
            if connection not in self._watched:
                self._watched.add(connection)
                self.poller.register(connection.sock, EVENT_READ, partial(self._readable, connection))

    def _watch_no_more(self, connection: TConn) -> None:
        with self._watching:
            if connection in self._watched:
                self._watched.discard(connection)
                self.poller.unregister(connection.sock)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT002 - gunicorn's signature
        """Close the connections on which nothing came for too long; large requests may come until the grace is over."""
        now = time.monotonic()
        for waiting in (self.keepalived_conns, self._arriving):
            while waiting and (force or min(next(iter(waiting)).timeout, self._last) <= now):
                self._end(next(iter(waiting)))
        while self._spooling and (force or next(iter(self._spooling)).timeout <= now):
            self._end(next(iter(self._spooling)))

    def accept(self, listener: socket.socket) -> None:
        """Take this process's share of those at the door; of none, one that the others left standing for too long.

        All of the share at once: taken one by one, each after all others have been answered, the last of a burst wait
        for half a second, while the first are answered ten times.
        """
        room = self.worker_connections - self.nr_conns
        if room <= 0:  # filled up at another address in the same look
            return
        now = time.monotonic()
        if now > self._patient_until + GRACE:
            self._since = now
        mine = min(share(self.nr_conns, self.board.others(self.age), standing(listener)), room)
        if mine or now - self._since > PATIENCE:
            self._patient_until = 0.0
            try:
                for had in range(self.nr_conns, self.nr_conns + max(1, mine)):
                    super().accept(listener)
                    if self.nr_conns == had:  # another process was quicker
                        break
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self.log.warning("No connection can be taken at present: %s.", error.strerror)
                self._patient_until = now + NO_ROOM_FOR
                self.set_accept_enabled(False)
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
