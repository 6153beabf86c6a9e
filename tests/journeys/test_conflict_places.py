"""Conflicts where others write: by link and code, from paper, and in a row that is gone; the bar leads to each."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import tables
from tests.journeys import places, sharing
from tests.journeys.browsers import PHONE
from tests.journeys.test_answering import TEXT, saved, stored
from tests.journeys.test_conflicts import BOX, clash, says
from tests.journeys.test_recovery import kept, kill
from tests.journeys.test_tables import FIRST

pytestmark = pytest.mark.browser


def joins_both(served, scene, page, place):
    """Go by the bar to both texts, join them, and see what is saved."""
    page.locator("[data-leads]").click()
    box = page.locator(f"form {BOX}")
    expect(box).to_be_focused()
    expect(box.locator("[data-mine]")).to_have_text("ខ្ញុំ។")
    expect(box.locator("[data-theirs]")).to_have_text("គេ។")
    expect(box.locator("[data-by]")).to_have_text(place)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    box.locator("summary").click()
    box.locator("[data-resolve=both]").click()
    says(page, "saved")
    assert stored(served, scene)["text@km"].replace("\r\n", "\n") == "គេ។\n\nខ្ញុំ។"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_whoever_came_by_link_sees_both_texts_and_chooses(served, visit, scene, script):
    with served.session() as session:
        sharing.shared(session, scene)
    mine, theirs = visit(size=PHONE, java_script_enabled=script), visit()
    page, other = mine.page, theirs.let_in(served.session_of(scene.colleague))
    mine.allow("409")
    page.goto(scene.share)
    sharing.come_in(page, scene)
    other.goto(scene.first)
    if script:
        clash(page, other)
        joins_both(served, scene, page, scene.colleague.names["km"])
        return
    other.fill(TEXT, "គេ។")
    saved(other)
    page.fill(TEXT, "ខ្ញុំ។")
    page.locator("button.no-script-only").click()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.locator(f"{BOX} [data-theirs]")).to_have_text("គេ។")
    expect(page.locator(TEXT)).to_have_value("ខ្ញុំ។")
    page.locator("[data-resolve=mine]").click()
    expect(page.locator(f"form {BOX}")).to_have_count(0)
    assert stored(served, scene)["text@km"] == "ខ្ញុំ។"


def test_whoever_enters_from_paper_sees_both_texts_and_chooses(served, visit, scene):
    with served.session() as session:
        places.came(session, scene)
    path = f"/review/{scene.reply.public_id}/paper/{scene.paper.public_id}/pages/measures"
    mine, theirs = visit(size=PHONE), visit()
    page, other = (one.let_in(served.session_of(scene.coordinator)) for one in (mine, theirs))
    mine.allow("409")
    page.goto(path)
    other.goto(path)
    clash(page, other)
    joins_both(served, scene, page, scene.coordinator.names["en"])


def test_a_box_about_a_row_that_is_gone_is_taken_over_and_outlives_the_page(served, visit):
    with served.session() as session:
        reply = tables.scene(session)
    mine, theirs = visit(), visit()
    page, other = mine.let_in(served.session_of(reply.focal)), theirs.let_in(served.session_of(reply.colleague))
    mine.allow("409|ERR_FAILED")
    other.goto(reply.path)
    other.locator(FIRST).first.locator("[name^='men[']").fill("3")
    saved(other)
    # the whole page is the first to meet what the colleague did
    page.route("**/js/*.js", lambda route: route.abort())
    page.goto(reply.path)
    other.locator(FIRST).first.locator(".row-menu summary").click()
    other.get_by_role("button", name="Remove this row").click()
    saved(other)
    page.locator(FIRST).first.locator("[name^='men[']").fill("99")
    page.unroute("**/js/*.js")
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").press("Enter")
    box = page.locator("[data-row-conflict]")
    expect(box).to_contain_text("99")
    says(page, "conflict")
    page.locator("[data-leads]").click()
    expect(box).to_be_focused()
    # going on waits for the choice, and a killed tab keeps it
    page.get_by_role("button", name="Save and continue").click()
    expect(box.get_by_role("button", name="Put the row back with my text")).to_be_focused()
    kept(page)
    page = kill(mine)
    page.goto(reply.path)
    recovered = page.locator("[data-recovered]")
    expect(recovered).to_contain_text("99")
    with page.expect_navigation():
        recovered.get_by_role("button", name="Put it back").click()
    expect(page.locator(FIRST).first.locator("[name^='men[']")).to_have_value("99")
    expect(recovered).to_be_hidden()


def test_the_bar_leads_to_a_box_below_the_head_of_its_table(served, visit):
    with served.session() as session:
        reply = tables.scene(session)
    mine, theirs = visit(size={"width": 1280, "height": 480}, reduced_motion="reduce"), visit()
    page, other = mine.let_in(served.session_of(reply.focal)), theirs.let_in(served.session_of(reply.colleague))
    mine.allow("409")
    other.goto(reply.path)
    other.locator(FIRST).first.locator("[name^='men[']").fill("3")
    saved(other)
    page.goto(reply.path)
    other.locator(FIRST).first.locator("[name^='men[']").fill("4")
    saved(other)
    page.locator(FIRST).first.locator("[name^='men[']").fill("5")
    says(page, "conflict")
    page.locator("[data-leads]").click()
    box = page.locator(f"form {BOX}")
    expect(box).to_be_focused()
    head = page.locator("table[data-table=b5] thead th").first.evaluate("(one) => one.getBoundingClientRect().bottom")
    assert box.evaluate("(one) => one.getBoundingClientRect().top") >= head
