"""What a unit and its institution are told of how far it is."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from portal import clock
from tests import factories
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.integration.portal.sharing.test_collection import answer, ask
from tests.integration.portal.sharing.test_figures_of_units import page_of, words_of
from tests.integration.portal.sharing.test_taking_over import home_of, work_of


@pytest.fixture
def world(session):
    return table_world(session)


def test_a_figure_that_cannot_be_read_is_not_called_unanswered(app, session, world, client_for):
    chief = client_for(world.focal)
    unit = answer(app, session, *ask(chief, world.reply, units="Kampot", codes=("beds", "measures"))["Kampot"], {})
    work = work_of(unit)
    unit.post("/language", {"language": "en"}, expect=303)
    unit.post(f"{work}/pages/page1", {"beds": "many", "base:beds": "0", "action": "save"}, expect=422)
    unit.get(f"{work}/finish", expect=200)
    lists = {" ".join(one.text_content().split()): words_of(unit.page, f"//h2[{number}]/following-sibling::ul[1]/li")
             for number, one in enumerate(unit.page.xpath("//section[contains(@class, 'sheet')]/h2"), start=1)}  # fmt: skip
    assert list(lists) == ["These need another look", "Not answered yet 1"]
    assert lists["Not answered yet 1"] == ["Question measures"]
    assert "Question beds" in lists["These need another look"][0]
    assert "This is not a number." in lists["These need another look"][0], "why it is not taken stands beside it"
    assert "Every question has an answer." not in unit.text
    # the only question of all: none is left without an answer, and nobody says that each has one
    unit.post(f"{work}/pages/page1", {"measures@en": "A law.", "base:measures@en": "0", "action": "save"}, expect=303)
    unit.get(f"{work}/finish", expect=200)
    assert "Not answered yet" not in unit.text
    assert "Every question has an answer." not in unit.text


def test_who_has_begun_is_counted_as_each_line_says_it(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, codes=("trainings",))
    of_row = {f"row:trainings[{row}]": "1" for row in (ROW_A, ROW_B)}
    of_row |= {f"row-base:trainings[{row}]": "0" for row in (ROW_A, ROW_B)}
    of_row |= {f"row-parent:trainings[{row}]": "" for row in (ROW_A, ROW_B)}
    # a row with a figure and an empty one: the table does not count as answered yet
    answer(app, session, *asked["Kampot"], of_row | {f"people[{ROW_A}]": "3", f"base:people[{ROW_A}]": "0"})
    answer(app, session, *asked["Kandal"], {})
    chief.get(home_of(chief, world.reply), expect=200)
    assert "1 have begun" in words_of(chief.page, "//li[contains(@class, 'tile')]")
    stages = dict(
        zip(
            words_of(chief.page, "//li[contains(@class, 'unit-line')]/h3"),
            words_of(chief.page, "//li[contains(@class, 'unit-line')]/p[contains(@class, 'share-facts')]"),
            strict=True,
        )
    )
    assert {name.split()[0]: stage for name, stage in stages.items()} == {
        "Kampot": "at work", "Kandal": "opened, nothing written yet", "Takeo": "not opened yet",
    }  # fmt: skip


def test_an_upload_without_a_file_shows_the_form_again(app, session, world, client_for):
    factories.question(session, world.version, "proof", "file", parent=page_of(session, world))
    session.commit()
    chief = client_for(world.focal)
    unit = answer(app, session, *ask(chief, world.reply, units="Kampot", codes=("beds", "proof"))["Kampot"], {})
    work = work_of(unit)
    unit.post("/language", {"language": "en"}, expect=303)
    unit.get(f"{work}/pages/page1", expect=200)
    token = unit.token()
    unit.open(
        f"{work}/questions/proof/files", method="POST", content_type="multipart/form-data",
        data={"csrf_token": token, "proof": (io.BytesIO(b""), "")}, expect=422,
    )  # fmt: skip
    told = unit.page.xpath("//div[contains(@class, 'error-summary')]//a")
    assert [one.text_content() for one in told] == ["Choose a file first."]
    assert unit.page.xpath(f"//*[@id='{told[0].get('href')[1:]}']"), "it leads to the question"
    assert unit.page.xpath("//input[@type='file']"), "the form stands there again"


def test_a_browser_that_forgets_the_questions_is_told_so(app, session, world, client_for):
    chief = client_for(world.focal)
    link, code = ask(chief, world.reply, units="Kampot", codes=("beds",))["Kampot"]
    unit = answer(app, session, link, code, {"beds": "1", "base:beds": "0"})
    work = work_of(unit)
    unit.post("/language", {"language": "en"}, expect=303)
    unit.get(f"{work}/finish", expect=200)
    unit.submit(f"{work}/leave", expect=200)
    assert "This browser has forgotten the questions. Link and code open them again." in unit.text
    assert unit.response.request.path == f"{work}/leave", "no page that asks to sign in"
    unit.get(f"{work}/finish", expect=404)
    unit.get(link, expect=200)


def test_the_day_of_a_save_is_said_where_it_was_not_today(app, session, world, client_for):
    chief = client_for(world.focal)
    then = datetime(2026, 10, 2, 7, 37, tzinfo=UTC)
    with clock.at(then):
        unit = answer(app, session, *ask(chief, world.reply, units="Kampot", codes=("beds",))["Kampot"], {
            "beds": "1", "base:beds": "0",
        })  # fmt: skip
        work = work_of(unit)
        unit.post("/language", {"language": "en"}, expect=303)
        chief.post(
            f"/replies/{world.reply.public_id}/pages/page1", {"beds": "9", "base:beds": "0"},
            headers={"Accept": "application/json"}, expect=200,
        )  # fmt: skip
    said = {0: "saved 14:37", 1: "saved 2 October, 14:37", 120: "saved 2 October 2026, 14:37"}
    for days, words in said.items():
        with clock.at(then + timedelta(days=days)):
            unit.get(f"{work}/pages/page1", expect=200)
            assert unit.page.xpath("string(//*[@data-words])") == words
    for days, words in list(said.items())[:2]:
        with clock.at(then + timedelta(minutes=1, hours=days * 11)):
            chief.get(f"/replies/{world.reply.public_id}/pages/page1", expect=200)
            assert chief.page.xpath("string(//*[@data-words])") == words
