"""Choices that follow other answers, in a real browser: at once with script, after the save without."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import cascades
from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.test_answering import saved, stored
from tests.journeys.test_without_script import press

pytestmark = pytest.mark.browser


@pytest.fixture
def places(served):
    with served.session() as session:
        return cascades.scene(session)


def shown(item):
    """Return the labels that can be chosen."""
    return item.locator(".option:visible").all_inner_texts()


def listed(field):
    return field.evaluate("one => [...one.options].filter((each) => each.value && !each.hidden && !each.disabled).map((each) => each.label)")


def test_choices_appear_at_once_when_the_answer_they_follow_changes(served, visit, places):
    visitor = visit(size=WIDE)
    visitor.allow("4(09|22)")  # what is kept is sent at the end, and a choice that no longer fits is refused
    page = visitor.let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.wait_for_load_state("networkidle")
    page.route(f"**{places.path}", lambda route: None)  # the server is out of reach: what is seen is the browser's own
    district, several = page.locator("[data-item=district]"), page.locator("[data-item=several]")
    expect(district.locator("[data-no-offer]")).to_be_visible()
    page.get_by_label("Takeo", exact=True).first.check()
    expect(district.locator("[data-no-offer]")).to_be_hidden()
    assert shown(district) == shown(several) == ["Bati", "Kiri Vong"]
    assert listed(page.locator("[name=listed]")) == listed(page.locator("[name=searched]")) == ["Bati", "Kiri Vong"]
    assert listed(page.locator("[name=order]").first) == ["Bati", "Kiri Vong"]
    expect(page.locator("[data-item=order] li:visible")).to_have_count(2)
    district.get_by_label("Bati").check()
    several.get_by_label("Kiri Vong").check()
    page.get_by_label("Kandal", exact=True).first.check()
    # what is chosen stays until the server has spoken; the rest stands in the order of the list
    assert shown(district) == ["Ang Snuol", "Ta Khmau", "Bati"]
    assert shown(several) == ["Ang Snuol", "Ta Khmau", "Kiri Vong"]
    district.get_by_label("Ta Khmau").check()
    assert shown(district) == ["Ang Snuol", "Ta Khmau"]
    page.locator("[name=searched]").select_option("angsnuol")
    page.unroute_all(behavior="ignoreErrors")
    page.reload()


def test_a_choice_made_by_script_is_saved_like_any_other(served, visit, places):
    page = visit(size=PHONE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.get_by_label("Kep", exact=True).first.check()
    page.locator("[data-item=district]").get_by_label("Damnak Chang'aeur").check()
    page.locator("[data-item=several]").get_by_label("Damnak Chang'aeur").check()
    page.locator("[name=listed]").select_option("damnak")
    saved(page)
    assert {"district": "damnak", "several": ["damnak"], "listed": "damnak"}.items() <= stored(served, places).items()


def test_a_narrowed_list_lets_in_what_is_newly_on_offer(served, visit, places):
    page = visit(size=WIDE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.get_by_label("Kandal", exact=True).first.check()
    page.locator("#q-searched-narrow").fill("ta khmau")
    assert listed(page.locator("[name=searched]")) == ["Ta Khmau"]
    page.get_by_label("Takeo", exact=True).first.check()
    expect(page.locator("#q-searched-narrow")).to_have_value("")
    assert listed(page.locator("[name=searched]")) == ["Bati", "Kiri Vong"]
    page.locator("#q-searched-narrow").fill("bati")
    assert listed(page.locator("[name=searched]")) == ["Bati"]
    saved(page)


def test_each_row_follows_its_own_answer(served, visit, places):
    page = visit(size=WIDE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.locator("button[value='add:visits[]']").click()
    first, second = (page.locator("[data-table=visits] tbody tr[data-row]").nth(at) for at in (0, 1))
    first.locator("select[name^='place[']").select_option("kandal")
    second.locator("select[name^='place[']").select_option("takeo")
    assert listed(first.locator("select[name^='part[']")) == ["Ang Snuol", "Ta Khmau"]
    assert listed(second.locator("select[name^='part[']")) == ["Bati", "Kiri Vong"]
    second.locator("summary[id*=parts]").click()
    second.locator("[data-item^='parts['] label", has_text="Bati").click()
    second.locator("select[name^='part[']").select_option("kirivong")
    saved(page)
    assert stored(served, places)["parts"] == ["bati"]


def test_without_script_the_page_offers_what_fits_after_the_save(served, visit, places):
    page = visit(size=PHONE, java_script_enabled=False).let_in(served.session_of(places.focal))
    page.goto(places.path)
    expect(page.locator("[data-item=district] .option")).to_have_count(0)
    page.get_by_label("Takeo", exact=True).first.check()
    press(page, "Save")
    assert shown(page.locator("[data-item=district]")) == ["Bati", "Kiri Vong"]
    page.locator("[data-item=district]").get_by_label("Bati").check()
    press(page, "Save")
    expect(page.locator("[data-item=district]").get_by_label("Bati")).to_be_checked()
