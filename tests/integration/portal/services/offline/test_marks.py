"""The hidden marks of a returned workbook: what was taken off, moved, copied or forged (peers.md 3.6, 69)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.errors import Invalid
from portal.models import VersionItem
from tests import factories
from tests.offline import Filled, download, judge, outcomes, said, take, value


def test_an_unlocked_sheet_is_read_and_said_to_be_unlocked(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.ws.protection.sheet = False
    filled.put("people", 3)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    assert said(plan.remarks) == [
        f"The lock of these sheets was taken off: {filled.ws.title}. Their hidden marks are whole, so they were read like any other."
    ]


def test_a_sheet_without_its_marks_and_one_put_in_are_told_and_not_passed_over(session, scene):
    other = factories.submission(
        session, factories.assignment(session, scene.institution, scene.round, version=scene.version)
    )
    filled = Filled(download(session, scene.reply, other, by=scene.by))
    filled.put("people", 3)
    lost = filled.reply_sheets[1]
    lost.delete_cols(1)
    filled.book.create_sheet("Figures")["C3"] = 12
    filled.book.create_sheet("Nothing")
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    assert [one.sheet for one in plan.problems] == [lost.title, "Figures"]
    assert all("nothing on it was read" in one for one in said(plan.problems))
    assert plan.doubtful
    assert not plan.remarks, "a sheet that came without its marks is told once"


def test_a_sheet_that_did_not_come_back_is_told_and_its_answers_stay(session, scene):
    other = factories.submission(
        session, factories.assignment(session, scene.institution, scene.round, version=scene.version)
    )
    filled = Filled(download(session, scene.reply, other, by=scene.by))
    filled.put("received", 3, line=1)
    gone = filled.reply_sheets[1].title
    del filled.book[gone]
    filled.ws.title = "Ours"
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"received[f]": "new"}
    assert said(plan.remarks) == [
        f"Sheets of the download are no longer in the file: {gone}. What stands in the portal stays."
    ]
    assert not plan.doubtful, "a department sends back its own sheet alone"


def test_text_beside_the_cells_for_answers_is_quoted_and_not_passed_over(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    cell = filled.place("people")
    beside = filled.ws.cell(cell.row, filled.ws.max_column + 2)
    beside.value = "ask the ministry of health"
    plan = judge(session, filled.content(), by=scene.by)
    (one,) = plan.replies[0].problems
    assert f"{beside.coordinate} “ask the ministry of health”" in str(one.message)
    assert plan.doubtful


def test_a_changed_mark_is_told_and_its_line_not_read(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    cell = filled.place("people")
    filled.put("people", 3)
    mark = filled.ws.cell(cell.row, 1)
    mark.value = mark.value.replace(":people:", ":received:")
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert any("hidden mark was changed" in one for one in said(plan.replies[0].problems))
    assert any("People in all" in one for one in said(plan.replies[0].remarks))
    mark.value = "nonsense"
    plan = judge(session, filled.content(), by=scene.by)
    # the line is there to be seen: it is not called deleted
    assert not any("was deleted from the sheet" in one for one in said(plan.replies[0].remarks))
    assert any("“People in all” was not read" in one for one in said(plan.replies[0].remarks))
    assert any("damaged" in one for one in said(plan.replies[0].problems))


def test_a_sheet_with_a_forged_mark_is_not_read(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.ws["A1"].value = filled.ws["A1"].value.replace(scene.reply.public_id, "0" * 32)
    with pytest.raises(Invalid) as error:
        judge(session, filled.content(), by=scene.by)
    assert error.value.code == "marks_changed"


def test_deleted_and_inserted_lines_and_columns_are_told(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    ws = filled.ws
    filled.put("people", 3)
    gone = filled.place("received", line=2).row
    at = filled.place("people").row
    ws.delete_rows(gone)
    ws.insert_rows(at - 1)
    ws.cell(at - 1, 5).value = "somebody's own line"
    plan = judge(session, filled.content(), by=scene.by)
    reply = plan.replies[0]
    assert outcomes(plan)["people"] == "new"
    assert any(f"E{at - 1}" in one and "inserted" in one for one in said(reply.problems))
    assert any("Received" in one and "deleted" in one for one in said(reply.remarks))
    # a line put into a table, with a text in its first columns alone
    filled = Filled(download(session, scene.reply, by=scene.by))
    at = filled.place("activity", "km", line=2).row
    filled.ws.insert_rows(at)
    filled.ws.cell(at, 3).value = "somebody's own line"
    assert any(f"C{at}" in one for one in said(judge(session, filled.content(), by=scene.by).replies[0].problems))
    # columns: answers are found where they stand now; a deleted column is told cell by cell
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.ws.insert_cols(4)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    assert any("Columns of this sheet were moved" in one for one in said(plan.replies[0].remarks))
    filled.ws.delete_cols(6)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan)["people"] == "refused"
    filled.ws.delete_rows(1)
    filled.ws["A1"].value = None
    with pytest.raises(Invalid) as error:
        judge(session, filled.content(), by=scene.by)
    assert error.value.code == "marks_changed", "the sheet is there, its mark is not"
    del filled.book[filled.ws.title]
    with pytest.raises(Invalid) as error:
        judge(session, filled.content(), by=scene.by)
    assert error.value.code == "no_sheets"


def test_a_renamed_sheet_and_moved_lines_are_read_as_what_they_are(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    filled.ws.title = "Our answers"
    row = filled.place("people").row
    filled.ws.move_range(f"A{row}:G{row}", rows=60)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    assert plan.replies[0].answers[0].place.sheet == "Our answers"
    assert plan.replies[0].answers[0].place.address == f"E{row + 60}"


def swapped(filled, one, other):
    """Swap what a reader sees of two lines, as sorting the visible columns does: the hidden marks stay."""
    filled.ws.protection.sheet = False
    for column in range(2, 8):
        first, second = (filled.ws.cell(row, column) for row in (one, other))
        first.value, second.value = second.value, first.value


@pytest.fixture
def two_questions(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    texts = {"label": {"en": "Courts in all", "km": "តុលាការសរុប"}}
    factories.question(session, scene.version, "courts", "integer", parent=page, texts=texts)
    session.commit()


@pytest.mark.usefixtures("two_questions")
def test_visible_cells_that_were_moved_without_their_marks_are_not_taken_by_themselves(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    people, courts = filled.put("people", 0), filled.place("courts").coordinate
    swapped(filled, filled.ws[people].row, filled.ws[courts].row)
    women, men = filled.put("received", 5, line=1), filled.put("received", 6, line=2)
    swapped(filled, filled.ws[women].row, filled.ws[men].row)
    plan = judge(session, filled.content(), by=scene.by)
    found = {one.name: one for one in plan.replies[0].answers}
    assert {name: (one.outcome, one.chosen) for name, one in found.items()} == {
        "courts": ("new", ""), "received[f]": ("new", ""), "received[m]": ("new", ""),
    }  # fmt: skip
    place = f"C{filled.ws[courts].row}"
    assert f"In cell {place} beside it stands another question, “ចំនួនមនុស្សសរុប People in all”" in str(
        found["courts"].warning
    )
    assert "“បុរស Men”" in str(found["received[f]"].warning)
    take(session, plan, scene)
    assert value(session, scene, "courts") is None


@pytest.mark.usefixtures("two_questions")
def test_a_wording_corrected_since_the_download_raises_no_doubt(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 0)
    filled.put("courts", 3)
    filled.put("received", 5, line=1)
    people, courts = (filled.ws.cell(filled.place(code).row, 3) for code in ("people", "courts"))
    # an earlier wording; then one that is another question's now, which stands at its own place too
    for shown, beside in (("People", "All the courts"), ("Courts in all", "តុលាការសរុប\nCourts  in all ")):
        people.value, courts.value = shown, beside
        plan = judge(session, filled.content(), by=scene.by)
        assert [one.warning for one in plan.replies[0].answers] == [None, None, None]
        assert not plan.doubtful


def test_a_copied_line_is_read_once(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    row = filled.place("people").row
    for column in range(1, 8):
        filled.ws.cell(row + 60, column).value = filled.ws.cell(row, column).value
    filled.ws.cell(row + 60, 5).value = 4
    plan = judge(session, filled.content(), by=scene.by)
    assert plan.replies[0].answers[0].options[0].text == "3"
    assert any(f"copy of line {row}" in one for one in said(plan.replies[0].problems))
