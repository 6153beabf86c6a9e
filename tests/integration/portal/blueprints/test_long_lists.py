"""Long lists lead to a person's line: pages, a search and contents, all of it without script."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import Recommendation, StaffRole
from tests import factories


@pytest.fixture
def document(session):
    """A document with more recommendations than one page of a list holds."""
    made = factories.document(session)
    for number in range(1, 31):
        factories.recommendation(
            session, made, paragraph=str(number), heading={"en": f"Matter {number:02}", "km": f"បញ្ហា {number:02}"}
        )
    session.commit()
    return made


@pytest.fixture
def coordinator(client_for, session):
    person = factories.staff(session, StaffRole.COORDINATOR)
    person.language = "en"
    session.commit()
    return client_for(person)


def shown(client) -> int:
    return len(client.page.xpath("//main//*[starts-with(normalize-space(text()), 'Matter ')]"))


def test_states_of_implementation_come_in_pages_and_are_found_by_a_word(coordinator, document):
    coordinator.get("/implementation")
    assert shown(coordinator) == 25
    coordinator.get(str(coordinator.page.xpath("//a[@rel='next']/@href")[0]))
    assert shown(coordinator) == 5
    coordinator.get("/implementation?q=matter 07")
    assert shown(coordinator) == 1
    coordinator.get("/implementation?q=matter&state=none&page=99")
    assert shown(coordinator) == 5
    assert "q=matter" in coordinator.page.xpath("//a[@rel='prev']/@href")[0]
    coordinator.get("/implementation?state=not_started")
    assert "Nothing fits these filters" in coordinator.page.text_content()


def test_a_page_of_the_words_says_which_one_it_is(coordinator):
    coordinator.get("/wording/?page=2")
    assert coordinator.page.xpath("//nav[@class='pagination-row']/p")[0].text_content().startswith("Page 2 of ")


def test_a_document_is_folded_under_its_headings(coordinator, document):
    coordinator.get(f"/recommendations/documents/{document.public_id}")
    folds = coordinator.page.xpath("//main//details[summary/h2]")
    assert len(folds) == 30
    assert not [one for one in folds if one.get("open") is not None]
    assert all(one.xpath(".//ul[@class='rec-list']/li") for one in folds), "each holds what stands under its heading"


def test_recommendations_of_a_round_are_found_by_a_word(coordinator, document, session):
    of = factories.reporting_round(session, document, slug="r")
    version = factories.questionnaire_version(session)
    at = factories.institution(session)
    for one in document_rows(session, document):
        factories.submission(session, factories.assignment(session, at, of, about=[one], version=version))
    session.commit()
    coordinator.get("/rounds/r/recommendations")
    assert shown(coordinator) == 25
    coordinator.get("/rounds/r/recommendations?q=matter 30&show=missing")
    assert shown(coordinator) == 1
    assert coordinator.page.xpath("//form[@role='search']//input[@type='hidden'][@name='show']/@value") == ["missing"]


def document_rows(session, document):
    return session.scalars(select(Recommendation).where(Recommendation.document_id == document.id)).all()


@pytest.mark.parametrize("language", ["en", "km"])
def test_the_gallery_shows_the_parts_of_answering(client, language):
    client.get("/login")
    client.post("/language", {"language": language})
    client.get("/components/parts")
    for part in ("recovered", "upload", "boxes", "rec-item", "read-page", "colleagues", "filter-bar", "has-error"):
        assert client.page.xpath(f"//*[contains(@class, '{part}')]"), part
    assert not client.page.xpath("//*[@data-recovered][@hidden] | //*[@data-waiting][@hidden]")
