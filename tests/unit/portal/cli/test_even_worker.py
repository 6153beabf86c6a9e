"""Who has more connections than another process leaves a new one to that one for a moment, and takes it if it did not."""

from __future__ import annotations

import os
import selectors
import socket
import time

import pytest
from gunicorn.config import Config

from portal.cli import even_worker
from portal.cli.even_worker import Board, EvenWorker


@pytest.fixture
def door():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(even_worker, "STALE", 20.0)  # a test that had to wait for its turn has not gone
    return Board()


@pytest.fixture
def hired(door, board):
    """A function that makes a process's worker; each has a poller of its own at the same door."""
    made = []

    def hire(place):
        one = EvenWorker(place, os.getpid(), [door], None, 30, Config(), None)
        one.board, one.poller, one.taken = board, selectors.DefaultSelector(), []
        one.enqueue_req = one.taken.append
        one.set_accept_enabled(True)
        made.append(one)
        return one

    yield hire
    for one in made:
        one.poller.close()
        one.tmp.close()
        for connection in one.taken:
            connection.close()


@pytest.fixture
def worker(hired):
    return hired(1)


def turn(worker, until):
    """Let the worker's loop go round as gunicorn's does."""
    latest = time.monotonic() + 30
    while not until() and time.monotonic() < latest:
        worker.wait_for_and_dispatch_events(0.05)
        worker.set_accept_enabled(True)
    assert until()


def test_one_alone_takes_a_connection_at_once_however_many_it_has(worker, door):
    worker.nr_conns = 8
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert len(worker.taken) == 1


def test_one_that_has_no_more_than_another_takes_it_at_once(worker, board, door):
    worker.nr_conns = 3
    board.say(2, 3)
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert len(worker.taken) == 1


def test_one_that_has_more_takes_it_when_the_other_left_it_standing(worker, board, door):
    worker.nr_conns = 8
    with socket.create_connection(door.getsockname()):
        board.say(2, 0)
        worker.wait_for_and_dispatch_events(5)
        assert worker.taken == []
        begun = time.monotonic()
        turn(worker, lambda: len(worker.taken) == 1)
        assert time.monotonic() - begun > even_worker.PATIENCE / 2
    assert worker.nr_conns == 9


@pytest.mark.parametrize("said", ["long ago", "by the process that was here before"])
def test_what_was_written_by_one_that_is_gone_counts_for_nothing(worker, board, door, monkeypatch, said):
    worker.nr_conns = 8
    board.say(2 if said == "long ago" else 1, 0)
    if said == "long ago":
        monkeypatch.setattr(even_worker, "STALE", -1.0)
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert len(worker.taken) == 1


def test_what_a_neighbour_took_is_not_waited_for(worker, board, door):
    worker.nr_conns = 8
    with socket.create_connection(door.getsockname()):
        board.say(2, 0)
        worker.wait_for_and_dispatch_events(5)
        door.accept()[0].close()  # as another process does at the same socket
    for _ in range(3):
        worker.set_accept_enabled(True)
        worker.wait_for_and_dispatch_events(0.02)
    assert worker.taken == []
    with socket.create_connection(door.getsockname()):
        turn(worker, lambda: len(worker.taken) == 1)


def test_a_burst_parts_evenly_whoever_wakes_first(hired, door, monkeypatch):
    monkeypatch.setattr(even_worker, "PATIENCE", 60.0)  # nobody takes what the other did not get round to
    first, second = hired(1), hired(2)
    for one in (first, second):
        one.wait_for_and_dispatch_events(0)  # says that it is there
    people = [socket.create_connection(door.getsockname()) for _ in range(24)]
    try:
        latest = time.monotonic() + 30
        while len(first.taken) + len(second.taken) < 24 and time.monotonic() < latest:
            for one, times in ((first, 5), (second, 1)):  # the first one is awake five times as often
                for _ in range(times):
                    one.wait_for_and_dispatch_events(0)
                    one.set_accept_enabled(True)
        assert sorted((len(first.taken), len(second.taken))) == [12, 12]
    finally:
        for one in people:
            one.close()
