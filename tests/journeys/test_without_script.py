"""Filling, completing and signing in a browser that runs no script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.models import Status
from tests.factories import PASSWORD
from tests.journeys.browsers import PHONE
from tests.journeys.test_answering import ENGLISH, PDF, STANDING, TEXT, choose, status, stored

pytestmark = pytest.mark.browser


def press(page, name):
    # by the keyboard: under load a pointer's click can miss the sticky bar, which moves while the page still scrolls
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.press("Enter")


def test_a_reply_is_filled_completed_and_signed_without_script(served, visit, scene):
    visitor = visit(size=PHONE, java_script_enabled=False)
    page = visitor.sign_in(scene.focal)
    page.click(".owed-row .btn")
    choose(page, "Partly implemented")
    page.fill(TEXT, "ច្បាប់ថ្មី")
    page.fill("[name=places]", "១២")
    press(page, "Save")
    expect(page.locator(STANDING).get_by_label("Partly implemented")).to_be_checked()
    # what became relevant is there once the page was saved
    page.fill("textarea[name='why@km']", "ថវិកា")
    press(page, "Save and continue")
    expect(page.locator("h1")).to_contain_text("Proof")
    page.set_input_files("[data-upload] input", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": PDF})
    press(page, "Upload")
    expect(page.locator("[data-item=files] .files li")).to_have_count(1)
    press(page, "Check and complete")
    page.wait_for_url(re.compile(f"{scene.path}/check"))
    press(page, "Complete the reply")
    assert status(served, scene) is Status.AWAITING_SIGN_OFF
    assert {"standing": "partly", "text@km": "ច្បាប់ថ្មី", "places": 12, "why@km": "ថវិកា"}.items() <= stored(
        served, scene
    ).items()
    approver = visit(java_script_enabled=False)
    page = approver.sign_in(scene.approver)
    page.goto("/sign")
    page.locator("summary", has_text="Read the reply").click()
    expect(page.locator(".pack-row")).to_contain_text("ច្បាប់ថ្មី")
    approver.allow("422")
    page.fill("form#sign [name=password]", "wrong")
    press(page, "Sign and hand in")
    expect(page.locator("main")).to_contain_text("Nothing was signed")
    page.fill("form#sign [name=password]", PASSWORD)
    press(page, "Sign and hand in")
    assert status(served, scene) is Status.SUBMITTED


@pytest.mark.parametrize("resolve", ["Keep mine", "Take the saved one", "Save the joined text"])
def test_a_conflict_is_settled_without_script(served, visit, scene, resolve):
    mine, theirs = visit(java_script_enabled=False), visit(java_script_enabled=False)
    slow, fast = mine.sign_in(scene.focal), theirs.sign_in(scene.colleague)
    slow.goto(scene.first)
    fast.goto(scene.first)
    fast.fill(TEXT, "របស់គេ")
    press(fast, "Save")
    mine.allow("409")
    slow.locator("[data-item=text] summary", has_text="English").click()
    slow.fill(ENGLISH, "untouched by the conflict")
    slow.fill(TEXT, "របស់ខ្ញុំ")
    press(slow, "Save")
    expect(slow.locator("[data-theirs]")).to_have_text("របស់គេ")
    expect(slow.locator("[data-mine]")).to_have_text("របស់ខ្ញុំ")
    if resolve == "Save the joined text":
        slow.locator("[data-conflict-box] summary").click()
    press(slow, resolve)
    kept = {"Keep mine": "របស់ខ្ញុំ", "Take the saved one": "របស់គេ", "Save the joined text": "របស់គេ\n\nរបស់ខ្ញុំ"}
    answers = stored(served, scene)
    assert answers["text@en"] == "untouched by the conflict"
    assert answers["text@km"].replace("\r\n", "\n") == kept[resolve]
