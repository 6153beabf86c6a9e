"""A copy that is sent a second time: what was taken from it is no conflict with itself; a true difference stays one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.models import AnswerRow, OfflineTaking, Status, Submission
from tests import factories, tables
from tests.integration.portal.services.offline.test_traps import outcomes, save, take, value
from tests.offline import Filled, download, judge

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session, context):
    made = tables.scene(session)
    made.by = factories.principal(session, made.focal)
    made.other = factories.principal(session, made.colleague)
    return made


def test_one_copy_that_is_filled_in_further_and_sent_again(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.put("received", 5, line=1)
    filled.put("activity", "Training", "en", line=1)
    take(session, judge(session, filled.content(), by=scene.by), scene, key="first")
    assert session.scalar(select(func.count()).select_from(OfflineTaking)) == 4  # three answers and the line
    # the same file again: nothing
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {}
    # filled in further, the first cell of its line too: no conflict with what came from it, and no second line
    filled.put("people", 4)
    filled.put("convicted", 1, line=1)
    filled.put("activity", "Training of judges", "en", line=1)
    plan = judge(session, filled.content(), by=scene.by)
    key = session.scalars(select(AnswerRow.key)).one()
    assert outcomes(plan) == {"people": "changed", "convicted[f]": "new", f"activity[{key}]@en": "changed"}
    take(session, plan, scene, key="second")
    assert session.scalars(select(AnswerRow.key)).all() == [key]
    # a colleague changes it on the page: the file's text is known, and not asked about again
    save(session, scene, people=9)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "taken"}
    assert (plan.counts["taken"], plan.counts["conflict"]) == (1, 0)
    take(session, plan, scene, key="third")
    assert value(session, scene, "people") == 9
    # handed in and returned for another question: what it says again is no refusal, only what it says anew
    reply = session.get_one(Submission, scene.reply.id)
    reply.status, reply.unlocked = Status.RETURNED, ["convicted"]
    session.commit()
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {}
    reply.status, reply.unlocked = Status.IN_PROGRESS, None
    session.commit()
    # it may come back if somebody says so; and what is new in the file is a true difference
    filled.put("people", 10)
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {"people": "conflict"}


def named(content, department, **values):
    filled = Filled(content)
    front = filled.book.worksheets[0]
    row = next(cell.row for cell in front["A"] if cell.value == "copy")
    front.cell(row, 3).value = department
    for code, given in values.items():
        filled.put(code, given, line=0 if code == "people" else 1)
    return filled


def test_departments_send_copies_and_one_sends_its_own_again(session, scene):
    content = download(session, scene.reply, by=scene.by)
    courts, police = named(content, "Courts", people=3), named(content, "Police", received=5)
    take(session, judge(session, courts.content(), police.content(), by=scene.by), scene, key="first")
    # what Courts change in their copy is theirs; what they change of another department's answer is a conflict
    courts.put("people", 4)
    courts.put("received", 6, line=1)
    plan = judge(session, courts.content(), by=scene.by)
    assert outcomes(plan) == {"people": "changed", "received[f]": "conflict"}
    # a copy without a name that does not go on with the first one is another person's
    plain = Filled(content)
    plain.put("people", 8)
    assert outcomes(judge(session, plain.content(), by=scene.by)) == {"people": "conflict"}


def test_a_stranger_copy_without_a_name_is_not_taken_for_the_first(session, scene):
    content = download(session, scene.reply, by=scene.by)
    first, second = Filled(content), Filled(content)
    first.put("people", 3)
    first.put("received", 5, line=1)
    take(session, judge(session, first.content(), by=scene.by), scene, key="first")
    second.put("people", 4)
    assert outcomes(judge(session, second.content(), by=scene.by)) == {"people": "conflict"}
    second.put("received", 5, line=1)  # the same in one place: it may be the same copy, filled in further
    assert outcomes(judge(session, second.content(), by=scene.by)) == {"people": "changed"}
