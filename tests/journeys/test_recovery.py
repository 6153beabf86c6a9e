"""Nothing typed is lost: line down, tab killed, session ended, server away, two tabs, Back; and the page says which it is."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import Error, expect

from tests.journeys.test_answering import STATE, TEXT, saved, stored

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
    page.goto(scene.first)
    place = page.locator("[data-recovered]")
    expect(place).to_contain_text("អត្ថបទដែលមិនត្រូវបាត់")
    assert stored(served, scene) == {}
    place.get_by_role("button", name="Put it back").click()
    saved(page)
    expect(place).to_be_hidden()
    assert stored(served, scene) == {"text@km": "អត្ថបទដែលមិនត្រូវបាត់"}
    page.wait_for_function(f"async () => (await ({ON_DISK})()).length === 0")
    page.reload()
    expect(place).to_be_hidden()
