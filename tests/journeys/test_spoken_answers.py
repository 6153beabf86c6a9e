"""Answers spoken in labels, hints and notes, in a real browser: renewed while they are written, as text, in silence."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import VersionItem
from tests import cascades, factories
from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.test_answering import saved

pytestmark = pytest.mark.browser
MARKUP = "<img src=x onerror=alert(1)> & $& <b>Me</b>"


@pytest.fixture
def places(served):
    with served.session() as session:
        return cascades.scene(session)


def test_labels_hints_and_notes_follow_while_typing(served, visit, places):
    page = visit(size=WIDE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.wait_for_load_state("networkidle")
    said, note = page.locator("[data-item=said]"), page.locator("[data-item=thanks]")
    expect(said.locator(".question-text")).to_contain_text("What did … say in …?")
    page.route(f"**{places.path}", lambda route: None)  # the server is out of reach
    page.locator("[name=visitor]").press_sequentially("Dara")
    expect(said.locator(".question-text")).to_contain_text("What did Dara say in …?")
    expect(said.locator(".question-required")).to_be_visible()  # what stands beside the wording stays
    expect(said.locator(".field-hint").first).to_have_text("Ask Dara.")
    expect(note).to_contain_text("Thanks, Dara. More")
    expect(note.locator("strong")).to_have_text("Thanks")
    expect(note.locator("a")).to_have_attribute("href", "https://guide.example/")
    page.get_by_label("Takeo", exact=True).first.check()
    expect(said.locator(".question-text")).to_contain_text("What did Dara say in Takeo?")
    # names that only a screen reader hears follow too
    expect(page.locator("[name=wishes]").first).to_have_attribute("aria-label", "Wishes of Dara, 1")
    page.locator("[name=visitor]").fill(MARKUP)
    expect(note).to_contain_text(f"Thanks, {MARKUP}. More")
    expect(page.locator("[name=wishes]").first).to_have_attribute("aria-label", f"Wishes of {MARKUP}, 1")
    assert page.locator("main img, main b").count() == 0
    # nothing of it is announced while somebody writes
    assert page.locator("[data-wording], [data-says]").evaluate_all(
        "all => all.every((one) => !one.closest('[aria-live], [role=status], [role=alert]'))"
    )
    page.locator("[name=visitor]").fill("")
    expect(note).to_contain_text("Thanks, ….")
    page.unroute_all(behavior="ignoreErrors")


def test_labels_of_choices_follow_while_typing(served, visit):
    with served.session() as session:
        made = cascades.version(session)
        page = session.scalars(
            select(VersionItem).where(VersionItem.version_id == made.id, VersionItem.code == "places")
        ).one()
        desks = [
            {"key": f"desk{n}", "texts": {"en": f"Desk {n} of ${{visitor}}"}, "extra": {"province": province}}
            for n, province in ((1, "kep"), (2, "takeo"))
        ]
        asked = {"parent": page, "choices": desks}
        factories.question(session, made, "desk", "select_one", **asked)
        factories.question(session, made, "folded", "select_one", settings={"appearance": "minimal"}, **asked)
        factories.question(session, made, "fits", "select_one", choice_filter="province = ${province}", **asked)
        factories.question(session, made, "after", "text", parent=page, texts={"label": {"en": "Why ${desk}?"}})
        places = cascades.scene(session, made=made)
    page = visit(size=WIDE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.wait_for_load_state("networkidle")
    page.route(f"**{places.path}", lambda route: None)  # the server is out of reach
    page.locator("[name=visitor]").press_sequentially("Dara")
    expect(page.locator("[data-item=desk] .option [data-wording]")).to_have_text(["Desk 1 of Dara", "Desk 2 of Dara"])
    assert page.locator("[name=folded] option").all_inner_texts()[1:] == ["Desk 1 of Dara", "Desk 2 of Dara"]
    page.get_by_label("Desk 2 of Dara", exact=True).first.check()
    expect(page.locator("[data-item=after] .question-text")).to_contain_text("Why Desk 2 of Dara?")
    # a choice that comes on offer later says it at once, and follows from then on
    page.get_by_label("Takeo", exact=True).first.check()
    fits = page.locator("[data-item=fits] label.option:visible [data-wording]")
    expect(fits).to_have_text(["Desk 2 of Dara"])
    page.locator("[name=visitor]").fill(MARKUP)
    expect(fits).to_have_text([f"Desk 2 of {MARKUP}"])
    assert page.locator("main img, main b").count() == 0
    page.unroute_all(behavior="ignoreErrors")


def test_a_reload_says_the_same_as_the_script(served, visit, places):
    page = visit(size=WIDE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.locator("[name=visitor]").fill(MARKUP)
    page.get_by_label("Kep", exact=True).first.check()
    saved(page)
    before = page.locator("[data-wording], [data-says]").all_inner_texts()
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-wording], [data-says]").all_inner_texts() == before


def test_each_row_of_a_table_speaks_of_its_own_answers(served, visit, places):
    page = visit(size=PHONE).let_in(served.session_of(places.focal))
    page.goto(places.path)
    page.locator("button[value='add:visits[]']").click()
    rows = page.locator("[data-table=visits] tbody tr[data-row]")
    rows.nth(0).locator("select[name^='place[']").select_option("kandal")
    rows.nth(1).locator("select[name^='place[']").select_option("takeo")
    # on a phone a cell shows the wording of its column as seen from its row
    expect(rows.nth(0).locator("td[data-item=part]")).to_have_attribute("data-label", "Part of Kandal")
    expect(rows.nth(1).locator("td[data-item=part]")).to_have_attribute("data-label", "Part of Takeo")
    expect(page.locator("[data-table=visits] thead th[data-item=part]")).to_have_text("Part of …")
    saved(page)
    page.reload()
    expect(rows.nth(1).locator("td[data-item=part]")).to_have_attribute("data-label", "Part of Takeo")
