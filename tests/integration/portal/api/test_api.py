"""The JSON API: tokens, the one gate for answers, verdicts, who sees what, and the same request only once."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from types import SimpleNamespace

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from sqlalchemy import func, select

from portal import clock
from portal.models import (
    AnswerRevision,
    ApiToken,
    AuditEvent,
    IdempotencyKey,
    Role,
    SignOffPolicy,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    VersionItem,
)
from portal.services.sessions import token_digest
from tests import factories

CANARY = "canary-answer-of-institution-a"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


class Caller:
    """A machine with a token."""

    def __init__(self, app, session, person, name):
        self.app, self.session = app, session
        self.token = f"tamdan_{name}_{'x' * 30}"
        session.add(ApiToken(user_id=person.id, name=name, token_hash=token_digest(self.token)))
        session.commit()

    def call(self, method, path, body=None, *, key=None, **more):
        self.session.commit()
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            more |= {"data": body if isinstance(body, str) else json.dumps(body), "content_type": "application/json"}
        response = self.app.test_client(use_cookies=False).open(
            f"/api/v1{path}", method=method, headers=headers, buffered=True, **more
        )
        self.session.rollback()
        self.session.expire_all()
        assert response.status_code < 500, response.text
        assert not response.headers.getlist("Set-Cookie")
        if response.status_code >= 400 and path.rpartition("/")[2] != "answers":
            assert response.mimetype == "application/problem+json"
            assert response.json["code"]
        return response

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)


@pytest.fixture
def world(app, session):
    a, b = factories.institution(session, "aaa"), factories.institution(session, "bbb")
    version = factories.questionnaire_version(session)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == "page1"))
    factories.question(session, version, "proof", "file", parent=page)
    in_round = factories.reporting_round(session, slug="round-1", sign_off_policy=SignOffPolicy.EITHER)
    reply = factories.submission(session, factories.assignment(session, a, in_round, version=version))
    other = factories.submission(session, factories.assignment(session, b, in_round, version=version))
    people = {
        "focal": factories.person(session, a, Role.FOCAL_POINT),
        "approver": factories.person(session, a, Role.APPROVER),
        "reader": factories.person(session, a, Role.READER),
        "stranger": factories.person(session, b, Role.FOCAL_POINT),
        "coordinator": factories.staff(session, StaffRole.COORDINATOR),
        "writer": factories.staff(session, StaffRole.REPORT_WRITER),
        "admin": factories.staff(session, StaffRole.ADMINISTRATOR),
        "observer": factories.staff(session, StaffRole.OBSERVER),
    }
    session.commit()
    callers = {name: Caller(app, session, person, name) for name, person in people.items()}
    return SimpleNamespace(
        reply=reply, other=other, path=f"/submissions/{reply.public_id}", people=people, session=session, **callers
    )


def answers(**values):
    return {"answers": [{"name": n.replace("__", "@"), "value": v, "base": 0} for n, v in values.items()]}


FULL = answers(state="done", measures__en=CANARY, beds=12)


@pytest.mark.parametrize("change", ["expired", "revoked", "person off", "unknown", "cookie only"])
def test_a_token_that_does_not_hold_is_refused(app, session, world, change):
    token = session.scalar(select(ApiToken).where(ApiToken.name == "focal"))
    header = {"Authorization": f"Bearer {world.focal.token}"}
    if change == "expired":
        token.expires_at = clock.now() - timedelta(seconds=1)
    elif change == "revoked":
        token.revoked_at = clock.now()
    elif change == "person off":
        world.people["focal"].active = False
    elif change == "unknown":
        header = {"Authorization": "Bearer " + "y" * 40}
    else:
        header = {}
    session.commit()
    browser = app.test_client()
    if change == "cookie only":
        from tests.client import Client

        signed_in = Client(app, session)
        signed_in.sign_in(world.people["focal"].login)
        browser = signed_in._client
    response = browser.get("/api/v1/me", headers=header)
    assert (response.status_code, response.json["code"]) == (401, "signed_out")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_does_not_open_pages(app, world):
    response = app.test_client().get("/account", headers={"Authorization": f"Bearer {world.focal.token}"})
    assert response.headers["Location"].startswith("/login")


def test_a_token_notes_its_use_rarely(session, world, count_queries):
    assert world.focal.get("/me").json["institution"]["code"] == "aaa"
    first = session.scalar(select(ApiToken.last_used_at).where(ApiToken.name == "focal"))
    assert first is not None
    with count_queries() as seen:
        world.focal.get("/me")
    assert len(seen) <= 2, seen
    assert session.scalar(select(ApiToken.last_used_at).where(ApiToken.name == "focal")) == first


@pytest.mark.engines
def test_the_whole_way_of_a_reply(session, world):
    asked = world.focal.get("/assignments").json["items"]
    assert [one["id"] for one in asked] == [world.reply.public_id]
    shown = world.focal.get(world.path).json
    assert [one["names"] for one in shown["questions"]][:2] == [["state"], ["measures@km", "measures@en"]]
    made = world.focal.post(world.path + "/answers", FULL)
    assert made.status_code == 200, made.json
    assert {one["name"]: one["revision"] for one in made.json["saved"]} == {"state": 1, "measures@en": 1, "beds": 1}
    assert made.json["status"] == "in_progress"
    upload = world.focal.post(
        world.path + "/evidence", data={"question": "proof", "file": (io.BytesIO(PDF), "proof.pdf")}, key="up"
    )
    assert upload.status_code == 201, upload.json
    file = f"/evidence/{upload.json['id']}"
    assert world.focal.get(file).data == PDF
    outside = (world.stranger, world.coordinator, world.writer, world.observer)
    # a draft's file is the institution's alone
    assert [one.get(file).status_code for one in outside] == [404, 403, 403, 404]
    assert world.focal.post(world.path + "/complete").json["status"] == "awaiting_sign_off"
    declined = world.approver.post(world.path + "/decline", {"reason": "Name the year."})
    assert declined.json["status"] == "in_progress"
    assert world.focal.post(world.path + "/complete").status_code == 200
    wrong = world.approver.post(world.path + "/sign-off", {"password": "guess"})
    assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_password")
    signed = world.approver.post(world.path + "/sign-off", {"password": factories.PASSWORD})
    assert (signed.json["status"], signed.json["signature"]) == ("submitted", "signed")
    assert [one.get(file).status_code for one in outside] == [404, 200, 200, 404]
    back = world.coordinator.post(world.path + "/return", {"note": "Which beds?", "questions": ["beds"]})
    assert back.json["status"] == "returned"
    locked = world.focal.post(world.path + "/answers", {"answers": [{"name": "state", "value": "x", "base": 1}]})
    assert (locked.status_code, locked.json["refused"][0]["kept"]) == (422, False)
    again = world.focal.post(world.path + "/answers", {"answers": [{"name": "beds", "value": 13, "base": 1}]})
    assert again.status_code == 200, again.json
    world.focal.post(world.path + "/complete")
    world.approver.post(world.path + "/sign-off", {"password": factories.PASSWORD})
    assert world.coordinator.post(world.path + "/clear").json["status"] == "cleared"
    told = world.focal.get(world.path + "/history").json
    assert [one["action"] for one in told["events"]][-1] == "clear"
    assert len(told["revisions"]) == session.scalar(select(func.count()).select_from(AnswerRevision))
    outside = world.coordinator.get(world.path + "/history").json
    assert outside["revisions"] is None
    assert "Name the year." not in json.dumps(outside)
    assert world.coordinator.get("/rounds/round-1").json["overall"]["received"] == 1
    assert world.coordinator.get("/rounds").json["items"][0]["round"] == "round-1"


def test_documents_come_and_go_by_the_api_and_the_round_tells_of_them(world):
    path = f"{world.path}/documents"

    def send(caller, **more):
        return caller.post(path, data={"file": (io.BytesIO(PDF), "letter.pdf"), "note": "Letter 12"}, **more)

    made = send(world.focal, key="once")
    assert made.status_code == 201, made.json
    assert send(world.focal, key="once").headers["Idempotent-Replayed"] == "true"
    told = made.json
    assert (told["state"], told["note"], told["from_secretariat"], told["scanned_at"]) == ("received", "Letter 12", False, None)
    (item,) = world.coordinator.get(path).json["items"]
    assert item == told
    assert world.focal.get(f"/documents/{told['id']}").data == PDF
    # of another institution it does not exist, whoever only reads sends nothing
    assert [world.stranger.get(one).status_code for one in (path, f"/documents/{told['id']}")] == [404, 404]
    assert send(world.stranger).status_code == 404
    assert send(world.approver).status_code == 403
    status = world.coordinator.get("/rounds/round-1").json
    assert status["documents"] == {"received": 1, "entered": 0, "set_aside": 0, "not_scanned": 1}
    assert status["institutions"][0]["documents_waiting"] == 1
    assert (status["evidence"]["files"], status["overall"]["received"]) == (0, 0)


@pytest.mark.engines
def test_a_stale_answer_gets_both_texts_and_loses_nothing_else(world):
    path = world.path + "/answers"
    world.focal.post(path, answers(measures__en="theirs", beds=1))
    made = world.focal.post(path, answers(measures__en="mine", state="done"))
    assert made.status_code == 409
    (stale,) = made.json["stale"]
    assert (stale["mine"], stale["theirs"], stale["revision"]) == ("mine", "theirs", 1)
    assert [one["name"] for one in made.json["saved"]] == ["state"]


def test_what_cannot_be_read_is_kept_and_refused(world):
    made = world.focal.post(world.path + "/answers", answers(beds="many", state="done", nothing="x", proof="y"))
    assert made.status_code == 422
    assert {one["name"]: one["kept"] for one in made.json["refused"]} == {"beds": True, "nothing": False, "proof": False}
    stored = {one["name"]: one for one in world.focal.get(world.path).json["answers"]}
    assert (stored["beds"]["typed"], stored["beds"]["value"], stored["state"]["value"]) == ("many", None, "done")


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", "1", '"x"', "{", "{}", '{"answers": null}', '{"answers": {}}', '{"answers": [null]}',
        '{"answers": [{"name": null, "value": "x", "base": 0}]}',
        '{"answers": [{"name": "state", "value": {"a": 1}, "base": 0}]}',
        '{"answers": [{"name": "state", "value": [["x"]], "base": 0}]}',
        '{"answers": [{"name": "state", "value": true, "base": 0}]}',
        '{"answers": [{"name": "state", "value": "x", "base": "0"}]}',
        '{"answers": [{"name": "state", "value": "x", "base": true}]}',
        '{"answers": [{"name": "state", "value": "x", "base": 99999999999999999999}]}',
        '{"answers": [{"name": "beds", "value": NaN, "base": 0}]}',
        '{"answers": [{"name": "state", "value": "done", "base": 0, "institution_id": 2}]}',
        '{"answers": [{"name": "state", "value": "done", "base": 0}], "status": "cleared"}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused_and_changes_nothing(session, world, body):
    response = world.focal.call("POST", world.path + "/answers", body)
    assert response.status_code in {400, 422}
    assert response.json["code"] in {"bad_request", "invalid"}
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == 0


@pytest.mark.engines
@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "=1+1", "៣០/០២/២០២២", "x" * 100_000, "1e400", "\u202e"])
def test_any_text_is_taken_or_refused_by_a_sentence(world, text):
    for name in ("measures__en", "beds", "state"):
        assert world.focal.post(world.path + "/answers", answers(**{name: text})).status_code in {200, 409, 422}
    assert world.focal.post(world.path + "/not-ours", {"instead": text, "reason": text}).status_code in {200, 422}
    assert world.focal.get(f"/submissions/{text[:50].encode('utf-8', 'replace').decode()}").status_code == 404


@pytest.mark.parametrize("value", [1e22, 12.345, 0.1, -3, 10**30])
def test_json_numbers_are_read_in_one_way_only(world, value):
    made = world.focal.post(world.path + "/answers", answers(beds=value))
    assert made.status_code in {200, 422}
    stored = next(iter(world.focal.get(world.path).json["answers"]))
    assert stored["value"] in {None, value}
    assert (stored["typed"] is None) == (made.status_code == 200)


@pytest.mark.engines
def test_the_same_key_does_it_once(session, world):
    first = world.focal.post(world.path + "/answers", FULL, key="one")
    audits = session.scalar(select(func.count()).select_from(AuditEvent))
    again = world.focal.post(world.path + "/answers", FULL, key="one")
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = world.focal.post(world.path + "/answers", answers(beds=99), key="one")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    done = [world.focal.post(world.path + "/complete", key="two").json for _ in range(3)]
    assert done[0] == done[1] == done[2]
    assert session.scalar(select(func.count()).select_from(AuditEvent)) == audits + 1
    assert session.scalar(select(func.count()).select_from(SubmissionEvent)) == 2 + 2
    signed = [
        world.approver.post(world.path + "/sign-off", {"password": factories.PASSWORD}, key="three") for _ in range(2)
    ]
    assert signed[0].json == signed[1].json
    assert factories.PASSWORD not in "".join(session.scalars(select(IdempotencyKey.body_hash)))
    assert world.focal.post(world.path + "/complete", key="ច").status_code == 422


def test_a_key_is_free_again_after_seven_days(session, world):
    world.focal.post(world.path + "/answers", FULL, key="one")
    session.execute(IdempotencyKey.__table__.update().values(created_at=clock.now() - timedelta(days=8)))
    assert world.focal.post(world.path + "/answers", answers(beds=5), key="one").status_code == 409


def test_a_refused_act_leaves_its_key_free(world):
    assert world.focal.post(world.path + "/complete", key="k").json["code"] == "incomplete"
    world.focal.post(world.path + "/answers", FULL)
    assert world.focal.post(world.path + "/complete", key="k").status_code == 200


READS = ["", "/history", "/clarifications"]
ACTS = {
    "/answers": (FULL, {"focal"}),
    "/complete": (None, {"focal"}),
    "/sign-off": ({"password": "x"}, {"approver"}),
    "/decline": ({"reason": "x"}, {"approver"}),
    "/recall": (None, {"focal", "approver"}),
    "/not-ours": ({"instead": "bbb", "reason": "x"}, {"focal"}),
    "/retract-claim": (None, {"focal"}),
    "/start-review": (None, {"coordinator"}),
    "/return": ({"note": "x", "questions": ["beds"]}, {"coordinator"}),
    "/clear": (None, {"coordinator"}),
    "/reopen": ({"reason": "x"}, {"coordinator"}),
    "/confirm-not-ours": (None, {"coordinator"}),
    "/refuse-not-ours": ({"reason": "x"}, {"coordinator"}),
    "/clarifications": ({"body": "x"}, {"coordinator", "writer"}),
}
INSIDE = {"focal", "approver", "reader"}
OUTSIDE = {"coordinator", "writer", "admin", "observer"}


@pytest.mark.parametrize("caller", sorted(INSIDE | OUTSIDE | {"stranger"}))
def test_everybody_reaches_exactly_what_is_theirs(world, caller):
    world.focal.post(world.path + "/answers", FULL)
    me = getattr(world, caller)
    for read in READS:
        response = me.get(world.path + read)
        expected = 404 if caller in {"stranger", "admin", "observer"} else 200
        assert response.status_code == expected, read
        if caller not in INSIDE:
            assert CANARY not in response.text, f"a draft is read at {read}"
    nobody = me.get("/submissions/" + "0" * 32)
    assert nobody.status_code == 404
    for act, (body, allowed) in ACTS.items():
        response = me.post(world.path + act, body)
        if caller == "stranger":
            assert response.status_code == 404, act
            assert response.json == nobody.json
        elif caller in allowed:
            assert response.status_code not in {401, 403, 404}, act
        else:
            assert response.status_code in {403, 404}, act
        world.session.execute(Submission.__table__.update().values(status=Status.IN_PROGRESS))
    mine = me.get("/assignments")
    if mine.status_code == 200:
        assert CANARY not in mine.text
        expected = {"aaa"} if caller in INSIDE else {"bbb"} if caller == "stranger" else {"aaa", "bbb"}
        assert {one["institution"] for one in mine.json["items"]} == expected


def test_assignments_come_in_pages(world):
    first = world.coordinator.get("/assignments?limit=1").json
    second = world.coordinator.get(f"/assignments?limit=1&after={first['next']}").json
    assert second["next"] is None
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert world.coordinator.get("/assignments?status=cleared").json["items"] == []
    for query in ("limit=0", "limit=x", "status=gone", "after=x", "round=%00"):
        assert world.coordinator.get(f"/assignments?{query}").status_code == 422


@pytest.mark.engines
def test_a_clarification_goes_to_and_fro(world):
    asked = world.coordinator.post(world.path + "/clarifications", {"body": "Which year?", "question": "beds"})
    assert asked.status_code == 201, asked.json
    path = f"/clarifications/{asked.json['id']}"
    assert world.stranger.post(path + "/messages", {"body": "x"}).status_code == 404
    told = world.focal.post(path + "/messages", {"body": "2024"}, key="m")
    assert world.focal.post(path + "/messages", {"body": "2024"}, key="m").json == told.json
    assert (told.json["status"], len(told.json["messages"])) == ("answered", 2)
    assert world.focal.post(path + "/close").status_code == 403
    assert world.coordinator.post(path + "/close").json["status"] == "closed"
    listed = world.focal.get(world.path + "/clarifications").json["items"]
    assert listed[0]["question"] == "beds"


def test_errors_are_problems_with_a_code(app, world):
    for path, status in (("/nothing", 404), ("/rounds/nothing", 404), ("/rounds/a%00b", 404)):
        assert world.coordinator.get(path).status_code == status
    wrong = app.test_client().post("/api/v1/me")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/problem+json")
    plain = world.focal.call("POST", world.path + "/complete", data="x=1", content_type="text/plain")
    assert plain.status_code == 415
    assert world.focal.post(world.path + "/clear").json["code"] == "not_allowed"
    assert world.coordinator.post(world.path + "/clear").json["code"] == "illegal_transition"


def test_health_and_readiness(app, world):
    client = app.test_client()
    assert client.get("/api/v1/health").json == {"status": "ok"}
    assert client.get("/api/v1/ready").json == {"status": "ready"}
    assert "schema" in world.focal.get("/ready").json


def test_the_contract_is_complete(app, make_app):
    make_app().test_client().get("/api/v1/openapi.json")  # an application before this one takes nothing away
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    text = json.dumps(document)
    refs = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert refs <= set(document["components"]["schemas"])
    paths = {str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith("/api/v1/")}
    described = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    assert paths - described == {"/api/v1/openapi.json"}


@pytest.mark.engines
@pytest.mark.slow
def test_nothing_that_fits_the_contract_or_not_breaks_the_server(app, world):
    """About 300 generated requests, by a focal point and a coordinator, on things that exist and on things that do not."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    broken = []
    for operation in operations:
        caller = world.coordinator if "rounds" in operation.path else world.focal
        try_out(operation, caller.token, world.reply.public_id, 300 // len(operations), broken)
    assert not broken


def try_out(operation, token, public_id, number, broken):
    @hypothesis.settings(
        max_examples=number, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def run(case):
        if "public_id" in operation.path and len(repr(case.body)) % 2:
            case.path_parameters["public_id"] = public_id
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        if response.status_code >= 500:
            broken.append((operation.label, response.status_code, repr(case.body)[:200]))

    run()
