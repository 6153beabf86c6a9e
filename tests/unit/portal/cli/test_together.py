"""Headers and the first of the body leave in one piece, and nothing of an answer is lost, doubled or out of order."""

from __future__ import annotations

import socket

import pytest
from gunicorn.http.wsgi import FileWrapper

from portal.cli import together
from tests import doors
from tests.doors import answer, asks, request

served = doors.served


@pytest.fixture
def sent(monkeypatch):
    """What each call of the system took, of what the worker sent."""
    pieces, whole = [], socket.socket.sendall

    class Counting(socket.socket):
        def sendall(self, data, *more):
            pieces.append(bytes(data))
            return whole(self, data, *more)

    accept = socket.socket.accept

    def counted(self):
        person, address = accept(self)
        return Counting(fileno=person.detach()), address

    monkeypatch.setattr(socket.socket, "accept", counted)
    return pieces


def saying(*parts, status="200 OK", length=True, file=None):
    """Return an application that answers these parts."""

    def application(environ, start_response):
        environ["wsgi.input"].read()
        headers = [("Content-Length", str(sum(map(len, parts))))] if length else []
        start_response(status, headers)
        return FileWrapper(file) if file else list(parts)

    return application


def said(person, until=b""):
    """Return all that a connection said up to an end."""
    heard = b""
    while not heard.endswith(until) or not heard:
        came = person.recv(1 << 20)
        if not came:
            break
        heard += came
    return heard


def test_a_page_is_one_piece_and_the_next_one_too(served, sent):
    person = served(saying(b"a page")).comes()
    for _again in range(2):
        assert asks(person, "/") == b"a page"
    assert len(sent) == 2
    assert all(one.startswith(b"HTTP/1.1 200 OK\r\n") and one.endswith(b"\r\n\r\na page") for one in sent)


def test_parts_follow_the_first_in_order(served, sent):
    person = served(saying(b"one ", b"", b"two ", b"three")).comes()
    assert asks(person, "/") == b"one two three"
    assert sent[0].endswith(b"\r\n\r\none ")
    assert b"".join(sent).count(b"HTTP/1.1") == 1


def test_a_large_part_is_not_copied_behind_its_headers(served, sent, monkeypatch):
    monkeypatch.setattr(together, "JOINED", 10)
    assert asks(served(saying(11 * b"x")).comes(), "/") == 11 * b"x"
    assert sent[1:] == [11 * b"x"]


def test_what_has_no_length_is_chunked(served):
    person = served(saying(b"one", b"two", length=False)).comes()
    person.sendall(request("/"))
    head, _end, body = said(person, b"0\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_has_its_headers(served, status):
    person = served(saying(status=status, length=False)).comes()
    for _again in range(2):  # the connection goes on
        person.sendall(request("/"))
        assert said(person, b"\r\n\r\n").startswith(f"HTTP/1.1 {status}\r\n".encode())


def test_nothing_but_the_headers_is_sent_to_who_asks_for_them_alone(served):
    person = served(saying(b"a page")).comes()
    person.sendall(b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n" + request("/"))
    with person.makefile("rb") as reading:
        head = list(iter(reading.readline, b"\r\n"))
        assert b"Content-Length: 6\r\n" in head
        assert reading.readline() == b"HTTP/1.1 200 OK\r\n"


def test_an_empty_body_has_its_headers(served):
    assert asks(served(saying()).comes(), "/") == b""


def test_a_file_comes_after_its_headers(served, tmp_path):
    (tmp_path / "file").write_bytes(100_000 * b"f")
    with (tmp_path / "file").open("rb") as file:
        person = served(saying(100_000 * b"f", file=file)).comes()
        person.sendall(request("/"))
        assert answer(person) == [100_000 * b"f"]


def test_who_fails_before_the_first_part_is_answered_and_later_is_cut_off(served):
    def application(environ, start_response):
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", "10")])
        if environ["PATH_INFO"] == "/late":
            yield b"half "
        raise RuntimeError

    here = served(application)
    early, late = here.comes(), here.comes()
    early.sendall(request("/early"))
    assert said(early).startswith(b"HTTP/1.1 500 ")
    late.sendall(request("/late"))
    assert said(late).endswith(b"\r\n\r\nhalf ")
