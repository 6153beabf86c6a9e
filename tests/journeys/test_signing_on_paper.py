"""A stamped signature from a phone: print, photograph the cover, send it; the receipt's code is checked by a stranger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.models import Status
from tests import factories
from tests.journeys.browsers import PHONE
from tests.journeys.steps import Steps
from tests.journeys.test_answering import TEXT, choose, status
from tests.journeys.test_without_script import press

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00038301804a5e"
    "6d3c0000000049454e44ae426082"
)


def test_a_cover_is_sent_from_a_phone_in_three_steps_without_script(served, visit, scene, tmp_path):
    page = visit(size=PHONE, java_script_enabled=False).sign_in(scene.focal)
    page.goto(scene.first)
    choose(page, "Implemented")
    page.fill(TEXT, "ច្បាប់លេខ ៥")
    press(page, "Save")
    page.goto(f"{scene.path}/check")
    press(page, "Complete the reply")
    page.goto("/owed")
    steps = Steps(page)
    with steps.given() as files:  # the paper comes by itself
        steps.press(page.get_by_role("button", name="Print for signature"))
    assert files[0].read_bytes().startswith(b"%PDF-")
    expect(page.locator("h1")).to_contain_text("Pack")
    # the director signs and stamps the cover: one act, on paper, without an account
    page.goto("/owed")
    (tmp_path / "cover.png").write_bytes(PNG)
    steps.press(page.get_by_role("link", name="Send the signed cover"))
    steps.press(
        page.get_by_role("button", name="Hand in 1 reply as signed on paper"),
        cover=tmp_path / "cover.png", letter_number="១២៣", letter_on=f"{factories.today():%d %m %Y}",
    )  # fmt: skip
    expect(page.locator("main")).to_contain_text("Receipt")
    assert status(served, scene) is Status.SUBMITTED
    assert len(steps.taken) == 3, steps.taken
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("link", name=re.compile("^Receipt")).click()
    code = re.search(r"receipts/([0-9A-Z-]+)", page.url)[1]
    stranger = visit(size=PHONE).page
    stranger.goto("/verify")
    stranger.fill("#code", code.lower())
    # a visitor's pages are in the national language
    with stranger.expect_navigation():
        stranger.locator("main form button").press("Enter")
    expect(stranger.locator("main .alert-good")).to_contain_text("នៅមានសុពលភាព")
    expect(stranger.locator("main")).not_to_contain_text("ច្បាប់លេខ ៥")
