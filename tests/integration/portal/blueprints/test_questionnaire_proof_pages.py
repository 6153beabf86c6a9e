"""A version looked at through HTTP: preview, test drive, proof sheet, in both languages; nothing can become a reply."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from portal.models import Answer, StaffRole, Submission, VersionItem
from portal.models.questionnaires import ItemKind
from portal.queries.questionnaires import versions
from portal.services.questionnaire_drafts import Edit, set_rules
from portal.services.questionnaire_versions import begin_draft
from tests import factories


@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session))


@pytest.fixture
def version(session):
    """The small questionnaire with a rule, a placeholder, a table and a matrix."""
    made = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.version_id == made.id, VersionItem.code == "page1")).one()
    factories.question(
        session, made, "why", "text", parent=page, relevant="${state} = 'not_started'", required="true()",
        settings={"appearance": "multiline w2", "multiline": True},
    )
    beds = session.scalars(select(VersionItem).where(VersionItem.version_id == made.id, VersionItem.code == "beds")).one()
    beds.constraint = ". < 100"
    beds.texts = {**beds.texts, "constraint_message": {"en": "Fewer than a hundred.", "km": "តិចជាងមួយរយ។"}}
    second = factories.item(session, made, "page2", kind=ItemKind.SECTION, label="Tables")
    table = factories.item(session, made, "laws", kind=ItemKind.REPEAT, label="Laws", parent=second)
    factories.question(session, made, "law", "text", parent=table, required="true()", settings={"one_language": True})
    factories.question(session, made, "year", "integer", parent=table, settings={"total": "sum"})
    factories.question(
        session, made, "double", "calculate", parent=table, calculation="${year} * 2",
        texts={"label": {"en": "Double", "km": "ទ្វេដង"}},
    )
    matrix = factories.item(
        session, made, "sexes", kind=ItemKind.MATRIX, label="By sex", parent=second,
        choices=[{"key": "women", "texts": {"en": "Women", "km": "ស្ត្រី"}}, {"key": "men", "texts": {"en": "Men", "km": "បុរស"}}],
    )
    factories.question(session, made, "persons", "integer", parent=matrix)
    session.commit()
    return made


@pytest.fixture
def desk(session, client_for):
    return client_for(factories.staff(session, login="desk"))


def at(version, page):
    return f"/questionnaires/{version.public_id}/{page}"


def drive(desk, version, **fields):
    """Send the test drive's form as a browser would, with fields put over what it holds."""
    desk.get(at(version, "test-drive"), expect=200) if desk.response is None or "data-rules" not in desk.text else None
    return desk.submit(at(version, "test-drive"), follow=False, **fields)


def verdict(desk, code):
    (found,) = desk.page.xpath(f"//div[@class='verdict'][p/code='{code}']")
    return " ".join(found.text_content().split())


def test_the_preview_is_the_answering_page(session, desk, version, client_for):
    institution = factories.institution(session)
    reply = factories.submission(session, factories.assignment(session, institution, version=version))
    focal = client_for(factories.person(session, institution, language="en"))
    focal.get(f"/replies/{reply.public_id}/pages/page1", expect=200)
    theirs = focal.page.xpath("//div[contains(@class, 'question ')]//*[@name]/@name")
    shown = [" ".join(one.text_content().split()) for one in focal.page.xpath("//span[@class='question-text']")]
    desk.get(at(version, "preview?language=en"), expect=200)
    assert desk.page.xpath("//div[contains(@class, 'question ')]//*[@name]/@name") == theirs
    assert [" ".join(one.text_content().split()) for one in desk.page.xpath("//span[@class='question-text']")] == shown


def test_the_preview_saves_nothing_and_says_so(session, desk, version):
    desk.get(at(version, "preview?language=en&page=page1"), expect=200)
    assert "Nothing that is typed here is saved or sent" in desk.words
    assert desk.page.xpath("//div[@class='questions']/ancestor::form") == []
    desk.post(at(version, "preview"), {"state": "done"}, expect=405)
    desk.get(at(version, "preview?page=nowhere"), expect=404)


def test_the_preview_speaks_either_language_at_either_width(desk, version):
    desk.get(at(version, "preview?language=km&width=phone"), expect=200)
    assert desk.page.xpath("//div[@class='questions']/ancestor::div[@lang='km']")
    assert "សំណួរ state" in desk.words
    assert "បានអនុវត្ត" in desk.words
    assert "/phone" in desk.page.xpath("//link[@rel='stylesheet']/@href")[0]
    desk.get(at(version, "preview?language=xx"), expect=200)
    # the reader's own pages stay as they are
    assert desk.page.get("lang") == "en"


def test_questions_that_depend_on_answers_are_shown_on_demand(desk, version):
    desk.get(at(version, "preview"), expect=200)
    assert desk.page.xpath("//*[@data-item='why']/@hidden")
    desk.get(at(version, "preview?all=1"), expect=200)
    assert not desk.page.xpath("//*[@data-item='why']/@hidden")


def test_a_draft_with_wrong_rules_can_be_looked_at(session, desk, version, by):
    draft = begin_draft(session, version, by=by)
    for code, rule, source in (("why", "relevant", "${nobody} = 1"), ("beds", "constraint", "((("), ("measures", "relevant", "${measures} = 1")):
        set_rules(session, draft, code, [Edit(rule, getattr(row(session, draft, code), rule), source)], by=by)
    session.commit()
    for page in ("preview", "test-drive", "proof", "translations", "rules/en"):
        desk.get(at(draft, page), expect=200)
    desk.get(at(draft, "preview"))
    assert "Some rules cannot be applied yet" in desk.words
    desk.get(at(draft, "proof"))
    assert "(((" in desk.words


def row(session, version, code):
    return session.scalars(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == code)).one()


def test_the_test_drive_says_what_the_rules_make_of_an_answer(desk, version):
    drive(desk, version, state="not_started", beds="200", language="en", action="check")
    assert verdict(desk, "why") == "why asked requiredmissing Asked only if “Question state” is “Not started”"
    assert "refused" in verdict(desk, "beds")
    assert "Fewer than a hundred." in verdict(desk, "beds")
    assert "Value: Not started" in verdict(desk, "state")
    drive(desk, version, state="done", beds="many", action="check")
    assert "not asked" in verdict(desk, "why")
    assert "many" in desk.page.xpath("//*[@name='beds']/@value")
    assert "refused" in verdict(desk, "beds")
    assert "not complete yet" in desk.words


def test_the_answers_travel_from_page_to_page(desk, version):
    drive(desk, version, state="not_started", action="next", language="en")
    assert desk.page.xpath("//input[@name='page']/@value") == ["page2"]
    name = desk.page.xpath("//input[starts-with(@name, 'row:laws')]/@name")[0].removeprefix("row:laws")
    drive(desk, version, **{f"law{name}": "A law", f"year{name}": "7", "persons[women]": "3", "action": "check"})
    assert "Double" in verdict(desk, "laws")
    assert "Value: 14" in verdict(desk, "laws")
    assert "Women" in verdict(desk, "sexes")
    assert desk.page.xpath("//output[@data-total='year[]']")[0].text == "7"
    drive(desk, version, **{"row-act": "add:laws[]"})
    rows = desk.page.xpath("//input[starts-with(@name, 'row:laws')]/@name")
    assert len(rows) == 3  # two rows, and the one in the template
    drive(desk, version, **{"row-act": f"remove:laws{name}"})
    assert "A law" not in desk.page.xpath("//table")[0].text_content()
    drive(desk, version, go="page1")
    assert desk.page.xpath("//input[@name='state'][@checked]/@value") == ["not_started"]
    drive(desk, version, action="reset")
    assert not desk.page.xpath("//input[@name='state'][@checked]")


def test_the_answers_can_be_downloaded_and_loaded(desk, version):
    drive(desk, version, state="not_started", action="next", language="en", beds="12", **{"measures@km": "ច្បាប់"})
    name = desk.page.xpath("//input[starts-with(@name, 'row:laws')]/@name")[0].removeprefix("row:laws")
    page = desk.page
    drive(desk, version, **{f"law{name}": "A law", f"year{name}": "7", "persons[women]": "3", "action": "download"})
    answers = json.loads(desk.response.get_data(as_text=True))
    assert answers == {
        "state": "not_started", "measures@km": "ច្បាប់", "beds": "12",
        "laws": [{"key": name.strip("[]"), "law": "A law", "year": "7"}], "sexes": {"women": {"persons": "3"}},
    }  # fmt: skip
    desk.page = page
    desk.get(at(version, "test-drive"))
    drive(desk, version, action="load", json=json.dumps(answers | {"nobody": 1}), language="en")
    assert "Value: 12" in verdict(desk, "beds")
    assert "Names that are no question here (1)" in desk.words
    drive(desk, version, action="next")
    assert "Value: 14" in verdict(desk, "laws")


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "null", "[" * 5000, '{"a": ' * 3000, "x" * 200_001])
def test_answers_that_are_none_get_a_sentence(desk, version, text):
    drive(desk, version, action="load", json=text)
    assert desk.response.status_code == 422
    assert "This was not taken" in desk.words


@pytest.mark.parametrize(
    "odd",
    [
        {"laws": "x"}, {"laws": [1, None, {"key": 5, "law": {}}]}, {"laws": [{"key": "a b!", "law": "x"}] * 3},
        {"sexes": []}, {"state": ["done", "not_started"]}, {"beds": {"state": "nowhere"}}, {"beds": 1e400}, {"": ""},
        {"page1": "x"}, {"measures@xx": "x"}, {"beds": [[]]}, {"double": 1}, {"laws": [{"law": "x"}] * 1500},
    ],
)  # fmt: skip
def test_odd_answers_never_break_the_page(desk, version, odd):
    drive(desk, version, action="load", json=json.dumps(odd))
    assert desk.response.status_code == 200
    drive(desk, version, action="next")
    assert desk.response.status_code == 200


def test_the_state_belongs_to_the_tester_alone(session, desk, version, client_for):
    drive(desk, version, state="done", action="check")
    state = desk.page.xpath("//input[@name='sample']/@value")[0]
    other = client_for(factories.staff(session, StaffRole.REPORT_WRITER))
    other.get(at(version, "test-drive"), expect=200)
    drive(other, version, sample=state, action="check")
    assert other.response.status_code == 422
    assert "cannot be read any more" in other.words
    drive(desk, version, sample=state[:-3] + "abc", action="check")
    assert desk.response.status_code == 422


def test_the_answers_stay_small(desk, version):
    drive(desk, version, **{"measures@km": "a" * 200_001, "action": "check"})
    assert desk.response.status_code == 422
    assert "longer than 200000 characters" in desk.words.replace(",", "")


def test_nothing_of_a_test_drive_is_stored(session, desk, version):
    tables = (Answer, Submission)
    before = [session.scalar(select(func.count()).select_from(one)) for one in tables]
    drive(desk, version, state="done", action="check", beds="3")
    drive(desk, version, action="next")
    assert [session.scalar(select(func.count()).select_from(one)) for one in tables] == before


def test_the_proof_sheet_holds_every_question_rule_and_choice(session, desk, version):
    desk.get(at(version, "proof"), expect=200)
    for words in (
        "Question state", "សំណួរ state", "done", "បានអនុវត្ត", "Must be answered", "Whole number",
        "Asked only if: “Question state” is “Not started”", "${state} = 'not_started'", ". < 100",
        "the answer is less than 100", "Table, rows are added", "Table with fixed rows", "ស្ត្រី", "Women",
        "Computed as: “Question year” × 2", "Total below the column: sum", "Version 1, published on", "initials",
    ):  # fmt: skip
        assert words in desk.words, words
    # what a flag says is not said twice, and tables count once, as everywhere
    assert "Several lines: yes" in desk.words
    assert "Drawn as: w2" in desk.words
    assert "multiline" not in desk.words
    [head] = [one for one in versions(session) if one.public_id == version.public_id]
    assert f"{head.questions} questions" in desk.words


def test_the_rules_of_a_draft_are_given_fresh(session, desk, version, by):
    draft = begin_draft(session, version, by=by)
    session.commit()
    desk.get(at(draft, "rules/en"), expect=200)
    assert desk.response.headers["Cache-Control"] == "no-store"
    assert "why" in desk.response.get_json()["rules"]
