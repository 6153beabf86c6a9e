"""Copies of several departments, put together question by question and line by line."""

from __future__ import annotations

from datetime import date

import pytest

from portal.queries.questionnaires import definition
from portal.queries.submissions import stored_reply
from tests import factories, tables
from tests.offline import Filled, download, judge, outcomes, take, value


@pytest.mark.engines
def test_copies_are_merged_by_question_and_their_lines_put_together(session, scene):
    content = download(session, scene.reply, by=scene.by)
    first, second = Filled(content), Filled(content)
    first.put("received", 3, line=1)
    first.put("activity", "Training of judges", "en", line=1)
    first.put("held", date(2026, 1, 2), line=1)
    second.put("received", 4, line=2)
    second.put("activity", "Campaign", "en", line=1)
    plan = judge(session, first.content(), second.content(), by=scene.by)
    assert outcomes(plan) | {} == dict.fromkeys(("received[f]", "received[m]"), "new") | {
        row.name: "new_row" for row in plan.replies[0].rows
    }
    take(session, plan, scene)
    kept = stored_reply(session, scene.reply.id, definition(session, scene.version.id))
    assert {one.value for key, one in kept.answers.items() if key.code == "activity"} == {
        "Training of judges",
        "Campaign",
    }
    # sent again after one more cell was filled in: the same lines, not new ones
    second.put("women", 9, line=1)
    plan = judge(session, first.content(), second.content(), by=scene.by)
    assert [one.outcome for one in plan.replies[0].answers] == ["new"]
    assert not plan.replies[0].rows
    take(session, plan, scene, key="again")
    assert len(stored_reply(session, scene.reply.id, definition(session, scene.version.id)).rows) == 2


@pytest.mark.engines
def test_where_copies_differ_both_are_shown_and_none_is_taken_by_itself(session, scene):
    content = download(session, scene.reply, by=scene.by)
    first, second, third = Filled(content), Filled(content), Filled(content)
    for filled, number in ((first, 3), (second, 4), (third, 3)):
        filled.put("people", number)
    plan = judge(
        session, first.content(), second.content(), third.content(), by=scene.by, names=("a.xlsx", "b.xlsx", "c.xlsx")
    )
    one = plan.replies[0].answers[0]
    assert (one.outcome, one.chosen) == ("copies", "")
    assert [(option.text, option.place.copy) for option in one.options] == [("3", "a.xlsx"), ("4", "b.xlsx")]
    take(session, plan, scene, {f"{scene.reply.public_id}:people": "copy2"})
    assert value(session, scene, "people") == 4


def test_departments_that_name_their_copy_keep_their_lines_apart(session, scene):
    content = download(session, scene.reply, by=scene.by)
    copies = []
    for name in ("Legal", "Prisons"):
        filled = Filled(content)
        front = filled.book["Instructions"]
        row = next(row for row in range(1, 20) if front.cell(row, 1).value == "copy")
        front.cell(row, 3).value = name
        filled.put("activity", "Training", "en", line=1)
        copies.append(filled.content())
    plan = judge(session, *copies, by=scene.by)
    assert plan.copies == ["Legal", "Prisons"]
    assert [row.outcome for row in plan.replies[0].rows] == ["new_row", "new_row"]


def test_an_emptied_line_of_a_table_is_asked_about(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("activity", "Training", "en", line=1)
    take(session, judge(session, filled.content(), by=scene.by), scene)
    filled = Filled(download(session, scene.reply, by=scene.by))
    assert filled.place("activity", "en", line=1).value == "Training"
    filled.put("activity", None, "en", line=1)
    plan = judge(session, filled.content(), by=scene.by)
    row = plan.replies[0].rows[0]
    assert (row.outcome, row.chosen) == ("emptied_row", "")
    take(session, plan, scene, {f"{scene.reply.public_id}:{row.name}": "take"}, key="again")
    kept = stored_reply(session, scene.reply.id, definition(session, scene.version.id))
    assert [one.removed for one in kept.rows.values()] == [True]


def test_a_table_takes_no_more_lines_than_it_may(session, scene):
    made = tables.scene(session, max_rows="2")
    by = factories.principal(session, made.focal)
    content = download(session, made.reply, by=by)
    first, second = Filled(content), Filled(content)
    for at, filled in enumerate((first, second)):
        for line in (1, 2):
            filled.put("activity", f"Activity {at}{line}", "en", line=line)
    plan = judge(session, first.content(), second.content(), by=by)
    assert [row.outcome for row in plan.replies[0].rows] == ["new_row", "new_row", "refused", "refused"]
    assert "at most 2 rows" in str(plan.replies[0].rows[2].sentence)


def test_a_refused_copy_beside_a_good_one_is_told(session, scene):
    content = download(session, scene.reply, by=scene.by)
    first, second = Filled(content), Filled(content)
    first.put("people", 3)
    place = second.put("people", "some")
    one = judge(session, first.content(), second.content(), by=scene.by).replies[0].answers[0]
    assert (one.outcome, one.chosen) == ("new", "copy1")
    assert f"copy2.xlsx, cell {place}, was refused" in str(one.warning)
