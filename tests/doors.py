"""A web worker on a door of its own, and people who speak to it over sockets."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from contextlib import ExitStack

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from portal.cli import supervisor
from portal.cli.board import Board
from portal.cli.even_worker import EvenWorker

THREADS = 4


class Served:
    """A worker on a door of its own, run by a thread of the test."""

    def __init__(self, app, keepalive, **settings):
        self.door = supervisor.listen("127.0.0.1", 0)
        self.door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as gunicorn opens it
        config = Config()
        for name, value in ({"threads": THREADS, "keepalive": keepalive, "graceful_timeout": 20} | settings).items():
            config.set(name, value)
        self.worker = EvenWorker(1, os.getppid(), [self.door], None, 30, config, Logger(config))
        self.worker.board, self.worker.wsgi = Board(), app
        self.worker.tpool, self.worker.poller = self.worker.get_thread_pool(), selectors.DefaultSelector()
        self.worker.method_queue.init()
        self.running = threading.Thread(target=self.worker.run)
        self.running.start()
        self.people = ExitStack()

    def comes(self):
        return self.people.enter_context(socket.create_connection(self.address, timeout=30))

    def stop(self):
        self.worker.stop()
        self.people.close()
        self.running.join(30)
        self.worker.poller.close()
        self.worker.method_queue.close()
        self.worker.tmp.close()
        assert not self.running.is_alive()

    @property
    def address(self):
        return self.door.getsockname()


@pytest.fixture
def served():
    """A function that serves an application."""
    made = []

    def serve(app, keepalive=30, **settings):
        made.append(Served(app, keepalive, **settings))
        return made[-1]

    yield serve
    for one in made:
        one.stop()


class Held:
    """An application that answers what it is told, to be held (/held...) until a test lets it go on."""

    def __init__(self):
        self.entered, self.leave = threading.Event(), threading.Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"].startswith("/held"):
            self.entered.set()
            assert self.leave.wait(30)
        return echo(environ, start_response)


def echo(environ, start_response):
    body = environ["PATH_INFO"].encode() + b" " + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def until(true):
    latest = time.monotonic() + 30
    while not true():
        assert time.monotonic() < latest
        time.sleep(0.001)


def request(path, body=b"", more=""):
    return f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def answer(person, count=1):
    """Return the bodies of the next answers on a connection."""
    with person.makefile("rb") as reading:
        bodies = []
        for _ in range(count):
            lines = list(iter(reading.readline, b"\r\n"))
            length = next(int(one.split(b":")[1]) for one in lines if one.lower().startswith(b"content-length"))
            bodies.append(reading.read(length))
    return bodies


def asks(person, path, body=b""):
    person.sendall(request(path, body))
    return answer(person)[0]


def burst(app, client, path, bodies):
    """Send all bodies at the same moment, each from a browser of its own with the same session."""
    gate, answers, cookie = threading.Barrier(len(bodies)), [], client.cookie()

    def one(fields):
        browser = app.test_client()
        browser.set_cookie("tamdan", cookie)
        gate.wait(timeout=60)
        answers.append(browser.post(path, data=fields, buffered=True))

    threads = [threading.Thread(target=one, args=(fields,)) for fields in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(answers) == len(bodies)
    return answers
