"""The hand-over pack, the act, and who holds what: on every line, for the secretariat as a part only."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import Actor, AuditEvent, Collection, Delegation, Role, Status, Submission
from tests import factories
from tests.integration.portal.sharing.scenes import table_world


@pytest.fixture
def world(session):
    return table_world(session)


def share(chief, reply, name="Kampot department"):
    address = f"/replies/{reply.public_id}/share"
    chief.get(address, expect=200)
    chief.post(address, {"name": name, "until": "2099-01-01", "codes": ["beds"]}, expect=200)


def collect(chief, reply):
    address = f"/replies/{reply.public_id}/collect"
    chief.get(address, expect=200)
    chief.post(address, {"units": "Takeo", "until": "2099-01-01", "codes": ["beds"]}, expect=200)


@pytest.mark.engines
def test_handing_over_moves_what_is_shared_and_is_told_to_the_audit(session, world, client_for):
    alternate = factories.person(session, world.at, Role.ALTERNATE, login="alternate")
    reader = factories.person(session, world.at, Role.READER, login="reader")
    session.commit()
    chief = client_for(world.focal)
    share(chief, world.reply)
    collect(chief, world.reply)
    chief.get("/hand-over", expect=200)
    assert "Kampot department" in chief.text
    assert chief.page.xpath("//select[@id='to']/option/@value") == [alternate.public_id]
    chief.post("/hand-over", {"to": reader.public_id}, expect=422)
    chief.get("/hand-over", expect=200)
    chief.post("/hand-over", {"to": alternate.public_id, "note": "On leave"}, expect=303)
    actor = session.scalars(select(Actor.id).where(Actor.user_id == alternate.id)).one()
    assert set(session.scalars(select(Delegation.held_by))) == {actor}
    assert session.scalars(select(Collection.held_by)).one() == actor
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "hand_over")).one()
    assert (event.details["shares"], event.details["collections"]) == (2, 1)
    next_one = client_for(alternate)
    next_one.get("/hand-over", expect=200)
    assert not next_one.page.xpath("//select[@id='to']"), "only the main focal point hands over"


def test_who_holds_it_now_stands_on_every_line(session, world, client_for):
    chief = client_for(world.focal)

    def held():
        chief.get("/owed", expect=200)
        return " ".join(chief.page.xpath("string(//span[contains(@class, 'owed-holder')])").split())

    assert held() == "with the focal point"
    collect(chief, world.reply)
    assert held() == "with the units that were asked"
    share(chief, world.reply)
    assert held() == "now with Kampot department"
    for page in ("/pages/page1", "/check"):
        chief.get(f"/replies/{world.reply.public_id}{page}", expect=200)
        assert "now with Kampot department" in chief.text
    share(chief, world.reply, "Second")
    share(chief, world.reply, "Third")
    assert held() == "now with Kampot department, Second and 1 more"
    session.get_one(Submission, world.reply.id).status = Status.AWAITING_SIGN_OFF
    assert held() == "with the approver"


def test_the_secretariat_learns_the_part_and_never_the_name(session, world, client_for):
    share(client_for(world.focal), world.reply)
    staff = client_for(factories.staff(session))
    for page in ("grid", "", "late"):
        staff.get(f"/rounds/{world.round.slug}/{page}".rstrip("/"), expect=200)
        assert "Kampot department" not in staff.text
        if page != "late":
            assert "with whom the focal point asked" in staff.text


def test_queries_of_what_is_owed_do_not_grow_with_what_is_shared(session, world, client_for, count_queries):
    chief = client_for(world.focal)
    chief.get("/owed", expect=200)
    with count_queries() as few:
        chief.get("/owed", expect=200)
    for number in range(4):
        share(chief, world.reply, f"Person {number}")
    more = factories.assignment(
        session, world.at, world.round, [factories.recommendation(session)], world.version
    )
    factories.submission(session, more, status=Status.IN_PROGRESS)
    session.commit()
    chief.get("/owed", expect=200)
    with count_queries() as many:
        chief.get("/owed", expect=200)
    assert len(many) == len(few)
