"""A copy that is sent a second time: what was taken from it is no conflict with itself; a true difference stays one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.models import AnswerRow, OfflineTaking, Status, Submission
from tests.offline import Filled, download, judge, outcomes, save, take, value

pytestmark = pytest.mark.engines


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


def decide(session, scene, plan, key, people):
    take(session, plan, scene, {f"{scene.reply.public_id}:people": people}, key=key)


def test_what_somebody_kept_is_not_asked_again_until_one_of_both_texts_is_another(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.put("received", 5, line=1)
    save(session, scene, people=9)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "conflict", "received[f]": "new"}
    # nothing was said of it: it is asked again
    take(session, plan, scene, key="first")
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "conflict"}
    decide(session, scene, plan, "second", "theirs")
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "kept"}
    assert (plan.counts["taken"], plan.counts["conflict"], plan.doubtful) == (1, 0, False)
    assert value(session, scene, "people") == 9
    # it may be taken after all
    decide(session, scene, plan, "third", plan.replies[0].answers[0].options[0].name)
    assert value(session, scene, "people") == 3
    # kept again, and then a colleague writes something else: that is another question
    save(session, scene, people=8)
    filled.put("people", 4)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "conflict"}
    decide(session, scene, plan, "fourth", "theirs")
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {"people": "kept"}
    save(session, scene, people=7)
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {"people": "conflict"}
    # so is a new text in the file; whoever wrote it had seen what stands
    decide(session, scene, judge(session, filled.content(), by=scene.by), "fifth", "theirs")
    filled.put("people", 5)
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {"people": "changed"}


def test_what_one_department_kept_is_asked_of_another(session, scene):
    sent = download(session, scene.reply, by=scene.by)
    save(session, scene, people=9)
    plan = judge(session, named(sent, "Prisons", people=3).content(), by=scene.by)
    decide(session, scene, plan, "first", "theirs")
    assert outcomes(judge(session, named(sent, "Prisons", people=3).content(), by=scene.by)) == {"people": "kept"}
    assert outcomes(judge(session, named(sent, "Courts", people=3).content(), by=scene.by)) == {"people": "conflict"}


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
