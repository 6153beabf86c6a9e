"""Question types in a real browser: long lists narrowed by the keyboard, periods, rankings, tables of choices, no script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import ItemKind, QuestionnaireVersion
from tests import factories
from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.test_accessibility import OVERFLOW, TAGS, _keep, _lines
from tests.journeys.test_answering import STATE, saved, stored

pytestmark = pytest.mark.browser

PLACES = [{"key": f"d{number}", "texts": {"en": f"District {number}", "km": f"ស្រុក\u200bទី {number}"}} for number in range(1, 21)]
SCALE = [
    {"key": key, "texts": {"en": english, "km": khmer}}
    for key, english, khmer in (("none", "Not at all", "គ្មានសោះ"), ("some", "A little", "តិចតួច"), ("full", "Fully", "ពេញលេញ"))
]
SMALL = """() => [...document.querySelectorAll("main .option, main select.field, main input.field, main summary, main .btn")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44).map((one) => one.className)"""


@pytest.fixture
def kinds(served, make_scene):
    """A scene whose questionnaire has a page of questions of the less common kinds; its address is `scene.kinds`."""

    def make(language: str = "en"):
        scene = make_scene(language=language)
        with served.session() as session:
            version = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.id == scene.assignment.version_id)).one()
            page = factories.item(session, version, "kinds", kind=ItemKind.SECTION, label="Kinds")
            for code, kind, more in (
                ("district", "select_one", {"choices": PLACES}),
                ("districts", "select_multiple", {"choices": PLACES}),
                ("folded", "select_multiple", {"choices": SCALE, "settings": {"appearance": "minimal"}}),
                ("scale", "select_one", {"choices": SCALE, "settings": {"appearance": "likert"}}),
                ("order", "rank", {"choices": SCALE}),
                ("covered", "period", {}),
                ("begin", "datetime", {"settings": {"not_available": True}}),
                ("agreed", "acknowledge", {}),
                ("sure", "range", {"settings": {"start": "0", "end": "10", "step": "2"}}),
                ("twice", "calculate", {"calculation": "${sure} * 2"}),
            ):
                factories.question(session, version, code, kind, parent=page, label=f"Question {code}", **more)
            group = factories.item(
                session, version, "rows", kind=ItemKind.GROUP, parent=page, label="How far…", settings={"appearance": "table-list"}
            )
            for code in ("police", "courts"):
                factories.question(session, version, code, "select_one", parent=group, label=code.title(), choices=SCALE)
        return scene, f"{scene.path}/pages/kinds"

    return make


@pytest.mark.parametrize("language", ["km", "en"])
def test_axe_finds_nothing_and_everything_can_be_touched(served, visit, kinds, language):
    scene, path = kinds(language)
    page = visit().sign_in(scene.focal)
    page.goto(path)
    faults = []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        _keep(page, f"question types, {language}, {size['width']}")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]})
        faults += [f"{size['width']}: {line}" for line in _lines(found.response["violations"])]
        faults += [f"{size['width']}: {line}" for line in page.evaluate(OVERFLOW)]
        faults += [f"{size['width']}: {name} is under 44 px" for name in page.evaluate(SMALL)]
    assert not faults, "\n".join(faults)


def test_a_long_list_is_narrowed_and_chosen_by_the_keyboard(served, visit, kinds):
    scene, path = kinds("km")
    page = visit().sign_in(scene.focal)
    page.goto(path)
    box = page.locator("#q-district-narrow")
    box.focus()
    page.keyboard.type("ស្រុកទី 17")  # the list holds an invisible sign between the words
    expect(page.locator("#q-district-narrowed")).to_contain_text("1")
    expect(page.locator("#q-district option:not([value=''])")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")
    assert stored(served, scene)["district"] == "d17"
    expect(box).to_have_value("")
    expect(page.locator("#q-district option")).to_have_count(21)
    box.fill("no such place")
    expect(page.locator("#q-district-narrowed")).not_to_be_empty()
    expect(page.locator("#q-district")).to_have_value("d17")  # what is chosen is never out of sight
    box.press("Escape")
    expect(page.locator("#q-district option")).to_have_count(21)


def test_ticked_boxes_stay_in_sight_while_the_list_is_narrowed(served, visit, kinds):
    scene, path = kinds()
    page = visit().sign_in(scene.focal)
    page.goto(path)
    several = page.locator("[data-item=districts]")
    several.get_by_label("District 3", exact=True).check()
    page.locator("#q-districts-narrow").fill("district 1")
    expect(several.locator(".option:visible")).to_have_count(12)  # 1, 10 to 19, and the ticked one
    several.get_by_label("District 12", exact=True).check()
    saved(page)
    assert stored(served, scene)["districts"] == ["d3", "d12"]


def test_periods_rankings_and_tables_are_saved_as_they_are_written(served, visit, kinds):
    scene, path = kinds()
    page = visit(size=PHONE).sign_in(scene.focal)
    page.goto(path)
    ends = page.locator("[data-item=covered]")
    ends.get_by_label("From").fill("1 January 2022")
    ends.get_by_label("to (included)").fill("៣១/១២/២០២៥")
    ends.get_by_label("to (included)").blur()
    places = page.locator("[data-item=order] select")
    places.nth(0).select_option("full")
    places.nth(1).select_option("none")
    page.locator("[data-item=courts]").get_by_label("A little").check()
    page.locator("[data-item=agreed]").get_by_label("I confirm").check()
    page.get_by_label("Question begin").fill("30/03/2022 2:30 PM")
    page.get_by_label("Question begin").blur()
    saved(page)
    page.reload()
    expect(ends.get_by_label("From")).to_have_value("01/01/2022")
    expect(places.nth(1)).to_have_value("none")
    kept = stored(served, scene)
    assert kept["covered"] == ["2022-01-01", "2025-12-31"]
    assert kept["order"] == ["full", "none"]
    assert (kept["courts"], kept["agreed"]) == ("some", True)
    assert kept["begin"] == "2022-03-30T14:30:00+07:00"


def test_without_script_long_lists_are_whole_and_computed_values_are_read(served, visit, kinds):
    scene, path = kinds()
    page = visit(java_script_enabled=False).sign_in(scene.focal)
    page.goto(path)
    expect(page.locator("#q-district-narrow")).to_be_hidden()
    page.locator("#q-district").select_option("d17")
    page.get_by_label("Question sure").fill("6")
    page.locator("[data-item=folded] summary").click()
    page.locator("[data-item=folded]").get_by_label("Fully").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    assert stored(served, scene)["district"] == "d17"
    assert stored(served, scene)["folded"] == ["full"]
    page.goto(path)
    expect(page.locator("#q-twice")).to_have_text("12")
