"""Who serves in the secretariat and works for an institution too holds each part for what it is for, and no more."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import Example, Institution, Role, StaffRole, Status, Submission
from tests import factories, scenes
from tests.client import Client
from tests.integration.portal.api.test_api import Caller

OTHERS = "What another ministry did"


@pytest.fixture
def world(session):
    """A round with replies in every status, whose other institutions sent an example each; and one institution more."""
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    made.home = factories.institution(session, "home")
    asked = factories.assignment(session, made.home, made.round, [made.recommendations[0]], made.version)
    made.reply = factories.submission(session, asked, status=Status.ISSUED)
    for code, title in (("SUBMITTED", OTHERS), ("home", "What we did")):
        at = session.scalars(select(Institution).where(Institution.code == code)).one()
        session.add(
            Example(
                institution_id=at.id, recommendation_id=made.recommendations[0].id, titles={"en": title},
                texts={"en": "It was built."}, sent_by=made.by,
            )
        )  # fmt: skip
    session.commit()
    return made


def both(session, world, role, part=Role.FOCAL_POINT):
    person = factories.person(session, world.home, part, staff=[role])
    session.commit()
    return person


@pytest.mark.parametrize("role", [StaffRole.OBSERVER, StaffRole.ADMINISTRATOR])
def test_a_role_that_reads_no_replies_opens_no_other_institutions(app, session, world, role):
    person = both(session, world, role)
    machine = Caller(app, session, person, "both")
    assert [one["id"] for one in machine.get("/assignments").json["items"]] == [world.reply.public_id]
    (mine,) = machine.get("/examples").json["items"]
    assert mine["titles"] == {"en": "What we did"}
    others = session.scalars(select(Submission.public_id).where(Submission.status == Status.SUBMITTED)).first()
    for path in ("", "/history", "/clarifications", "/documents"):
        assert machine.get(f"/submissions/{others}{path}").status_code == 404, path
    browser = Client(app, session)
    browser.sign_in(person.login)
    browser.get("/examples", expect=200)
    assert "What we did" in browser.words
    assert OTHERS not in browser.text
    one = session.scalars(select(Example.public_id).where(Example.titles["en"].as_string() == OTHERS)).one()
    browser.get(f"/examples/{one}", expect=404)
    browser.get(f"/recommendations/{world.recommendations[0].public_id}", expect=200)
    assert not browser.page.xpath("//ul[contains(@class, 'own-list')]"), "what institutions say of themselves"
    browser.get("/implementation")
    assert not browser.page.xpath("//ul[contains(@class, 'own-list')]")


def test_a_role_that_reads_replies_reads_those_of_all(app, session, world):
    person = both(session, world, StaffRole.COORDINATOR)
    machine = Caller(app, session, person, "both")
    assert len(machine.get("/assignments").json["items"]) > 10
    assert len(machine.get("/examples").json["items"]) == 2
    browser = Client(app, session)
    browser.sign_in(person.login)
    browser.get("/examples", expect=200)
    assert OTHERS in browser.text
    browser.get(f"/recommendations/{world.recommendations[0].public_id}", expect=200)
    assert browser.page.xpath("//ul[contains(@class, 'own-list')]")


def test_it_takes_nothing_from_the_part_in_the_institution(app, session, world):
    person = both(session, world, StaffRole.OBSERVER)
    colleague = factories.person(session, world.home, Role.CONTRIBUTOR)
    coordinator = Caller(app, session, factories.staff(session), "coordinator")
    asked = coordinator.post(f"/submissions/{world.reply.public_id}/clarifications", {"body": "Which year?"}).json
    told = Caller(app, session, person, "both").post(f"/clarifications/{asked['id']}/messages", {"body": "2024"})
    assert (told.status_code, told.json["messages"][-1]["from_secretariat"]) == (201, False)
    browser = Client(app, session)
    browser.sign_in(person.login)
    browser.get("/colleagues", expect=200)
    browser.post(f"/colleagues/{colleague.public_id}/invite", {}, expect=200)


@pytest.mark.parametrize("role", [StaffRole.OBSERVER, StaffRole.ADMINISTRATOR, StaffRole.COORDINATOR])
def test_what_is_new_leads_to_pages_that_open(app, session, world, role):
    """Of one's own institution to where one answers; what the secretariat is told, to its desk."""
    person = both(session, world, role)
    ask = Caller(app, session, factories.staff(session), "coordinator")
    ask.post(f"/submissions/{world.reply.public_id}/clarifications", {"body": "Which year?"})
    browser = Client(app, session)
    browser.sign_in(person.login)
    for page, xpath in (("/news", "//p[@class='talk-title']/a/@href"), ("/questions", "//main//a/@href")):
        browser.get(page, expect=200)
        found = [one.partition("#")[0] for one in browser.page.xpath(xpath) if "#thread-" in one]
        assert f"/replies/{world.reply.public_id}/check" in found, page
        for link in found:
            browser.get(link, expect=200)
