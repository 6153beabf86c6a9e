"""Tables that come beside their page: there when they are asked, line or no line, and like any other table by then."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Answer
from tests import many_tables
from tests.journeys.test_answering import STATE, saved

pytestmark = pytest.mark.browser


def values(served, scene):
    with served.session() as session:
        found = session.scalars(select(Answer.value).where(Answer.submission_id == scene.reply.id))
        return {one for one in found if isinstance(one, int)}


def test_a_table_that_is_asked_is_there_at_once_and_saves_like_any_other(served, visit):
    with served.session() as session:
        scene = many_tables.scene(session)
    visitor = visit()
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto(scene.path)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-later-table]")).to_have_count(0)
    assert page.locator("table[data-table]:visible").count() == 0
    # the line is down: the table is here already, and what is typed into it waits
    visitor.allow("ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)
    page.check("[name=which][value=t1]")
    page.check("[name=which][value=t8]")
    page.fill("[name='t1_women[y2021]']", "12")
    page.fill("[name='t1_women[y2022]']", "30")
    expect(page.locator("[data-total='t1_women[]']")).to_have_text("42")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    visitor.context.set_offline(False)
    saved(page)
    page.locator("input[name^='t8_men[']").first.fill("5")
    page.locator("button[value^='add:t8']").click()
    page.locator("input[name^='t8_men[']").nth(1).fill("6")
    saved(page)
    assert {12, 30, 5, 6} <= values(served, scene)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[name='t1_women[y2021]']")).to_have_value("12")
    expect(page.locator("[data-table=t8] tbody input[name^='t8_men[']")).to_have_count(2)


def test_tables_that_did_not_arrive_come_with_the_line_and_without_script_by_saving(served, visit):
    with served.session() as session:
        scene = many_tables.scene(session)
    visitor = visit()
    visitor.allow("ERR_FAILED")
    page = visitor.let_in(served.session_of(scene.focal))
    page.route("**/tables/*", lambda route: route.abort())
    page.goto(scene.path)
    page.wait_for_load_state("networkidle")
    page.check("[name=which][value=t2]")
    expect(page.locator("#q-t2-item")).to_contain_text("has not arrived yet")
    saved(page)
    page.unroute("**/tables/*")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.fill("[name='t2_boys[y2025]']", "3")
    saved(page)
    assert 3 in values(served, scene)
    plain = visit(java_script_enabled=False).let_in(served.session_of(scene.focal))
    plain.goto(scene.path)
    plain.check("[name=which][value=t3]")
    with plain.expect_navigation():
        plain.get_by_role("button", name="Save", exact=True).first.press("Enter")
    plain.fill("[name='t3_boys[y2025]']", "4")
    with plain.expect_navigation():
        plain.get_by_role("button", name="Save", exact=True).first.press("Enter")
    assert {3, 4} <= values(served, scene)


def test_two_tabs_of_one_person_that_begin_a_table_write_two_rows(served, visit):
    """The drawn table lies in the cache of the browser: each tab that puts it in has a first row of its own."""
    with served.session() as session:
        scene = many_tables.scene(session)
    visitor = visit()
    first = visitor.let_in(served.session_of(scene.focal))
    second = visitor.context.new_page()
    for page in (first, second):
        page.goto(scene.path)
        page.wait_for_load_state("networkidle")
        page.wait_for_function("!document.querySelector('[data-later-table]')")
    empty = "[data-table=t8] tbody tr[data-row]"
    keys = [page.locator(empty).first.get_attribute("data-row") for page in (first, second)]
    assert keys[0] != keys[1]
    labels = second.locator(f"{empty} [aria-labelledby]").first.get_attribute("aria-labelledby").split()
    assert all(second.evaluate("id => !!document.getElementById(id)", one) for one in labels), "names still find their words"
    # a fixed row and a row of a given number keep their keys
    assert second.locator("[name='t1_women[y2021]']").count() == 1
    first.check("[name=which][value=t8]")
    first.locator("input[name^='t8_men[']").first.fill("5")
    saved(first)
    second.bring_to_front()
    second.check("[name=which][value=t8]")
    second.locator("input[name^='t8_men[']").first.fill("6")
    saved(second)
    assert second.locator(".row-conflict, .conflict:visible").count() == 0
    assert {5, 6} <= values(served, scene)
    first.reload()
    first.wait_for_load_state("networkidle")
    expect(first.locator("[data-table=t8] tbody input[name^='t8_men[']")).to_have_count(2)
