"""One request at a time; a slow one keeps nobody out, a slow line holds no place."""

from __future__ import annotations

import io
import threading
import time

import pytest

from portal import turnstile, wsgi
from portal.turnstile import SMALL, Place, Turnstile


class Room:
    """An application that says who is in it, and lets nobody out before it is told to."""

    def __init__(self):
        self.inside, self.most, self.entered, self.leave = 0, 0, threading.Semaphore(0), threading.Semaphore(0)
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.leave.acquire(timeout=30)
        with self.lock:
            self.inside -= 1
        return [environ["wsgi.input"].read()]


def visit(door, answers, body=b"", **more):
    environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)} | more
    one = threading.Thread(target=lambda: answers.append(b"".join(door(environ, lambda *_: None))))
    one.start()
    return one


def test_one_after_the_other_and_each_gets_its_body():
    room, answers = Room(), []
    door = Turnstile(room, patience=30)
    visitors = [visit(door, answers, body) for body in (b"first", b"second", b"third")]
    for _ in visitors:
        assert room.entered.acquire(timeout=30)
        room.leave.release()
    for one in visitors:
        one.join(30)
    assert sorted(answers) == [b"first", b"second", b"third"]
    assert room.most == 1


def waiting(door):
    """Tell how many stand outside."""
    return len(door._place._queue)


def until(true):
    latest = time.monotonic() + 30
    while not true():  # asked once more afterwards, it may be true no longer
        assert time.monotonic() < latest
        time.sleep(0.001)


def test_they_go_in_as_they_came_and_nobody_slips_in_before():
    order, door = [], None

    def app(environ, _start_response):
        order.append(environ["number"])
        if environ["number"] == 0:
            until(lambda: waiting(door) == 20)
        if environ["number"] == 1:  # one more comes while the others stand there
            late.append(visit(door, [], number=99))
            until(lambda: waiting(door) == 20)
        return []

    late, door = [], Turnstile(app, patience=30)
    visitors = []
    for number in range(20):
        visitors.append(visit(door, [], number=number))
        until(lambda number=number: order and waiting(door) == number)
    visitors.append(visit(door, [], number=20))  # the one inside sees it come, and may be gone before this thread looks
    for one in visitors:
        one.join(30)
    late[0].join(30)
    assert order == [*range(21), 99]


def test_one_that_takes_its_time_loses_its_place_and_lets_nobody_in_when_it_leaves():
    entered, leave = [], [threading.Event() for _ in range(3)]

    def app(environ, _start_response):
        entered.append(environ["number"])
        assert leave[environ["number"]].wait(30)
        return []

    door = Turnstile(app)
    slow = visit(door, [], number=0)
    until(lambda: entered == [0])
    second = visit(door, [], number=1)
    until(lambda: entered == [0, 1])  # beside the slow one
    door._place._patience = 30
    third = visit(door, [], number=2)
    until(lambda: waiting(door) == 1)
    leave[0].set()
    slow.join(30)
    assert waiting(door) == 1
    assert entered == [0, 1]
    leave[1].set()
    until(lambda: entered == [0, 1, 2])
    leave[2].set()
    for one in (second, third):
        one.join(30)


@pytest.mark.parametrize("head", [{"CONTENT_LENGTH": str(SMALL + 1)}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_body_that_takes_its_time_is_read_by_the_application_and_needs_no_place(head):
    room, answers = Room(), []
    door = Turnstile(room, patience=30)
    inside = visit(door, answers, b"held")
    assert room.entered.acquire(timeout=30)
    large = visit(door, answers, **head)
    assert room.entered.acquire(timeout=30)  # beside the one inside
    for _ in range(2):
        room.leave.release()
    for one in (inside, large):
        one.join(30)


def test_an_error_gives_the_place_free_again():
    calls = []

    def broken(environ, _start_response):
        calls.append(environ)
        raise RuntimeError

    door = Turnstile(broken, patience=30)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            door({"wsgi.input": io.BytesIO()}, lambda *_: None)
    assert len(calls) == 2


def test_it_stands_before_the_application(settings, monkeypatch):
    monkeypatch.setattr("config.load", lambda: settings)
    assert isinstance(wsgi.application(), Turnstile)


def test_a_place_that_was_given_and_lost_while_its_new_holder_slept_is_no_mistake(monkeypatch):
    """On a busy machine a thread may sleep between the end of its patience and its next look, however short that is."""
    monkeypatch.setattr(turnstile, "LOOK", 0.0)
    place, done, barrier = Place(1e-5), [], threading.Barrier(16)

    def visit_often():
        barrier.wait(30)
        for _ in range(40):
            turn = place.enter()
            time.sleep(0)
            place.leave(turn)
        done.append(True)

    visitors = [threading.Thread(target=visit_often) for _ in range(16)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join(60)
    assert len(done) == 16
    assert place._holder is None
    assert not place._queue
