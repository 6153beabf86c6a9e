"""What is asked only after another answer can be handed out: it is listed, and goes along with what it follows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.models import Delegation, ItemKind, Status, VersionItem
from tests import factories
from tests.client import Client
from tests.scenes import STATES
from tests.scenes import answer as store

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
CANARY = "CANARY-OF-THE-MINISTRY"


@pytest.fixture
def world(session):
    """A reply on two pages: what obstacles there are, then which; how many beds, then what they count, by year too."""
    at = factories.institution(session, "moj")
    focal = factories.person(session, at, login="focal", language="en")
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    factories.question(session, version, "obstacles", "select_multiple", parent=page, choices=STATES)
    factories.question(
        session, version, "described", "text", parent=page, relevant="count-selected(${obstacles}) > 0",
    )  # fmt: skip
    factories.question(
        session, version, "both", "text", parent=page, relevant="${beds} > 5 and selected(${state}, 'done')"
    )
    data = factories.item(session, version, "data", kind=ItemKind.SECTION, relevant="not(selected(${state}, 'x'))")
    factories.question(session, version, "counted", "text", parent=data, relevant="${beds} != ''")
    years = factories.item(session, version, "years", kind=ItemKind.REPEAT, parent=data, relevant="${beds} != ''")
    factories.question(session, version, "each_year", "integer", parent=years)
    asked = factories.assignment(session, at, None, [factories.recommendation(session)], version)
    reply = factories.submission(
        session, asked, status=Status.IN_PROGRESS, hidden=["both", "counted", "described", "each_year", "years"]
    )
    session.commit()
    return SimpleNamespace(at=at, focal=focal, reply=reply, version=version, address=f"/replies/{reply.public_id}")


def boxes(client):
    return {
        one.get("value"): " ".join(one.getparent().text_content().split())
        for one in client.page.xpath("//input[@name='codes']")
    }


def handed_out(session):
    session.rollback()
    return session.scalars(select(Delegation.items).order_by(Delegation.id)).all()


def share(chief, world, *codes, **more):
    fields = {"name": "Kampot department", "until": "2099-01-01", "codes": list(codes)} | more
    chief.post(world.address + "/share", fields, expect=200)
    link = chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    return link, chief.page.xpath("string(//p[@id='share-code'])")


def come_in(app, session, link, code):
    guest = Client(app, session)
    guest.get(link, expect=200)
    guest.post(link, {"code": code}, expect=303)
    guest.follow()
    return guest


@pytest.mark.parametrize("door", ["share", "collect"])
def test_what_is_not_asked_yet_is_listed_with_when_it_will_be(client_for, world, door):
    chief = client_for(world.focal)
    chief.get(f"{world.address}/{door}", expect=200)
    told = boxes(chief)
    assert "Asked only if" in told["described"]
    assert "Question obstacles" in told["described"]
    assert told["obstacles"].endswith("Goes along, to be answered once it is asked: Question described")
    assert told["beds"].endswith("Goes along, to be answered once it is asked: Question counted; Question years")
    assert "Asked only if" not in told["measures"]
    assert "Goes along" not in told["measures"]


def test_a_follow_up_goes_along_and_nothing_else_does(session, client_for, world):
    chief = client_for(world.focal)
    share(chief, world, "obstacles")
    share(chief, world, "beds")
    share(chief, world, "described")
    share(chief, world, "measures")
    share(chief, world, "beds", "state")
    assert handed_out(session) == [
        ["obstacles", "described"], ["beds", "counted", "years"], ["described"], ["measures"],
        ["state", "beds", "both", "counted", "years"],
    ]  # fmt: skip


def test_a_follow_up_that_is_asked_already_is_handed_out_by_its_own_box(session, client_for, world):
    by = factories.system_actor(session).id
    store(session, world.reply, world.version, "obstacles", ["done"], by)
    store(session, world.reply, world.version, "described", CANARY, by, lang="en")
    world.reply.hidden = ["both", "counted", "each_year", "years"]
    session.commit()
    chief = client_for(world.focal)
    chief.get(world.address + "/share", expect=200)
    assert "Goes along" not in boxes(chief)["obstacles"]
    share(chief, world, "obstacles")
    assert handed_out(session) == [["obstacles"]]


def test_a_guest_answers_what_follows_their_answer_and_reaches_nothing_more(app, session, client_for, world):
    by = factories.system_actor(session).id
    store(session, world.reply, world.version, "measures", CANARY, by, lang="en")
    session.commit()
    guest = come_in(app, session, *share(client_for(world.focal), world, "obstacles"))
    address = guest.response.request.path
    assert guest.page.xpath("//textarea[@name='described@en']/ancestor::*[@hidden]")
    answer = guest.post(address, {"obstacles": ["done"], "base:obstacles": "0"}, headers=JSON, expect=200)
    assert answer.get_json()["shown"] == ["described"]
    guest.post(address, {"described@en": "The law.", "base:described@en": "0"}, headers=JSON, expect=200)
    guest.get(address, expect=200)
    assert "The law." in guest.text
    assert CANARY not in guest.text
    for name in ("measures@en", "beds", "counted@en", f"each_year[{'A' * 16}]", "both@en"):
        guest.post(address, {name: "1", f"base:{name}": "0"}, headers=JSON, expect=404)


def test_a_guest_is_led_to_a_follow_up_on_another_page(app, session, client_for, world):
    guest = come_in(app, session, *share(client_for(world.focal), world, "beds"))
    first = guest.response.request.path
    guest.post(first, {"beds": "12", "base:beds": "0", "action": "next"}, expect=303)
    guest.follow()
    assert guest.response.request.path == first.replace("page1", "data")
    assert guest.page.xpath("//textarea[@name='counted@en']")


def test_a_unit_says_what_its_figure_counts(app, session, client_for, world):
    chief = client_for(world.focal)
    fields = {"units": "Kampot\nTakeo", "until": "2099-01-01", "codes": ["beds"]}
    chief.post(world.address + "/collect", fields, expect=200)
    assert handed_out(session) == [["beds", "counted", "years"]] * 2
    rows = [line.split("\t") for line in chief.page.xpath("string(//textarea[@id='all-links'])").strip().split("\n")]
    unit = come_in(app, session, rows[0][2].removeprefix("http://localhost"), rows[0][3])
    unit.post(unit.response.request.path, {"beds": "12", "base:beds": "0", "action": "next"}, expect=303)
    unit.follow()
    assert unit.page.xpath("//textarea[@name='counted@en']")


def test_an_answer_that_is_quoted_is_quoted_on_a_whole_page_too(session, client_for, world):
    item = session.scalars(select(VersionItem).where(VersionItem.code == "counted")).one()
    item.texts = {"label": {"en": "What is counted by ${beds}?", "km": "${beds}"}}
    session.commit()
    share(client_for(world.focal), world, "data", quote="y")
    session.rollback()
    assert session.scalars(select(Delegation.quoted)).all() == [["beds"]]
