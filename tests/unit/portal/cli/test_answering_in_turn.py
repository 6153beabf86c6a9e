"""The worker answers: quick requests one by one, slow people and slow pages beside them, until it is told to stop."""

from __future__ import annotations

import resource
import socket
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from portal.cli import arriving, even_worker, supervisor
from tests import doors
from tests.doors import THREADS, Held, answer, asks, echo, request, until

served = doors.served
TCP_REPAIR = 19  # closed in this state, a socket tells its other end nothing


def test_a_connection_is_kept_and_each_request_on_it_answered(served):
    person = served(echo).comes()
    assert [asks(person, f"/{number}", b"told") for number in range(3)] == [b"/0 told", b"/1 told", b"/2 told"]


def test_requests_sent_at_once_are_answered_in_order(served):
    person = served(echo).comes()
    person.sendall(request("/1", b"a") + request("/2", b"b") + request("/3", b"c"))
    assert answer(person, 3) == [b"/1 a", b"/2 b", b"/3 c"]


def test_those_who_say_nothing_hold_no_thread(served):
    here = served(echo)
    silent = [here.comes() for _ in range(3 * THREADS)]
    assert asks(here.comes(), "/quick") == b"/quick "
    assert asks(silent[-1], "/late") == b"/late "


def test_requests_that_come_in_pieces_hold_no_thread_and_are_answered_in_the_end(served):
    here = served(echo)
    body = b"a body that takes its time"
    whole = request("/slow", body)
    breaks = 4 * (10, 60, len(whole) - len(body), len(whole) - 3)  # in the first line, the head, before the body, in it
    slow = [here.comes() for _ in breaks]
    for one, end in zip(slow, breaks, strict=True):
        one.sendall(whole[:end])
    quick = here.comes()
    assert [asks(quick, f"/{number}") for number in range(20)] == [b"/%d " % number for number in range(20)]
    for one, end in zip(slow, breaks, strict=True):
        one.sendall(whole[end:] + whole[:end])
    assert [answer(one) for one in slow] == len(breaks) * [[b"/slow " + body]]
    for one, end in zip(slow, breaks, strict=True):  # the beginning of a second one came with the first
        one.sendall(whole[end:])
    assert [answer(one) for one in slow] == len(breaks) * [[b"/slow " + body]]
    assert here.worker._held == 0


def test_a_large_body_is_read_while_it_comes_and_one_that_waits_for_a_word_gets_it(served):
    here = served(echo)
    body = b"x" * (2 * arriving.LARGEST)
    large, careful, chunked, quick = (here.comes() for _ in range(4))
    large.sendall(request("/large", body)[: arriving.LARGEST])
    careful.sendall(request("/careful", b"told", "Expect: 100-continue\r\n")[:-4])
    assert careful.recv(1000).startswith(b"HTTP/1.1 100 ")
    chunked.sendall(b"POST /chunked HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntol")
    assert asks(quick, "/quick") == b"/quick "
    careful.sendall(b"told")
    assert answer(careful) == [b"/careful told"]
    chunked.sendall(b"\r\n1\r\nd\r\n0\r\n\r\n")
    assert answer(chunked) == [b"/chunked told"]
    large.sendall(body[arriving.LARGEST - len(request("/large", body)) :])
    assert answer(large) == [b"/large " + body]


def test_requests_on_their_way_are_not_held_in_memory_without_limit(served, monkeypatch):
    monkeypatch.setattr(even_worker, "HELD", 1000)
    here = served(echo)
    slow = [here.comes() for _ in range(THREADS)]
    for one in slow:
        one.sendall(request("/slow", b"x" * 900)[:-1])
    assert asks(here.comes(), "/quick") == b"/quick "
    until(lambda: len(here.worker.keepalived_conns) == 1)  # all others have said something
    assert here.worker._held < 2 * len(request("/slow", b"x" * 900))
    for one in slow:
        one.sendall(b"x")
    assert [answer(one) for one in slow] == THREADS * [[b"/slow " + b"x" * 900]]


def test_where_memory_is_full_of_half_requests_files_take_the_next(served, monkeypatch, tmp_path):
    """Nobody is asked for answers before their form is here as a whole: a save locks its reply at once."""
    monkeypatch.setattr(even_worker, "HELD", 1000)
    app = Held()
    app.config = {"MAX_CONTENT_LENGTH": 10_000, "SETTINGS": SimpleNamespace(tmp_dir=tmp_path)}
    here, whole = served(app), request("/held", b"x" * 900)
    slow = [here.comes() for _ in range(2 * THREADS)]
    for one in slow:
        one.sendall(whole[:-1])
    until(lambda: len(here.worker._spooling) >= THREADS)
    assert asks(here.comes(), "/quick") == b"/quick "
    assert here.worker._held < 2 * len(whole)
    assert not app.entered.is_set()
    app.leave.set()
    for one in slow:
        one.sendall(b"x")
    assert [answer(one) for one in slow] == 2 * THREADS * [[b"/held " + b"x" * 900]]
    until(lambda: here.worker._spools.held == 0)


def test_a_request_whose_line_is_silent_for_too_long_is_given_up(served, monkeypatch):
    monkeypatch.setattr(even_worker, "SILENCE", 0.2)
    here = served(echo)
    silent = here.comes()
    silent.sendall(request("/silent", b"never to come")[:-5])
    assert silent.recv(1) == b""
    assert (here.worker.nr_conns, here.worker._held) == (0, 0)


def test_a_head_without_end_ends_its_connection(served):
    here = served(echo)
    person = here.comes()
    with suppress(ConnectionError):  # it may end before all is sent
        person.sendall(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (arriving.LARGEST // 6))
        assert person.recv(1) == b""
    assert asks(here.comes(), "/quick") == b"/quick "
    assert here.worker.nr_conns == 1


def test_those_whose_line_broke_in_the_middle_of_a_large_body_hold_no_thread_for_long(served, monkeypatch):
    monkeypatch.setattr(supervisor, "LOST_AFTER", 2)
    here = served(echo)
    for _ in range(THREADS):
        lost = here.comes()
        lost.sendall(f"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {2 * arriving.LARGEST}\r\n\r\nbegin".encode())
        try:
            lost.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            pytest.skip("only who may administer the network can break a connection without a word")
        lost.close()
    assert asks(here.comes(), "/quick") == b"/quick "


def test_a_page_that_takes_its_time_holds_nobody_up_and_its_connection_is_kept(served):
    app = Held()
    here = served(app)
    slow, quick = here.comes(), here.comes()
    slow.sendall(request("/held"))
    assert app.entered.wait(30)
    assert asks(quick, "/quick") == b"/quick "
    slow.sendall(request("/next"))  # the one at the door sees it once, and leaves it to the one that answers
    assert asks(quick, "/quick") == b"/quick "
    rounds, go_round = [], here.worker.wait_for_and_dispatch_events
    here.worker.wait_for_and_dispatch_events = lambda timeout: (rounds.append(timeout), go_round(timeout))
    for _ in range(300):
        assert asks(quick, "/quick") == b"/quick "
    assert len(rounds) < 400
    app.leave.set()
    assert answer(slow, 2) == [b"/held ", b"/next "]


def test_quick_requests_are_answered_by_one_thread(served):
    by = set()

    def app(environ, start_response):
        by.add(threading.get_ident())
        return echo(environ, start_response)

    here = served(app)
    here.worker.lead._patience = 30
    people = [here.comes() for _ in range(8)]
    for number in range(3):
        for one in people:
            one.sendall(request(f"/{number}"))
        assert [answer(one) for one in people] == 8 * [[b"/%d " % number]]
    assert len(by) == 1


def test_whoever_ends_a_request_badly_ends_nothing_else(served):
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/exit":
            raise SystemExit
        if environ["PATH_INFO"] == "/error":
            raise RuntimeError
        return echo(environ, start_response)

    here = served(app)
    for number in range(2 * THREADS):
        with socket.create_connection(here.address, timeout=30) as person:
            person.sendall(request("/exit" if number % 2 else "/error"))
            while person.recv(1000):  # an error page or nothing, then the end
                pass
    gone = here.comes()
    gone.sendall(request("/gone"))
    gone.close()
    assert asks(here.comes(), "/quick") == b"/quick "


def test_a_connection_on_which_nothing_comes_is_closed(served):
    here = served(echo, keepalive=1)
    silent, kept = here.comes(), here.comes()
    assert asks(kept, "/once") == b"/once "
    assert silent.recv(1) == b""
    assert kept.recv(1) == b""
    assert here.worker.nr_conns == 0


def test_told_to_stop_it_answers_what_it_has_and_waits_no_longer_for_those_who_say_nothing(served, monkeypatch):
    monkeypatch.setattr(even_worker, "STOP_KEEPALIVE_LINGER", 0.2)
    app = Held()
    here = served(app)
    silent, asking = here.comes(), here.comes()
    asking.sendall(request("/held"))
    assert app.entered.wait(30)
    here.worker.stop()
    assert silent.recv(1) == b""
    assert here.running.is_alive()
    app.leave.set()
    assert b"/held " in b"".join(iter(lambda: asking.recv(1000), b""))  # and then the connection ends
    here.running.join(30)
    assert not here.running.is_alive()
    with pytest.raises(OSError):
        here.door.accept()


def test_it_ends_when_nobody_looks_after_it_any_more(served):
    here = served(echo)
    assert asks(here.comes(), "/once") == b"/once "
    here.worker.ppid = -1
    here.people.close()
    here.running.join(30)
    assert here.worker.over
    assert not here.running.is_alive()


def test_where_no_file_can_be_opened_the_others_are_answered_and_the_next_is_when_there_is_room(served):
    here = served(echo)
    known = here.comes()
    assert asks(known, "/before") == b"/before "
    late = here.people.enter_context(socket.socket())
    late.settimeout(30)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = []
    here.worker.log.warning = lambda message, *_more: said.append(message)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        late.connect(here.address)
        late.sendall(request("/late"))
        until(lambda: said)
        assert asks(known, "/meanwhile") == b"/meanwhile "
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert answer(late) == [b"/late "]


def test_what_goes_wrong_at_the_door_ends_the_process_when_it_has_answered_what_it_has(served):
    app = Held()
    here = served(app)
    asking = here.comes()
    asking.sendall(request("/held"))
    assert app.entered.wait(30)
    worked = here.worker.wait_for_and_dispatch_events

    def breaks(timeout):
        here.worker.wait_for_and_dispatch_events = worked
        raise RuntimeError

    here.worker.wait_for_and_dispatch_events = breaks
    until(lambda: not here.worker.alive)
    app.leave.set()
    assert b"/held " in b"".join(iter(lambda: asking.recv(1000), b""))
    here.running.join(30)
    assert not here.running.is_alive()
