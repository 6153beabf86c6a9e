"""Questions handed to somebody without an account: by link and code, on a phone, until they are taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from forms.answers import Parsed
from portal.models import Answer, Delegation
from tests.journeys.browsers import PHONE
from tests.journeys.sharing import with_rows

pytestmark = pytest.mark.browser

STATE = ".save-status"


def test_a_person_without_account_answers_on_a_phone_and_is_told_when_it_ends(served, visit, make_scene):
    scene = make_scene()
    chief = visit().let_in(served.session_of(scene.focal))
    chief.goto(f"{scene.path}/share")
    chief.check("#box-places")
    chief.fill("#name", "Kampot department")
    chief.fill("#until", "2099-01-01")
    chief.get_by_role("button", name="Make link and code").click()
    link, code = chief.inner_text("#share-link"), chief.inner_text("#share-code")
    apart, together = (chief.input_value(f"#text-km{kind}") for kind in ("", "-code"))
    assert link in apart
    assert code not in apart  # whoever reads the chat has half of what opens the questions
    assert link in together
    assert code in together
    guest = visit(size=PHONE)
    page = guest.page
    page.goto("/shared/" + link.rpartition("/shared/")[2])
    page.fill("[name=code]", code.lower())
    # loaded to the end: what is typed before the page's script has begun is not saved by itself
    with page.expect_navigation():
        page.click("main button[type=submit]")
    page.fill("[name=places]", "12")
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")
    assert page.locator("[name=standing], textarea[name^=text]").count() == 0
    with served.session() as session:
        one = session.scalars(select(Delegation).where(Delegation.submission_id == scene.reply.id)).one()
        stored = session.scalars(select(Answer.value).where(Answer.submission_id == scene.reply.id)).all()
    assert stored == [12]
    # the browser forgot: the page stays as it is, another tab lets it in again, and it sends what it kept
    guest.context.clear_cookies()
    guest.allow("40[01]")
    page.fill("[name=places]", "15")
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    with guest.context.expect_page() as opened:
        page.click("a[data-signin]")
    beside = opened.value
    beside.fill("[name=link]", link)
    beside.click("main button[type=submit]")
    beside.fill("[name=code]", code)
    beside.click("main button[type=submit]")
    beside.wait_for_url("**/pages/**")
    beside.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")
    with served.session() as session:
        assert session.scalars(select(Answer.value).where(Answer.submission_id == scene.reply.id)).all() == [15]
    chief.goto(f"{scene.path}/share")
    chief.locator(f"#share-{one.public_id} summary").last.click()
    chief.get_by_role("button", name="Take back").click()
    guest.allow("409")
    page.fill("[name=places]", "99")
    expect(page.locator(STATE)).to_have_attribute("data-state", "denied")
    assert page.input_value("[name=places]") == "99"


def test_a_long_list_of_units_is_ticked_or_cleared_at_once(served, visit, make_scene):
    scene = make_scene()
    chief = visit().let_in(served.session_of(scene.focal))
    chief.goto(f"{scene.path}/collect")
    chief.check("#box-places")
    chief.fill("#units", "\n".join(f"Department {number}" for number in range(6)))
    chief.get_by_role("button", name="Make links and codes").click()
    chief.goto(f"{scene.path}/collect")
    ticked = chief.locator("#list-of-units :checked")
    expect(ticked).to_have_count(6)
    chief.get_by_role("button", name="Tick none").click()
    expect(ticked).to_have_count(0)
    chief.get_by_role("button", name="Tick all").click()
    expect(ticked).to_have_count(6)
    assert not chief.is_checked("#box-places"), "another list is left alone"
    plain = visit(java_script_enabled=False).let_in(served.session_of(scene.focal))
    plain.goto(f"{scene.path}/collect")
    expect(plain.locator("#list-of-units :checked")).to_have_count(6)
    expect(plain.locator("[data-ticks]")).to_be_hidden()


def test_what_carries_a_warning_is_not_ticked_with_all_the_others(served, visit, make_scene):
    scene = make_scene()
    with served.session() as session:
        with_rows(session, scene, [*(Parsed(value=number) for number in range(5)), Parsed(typed="many")])
    chief = visit().let_in(served.session_of(scene.focal))
    chief.goto(f"{scene.collection}/take")
    rows = chief.locator("#take-rows li")
    doubtful = rows.filter(has_text="many").locator("[name=take]")
    expect(rows).to_have_count(6)
    expect(chief.locator(".tick-all")).to_contain_text("one by one")
    chief.get_by_role("button", name="Tick none").click()
    expect(rows.locator(":checked")).to_have_count(0)
    chief.get_by_role("button", name="Tick all").click()
    expect(rows.locator(":checked")).to_have_count(5)
    expect(doubtful).not_to_be_checked()
    doubtful.check()
    chief.get_by_role("button", name="Tick all").click()
    expect(doubtful, "what was chosen by hand stays chosen").to_be_checked()
    chief.get_by_role("button", name="Tick none").click()
    expect(rows.locator(":checked")).to_have_count(0)
