"""From a complete reply to the consolidated workbook, each person at a browser of their own."""

from __future__ import annotations

import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from portal.models import Status
from tests.factories import PASSWORD
from tests.journeys.places import complete
from tests.journeys.test_answering import TEXT, saved, status

pytestmark = pytest.mark.browser


def press(page, name, **more):
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True, **more).first.click()


def sign(served, page):
    page.goto("/sign")
    page.fill("form#sign [name=password]", PASSWORD)
    press(page, "Sign and hand in")
    expect(page.locator(".pack-row")).to_have_count(0)


def test_signed_returned_mended_cleared_and_in_the_workbook(served, visit, scene, tmp_path):
    with served.session() as session:
        complete(session, scene)
    approver = visit().sign_in(scene.approver)
    sign(served, approver)
    assert status(served, scene) is Status.SUBMITTED

    coordinator = visit().sign_in(scene.coordinator)
    review = f"/review/{scene.reply.public_id}"
    coordinator.goto(review)
    expect(coordinator.locator("main")).to_contain_text("ច្បាប់ថ្មី")
    press(coordinator, "Start the review")
    coordinator.fill("#ask-body", "Which law is it?")
    press(coordinator, "Ask")
    coordinator.goto(review)
    coordinator.check("#unlock-text")
    coordinator.fill("#note", "Please name the law.")
    press(coordinator, "Return the reply")
    assert status(served, scene) is Status.RETURNED

    focal = visit().sign_in(scene.focal)
    focal.goto(f"{scene.path}/check")
    expect(focal.locator("main")).to_contain_text("Which law is it?")
    expect(focal.locator("main")).to_contain_text("Please name the law.")
    focal.goto(scene.first)
    expect(focal.locator(TEXT)).to_be_editable()
    expect(focal.locator("[name=places]")).not_to_be_editable()
    for option in focal.locator("[data-item=standing] input[type=radio]").all():
        expect(option).to_be_disabled()
    focal.fill(TEXT, "ច្បាប់ស្តីពីពន្ធនាគារ")
    saved(focal)
    focal.goto(f"{scene.path}/check")
    press(focal, "Complete the reply")
    assert status(served, scene) is Status.AWAITING_SIGN_OFF
    sign(served, approver)

    coordinator.goto(review)
    expect(coordinator.locator("main")).to_contain_text("ច្បាប់ស្តីពីពន្ធនាគារ")
    press(coordinator, "Clear")
    assert status(served, scene) is Status.CLEARED

    writer = visit().sign_in(scene.writer)
    writer.goto(f"/rounds/{scene.round.slug}/workbooks")
    press(writer, "Make the workbook")
    with writer.expect_download() as got:
        writer.locator("main").get_by_role("link", name=re.compile("^Download")).first.click()
    got.value.save_as(tmp_path / "round.xlsx")
    book = load_workbook(tmp_path / "round.xlsx", read_only=True)
    cells = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "ច្បាប់ស្តីពីពន្ធនាគារ" in cells
    assert 12 in cells
    book.close()
