"""A page sent twice is done once: one after the other, and ten at the same moment, under one key and under ten."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict
from portal.models import (
    Action,
    AuditEvent,
    Clarification,
    ClarificationMessage,
    Export,
    IdempotencyKey,
    ImportDraft,
    ItemKind,
    Job,
    OutgoingMail,
    QuestionnaireScope,
    ReportingRound,
    Role,
    RoundStatus,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
    VersionItem,
)
from portal.models.base import uuid7
from portal.services import audit, idempotency
from tests import factories
from tests.doors import burst
from tests.factories import PASSWORD

pytestmark = pytest.mark.engines

SENDERS = 10
JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    document = factories.document(session)
    about = [factories.recommendation(session, document, paragraph=number) for number in ("8", "9", "10")]
    of = factories.reporting_round(session, document, slug="r")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    replies = [factories.submission(session, factories.assignment(session, place, of, [one], version)) for one in about]
    draft = factories.reporting_round(
        session, document, slug="draft", status=RoundStatus.DRAFT, issued_at=None, short_version_id=version.id,
        institution_version_id=factories.questionnaire_version(session, scope=QuestionnaireScope.INSTITUTION).id,
    )  # fmt: skip
    asked = factories.assignment(session, place, draft, about[:1], version, issued_at=None)
    made = SimpleNamespace(
        place=place,
        round=of,
        draft=draft,
        asked=asked,
        document=document,
        version=version,
        reply=replies[0],
        replies=replies,
        own=f"/replies/{replies[0].public_id}",
        review=f"/review/{replies[0].public_id}",
        focal=factories.person(session, place, Role.FOCAL_POINT, email="desk@moj.example"),
        approver=factories.person(session, place, Role.APPROVER),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
    )
    session.commit()
    return made


def fill(client, scene, replies=1):
    for reply in scene.replies[:replies]:
        fields = {"state": "done", "measures@km": "ច្បាប់", "measures@en": "A law", "beds": "3"}
        bases = {f"base:{name}": 0 for name in fields}
        client.post(f"/replies/{reply.public_id}/pages/page1", fields | bases, headers=JSON, expect=200)


def hand_in(client_for, scene, replies=1):
    focal = client_for(scene.focal)
    fill(focal, scene, replies)
    for reply in scene.replies[:replies]:
        focal.post(f"/replies/{reply.public_id}/complete", expect=303)
    chosen = [reply.public_id for reply in scene.replies[:replies]]
    client_for(scene.approver).post("/sign", {"reply": chosen, "password": PASSWORD}, expect=303)


def counts(session):
    session.rollback()
    tables = (AuditEvent, SubmissionEvent, OutgoingMail, ClarificationMessage, Clarification, Snapshot, Export, Job,
              ReportingRound, Submission, UserAccount)  # fmt: skip
    return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in tables}


def fields_of(client, action, **given):
    """What a browser would send of a form of the present page, with what a person types over it."""
    chosen = next(one for one in client.page.xpath("//main//form") if (one.get("action") or "") == action)
    assert len(chosen.xpath(".//input[@name='idempotency_key']")) == 1
    fields = {}
    for name, value in chosen.form_values():
        fields.setdefault(name, []).append(value)
    return fields | {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def send(client, path, fields):
    return client._client.post(path, data=fields, buffered=True)


def complete(client_for, scene):
    focal = client_for(scene.focal)
    fill(focal, scene)
    focal.get(f"{scene.own}/check", expect=200)
    return focal, f"{scene.own}/complete", {}, {"audit_event": 1, "submission_event": 1}


def sign_pack(client_for, scene):
    focal = client_for(scene.focal)
    fill(focal, scene, 3)
    for reply in scene.replies:
        focal.post(f"/replies/{reply.public_id}/complete", expect=303)
    approver = client_for(scene.approver)
    approver.get("/sign", expect=200)
    chosen = [reply.public_id for reply in scene.replies]
    return approver, "/sign", {"password": PASSWORD, "reply": chosen}, {"audit_event": 3, "submission_event": 3, "snapshot": 3}


def decline(client_for, scene):
    focal = client_for(scene.focal)
    fill(focal, scene)
    focal.post(f"{scene.own}/complete", expect=303)
    approver = client_for(scene.approver)
    approver.get("/sign", expect=200)
    return approver, f"{scene.own}/decline", {"reason": "The year is wrong"}, {"audit_event": 1, "submission_event": 1}


def reviewing(client_for, scene):
    hand_in(client_for, scene)
    coordinator = client_for(scene.coordinator)
    coordinator.get(scene.review, expect=200)
    return coordinator


def clear(client_for, scene):
    return reviewing(client_for, scene), f"{scene.review}/clear", {}, {"audit_event": 2, "submission_event": 2}


def return_reply(client_for, scene):
    given = {"note": "Which court?", "codes": ["measures"]}
    return reviewing(client_for, scene), f"{scene.review}/return", given, {"audit_event": 2, "submission_event": 2}


def clarify(client_for, scene):
    given = {"body": "Which court?", "question": ""}
    made = {"audit_event": 1, "clarification": 1, "clarification_message": 1}
    return reviewing(client_for, scene), f"{scene.review}/ask", given, made


def answer_clarification(client_for, scene):
    coordinator = reviewing(client_for, scene)
    coordinator.post(f"{scene.review}/ask", {"body": "Which court?", "question": ""}, expect=303)
    focal = client_for(scene.focal)
    focal.get(f"{scene.own}/check", expect=200)
    path = focal.page.xpath("//main//form[contains(@action, '/clarifications/')]/@action")[0]
    return focal, path, {"body": "The court of appeal"}, {"audit_event": 1, "clarification_message": 1}


def issue(client_for, scene):
    coordinator = client_for(scene.coordinator)
    coordinator.get("/rounds/draft/preview", expect=200)
    made = {"audit_event": 1, "submission": 2, "submission_event": 2, "outgoing_mail": 1}
    return coordinator, "/rounds/draft/issue", {}, made


def create_round(client_for, scene):
    coordinator = client_for(scene.coordinator)
    coordinator.get("/rounds/new", expect=200)
    given = {
        "titles_en": "Report", "kind": "periodic", "documents": str(scene.document.id), "un_due_on": "2027-06-30",
        "opens_on": "2027-02-10", "due_on": "2027-03-24", "closes_on": "2027-04-07", "freezes_on": "2027-04-21",
        "sign_off_policy": "either", "short_version": str(scene.version.id),
    }  # fmt: skip
    return coordinator, "/rounds/new", given, {"audit_event": 1, "reporting_round": 1}


def make_export(client_for, scene):
    coordinator = client_for(scene.coordinator)
    coordinator.get("/rounds/r/workbooks", expect=200)
    return coordinator, "/rounds/r/workbooks", {}, {"audit_event": 2, "export": 1, "job": 1}


ACTS = [complete, sign_pack, decline, clear, return_reply, clarify, answer_clarification, issue, create_round, make_export]
# done again by somebody who opens the page again: a second thing, on purpose
EACH_ITS_OWN = {create_round, make_export}


def begin(client_for, scene, act):
    client, path, given, made = act(client_for, scene)
    place = "" if path == "/rounds/new" else path
    fields = fields_of(client, place, **given)
    fields.pop("action", None)
    return client, path, fields, made


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_page_sent_again_gets_the_first_answer_and_nothing_is_done(client_for, scene, session, act):
    client, path, fields, made = begin(client_for, scene, act)
    before = counts(session)
    first = send(client, path, fields)
    assert first.status_code == 303, first.get_data(as_text=True)[-1500:]
    after = counts(session)
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == made
    again = send(client, path, fields)
    assert (again.status_code, again.headers["Location"]) == (303, first.headers["Location"])
    assert counts(session) == after
    if act is not make_export:  # its answer is kept before the workbook is made
        client.get(first.headers["Location"], expect=200)
        assert bool(client.page.xpath("//*[contains(@class, 'notice')]")) is bool(first.headers.get("Set-Cookie"))


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_ten_copies_at_once_are_done_once_and_answered_alike(app, client_for, scene, session, act):
    client, path, fields, made = begin(client_for, scene, act)
    before = counts(session)
    answers = burst(app, client, path, [fields] * SENDERS)
    assert [one.status_code for one in answers] == [303] * SENDERS, answers[0].get_data(as_text=True)[-1500:]
    assert len({one.headers["Location"] for one in answers}) == 1
    after = counts(session)
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == made
    assert audit.verify(session) == []


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_copy_that_looked_just_before_the_first_was_done_is_answered_alike(
    client_for, scene, session, monkeypatch, act
):
    client, path, fields, _made = begin(client_for, scene, act)
    first = send(client, path, fields)
    after = counts(session)
    looked, find = [], idempotency.find

    def too_early(*given, **named):
        looked.append(named)
        return find(*given, **named) if len(looked) > 1 else None

    monkeypatch.setattr(idempotency, "find", too_early)
    again = send(client, path, fields)
    assert len(looked) > 1
    assert (again.status_code, again.headers["Location"]) == (303, first.headers["Location"])
    assert counts(session) == after


@pytest.mark.parametrize("act", [act for act in ACTS if act not in EACH_ITS_OWN], ids=lambda act: act.__name__)
def test_ten_tabs_at_once_do_it_once_and_the_others_are_told(app, client_for, scene, session, act):
    client, path, fields, made = begin(client_for, scene, act)
    before = counts(session)
    answers = burst(app, client, path, [fields | {"idempotency_key": [uuid7()]} for _number in range(SENDERS)])
    assert {one.status_code for one in answers} <= {303, 409}
    assert 303 in {one.status_code for one in answers}
    for one in answers:
        if one.status_code == 409:
            assert "present state" in one.text or "Something changed since" in one.text or "Somebody else" in one.text
    after = counts(session)
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == made
    assert audit.verify(session) == []


def test_ten_rounds_and_ten_workbooks_from_ten_pages_get_names_of_their_own(app, client_for, scene, session):
    for act in (create_round, make_export):
        client, path, fields, made = begin(client_for, scene, act)
        before = counts(session)
        answers = burst(app, client, path, [fields | {"idempotency_key": [uuid7()]} for _number in range(SENDERS)])
        assert {one.status_code for one in answers} <= {303, 409, 422}, [one.status_code for one in answers]
        done = sum(one.status_code == 303 for one in answers)
        assert done >= 1
        after = counts(session)
        name = next(name for name in ("reporting_round", "export") if name in made)
        assert after[name] - before[name] == done
    slugs = session.scalars(select(ReportingRound.slug)).all()
    assert len(slugs) == len(set(slugs))
    assert audit.verify(session) == []


def test_what_is_done_and_its_answer_are_one_transaction(client_for, scene, session, monkeypatch):
    client, path, fields, _made = begin(client_for, scene, issue)
    before = counts(session)

    def broken(*_given, **_more):
        raise Conflict

    monkeypatch.setattr(idempotency, "keep", broken)
    assert send(client, path, fields).status_code == 409
    monkeypatch.undo()
    assert counts(session) == before
    assert send(client, path, fields).status_code == 303
    assert counts(session)["submission"] == before["submission"] + 2


def test_another_content_under_the_same_key_is_refused_in_words(client_for, scene, session):
    client, path, fields, _made = begin(client_for, scene, clarify)
    assert send(client, path, fields).status_code == 303
    before = counts(session)
    client.post(path, fields | {"body": ["Which year?"]}, expect=422)
    assert "This page was sent once already" in client.text
    assert counts(session) == before
    client.post(path, fields | {"body": ["Which year?"], "idempotency_key": [uuid7()]}, expect=303)


def test_a_refused_page_may_be_sent_again_put_right(client_for, scene, session):
    client, path, fields, made = begin(client_for, scene, return_reply)
    before = counts(session)
    client.post(path, fields | {"note": [""]}, expect=422)
    assert counts(session) == before
    assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    client.post(path, fields, expect=303)
    after = counts(session)
    assert {name: after[name] - number for name, number in before.items() if after[name] != number} == made


def test_a_wrong_password_frees_the_key(client_for, scene, session):
    client, path, fields, _made = begin(client_for, scene, sign_pack)
    client.post(path, fields | {"password": ["wrong"]}, expect=422)
    assert client.post(path, fields, expect=303)
    assert session.scalars(select(Submission.status).order_by(Submission.id)).all() == [Status.SUBMITTED] * 3


def test_a_key_belongs_to_one_person_and_one_address(client_for, scene, session):
    client, path, fields, _made = begin(client_for, scene, clarify)
    assert send(client, path, fields).status_code == 303
    key = fields["idempotency_key"]
    client.post(f"{scene.review}/clear", {"idempotency_key": key}, expect=422)
    other = client_for(factories.staff(session, StaffRole.COORDINATOR))
    other.post(f"{scene.review}/clear", {"idempotency_key": key}, expect=303)


@pytest.mark.parametrize("key", ["x" * 65, "ក", "a b"])
def test_a_key_that_is_none_is_refused(client_for, scene, session, key):
    client, path, fields, _made = begin(client_for, scene, clarify)
    before = counts(session)
    client.post(path, fields | {"idempotency_key": [key]}, expect=422)
    assert counts(session) == before


def test_passwords_and_codes_are_not_kept_even_as_a_hash(client_for, scene, session):
    client, path, fields, _made = begin(client_for, scene, sign_pack)
    assert send(client, path, fields).status_code == 303
    session.rollback()
    first = session.scalar(select(IdempotencyKey.body_hash))
    assert first
    # the same page with another password is the same request
    assert send(client, path, fields | {"password": ["another"]}).status_code == 303
    session.rollback()
    assert session.scalars(select(IdempotencyKey.body_hash)).all() == [first]


def test_an_uploaded_file_is_part_of_what_was_sent(client_for, scene, session):
    client = client_for(scene.coordinator)
    client.get("/people/template", check=False)
    book = client.response.get_data()
    client.get("/people/import", expect=200)
    fields = fields_of(client, "")

    def given(content):
        return fields | {"file": (io.BytesIO(content), "people.xlsx")}

    first = client.post("/people/import", given(book), expect=303, content_type="multipart/form-data")
    again = client.post("/people/import", given(book), expect=303, content_type="multipart/form-data")
    assert first.headers["Location"] == again.headers["Location"]
    assert session.scalar(select(func.count()).select_from(ImportDraft)) == 1
    client.post("/people/import", given(book + b"\0"), expect=422, content_type="multipart/form-data")


def test_a_sign_off_stays_one_event_per_reply(app, client_for, scene, session):
    client, path, fields, _made = begin(client_for, scene, sign_pack)
    burst(app, client, path, [fields] * SENDERS)
    session.rollback()
    for reply in scene.replies:
        actions = session.scalars(
            select(SubmissionEvent.action).where(SubmissionEvent.submission_id == reply.id)
        ).all()
        assert actions.count(Action.SIGN_OFF) == 1
