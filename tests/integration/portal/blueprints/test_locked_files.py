"""A file of a question that is locked stays as it is: nothing is attached, described or taken off, by no page."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select, update

from portal.models import (
    AssignmentDocument,
    Delegation,
    DocumentState,
    Evidence,
    ItemKind,
    Status,
    Submission,
    VersionItem,
)
from tests import factories
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.integration.portal.sharing.test_scope import come_in, hand_out

pytestmark = pytest.mark.engines
JSON = {"Accept": "application/json"}
OPEN = frozenset({Status.ISSUED, Status.IN_PROGRESS, Status.RETURNED})
TEXT, OTHER = b"A decision.", b"Another decision."
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def world(session):
    """A reply with a file question ``proof`` and a table ``trainings`` with a column of files, ``list``."""
    made = table_world(session)
    found = {one.code: one for one in session.scalars(select(VersionItem).where(VersionItem.kind != ItemKind.QUESTION))}
    factories.question(session, made.version, "proof", "file", parent=found["page1"])
    factories.question(session, made.version, "list", "file", parent=found["trainings"])
    session.commit()
    made.path = f"/replies/{made.reply.public_id}"
    return made


def stands(session, status, unlocked=None):
    session.execute(update(Submission).values(status=status, unlocked=unlocked))
    session.commit()


def attach(client, base, place, content=TEXT, expect=201):
    code, _bracket, row = place.partition("[")
    address = f"{base}/questions/{code}/files" + (f"?row={row[:-1]}" if row else "")
    data = {"csrf_token": client.token(), place: (io.BytesIO(content), "decision.txt")}
    return client.open(
        address, method="POST", data=data, content_type="multipart/form-data", headers=JSON, check=False, expect=expect
    ).get_json()


def piece(client, base, expect):
    return client.open(
        f"{base}/uploads/{ID}?offset=0", method="PUT", data=TEXT, expect=expect, check=False,
        headers=JSON | {"X-CSRFToken": client.token(), "Content-Type": "application/octet-stream"},
    )  # fmt: skip


def standing(session):
    """What is attached: number, caption."""
    session.expire_all()
    found = select(Evidence).where(Evidence.removed_at.is_(None)).order_by(Evidence.number)
    return [(one.number, one.caption) for one in session.scalars(found)]


def kept(app):
    return {one for one in app.config["SETTINGS"].evidence_dir.rglob("*") if one.is_file()}


def locked_states():
    """Every state in which neither ``proof`` nor the table is open."""
    return [(Status.RETURNED, ["beds"]), *((one, None) for one in sorted(set(Status) - OPEN))]


@pytest.mark.parametrize(("status", "unlocked"), locked_states())
def test_what_is_locked_or_handed_in_keeps_its_files(app, client_for, session, world, status, unlocked):
    client = client_for(world.focal)
    client.get(f"{world.path}/pages/page1", expect=200)
    for place in ("proof", f"list[{ROW_A}]"):
        attach(client, world.path, place)
    ids = session.scalars(select(Evidence.public_id).order_by(Evidence.number)).all()
    before, files = standing(session), kept(app)
    stands(session, status, unlocked)
    for place in ("proof", f"list[{ROW_A}]", f"list[{ROW_B}]"):
        assert attach(client, world.path, place, OTHER, 409)["code"] == "illegal_transition"
    for one in ids:
        client.post(f"/evidence/{one}/remove", {}, headers=JSON, expect=409)
        client.post(f"/evidence/{one}/describe", {"caption": "x", "visibility": "public"}, headers=JSON, expect=409)
    piece(client, world.path, 200 if status is Status.RETURNED else 409)
    assert (standing(session), kept(app)) == (before, files), "not even the bytes were kept"


def test_what_a_return_opened_takes_files_and_the_rest_does_not(client_for, session, world):
    client = client_for(world.focal)
    client.get(f"{world.path}/pages/page1", expect=200)
    for place in ("proof", f"list[{ROW_A}]"):
        attach(client, world.path, place)
    proof, row = session.scalars(select(Evidence.public_id).order_by(Evidence.number)).all()
    stands(session, Status.RETURNED, ["proof"])
    attach(client, world.path, f"list[{ROW_A}]", OTHER, 409)
    client.post(f"/evidence/{row}/remove", {}, headers=JSON, expect=409)
    attach(client, world.path, "proof", OTHER)
    client.post(f"/evidence/{proof}/describe", {"caption": "x", "visibility": "public"}, headers=JSON, expect=303)
    # a column opens its cells, and no new row
    stands(session, Status.RETURNED, ["list"])
    attach(client, world.path, "proof", OTHER, 409)
    attach(client, world.path, f"list[{ROW_A}]", OTHER)
    attach(client, world.path, f"list[{ROW_B}]", OTHER, 422)
    # the table opens its rows
    stands(session, Status.RETURNED, ["trainings"])
    attach(client, world.path, f"list[{ROW_B}]", OTHER)
    client.post(f"/evidence/{row}/remove", {}, headers=JSON, expect=200)
    client.post(f"/evidence/{proof}/remove", {}, headers=JSON, expect=409)
    assert len(standing(session)) == 4


def test_a_delegate_attaches_nothing_to_what_a_return_left_closed(app, client_for, session, world):
    _chief, link, code = hand_out(client_for, world, ("proof", "trainings"))
    guest = come_in(app, session, link, code)
    work = "/shared/work/" + session.scalars(select(Delegation.public_id)).one()
    guest.get(f"{work}/pages/page1", expect=200)
    number = attach(guest, work, "proof")["number"]
    before, files = standing(session), kept(app)
    for status, unlocked in locked_states():
        stands(session, status, unlocked)
        for place in ("proof", f"list[{ROW_A}]"):
            seen = attach(guest, work, place, OTHER, None)
            assert (guest.response.status_code in {404, 409}, standing(session)) == (True, before), (status, seen)
        guest.post(f"{work}/files/{number}/remove", {}, headers=JSON)
        assert (guest.response.status_code in {404, 409, 422}, standing(session)) == (True, before), status
        piece(guest, work, 409)
    assert kept(app) == files
    stands(session, Status.RETURNED, ["proof"])
    attach(guest, work, f"list[{ROW_A}]", OTHER, 404)
    attach(guest, work, "proof", OTHER)


def test_the_secretariat_attaches_nothing_to_what_is_closed_on_paper(app, client_for, session, world):
    coordinator = client_for(factories.staff(session))
    desk = f"/review/{world.reply.public_id}"
    session.commit()
    coordinator.get(f"{desk}/documents", expect=200)
    coordinator.post(f"{desk}/documents", {"file": (io.BytesIO(TEXT), "return.txt")}, headers=JSON, expect=201)
    paper = f"{desk}/paper/" + session.scalars(select(AssignmentDocument.public_id)).one()
    attach(coordinator, paper, "proof")
    before, files = standing(session), kept(app)
    for status, unlocked in locked_states():
        stands(session, status, unlocked)
        for place in ("proof", f"list[{ROW_A}]"):
            attach(coordinator, paper, place, OTHER, 409)
        piece(coordinator, desk, 200 if status is Status.RETURNED else 409)
        if status is not Status.RETURNED:
            coordinator.get(f"{paper}/pages/page1", expect=409)
    # nor from a document that was set aside
    stands(session, Status.IN_PROGRESS)
    session.execute(update(AssignmentDocument).values(state=DocumentState.SET_ASIDE, reason="x"))
    attach(coordinator, paper, "proof", OTHER, 409)
    coordinator.post(f"{paper}/pages/page1", {"beds": "3", "base:beds": "0"}, headers=JSON, expect=409)
    coordinator.post(f"{paper}/finish", {}, expect=409)
    assert (standing(session), kept(app)) == (before, files)
