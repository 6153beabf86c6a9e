"""A version tried out in a browser: rules apply while typing, the server has the last word, nothing is sent elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_rules_apply_while_typing_and_the_answers_travel(served, visit, make_scene):
    scene = make_scene(language="en")
    visitor = visit()
    page = visitor.page
    visitor.let_in(served.session_of(scene.coordinator))
    page.goto(f"/questionnaires/{scene.version.public_id}/test-drive?language=en")
    why = page.locator("[data-item=why]")
    expect(why).to_be_hidden()
    with page.expect_response(lambda answer: "/rules/" in answer.url) as rules:
        page.reload()
    assert rules.value.ok
    page.locator("input[name=standing][value=partly]").check()
    expect(why).to_be_visible()
    with page.expect_navigation():
        page.locator(".sticky-bar button[value=next]").click()
    with page.expect_navigation():
        page.locator(".sticky-bar button[value=previous]").click()
    expect(page.locator("input[name=standing][value=partly]")).to_be_checked()
    expect(page.locator("[data-item=why]")).to_be_visible()
    page.locator("input[name=standing][value=done]").check()
    expect(page.locator("[data-item=why]")).to_be_hidden()


def test_the_proof_sheet_prints_its_head_on_every_page(served, visit, make_scene, tmp_path):
    scene = make_scene(language="en")
    visitor = visit()
    page = visitor.page
    visitor.let_in(served.session_of(scene.coordinator))
    page.goto(f"/questionnaires/{scene.version.public_id}/proof")
    content = page.pdf(path=tmp_path / "proof.pdf", prefer_css_page_size=True)
    assert content.startswith(b"%PDF")
