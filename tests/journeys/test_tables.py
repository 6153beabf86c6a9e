"""Tables in a real browser: a block of cells pasted from Excel, two people at once, rows removed, the keyboard, axe."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Answer, AnswerRow, Question
from tests import tables
from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.test_accessibility import OVERFLOW, TAGS

pytestmark = pytest.mark.browser

# what Excel puts on the clipboard: tabs, CRLF, a cell with a line end in quotes, a heading line
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  data.setData("text/html", "<table><tr><td></td></tr></table>");
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
FIRST = "table[data-table=b5] tbody tr.entry-row"


def block(numbers, khmer=""):
    """Return lines as Excel copies them: activity, date, place, women, men, sum (of the sheet), cost."""
    return "".join(
        f"Training {number}{khmer}\t{number % 28 + 1}/3/2026\t{('Kandal', 'តាកែវ', 'KEP')[number % 3]}\t"
        f"{str(number).translate(str.maketrans('0123456789', '០១២៣៤៥៦៧៨៩'))}\t{number * 10}\tignored\t1,2{number:02d}.50\r\n"
        for number in numbers
    )


@pytest.fixture
def reply(served):
    with served.session() as session:
        return tables.scene(session)


@pytest.fixture
def write(served, visit, reply):
    """Open the table as a person: ``page = write(reply.focal)``."""

    def write(person, size=WIDE, **more):
        visitor = visit(size=size, **more)
        visitor.allow("409|422")
        visitor.let_in(served.session_of(person)).goto(reply.path)
        return visitor.page

    return write


def safe(page):
    expect(page.locator(".save-status")).to_have_attribute("data-state", "saved")


def stored(served, reply, code):
    """Return the values of a column in the order of the rows."""
    with served.session() as session:
        found = session.execute(
            select(Answer.value, AnswerRow.position, AnswerRow.key)
            .join(Question, Question.id == Answer.question_id)
            .join(AnswerRow, (AnswerRow.submission_id == Answer.submission_id) & (AnswerRow.key == Answer.row))
            .where(Answer.submission_id == reply.reply.id, Question.code == code, AnswerRow.removed.is_(False))
            .order_by(AnswerRow.position, AnswerRow.key)
        )
        return [value for value, _place, _key in found]


def paste(page, text):
    page.locator(FIRST).last.locator("textarea").first.focus()
    page.evaluate(PASTE, text)


def test_thirty_rows_by_two_people_at_once_pasted_from_excel(served, write, reply):
    one, other = write(reply.focal), write(reply.colleague)
    paste(one, block(range(1, 16)))
    paste(other, block(range(16, 31), " b"))
    safe(one)
    safe(other)
    expect(one.locator("[data-row-words]").first).to_have_text("15 rows were pasted.")
    assert sorted(stored(served, reply, "women")) == list(range(1, 31))
    assert sorted(stored(served, reply, "reached")) == [11 * number for number in range(1, 31)]
    assert set(stored(served, reply, "place")) == {"kandal", "takeo", "kep"}
    assert "2026-03-02" in stored(served, reply, "held")
    assert "1201.5" in stored(served, reply, "cost")
    one.reload()
    expect(one.locator(FIRST)).to_have_count(30)
    expect(one.locator("[data-total='women[]']")).to_have_text("465")


def test_a_pasted_heading_is_left_out_and_a_cell_with_lines_stays_one(served, write, reply):
    page = write(reply.focal)
    paste(page, 'Activity\tDate\r\n"First line\nsecond ""line"""\t3/2/2026\r\n')
    safe(page)
    assert stored(served, reply, "activity") == ['First line\nsecond "line"']


def test_what_cannot_be_read_stays_as_typed_with_its_sentence(write, reply):
    page = write(reply.focal)
    paste(page, "Clinic\tsoon\tNowhere\tmany\r\n")
    row = page.locator(FIRST).first
    expect(row.locator("[name^='held[']")).to_have_value("soon")
    expect(row.locator(".field-error:not([hidden])")).to_have_count(3)
    page.reload()
    row = page.locator(FIRST).first
    expect(row.locator("input[name^='women[']")).to_have_value("many")
    expect(row.locator("select[name^='place['] option:checked")).to_have_text("Nowhere")
    expect(row.locator(".field-error:not([hidden])")).to_have_count(3)


def test_text_of_several_lines_from_elsewhere_stays_in_its_cell(served, write, reply):
    page = write(reply.focal)
    page.locator(FIRST).first.locator("textarea").first.focus()
    page.evaluate(PASTE.replace('data.setData("text/html", "<table><tr><td></td></tr></table>");', ""), "one\ntwo")
    expect(page.locator(FIRST)).to_have_count(1)


def test_the_keyboard_goes_down_the_column_and_adds_a_row(served, write, reply):
    page = write(reply.focal)
    page.locator(FIRST).first.locator("input[name^='women[']").focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.keyboard.type("6")
    page.keyboard.press("Control+ArrowUp")
    assert page.evaluate("document.activeElement.value") == "5"
    page.keyboard.press("Control+ArrowDown")
    assert page.evaluate("document.activeElement.value") == "6"
    page.keyboard.press("Tab")
    safe(page)
    assert stored(served, reply, "women") == [5, 6]


def test_each_cell_goes_by_itself_in_less_than_a_kilobyte(write, reply):
    page = write(reply.focal)
    paste(page, block(range(1, 6)))
    safe(page)
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.locator(FIRST).nth(2).locator("input[name^='women[']").fill("77")
    assert len(sent.value.post_data) < 1000
    assert sent.value.post_data.count("base%3A") == 1
    safe(page)


def test_rows_are_moved_removed_and_put_back_and_back_is_no_conflict(served, write, reply):
    page = write(reply.focal)
    paste(page, block(range(1, 4)))
    safe(page)
    page.locator(FIRST).nth(0).locator(".row-menu summary").click()
    page.locator(FIRST).nth(0).get_by_role("button", name="Move down").click()
    safe(page)
    assert stored(served, reply, "women") == [2, 1, 3]
    page.locator(FIRST).nth(1).locator(".row-menu summary").click()
    page.locator(FIRST).nth(1).get_by_role("button", name="Remove this row").click()
    safe(page)
    expect(page.locator("[data-total='women[]']")).to_have_text("5")
    assert stored(served, reply, "women") == [2, 3]
    page.get_by_role("button", name="Put back").first.click()
    safe(page)
    assert stored(served, reply, "women") == [2, 1, 3]
    page.goto(reply.inner)
    page.go_back()
    page.locator("[name='people']").fill("66")
    safe(page)
    assert page.locator(".conflict:visible").count() == 0


def test_the_cards_of_a_long_table_fold_on_a_phone_and_open_for_whoever_needs_them(write, reply):
    page = write(reply.focal, size=PHONE)
    paste(page, block(range(1, 8)) + "Clinic\tsoon\r\n")
    expect(page.locator(".save-status")).to_have_attribute("data-state", "error")
    page.reload()
    folded = page.locator(f"{FIRST}.is-folded")
    expect(folded).to_have_count(7)  # the one with a mistake stays open
    expect(page.locator(".row-fold").nth(1)).to_contain_text("Training 2 · 03/03/2026")
    expect(page.get_by_role("button", name=re.compile("Row 2 Training 2", re.IGNORECASE))).to_have_attribute("aria-expanded", "false")
    assert page.locator(FIRST).nth(1).bounding_box()["height"] < 64
    page.locator(".row-fold").nth(1).press("Enter")
    expect(page.locator(FIRST).nth(1).locator("[name^='women[']").first).to_be_visible()
    page.keyboard.press("Tab")
    page.locator(FIRST).nth(1).locator("input[name^='women[']").press("Enter")  # the next row opens for who goes there
    expect(folded).to_have_count(5)
    assert page.evaluate("document.activeElement.name").startswith("women[")


def test_writing_in_a_row_that_a_colleague_removed_shows_both(served, write, reply):
    mine = write(reply.focal)
    paste(mine, block([1]))
    safe(mine)
    theirs = write(reply.colleague)
    theirs.locator(FIRST).first.locator(".row-menu summary").click()
    theirs.get_by_role("button", name="Remove this row").click()
    safe(theirs)
    mine.locator(FIRST).first.locator("[name^='men[']").fill("99")
    box = mine.locator("[data-row-conflict]")
    expect(box).to_contain_text(f"{reply.colleague.names['en']} removed this row while you wrote in it.")
    expect(box).to_contain_text("99")
    expect(mine.locator(".save-status")).to_have_attribute("data-state", "conflict")
    mine.set_viewport_size(PHONE)
    assert box.locator("[data-at]").bounding_box()["height"] < 60, "the day stands on two lines at most"
    mine.set_viewport_size(WIDE)
    box.get_by_role("button", name="Put the row back with my text").click()
    safe(mine)
    assert stored(served, reply, "men") == [99]


def test_removing_a_row_in_which_a_colleague_wrote_shows_both(served, write, reply):
    mine = write(reply.focal)
    paste(mine, block([1]))
    safe(mine)
    theirs = write(reply.colleague)
    theirs.locator(FIRST).first.locator("[name^='men[']").fill("99")
    safe(theirs)
    mine.locator(FIRST).first.locator(".row-menu summary").click()
    mine.get_by_role("button", name="Remove this row").click()
    box = mine.locator("[data-row-conflict]")
    expect(box).to_contain_text(f"{reply.colleague.names['en']} wrote in this row while you removed it.")
    expect(box).to_contain_text("99")
    expect(mine.locator(FIRST).first.locator("[name^='men[']")).to_have_value("99")
    box.get_by_role("button", name="Remove it all the same").click()
    safe(mine)
    assert stored(served, reply, "men") == []


def test_rows_within_rows_are_added_and_summed(served, write, reply):
    page = write(reply.focal)
    page.goto(reply.inner)
    page.locator("[data-table=b3] textarea").first.fill("Legal aid")
    page.locator("[name^='spent[']").first.fill("12.5")
    page.get_by_role("button", name="Add a row here").first.click()
    page.locator("[name^='spent[']").nth(1).fill("2.5")
    safe(page)
    expect(page.locator("[data-total^='spent[']").first).to_have_text("15")
    page.get_by_role("button", name=re.compile("Add a row.*Programmes")).click()
    page.locator("[data-table=b3] textarea").nth(1).fill("Clinics")
    page.get_by_role("button", name="Add a row here").nth(1).click()
    page.locator("[name^='spent[']").nth(2).fill("4")
    safe(page)
    with served.session() as session:
        rows = session.scalars(select(AnswerRow).where(AnswerRow.submission_id == reply.reply.id)).all()
    assert sorted((row.repeat, bool(row.parent_key)) for row in rows) == [("b3", False)] * 2 + [("b3y", True)] * 3


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_axe_finds_nothing_and_nothing_runs_out_of_the_screen(served, visit, size, language):
    with served.session() as session:
        reply = tables.scene(session, language=language)
    visitor = visit(size=size)
    visitor.allow("409|422")
    page = visitor.let_in(served.session_of(reply.focal))
    page.goto(reply.path)
    paste(page, block(range(1, 3)) + "Clinic\tsoon\tNowhere\t5\tmany\r\n")
    expect(page.locator(".save-status")).to_have_attribute("data-state", re.compile("error|saved"))
    page.locator(FIRST).first.locator(".row-menu summary").click()
    shots = os.environ.get("PORTAL_TEST_SHOTS")
    for name, path in (("table", None), ("inner", reply.inner), ("check", f"/replies/{reply.reply.public_id}/check")):
        if path:
            page.goto(path)
        # the bar that sticks to the lower edge lies over another field at each place of the scroll: a window without one
        page.set_viewport_size({"width": size["width"], "height": 9000})
        found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
        assert not found, [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in found]
        page.set_viewport_size(size)
        assert not page.evaluate(OVERFLOW)
        if shots:
            wide = "phone" if size is PHONE else "wide"
            page.screenshot(path=Path(shots) / f"tables-{name}-{language}-{wide}.png", full_page=True)


def test_without_script_a_table_is_filled(served, write, reply):
    page = write(reply.focal, java_script_enabled=False)
    said = page.locator("select.cell-state[name^='women[']").first
    small = said.bounding_box()["width"]
    said.select_option("not_available")
    assert said.bounding_box()["width"] > 2 * small, "nobody sees what was said"
    said.select_option("answered")
    page.locator("input[name^='women[']").first.fill("5")
    with page.expect_navigation():  # the page goes to the new row once it is there, and a click before that may miss
        page.get_by_role("button", name=re.compile("Add a row.*Practical measures")).click()
    expect(page.locator(FIRST)).to_have_count(2)
    assert re.search(r"#q-b5-row-\w{16}$", page.url)
    page.locator("input[name^='women[']").nth(1).fill("6")
    with page.expect_navigation():  # by key: the page may still be on its way to the new row, under the pointer
        page.get_by_role("button", name="Save", exact=True).press("Enter")
    assert stored(served, reply, "women") == [5, 6]
