"""Rows by the API: each act against the revision that its writer saw, so that nothing a colleague wrote goes unread."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import AnswerRow
from tests import tables
from tests.integration.portal.api import test_api, test_locked

world, scene = test_api.world, test_locked.scene
A = tables.key(1)


@pytest.fixture
def say(scene):
    """Save rows and answers of the table ``trips``: ``say(expect, rows, name=(value, base))``."""

    def say(expect, row=None, **cells):
        body = {
            "answers": [
                {"name": f"{code}[{A}]", "value": value, "base": base} for code, (value, base) in cells.items()
            ],
            "rows": [{"table": "trips", "key": A} | row] if row else [],
        }
        made = scene.focal.post(scene.path + "/answers", body)
        assert made.status_code == expect, made.json
        return made.json

    return say


def place(session):
    session.expire_all()
    return session.execute(select(AnswerRow.position, AnswerRow.removed, AnswerRow.revision)).one()


@pytest.mark.engines
def test_a_row_is_moved_and_put_back_only_by_whoever_saw_it_as_it_stands(session, say):
    say(200, {"position": 1, "base": 0})
    assert say(200, {"position": 4, "base": 1})["rows"][0]["revision"] == 2
    # a colleague who saw it in its first place is told where it stands, and moves nothing
    assert say(200, {"position": 9, "base": 1})["rows"][0] == {
        "table": "trips", "key": A, "position": 4, "removed": False, "revision": 2,
    }  # fmt: skip
    assert place(session) == (4, False, 2)
    assert say(200, {"removed": True, "base": 2})["rows"][0]["removed"] is True
    # an answer to an older state puts nothing back; whoever saw that it is gone does
    assert say(200, {"position": 4, "base": 2})["rows"][0]["removed"] is True
    assert say(200, {"position": 4, "base": 3})["rows"][0]["removed"] is False
    assert place(session) == (4, False, 4)


@pytest.mark.engines
def test_a_row_in_which_somebody_wrote_unseen_is_not_removed(session, say):
    say(200, {"position": 1, "base": 0}, aim=("A talk", 0))
    say(200, aim=("A talk in Kep", 1))
    for seen in ({f"aim[{A}]": 1}, {}):
        told = say(409, {"removed": True, "base": 1, "seen": seen})
        (stale,) = told["stale_rows"]
        assert (stale["removed"], [(one["text"], one["revision"]) for one in stale["theirs"]]) == (
            False, [("A talk in Kep", 2)]
        )  # fmt: skip
        assert place(session) == (1, False, 1)
    say(200, {"removed": True, "base": 1, "seen": {f"aim[{A}]": 2}})
    assert place(session) == (1, True, 2)
    # and who goes on writing in it is told so, with their own words
    (stale,) = say(409, aim=("A talk in Kampot", 2))["stale_rows"]
    assert (stale["removed"], [one["text"] for one in stale["mine"]]) == (True, ["A talk in Kampot"])


@pytest.mark.engines
def test_a_cell_is_written_only_over_the_text_that_was_seen(say):
    say(200, {"position": 1, "base": 0}, aim=("A talk", 0))
    say(200, aim=("A talk in Kep", 1))
    (stale,) = say(409, aim=("A talk in Takeo", 1))["stale"]
    assert (stale["mine"], stale["theirs"], stale["revision"]) == ("A talk in Takeo", "A talk in Kep", 2)
    say(200, aim=("A talk in Takeo", 2))
