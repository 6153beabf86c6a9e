"""The translation table and its workbook through HTTP: two translators, placeholders, drafts, dry run."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from portal.models import AuditEvent, QuestionnaireVersion, StaffRole, VersionItem, VersionStatus
from portal.queries.questionnaire_texts import completeness, lines_of
from portal.queries.questionnaires import definition
from portal.services.questionnaire_drafts import Edit, set_wording
from portal.services.questionnaire_versions import begin_draft
from portal.table import digest
from tests import factories

pytestmark = pytest.mark.engines()


@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session))


@pytest.fixture
def version(session):
    made = factories.questionnaire_version(session)
    row(session, made, "beds").texts = {"label": {"en": "Beds in ${state}"}, "hint": {"en": "Count all."}}
    session.commit()
    return made


@pytest.fixture
def desk(session, client_for):
    return client_for(factories.staff(session, login="desk"))


def row(session, version, code):
    return session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == code)
    ).one()


def at(version, more=""):
    return f"/questionnaires/{version.public_id}/translations{more}"


def drafted(session, version, by):
    draft = begin_draft(session, version, by=by)
    session.commit()
    return draft


def said(code, role, language, old, new, key=""):
    spelled = ":".join(one for one in (code, role, key) if one) if code else ":title"
    return {f"text:{language}:{spelled}": new, f"base:{language}:{spelled}": digest(old)}


def test_the_table_says_what_is_missing(session, desk, version):
    found = definition(session, version.id)
    done = {one.language: one for one in completeness(lines_of(found), found.languages)}
    assert (done["en"].there, done["en"].of, done["km"].there, done["km"].missing) == (8, 8, 6, 2)
    desk.get(at(version), expect=200)
    assert "6 of 8 texts" in desk.words
    assert "2 missing" in desk.words
    desk.get(at(version, "?missing=km"), expect=200)
    names = desk.page.xpath("//textarea/@name")
    assert names == [
        "text:km:beds:label", "text:en:beds:label", "text:km:beds:hint", "text:en:beds:hint",
    ]  # fmt: skip
    desk.get(at(version, "?missing=en&page=page1&n=7&public_id=x"), expect=200)
    assert "No text is missing here" in desk.words


def test_saving_on_a_published_version_begins_a_draft(session, desk, version):
    desk.get(at(version, "?missing=km"), expect=200)
    desk.submit(1, **{"text:km:beds:hint": "រាប់ទាំងអស់។"})
    assert "1 text was saved. They stand in version 2, a draft." in desk.text
    draft = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.number == 2)).one()
    assert draft.status is VersionStatus.DRAFT
    assert row(session, draft, "beds").texts["hint"] == {"en": "Count all.", "km": "រាប់ទាំងអស់។"}
    assert "km" not in row(session, version, "beds").texts["hint"]
    assert desk.response.request.path == at(draft)
    # the published one now sends its readers there
    desk.get(at(version), expect=200)
    assert "Version 2 is an open draft" in desk.words
    assert desk.page.xpath("//textarea") == []
    entry = session.scalars(select(AuditEvent).where(AuditEvent.action == "translate_questionnaire")).one()
    assert entry.details["texts"] == [["beds:hint", "km", "", "រាប់ទាំងអស់។"]]


def test_two_translators_never_overwrite_each_other(session, desk, client_for, version, by):
    draft = drafted(session, version, by)
    other = client_for(factories.staff(session, login="other"))
    desk.get(at(draft), expect=200)
    other.get(at(draft), expect=200)
    other.submit(1, **{"text:km:state:label": "ស្ថានភាព", "text:en:state:label": "State of it"}, expect=200)
    mine = {"text:km:state:label": "ស្ថានភាពបច្ចុប្បន្ន", "text:km:measures:label": "វិធានការ"}
    desk.submit(1, **mine, expect=409)
    assert "Somebody else changed this text meanwhile" in desk.words
    assert "ស្ថានភាពបច្ចុប្បន្ន" in desk.page.xpath("//textarea[@name='text:km:state:label']")[0].text
    assert "ស្ថានភាព" in desk.page.xpath("//div[@class='text-theirs']")[0].text_content()
    # the conflict cost neither the other language nor the other question
    assert row(session, draft, "state").texts["label"] == {"en": "State of it", "km": "ស្ថានភាព"}
    assert row(session, draft, "measures").texts["label"]["km"] == "វិធានការ"
    # both were seen: sending again is a decision
    desk.submit(0, expect=200)
    assert row(session, draft, "state").texts["label"] == {"en": "State of it", "km": "ស្ថានភាពបច្ចុប្បន្ន"}


def test_placeholders_are_kept(session, desk, version, by):
    draft = drafted(session, version, by)
    desk.get(at(draft))
    desk.submit(1, **{"text:km:beds:label": "គ្រែ"}, expect=422)
    assert "The text has to keep ${state}" in desk.words
    desk.submit(0, **{"text:km:beds:label": "គ្រែ ${state} ${beds}"}, expect=422)
    assert "${beds} stands in no other language" in desk.words
    desk.submit(0, **{"text:km:beds:label": "គ្រែ ${state}"}, expect=200)
    assert row(session, draft, "beds").texts["label"]["km"] == "គ្រែ ${state}"


def test_what_cannot_be_a_text_is_refused_in_a_sentence(session, desk, version, by):
    draft = drafted(session, version, by)
    desk.get(at(draft))
    desk.post(at(draft), said("state", "label", "km", "សំណួរ state", "x" * 20_001), expect=422)
    assert "longer than 20000 characters" in desk.text.replace(",", "")
    desk.post(at(draft), said("nobody", "label", "km", "", "x"), expect=422)
    blank = said("state", "choice", "km", "បានអនុវត្ត", "", "done") | said("state", "choice", "en", "Implemented", "", "done")
    desk.post(at(draft), blank, expect=422)
    assert "This text is needed in at least one language" in desk.words
    assert row(session, draft, "state").choices[0]["texts"] == {"en": "Implemented", "km": "បានអនុវត្ត"}
    desk.post(at(draft), said("state", "choice", "km", "បានអនុវត្ត", "", "done"), expect=303)
    assert row(session, draft, "state").choices[0]["texts"] == {"en": "Implemented"}
    desk.post(at(draft), {"text:fr:state:label": "x", "text:km": "y", "text::::": "z"}, expect=303)


def test_who_may_only_read_cannot_write(session, client_for, version):
    reader = client_for(factories.staff(session, StaffRole.REPORT_WRITER))
    reader.get(at(version), expect=200)
    assert reader.page.xpath("//textarea") == []
    reader.post(at(version), said("state", "label", "km", "សំណួរ state", "x"), expect=403)


def test_a_check_belongs_to_the_text_as_it_stood(session, desk, version, by):
    draft = drafted(session, version, by)
    desk.get(at(draft))
    desk.submit(1, **{"check:en:state:label": "1"}, expect=200)
    assert "Checked by" in desk.words
    found = {line.place.spelled(): line for line in lines_of(definition(session, draft.id))}
    assert found["state:label"].checked_by("en")
    set_wording(session, draft, "state", [Edit("label", "Question state", "Another state", "en")], by=by)
    session.commit()
    found = {line.place.spelled(): line for line in lines_of(definition(session, draft.id))}
    assert found["state:label"].checked_by("en") == ""


def test_a_shared_list_is_translated_once(session, desk, version, by):
    page = row(session, version, "page1")
    choices = [{"key": "yes", "texts": {"en": "Yes"}}, {"key": "no", "texts": {"en": "No"}}]
    for code in ("one", "two"):
        factories.question(
            session, version, code, "select_one", parent=page, choices=choices, settings={"list_name": "yes_no"}
        )
    session.commit()
    draft = drafted(session, version, by)
    desk.get(at(draft, "?missing=km"))
    assert desk.page.xpath("//textarea/@name").count("text:km:one:choice:yes") == 1
    assert "text:km:two:choice:yes" not in desk.page.xpath("//textarea/@name")
    desk.submit(1, **{"text:km:one:choice:yes": "បាទ"}, expect=200)
    for code in ("one", "two"):
        assert row(session, draft, code).choices[0]["texts"] == {"en": "Yes", "km": "បាទ"}


def book_of(response):
    return load_workbook(io.BytesIO(response.get_data()))


def changed(book, changes):
    """Put texts into the workbook: {(id, column header part): text}."""
    sheet = book["Texts"]
    heads = [str(cell.value) for cell in sheet[1]]
    for (spelled, language, kind), text in changes.items():
        column = next(n for n, head in enumerate(heads, 1) if f"({language})" in head and kind in head)
        line = next(n for n in range(2, sheet.max_row + 1) if str(sheet.cell(n, 1).value).endswith("/" + spelled))
        sheet.cell(line, column).value = text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def send(desk, version, content, name="texts.xlsx", **more):
    desk.get(at(version, "/file"), expect=200)
    return desk.post(at(version, "/file"), {"file": (io.BytesIO(content), name)}, follow=True, **more)


def test_the_workbook_goes_out_and_comes_back(session, desk, version, by):
    draft = drafted(session, version, by)
    desk.get(at(draft, "/workbook"), expect=200)
    book = book_of(desk.response)
    content = changed(book, {
        ("beds:hint", "km", "Text"): "រាប់ទាំងអស់។", ("beds:hint", "km", "Checked"): "Reader of the language",
        ("state:choice:done", "en", "Text"): "Carried out", ("beds:label", "km", "Text"): "គ្រែ",
        ("state:label", "km", "Text"): "ពីឯកសារ", ("measures:label", "km", "Checked"): "Reader of the language",
    })  # fmt: skip
    set_wording(session, draft, "state", [Edit("label", "សំណួរ state", "ពីអ្នកផ្សេង", "km")], by=by)
    session.commit()
    send(desk, draft, content)
    assert desk.response.status_code == 200
    for words in ("1 added", "1 changed", "1 checked by a reader", "1 changed here meanwhile", "1 refused"):
        number, _space, word = words.partition(" ")
        assert f"{number}{word}" in desk.words or words in desk.words, words
    assert "The text has to keep ${state}" in desk.words
    assert "Sheet “Texts”, row" in desk.words
    assert "ពីឯកសារ" in desk.words
    assert "ពីអ្នកផ្សេង" in desk.words
    assert "km" not in row(session, draft, "beds").texts["hint"]  # nothing is written by a dry run
    address = desk.response.request.path
    desk.submit(0, expect=200)
    assert "3 texts were saved" in desk.text
    beds = row(session, draft, "beds")
    assert beds.texts["hint"]["km"] == "រាប់ទាំងអស់។"
    assert "km" not in beds.texts["label"]
    assert row(session, draft, "state").texts["label"]["km"] == "ពីអ្នកផ្សេង"
    assert row(session, draft, "state").choices[0]["texts"]["en"] == "Carried out"
    found = {line.place.spelled(): line for line in lines_of(definition(session, draft.id))}
    assert found["beds:hint"].checked_by("km") == "Reader of the language"
    assert found["measures:label"].checked_by("km") == "Reader of the language"
    # the same confirmation again changes nothing
    desk.get(address)
    assert "This file was taken over already" in desk.words


def test_a_confirmation_of_something_else_is_shown_first(session, desk, version, by):
    draft = drafted(session, version, by)
    desk.get(at(draft, "/workbook"))
    send(desk, draft, changed(book_of(desk.response), {("measures:label", "km", "Text"): "វិធានការ"}))
    set_wording(session, draft, "measures", [Edit("label", "សំណួរ measures", "ថ្មី", "km")], by=by)
    session.commit()
    desk.submit(0, expect=409)
    assert "Something changed since you looked" in desk.words
    assert row(session, draft, "measures").texts["label"]["km"] == "ថ្មី"


def test_a_workbook_for_a_published_version_goes_into_a_draft(session, desk, version):
    desk.get(at(version, "/workbook"))
    send(desk, version, changed(book_of(desk.response), {("measures:label", "km", "Text"): "វិធានការ"}))
    desk.submit(0, expect=200)
    draft = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.number == 2)).one()
    assert row(session, draft, "measures").texts["label"]["km"] == "វិធានការ"
    assert row(session, version, "measures").texts["label"]["km"] == "សំណួរ measures"


def test_a_workbook_that_is_none_gets_a_sentence(session, desk, version):
    other = factories.questionnaire_version(session)
    session.commit()
    desk.get(at(version, "/file"))
    desk.post(at(version, "/file"), {}, expect=422)
    assert "Choose a file first" in desk.words
    for content in (b"", b"no workbook", b"PK\x03\x04 broken"):
        send(desk, version, content, expect=422)
    desk.get(f"/questionnaires/{version.public_id}/workbook")
    send(desk, version, desk.response.get_data(), expect=422)
    assert "not a workbook of questionnaire texts" in desk.words
    # the texts of another questionnaire
    desk.get(at(other, "/workbook"))
    content = changed(book_of(desk.response), {("measures:label", "km", "Text"): "x"})
    send(desk, version, content)
    assert "This text belongs to another questionnaire" in desk.words
    assert "There is nothing to take over" in desk.words
    # damaged identifiers, a row twice
    desk.get(at(version, "/workbook"))
    book = book_of(desk.response)
    sheet = book["Texts"]
    sheet.cell(2, 2).value = "{"
    sheet.cell(4, 1).value = sheet.cell(3, 1).value
    sheet.cell(4, 2).value = sheet.cell(3, 2).value
    sheet.cell(3, 5).value, sheet.cell(4, 5).value = "a", "b"
    out = io.BytesIO()
    book.save(out)
    send(desk, version, out.getvalue())
    assert "hidden identifiers of this row are damaged" in desk.words
    assert "stands in the file a second time" in desk.words
