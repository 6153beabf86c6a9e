"""The register of evidence: one line per file, where it is attached and cited, and never another institution's."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Assignment,
    AssignmentRecommendation,
    Evidence,
    EvidenceKind,
    Institution,
    RecommendationTag,
    Role,
    StaffRole,
    Tag,
    Visibility,
    Vocabulary,
)
from portal.queries.register import cited_in
from tests import factories, scenes

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    assignment = session.get_one(Assignment, made.replies["submitted"].assignment_id)
    made.institution = session.get_one(Institution, assignment.institution_id)
    again = Evidence(
        submission_id=made.replies["submitted"].id, round_id=made.round.id, number=4, kind=EvidenceKind.FILE,
        filename="same.pdf", size=1001, sha256=f"{1:064d}", added_by=made.by, added_at=clock.now(),
    )  # fmt: skip
    session.add(again)
    scenes.answer(
        session, made.replies["submitted"], made.version, "b6", "See [E1], [E3] and [E99].", made.by, lang="en"
    )
    made.focal = factories.person(session, made.institution, Role.FOCAL_POINT)
    made.writer = factories.staff(session, StaffRole.REPORT_WRITER)
    session.commit()
    return made


def test_citations_are_read_in_both_kinds_of_digits():
    assert cited_in("See [E12], [E១៣] and [E12]; not [12] or E12.") == [12, 13]
    assert cited_in(None) == cited_in(["[E1]"]) == []


def test_one_line_for_a_file_that_was_attached_twice(client_for, scene):
    client = client_for(scene.focal)
    client.get("/evidence", expect=200)
    rows = client.page.xpath("//tbody/tr")
    assert len(rows) == 1
    words = " ".join(rows[0].text_content().split())
    assert "E1, E4" in words
    assert "Question b6" in words  # the question as a reader knows it, not its code
    assert "table.xlsx" not in client.text  # the evidence of another institution, which the text cites
    client.get("/evidence?q=nothing-of-the-kind")
    assert not client.page.xpath("//tbody/tr")
    client.get("/evidence")
    link = client.page.xpath("//a[contains(@href, 'register.xlsx')]/@href")[0]
    book = openpyxl.load_workbook(io.BytesIO(client.get(link, expect=200).data))
    assert any(cell.value == "E1, E4" for row in book["Evidence"].iter_rows() for cell in row)


def test_a_citation_leads_to_the_register_and_an_unknown_one_is_told(client_for, scene):
    client = client_for(scene.focal)
    client.get(f"/replies/{scene.replies['submitted'].public_id}/check", expect=200)
    assert client.page.xpath("//a[.='[E1]' and contains(@href, '/evidence?round=periodic-4#e-1')]")
    told = client.page.xpath("//section[contains(@class, 'missing')]")[0].text_content()
    # what stands for nothing leads nowhere: the register would not mention it
    assert not client.page.xpath("//a[.='[E3]' or .='[E99]']")
    assert "See [E1], [E3] and [E99]." in client.words
    assert "[E3]" in told
    assert "[E99]" in told
    assert "[E1]" not in told


def test_the_secretariat_sees_what_was_handed_in_only(client_for, scene, session):
    client = client_for(scene.writer)
    client.get("/rounds/periodic-4/evidence", expect=200)
    assert scenes.DRAFT not in client.text
    assert "table.xlsx" in client.words
    assert len(client.page.xpath("//tbody/tr")) == 2
    given = client.get("/rounds/periodic-4/evidence.xlsx", expect=200)
    today = clock.today("Asia/Phnom_Penh").isoformat()
    assert f"filename=evidence-periodic-4-{today}.xlsx" in given.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(given.data))
    values = [cell.value for row in book["Evidence"].iter_rows() for cell in row]
    assert not any(scenes.DRAFT in str(value) for value in values)
    assert session.scalars(select(Evidence).where(Evidence.filename.contains(scenes.DRAFT))).all()


def test_filters_narrow_the_page_and_its_workbook(client_for, scene, session):
    """Each filter offers what there is; a search finds Khmer words whatever invisible breaks were typed."""
    tag = Tag(vocabulary=Vocabulary.THEME, key="liberty", labels={"en": "Liberty", "km": "សេរីភាព"})
    session.add(tag)
    session.flush()
    asked = scene.replies["submitted"]
    recommendation = session.scalars(
        select(AssignmentRecommendation.recommendation_id).where(
            AssignmentRecommendation.assignment_id == asked.assignment_id
        )
    ).first()
    session.add(RecommendationTag(recommendation_id=recommendation, tag_id=tag.id))
    one = session.scalars(select(Evidence).where(Evidence.number == 4)).one()
    one.visibility, one.scanned_at, one.caption = Visibility.CONFIDENTIAL, clock.now(), "របាយការណ៍តុលាការ"
    session.commit()
    client = client_for(scene.writer)
    path = "/rounds/periodic-4/evidence"

    def count(**chosen):
        client.get(path, query_string=chosen, expect=200)
        return len(client.page.xpath("//tbody/tr"))

    assert count() == 2
    assert count(theme="liberty") == 1
    assert count(visibility="confidential", scan="scanned") == 1
    assert "confidential" in client.words
    assert count(visibility="public") == 0
    assert "No evidence fits" in client.words
    assert count(institution=scene.institution.code) == 1
    assert count(q="របាយការណ៍\u200bតុលាការ") == 1
    assert count(q="e1", recommendation="no-such") == 0
    link = client.page.xpath("//form//a[contains(@href, '/evidence')]/@href")
    assert link, "the way back from a filter that leaves nothing"
    count(theme="liberty")
    book_link = client.page.xpath("//a[contains(@href, 'evidence.xlsx')]/@href")[0]
    book = openpyxl.load_workbook(io.BytesIO(client.get(book_link, expect=200).data))
    files = [row[1].value for row in book["Evidence"].iter_rows() if row[0].value and str(row[0].value).startswith("E")]
    assert len(files) == 1
    assert client_for(scene.focal).get("/evidence?visibility=confidential", expect=200)


def test_one_file_is_one_file(client_for, scene, session):
    reply = scene.replies["submitted"]
    for files, words in ((["a"], "1 file, listed below"), (["a", "b"], "2 files, listed below")):
        scenes.answer(session, reply, scene.version, "proof", files, scene.by)
        session.commit()
        client = client_for(scene.focal)
        client.get(f"/replies/{reply.public_id}/check", expect=200)
        assert words in client.words
