"""What befalls a workbook between download and return, each told in a sentence of its own (peers.md 3.6, 65-71)."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import openpyxl
import pytest
from sqlalchemy import select, update

from forms.answers import AnswerKey, Parsed
from portal.errors import Invalid
from portal.models import Answer, ItemKind, Role, Status, Submission, VersionItem
from portal.queries.questionnaires import definition, question_ids
from portal.queries.submissions import find, stored_reply
from portal.services.offline.taking import choices, take_offline
from portal.services.submissions import Change, save_answers
from portal.workbooks.offline.marks import Seal
from portal.workbooks.offline.returned import read_offline
from tests import factories, tables
from tests.offline import SECRET, Filled, download, judge


@pytest.fixture
def scene(session, context):
    made = tables.scene(session)
    made.by = factories.principal(session, made.focal)
    made.other = factories.principal(session, made.colleague)
    return made


def save(session, scene, by=None, **values):
    """Save on the page, as a colleague would."""
    from portal.queries.countries import country_facts
    from portal.services.offline.gathering import offline_context

    head = find(session, scene.reply.public_id)
    of = definition(session, head.version_id)
    changes = {}
    for name, value in values.items():
        code, _, lang = name.partition("__")
        changes[AnswerKey(code, "", lang)] = Change(Parsed(value=value), None)
    context = offline_context(session, head, of, country_facts(session), by=scene.by, language="en")
    save_answers(
        session, head, of, question_ids(session, head.version_id), changes, context=context, by=by or scene.other
    )
    session.commit()


def outcomes(plan):
    return {one.name: one.outcome for reply in plan.replies for one in (*reply.answers, *reply.rows)}


def said(found):
    return [str(one.message) for one in found]


def take(session, plan, scene, chosen=None, key="once"):
    made = take_offline(session, plan, choices(plan, chosen), by=scene.by, request_key=key, source="x")
    session.commit()
    return made


def value(session, scene, code, lang="", row=""):
    found = stored_reply(session, scene.reply.id, definition(session, scene.version.id)).answers.get(
        AnswerKey(code, row, lang)
    )
    return found.value if found else None


# -- 65: one source of truth -------------------------------------------------------------------------------------------


def test_rules_on_the_sheet_are_those_by_which_it_is_judged(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    factories.question(
        session,
        scene.version,
        "age",
        "integer",
        parent=page,
        settings={"start": "0", "end": "120", "not_available": True},
    )
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))
    cell = filled.place("age")
    how_to = filled.ws.cell(cell.row, 4).value
    assert "A number from 0 to 120" in how_to
    rule = next(one for one in filled.ws.data_validations.dataValidation if cell.coordinate in one.cells)
    assert (rule.type, rule.formula1, rule.formula2) == ("whole", "0", "120")
    assert "A number from 0 to 120" in rule.error
    cell.value = 121
    refused = judge(session, filled.content(), by=scene.by).replies[0].answers[0]
    assert str(refused.sentence) == "Please write a number from 0 to 120."
    assert refused.expected == "A number from 0 to 120"


# -- 66, 67: cell, found, expected, example; no failure without a message ----------------------------------------------


def test_a_refusal_names_cell_value_found_value_expected_and_an_example(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    places = {
        "held": filled.put("held", "31/02/2026", line=1), "women": filled.put("women", "many", line=1),
        "place": filled.put("place", "Atlantis", line=1), "received": filled.put("received", "about 5", line=1),
    }  # fmt: skip
    plan = judge(session, filled.content(), by=scene.by)
    reply = plan.replies[0]
    refused = {one.key.code: one for row in reply.rows for one in row.cells} | {
        one.key.code: one for one in reply.answers
    }
    for code, place in places.items():
        one = refused[code]
        assert one.outcome == "refused", code
        assert one.place.address == place
        assert str(one.sentence), code
        assert one.found, code
        assert one.expected, code
        assert one.example, code
    assert refused["held"].found == "31/02/2026"
    assert refused["held"].example == "27/03/2026"
    assert refused["place"].expected == "from the list: Kandal; Takeo; Kep"
    assert plan.counts["refused"] == 4


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"a,b\n1,2\n", b"%PDF-1.4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_a_file_that_is_no_workbook_is_refused_with_a_sentence(content):
    with pytest.raises(Invalid) as error:
        read_offline(content, Seal(SECRET), filename="x.xlsx")
    assert error.value.problems
    assert all(str(one.message) for one in error.value.problems)


def edited(content, name, change):
    """Return a workbook with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))
    return out.getvalue()


def test_half_broken_encrypted_with_macros_and_other_workbooks_are_told_apart(session, scene):
    content = download(session, scene.reply, by=scene.by)
    strange = io.BytesIO()
    openpyxl.Workbook().save(strange)
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    macros = edited(
        content,
        "[Content_Types].xml",
        lambda part: part.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml"),
    )
    broken = edited(content, "xl/worksheets/sheet2.xml", lambda part: part[: len(part) // 2])
    codes = {}
    for name, one in {
        "half": content[: len(content) // 2], "cut": broken, "encrypted": locked, "macros": macros, "strange": strange.getvalue(),
    }.items():  # fmt: skip
        with pytest.raises(Invalid) as error:
            read_offline(one, Seal(SECRET), filename="x.xlsx")
        codes[name] = error.value.code
    assert codes == {
        "half": "damaged", "cut": "damaged", "encrypted": "encrypted", "macros": "macros", "strange": "wrong_template",
    }  # fmt: skip


# -- 68: blank but formatted -------------------------------------------------------------------------------------------


def test_blank_cells_and_spaces_are_no_data(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", "   ")
    filled.put("activity", " \n ", "km", line=3)
    filled.put("women", "\u00a0", line=4)
    for row in range(filled.ws.max_row + 1, filled.ws.max_row + 40):
        filled.ws.cell(row, 6).number_format = "0.00"
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert plan.counts["refused"] == 0


# -- 69: keys hidden and checked -------------------------------------------------------------------------------------------


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
    filled.put("people", 3)
    gone = filled.reply_sheets[1].title
    del filled.book[gone]
    filled.ws.title = "Ours"
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
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


# -- 70: the wrong workbook --------------------------------------------------------------------------------------------


def test_another_institutions_another_rounds_and_another_portals_workbook(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    stranger = factories.person(session, factories.institution(session, "OTHER"), Role.FOCAL_POINT)
    session.commit()
    plan = judge(session, filled.content(), by=factories.principal(session, stranger))
    assert not plan.replies
    assert said(plan.problems) == [
        f"This belongs to another institution ({scene.institution.names['en']}), not to yours."
    ]
    plan = judge(session, filled.content(), by=scene.by, round_slug="another-round")
    assert not plan.replies
    assert said(plan.problems) == [f"This belongs to another round ({scene.round.titles['en']})."]
    assert [one.slug for one in plan.other_rounds] == [scene.round.slug]
    with pytest.raises(Invalid) as error:
        read_offline(
            filled.content(), Seal("another portal's key of more than thirty-two characters"), filename="x.xlsx"
        )
    assert error.value.code == "other_portal"


def test_why_sheets_are_foreign_is_told_once_for_all_of_them(session, scene):
    more = [
        factories.submission(session, factories.assignment(session, scene.institution, scene.round, version=scene.version))
        for _each in range(2)
    ]
    session.commit()
    filled = Filled(download(session, scene.reply, *more, by=scene.by))
    plan = judge(session, filled.content(), by=scene.by, round_slug="another-round")
    (problem,) = plan.problems
    assert len(problem.sheet.split(", ")) == 3
    assert plan.counts["refused"] == 1


def test_a_reply_says_what_it_is_about_in_a_few_words(session, scene):
    about = factories.recommendation(session, heading={"en": "Prisons " * 20, "km": "ពន្ធនាគារ"})
    reply = factories.submission(
        session, factories.assignment(session, scene.institution, scene.round, [about], version=scene.version)
    )
    session.commit()
    filled = Filled(download(session, reply, by=scene.by))
    filled.put("people", 3)
    (one,) = judge(session, filled.content(), by=scene.by).replies
    assert one.subject.startswith("Prisons Prisons")
    assert len(one.subject) <= 91
    assert one.subject.endswith("…")


def test_closed_replies_are_told_with_the_reason_and_left(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    session.execute(update(Submission).values(status=Status.AWAITING_SIGN_OFF))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert "waits to be signed" in plan.replies[0].closed
    assert not plan.takes
    assert take(session, plan, scene) == []
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=["b5"]))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert "not among those returned" in str(plan.replies[0].answers[0].sentence)


def test_a_returned_reply_goes_out_with_only_its_open_questions_unlocked(session, scene):
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=["people"]))
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))
    assert filled.place("people").protection.locked is False
    with pytest.raises(KeyError):
        filled.place("received", line=1)
    assert not judge(session, filled.content(), by=scene.by).replies[0].remarks


@pytest.mark.engines
def test_an_older_version_after_adoption_is_read_as_far_as_it_is_still_asked(session, scene):
    from portal.models import Assignment, QuestionnaireVersion, VersionStatus

    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    address = filled.put("received", 4, line=1)
    old = session.get(QuestionnaireVersion, scene.version.id)
    new = factories._add(session, QuestionnaireVersion(
        questionnaire_id=old.questionnaire_id, number=2, status=VersionStatus.PUBLISHED, titles=old.titles,
        languages=old.languages, default_language="km", published_at=old.published_at, settings={},
    ))  # fmt: skip
    page = factories.item(session, new, "tables", kind=ItemKind.SECTION)
    kept = session.scalars(
        select(VersionItem).where(VersionItem.version_id == old.id, VersionItem.code == "people")
    ).one()
    factories.item(session, new, "people", kind=ItemKind.QUESTION, question_id=kept.question_id, parent=page)
    session.execute(update(Assignment).values(version_id=new.id))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    # what somebody wrote to a question that is gone is quoted, and its sender sees it
    (gone,) = said(plan.replies[0].problems)
    assert "no longer asked" in gone
    assert f"{address} “4”" in gone
    assert plan.doubtful
    (remark,) = plan.remarks
    assert "earlier version" in str(remark.message)
    assert remark.sheet == filled.ws.title


# -- 71: push only what passes; conflicts, cleared cells ---------------------------------------------------------------


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
    content = filled.content()
    name = next(n for n in zipfile.ZipFile(io.BytesIO(content)).namelist() if n.endswith("sheet2.xml"))
    computed = edited(content, name, lambda part: re.sub(rb"<f>1\+2</f><v\s*/?>(</v>)?", b"<f>1+2</f><v>3</v>", part))
    assert judge(session, computed, by=scene.by).replies[0].answers[0].options[0].text == "3"
    failed = edited(
        content,
        name,
        lambda part: re.sub(rb'(<c r="%s"[^>]*)>.*?</c>' % place.encode(), rb'\1 t="e"><v>#REF!</v></c>', part),
    )
    assert "error of a formula" in str(judge(session, failed, by=scene.by).replies[0].answers[0].sentence)


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


# -- copies of several departments ---------------------------------------------------------------------------------------


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
