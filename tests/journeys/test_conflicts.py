"""Two people, one answer, in a real browser: what waits for a choice is said, kept, named, and never sent by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from portal.models import Answer, VersionItem
from tests import tables
from tests.journeys.test_answering import ENGLISH, STATE, TEXT, saved, stored
from tests.journeys.test_recovery import kept, kill

pytestmark = pytest.mark.browser

BOX = "[data-conflict-box]"
WHY = "textarea[name='why@km']"
GONE = "ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|409"


def states(served, scene):
    with served.session() as session:
        rows = session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).all()
        return {(row.lang, str(row.state), row.value) for row in rows}


def says(page, state):
    expect(page.locator(STATE)).to_have_attribute("data-state", state)


@pytest.fixture
def pair(served, visit, scene):
    """My page, opened before a colleague changed it, and theirs."""
    with served.session() as session:
        settings = {"not_available": True, "not_applicable": True}
        where = (VersionItem.version_id == scene.version.id, VersionItem.code.in_(["text", "places"]))
        session.execute(update(VersionItem).where(*where).values(settings=settings))
    mine, theirs = visit(), visit()
    page, other = mine.sign_in(scene.focal), theirs.sign_in(scene.colleague)
    page.goto(scene.first)
    other.goto(scene.first)
    mine.allow(GONE)
    return mine, page, other


def clash(page, other, theirs="គេ។", mine="ខ្ញុំ។"):
    other.fill(TEXT, theirs)
    saved(other)
    page.fill(TEXT, mine)
    says(page, "conflict")


def test_a_page_that_comes_back_with_conflicts_is_taken_over_by_its_script(served, pair, scene):
    visitor, page, other = pair
    # nothing goes by itself: the whole page is the first to meet what a colleague saved
    page.route("**/js/respond*.js", lambda route: route.abort())
    visitor.allow("409|ERR_FAILED")
    page.reload()
    other.fill(TEXT, "គេ ១។")
    other.fill("[name=places]", "5")
    saved(other)
    page.fill(TEXT, "ខ្ញុំ ១។")
    page.fill("[name=places]", "7")
    page.unroute("**/js/respond*.js")
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").press("Enter")
    expect(page.locator(f"form {BOX}")).to_have_count(2)
    says(page, "conflict")
    assert page.locator("[name='base:text@km']").input_value() == "0"
    page.press(TEXT, "Control+End")
    page.keyboard.type(" ពាក្យ")
    page.wait_for_timeout(1500)
    says(page, "conflict")
    assert stored(served, scene) == {"text@km": "គេ ១។", "places": 5}
    # leaving asks; whoever leaves all the same finds the conflict again
    kept(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.click("nav[aria-label] a[href*='owed'] >> nth=0")
    page.wait_for_url("**/owed*")
    assert asked == ["beforeunload"]
    expect(page.locator("[data-waiting] a")).to_have_count(1)
    page.locator("[data-waiting] a").click()
    expect(page.locator(f"form {BOX}")).to_have_count(2)
    says(page, "conflict")
    expect(page.locator(TEXT)).to_have_value("ខ្ញុំ ១។ ពាក្យ")
    box = page.locator(f"[data-item=places] {BOX}")
    box.locator("[data-resolve=theirs]").click()
    says(page, "conflict")
    page.locator(f"[data-item=text] {BOX} [data-resolve=mine]").click()
    saved(page)
    assert stored(served, scene) == {"text@km": "ខ្ញុំ ១។ ពាក្យ", "places": 5}


def test_the_box_follows_what_is_typed_on_and_a_joined_text_mended_by_hand_keeps_both(served, pair, scene):
    _visitor, page, other = pair
    clash(page, other)
    box = page.locator(BOX)
    page.press(TEXT, "Control+End")
    page.keyboard.type(" ពាក្យក្រោយ។")
    expect(box.locator("[data-mine]")).to_have_text("ខ្ញុំ។ ពាក្យក្រោយ។")
    says(page, "conflict")
    box.locator("summary").click()
    expect(box.locator("[data-merged]")).to_have_value("គេ។\n\nខ្ញុំ។ ពាក្យក្រោយ។")
    box.locator("[data-merged]").fill("គេ កែ។\n\nខ្ញុំ។ ពាក្យក្រោយ។")
    page.press(TEXT, "Control+End")
    page.keyboard.type(" ចុង។")
    box.locator("[data-resolve=both]").click()
    saved(page)
    assert stored(served, scene)["text@km"].replace("\r\n", "\n") == "គេ កែ។\n\nខ្ញុំ។ ពាក្យក្រោយ។ ចុង។"


def test_a_joined_text_mended_by_hand_outlives_the_page(pair, scene):
    visitor, page, other = pair
    clash(page, other)
    page.locator(f"{BOX} summary").click()
    page.fill("[data-merged]", "រួម ដោយដៃ។")
    kept(page)
    page = kill(visitor)
    page.goto(scene.first)
    expect(page.locator("[data-merged]").first).to_have_value("រួម ដោយដៃ។")
    says(page, "conflict")


def test_going_on_waits_for_the_choice_and_no_box_comes_twice(pair, scene):
    _visitor, page, other = pair
    clash(page, other)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator(f"{BOX} [data-resolve=mine]")).to_be_focused()
    expect(page.locator(f"form {BOX}")).to_have_count(1)
    assert page.url.endswith(scene.first)


def test_writing_answers_the_question_that_was_not_available(served, pair, scene):
    _visitor, page, _other = pair
    item = page.locator("[data-item=text]")
    item.locator(".fold-cannot summary").click()
    item.get_by_label("Not available").check()
    saved(page)
    assert states(served, scene) == {("km", "not_available", None), ("en", "not_available", None)}
    page.fill(TEXT, "អត្ថបទ")
    expect(item.get_by_label("I answer the question")).to_be_checked()
    saved(page)
    page.reload()
    expect(page.locator(TEXT)).to_have_value("អត្ថបទ")
    assert states(served, scene) == {("km", "answered", "អត្ថបទ"), ("en", "answered", None)}
    # the other way round the text is not dropped either: which of the two it is, is asked
    page.locator("[data-item=text] .fold-cannot summary").click()
    _visitor.allow("422")
    item.get_by_label("Not available").check()
    expect(item.locator("[data-error]")).to_contain_text("An answer and “Not available” stand side by side.")
    page.fill(TEXT, "")
    saved(page)
    expect(item.get_by_label("Not available")).to_be_checked()
    assert states(served, scene) == {("km", "not_available", None), ("en", "not_available", None)}


def test_a_state_is_named_in_its_half_and_taken_with_it(served, pair, scene):
    _visitor, page, other = pair
    theirs = other.locator("[data-item=text]")
    theirs.locator(".fold-cannot summary").click()
    theirs.get_by_label("Not applicable").check()
    saved(other)
    page.fill(TEXT, "ខ្ញុំ")
    says(page, "conflict")
    box = page.locator(BOX)
    expect(box.locator("[data-theirs]")).to_have_text("Not applicable")
    box.locator("[data-resolve=theirs]").click()
    expect(page.locator("[data-item=text]").get_by_label("Not applicable")).to_be_checked()
    assert page.input_value(TEXT) == ""
    # and mine against a text of theirs
    other.fill("[name=places]", "5")
    saved(other)
    places = page.locator("[data-item=places]")
    places.locator(".fold-cannot summary").click()
    places.get_by_label("Not available").check()
    says(page, "conflict")
    expect(places.locator("[data-mine]")).to_have_text("Not available")
    places.locator("[data-resolve=theirs]").click()
    expect(places.get_by_label("I answer the question")).to_be_checked()
    assert page.input_value("[name=places]") == "5"
    assert stored(served, scene)["places"] == 5


def test_signing_out_asks_before_it_takes_a_text_that_waits(pair, scene):
    _visitor, page, other = pair
    clash(page, other)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.click(".menu summary")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_timeout(800)
    assert asked == ["confirm"]
    assert page.url.endswith(scene.first)
    assert page.input_value(TEXT) == "ខ្ញុំ។"
    kept(page)
    expect(page.locator(BOX)).to_be_visible()


def test_going_on_without_a_line_stays_on_the_page_until_pressed_again(served, pair, scene):
    visitor, page, _other = pair
    page.wait_for_load_state("networkidle")
    visitor.context.set_offline(True)
    page.fill(TEXT, "ខ្ញុំ")
    says(page, "offline")
    button = page.get_by_role("button", name="Save and continue")
    button.press("Enter")
    expect(page.locator(STATE)).to_contain_text("this page stays open")
    assert page.url.endswith(scene.first)
    # a browser may be wrong about its line: the second press goes
    visitor.context.set_offline(False)
    page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    saved(page)
    button.press("Enter")
    says(page, "offline")
    with page.expect_navigation():
        button.press("Enter")
    expect(page.locator("h1")).to_contain_text("Proof")
    assert stored(served, scene) == {"text@km": "ខ្ញុំ"}


def test_two_cells_of_one_row_name_themselves_in_their_boxes(served, visit):
    with served.session() as session:
        reply = tables.scene(session)
    mine, theirs = visit(), visit()
    page, other = mine.let_in(served.session_of(reply.focal)), theirs.let_in(served.session_of(reply.colleague))
    mine.allow("409")
    cells = "table[data-table=b5] tbody tr.entry-row >> nth=0 >> {}"
    other.goto(reply.path)
    other.fill(cells.format("textarea >> nth=0"), "A")
    saved(other)
    page.goto(reply.path)
    women, men = (cells.format(f"input[name^='{name}[']") for name in ("women", "men"))
    for one, text in ((other, "3"), (page, "4")):
        one.fill(women, text)
        one.fill(men, text)
        if one is other:
            saved(one)
    boxes = page.locator(f"form {BOX}")
    expect(boxes).to_have_count(2)
    for column in ("Women reached", "Men reached"):
        box = page.get_by_role("group", name=f"Two versions of one answer Practical measures · Row 1 · {column}")
        expect(box).to_have_count(1)
        box.get_by_role("button", name="Take the saved one").click()
    expect(boxes).to_have_count(0)
    expect(page.locator("tr.row-conflict")).to_have_count(0)
    saved(page)


def test_another_language_of_the_answer_is_no_part_of_the_conflict(served, pair, scene):
    _visitor, page, other = pair
    clash(page, other)
    page.locator("[data-item=text] summary", has_text="English").click()
    page.fill(ENGLISH, "Mine")
    expect(page.locator("[name='base:text@en']")).to_have_value("1")
    says(page, "conflict")
    assert stored(served, scene) == {"text@km": "គេ។", "text@en": "Mine"}
