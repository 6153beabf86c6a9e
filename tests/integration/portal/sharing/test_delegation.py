"""Handing questions to a person without an account: link and code, those questions, and nothing else."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.models import Delegation, Status
from tests import factories
from tests.client import Client

pytestmark = pytest.mark.engines


@pytest.fixture
def world(session):
    """A reply of one institution in progress, and its focal point."""
    at = factories.institution(session, "moj")
    focal = factories.person(session, at, login="focal")
    version = factories.questionnaire_version(session)
    asked = factories.assignment(session, at, None, [factories.recommendation(session)], version)
    reply = factories.submission(session, asked, status=Status.IN_PROGRESS)
    session.commit()
    return reply, focal


def share(client, reply, *, codes=("measures",), **more):
    """Hand questions out as the focal point does; return link and code."""
    client.get(f"/replies/{reply.public_id}/share", expect=200)
    fields = {"name": "Kampot department", "until": "2099-01-01", "codes": list(codes)} | more
    client.post(f"/replies/{reply.public_id}/share", fields, expect=200)
    url = client.page.xpath("string(//p[@id='share-link'])")
    return url.removeprefix("http://localhost"), client.page.xpath("string(//p[@id='share-code'])")


def enter(app, session, link, code):
    """A browser that came in by link and code."""
    browser = Client(app, session)
    browser.get(link, expect=200)
    browser.post(link, {"code": code}, expect=303)
    browser.follow()
    assert browser.response.status_code == 200, browser.text[:800]
    return browser


def test_from_the_focal_point_by_link_and_code_to_an_answer_in_the_reply(app, session, world, client_for):
    reply, focal = world
    chief = client_for(focal)
    link, code = share(chief, reply)
    assert re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{4}", code)
    guest = enter(app, session, link, code)
    assert guest.page.xpath("//textarea[@name='measures@km']")
    assert not guest.page.xpath("//*[@name='state' or @name='beds']")
    address = guest.response.request.path
    guest.post(address, {"measures@en": "We trained 20 judges.", "base:measures@en": "0", "action": "next"}, follow=True)
    assert guest.page.xpath("//textarea[@name='message']")
    guest.post(address.partition("/pages/")[0] + "/finish", {"message": "Ask me about 2024."}, expect=303)
    chief.get(f"/replies/{reply.public_id}/share", expect=200)
    assert "Ask me about 2024." in chief.text
    assert "has finished" in chief.text
    chief.get(f"/replies/{reply.public_id}/check", expect=200)
    assert "We trained 20 judges." in chief.text


def stage(chief, reply):
    """What the list of shares says of each person."""
    chief.get(f"/replies/{reply.public_id}/share", expect=200)
    words = " ".join(chief.page.xpath("string(//main)").split())
    return [one for one in ("not opened yet", "opened, nothing written yet", "at work") if one in words]


def test_what_was_answered_before_is_not_the_work_of_whom_it_is_handed_to(app, session, world, client_for):
    reply, focal = world
    chief = client_for(focal)
    page = f"/replies/{reply.public_id}/pages/page1"
    chief.get(page, expect=200)
    chief.post(page, {"measures@en": "A first draft.", "base:measures@en": "0", "action": "save"}, expect=303)
    link, code = share(chief, reply)
    assert stage(chief, reply) == ["not opened yet"]
    guest = enter(app, session, link, code)
    assert stage(chief, reply) == ["opened, nothing written yet"]
    address = guest.response.request.path
    guest.post(address, {"measures@en": "A better one.", "base:measures@en": "1", "action": "save"}, expect=303)
    assert stage(chief, reply) == ["at work"]


def test_the_timeline_of_a_reply_tells_each_act_of_sharing_once_and_to_its_institution_alone(
    app, session, world, client_for
):
    reply, focal = world
    chief = client_for(focal)
    link, code = share(chief, reply)
    guest = enter(app, session, link, code)
    guest.post(guest.response.request.path.partition("/pages/")[0] + "/finish", {}, expect=303)
    shared = session.scalars(select(Delegation).where(Delegation.submission_id == reply.id)).one()
    chief.get(f"/replies/{reply.public_id}/share", expect=200)
    chief.post(f"/delegations/{shared.public_id}/revoke", {}, expect=303)
    chief.get(f"/replies/{reply.public_id}/collect", expect=200)
    chief.post(
        f"/replies/{reply.public_id}/collect",
        {"units": "Kandal\nTakeo", "until": "2099-01-01", "codes": ["measures"]}, expect=200,
    )  # fmt: skip
    told = {
        "en": [
            "2 units were asked", "Taken back from Kampot department", "Kampot department has finished",
            "Questions handed to Kampot department",
        ],
        "km": [
            "បានសួរអង្គភាព 2", "បានដកពី Kampot department វិញ", "Kampot department បានបញ្ចប់",
            "បានប្រគល់សំណួរជូន Kampot department",
        ],
    }  # fmt: skip
    for language, expected in told.items():
        chief.post("/language", {"language": language, "next": "/"}, expect=303)
        chief.get(f"/replies/{reply.public_id}/check", expect=200)
        words = chief.page.xpath("//ol[@class='timeline']//strong/text()")
        assert words[: len(expected)] == expected
    clerk = client_for(factories.staff(session))
    clerk.get(f"/review/{reply.public_id}", expect=200)
    assert "Kampot department" not in clerk.text


def test_everything_that_is_missing_is_said_at_once(world, client_for):
    reply, focal = world
    chief = client_for(focal)
    chief.get(f"/replies/{reply.public_id}/share", expect=200)
    chief.submit(codes=[], name="", expect=422)
    told = chief.page.xpath("//*[contains(@class, 'error-summary')]//li/a/@href")
    assert told == ["#codes", "#name"]
