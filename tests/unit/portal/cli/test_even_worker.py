"""Each process takes its share of those at the door, and what another one left standing there for too long."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time

import pytest
from gunicorn.config import Config

from portal.cli import board as boards
from portal.cli import even_worker
from portal.cli.board import Board
from portal.cli.even_worker import EvenWorker

# never skipped where CI runs: a Linux that does not tell fails them
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many wait")


@pytest.fixture
def door():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(boards, "STALE", 20.0)  # a test that had to wait for its turn has not gone
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
        monkeypatch.setattr(boards, "STALE", -1.0)
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


@pytest.fixture
def crowd(door):
    """24 people who came at once; nobody was let in yet."""
    people = [socket.create_connection(door.getsockname()) for _ in range(24)]
    yield people
    for one in people:
        one.close()


@pytest.mark.parametrize("told", [True, False], ids=["as Linux tells how many wait", "where no system tells"])
def test_a_burst_parts_evenly_whoever_wakes_first(hired, crowd, monkeypatch, told):
    monkeypatch.setattr(even_worker, "PATIENCE", 60.0)  # nobody takes what the other did not get round to
    if not told:
        monkeypatch.setattr(boards, "_TCP_INFO", None)
    first, second = hired(1), hired(2)
    for one in (second, first):
        one.board.say(one.age, 0)  # both are there
    latest = time.monotonic() + 30
    while len(first.taken) + len(second.taken) < len(crowd) and time.monotonic() < latest:
        for one, times in ((first, 5), (second, 1)):  # the first one is awake five times as often
            for _ in range(times):
                one.wait_for_and_dispatch_events(0)
                one.set_accept_enabled(True)
    assert (len(first.taken), len(second.taken)) == (12, 12)


@ON_LINUX
def test_each_takes_its_share_of_a_burst_at_one_look(hired, board, crowd):
    first, second = hired(1), hired(2)
    first.nr_conns = 4
    board.say(2, 0)
    first.wait_for_and_dispatch_events(5)
    assert len(first.taken) == 10
    second.wait_for_and_dispatch_events(5)
    assert len(second.taken) == 7  # an even part, and the rest at the next looks
    for _ in range(3):
        second.wait_for_and_dispatch_events(5)
    assert len(second.taken) == 14


@ON_LINUX
def test_a_burst_parts_evenly_though_one_has_yet_to_see_who_left(hired, crowd):
    first, second = hired(1), hired(2)
    first.board.say(1, 24)  # its people have gone, and it is busy with the last of them
    second.wait_for_and_dispatch_events(5)
    assert len(second.taken) == 12
    for _ in range(4):
        first.wait_for_and_dispatch_events(5)
    assert len(first.taken) == 12


def test_a_burst_never_exceeds_what_one_may_hold(worker, crowd):
    worker.worker_connections = 10
    for _ in range(3):
        worker.set_accept_enabled(worker.nr_conns < worker.worker_connections)
        worker.wait_for_and_dispatch_events(0.01)
    assert len(worker.taken) == 10


def test_one_that_was_filled_up_at_another_address_takes_nobody(worker, door, crowd):
    worker.worker_connections = worker.nr_conns = 8
    until = time.monotonic() + 3 * even_worker.PATIENCE
    while time.monotonic() < until:
        worker.accept(door)  # as in the look in which the other address filled it
    assert (worker.taken, worker.nr_conns) == ([], 8)


@ON_LINUX
def test_linux_tells_how_many_wait(door, crowd):
    assert boards.standing(door) == len(crowd)


@pytest.mark.parametrize(
    ("mine", "others", "waiting", "wanted"),
    [
        (0, [], 1, 1),
        (7, [], 30, 30),
        (0, [0], 1, 1),
        (1, [0], 1, 0),
        (4, [0], 3, 0),
        (4, [0], 6, 1),
        (0, [24], 24, 12),
        (1, [0, 5], 1, 0),
        (0, [0, 0], 4, 2),
    ],
)
def test_the_share_is_what_one_would_get_if_each_went_to_whoever_has_fewest(mine, others, waiting, wanted):
    assert boards.share(mine, others, waiting) == wanted


def test_of_a_socket_that_cannot_be_asked_one_waiting_is_known(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "door"))
        listening.listen()
        assert boards.standing(listening) == 1


def test_that_somebody_left_is_written_down_at_once(worker, board, door):
    del worker.enqueue_req  # it keeps the connection as it does when it serves
    with socket.create_connection(door.getsockname()):
        worker.wait_for_and_dispatch_events(5)
        assert board.others(besides=2) == [1]
    worker.wait_for_and_dispatch_events(5)
    assert board.others(besides=2) == [0]
