"""The designer in a real browser: a questionnaire built from nothing, published, answered; dragging; no script at all."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Questionnaire, QuestionnaireVersion
from portal.queries.questionnaires import definition
from tests import factories
from tests.journeys.browsers import PHONE
from tests.journeys.places import designed

pytestmark = pytest.mark.browser


def press(page, name):
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def follow(page, name):
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).first.click()


def add(page, what, english, khmer, *, lines="", code=""):
    """Pick something from the pictures and word it."""
    with page.expect_navigation():
        page.locator(f"a.pick[href*='what={what}']").click()
    page.fill("[name='label@en']", english)
    page.fill("[name='label@km']", khmer)
    if lines:
        page.fill("[name=lines]", lines)
    if code:
        page.fill("[name=code]", code)
    press(page, "Add")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_questionnaire_is_built_published_and_answered(served, visit, scene, script):
    visitor = visit(java_script_enabled=script)
    visitor.let_in(served.session_of(scene.coordinator))
    page = visitor.page
    page.goto("/questionnaires")
    follow(page, "New questionnaire")
    page.fill("[name=titles_en]", "Training")
    page.fill("[name=titles_km]", "ការបណ្តុះបណ្តាល")
    code = f"training{'a' if script else 'b'}{scene.version.id}"
    page.fill("[name=code]", code)
    press(page, "Begin the questionnaire")
    outline = page.url

    def adding():
        page.goto(outline)
        page.locator(".outline-page > .outline-add a").first.click()
        page.wait_for_load_state()

    adding()
    add(page, "select_one", "Were there trainings?", "តើមានវគ្គបណ្តុះបណ្តាលទេ?", lines="yes\tមាន\tYes\nno\tគ្មាន\tNo", code="held")
    page.get_by_label("Yes, always").check()
    press(page, "Save")
    adding()
    add(page, "repeat", "Trainings", "វគ្គ", code="trainings")
    # a condition by the selects: the choices of the question appear once it is chosen
    page.select_option("[name='line:relevant:0:question']", "held")
    if script:
        page.wait_for_selector("select[name='line:relevant:0:value']")
    else:
        page.locator("#rule-relevant [data-refreshes]").click()
    page.select_option("select[name='line:relevant:0:value']", "yes")
    if script:
        expect(page.locator("[name='rule:relevant']")).to_have_value("${held} = 'yes'")
    press(page, "Add a column")
    add(page, "text", "Title", "ចំណងជើង", code="title")
    page.goto(f"{outline.split('#')[0]}/add?parent=trainings")
    add(page, "integer", "Persons", "ចំនួនបុគ្គល", code="persons")
    page.check("[name='more:total']")
    press(page, "Save and back to the outline")
    expect(page.locator("#i-trainings .outline-marks").first).to_contain_text("only if")
    follow(page, "Publish")
    press(page, "Publish")
    with served.session() as session:
        made = session.scalars(select(Questionnaire).where(Questionnaire.code == code)).one()
        version = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.questionnaire_id == made.id)).one()
        found = {item.code: item for item in definition(session, version.id).items()}
        assert version.status == "published"
        assert found["trainings"].relevant == "${held} = 'yes'"
        assert [child.code for child in found["trainings"].children] == ["title", "persons"]
        assert found["persons"].settings == {"total": "sum"}
        asked = factories.assignment(session, to=scene.institution, in_round=scene.round, about=[factories.recommendation(session, scene.document)], version=version)
        reply = factories.submission(session, asked)
        address = f"/replies/{reply.public_id}/pages/page1"
    answering = visit(java_script_enabled=script)
    answering.let_in(served.session_of(scene.focal))
    answering.page.goto(address)
    answering.page.check("[name=held][value=yes]")
    if script:
        expect(answering.page.locator("[data-table=trainings]")).to_be_visible()
    else:
        answering.page.locator("form.questions button[type=submit]").last.click()
        answering.page.goto(address)
    expect(answering.page.locator("[data-table=trainings] input[name^='persons[']").first).to_be_visible()
    answering.page.fill("[data-table=trainings] input[name^='persons['] >> nth=0", "24")
    if script:
        expect(answering.page.locator("[data-total^=persons]")).to_have_text("24")


@pytest.fixture
def drafted(served, make_scene):
    scene = make_scene(language="en")
    with served.session() as session:
        designed(session, scene)
    return scene


def order(served, scene):
    with served.session() as session:
        draft = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.public_id == scene.newer.public_id)).one()
        return [item.code for item in definition(session, draft.id).items()]


def test_a_line_is_dragged_before_another_and_into_a_table(served, visit, drafted):
    visitor = visit()
    visitor.let_in(served.session_of(drafted.coordinator))
    page = visitor.page
    page.goto(f"/questionnaires/{drafted.newer.public_id}/design")
    with page.expect_navigation():
        page.drag_and_drop("#i-places > div [data-handle]", "#i-standing > .outline-row", target_position={"x": 200, "y": 6})
    assert order(served, drafted)[1:3] == ["places", "standing"]
    with page.expect_navigation():
        page.drag_and_drop("#i-women > div [data-handle]", "#i-trainings > .outline-row", target_position={"x": 200, "y": 40})
    found = order(served, drafted)
    assert found[found.index("trainings") + 1] == "women"


def test_the_preview_and_the_checker_follow_what_is_typed(served, visit, drafted):
    visitor = visit()
    visitor.let_in(served.session_of(drafted.coordinator))
    page = visitor.page
    page.goto(f"/questionnaires/{drafted.newer.public_id}/design/items/places")
    page.fill("[name='label@en']", "How many rooms are there?")
    expect(page.locator("[data-look]")).to_contain_text("How many rooms are there?")
    page.locator("#rule-relevant summary").click()
    page.fill("#rule-relevant-source", "${nothing} = 2")
    page.locator("[name='label@en']").focus()
    expect(page.locator("#rule-relevant")).to_contain_text("There is no question named")
    page.fill("#rule-relevant-source", "${standing} = 'done'")
    page.locator("[name='label@en']").focus()
    expect(page.locator("select[name='line:relevant:0:value']")).to_have_value("done")
    press(page, "Save")
    expect(page.locator("[name='label@en']")).to_have_value("How many rooms are there?")
    expect(page.locator("[name='rule:relevant']")).to_have_value("${standing} = 'done'")


def test_everything_can_be_reached_by_the_keyboard_on_a_phone(served, visit, drafted):
    visitor = visit(size=PHONE)
    visitor.let_in(served.session_of(drafted.coordinator))
    page = visitor.page
    page.goto(f"/questionnaires/{drafted.newer.public_id}/design")
    menu = page.locator("#i-places > div details > summary")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value").startswith("move|places|")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    found = order(served, drafted)
    assert found.index("places") < found.index("text")
    assert page.url.endswith("#i-places")
