"""Packs, receipts, examples and last reports over the API: one's own, once, against the revision that was seen."""

from __future__ import annotations

import hashlib
import io

import pytest
from sqlalchemy import select

from portal.models import (
    Assignment,
    AuditEvent,
    Example,
    Institution,
    QuestionnaireVersion,
    ReportingRound,
    Role,
    Snapshot,
    Submission,
)
from portal.queries.submissions import head_by_id
from portal.services import packs
from tests import factories
from tests.factories import PASSWORD
from tests.integration.portal.api import test_api

world, PDF = test_api.world, test_api.PDF
EVERYBODY = {"focal", "approver", "reader", "stranger", "coordinator", "writer", "admin", "observer"}
# to whom a thing of an institution does not exist
UNKNOWN = dict.fromkeys(("stranger", "admin", "observer"), 404)


def test_a_pack_and_its_receipt_are_told_to_whom_they_belong(world, session):
    world.focal.post(world.path + "/answers", test_api.FULL)
    assert world.focal.post(world.path + "/complete").status_code == 200
    assert world.focal.get("/packs?round=round-1").json == {"items": []}
    session.rollback()
    reply = session.get_one(Submission, world.reply.id)
    institution = session.get_one(Institution, session.get_one(Assignment, reply.assignment_id).institution_id)
    by = factories.principal(session, session.merge(world.people["focal"]), institution)
    made = packs.print_pack(session, [head_by_id(session, reply.id)], by=by)
    public_id, code = made.public_id, made.code
    session.commit()
    [pack] = world.reader.get("/packs?round=round-1").json["items"]
    assert (pack["id"], pack["code"], pack["state"]) == (public_id, code, "out")
    assert pack["replies"][0] | {"sha256": ""} == {
        "submission": reply.public_id, "sha256": "", "in_pack": True, "signed": False, "receipt": None,
    }  # fmt: skip
    assert world.focal.get(f"/packs/{public_id}").json == pack
    for outside in ("stranger", "coordinator", "writer"):
        assert getattr(world, outside).get(f"/packs/{public_id}").status_code == 404, outside
    assert world.stranger.get("/packs?round=round-1").json == {"items": []}
    assert world.coordinator.get("/packs?round=round-1").status_code == 403
    assert world.focal.get("/packs?round=none").status_code == 404
    assert world.focal.get("/packs").status_code == 422
    # signed on screen after all: the reply leaves the pack, and has a receipt
    assert world.approver.post(world.path + "/sign-off", {"password": PASSWORD}).status_code == 200
    assert world.focal.get(f"/packs/{public_id}").json["replies"][0]["in_pack"] is False
    receipt = session.scalars(select(Snapshot.code).where(Snapshot.submission_id == reply.id)).one()
    told = world.focal.get(f"/receipts/{receipt}").json
    assert (told["action"], told["stands"], told["whole"], told["answers"]) == ("sign_off", True, True, 3)
    assert world.coordinator.get(f"/receipts/{receipt.lower()}").json == told
    assert world.stranger.get(f"/receipts/{receipt}").status_code == 404
    assert world.stranger.get("/receipts/nothing").status_code == 404
    assert world.focal.post(world.path + "/recall").status_code == 200
    ended = world.focal.get(f"/receipts/{receipt}").json
    assert (ended["stands"], ended["ended_by"]) == (False, "recall")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00038301804a5e"
    "6d3c0000000049454e44ae426082"
)


def test_the_signed_cover_of_a_pack_is_sent_by_whoever_may_send_it_on_the_page(app, world, session):
    world.focal.post(world.path + "/answers", test_api.FULL)
    assert world.focal.post(world.path + "/complete").status_code == 200
    session.rollback()
    reply = session.get_one(Submission, world.reply.id)
    institution = session.get_one(Institution, session.get_one(Assignment, reply.assignment_id).institution_id)
    by = factories.principal(session, session.merge(world.people["focal"]), institution)
    made = packs.print_pack(session, [head_by_id(session, reply.id)], by=by)
    path = f"/packs/{made.public_id}/cover"
    session.commit()

    def send(caller=world.focal, content=PNG, name="cover.png", to=path, **more):
        given = {
            "cover": (io.BytesIO(content), name), "letter_number": "123 MOJ", "letter_on": str(factories.today()),
            "signer_post": "Director",
        }  # fmt: skip
        key = more.pop("key", None)
        return caller.call(
            "POST", to, data={field: one for field, one in (given | more).items() if one is not None}, key=key
        )

    def stands():
        return world.focal.get(path.removesuffix("/cover")).json["state"]

    # another institution's token and a secretariat's find no pack; a reader's may not send
    refused = {one: send(getattr(world, one)).status_code for one in EVERYBODY - {"focal", "approver"}}
    assert refused == dict.fromkeys(("stranger", "coordinator", "writer", "admin", "observer"), 404) | {"reader": 403}
    anonymous = app.test_client(use_cookies=False).post(f"/api/v1{path}", data={"cover": (io.BytesIO(PNG), "cover.png")})
    assert anonymous.status_code == 401
    assert send(to=f"/packs/{'0' * 32}/cover").status_code == 404
    assert send(to="/packs/none/cover").status_code == 404
    # as on the page: a file in disguise, one of another kind, one too large, nothing written on it
    disguised = send(content=b"MZ" + b"x" * 60)
    assert (disguised.status_code, disguised.json["code"]) == (422, "file_refused")
    assert send(content=test_api.PDF, name="cover.docx").json["code"] == "file_refused"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update={"evidence_max_mb": 0}))
        assert send().json["code"] == "file_too_large"
    for missing in ("cover", "letter_number", "letter_on"):
        told = send(**{missing: None})
        assert (told.status_code, {one["field"] for one in told.json["problems"]}) == (422, {missing})
    assert send(letter_on="yesterday").status_code == 422
    assert send(letter_number="1" * 121).status_code == 422
    assert stands() == "out", "nothing was signed by what was refused"
    # once, with its key; the same again is answered the same, another content is refused
    done = send(key="cover-1")
    assert done.status_code == 200, done.text
    assert (done.json["state"], done.json["letter_number"], done.json["letter_on"], done.json["signer_post"]) == (
        "signed", "123 MOJ", str(factories.today()), "Director"
    )  # fmt: skip
    assert done.json["cover_sha256"] == hashlib.sha256(PNG).hexdigest()
    assert [(one["signed"], one["in_pack"]) for one in done.json["replies"]] == [(True, False)]
    again = send(key="cover-1")
    assert (again.json, again.headers["Idempotent-Replayed"]) == (done.json, "true")
    assert send(key="cover-1", letter_number="124").status_code == 422
    late = send()
    assert (late.status_code, late.json["code"]) == (409, "pack_signed")
    told = world.focal.get(world.path).json
    assert (told["status"], told["signature"]) == ("submitted", "paper")
    acts = session.scalars(select(AuditEvent).where(AuditEvent.action == "sign_pack")).all()
    assert [one.details["letter"] for one in acts] == ["123 MOJ"]
    spec = app.test_client().get("/api/v1/openapi.json").json
    described = spec["paths"]["/api/v1/packs/{public_id}/cover"]["post"]
    assert described["operationId"] == "sendCover"
    assert "multipart/form-data" in described["requestBody"]["content"]


def test_several_replies_are_signed_in_one_act_by_whoever_knows_the_password(world, session):
    reply = session.get_one(Submission, world.reply.id)
    first = session.get_one(Assignment, reply.assignment_id)
    institution = session.get_one(Institution, first.institution_id)
    second = factories.assignment(
        session, institution, session.get_one(ReportingRound, first.round_id), [factories.recommendation(session)],
        session.get_one(QuestionnaireVersion, first.version_id),
    )  # fmt: skip
    other = factories.submission(session, second)
    session.commit()
    ids = [world.reply.public_id, other.public_id]
    read = []
    for one in ids:
        world.focal.post(f"/submissions/{one}/answers", test_api.FULL)
        read.append({"id": one, "event": world.focal.post(f"/submissions/{one}/complete").json["event"]})

    def sign(caller=world.approver, submissions=read, **more):
        return caller.post("/sign-off", {"submissions": submissions} | more)

    def states():
        return {world.focal.get(f"/submissions/{one}").json["status"] for one in ids}

    missing = sign()
    assert (missing.status_code, missing.json["problems"][0]["field"]) == (422, "password"), (
        "a token alone signs nothing"
    )
    assert sign(password="guess").json["code"] == "wrong_password"
    assert sign(world.stranger, password=PASSWORD).status_code in {403, 404}
    assert sign(world.focal, password=PASSWORD).status_code == 403
    assert sign(submissions=[], password=PASSWORD).status_code == 422
    # one was handed back and completed anew: what was read is not what stands, and none is signed
    world.approver.post(f"/submissions/{ids[1]}/decline", {"reason": "Which year?"})
    again = world.focal.post(f"/submissions/{ids[1]}/complete").json["event"]
    assert sign(password=PASSWORD).status_code == 409
    assert states() == {"awaiting_sign_off"}
    signed = sign(submissions=[read[0], {"id": ids[1], "event": again}], password=PASSWORD)
    assert [(one["id"], one["status"], one["signature"]) for one in signed.json["items"]] == [
        (one, "submitted", "signed") for one in ids
    ]
    assert sign(submissions=[{"id": ids[0]}], password=PASSWORD).status_code == 409
    assert len(session.scalars(select(Snapshot)).all()) == 2


def test_who_may_not_sign_is_told_before_a_password_is_looked_at(app, world, session):
    elsewhere = session.scalars(select(Institution).where(Institution.code == "bbb")).one()
    theirs = factories.person(session, elsewhere, Role.APPROVER)
    session.commit()
    world.focal.post(world.path + "/answers", test_api.FULL)
    body = {"submissions": [{"id": world.reply.public_id}], "password": "guess"}
    for handed_in in (False, True):
        if handed_in:
            world.focal.post(world.path + "/complete")
            assert world.approver.post(world.path + "/sign-off", {"password": PASSWORD}).status_code == 200
        for one in EVERYBODY - {"approver"}:
            refused = getattr(world, one).post("/sign-off", body)
            assert (refused.status_code, refused.json["code"]) == (403, "not_allowed"), one
        # what another institution wrote does not exist for its approver, right password or not
        caller = test_api.Caller(app, session, theirs, f"theirs{handed_in}")
        for password in ("guess", PASSWORD):
            assert caller.post("/sign-off", body | {"password": password}).status_code == 404
        nobody = app.test_client(use_cookies=False).post("/api/v1/sign-off", json=body)
        assert nobody.status_code == 401


def test_an_example_is_sent_once_and_judged_by_the_coordinator(world, session):
    of = factories.recommendation(session, paragraph="12").public_id
    session.commit()
    body = {
        "recommendation": of,
        "titles": {"en": "Mobile courts"},
        "texts": {"en": "Two new courts."},
        "consent": True,
    }
    made = world.focal.post("/examples", body, key="e")
    assert made.status_code == 201, made.json
    assert world.focal.post("/examples", body, key="e").json == made.json
    assert len(session.scalars(select(Example)).all()) == 1
    for wrong in ({"titles": {}}, {"titles": {"xx": "?"}}, {"url": "javascript:1"}, {"state": "cleared"}):
        assert world.focal.post("/examples", body | wrong).status_code == 422, wrong
    assert world.focal.post("/examples", body | {"recommendation": "0" * 32}).status_code == 404
    acts = f"/examples/{made.json['id']}/acts"
    assert world.coordinator.post(acts, {"act": "clear"}).json["code"] == "illegal_transition"
    assert world.coordinator.post(acts, {"act": "check"}).json["state"] == "checked"
    assert world.coordinator.post(acts, {"act": "refuse"}).json["code"] == "reason_required"
    assert world.coordinator.post(acts, {"act": "clear"}).json["state"] == "cleared"
    assert world.focal.get("/examples").json["items"][0]["state"] == "cleared"
    assert world.stranger.get("/examples").json == {"items": []}
    may = {"focal", "coordinator", "writer", "stranger"}
    assert {one for one in EVERYBODY if getattr(world, one).get("/examples").status_code == 200} == may
    judged = {one: getattr(world, one).post(acts, {"act": "check"}).status_code for one in EVERYBODY - {"coordinator"}}
    assert judged == dict.fromkeys(judged, 403) | UNKNOWN


def test_the_file_of_an_example_follows_it_until_it_is_checked(world, session):
    of = factories.recommendation(session, paragraph="12").public_id
    session.commit()
    body = {"recommendation": of, "titles": {"en": "Mobile courts"}, "texts": {"en": "Two new courts."}}
    sent = world.focal.post("/examples", body).json
    path = f"/examples/{sent['id']}/file"
    assert (sent["filename"], world.focal.get(path).status_code) == (None, 404)

    def attach(who, content=PDF, name="courts.pdf", **more):
        return who.post(path, data={"file": (io.BytesIO(content), name)}, **more)

    for wrong in ((b"", "a.pdf"), (PDF, "a.exe"), (b"<html>", "a.pdf"), (PDF, "a.php.pdf")):
        assert attach(world.focal, *wrong).status_code == 422, wrong
    assert world.focal.post(path, data={"note": "no file"}).status_code == 422
    made = attach(world.focal, key="f")
    assert (made.status_code, made.json["filename"], made.json["id"]) == (201, "courts.pdf", sent["id"])
    # sent again over a broken line, with its key and without: it is that file
    assert attach(world.focal, key="f").json == made.json
    assert attach(world.focal).json == made.json
    assert attach(world.focal, PDF + b"%").status_code == 409
    given = world.coordinator.get(path)
    assert (given.get_data(), given.headers["Content-Disposition"].partition(";")[0]) == (PDF, "attachment")
    sends = {one: attach(getattr(world, one)).status_code for one in EVERYBODY}
    assert sends == dict.fromkeys(sends, 403) | {"focal": 201} | UNKNOWN
    reads = {one: getattr(world, one).get(path).status_code for one in EVERYBODY}
    assert reads == dict.fromkeys(reads, 403) | {"focal": 200, "coordinator": 200, "writer": 200} | UNKNOWN
    other = world.focal.post("/examples", body).json["id"]
    assert world.coordinator.post(f"/examples/{other}/acts", {"act": "check"}).status_code == 200
    path = f"/examples/{other}/file"
    assert attach(world.focal).json["code"] == "illegal_transition"
    acts = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "attach_example_file")).all()
    assert len(acts) == 1


def test_what_a_report_said_is_written_against_the_revision_that_was_seen(world, session):
    path = f"/recommendations/{factories.recommendation(session, paragraph='12').public_id}/reported"
    session.commit()
    body = {
        "source": "CCPR/C/X/3",
        "paragraph": "44",
        "reported_on": "2021-03-31",
        "texts": {"en": "It said so."},
        "base": 0,
    }
    told = world.coordinator.post(path, body, key="r").json["items"]
    assert (told[0]["revision"], told[0]["newest"], told[0]["texts"]) == (1, True, {"en": "It said so."})
    assert world.coordinator.post(path, body).status_code == 409
    assert world.coordinator.post(path, body | {"base": 1, "texts": {"en": "It says more."}}).status_code == 200
    assert world.coordinator.get(path).json["items"][0]["texts"] == {"en": "It says more."}
    for wrong in ({"reported_on": "31/03/2021"}, {"texts": {}}, {"texts": {"xx": "?"}}, {"source": " "}):
        assert world.coordinator.post(path, body | {"base": 2} | wrong).status_code == 422, wrong
    for other in EVERYBODY - {"coordinator"}:
        assert getattr(world, other).get(path).status_code == 403, other
        assert getattr(world, other).post(path, body).status_code == 403, other
