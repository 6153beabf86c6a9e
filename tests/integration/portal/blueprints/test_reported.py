"""What the last report said: pasted, or brought as workbook or CSV with a dry run; seen beside the recommendation."""

from __future__ import annotations

import io
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import RecommendationOrigin, ReportedText, Role, StaffRole
from tests import factories

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    of, before = factories.document(session, symbol="T/CO/2"), factories.document(session, symbol="T/CO/1")
    one = factories.recommendation(session, of, paragraph="17", sub_item="a")
    reply = factories.submission(
        session, factories.assignment(session, moj, about=[one], version=factories.questionnaire_version(session))
    )
    made = SimpleNamespace(
        one=one, page=f"/replies/{reply.public_id}/pages/page1",
        earlier=factories.recommendation(session, before, paragraph="9"),
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
    )  # fmt: skip
    session.commit()
    return made


def upload(client, content, name):
    client.get("/recommendations/last-report", expect=200)
    form = {"file": (io.BytesIO(content), name)}
    return client.post("/recommendations/last-report", form, content_type="multipart/form-data", follow=True)


def test_a_pasted_text_stands_in_the_recommendation_box(client_for, scene, session):
    client = client_for(scene.coordinator)
    path = f"/recommendations/{scene.one.public_id}/last-report"
    client.get(path, expect=200)
    client.submit(0, expect=422)
    assert "Name the report" in client.words
    fields = {"source": "T/3", "paragraph": "112", "reported_on": "2021-03-31", "text@en": "A law was drafted."}
    client.submit(0, **fields, expect=200)
    focal = client_for(scene.focal)
    focal.get(scene.page, expect=200)
    assert "What the last report said" in focal.words
    assert "A law was drafted." in focal.words
    assert "T/3, paragraph 112" in focal.words
    # a newer report takes its place, the older one is kept
    client.get(path)
    client.submit(0, source="T/4", reported_on="2025-03-31", **{"text@en": "The law was adopted."}, expect=200)
    focal.get(scene.page)
    assert "A law was drafted." not in focal.words
    assert "The law was adopted." in focal.words
    assert sorted(one.newest for one in session.scalars(select(ReportedText))) == [False, True]


def test_two_who_paste_at_once_keep_both_in_sight(client_for, scene, session):
    client = client_for(scene.coordinator)
    path = f"/recommendations/{scene.one.public_id}/last-report"
    client.get(path)
    client.submit(0, source="T/3", **{"text@en": "First."})
    client.get(path)
    page = client.page
    client.submit(0, **{"text@en": "Second."})
    client.page = page
    client.submit(0, idempotency_key="e" * 32, **{"text@en": "Third."}, expect=409)
    assert session.scalars(select(ReportedText.texts)).one() == {"en": "Second."}


def test_a_csv_file_and_the_template_go_in_after_a_dry_run(client_for, scene, session):
    client = client_for(scene.coordinator)
    text = "Document;Paragraph;Sub-item;Report;Paragraph of the report;Day of the report;What the report said (en)\n"
    text += "T/CO/2;17;a;T/3;112;2021-03-31;A law was drafted.\nT/CO/9;1;;T/3;;;Unknown\nT/CO/2;17;a;T/3;;soon;Bad day\n"
    upload(client, text.encode("utf-8-sig"), "last.csv")
    assert "Nothing has been written yet" in client.words
    assert "no recommendation 1 in “T/CO/9”" in client.words
    assert "“soon” is no day" in client.words
    assert session.scalars(select(ReportedText)).all() == []
    client.submit(0, expect=200)
    stored = session.scalars(select(ReportedText)).one()
    assert (stored.source, stored.paragraph, stored.texts) == ("T/3", "112", {"en": "A law was drafted."})
    # the template brings it out and takes it back changed
    client.get("/recommendations/last-report")
    given = client.post("/recommendations/last-report.xlsx", {}, expect=200)
    today = clock.today("Asia/Phnom_Penh").isoformat()
    assert f"filename=last-report-{today}.xlsx" in given.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(given.data))
    sheet = book["Reported"]
    row = next(cells for cells in sheet.iter_rows(min_row=2) if cells[0].value == "T/CO/2")
    column = next(cell.column for cell in sheet[1] if "What the report said" in str(cell.value) and "en" in str(cell.value))
    assert row[column - 1].value == "A law was drafted."
    row[column - 1].value = "A law was adopted."
    kept = io.BytesIO()
    book.save(kept)
    upload(client, kept.getvalue(), "last-report.xlsx")
    client.submit(0, expect=200)
    assert session.scalars(select(ReportedText.texts)).one() == {"en": "A law was adopted."}


def test_something_else_is_told_in_a_sentence(client_for, scene):
    client = client_for(scene.coordinator)
    upload(client, b"\xff\xfe\x00", "last.csv")
    assert "The CSV file cannot be read" in client.words
    upload(client, b"a,b\n1,2\n", "last.csv")
    assert "has not the columns of this template" in client.words


def test_a_recommendation_says_which_one_it_repeats(client_for, scene, session):
    client = client_for(scene.coordinator)
    path = f"/recommendations/{scene.one.public_id}/last-report"
    client.get(path)
    client.submit(f"/recommendations/{scene.one.public_id}/repeats", repeats="T/CO/1 9", expect=200)
    kept = session.scalars(select(RecommendationOrigin)).one()
    assert (kept.recommendation_id, kept.earlier_id) == (scene.one.id, scene.earlier.id)
    client.submit(f"/recommendations/{scene.one.public_id}/repeats", repeats=["nothing of ours"], expect=422)
    assert "Choose one of the list" in client.words
    client.get(path)
    client.submit(f"/recommendations/{scene.one.public_id}/repeats", repeats=[], expect=200)
    assert session.scalars(select(RecommendationOrigin)).all() == []
