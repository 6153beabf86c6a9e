"""A reply is completed while units still answer: its institution is told before, the units afterwards."""

from __future__ import annotations

import pytest

from portal.models import Status
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_collection import answer, ask, stored, take
from tests.integration.portal.sharing.test_taking_over import home_of, work_of

JSON = {"Accept": "application/json"}


@pytest.fixture
def world(session):
    made = table_world(session)
    made.reply.status = Status.ISSUED  # as its events tell: they are folded when it is completed
    session.commit()
    return made


def ready(chief, reply):
    """Answer what the institution must answer itself."""
    said = {"state": "done", "base:state": "0", "measures@en": "A law.", "base:measures@en": "0"}
    said |= {"measures@km": "ច្បាប់", "base:measures@km": "0"}
    chief.post(f"/replies/{reply.public_id}/pages/page1", said, headers=JSON, expect=200)


def still_to_come(chief, reply):
    chief.get(f"/replies/{reply.public_id}/check", expect=200)
    return [" ".join(one.text_content().split()) for one in chief.page.xpath("//a[contains(@href, '/collections/')]")]


def test_the_check_page_tells_of_units_that_are_at_work_or_not_taken_over(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, codes=("beds",))
    home = home_of(chief, world.reply)
    assert still_to_come(chief, world.reply) == ["3 units were asked and have not finished."]
    unit = answer(app, session, *asked["Kampot"], {"beds": "12", "base:beds": "0"})
    unit.post(f"{work_of(unit)}/finish", {"message": ""}, expect=303)
    assert still_to_come(chief, world.reply) == [
        "2 units were asked and have not finished. 1 unit has answers that were not taken over."
    ]
    take(chief, home + "/take")
    for name in ("Kandal", "Takeo"):
        other = answer(app, session, *asked[name], {})
        other.post(f"{work_of(other)}/finish", {"message": ""}, expect=303)
    take(chief, home + "/take")
    assert still_to_come(chief, world.reply) == []


def test_units_and_their_institution_are_told_that_a_reply_is_closed(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, units="Kampot", codes=("beds",))
    unit = answer(app, session, *asked["Kampot"], {"beds": "12", "base:beds": "0"})
    page, home = f"{work_of(unit)}/pages/page1", home_of(chief, world.reply)
    unit.post("/language", {"language": "en"}, expect=303)
    unit.get(page, expect=200)
    assert "completed its reply" not in unit.text
    ready(chief, world.reply)
    chief.post(f"/replies/{world.reply.public_id}/complete", {}, expect=303)
    for address in (page, f"{work_of(unit)}/finish"):
        unit.get(address, expect=200)
        assert "has completed its reply" in unit.text
        assert "it does not go into the reply any more, unless the reply is opened again" in unit.text
    # what the page says is so: it is kept, the institution reads it, and the reply does not move
    saved = unit.post(page, {"beds": "20", "base:beds": "1"}, headers=JSON, expect=200)
    assert saved.json["aside"] == "The reply is closed: this does not go into it."
    chief.get(home, expect=200)
    assert chief.page.xpath("string(//p[@class='collected-sum']/strong)") == "20"
    for address in (home, home + "/take"):
        chief.get(address, expect=200)
        assert "Nothing can be taken over now" in chief.text
        assert "It is complete and waits to be signed." in chief.text
    assert not chief.page.xpath("//button[@value='take']")
    chief.post(home + "/take", {"take": "beds", "action": "take"}, expect=409)
    assert ("beds", "", "") not in stored(session, world.reply)
