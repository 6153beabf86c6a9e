"""The error summary of a page without script says which answer each sentence is about, and leads to it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.models import ItemKind, Role, VersionItem
from tests import factories


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    label = {"en": "Courts opened since ${beds}", "km": "តុលាការដែលបានបើកតាំងពី ${beds}"}
    factories.question(session, version, "courts", "integer", parent=page, texts={"label": label})
    reply = factories.submission(session, factories.assignment(session, place, version=version))
    made = SimpleNamespace(
        page=f"/replies/{reply.public_id}/pages/page1",
        en=factories.person(session, place, Role.FOCAL_POINT, language="en"),
        km=factories.person(session, place, Role.CONTRIBUTOR, language="km"),
    )
    session.commit()
    return made


def lines(client):
    """Each line of the summary with what it leads to."""
    found = client.page.xpath("//*[contains(@class, 'error-summary')]//li/a")
    for one in found:
        assert client.page.xpath("//*[@id=$it]", it=one.get("href").removeprefix("#")), "it leads to a field"
    return [(one.get("href"), " ".join(one.text_content().split())) for one in found]


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ["Question beds: This is not a number.", "Courts opened since …: This is not a number."]),
        ("km", ["សំណួរ beds៖ នេះមិនមែនជាលេខទេ", "តុលាការដែលបានបើកតាំងពី …៖ នេះមិនមែនជាលេខទេ"]),
    ],
)
def test_two_broken_numbers_are_told_apart(client_for, scene, language, wanted):
    client = client_for(getattr(scene, language))
    client.get(scene.page, expect=200)
    client.submit(beds="many", courts="few", action="save")
    assert client.response.status_code == 422
    told = lines(client)
    assert [where for where, _sentence in told] == ["#q-beds", "#q-courts"]
    for (_where, sentence), begins in zip(told, wanted, strict=True):
        assert sentence.startswith(begins)


def test_an_overtaken_text_is_named_with_its_language(client_for, scene):
    first, second = client_for(scene.km), client_for(scene.en)
    second.get(scene.page, expect=200)
    first.post(scene.page, {"measures@km": "ក", "base:measures@km": "0", "action": "save"}, expect=303)
    second.submit(**{"measures@km": "ខ", "action": "save"})
    assert second.response.status_code == 409
    sentence = "Question measures (ខ្មែរ): Somebody else changed this answer; both texts are shown."
    assert lines(second) == [("#q-measures", sentence)]
