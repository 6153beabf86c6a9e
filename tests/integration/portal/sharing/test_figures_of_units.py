"""No figure of a unit is wrong: what does not count is shown, told and left, and what is taken is what was shown."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import VersionItem
from tests.integration.portal.sharing.scenes import ROW_A, table_world
from tests.integration.portal.sharing.test_collection import answer, ask, kandal, stored
from tests.integration.portal.sharing.test_taking_over import home_of, work_of


@pytest.fixture
def world(session):
    made = table_world(session)
    of_version = VersionItem.version_id == made.version.id
    for code in ("people", "beds"):
        session.scalars(select(VersionItem).where(of_version, VersionItem.code == code)).one().constraint = ". >= 0"
    session.commit()
    return made


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
    chief.submit(0, action="take", expect=200)
    people = [value for (code, _lang, _row), value in stored(session, world.reply).items() if code == "people"]
    assert people == [5], "the reply holds what the sum counted"
