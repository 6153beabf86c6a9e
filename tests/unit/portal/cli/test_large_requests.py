"""A whole file that is sent over a slow line holds no thread while it comes, and nothing of it stays when it ends."""

from __future__ import annotations

import random
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, request

from portal.cli import even_worker, spooling
from tests import doors
from tests.doors import THREADS, answer, asks, until
from tests.doors import request as written

MEGABYTE = 1024 * 1024
MOST = 6 * MEGABYTE
CONTENT = random.Random(7).randbytes(3 * MEGABYTE + 17)
served = doors.served


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "tmp"


@pytest.fixture
def app(folder):
    """An application with the portal's limits, which says what it was sent; it reads nothing at /unread."""
    made = Flask(__name__)
    made.config.update(MAX_CONTENT_LENGTH=MOST, SETTINGS=SimpleNamespace(tmp_dir=folder))

    @made.post("/unread")
    def unread():
        return "unread"

    @made.post("/<path:_path>")
    def told(_path):
        return request.path.encode() + b" " + request.get_data()

    return made


@pytest.fixture
def here(served, app):
    return served(app)


def large(path="/large", body=CONTENT):
    return written(path, body)


def files(folder):
    """What this process holds open below a folder, by a name or without one."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(one.readlink()))
    return [one for one in found if one.startswith(str(folder))]


def begun(here, count, *, sent=2 * MEGABYTE):
    """People of whose large requests the beginning is here."""
    people = [here.comes() for _ in range(count)]
    for one in people:
        one.sendall(large()[:sent])
    until(lambda: len(here.worker._spooling) == count)
    return people


def nothing_is_left(here, folder):
    until(lambda: here.worker._spools.held == 0)
    assert files(folder) == []
    assert list(folder.iterdir()) == []


def test_more_large_files_than_threads_come_slowly_while_a_page_is_answered(here, folder):
    people = begun(here, 2 * THREADS + 1)
    quick = here.comes()
    assert [asks(quick, f"/{number}") for number in range(20)] == [b"/%d " % number for number in range(20)]
    assert len(files(folder)) == len(people)
    for one in people:
        one.sendall(large()[2 * MEGABYTE :])
        assert answer(one) == [b"/large " + CONTENT]
    nothing_is_left(here, folder)


def test_the_connection_goes_on_and_what_came_along_is_answered(here, folder):
    person = here.comes()
    whole = large() + written("/along", b"told") + large("/again")
    for at in range(0, len(whole), 777_777):
        person.sendall(whole[at : at + 777_777])
    assert answer(person, 3) == [b"/large " + CONTENT, b"/along told", b"/again " + CONTENT]
    assert asks(person, "/small", b"at last") == b"/small at last"
    nothing_is_left(here, folder)


def test_a_lost_line_leaves_no_file(here, folder):
    for one in begun(here, 3):
        one.close()
    nothing_is_left(here, folder)
    assert asks(here.comes(), "/quick") == b"/quick "


def test_a_silent_line_is_given_up(here, folder, monkeypatch):
    monkeypatch.setattr(even_worker, "SILENCE", 0.2)
    person = here.comes()
    person.sendall(large()[: 2 * MEGABYTE])
    assert person.recv(1) == b""
    nothing_is_left(here, folder)


def test_what_the_application_does_not_read_is_not_kept(here, folder):
    person = here.comes()
    person.sendall(large("/unread"))
    assert answer(person) == [b"unread"]
    nothing_is_left(here, folder)
    assert asks(here.comes(), "/quick") == b"/quick "


def test_what_announces_too_much_is_refused_before_it_comes(here):
    person = here.comes()
    person.sendall(f"POST /large HTTP/1.1\r\nHost: here\r\nContent-Length: {MOST + 1}\r\n\r\nbegin".encode())
    assert person.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert here.worker._spooling == {}


def test_without_room_a_thread_reads_it_while_it_comes(here, folder):
    here.worker._spools = spooling.Spools(folder, room=2 * len(CONTENT))  # and the heads of two are no room for both
    people = begun(here, 1)
    for _ in range(2):
        people.append(here.comes())
        people[-1].sendall(large()[: 2 * MEGABYTE])
    assert asks(here.comes(), "/quick") == b"/quick "
    assert here.worker._spools.held == len(large())  # of one, whatever of it is on its way
    for one in people:
        one.sendall(large()[2 * MEGABYTE :])
        assert answer(one) == [b"/large " + CONTENT]
    nothing_is_left(here, folder)


def test_the_last_room_of_a_disk_is_left_to_the_database(here, folder, monkeypatch):
    monkeypatch.setattr(spooling.shutil, "disk_usage", lambda _path: SimpleNamespace(free=spooling.ROOM))
    person = here.comes()
    person.sendall(large()[: 2 * MEGABYTE])
    assert asks(here.comes(), "/quick") == b"/quick "
    assert here.worker._spooling == {}
    person.sendall(large()[2 * MEGABYTE :])
    assert answer(person) == [b"/large " + CONTENT]


def test_where_the_disk_is_full_in_the_midst_a_thread_reads_on(here, folder):
    """No file of this process may grow over 1.5 MB: the system refuses the rest, as on a full disk."""
    limit = MEGABYTE + MEGABYTE // 2
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        person = here.comes()
        person.sendall(large()[: 2 * MEGABYTE])
        until(lambda: here.worker._gathered)
        assert asks(here.comes(), "/quick") == b"/quick "
        person.sendall(large()[2 * MEGABYTE :] + written("/along", b"told"))
        assert answer(person, 2) == [b"/large " + CONTENT, b"/along told"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    nothing_is_left(here, folder)


def test_told_to_stop_it_lets_a_large_request_come_to_its_end(here, monkeypatch):
    monkeypatch.setattr(even_worker, "STOP_KEEPALIVE_LINGER", 0.1)
    (person,) = begun(here, 1)
    here.worker.stop()
    time.sleep(0.3)
    person.sendall(large()[2 * MEGABYTE :])
    assert answer(person) == [b"/large " + CONTENT]
    here.running.join(30)
    assert not here.running.is_alive()


def test_where_no_file_can_be_made_a_thread_reads_it(here, folder):
    folder.parent.mkdir()
    folder.write_text("a file stands where the folder should")
    person = here.comes()
    person.sendall(large())
    assert answer(person) == [b"/large " + CONTENT]
