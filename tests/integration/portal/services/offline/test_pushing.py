"""Only what passes is taken over: conflicts, cleared cells, what cannot be read (peers.md 3.6, 71)."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from sqlalchemy import select

from portal.models import Answer, VersionItem
from portal.services.offline.telling import clean
from tests import factories
from tests.offline import Filled, download, edited, judge, outcomes, said, save, take, value


@pytest.mark.engines
def test_what_a_colleague_saved_meanwhile_is_shown_beside_the_file_and_stays_unless_chosen(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    save(session, scene, people=7)
    filled.put("people", 3)
    plan = judge(session, filled.content(), by=scene.by)
    one = plan.replies[0].answers[0]
    assert (one.outcome, one.old, one.options[0].text, one.chosen) == ("conflict", "7", "3", "")
    assert any("older than what stands" in each for each in said(plan.replies[0].remarks))
    take(session, plan, scene)
    assert value(session, scene, "people") == 7
    take(session, plan, scene, {f"{scene.reply.public_id}:people": "copy1"}, key="again")
    assert value(session, scene, "people") == 3


def test_an_untouched_cell_conflicts_with_nobody(session, scene):
    save(session, scene, people=7)
    filled = Filled(download(session, scene.reply, by=scene.by))
    save(session, scene, people=8)
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {}
    filled.put("people", 8)
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {}


@pytest.mark.engines
def test_somebody_who_saves_between_look_and_confirm_is_not_overruled(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    plan = judge(session, filled.content(), by=scene.by)
    save(session, scene, people=7)
    made = take(session, plan, scene)
    assert "Somebody saved" in str(made[0].left[0].message)
    assert value(session, scene, "people") == 7


def test_both_texts_may_be_put_together(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    factories.question(session, scene.version, "notes", "text", parent=page)
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))
    save(session, scene, notes__en="Saved on the page")
    filled.put("notes", "Written in Excel", "en")
    plan = judge(session, filled.content(), by=scene.by)
    take(session, plan, scene, {f"{scene.reply.public_id}:notes@en": "both"})
    assert value(session, scene, "notes", "en") == "Saved on the page\n\nWritten in Excel"


def test_a_cleared_cell_is_asked_about_and_not_taken_by_itself(session, scene):
    save(session, scene, people=7)
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", None)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "cleared"}
    take(session, plan, scene)
    assert value(session, scene, "people") == 7
    take(session, plan, scene, {f"{scene.reply.public_id}:people": "copy1"}, key="again")
    assert value(session, scene, "people") is None


@pytest.mark.engines
def test_a_repeated_confirm_changes_nothing(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.put("activity", "Training", "en", line=1)
    plan = judge(session, filled.content(), by=scene.by)
    take(session, plan, scene)
    before = session.scalars(select(Answer.revision).order_by(Answer.question_id, Answer.row, Answer.lang)).all()
    take(session, plan, scene)
    session.expire_all()
    assert (
        session.scalars(select(Answer.revision).order_by(Answer.question_id, Answer.row, Answer.lang)).all() == before
    )


def test_a_formula_that_was_never_computed_and_an_error_are_refused_at_their_cell(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    place = filled.put("people", "=1+2")
    plan = judge(session, filled.content(), by=scene.by)
    one = plan.replies[0].answers[0]
    assert (one.outcome, one.place.address) == ("refused", place)
    assert "never computed" in str(one.sentence)
    assert one.found == "=1+2"
    content = filled.content()
    name = next(n for n in zipfile.ZipFile(io.BytesIO(content)).namelist() if n.endswith("sheet2.xml"))
    computed = edited(content, name, lambda part: re.sub(rb"<f>1\+2</f><v\s*/?>(</v>)?", b"<f>1+2</f><v>3</v>", part))
    assert judge(session, computed, by=scene.by).replies[0].answers[0].options[0].text == "3"
    failed = edited(
        content,
        name,
        lambda part: re.sub(rb'(<c r="%s"[^>]*)>.*?</c>' % place.encode(), rb'\1 t="e"><v>#REF!</v></c>', part),
    )
    one = judge(session, failed, by=scene.by).replies[0].answers[0]
    assert ("error of a formula" in str(one.sentence), one.found) == (True, "#REF!")


def test_answer_and_reason_side_by_side_and_a_strange_reason_are_refused(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("received", 3, line=1)
    filled.put("received", "Not applicable", "!", line=1)
    filled.put("received", "on leave", "!", line=2)
    plan = judge(session, filled.content(), by=scene.by)
    sentences = {one.name: str(one.sentence) for one in plan.replies[0].answers}
    assert "side by side" in sentences["received[f]"]
    assert "“on leave” is no reason of the list" in sentences["received[m]"]
    # what is pointed at is the cell of the reason, and what may stand there
    one = next(one for one in plan.replies[0].answers if one.name == "received[m]")
    assert (one.found, one.expected, one.example) == ("on leave", "Not applicable", "")
    assert one.place.address == filled.place("received", "!", line=2).coordinate


def test_a_text_longer_than_a_cell_is_not_sent_out_cut(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    factories.question(session, scene.version, "notes", "text", parent=page)
    session.commit()
    save(session, scene, notes__en="x" * 40_000, notes__km="ក" * 32_767)
    filled = Filled(download(session, scene.reply, by=scene.by))
    with pytest.raises(KeyError):
        filled.place("notes", "en")
    cell = filled.place("notes", "km")
    assert len(cell.value) == 32_767
    assert "too long for a cell" in filled.ws.cell(cell.row, cell.column + 1).value
    assert filled.ws.cell(cell.row, cell.column + 1).protection.locked
    cell.value = "ខ" * 32_767
    plan = judge(session, filled.content(), by=scene.by)
    assert "may have cut" in str(plan.replies[0].answers[0].warning)
    assert not [one for one in said(plan.replies[0].remarks) if "deleted" in one]


def test_a_rule_that_the_answers_break_is_said_before_they_are_taken(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("received", 3, line=1)
    filled.put("convicted", 5, line=1)
    plan = judge(session, filled.content(), by=scene.by)
    warned = [one.name for one in plan.replies[0].answers if one.warning]
    assert warned == ["convicted[f]"]


def test_what_breaks_a_rule_where_a_good_answer_stands_is_not_taken_by_itself(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("received", 3, line=1)
    filled.put("convicted", 2, line=1)
    take(session, judge(session, filled.content(), by=scene.by), scene)
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("convicted", 5, line=1)
    plan = judge(session, filled.content(), by=scene.by)
    (one,) = plan.replies[0].answers
    assert (one.outcome, one.chosen, one.warning is None) == ("changed", "", False)
    assert not clean(plan)
    take(session, plan, scene, key="again")
    assert value(session, scene, "convicted", row="f") == 2
    # where what stands breaks it as well, nothing good is lost
    take(session, plan, scene, {f"{scene.reply.public_id}:{one.name}": "copy1"}, key="ticked")
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("convicted", 4, line=1)
    plan = judge(session, filled.content(), by=scene.by)
    assert plan.replies[0].answers[0].chosen == "copy1"
    assert clean(plan)


def test_what_makes_another_answer_wrong_that_nobody_changes_says_so_and_is_seen_first(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("received", 3, line=1)
    filled.put("convicted", 2, line=1)
    filled.put("received", 9, line=2)
    filled.put("women", 12, line=1)
    filled.put("people", 12)
    take(session, judge(session, filled.content(), by=scene.by), scene)
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("received", 1, line=1)  # two of one were convicted
    filled.put("received", 8, line=2)  # nobody was
    filled.put("women", 5, line=2)  # and now there are seventeen people in all
    plan = judge(session, filled.content(), by=scene.by)
    (reply,) = plan.replies
    warned = {one.name: str(one.warning) for one in reply.every if getattr(one, "warning", None)}
    (row,) = reply.rows
    assert set(warned) == {"received[f]", row.cells[0].name}
    assert "“Complaints, Women: Convicted”" in warned["received[f]"]
    assert "“People in all”" in warned[row.cells[0].name]
    assert [(one.name, one.clear) for one in reply.chosen_from] == [
        ("received[f]", False), ("received[m]", True), (row.name, False),
    ]  # fmt: skip
    # who mends both in the file is told nothing
    filled.put("convicted", 1, line=1)
    filled.put("people", 17)
    assert all(one.clear for one in judge(session, filled.content(), by=scene.by).replies[0].chosen_from)
