"""Pieces on the disk: one file however many requests bring them at the same moment, and one request finishes it."""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.errors import Invalid, NotFound
from portal.permissions import Principal
from portal.services import uploads
from portal.services.uploads import WrongOffset

ID = "0123456789abcdef"
ROOM = {"limit": 10**9, "room": 10**9}


@pytest.fixture
def path(tmp_path):
    return uploads.place(tmp_path, Principal(actor_id=1), "reply", ID)


def outcome(act):
    try:
        return act()
    except WrongOffset as error:
        return error.offset


def test_one_piece_sent_many_times_at_once_stands_there_once(path):
    piece = bytes(range(256)) * 400
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _n: outcome(lambda: uploads.append(path, 0, piece, **ROOM)), range(40)))
    assert set(told) == {len(piece)}
    assert path.read_bytes() == piece


def test_many_pieces_at_once_in_any_order_make_the_file(path):
    content = bytes(range(251)) * 1000

    def send(_worker):
        at = 0
        while at < len(content):
            at = outcome(lambda at=at: uploads.append(path, at, content[at : at + 10_007], **ROOM))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    assert path.read_bytes() == content


def test_a_piece_waits_for_another_request_with_the_same_file(path):
    uploads.append(path, 0, b"one", **ROOM)
    with ThreadPoolExecutor(1) as pool:
        with path.open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            waiting = pool.submit(lambda: uploads.append(path, 3, b"two", **ROOM))
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            assert path.read_bytes() == b"one"
        assert waiting.result(10) == 6


def test_a_file_is_claimed_by_one(path):
    uploads.append(path, 0, b"all of it", **ROOM)

    def claim(_worker):
        try:
            return uploads.claim(path, 9)
        except WrongOffset:
            return None

    with ThreadPoolExecutor(8) as pool:
        drafts = [one for one in pool.map(claim, range(16)) if one]
    assert len(drafts) == 1
    assert drafts[0].read_bytes() == b"all of it"
    assert uploads.offset(path) == 0


def test_a_person_has_a_few_files_under_way_not_a_thousand(tmp_path):
    def send(person, number):
        path = uploads.place(tmp_path, Principal(actor_id=person), "reply", f"{number:016}")
        return uploads.append(path, 0, b"x", **ROOM)

    for number in range(uploads.UNDER_WAY):
        send(1, number)
    with pytest.raises(Invalid, match="Too many") as refused:
        send(1, 99)
    assert refused.value.code == "too_many_uploads"
    assert send(2, 99) == 1


@pytest.mark.parametrize("identifier", ["", "short", "a/b/../../../../etc/x", "x" * 65, "ក" * 20])
def test_an_identifier_is_no_path(tmp_path, identifier):
    with pytest.raises(NotFound):
        uploads.place(tmp_path, Principal(actor_id=1), "reply", identifier)
