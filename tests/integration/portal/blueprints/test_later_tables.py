"""Tables that nobody asks for yet come beside their page; whatever holds something, or is asked, stands in it."""

from __future__ import annotations

import pytest
from lxml import html
from sqlalchemy import update

from portal.models import StaffRole, Status, Submission
from tests import factories, many_tables
from tests.client import Client

pytestmark = pytest.mark.engines
JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    return many_tables.scene(session)


def look(client, scene):
    """Return the tables that stand on the page, those whose place alone does, and where they come from."""
    client.get(scene.path, expect=200)
    page = client.page
    places = page.xpath("//*[@data-later-table][@hidden]/@data-item")
    return set(page.xpath("//table/@data-table")), set(places), "".join(page.xpath("//form/@data-later"))


def test_tables_that_are_not_asked_come_beside_the_page_and_are_kept(client_for, scene):
    client = client_for(scene.focal)
    drawn, places, later = look(client, scene)
    assert (drawn, places) == (set(), set(scene.codes))
    assert "js/tables" in client.text
    answer = client.get(later, expect=200)
    assert "immutable" in answer.headers["Cache-Control"]
    assert "private" in answer.headers["Cache-Control"]
    tables = answer.get_json()
    assert set(tables) == set(scene.codes)
    fixed, growing = (html.fromstring(tables[code]) for code in ("t1", "t8"))
    assert (fixed.get("data-item"), fixed.get("hidden")) == ("t1", "")
    assert fixed.xpath("//input/@name").count("t1_women[y2021]") == 1
    assert growing.xpath("//template[@data-blank='t8']")
    # the same for every visit; another name belongs to another day, and is not kept
    assert look(client, scene)[2] == later
    other = client.get(f"{scene.path}/tables/{'0' * 16}", expect=200)
    assert other.get_json().keys() == tables.keys()
    assert "no-store" in other.headers["Cache-Control"]
    client_for(scene.stranger).get(later, expect=404)


def test_what_is_asked_or_holds_something_stands_on_the_page(client_for, scene):
    client = client_for(scene.focal)
    _drawn, _places, before = look(client, scene)
    given = {"which": ["t1", "t9"], "which!present": "1", "base:which": "0"}
    client.post(scene.path, given, expect=303)
    drawn, places, later = look(client, scene)
    assert drawn == {"t1", "t9"}
    assert later != before
    # a page that was drawn before has places for them: it gets them too, as they stand
    assert {"t1", "t9"} <= client.get(before, expect=200).get_json().keys()
    # what was written in a table that is no longer asked is not lost from sight of the page
    client.post(scene.path, {"t1_women[y2021]": "7", "base:t1_women[y2021]": "0"}, headers=JSON, expect=200)
    client.post(scene.path, {"which!present": "1", "base:which": "1"}, headers=JSON, expect=200)
    drawn, places, _later = look(client, scene)
    assert drawn == {"t1"}
    assert places == set(scene.codes) - {"t1"}
    assert client.page.xpath("//input[@name='t1_women[y2021]']/@value") == ["7"]
    assert client.page.xpath("//*[@id='q-t1-item'][@hidden]")


def test_few_tables_and_pages_that_are_only_read_are_whole(client_for, scene, session):
    reader = client_for(scene.reader)
    drawn, places, later = look(reader, scene)
    assert (drawn, places, later) == (set(scene.codes), set(), "")
    client = client_for(scene.focal)
    client.post(scene.path, {"which": scene.codes[3:], "which!present": "1", "base:which": "0"}, expect=303)
    drawn, places, later = look(client, scene)
    assert (drawn, places, later) == (set(scene.codes), set(), "")
    client.post(scene.path, {"which!present": "1", "base:which": "1"}, headers=JSON, expect=200)
    assert look(client, scene)[0] == set()
    # a reply that came back with some questions open is drawn as it was
    changed = {"status": Status.RETURNED, "unlocked": ["which"]}
    session.execute(update(Submission).where(Submission.id == scene.reply.id).values(**changed))
    session.commit()
    assert look(client, scene)[0] == set(scene.codes)


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.SUBMITTED])
def test_tables_beside_a_page_are_the_institutions_alone(app, client_for, scene, session, status):
    later = f"{scene.path}/tables/{'0' * 16}"
    chief = client_for(scene.focal)
    address = f"/replies/{scene.reply.public_id}/share"
    chief.get(address, expect=200)
    chief.post(address, {"name": "Prisons", "until": "2099-01-01", "codes": ["which"]}, expect=200)
    link = chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    delegate = Client(app, session)
    delegate.get(link, expect=200)
    delegate.submit(0, code=chief.page.xpath("string(//p[@id='share-code'])"))
    session.get_one(Submission, scene.reply.id).status = status
    session.commit()
    for mine in (scene.focal, scene.reader):
        assert client_for(mine).get(later, expect=200).get_json().keys() == set(scene.codes)
    for other in (scene.stranger, *(factories.staff(session, role) for role in StaffRole)):
        session.commit()
        client_for(other).get(later, expect=404)
    for nobody in (delegate, Client(app, session)):
        nobody.get(later, expect=303)
        assert nobody.response.headers["Location"].startswith("/login")
