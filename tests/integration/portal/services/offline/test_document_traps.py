"""What befalls a Word document between download and return, each told in a sentence of its own."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest

from forms.answers import AnswerKey
from portal.errors import Invalid
from portal.models import Role
from portal.queries.questionnaires import definition
from portal.queries.submissions import stored_reply
from portal.services.offline.taking import choices, take_offline
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal
from portal.workbooks.word.elements import W, Xml, named, node, paragraph, run, say, trees
from tests import documents, factories
from tests.documents import FilledDocument
from tests.offline import SECRET, judge


@pytest.fixture
def filled(session, scene):
    return FilledDocument(documents.download(session, scene.reply, by=scene.by))


def take(session, plan, scene, chosen=None, key="once"):
    made = take_offline(session, plan, choices(plan, chosen), by=scene.by, request_key=key, source="x")
    session.commit()
    return made


def value(session, scene, code, lang=""):
    stored = stored_reply(session, scene.reply.id, definition(session, scene.version.id)).answers
    return next((one.value for key, one in stored.items() if (key.code, key.lang) == (code, lang)), None)


def outcomes(plan):
    return {one.name: one.outcome for reply in plan.replies for one in (*reply.answers, *reply.rows)}


def told(plan):
    return [str(one.message) for one in (*plan.problems, *(p for r in plan.replies for p in (*r.problems, *r.remarks)))]


def refused(content, name="x.docx", secret=SECRET):
    with pytest.raises(Invalid) as error:
        read_file(content, Seal(secret), filename=name)
    return error.value.code, str(error.value.problems[0].message)


def edited(content, change, name="word/document.xml"):
    """Return a document with one part changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = old.read(entry)
            new.writestr(entry.filename, change(part) if entry.filename == name else part)
    return stream.getvalue()


# -- what the document says --------------------------------------------------------------------------------------------


def test_it_speaks_both_languages_with_a_heading_per_question(filled):
    styles = [one.style.name for one in filled.document.paragraphs]
    assert styles.count("Heading 1") == 1
    assert styles.count("Heading 2") == 5
    assert "ចំនួនមនុស្សសរុប\nPeople in all" in "\n".join(one.text for one in filled.document.paragraphs)
    assert "Training, campaigns, services; no plans here." in filled.words
    for name in ("Normal", "Heading 1", "Answer", "Cell"):
        look = filled.document.styles[name].element.find(f"{{{W}}}rPr")
        assert look.find(f"{{{W}}}rFonts").get(f"{{{W}}}cs") == "Noto Sans Khmer"
        assert look.find(f"{{{W}}}lang").get(f"{{{W}}}bidi") == "km-KH"


def test_each_kind_of_question_has_its_control(filled):
    def kinds(code, **where):
        return {one.tag for one in filled.field(code, line=1, **where).find(f"{{{W}}}sdtPr")}

    assert named("w:dropDownList") in kinds("place")
    assert named("w:date") in kinds("held")
    assert named("w14:checkbox") in kinds("partners", option=1)
    assert named("w14:checkbox") in kinds("public", option=1)
    assert named("w:richText") in kinds("activity", lang="km")
    assert named("w:dropDownList") in kinds("received", lang="!")
    offered = [one.get(named("w:value")) for one in filled.field("place", line=1).iter(named("w:listItem"))]
    assert offered == ["kandal", "takeo", "kep"]
    names = [one.get(named("w:name")) for one in filled.body.iter(named("w:bookmarkStart"))]
    assert max(len(name) for name in names) <= 40, "the longest name that Word takes for a bookmark"
    assert len(names) == len(set(names))


# -- files that are none of ours ---------------------------------------------------------------------------------------


def own_document(text="Our reply"):
    made, stream = docx.Document(), io.BytesIO()
    made.add_paragraph(text)
    made.save(stream)
    return stream.getvalue()


def test_a_document_of_their_own_is_told_where_it_counts():
    with pytest.raises(Invalid) as error:
        read_file(own_document(), Seal(SECRET), filename="reply.docx")
    assert error.value.code == "own_document"
    assert "received, to be entered" in str(error.value.problems[0].mend)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"), (b"hello", "not_a_workbook"), (b"%PDF-1.4", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "WordDocument".encode("utf-16-le"), "old_word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"PK\x03\x04 half", "damaged"), (b"{\\rtf1", "not_a_workbook"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_in_the_words_of_word(content, code):
    found, sentence = refused(content)
    assert found == code
    assert "Word" in sentence
    assert "Excel" not in sentence
    if found == "old_word":  # saved as .docx it would be refused again
        assert "Download the document again, copy the texts into it" in sentence


def test_macros_half_a_file_and_a_bomb_are_refused(filled):
    content = filled.content()
    macros = edited(
        content,
        lambda part: part.replace(b"wordprocessingml.document.main+xml", b"ms-word.document.macroEnabled.main+xml"),
        "[Content_Types].xml",
    )
    assert refused(macros, "x.docm")[0] == "macros"
    assert refused(content[: len(content) // 2])[0] == "damaged"
    blown = edited(content, lambda part: part.replace(b"</w:body>", b"<w:p/>" * 3_000_000 + b"</w:body>"))
    assert refused(blown)[0] == "bomb"
    entities = edited(content, lambda part: b'<!DOCTYPE x [<!ENTITY a "b">]>' + part)
    assert refused(entities)[0] == "damaged"
    assert refused(edited(content, lambda part: part[:-40]))[0] == "damaged"


def test_elements_that_nobody_knows_are_walked_through(session, scene, filled):
    filled.put("people", "3")
    odd = b"".join(b"<w:%s>7</w:%s>" % (name, name) for name in (b"kind", b"picture", b"inside", b"by_bookmark", b"x"))
    content = edited(filled.content(), lambda part: part.replace(b"<w:body>", b"<w:body>" + odd))
    assert outcomes(judge(session, content, by=scene.by)) == {"people": "new"}


def test_a_word_file_under_the_name_of_a_workbook_is_read_all_the_same(session, scene, filled):
    filled.put("people", "3")
    plan = judge(session, filled.content(), by=scene.by, names=("x.xlsx",))
    assert outcomes(plan) == {"people": "new"}


def test_another_portal_changed_marks_and_a_lost_part_are_told_apart(filled):
    content = filled.content()
    assert refused(content, secret="another key of more than thirty-two characters")[0] == "other_portal"
    part = next(str(one.partname)[1:] for one in filled.document.part.package.iter_parts() if "item1" in one.partname)
    assert refused(edited(content, lambda xml: xml.replace(b"tamdan-offline-cover|1|", b"tamdan-offline-cover|2|"), part))[0] == "marks_changed"
    assert refused(edited(content, lambda _xml: b"<gone/>", part))[0] == "marks_lost"


def test_changed_marks_of_a_row_are_not_read(session, scene, filled):
    part = next(str(one.partname)[1:] for one in filled.document.part.package.iter_parts() if "item1" in one.partname)
    filled.put("people", "3")
    content = edited(filled.content(), lambda xml: xml.replace(b":people::0:", b":people::9:"), part)
    plan = judge(session, content, by=scene.by)
    assert outcomes(plan) == {}
    assert any("hidden mark of question" in one for one in told(plan))


def test_a_document_of_another_institution_is_refused(session, scene, filled):
    stranger = factories.principal(
        session, factories.person(session, factories.institution(session), Role.FOCAL_POINT)
    )
    plan = judge(session, filled.content(), by=stranger)
    assert plan.replies == []
    assert any("belongs to another institution" in one for one in told(plan))


# -- what people do to fields ------------------------------------------------------------------------------------------


def test_a_stale_answer_is_a_conflict_named_by_its_question(session, scene, filled):
    first = FilledDocument(filled.content())
    first.put("people", "5")
    take(session, judge(session, first.content(), by=scene.other), scene, key="first")
    filled.put("people", "6")
    (one,) = judge(session, filled.content(), by=scene.by).replies[0].answers
    assert one.outcome == "conflict"
    assert str(one.place.spot) == "question 3"
    assert "question 3" in str(one.place.said)


def test_a_refusal_names_question_and_line_value_found_expected_and_an_example(session, scene, filled):
    filled.put("women", "many", line=2)
    filled.put("held", "31/02/2026", line=2)
    cells = {one.key.code: one for row in judge(session, filled.content(), by=scene.by).replies[0].rows for one in row.cells}
    assert cells["women"].outcome == cells["held"].outcome == "refused"
    assert str(cells["women"].place.spot) == "question 1, line 2"
    assert (cells["women"].found, cells["held"].example) == ("many", "27/03/2026")


def test_a_deleted_field_is_told_and_changes_nothing(session, scene, filled):
    field, name = filled.field("people"), filled.name("people")
    field.getparent().remove(field)
    for mark in [one for one in filled.body.iter(named("w:bookmarkStart")) if one.get(named("w:name")) == name]:
        mark.getparent().remove(mark)
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert "Fields are missing in the document at question 3; nothing was changed there." in told(plan)


def without(field, *, bookmark=True):
    """Delete a field as an editor does, with its text; ``bookmark``: what marked its place goes with it."""
    if bookmark:
        for one in (field.getprevious(), field.getnext()):
            assert one.tag in {named("w:bookmarkStart"), named("w:bookmarkEnd")}
            one.getparent().remove(one)
    field.getparent().remove(field)


def answered_row(session, scene, filled):
    """Return the document that goes out once a line of the table is answered."""
    filled.put("activity", "Course", "en", line=1)
    filled.put("women", "20", line=1)
    filled.tick("partners", "un", "ngo", line=1)
    filled.put("people", "5")
    take(session, judge(session, filled.content(), by=scene.by), scene)
    return FilledDocument(documents.download(session, scene.reply, by=scene.by))


def test_a_deleted_field_whose_bookmark_stayed_is_not_read_as_emptied(session, scene, filled):
    again = answered_row(session, scene, filled)
    without(again.field("people"), bookmark=False)
    plan = judge(session, again.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert "Fields are missing in the document at question 3; nothing was changed there." in told(plan)


@pytest.mark.parametrize("bookmark", [True, False])
def test_a_deleted_box_does_not_untick_its_choice(session, scene, filled, bookmark):
    again = answered_row(session, scene, filled)
    without(again.field("partners", line=1, option=1), bookmark=bookmark)
    plan = judge(session, again.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert (
        "Some of the boxes or lists at question 1, line 1 are missing in the document, so this answer was not read; "
        "nothing was changed."
    ) in told(plan)


def test_a_line_that_lost_a_field_and_whose_others_were_emptied_is_not_removed(session, scene, filled):
    again = answered_row(session, scene, filled)
    without(again.field("activity", "en", line=1))
    again.put("women", "", line=1)
    again.tick("partners", line=1)
    (reply,) = judge(session, again.content(), by=scene.by).replies
    assert {one.key.code: one.outcome for one in reply.answers} == {"women": "cleared", "partners": "cleared"}
    assert reply.rows == []


def test_a_control_that_was_removed_leaves_its_text_in_the_bookmark(session, scene, filled):
    field = filled.put("people", "8")
    content = field.find(named("w:sdtContent"))
    for one in list(content):
        field.addprevious(one)
    field.getparent().remove(field)
    plan = judge(session, filled.content(), by=scene.by)
    assert plan.replies[0].answers[0].options[0].parsed.value == 8


def test_a_field_without_its_tag_is_known_by_its_bookmark(session, scene, filled):
    filled.tick("partners", "un", line=1)
    filled.put("people", "8")
    for tag in list(filled.body.iter(named("w:tag"))):
        tag.getparent().remove(tag)
    reply = judge(session, filled.content(), by=scene.by).replies[0]
    assert reply.answers[0].options[0].parsed.value == 8
    assert [one.options[0].parsed.value for one in reply.rows[0].cells] == [["un"]]


def test_a_copied_field_with_other_content_is_quoted(session, scene, filled):
    from copy import deepcopy

    field = filled.put("people", "8")
    copy = deepcopy(field.getparent())
    for one in [one for one in copy.iter() if one.tag in {named("w:bookmarkStart"), named("w:bookmarkEnd")}]:
        one.getparent().remove(one)
    field.getparent().addnext(copy)
    FilledDocument.fill(copy.find(named("w:sdt")), run("9 or so"))
    plan = judge(session, filled.content(), by=scene.by)
    assert plan.replies[0].answers[0].options[0].parsed.value == 8
    assert any("was copied" in one and "9 or so" in one for one in told(plan))


def test_a_field_of_another_document_is_quoted_and_not_read(session, scene, filled):
    first = FilledDocument(filled.content())
    first.put("people", "5")
    take(session, judge(session, first.content(), by=scene.other), scene)
    later = FilledDocument(documents.download(session, scene.reply, by=scene.by))
    assert later.name("people") != filled.name("people")
    filled.field("people").getparent().addnext(later.put("people", "77").getparent())
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert any("77" in one for one in told(plan))


def test_text_outside_the_fields_is_quoted(session, scene, filled):
    filled.put("people", "8")
    filled.say("We also trained the police.", after=filled.field("people"))
    filled.field("people").getparent().extend(trees(run(" and more")))
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    (problem,) = plan.problems
    assert "“and more”; “We also trained the police.”" in str(problem.message)
    assert str(problem.message).startswith("Under “3. ")


def test_tracked_changes_are_read_as_accepted(session, scene, filled):
    tracked = [
        run("Two "),
        node("w:ins", run("new "), id="901", author="x", date="2026-03-01T00:00:00Z"),
        node("w:del", Xml("<w:r><w:delText>old </w:delText><w:br/></w:r>"), id="902", author="x"),
        run("courses"),
    ]
    FilledDocument.fill(filled.field("activity", "en", line=1), *tracked)
    plan = judge(session, filled.content(), by=scene.by)
    (row,) = plan.replies[0].rows
    assert row.cells[0].options[0].parsed.value == "Two new courses"
    assert "Tracked changes were read as if they were accepted." in told(plan)


def test_lines_paragraphs_runs_and_quotes_of_a_text_are_kept(session, scene, filled):
    field = filled.field("activity", "en", line=1)
    FilledDocument.fill(field, run("“Smart” and "), run("‘split’\nacross"), run("\truns…"))
    paragraphs = [say("First — paragraph"), paragraph(run("second "), run("one"))]
    other = filled.field("activity", "km", line=1)
    FilledDocument.fill(other, *paragraphs)
    holder = other.getparent()  # Word puts a field of several paragraphs around them
    holder.getparent().replace(holder, other)
    (row,) = judge(session, filled.content(), by=scene.by).replies[0].rows
    values = {one.key.lang: one.options[0].parsed.value for one in row.cells}
    assert values == {"en": "“Smart” and ‘split’\nacross\truns…", "km": "First — paragraph\nsecond one"}


def test_an_emptied_field_asks_first(session, scene, filled):
    filled.put("people", "5")
    take(session, judge(session, filled.content(), by=scene.by), scene)
    again = FilledDocument(documents.download(session, scene.reply, by=scene.by))
    field = again.field("people")
    # what Word writes when all is deleted: its own hint
    FilledDocument.fill(field, run("Click or tap here to enter text.", style="PlaceholderText"))
    field.find(named("w:sdtPr")).extend(trees(node("w:showingPlcHdr")))
    plan = judge(session, again.content(), by=scene.by)
    assert outcomes(plan) == {"people": "cleared"}
    take(session, plan, scene, key="again")
    assert value(session, scene, "people") == 5


def test_a_hint_that_is_none_of_ours_is_quoted_not_lost(session, scene, filled):
    field = filled.field("people")
    FilledDocument.fill(field, run("Klicken Sie hier", style="PlaceholderText"))
    field.find(named("w:sdtPr")).extend(trees(node("w:showingPlcHdr")))
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert any("Klicken Sie hier" in one for one in told(plan))


def test_text_typed_over_a_hint_whose_flag_stayed_is_an_answer(session, scene, filled):
    field = filled.field("people")
    FilledDocument.fill(field, run("4"))
    field.find(named("w:sdtPr")).extend(trees(node("w:showingPlcHdr")))
    assert outcomes(judge(session, filled.content(), by=scene.by)) == {"people": "new"}


def test_two_departments_and_a_workbook_are_merged(session, scene):
    from tests import offline

    content = documents.download(session, scene.reply, by=scene.by)
    first, second = FilledDocument(content), FilledDocument(content)
    book = offline.Filled(offline.download(session, scene.reply, by=scene.by))
    first.put("people", "5")
    second.put("people", "6")
    second.put("received", "2", line=1)
    book.put("received", 1, line=2)
    plan = judge(session, first.content(), second.content(), book.content(), by=scene.by, names=("a.docx", "b.docx", "c.xlsx"))
    assert outcomes(plan) == {"people": "copies", "received[f]": "new", "received[m]": "new"}
    take(session, plan, scene)
    stored = stored_reply(session, scene.reply.id, definition(session, scene.version.id)).answers
    assert {key: one.value for key, one in stored.items() if key.code == "received"} == {
        AnswerKey("received", "f"): 2, AnswerKey("received", "m"): 1,
    }  # fmt: skip
