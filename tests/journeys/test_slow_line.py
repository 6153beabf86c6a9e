"""What a visit costs on a slow line, in bytes as Chromium counts them: heads, compressed bodies, fonts, scripts, all of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import tables
from tests.factories import PASSWORD
from tests.journeys.browsers import PHONE
from tests.journeys.wire import Wire

pytestmark = pytest.mark.browser

FIRST, LATER, SAVE = 150_000, 15_000, 1_500


def test_a_first_visit_and_later_pages_are_light(served, visit):
    with served.session() as session:
        scene = tables.scene(session, language="km")
    page = visit(size=PHONE).page
    wire = Wire(page)

    def cost(most, act):
        act()
        page.wait_for_load_state("networkidle")
        came, told = wire.bytes, wire.told()
        wire.forget()
        assert came < most, f"{came} bytes at {page.url}:\n{told}"
        return came

    def sign_in():
        page.goto("/login")
        page.fill("[name=email]", scene.focal.login)
        page.fill("[name=password]", PASSWORD)
        page.click("main form button[type=submit]")
        page.wait_for_url("**/owed")
        page.wait_for_load_state("networkidle")
        page.click(".owed-row .btn-primary")
        page.wait_for_url("**/pages/tables")

    def save():
        page.locator("[name^='programme[']").fill("ជំនួយផ្លូវច្បាប់")
        expect(page.locator(".save-status")).to_have_attribute("data-state", "saved")

    first = cost(FIRST, sign_in)  # log-in page, what is owed, the first page with its tables
    assert first > 60_000, "fonts and scripts were counted"
    cost(LATER, lambda: page.goto(scene.inner))
    cost(SAVE, save)
    cost(LATER, page.go_back)
    cost(LATER, lambda: page.goto("/owed"))
    cost(LATER, lambda: page.goto(f"/replies/{scene.reply.public_id}/check"))
    cost(LATER, lambda: page.goto(scene.path))
