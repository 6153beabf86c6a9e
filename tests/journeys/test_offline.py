"""Excel and Word as front doors in a real browser: download, fill in, send back, see the answers, axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Answer
from tests import tables
from tests.documents import FilledDocument
from tests.journeys.browsers import PHONE
from tests.journeys.steps import Steps
from tests.journeys.test_accessibility import OVERFLOW, TAGS
from tests.offline import Filled

pytestmark = pytest.mark.browser


def test_a_workbook_goes_out_is_filled_in_and_comes_back_on_a_phone(served, visit, tmp_path):
    with served.session() as session:
        scene = tables.scene(session, language="km")
    visitor = visit(size=PHONE)
    visitor.allow("409|422")
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto("/")
    steps = Steps(page)
    with steps.given() as files:
        steps.press("form[action='/owed/workbook'] .btn-secondary")
    filled = Filled(files[0].read_bytes())
    filled.put("people", 12)
    filled.put("women", 12, line=1)
    filled.put("received", "many", line=1)
    filled.put("activity", "វគ្គបណ្ដុះបណ្ដាល", "km", line=1)
    (tmp_path / "filled.xlsx").write_bytes(filled.content())
    steps.by_hand("fill the file in")
    steps.press(".offline-box [name=take]", file=tmp_path / "filled.xlsx")
    # what could be taken is taken, what could not is shown
    expect(page.locator(".offline-refused")).to_have_count(1)
    assert len(steps.taken) == 3, steps.taken
    assert page.evaluate(OVERFLOW) == []
    assert Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"] == []
    with served.session() as session:
        kept = set(session.scalars(select(Answer.value).where(Answer.submission_id == scene.reply.id)))
    assert {12, "វគ្គបណ្ដុះបណ្ដាល"} <= kept


def test_a_document_goes_out_is_filled_in_and_its_answers_stand_on_the_page(served, visit, tmp_path):
    with served.session() as session:
        scene = tables.scene(session)
    visitor = visit()
    visitor.allow("409|422")
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto(scene.path)
    with page.expect_download() as download:
        page.locator(".offline-box button[value=docx]").click()
    filled = FilledDocument(Path(download.value.path()).read_bytes())
    filled.put("people", "12")
    filled.put("received", "many", line=1)
    filled.put("activity", "Training of judges", "en", line=1)
    (tmp_path / "a.docx").write_bytes(filled.content())
    expect(page.locator(".offline-box details")).to_have_attribute("open", "")  # whoever has a file out needs it next
    page.set_input_files("input[type=file]", tmp_path / "a.docx")
    page.locator(".offline-box details .btn-quiet").click()  # look first
    # a place in a document is its heading and its question, never a sheet
    expect(page.locator(".offline-refused .change-place")).to_contain_text("question 2, line 1")
    expect(page.locator("main")).not_to_contain_text("heet “")
    page.locator(".offline-form .button-row button").click()
    page.goto(scene.path)
    expect(page.locator("[name='people']")).to_have_value("12")
    expect(page.get_by_text("Training of judges").first).to_be_visible()
    # a file of their own: one click hands it in
    (tmp_path / "own.pdf").write_bytes(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
    page.locator(".offline-box summary").click()
    page.set_input_files("input[type=file]", tmp_path / "own.pdf")
    page.locator(".offline-box details [name=take]").click()
    assert Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"] == []
    page.locator("form[action^='/owed/offline/documents/'] button").click()
    expect(page.locator("main")).to_contain_text("received, to be entered")
