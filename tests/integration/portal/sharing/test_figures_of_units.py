"""No figure of a unit is wrong: what does not count is shown, told and left, and what is taken is what was shown."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import VersionItem
from tests import factories
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.integration.portal.sharing.test_collection import answer, ask, kampot, kandal, stored
from tests.integration.portal.sharing.test_taking_over import home_of, of, ways, work_of


@pytest.fixture
def world(session):
    made = table_world(session)
    of_version = VersionItem.version_id == made.version.id
    for code in ("people", "beds"):
        session.scalars(select(VersionItem).where(of_version, VersionItem.code == code)).one().constraint = ". >= 0"
    session.commit()
    return made


def page_of(session, world):
    return session.scalars(
        select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1")
    ).one()


def words_of(page, place):
    return [" ".join(" ".join(one.itertext()).split()) for one in page.xpath(place)]


def ticked(chief):
    return {box.get("value"): box.get("checked") is not None for box in chief.page.xpath("//input[@name='take']")}


def test_a_figure_in_a_table_that_does_not_count_is_shown_told_and_not_taken(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    wrong = {f"row:trainings[{ROW_A}]": "1", f"row-base:trainings[{ROW_A}]": "0", f"row-parent:trainings[{ROW_A}]": ""}
    kandal(app, session, asked)
    for name, typed in (("Kampot", "-4"), ("Takeo", "some")):
        unit = answer(app, session, *asked[name], {})
        fields = wrong | {f"people[{ROW_A}]": typed, f"base:people[{ROW_A}]": "0", "action": "save"}
        unit.post(f"{work_of(unit)}/pages/page1", fields, expect=422)
    home = home_of(chief, world.reply)
    chief.get(home, expect=200)
    rows = words_of(chief.page, "//table[contains(@class, 'collected-table')]/tbody/tr")
    assert rows == [
        "Kampot -4 breaks a rule of the questionnaire, so it does not count",
        "Kandal 5",
        "Takeo some cannot be read, so it does not count",
    ]
    assert words_of(chief.page, "//tfoot/tr") == ["Sum 5 2 answers do not count"]
    chief.get(home + "/take", expect=200)
    by_unit = {
        " ".join(box.getparent().text_content().split()).partition(" ")[0]: box.get("checked") is not None
        for box in chief.page.xpath("//ul[@id='take-rows']//input[@name='take']")
    }
    assert by_unit == {"Kampot": False, "Kandal": True, "Takeo": False}
    cells = " ".join(words_of(chief.page, "//ul[@id='take-rows']"))
    assert "-4 breaks a rule of the questionnaire" in cells
    assert "some cannot be read" in cells
    assert "changed in the reply too" not in cells
    # whatever somebody unticks, only these are ticked one by one
    chief.submit(0, action="take", take=["beds"], expect=409, **{"sign:beds": "of another figure"})
    boxes = chief.page.xpath("//ul[@id='take-rows']//input[@name='take']")
    assert [(box.get("checked") is not None, box.get("data-apart") is not None) for box in boxes] == [
        (False, True), (False, False), (False, True),
    ]  # fmt: skip
    chief.get(home + "/take", expect=200)
    chief.submit(0, action="take", expect=200)
    people = [value for (code, _lang, _row), value in stored(session, world.reply).items() if code == "people"]
    assert people == [5], "the reply holds what the sum counted"


def test_what_a_unit_changed_since_it_was_shown_is_told_and_not_taken(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    first, second = kampot(app, session, asked), kandal(app, session, asked)
    answer(app, session, *asked["Takeo"], {"beds": "1", "base:beds": "0"})
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    rows = {box.get("value"): box for box in chief.page.xpath("//ul[@id='take-rows']//input[@name='take']")}
    of_kandal = next(name for name, box in rows.items() if "Kandal" in box.getparent().text_content())
    # meanwhile two units change figures of theirs
    first.post(f"{work_of(first)}/pages/page1", {"beds": "20", "base:beds": "1", "action": "save"}, expect=303)
    fields = {f"people[{ROW_B}]": "6", f"base:people[{ROW_B}]": "1", "action": "save"}
    second.post(f"{work_of(second)}/pages/page1", fields, expect=303)
    # the joined text is not wanted
    chief.submit(0, action="take", take=["beds", *rows], expect=409)
    seen = stored(session, world.reply)
    assert ("beds", "", "") not in seen
    assert [value for (code, _lang, _row), value in seen.items() if code == "people"] == [30], "what stayed is taken"
    told = words_of(chief.page, "//div[contains(@class, 'error-summary')]//li")
    assert len(told) == 2
    assert "21 was shown, and it is 29 now" in told[0]
    assert "Kandal (Question people 5) was shown, and it is Kandal (Question people 6) now" in told[1]
    assert "was taken over." in chief.page.xpath("string(//section[contains(@class, 'alert-good')])")
    assert ticked(chief) == {"beds": True, "measures@en": False, of_kandal: True}, "what was left out stays so"
    chief.submit(0, action="take", expect=200)
    seen = stored(session, world.reply)
    assert seen["beds", "", ""] == 29
    assert sorted(value for (code, _lang, _row), value in seen.items() if code == "people") == [6, 30]
    assert ("measures", "en", "") not in seen


def test_a_figure_that_no_unit_gives_any_more_is_told_too(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, units="Kampot\nKandal", codes=("beds",))
    unit = answer(app, session, *asked["Kampot"], {"beds": "12", "base:beds": "0"})
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    unit.post(f"{work_of(unit)}/pages/page1", {"beds": "", "base:beds": "1", "action": "save"}, expect=303)
    chief.submit(0, action="take", expect=409)
    assert "12 was shown, and it is not offered any more" in chief.text
    assert stored(session, world.reply) == {}


def test_a_mean_that_changed_and_a_choice_that_nobody_makes_any_more_are_not_taken(app, session, world, client_for):
    factories.question(session, world.version, "share", "percentage", parent=page_of(session, world))
    session.commit()
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, codes=("state", "share"))
    said = {"base:share": "0", "base:state": "0"}
    answer(app, session, *asked["Kampot"], said | {"state": "done", "share": "50"})
    unit = answer(app, session, *asked["Kandal"], said | {"state": "not_started", "share": "10"})
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    kept = of(ways(chief, "state"), "Implemented")
    gone = of(ways(chief, "state"), "Not started")
    unit.post(
        f"{work_of(unit)}/pages/page1",
        {"share": "30", "base:share": "1", "state": "done", "base:state": "1", "action": "save"},
        expect=303,
    )
    chief.submit(0, action="take", expect=409, **{"pick:share": "average", "pick:state": gone})
    assert stored(session, world.reply) == {}
    told = words_of(chief.page, "//div[contains(@class, 'error-summary')]//li")
    assert any("30% was shown, and it is 40% now" in one for one in told)
    assert any("Not started was shown, and it is not offered any more" in one for one in told)
    # an answer that stands is what was shown, however many units give it by now
    chief.submit(0, action="take", expect=200, **{"pick:share": "average", "pick:state": kept})
    seen = stored(session, world.reply)
    assert (str(seen["share", "", ""]), seen["state", "", ""]) == ("40", "done")


def test_what_was_taken_over_and_what_is_left_are_counted_alike(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, codes=("beds", "measures", "trainings", "state"))
    kampot(app, session, asked)
    unit = kandal(app, session, asked)
    unit.post(f"{work_of(unit)}/finish", {"message": ""}, expect=303)
    other = answer(app, session, *asked["Takeo"], {"state": "done", "base:state": "0"})
    other.post(f"{work_of(other)}/pages/page1", {"beds": "-1", "base:beds": "0", "action": "save"}, expect=422)
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    words = " ".join(words_of(chief.page, "//main"))
    assert "2 units were asked and have not finished." in words
    assert "2 units 1 answer does not count" in words, "the sum says what it leaves out"
    rows = [name for name in ticked(chief) if name.startswith("row:")]
    # one row of three cells is one row, whatever stands in it
    chief.submit(0, action="take", take=rows[:1], expect=200, **{"pick:state": ""})
    words = " ".join(words_of(chief.page, "//body"))
    assert "1 row was taken over." in words
    assert "answer was taken over" not in words
    # what is left of each unit: a figure of Kampot and Kandal, a row of one of them, nothing that counts of Takeo
    assert "2 have answers not taken over" in words
    chief.get(home + "/take", expect=200)
    chief.submit(0, action="take", expect=200)
    words = " ".join(words_of(chief.page, "//body"))
    assert "3 answers were taken over. 1 row was taken over." in words
    assert "0 have answers not taken over" in words
