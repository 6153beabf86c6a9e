"""The answering page for everyone: in the browser inside a messenger, by keys alone, and as a screen reader is told of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.models import Status
from portal.services import accounts
from tests import factories, tables
from tests.journeys.browsers import PHONE
from tests.journeys.steps import Steps
from tests.journeys.test_answering import STATE, TEXT, saved, status, stored
from tests.journeys.test_question_types import kinds  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser

TELEGRAM = (
    "Mozilla/5.0 (Linux; Android 11; Build/RP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/109.0.5414.86 Mobile Safari/537.36 Telegram-Android/10.14"
)
# what a view inside another program, or a portal without https, may not have
POOR = """
  delete globalThis.BroadcastChannel;
  globalThis.open = undefined;
  Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
  Object.defineProperty(Crypto.prototype, "subtle", { value: undefined });
  Object.defineProperty(Crypto.prototype, "randomUUID", { value: undefined });
  Object.defineProperty(globalThis, "indexedDB", { get() { throw new DOMException("refused", "SecurityError"); } });
  Object.defineProperty(Intl, "Segmenter", { value: undefined });
  delete String.prototype.toWellFormed;
  const heard = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (kind, ...more) { if (kind !== "beforeunload") heard.call(this, kind, ...more); };
"""


def test_in_a_messenger_answers_are_saved_and_what_is_missing_is_said(served, visit, scene):
    visitor = visit(size=PHONE, user_agent=TELEGRAM)
    visitor.context.add_init_script(POOR)
    page = visitor.sign_in(scene.focal)
    expect(page.locator(".offline-box")).to_contain_text("Open in browser")  # files may go nowhere from here
    page.click(".owed-row .btn")
    page.fill(TEXT, "ច្បាប់ថ្មី")
    saved(page)
    visitor.allow("ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)
    page.fill(TEXT, "ច្បាប់ថ្មី និងផ្សេងទៀត")
    # nothing is kept here, and nothing else is claimed
    expect(page.locator(STATE)).to_have_text(re.compile("this browser keeps nothing. Leave this page open"))
    visitor.context.set_offline(False)
    saved(page)
    assert stored(served, scene)["text@km"] == "ច្បាប់ថ្មី និងផ្សេងទៀត"
    other = visit().sign_in(scene.colleague)
    other.goto(f"{scene.path}/check")
    expect(other.locator(".in-app")).to_have_count(0)


def test_from_the_link_of_a_chat_to_typing_are_four_steps(served, visit, make_scene):
    scene = make_scene(entered=False)
    with served.session() as session:
        made = accounts.invite(session, scene.focal, by=factories.principal(session, scene.coordinator))
    page = visit(size=PHONE, user_agent=TELEGRAM).page
    steps = Steps(page)
    steps.open(f"/enter/{made.token}")
    steps.press("main button[type=submit]", code=made.spoken_code.lower(), password="a lamp over the quiet harbour")
    steps.press(".owed-row .btn-primary")  # the first reply without an answer
    steps.type(TEXT, "ច")
    saved(page)
    assert stored(served, scene) == {"text@km": "ច"}
    assert len(steps.taken) == 4, steps.taken


class Keys:
    """A person without a mouse."""

    def __init__(self, page):
        self.page = page

    def to(self, what, most=80):
        """Go on by Tab until the focus is on what a selector names."""
        for _ in range(most):
            if self.page.evaluate("what => document.activeElement.matches(what)", what):
                seen = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
                assert self.page.evaluate(seen), f"nobody sees that the focus is on {what}"
                return self
            self.page.keyboard.press("Tab")
        message = f"Tab does not lead to {what}"
        raise AssertionError(message)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text):
        self.page.keyboard.insert_text(text)
        return self

    def go(self, key="Enter"):
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        return self


def test_a_reply_is_filled_and_handed_in_by_keys_alone(served, visit, make_scene):
    scene = make_scene(entered=False)
    with served.session() as session:
        made = accounts.invite(session, scene.focal, by=factories.principal(session, scene.coordinator))
    visitor = visit()
    page = visitor.page
    page.goto(f"/enter/{made.token}")
    keys = Keys(page)
    visitor.allow("422")
    keys.to("[name=code]").type("AAAA-AAAA").to("[name=password]").type("a lamp over the quiet harbour").go()
    expect(page.locator("#code-error, .field-error").first).to_be_visible()
    keys.to("[name=code]").press("Control+A").type(made.spoken_code.lower())
    keys.to("[name=password]").type("a lamp over the quiet harbour").go()
    keys.to(".owed-row .btn-primary").go()
    page.wait_for_load_state("networkidle")
    keys.to("[name=standing]").press("Space", "ArrowDown")  # not started after done, partly
    expect(page.locator("[data-item=why]")).to_be_visible()
    keys.to("textarea[name='why@km']").type("ថវិកា")
    keys.to(TEXT).type("របស់ខ្ញុំ")
    saved(page)
    # a colleague writes the same answer: the choice is made by keys, and the focus comes back to the answer
    theirs = visit().let_in(served.session_of(scene.colleague))
    theirs.goto(scene.first)
    theirs.fill(TEXT, "របស់គេ")
    saved(theirs)
    visitor.allow("409")
    keys.type(" ថែម")
    expect(page.locator("[data-conflict-box]")).to_be_visible()
    expect(page.locator("[data-save-aloud]")).not_to_be_empty()
    keys.to("[data-resolve=mine]").press("Enter")
    saved(page)
    assert page.evaluate("document.activeElement.name") == "text@km"
    keys.to(".sticky-bar .btn-primary").go()
    keys.to(".sticky-bar .btn-primary").go()
    keys.to("main form[action$=complete] .btn-primary").go()
    assert status(served, scene) is Status.AWAITING_SIGN_OFF
    assert stored(served, scene)["text@km"] == "របស់ខ្ញុំ ថែម"


def test_a_row_is_written_moved_and_said_to_be_unknown_by_keys_alone(served, visit):
    with served.session() as session:
        scene = tables.scene(session)
    page = visit().let_in(served.session_of(scene.focal))
    page.goto(scene.path)
    page.wait_for_load_state("networkidle")
    keys = Keys(page)
    keys.to("textarea[name^='activity[']").type("ក")
    keys.to("[name^='women['].field-figure").type("5").to("select.cell-state[name^='women[']").press("ArrowDown")
    box = page.locator("[data-table=b5] td[data-item=women] .entry").first
    expect(box).to_have_class(re.compile("has-state"))
    keys.press("ArrowUp")
    expect(box).not_to_have_class(re.compile("has-state"))
    keys.to("button[value^='add:b5']").press("Enter").type("ខ")
    page.keyboard.press("Shift+Tab")
    keys.to("tr:nth-child(2) .row-menu summary").press("Enter").to("tr:nth-child(2) [value^='up:']").press("Enter")
    expect(page.locator("[data-table=b5] textarea[name^='activity[']").first).to_have_value("ខ")
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")


def accessible(page):
    """Return what a screen reader is given: (role, name, description, properties) of every node that is not passed over."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    for node in tree["nodes"]:
        if not node.get("ignored"):
            facts = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
            words = [node.get(part, {}).get("value", "") for part in ("role", "name", "description")]
            yield (*words, facts)


FILLED_IN = {
    "textbox",
    "combobox",
    "radio",
    "checkbox",
    "listbox",
    "searchbox",
    "spinbutton",
    "button",
    "link",
    "DisclosureTriangle",
}


def test_a_screen_reader_is_told_name_role_and_description_of_every_type(visit, kinds):  # noqa: F811 - the fixture
    scene, path = kinds("en")
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    nodes = list(accessible(page))
    assert [one for one in nodes if one[0] in FILLED_IN and not one[1].strip()] == []
    said = {(role, name.split(" required")[0]) for role, name, _description, _facts in nodes}
    for role, name in (
        ("combobox", "Question district"), ("group", "Question districts"), ("group", "Question scale"), ("radio", "A little"),
        ("group", "Question order"), ("group", "Question covered"), ("textbox", "Question begin"), ("group", "Question agreed"),
        ("group", "Police"), ("textbox", "Question sure"),
    ):  # fmt: skip
        assert any(one == role and name in words for one, words in said), (role, name, sorted(said))
    assert {"main", "banner", "navigation", "complementary", "status"} <= {role for role, _name in said}
    # what cannot be read is the description of its field, and said aloud once the field is left
    visitor.allow("422")
    page.fill("[name=sure]", "eleven")
    expect(page.locator("[data-item=sure] [data-error]")).to_be_visible()
    (told,) = [one for one in accessible(page) if one[0] == "textbox" and "Question sure" in one[1]]
    assert told[3]["invalid"] == "true"
    assert page.locator("[data-item=sure] [data-error]").inner_text() in told[2]
    expect(page.locator("[data-save-aloud]")).to_contain_text("See the sentence beside the answer")
    # the summary of what is wrong has the focus and leads to the field
    page.goto(f"{scene.path}/check")
    page.locator("main form[action$=complete] .btn-primary").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    place = summary.locator("a").first.get_attribute("href")
    with page.expect_navigation():
        page.locator(f"{place} a").first.press("Enter")
    target = page.url.rpartition("#")[2]
    assert page.locator(f"[id='{target}']").count() == 1
