"""A workbook goes out, is filled in and comes back: what is judged, what is taken over."""

from __future__ import annotations

from datetime import date

import pytest

from portal.queries.questionnaires import definition
from portal.queries.submissions import stored_reply
from portal.services.offline.taking import choices, take_offline
from tests import factories, tables
from tests.excel import faults
from tests.offline import Filled, download, judge

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session, context):
    made = tables.scene(session)
    made.by = factories.principal(session, made.focal)
    return made


def stored(session, scene):
    return stored_reply(session, scene.reply.id, definition(session, scene.version.id))


def take(session, plan, scene, chosen=None, key="once"):
    made = take_offline(session, plan, choices(plan, chosen), by=scene.by, request_key=key, source="x")
    session.commit()
    return made


def test_what_is_filled_in_is_shown_first_and_then_stored(session, scene, tmp_path):
    content = download(session, scene.reply, by=scene.by)
    (tmp_path / "x.xlsx").write_bytes(content)
    assert faults(tmp_path / "x.xlsx") == []
    filled = Filled(content)
    filled.put("people", 12)
    filled.put("received", 5, line=1)
    filled.put("received", "Not applicable", "!", line=2)
    filled.put("activity", "វគ្គបណ្ដុះបណ្ដាល", "km", line=1)
    filled.put("held", date(2026, 3, 27), line=1)
    filled.put("place", "កណ្តាល · Kandal", line=1)
    filled.put("women", 3, line=1)
    filled.put("partners", "United Nations; សង្គមស៊ីវិល", line=1)
    filled.put("programme", "007", line=2)
    filled.put("b3", 2, "^", line=1)
    filled.put("year", 2025, line=1)
    filled.put("spent", 1234.5, line=1)
    plan = judge(session, filled.content(), by=scene.by)
    reply = plan.replies[0]
    assert not plan.problems, plan.problems
    assert [one.name for one in reply.answers] == ["received[f]", "received[m]", "people"]
    assert reply.problems == []
    assert [(row.row.repeat, row.outcome) for row in reply.rows] == [
        ("b5", "new_row"),
        ("b3", "new_row"),
        ("b3y", "new_row"),
    ]
    assert stored(session, scene).answers == {}
    take(session, plan, scene)
    kept = stored(session, scene)
    values = {
        (key.code, key.lang): one.value for key, one in kept.answers.items() if not key.row or key.code != "received"
    }
    assert values["people", ""] == 12
    assert values["activity", "km"] == "វគ្គបណ្ដុះបណ្ដាល"
    assert values["held", ""] == "2026-03-27"
    assert values["place", ""] == "kandal"
    assert values["partners", ""] == ["un", "ngo"]
    assert values["programme", ""] == "007"
    assert values["year", ""] == 2025
    assert values["spent", ""] == "1234.5"
    assert {key.row: (one.value, one.state) for key, one in kept.answers.items() if key.code == "received"} == {
        "f": (5, "answered"),
        "m": (None, "not_applicable"),
    }
    again = judge(session, filled.content(), by=scene.by)
    assert again.counts | {"unchanged": 0} == dict.fromkeys(again.counts, 0)
    assert not again.takes
