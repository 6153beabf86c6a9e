"""The hand-over pack, the act, and who holds what: on every line, for the secretariat as a part only."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.errors import NotAllowed
from portal.models import (
    Actor,
    AuditEvent,
    Collection,
    Delegation,
    Role,
    StaffRole,
    Status,
    Submission,
)
from portal.permissions import Part, Principal
from portal.services import handing_over as services
from tests import factories
from tests.client import Client
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


def test_the_pack_and_the_act_are_one_institutions_own(app, session, world, client_for):
    """Somebody else's pack holds nothing of ours, their act moves nothing of ours, and nobody else comes in."""
    other = factories.institution(session, "moi")
    theirs = factories.person(session, other, Role.FOCAL_POINT, login="theirs")
    deputy = factories.person(session, other, Role.ALTERNATE, login="deputy")
    alternate = factories.person(session, world.at, Role.ALTERNATE, login="alternate")
    session.commit()
    chief = client_for(world.focal)
    share(chief, world.reply)
    link = chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    delegate = Client(app, session)
    delegate.get(link, expect=200)
    delegate.submit(0, code=chief.page.xpath("string(//p[@id='share-code'])"))
    collect(chief, world.reply)
    factories.clarification(session, world.reply)
    session.commit()
    chief.get("/hand-over", expect=200)
    assert "Which year?" in chief.text
    assert "unit asked" in chief.text
    before = dict(session.execute(select(Delegation.id, Delegation.held_by)).all())
    stranger = client_for(theirs)
    stranger.get("/hand-over", expect=200)
    assert "Kampot department" not in stranger.text
    for ours in (world.reply.public_id, "Which year?", "unit asked"):
        assert ours not in stranger.text
    assert stranger.page.xpath("//select[@id='to']/option/@value") == [deputy.public_id]
    for wrong in (alternate.public_id, world.focal.public_id, ""):
        stranger.post("/hand-over", {"to": wrong}, expect=422)
    stranger.post("/hand-over", {"to": deputy.public_id}, expect=303)
    session.expire_all()
    assert dict(session.execute(select(Delegation.id, Delegation.held_by)).all()) == before
    second = client_for(alternate)
    second.get("/hand-over", expect=200)
    second.post("/hand-over", {"to": world.focal.public_id}, expect=403)
    for role in (Role.CONTRIBUTOR, Role.APPROVER, Role.READER):
        one = client_for(factories.person(session, world.at, role, login=role.value))
        session.commit()
        one.get("/hand-over", expect=403)
        one.post("/hand-over/workbook", {}, expect=403)
        one.post("/hand-over", {"to": alternate.public_id}, expect=403)
    observer = factories.staff(session, StaffRole.OBSERVER)
    session.commit()
    client_for(observer).get("/hand-over", expect=403)
    for nobody in (delegate, Client(app, session)):
        nobody.get("/hand-over", expect=303)
        assert nobody.response.headers["Location"].startswith("/login")
        nobody.post("/hand-over/workbook", {}, expect=303)
    session.expire_all()
    assert dict(session.execute(select(Delegation.id, Delegation.held_by)).all()) == before


def test_the_act_itself_asks_who_hands_over(session, world):
    """Whatever door leads to it: not an alternate, not another institution's focal point."""
    alternate = factories.person(session, world.at, Role.ALTERNATE, login="alternate")
    other = factories.institution(session, "moi")
    session.commit()
    for role, at in ((Role.ALTERNATE, world.at), (Role.FOCAL_POINT, other)):
        by = Principal(actor_id=1, part=Part(1, at.id, at.code, {}, role))
        with pytest.raises(NotAllowed):
            services.hand_over(session, world.at.id, alternate, by=by)


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
