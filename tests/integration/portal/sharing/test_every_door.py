"""Every door of what is shared, by every method: closed to another link's code, after its day, and beside its questions."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal import clock
from portal.models import (
    AnswerRevision,
    Delegation,
    Evidence,
    EvidenceKind,
    ItemKind,
    Membership,
    Presence,
    Question,
    Role,
    VersionItem,
)
from tests import factories
from tests.client import Client
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_scope import come_in, hand_out

JSON = {"Accept": "application/json"}
TEXT = b"A decision of the province."
ID = "0123456789abcdef0123456789abcdef"
DOORS = [
    ("GET", ""), ("GET", "/pages/page1"), ("POST", "/pages/page1"), ("GET", "/pages/page1/here"),
    ("POST", "/pages/page1/here"), ("GET", "/finish"), ("POST", "/finish"), ("GET", "/keys"), ("GET", "/files/1"),
    ("POST", "/files/1/remove"), ("POST", "/questions/proof/files"), ("GET", f"/uploads/{ID}"),
    ("PUT", f"/uploads/{ID}?offset=0"),
]  # fmt: skip
CLOSED = {401, 403, 404, 409}


@pytest.fixture
def world(session):
    """A reply with ``proof`` on its first page and a second page with ``other`` and ``paper``, which takes files too."""
    made = table_world(session)
    page = session.scalars(select(VersionItem).where(VersionItem.code == "page1")).one()
    factories.question(session, made.version, "proof", "file", parent=page)
    second = factories.item(session, made.version, "page2", kind=ItemKind.SECTION)
    factories.question(session, made.version, "other", "integer", parent=second)
    factories.question(session, made.version, "paper", "file", parent=second)
    session.commit()
    return made


@pytest.fixture
def guest(app, session, world, client_for):
    """A browser that was let in to ``beds`` and ``proof``, and has sent a file."""
    world.chief, world.link, world.code = hand_out(client_for, world, ("beds", "proof"))
    made = come_in(app, session, world.link, world.code)
    world.work = "/shared/work/" + session.scalars(select(Delegation.public_id)).one()
    assert through(made, world.work, "POST", "/questions/proof/files") == 303
    return made


def through(browser, work, method, door, headers=None):
    """Go through a door as a page would, or (``JSON``) as a script; return the status."""
    if method == "GET":
        return browser.get(work + door, headers=headers, check=False).status_code
    if method == "PUT":
        sent = JSON | {"X-CSRFToken": browser.token(), "Content-Type": "application/octet-stream"}
        return browser.open(work + door, method="PUT", data=TEXT, headers=sent, check=False).status_code
    fields = {"beds": "5", "base:beds": "0", "message": "Done."}
    if door.startswith("/questions"):
        fields = {door.split("/")[2]: (io.BytesIO(TEXT), "decision.txt")}
    return browser.post(work + door, fields, headers=headers, check=False).status_code


def written(session, app):
    """All that any of the doors writes."""
    session.expire_all()
    counts = [session.scalar(select(func.count()).select_from(one)) for one in (AnswerRevision, Evidence, Presence)]
    rows = session.execute(select(Delegation.finished_at, Delegation.message).order_by(Delegation.id)).all()
    removed = session.scalars(select(Evidence.removed_at)).all()
    of = app.config["SETTINGS"]
    return counts, rows, removed, {one for one in (*of.tmp_dir.rglob("*"), *of.evidence_dir.rglob("*")) if one.is_file()}


def all_closed(app, session, browser, work):
    """Try every door twice, as a page and as a script; nothing opens, nothing is written."""
    before = written(session, app)
    seen = {
        f"{method} {door} {'script' if headers else ''}": through(browser, work, method, door, headers)
        for method, door in DOORS
        for headers in (None, JSON)
    }
    assert {door: status for door, status in seen.items() if status not in CLOSED} == {}
    assert TEXT not in browser.response.get_data()
    assert written(session, app) == before


def test_every_door_is_open_to_whoever_was_let_in(session, world, guest):
    seen = {f"{method} {door}": through(guest, world.work, method, door) for method, door in DOORS}
    assert {door: status for door, status in seen.items() if status in CLOSED or status >= 500} == {}


def test_what_was_taken_back_or_ran_out_opens_no_door(app, session, world, guest):
    one = session.scalars(select(Delegation)).one()
    with clock.at(one.expires_at):
        all_closed(app, session, guest, world.work)
        for method in ("get", "post"):
            assert getattr(guest, method)(world.link, **({"data": {"code": world.code}} if method == "post" else {})).status_code == 404
    session.execute(update(Delegation).values(revoked_at=clock.now()))
    all_closed(app, session, guest, world.work)
    fresh = Client(app, session)
    fresh.get("/login")
    assert fresh.post(world.link, {"code": world.code}).status_code == 404
    fresh.get(world.work, expect=404)


def test_a_new_link_closes_every_door_of_the_old_one(app, session, world, guest):
    one = session.scalars(select(Delegation)).one()
    world.chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    world.chief.post(f"/delegations/{one.public_id}/renew", {"until": "2099-01-01"}, expect=200)
    all_closed(app, session, guest, world.work)
    fresh = world.chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    # the old link is dead, and the old code does not fit the new one
    assert guest.post(world.link, {"code": world.code}).status_code == 404
    assert guest.post(fresh, {"code": world.code}).status_code == 422
    all_closed(app, session, guest, world.work)


def test_the_code_of_one_link_does_not_open_another(app, session, world, guest, client_for):
    _chief, link, code = hand_out(client_for, world, ("measures", "proof"), name="Kandal department")
    other = session.scalars(select(Delegation.public_id).where(Delegation.name == "Kandal department")).one()
    for browser in (Client(app, session), guest):
        browser.get(link, expect=200)
        assert browser.post(link, {"code": world.code}).status_code == 422
        all_closed(app, session, browser, f"/shared/work/{other}")
    stranger = Client(app, session)
    stranger.get(world.link, expect=200)
    assert stranger.post(world.link, {"code": code}).status_code == 422
    all_closed(app, session, stranger, world.work)
    # a cookie that somebody made up, or cut out of another one, is none
    kept = guest._client.get_cookie("tamdan-shared", path="/shared").value
    stranger._client.set_cookie("tamdan-shared", kept.rpartition(".")[0] + ".x", path="/shared")
    all_closed(app, session, stranger, world.work)
    come_in(app, session, link, code)


def test_nothing_beside_the_shared_questions_is_reached_by_any_method(app, session, world, guest):
    number = dict(session.execute(select(Question.code, Question.id)).all())["paper"]
    shown = session.scalars(select(Evidence)).one()
    session.add(
        Evidence(
            submission_id=world.reply.id, round_id=world.round.id, number=2, question_id=number,
            kind=EvidenceKind.FILE, sha256=shown.sha256, filename="theirs.txt", media_type="text/plain", size=1,
            added_by=shown.added_by, added_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    before = written(session, app)
    beside = [
        ("GET", "/pages/page2"), ("POST", "/pages/page2"), ("GET", "/pages/page2/here"), ("POST", "/pages/page2/here"),
        ("POST", "/questions/paper/files"), ("POST", "/questions/other/files"), ("GET", "/files/2"),
        ("POST", "/files/2/remove"), ("GET", "/pages/nothing"), ("POST", "/pages/nothing"),
    ]  # fmt: skip
    seen = {f"{method} {door}": through(guest, world.work, method, door) for method, door in beside}
    assert seen == dict.fromkeys(seen, 404)
    assert written(session, app) == before


def test_a_share_for_a_colleague_has_no_link_and_ends_with_the_part(app, session, world, client_for):
    colleague = factories.person(session, world.at, Role.READER)
    second = factories.institution(session, "moi")
    factories.membership(session, colleague, second, Role.READER)
    _chief, link, code = hand_out(client_for, world, ("beds", "proof"))
    one = session.scalars(select(Delegation)).one()
    one.user_id = colleague.id
    session.commit()
    work = f"/shared/work/{one.public_id}"
    anybody = Client(app, session)
    anybody.get(link, expect=404)
    assert anybody.post(link, {"code": code}).status_code == 404
    all_closed(app, session, anybody, work)
    mine = client_for(colleague)
    mine.get(f"{work}/pages/page1", expect=200)
    here = (Membership.user_id == colleague.id) & (Membership.institution_id == world.at.id)
    session.execute(update(Membership).where(here).values(ended_at=clock.now() - timedelta(seconds=1)))
    session.commit()
    all_closed(app, session, client_for(colleague), work)
