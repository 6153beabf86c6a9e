"""The bar at the lower edge of the answering page: whole wherever one stands, and nothing that is focused lies behind it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.models import Recommendation
from tests import tables
from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.test_answering import STATE, TEXT, saved

pytestmark = pytest.mark.browser

BAR = ".sticky-bar"
# what has the focus, and how many pixels of it lie behind the bar or beyond an edge of the window; of what is higher than
# half of the room, half is enough
COVERED = """() => {
  const one = document.activeElement, bar = document.querySelector(".sticky-bar");
  if (one === document.body || bar.contains(one)) return [bar.contains(one) ? "bar" : "", 0];
  const place = one.getBoundingClientRect(), edge = bar.getBoundingClientRect().top;
  const shown = Math.min(place.bottom, edge) - Math.max(place.top, 0);
  return [one.id || one.name || one.className || one.tagName, Math.round(Math.min(place.height, edge / 2) - shown)];
}"""


def whole(page):
    """Tell whether all of the bar can be seen."""
    edge = page.locator(BAR).evaluate("(bar) => [bar.getBoundingClientRect().top, bar.getBoundingClientRect().bottom]")
    return 0 <= edge[0] < edge[1] <= page.viewport_size["height"]


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["390", "1280"])
def test_nothing_that_is_focused_is_hidden_however_high_the_bar_is(served, visit, size):
    with served.session() as session:
        scene = tables.scene(session, "km")
        for one in (scene.focal, scene.colleague):
            one.names = {"en": "Person with a long name", "km": "លោកជំទាវ ឈ្មោះវែងណាស់ ពីនាយកដ្ឋានផែនការ និងសហប្រតិបត្តិការ"}
    other = visit().let_in(served.session_of(scene.colleague))
    other.goto(scene.path)
    page = visit(size=size, reduced_motion="reduce").let_in(served.session_of(scene.focal))
    page.goto(scene.path)
    expect(page.locator("[data-here]")).to_be_visible()
    assert page.locator(BAR).evaluate("(bar) => bar.offsetHeight") > (96 if size is PHONE else 70)
    page.locator(".skip-link").focus()
    for key in ("Tab", "Shift+Tab"):
        met, last = [], 0.0
        for _press in range(120):
            page.keyboard.press(key)
            where, covered = page.evaluate(COVERED)
            assert covered <= 1, f"{key} to {where}: {covered} pixels of it are hidden after {met[-3:]}"
            met.append(where)
            # where rows are cards, the keyboard goes down the page: the menu of a row stands at its end
            place = page.evaluate("scrollY + document.activeElement.getBoundingClientRect().top")
            assert size is WIDE or key != "Tab" or place > last - 100, f"{where} stands above {met[-3:]}"
            last = place if where != "bar" else last
            if where in {"bar", "skip-link"}:
                break
        assert len(met) > 30


def test_the_bar_is_whole_at_every_place_and_leads_to_what_waits(served, visit, scene):
    with served.session() as session:
        asked = session.get(Recommendation, scene.asked.id)
        asked.texts = {"en": "The State party should take all measures that are needed. " * 12}
    visitor, other = visit(size=PHONE, reduced_motion="reduce"), visit()
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto(scene.first)
    assert page.locator("main form .question").first.bounding_box()["y"] > 700
    assert whole(page)
    page.locator("footer").scroll_into_view_if_needed()
    assert page.locator(BAR).evaluate("(bar) => bar.getBoundingClientRect().bottom") <= 844
    lead = page.get_by_role("button", name="Go there")
    expect(lead).to_be_hidden()
    # an answer that cannot be read
    visitor.allow("422|409")
    page.fill("[name=places]", "many")
    expect(page.locator(STATE)).to_have_attribute("data-state", "error")
    page.evaluate("scrollTo(0, 0)")
    lead.click()
    expect(page.locator("[name=places]")).to_be_focused()
    expect(page.locator("[name=places]")).to_be_in_viewport(ratio=1)
    page.fill("[name=places]", "12")
    saved(page)
    expect(lead).to_be_hidden()
    # an answer that somebody else saved first
    colleague = other.let_in(served.session_of(scene.colleague))
    colleague.goto(scene.first)
    colleague.fill(TEXT, "theirs")
    saved(colleague)
    page.fill(TEXT, "mine")
    expect(page.locator("[data-conflict-box]")).to_be_visible()
    for place in (0, 300, 1000):
        page.evaluate("(to) => scrollTo(0, to)", place)
        assert whole(page)
    page.evaluate("scrollTo(0, 0)")
    lead.click()
    expect(page.locator("[data-conflict-box]")).to_be_focused()
    expect(page.locator("[data-conflict-box] .conflict-title")).to_be_in_viewport(ratio=1)
    page.locator("[data-resolve=mine]").click()
    saved(page)
    expect(lead).to_be_hidden()


def test_what_was_saved_before_midnight_is_said_with_its_day(served, visit, scene):
    visitor = visit()
    page = visitor.let_in(served.session_of(scene.focal))
    page.clock.install()
    page.goto(scene.first)
    page.fill(TEXT, "late")
    page.clock.run_for(2000)
    expect(page.locator(STATE)).to_contain_text(re.compile(r"^\s*saved \d\d:\d\d\s*$"))
    page.clock.fast_forward("26:00:00")
    expect(page.locator(STATE)).to_contain_text(re.compile(r"saved \d{1,2} [A-Z][a-z]{2}( \d{4})?, \d\d:\d\d"))
    page.fill(TEXT, "later")
    page.clock.run_for(2000)
    expect(page.locator(STATE)).to_contain_text(re.compile(r"^\s*saved \d\d:\d\d\s*$"))
