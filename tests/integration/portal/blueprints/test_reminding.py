"""Reminders by mail: only to those who owe, in their language, written down, once per act."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import AuditEvent, OutgoingMail, RoundStatus
from tests import factories
from tests.integration.portal.blueprints import test_follow

pytestmark = pytest.mark.engines
scene = test_follow.scene


def mails(session):
    session.rollback()
    return session.scalars(select(OutgoingMail).where(OutgoingMail.kind == "reminder").order_by(OutgoingMail.id)).all()


def test_only_who_owes_is_reminded_in_their_language_and_it_is_written_down(client_for, scene, session):
    # the other institution has a focal point without an address: a text to copy
    factories.person(session, scene.moi, names={"en": "Desk of MOI", "km": "តុ"}, telegram="@moi_desk")
    scene.focal.language = "km"
    session.commit()
    client = client_for(scene.coordinator)
    client.get("/rounds/r/late", expect=200)
    client.get("/rounds/r/remind", expect=200)
    assert len(client.page.xpath("//input[@name='institution']")) == 1
    assert "desk@moj.example" in client.words
    assert client.page.xpath("//textarea[@readonly]")[0].text.startswith("Dear ")
    client.submit("/rounds/r/remind", institution=[], note="x", expect=422)
    assert "Choose at least one institution." in client.words
    client.get("/rounds/r/remind")
    page = client.page
    client.submit("/rounds/r/remind", note="The minister meets on Friday.", expect=200)
    assert "1 reminder will be sent by mail." in client.words
    assert not client.page.xpath("//input[@name='institution' and @checked]"), "reminded today: not chosen again"
    client.page = page
    client.submit("/rounds/r/remind", note="The minister meets on Friday.", expect=200)  # the button once more
    [mail] = mails(session)
    assert (mail.address, mail.status.value) == ("desk@moj.example", "queued")
    assert "The minister meets on Friday." in mail.body
    assert mail.subject.startswith("ការរំលឹក៖")
    assert "/owed?round=r" in mail.body
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "remind")).one()
    assert event.details["mails"] == 1
    # whoever has handed in is not listed, nor may be chosen
    test_follow.hand_in(client_for, scene)
    client.get("/rounds/r/remind")
    assert not client.page.xpath("//input[@name='institution']")
    token = client.token()
    client.post("/rounds/r/remind", {"institution": event.object_id, "csrf_token": token}, expect=422)
    assert len(mails(session)) == 1
    scene.round = session.merge(scene.round)
    scene.round.status = RoundStatus.CLOSED
    session.commit()
    client.get("/rounds/r/remind", expect=409)
    for person in (scene.focal, scene.writer):
        client_for(person).get("/rounds/r/remind", expect=403)
