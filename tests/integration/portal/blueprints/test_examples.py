"""Examples of recommendations carried out: sent, checked, cleared, used; only cleared ones are seen outside."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import func, select, update

from portal import clock
from portal.models import Example, ExampleEvent, ExampleState, Institution, Role, StaffRole
from portal.queries.dump import evidence_faults
from portal.services.housekeeping import orphans
from tests import factories, scenes
from tests.integration.portal.api.test_api import Caller

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    moj = factories.institution(session, "MOJ")
    made.cited = made.recommendations[0]
    made.focal, made.focal_at = factories.person(session, moj, Role.FOCAL_POINT), moj.id
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
    one = session.scalars(select(Example)).one()
    staff.get(f"/examples/{one.public_id}", expect=200)
    assert not staff.page.xpath("//form[contains(@action, '/clear')]"), "it is not offered, the page says what is missing"
    assert "has not agreed to publication" in staff.words
    staff.post(f"/examples/{one.public_id}/clear", expect=422)
    assert "has not agreed to publication" in staff.words
    session.expire_all()
    assert session.scalars(select(Example)).one().state is ExampleState.CHECKED
    assert acted(staff, session, "refuse", "Not ours to tell.") is ExampleState.REFUSED
    # whatever its state says, what was not agreed to is published nowhere
    observer = client_for(scene.observer)
    for agreed in (False, True):
        session.execute(update(Example).values(state=ExampleState.CLEARED, consent=agreed))
        observer.get("/good-practices", expect=200)
        assert ("A court for children" in observer.text) is agreed


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


def test_a_recommendation_without_a_heading_is_named_by_its_gist(client_for, scene, session):
    scene.cited.heading, scene.cited.summary = {}, {"en": "Open courts for children", "km": "បើកតុលាការ"}
    session.commit()
    client = client_for(scene.focal)
    client.get("/examples/send", expect=200)
    chosen = client.page.xpath(f"string(//option[@value='{scene.cited.public_id}'])")
    assert chosen.endswith(("បើកតុលាការ", "Open courts for children"))
    send(client, scene)
    client.get("/examples", expect=200)
    assert client.page.xpath("//p[@class='over']/span[.='Open courts for children' or .='បើកតុលាការ']")


def csv(text=b"when, where\n1, 2\n", name="list.csv"):
    return io.BytesIO(text), name


def test_a_file_is_not_lost_with_a_link_that_is_refused(client_for, scene, session):
    client = client_for(scene.focal)
    send(client, scene, expect=422, url="www.example.org", file=csv())
    assert "“list.csv” was received" in client.words
    assert session.scalars(select(Example)).all() == []
    # a file that is not taken does not drive it out either
    client.submit(0, url="www.example.org", file=csv(b"MZ", "virus.exe"), expect=422)
    client.submit(0, url="https://www.example.org", expect=200)
    one = session.scalars(select(Example)).one()
    assert (one.filename, one.url) == ("list.csv", "https://www.example.org")
    given = client.get(f"/examples/{one.public_id}/file", expect=200)
    assert given.get_data() == b"when, where\n1, 2\n"


def test_a_file_that_was_received_may_stay_behind_or_be_another(client_for, scene, session):
    client = client_for(scene.focal)
    send(client, scene, expect=422, url="www", file=csv())
    client.submit(0, url="", kept_file=[], expect=200)
    assert session.scalars(select(Example)).one().filename is None
    send(client, scene, expect=422, url="www", file=csv())
    client.submit(0, url="", file=csv(name="other.csv"), expect=200)
    assert session.scalars(select(Example).order_by(Example.id.desc())).first().filename == "other.csv"


def test_a_received_file_goes_with_its_own_sender_and_for_its_time_only(client_for, scene, session):
    client = client_for(scene.focal)
    send(client, scene, expect=422, url="www", file=csv())
    ticket = client.page.xpath("string(//input[@name='kept_file']/@value)")
    stranger = client_for(scene.stranger)
    for wrong in (ticket, ticket[:-2], "x"):
        send(stranger, scene, expect=422, kept_file=wrong)
        assert "The file is kept no longer. Choose it again." in stranger.words
    assert session.scalars(select(Example)).all() == []


# what follows from what: (state, act) -> the state after it; in brackets acts that need a reason
FOLLOWS = {
    ("candidate", "check"): "checked", ("candidate", "refuse"): "[refused]",
    ("checked", "clear"): "cleared", ("checked", "refuse"): "[refused]",
    ("cleared", "use"): "[used]", ("cleared", "take_back"): "[checked]",
    ("used", "take_back"): "[checked]",
    ("refused", "check"): "[checked]",
}  # fmt: skip


@pytest.mark.parametrize("door", ["page", "api"])
def test_every_act_follows_from_its_states_alone_by_whoever_may_judge(app, client_for, scene, session, door):
    """Candidate, checked, cleared, used: no step is left out, by no door, and nobody but the coordinator takes one."""
    send(client_for(scene.focal), scene)
    one = session.scalars(select(Example)).one()
    people = {name: getattr(scene, name) for name in ("coordinator", "writer", "observer", "focal", "stranger")}
    people["admin"] = factories.staff(session, StaffRole.ADMINISTRATOR)
    callers = {name: Caller(app, session, person, name) if door == "api" else client_for(person)
               for name, person in people.items()}  # fmt: skip

    def act(name, state, action, reason=""):
        """Do it from a state; return the status and the state it led to."""
        session.execute(update(Example).values(state=ExampleState(state)))
        session.commit()
        if door == "api":
            given = {"act": action, "reason": reason} if reason else {"act": action}
            seen = callers[name].post(f"/examples/{one.public_id}/acts", given).status_code
        else:
            seen = callers[name].post(f"/examples/{one.public_id}/{action}", {"reason": reason}, check=False).status_code
        session.expire_all()
        return seen, session.scalars(select(Example.state)).one().value

    done = 200 if door == "api" else 303
    for state in ExampleState:
        for action in ("check", "clear", "use", "refuse", "take_back"):
            after = FOLLOWS.get((state.value, action), "")
            expected = (done, after.strip("[]")) if after else (409, state.value)
            assert act("coordinator", state, action, "Because.") == expected, (state, action)
            if after.startswith("["):
                for nothing in ("", "  "):
                    assert act("coordinator", state, action, nothing) == (422, state.value), (state, action)
            elif after:
                assert act("coordinator", state, action) == (done, after)
    for name in sorted(people.keys() - {"coordinator"}):
        for state, action in FOLLOWS:
            # who may not see an example is not told that there is one
            refused = 403 if name in {"writer", "focal"} else 404
            assert act(name, state, action, "Because.") == (refused, state), (name, state, action)
    # what an institution did not agree to is cleared by no door
    session.execute(update(Example).values(consent=False))
    assert act("coordinator", "checked", "clear") == (422, "checked")
    assert act("coordinator", "candidate", "send", "Because.")[0] == (422 if door == "api" else 404)


def test_only_a_focal_point_or_alternate_sends_an_example(app, client_for, scene, session):
    home = session.get_one(Institution, scene.focal_at)
    people = {role: factories.person(session, home, role) for role in Role}
    people |= {role: factories.staff(session, role) for role in StaffRole}
    session.commit()
    body = {"recommendation": scene.cited.public_id, "titles": {"en": "A court"}, "texts": {"en": "Opened."}}
    form = {"recommendation": scene.cited.public_id, "title@en": "A court", "text@en": "Opened."}
    for role, person in people.items():
        may = role in {Role.FOCAL_POINT, Role.ALTERNATE}
        before = session.scalar(select(func.count()).select_from(Example))
        machine, browser = Caller(app, session, person, role.value), client_for(person)
        assert machine.post("/examples", body).status_code == (201 if may else 403), role
        assert browser.get("/examples/send").status_code == (200 if may else 403), role
        assert browser.post("/examples/send", form).status_code == (303 if may else 403), role
        session.expire_all()
        assert session.scalar(select(func.count()).select_from(Example)) == before + 2 * may, role
    assert set(session.scalars(select(Example.institution_id))) == {home.id}


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
