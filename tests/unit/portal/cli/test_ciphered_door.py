"""A worker that was given a certificate: each connection is ciphered, and nobody's handshake or slow line holds another."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from contextlib import suppress
from types import SimpleNamespace

import pytest

from tests import doors
from tests.doors import THREADS, Held, answer, asks, echo, request, until

served = doors.served
LARGE = bytes(range(256)) * 8_000  # 2 MB


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that signs itself, and its key."""
    if shutil.which("openssl") is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail("openssl is not installed, so there is no certificate to try TLS with")
        pytest.skip("openssl is not installed: it makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    made = {"certfile": str(folder / "certificate.pem"), "keyfile": str(folder / "key.pem")}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", made["certfile"], "-keyout", made["keyfile"]],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def door(served, certificate):
    """A function that serves an application behind the certificate; ``door(app).enters()`` is a person inside."""

    def serve(app, **settings):
        here = served(app, **certificate, **settings)
        trusting = ssl.create_default_context(cafile=certificate["certfile"])

        def enters():
            line = socket.create_connection(here.address, timeout=30)
            return here.people.enter_context(trusting.wrap_socket(line, server_hostname="127.0.0.1"))

        here.enters = enters
        return here

    return serve


def hello(certificate):
    """The first message of a handshake."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    inside = ssl.create_default_context(cafile=certificate["certfile"]).wrap_bio(
        coming, going, server_hostname="127.0.0.1"
    )
    with pytest.raises(ssl.SSLWantReadError):
        inside.do_handshake()
    return going.read()


def told(environ, start_response):
    """Say under which scheme it was asked."""
    environ["PATH_INFO"] += " " + environ["wsgi.url_scheme"]
    return echo(environ, start_response)


def test_a_connection_is_kept_and_each_request_on_it_answered(door):
    person = door(told).enters()
    assert [asks(person, f"/{number}", b"told") for number in range(3)] == [b"/%d https told" % n for n in range(3)]
    assert asks(person, "/long", LARGE) == b"/long https " + LARGE


def test_requests_sent_at_once_are_answered_in_order(door):
    person = door(echo).enters()
    bodies = [bytes([letter]) * size for letter, size in zip(b"abcd", (10, 9_000, 20_000, 3), strict=True)]
    person.sendall(b"".join(request("/at-once", body) for body in bodies))
    assert answer(person, 4) == [b"/at-once " + body for body in bodies]
    # the beginning of the next one comes along
    next_one = request("/next", b"told")
    person.sendall(request("/first") + next_one[:20])
    assert answer(person) == [b"/first "]
    person.sendall(next_one[20:])
    assert answer(person) == [b"/next told"]


def test_what_came_behind_a_body_that_a_thread_reads_is_answered(door):
    """A chunked body is read in small pieces: what stands behind it may be deciphered already, and the line silent."""
    person = door(echo).enters()
    chunked = b"POST /chunked HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    person.sendall(chunked)
    person.sendall(b"%x\r\n" % 7_000 + b"x" * 7_000 + b"\r\n0\r\n\r\n" + request("/behind", b"y" * 7_000))
    assert answer(person, 2) == [b"/chunked " + b"x" * 7_000, b"/behind " + b"y" * 7_000]


def test_half_made_handshakes_and_those_who_say_nothing_hold_no_thread(door, certificate):
    here = door(echo)
    first = hello(certificate)
    halves = [here.comes() for _ in range(2 * THREADS)]
    for number, one in enumerate(halves):
        one.sendall(first if number % 2 else first[:50])
    silent = [here.enters() for _ in range(2 * THREADS)]
    assert [asks(here.enters(), f"/{number}") for number in range(5)] == [b"/%d " % number for number in range(5)]
    assert asks(silent[-1], "/late") == b"/late "


def test_a_handshake_that_is_not_made_is_given_up(door, certificate):
    here = door(echo, keepalive=1)
    half = here.comes()
    half.sendall(hello(certificate)[:50])
    assert half.recv(1) == b""
    assert here.worker.nr_conns == 0


def test_who_speaks_in_the_clear_is_not_answered_and_harms_nobody(door):
    here = door(echo)
    clear = here.comes()
    clear.sendall(request("/clear", b"told"))
    with suppress(ConnectionError):
        assert b"/clear" not in b"".join(iter(lambda: clear.recv(1000), b""))
    assert asks(here.enters(), "/quick") == b"/quick "
    assert here.worker.nr_conns == 1


def test_requests_that_come_in_pieces_hold_no_thread(door, tmp_path):
    app = Held()
    app.config = {"MAX_CONTENT_LENGTH": 2 * len(LARGE), "SETTINGS": SimpleNamespace(tmp_dir=tmp_path)}
    here = door(app)
    small, large = request("/small", b"told"), request("/large", LARGE)
    people = [(here.enters(), whole) for whole in (small, large) for _ in range(2 * THREADS)]
    for one, whole in people:
        one.sendall(whole[: len(whole) - 2])
    until(lambda: len(here.worker._spooling) == 2 * THREADS)
    assert asks(here.enters(), "/quick") == b"/quick "
    for one, whole in people:
        one.sendall(whole[-2:])
        assert answer(one) == [b"/small told" if whole is small else b"/large " + LARGE]


def test_a_page_that_takes_its_time_holds_nobody_up(door):
    app = Held()
    here = door(app)
    slow, quick = here.enters(), here.enters()
    slow.sendall(request("/held"))
    assert app.entered.wait(30)
    slow.sendall(request("/next"))
    assert asks(quick, "/quick") == b"/quick "
    app.leave.set()
    assert answer(slow, 2) == [b"/held ", b"/next "]


def test_a_line_that_ends_without_a_word_is_forgotten(door):
    here = door(echo)
    for sent in (b"", request("/half", b"told")[:-2]):
        person = here.enters()
        person.sendall(sent)
        socket.socket(fileno=person.detach()).close()
    until(lambda: here.worker.nr_conns == 0)
    assert here.worker._held == 0
