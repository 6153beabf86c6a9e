"""Who has connections already leaves a new one to the others for a moment, and takes it if nobody did."""

from __future__ import annotations

import os
import selectors
import socket
import time

import pytest
from gunicorn.config import Config

from portal.cli.even_worker import EvenWorker


@pytest.fixture
def door():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def worker(door):
    made = EvenWorker(1, os.getpid(), [door], None, 30, Config(), None)
    made.poller, made.taken = selectors.DefaultSelector(), []
    made.enqueue_req = made.taken.append
    made.set_accept_enabled(True)
    yield made
    made.poller.close()
    made.tmp.close()
    for one in made.taken:
        one.close()


def turn(worker, until):
    """Let the worker's loop go round as gunicorn's does."""
    latest = time.monotonic() + 30
    while not until() and time.monotonic() < latest:
        worker.wait_for_and_dispatch_events(0.05)
        worker.set_accept_enabled(True)
    assert until()


def test_who_has_none_takes_a_connection_at_once(worker, door):
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert len(worker.taken) == 1


def test_who_has_some_takes_it_when_nobody_else_did(worker, door):
    worker.nr_conns = 8
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert worker.taken == []
        turn(worker, lambda: len(worker.taken) == 1)
    assert worker.nr_conns == 9


def test_what_a_neighbour_took_is_not_waited_for(worker, door):
    worker.nr_conns = 8
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        door.accept()[0].close()  # as another process does at the same socket
    for _ in range(3):
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(0.02)
    assert worker.taken == []
    with socket.create_connection(door.getsockname()):
        turn(worker, lambda: len(worker.taken) == 1)
