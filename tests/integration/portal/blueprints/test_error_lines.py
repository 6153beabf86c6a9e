"""The error summary of a page without script says which answer each sentence is about, and leads to it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.models import ItemKind, Role, VersionItem
from tests import factories, tables


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


@pytest.mark.parametrize(
    ("language", "named", "unnamed", "in_a_language"),
    [
        (
            "en",
            "Practical measures, row 1 (Training of judges): Women reached: This is not a number.",
            "Practical measures, row 2: Women reached: This is not a number.",
            "Practical measures, row 2 (ខ): Activity (ខ្មែរ): Somebody else",
        ),
        (
            "km",
            "វិធានការជាក់ស្តែង ជួរទី ១ (Training of judges)៖ ចំនួនស្ត្រី៖ នេះមិនមែនជាលេខទេ",
            "វិធានការជាក់ស្តែង ជួរទី ២៖ ចំនួនស្ត្រី៖ នេះមិនមែនជាលេខទេ",
            "វិធានការជាក់ស្តែង ជួរទី ២ (ខ)៖ សកម្មភាព (ខ្មែរ)៖ មានអ្នកផ្សេង",
        ),
    ],
)
def test_a_cell_is_named_by_its_row(client_for, session, language, named, unnamed, in_a_language):
    scene = tables.scene(session, language)
    scene.focal.digits = {"km": "khmr"}.get(language, "latn")
    session.commit()
    client, one, two = client_for(scene.focal), tables.key(1), tables.key(2)
    rows = {f"row:b5[{one}]": "1", f"row-base:b5[{one}]": "0", f"row:b5[{two}]": "2", f"row-base:b5[{two}]": "0"}
    words = {f"activity[{one}]@en": "Training of judges", f"base:activity[{one}]@en": "0"}
    numbers = {f"women[{key}]": "many" for key in (one, two)} | {f"base:women[{key}]": "0" for key in (one, two)}
    client.post(scene.path, rows | words | numbers | {"action": "next"}, expect=422)
    assert [where for where, _sentence in lines(client)] == [f"#q-b5-{key}-women" for key in (one, two)]
    for (_where, sentence), wanted in zip(lines(client), (named, unnamed), strict=True):
        assert sentence.startswith(wanted)
    mine = {f"activity[{two}]@km": "ក", f"base:activity[{two}]@km": "0"}
    client_for(scene.colleague).post(scene.path, mine, expect=303)
    client.post(scene.path, mine | {f"activity[{two}]@km": "ខ", "action": "next"}, expect=409)
    assert lines(client)[0][1].startswith(in_a_language)
    # the tables of a number of rows each count within the row around them
    outer, first, second = tables.key(3), tables.key(4), tables.key(5)
    inner = {f"row:b3[{outer}]": "1", f"row-base:b3[{outer}]": "0", f"programme[{outer}]": "P", f"base:programme[{outer}]": "0"}
    for place, key in enumerate((first, second), start=1):
        inner |= {f"row:b3y[{key}]": str(place), f"row-base:b3y[{key}]": "0", f"row-parent:b3y[{key}]": outer}
        inner |= {f"spent[{key}]": "12" if key == first else "much", f"base:spent[{key}]": "0"}
    client.post(scene.inner, inner | {"action": "next"}, expect=422)
    assert [sentence.partition(":")[0].partition("៖")[0] for _where, sentence in lines(client)] == [
        {"en": "Years, row 2", "km": "ឆ្នាំ ជួរទី ២"}[language]
    ]
