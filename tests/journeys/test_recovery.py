"""Nothing typed is lost: line down, tab killed, session ended, server away, two tabs, Back; and the page says which it is."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Error, expect
from sqlalchemy import update

from portal import clock
from portal.models import Membership, Role, Session
from tests import tables
from tests.factories import PASSWORD
from tests.journeys import sharing
from tests.journeys.test_answering import STATE, TEXT, choose, saved, stored
from tests.journeys.test_tables import FIRST
from tests.unit.forms.test_merging import CASES

pytestmark = pytest.mark.browser

# what lies on the disk of the browser, as text
ON_DISK = """async () => {
  const names = (await indexedDB.databases()).map((one) => one.name);
  if (!names.includes("tamdan")) return [];
  const base = await new Promise((done) => { const r = indexedDB.open("tamdan"); r.onsuccess = () => done(r.result); });
  const all = await new Promise((done) => { const r = base.transaction("kept").objectStore("kept").getAll(); r.onsuccess = () => done(r.result); });
  base.close();
  return all.filter((one) => one.sealed).map((one) => new TextDecoder().decode(one.sealed));
}"""


def kept(page):
    """Wait until the browser keeps what was typed."""
    page.wait_for_function(f"async () => (await ({ON_DISK})()).length > 0")
    page.wait_for_timeout(1800)  # one more copy than the longest pause between two


def kill(visitor):
    """Let the page's process die, as a killed tab or a full memory does, and open another tab."""
    page = visitor.page
    session = visitor.context.new_cdp_session(page)
    with contextlib.suppress(Error), page.expect_event("crash"):
        session.send("Page.crash", timeout=500)  # nobody is left to answer
    visitor.page = visitor.context.new_page()
    page.close()
    return visitor.page


def test_text_typed_without_a_line_survives_a_killed_tab_and_is_offered_again(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    visitor.context.set_offline(True)
    page.type(TEXT, "អត្ថបទដែលមិនត្រូវបាត់")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    expect(page.locator(STATE)).to_contain_text("kept on this device")
    kept(page)
    assert all("អត្ថបទ" not in one for one in page.evaluate(ON_DISK))
    page = kill(visitor)
    visitor.context.set_offline(False)
    page.goto("/owed")
    page.locator("[data-waiting] a").click()
    page.wait_for_url(f"**{scene.first}")
    place = page.locator("[data-recovered]")
    expect(place).to_contain_text("អត្ថបទដែលមិនត្រូវបាត់")
    assert stored(served, scene) == {}
    # named without the mark that it is required, and dated
    expect(place.locator("[data-label]")).to_have_text("What was done?")
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d", place.locator("[data-at]").inner_text())
    expect(place).to_be_focused()
    place.get_by_role("button", name="Put it back").click()
    saved(page)
    expect(place).to_be_hidden()
    assert stored(served, scene) == {"text@km": "អត្ថបទដែលមិនត្រូវបាត់"}
    page.wait_for_function(f"async () => (await ({ON_DISK})()).length === 0")
    page.reload()
    expect(place).to_be_hidden()


def test_what_was_typed_before_the_script_came_is_saved_by_it(served, visit, scene):
    page = visit().sign_in(scene.focal)
    waiting = []
    page.route("**/js/respond*.js", lambda route: waiting.append(route))  # noqa: PLW0108 - it may not be a builtin
    with page.expect_request("**/js/respond*.js"):
        page.goto(scene.first, wait_until="commit")
    page.fill(TEXT, "អត្ថបទដែលសរសេរមុន")
    expect(page.locator(STATE)).not_to_have_attribute("data-state", "saved")
    for one in waiting:
        one.continue_()
    saved(page)
    assert stored(served, scene)["text@km"] == "អត្ថបទដែលសរសេរមុន"


def test_a_kept_text_meets_what_a_colleague_saved_meanwhile_as_a_conflict(served, visit, scene):
    visitor, other = visit(), visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|409")
    visitor.context.set_offline(True)
    page.fill(TEXT, "ច្បាប់ថ្មី។ វគ្គមួយ។")
    kept(page)
    page = kill(visitor)
    colleague = other.sign_in(scene.colleague)
    colleague.goto(scene.first)
    colleague.fill(TEXT, "ច្បាប់ថ្មី។ វគ្គពីរ។")
    saved(colleague)
    visitor.context.set_offline(False)
    page.goto(scene.first)
    box = page.locator("[data-conflict-box]")
    expect(box.locator("[data-mine]")).to_have_text("ច្បាប់ថ្មី។ វគ្គមួយ។")
    expect(box.locator("[data-theirs]")).to_have_text("ច្បាប់ថ្មី។ វគ្គពីរ។")
    assert "វគ្គ" not in "".join(box.locator("mark").all_inner_texts())
    assert stored(served, scene) == {"text@km": "ច្បាប់ថ្មី។ វគ្គពីរ។"}
    # both people read each other's name meanwhile
    expect(page.locator("[data-here]")).to_contain_text(f"{scene.colleague.names['en']} is on this page too.")
    box.locator("summary").click()
    expect(box.locator("[data-merged]")).to_have_value("ច្បាប់ថ្មី។ វគ្គពីរ។ វគ្គមួយ។")
    box.locator("[data-resolve=both]").click()
    saved(page)
    assert stored(served, scene) == {"text@km": "ច្បាប់ថ្មី។ វគ្គពីរ។ វគ្គមួយ។"}


def test_signing_in_beside_the_page_sends_what_it_kept_and_rights_are_checked_again(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("401|403")

    def run_out():
        with served.session() as session:
            session.execute(update(Session).where(Session.user_id == scene.focal.id).values(expires_at=clock.now()))

    def come_back():
        with visitor.context.expect_page() as opened:
            page.get_by_role("link", name="Sign in in a new tab").click()
        beside = opened.value
        beside.fill("[name=email]", scene.focal.login)
        beside.fill("[name=password]", PASSWORD)
        beside.click("main form button[type=submit]")
        expect(beside.locator("h1")).to_have_text("You are signed in again")

    run_out()
    page.fill(TEXT, "ក")
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    come_back()
    saved(page)
    assert stored(served, scene) == {"text@km": "ក"}
    with served.session() as session:
        session.execute(update(Membership).where(Membership.user_id == scene.focal.id).values(role=Role.READER))
    run_out()
    page.fill(TEXT, "ក ខ")
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    come_back()
    expect(page.locator(STATE)).to_have_attribute("data-state", "denied")
    assert page.input_value(TEXT) == "ក ខ"
    assert stored(served, scene) == {"text@km": "ក"}
    kept(page)
    # the page, now only to be read, still shows what this device kept
    page = kill(visitor)
    page.goto(scene.first)
    expect(page.locator("[data-recovered]")).to_contain_text("ក ខ")
    expect(page.get_by_role("button", name="Put it back")).to_be_hidden()


def test_two_tabs_of_one_person_follow_each_other(served, visit, scene):
    visitor = visit()
    first = visitor.sign_in(scene.focal)
    first.goto(scene.first)
    second = visitor.context.new_page()
    second.goto(scene.first)
    first.fill(TEXT, "ក")
    saved(first)
    expect(second.locator(TEXT)).to_have_value("ក")
    second.fill(TEXT, "ក ខ")
    saved(second)
    expect(first.locator(TEXT)).to_have_value("ក ខ")
    first.fill(TEXT, "ក ខ គ")
    choose(second, "Implemented")
    saved(first)
    saved(second)
    assert stored(served, scene) == {"text@km": "ក ខ គ", "standing": "done"}
    # Back to a page left behind finds what was saved since
    first.goto("/owed")
    second.fill(TEXT, "ង")
    saved(second)
    first.go_back()
    expect(first.locator(TEXT)).to_have_value("ង")
    first.fill(TEXT, "ង ច")
    saved(first)
    assert stored(served, scene)["text@km"] == "ង ច"


def test_signing_out_leaves_nothing_readable_and_the_next_person_nothing_to_find(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("503|ERR_FAILED")
    page.route(f"**{scene.first}", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.fill(TEXT, "អាថ៌កំបាំង")
    kept(page)
    # somebody else at the same device, without a sign-out in between
    page = kill(visitor)
    visitor.context.clear_cookies()
    page = visitor.sign_in(scene.colleague)
    page.goto(scene.first)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-recovered]")).to_be_hidden()
    assert len(page.evaluate(ON_DISK)) == 1
    # what would go is asked about first
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".menu summary")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_timeout(500)
    assert asked == ["Text that is not saved yet is kept on this device. Signing out deletes it. Sign out all the same?"]
    assert len(page.evaluate(ON_DISK)) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    assert page.evaluate("async () => (await indexedDB.databases()).length") == 0


def test_a_server_that_goes_and_comes_back_costs_nothing(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("503")
    away = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"code": "unavailable", "title": "Busy"}}
    page.route(f"**{scene.first}", lambda route: route.fulfill(**away) if route.request.method == "POST" else route.continue_())
    page.fill(TEXT, "ក")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    expect(page.locator(STATE)).to_contain_text("does not answer just now")
    page.unroute(f"**{scene.first}")
    saved(page)
    assert stored(served, scene) == {"text@km": "ក"}


def test_a_page_goes_on_after_signing_out_and_in_again_beside_it(served, visit, scene):
    theirs, first, second = (served.session_of(one) for one in (scene.colleague, scene.focal, scene.focal))
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("400|401|403")
    visitor.context.clear_cookies()
    page.fill(TEXT, "ក")
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    visitor.let_in(theirs)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(STATE)).to_contain_text("somebody else is signed in")
    assert stored(served, scene) == {}
    page = visitor.context.new_page()
    visitor.let_in(first)
    page.goto(scene.first)
    visitor.let_in(second)
    page.fill(TEXT, "ខ")
    saved(page)
    assert stored(served, scene) == {"text@km": "ខ"}


def test_a_person_without_account_finds_their_text_again_too(served, visit, scene):
    with served.session() as session:
        sharing.shared(session, scene)
    visitor = visit()
    page = visitor.page
    page.goto(scene.share)
    sharing.come_in(page, scene)
    address = page.url
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    visitor.context.set_offline(True)
    page.fill("[name=places]", "31")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    kept(page)
    page = kill(visitor)
    visitor.context.set_offline(False)
    page.goto(address)
    expect(page.locator("[data-recovered]")).to_contain_text("31")
    page.locator("[data-take]").click()  # the page speaks Khmer to whoever has no account
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")
    assert stored(served, scene) == {"places": 31}


def test_both_join_texts_in_the_same_way(visit, scene):
    page = visit().sign_in(scene.focal)
    page.goto(scene.first)
    page.evaluate("async () => { await import(document.querySelector('form[data-texts]').dataset.texts); }")
    for mine, theirs, base, joined in CASES:
        assert page.evaluate("(given) => tamdanTexts.mergeTexts(...given)", [mine, theirs, base]) == joined
    words = page.evaluate("() => tamdanTexts.wordsOf('ក្រសួងបានចេញសារាចរមួយ', 'km')")
    assert "".join(words) == "ក្រសួងបានចេញសារាចរមួយ"
    assert 3 <= len(words) <= 10


def test_rows_added_without_a_line_come_back_after_a_killed_tab(served, visit):
    with served.session() as session:
        reply = tables.scene(session, "km")
        reply.focal.digits = "khmr"
    visitor = visit()
    page = visitor.let_in(served.session_of(reply.focal))
    page.goto(reply.path)
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    visitor.context.set_offline(True)
    page.locator(FIRST).last.locator("textarea").first.fill("Clinic")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    kept(page)
    page = kill(visitor)
    visitor.context.set_offline(False)
    page.goto(reply.path)
    place = page.locator("[data-recovered]")
    expect(place).to_contain_text("Clinic")
    # named by its table, its row and its column; the day as the portal writes one
    expect(place.locator("[data-label]")).to_have_text("វិធានការជាក់ស្តែង · ជួរ ១ · សកម្មភាព")
    assert re.fullmatch(r"[០-៩]{1,2} [ក-៹]+ [០-៩]{4} [០-៩]{2}:[០-៩]{2}", place.locator("[data-at]").inner_text())
    # who reads by ear is led there
    expect(place).to_be_focused()
    with page.expect_navigation():
        page.get_by_role("button", name="ដាក់ត្រឡប់មកវិញ").click()
    expect(page.locator(FIRST).first.locator("textarea").first).to_have_value("Clinic")
    expect(page.locator("[data-recovered]")).to_be_hidden()


def down(visitor, page, path, **answer):
    """Let every save of a page find no line, or this answer; return what ends it."""

    def meet(route):
        if route.request.method != "POST" or route.request.url.endswith("/here"):
            route.fallback()
        elif answer:
            route.fulfill(**answer)
        else:
            route.abort()

    visitor.allow("ERR_FAILED|503")
    page.route(f"**{path}", meet)
    return lambda: page.unroute(f"**{path}")


@pytest.mark.parametrize(
    "answer", [{}, {"status": 503, "json": {"title": "Busy.", "code": "busy"}}], ids=["no line", "busy"]
)
def test_a_line_that_fails_during_recovery_loses_nothing(served, visit, scene, answer):
    visitor, other = visit(), visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|409")
    visitor.context.set_offline(True)
    page.fill(TEXT, "ខ្ញុំ។")
    kept(page)
    page = kill(visitor)
    colleague = other.let_in(served.session_of(scene.colleague))
    colleague.goto(scene.first)
    colleague.fill(TEXT, "គេ។")
    saved(colleague)
    visitor.context.set_offline(False)
    up = down(visitor, page, scene.first, **answer)
    page.goto(scene.first)
    place = page.locator("[data-recovered]")
    expect(place.locator("[data-kept]")).to_have_text("ខ្ញុំ។")
    expect(place.locator("[data-now]")).to_have_text("គេ។")
    place.get_by_role("button", name="Put it back").click()
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    kept(page)
    up()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-conflict-box] [data-theirs]")).to_have_text("គេ។")
    assert stored(served, scene) == {"text@km": "គេ។"}
    page.locator("[data-resolve=mine]").click()
    saved(page)
    assert stored(served, scene) == {"text@km": "ខ្ញុំ។"}


def test_rows_that_are_put_back_without_a_line_wait_for_it(served, visit):
    with served.session() as session:
        reply = tables.scene(session)
    visitor = visit()
    page = visitor.let_in(served.session_of(reply.focal))
    page.goto(reply.path)
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    visitor.context.set_offline(True)
    page.locator(FIRST).last.locator("textarea").first.fill("Clinic")
    kept(page)
    page = kill(visitor)
    visitor.context.set_offline(False)
    up = down(visitor, page, reply.path)
    page.goto(reply.path)
    place = page.locator("[data-recovered]")
    put_back = page.get_by_role("button", name="Put it back")
    put_back.click()
    expect(place.locator("[data-trouble]")).to_contain_text("Nothing is lost")
    page.reload()
    expect(place).to_contain_text("Clinic")
    up()
    with page.expect_navigation():
        put_back.click()
    expect(page.locator(FIRST).first.locator("textarea").first).to_have_value("Clinic")
    expect(place).to_be_hidden()


def test_a_page_goes_on_when_its_writer_comes_back_after_somebody_else(served, visit, scene):
    visitor = visit()
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto(scene.first)
    visitor.allow("401|400")
    visitor.context.clear_cookies()
    page.fill(TEXT, "ក")
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    visitor.let_in(served.session_of(scene.colleague))
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(STATE)).to_have_attribute("data-state", "denied")
    assert stored(served, scene) == {}
    visitor.let_in(served.session_of(scene.focal))
    page.evaluate("dispatchEvent(new Event('focus'))")
    saved(page)
    assert stored(served, scene) == {"text@km": "ក"}
