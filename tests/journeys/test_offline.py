"""Excel as a front door in a real browser, on a phone: download, fill in, send back, decide a conflict, axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Answer
from tests import tables
from tests.journeys.browsers import PHONE
from tests.journeys.test_accessibility import OVERFLOW, TAGS
from tests.offline import Filled

pytestmark = pytest.mark.browser


def test_a_workbook_goes_out_is_filled_in_and_comes_back_on_a_phone(served, visit, tmp_path):
    with served.session() as session:
        scene = tables.scene(session, language="km")
    visitor = visit(size=PHONE)
    visitor.allow("409|422")
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto("/owed")
    with page.expect_download() as download:
        page.locator("form[action='/owed/workbook'] .btn-secondary").click()  # one: all that the institution owes
    # two: somebody fills the file in
    filled = Filled(Path(download.value.path()).read_bytes())
    filled.put("people", 12)
    filled.put("received", "many", line=1)
    filled.put("activity", "វគ្គបណ្ដុះបណ្ដាល", "km", line=1)
    (tmp_path / "filled.xlsx").write_bytes(filled.content())
    page.locator(".offline-box summary").click()
    page.set_input_files("input[type=file]", tmp_path / "filled.xlsx")
    page.locator(".offline-box details button").click()  # three: it is sent back, and says what would change
    expect(page.locator(".offline-refused")).to_have_count(1)
    assert page.evaluate(OVERFLOW) == []
    assert Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"] == []
    page.locator(".button-row button").click()
    # what was refused is shown again
    expect(page.locator(".offline-refused")).to_have_count(1)
    with served.session() as session:
        kept = set(session.scalars(select(Answer.value).where(Answer.submission_id == scene.reply.id)))
    assert {12, "វគ្គបណ្ដុះបណ្ដាល"} <= kept
