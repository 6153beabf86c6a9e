"""Examples of recommendations carried out: sent, checked, cleared, used; only cleared ones are seen outside."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import Example, ExampleEvent, ExampleState, Role, StaffRole
from portal.queries.dump import evidence_faults
from portal.services.housekeeping import orphans
from tests import factories, scenes

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    moj = factories.institution(session, "MOJ")
    made.cited = made.recommendations[0]
    made.focal = factories.person(session, moj, Role.FOCAL_POINT)
    made.stranger = factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT)
    made.coordinator = factories.staff(session, StaffRole.COORDINATOR)
    made.writer = factories.staff(session, StaffRole.REPORT_WRITER)
    made.observer = factories.staff(session, StaffRole.OBSERVER)
    session.commit()
    return made


def send(client, scene, expect=200, **more):
    client.get("/examples/send", expect=200)
    fields = {
        "recommendation": scene.cited.public_id, "title@en": "A court for children", "text@en": "Opened in May.",
        "consent": "y",
    }  # fmt: skip
    client.submit(0, expect=expect, **fields | more)


def acted(client, session, act, reason="", expect=200):
    one = session.scalars(select(Example)).one()
    client.get(f"/examples/{one.public_id}", expect=200)
    client.submit(f"/examples/{one.public_id}/{act}", expect=expect, **({"reason": reason} if reason else {}))
    session.expire_all()
    return session.scalars(select(Example)).one().state


def test_an_example_goes_from_candidate_to_used_and_is_seen_once_it_is_cleared(client_for, scene, session):
    focal, staff, observer = (client_for(one) for one in (scene.focal, scene.coordinator, scene.observer))
    send(focal, scene)
    assert "Waits to be checked" in focal.words
    assert acted(staff, session, "check") is ExampleState.CHECKED
    observer.get("/good-practices", expect=200)
    assert "A court for children" not in observer.text
    assert acted(staff, session, "clear") is ExampleState.CLEARED
    observer.get("/good-practices")
    assert "A court for children" in observer.text
    assert acted(staff, session, "use", expect=422) is ExampleState.CLEARED
    assert acted(staff, session, "use", "Fourth report, paragraph 31") is ExampleState.USED
    focal.get("/examples", follow=True)
    assert "Used" in focal.words
    events = session.scalars(select(ExampleEvent).order_by(ExampleEvent.number)).all()
    assert [(one.number, one.action.value) for one in events] == [(1, "send"), (2, "check"), (3, "clear"), (4, "use")]
    assert acted(staff, session, "take_back", "It closed.") is ExampleState.CHECKED
    observer.get("/good-practices")
    assert "A court for children" not in observer.text


def test_without_consent_nothing_is_cleared(client_for, scene, session):
    send(client_for(scene.focal), scene, consent=[])
    staff = client_for(scene.coordinator)
    acted(staff, session, "check")
    assert acted(staff, session, "clear", expect=422) is ExampleState.CHECKED
    assert "has not agreed to publication" in staff.words
    assert acted(staff, session, "refuse", "Not ours to tell.") is ExampleState.REFUSED


def test_what_is_missing_is_said_all_at_once(client_for, scene, session):
    client = client_for(scene.focal)
    send(client, scene, expect=422, recommendation="", url="court", **{"title@en": " ", "text@en": ""})
    for words in ("Choose the recommendation", "Give the example a title", "what was done", "beginning with https"):
        assert words in client.words
    assert session.scalars(select(Example)).all() == []


def test_another_institution_and_an_act_out_of_turn_lead_nowhere(client_for, scene, session):
    send(client_for(scene.focal), scene)
    one = session.scalars(select(Example)).one()
    stranger = client_for(scene.stranger)
    stranger.get(f"/examples/{one.public_id}", expect=404)
    stranger.get("/examples", expect=200)
    assert "A court for children" not in stranger.text
    staff = client_for(scene.coordinator)
    staff.get(f"/examples/{one.public_id}")
    staff.post(f"/examples/{one.public_id}/use", {"reason": "Report"}, expect=409)
    staff.post(f"/examples/{one.public_id}/send", {}, expect=404)


def test_its_file_is_kept_and_checked_like_evidence(app, client_for, scene, session):
    client = client_for(scene.focal)
    client.get("/examples/send")
    form = {
        "csrf_token": client.token(), "recommendation": scene.cited.public_id, "title@en": "A court",
        "text@en": "Opened.", "file": (io.BytesIO(b"when, where\n1, 2\n"), "list.csv"),
    }  # fmt: skip
    client.post("/examples/send", form, content_type="multipart/form-data", follow=True)
    one = session.scalars(select(Example)).one()
    given = client.get(f"/examples/{one.public_id}/file", expect=200)
    assert "attachment" in given.headers["Content-Disposition"]
    folder = app.config["SETTINGS"].evidence_dir
    path = folder / one.sha256[:2] / one.sha256
    assert orphans(session, [path]) == []
    path.write_bytes(b"something else")
    assert any("list.csv" in fault for fault in evidence_faults(session.connection(), folder))


def test_the_workbook_holds_cleared_examples_among_the_good_practices(client_for, scene, session):
    send(client_for(scene.focal), scene)
    staff = client_for(scene.coordinator)
    acted(staff, session, "check")

    def practices():
        client = client_for(scene.writer)
        client.get("/rounds/periodic-4/workbooks")
        client.submit("/rounds/periodic-4/workbooks")
        link = client.page.xpath("//a[contains(@href, '/workbooks/')]/@href")[0]
        book = openpyxl.load_workbook(io.BytesIO(client.get(link).data))
        return [str(cell.value) for row in book["Good practices"].iter_rows() for cell in row]

    assert not any("A court for children" in one for one in practices())
    acted(staff, session, "clear")
    assert any("A court for children" in one for one in practices())
