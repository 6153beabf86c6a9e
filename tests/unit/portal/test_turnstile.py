"""One request at a time; a slow one keeps nobody out, a slow line holds no place."""

from __future__ import annotations

import io
import threading

import pytest

from portal import wsgi
from portal.turnstile import SMALL, Turnstile


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


def test_one_that_takes_its_time_keeps_nobody_out():
    room, answers = Room(), []
    door = Turnstile(room)
    slow, quick = visit(door, answers), visit(door, answers)
    for _ in range(2):
        assert room.entered.acquire(timeout=30)
    assert room.inside == 2
    for _ in range(2):
        room.leave.release()
    for one in (slow, quick):
        one.join(30)
    room.leave.release()
    assert b"".join(door({"wsgi.input": io.BytesIO()}, lambda *_: None)) == b""


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


@pytest.mark.engines
def test_it_stands_where_the_process_computes_itself(settings, monkeypatch):
    monkeypatch.setattr("config.load", lambda: settings)
    assert isinstance(wsgi.application(), Turnstile) is settings.database_url.startswith("sqlite")
