"""Who reaches what: every endpoint for every principal, as the table says (``tests/access.py``)."""

from __future__ import annotations

import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import url_for
from sqlalchemy import select

from portal import clock
from portal.cli.routes import listing
from portal.models import (
    AssignmentDocument,
    Clarification,
    ClarificationMessage,
    Collection,
    Delegation,
    EarlierCover,
    Evidence,
    EvidenceKind,
    Example,
    Export,
    HeldPost,
    ImportDraft,
    JobStatus,
    Membership,
    OutgoingMail,
    PackedReply,
    Questionnaire,
    Role,
    SigningPack,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    Unit,
    VersionItem,
)
from portal.services.exports import path_of
from portal.services.questionnaires import keep_source
from portal.services.snapshots import canonical_json
from tests import factories
from tests.access import ACCESS, ARGUMENTS, DRAFTS, FIELDS, FIXED, FOCAL, LEFT_OUT, PRINCIPALS
from tests.client import Client


@pytest.fixture
def world(app, session):
    """Institution A with a reply in progress and all that hangs on it, institution B with nothing."""
    a, b = factories.institution(session, "aaa"), factories.institution(session, "bbb")
    persons = {
        f"{side}.{role.value}": factories.person(session, at, role, login=f"{side}.{role.value}".lower())
        for side, at in (("A", a), ("B", b))
        for role in Role
    }
    persons |= {role.value: factories.staff(session, role, login=role.value.replace("_", "")) for role in StaffRole}
    persons |= {
        f"B.{role.value}+{more.value}": factories.person(session, b, role, login=f"b.{role.value}+{more.value}", staff=[more])
        for role in (Role.FOCAL_POINT, Role.APPROVER)
        for more in StaffRole
    }
    persons[f"B.{FOCAL}+A.{FOCAL}"] = both = factories.person(session, b, login="both")
    session.add(Membership(user_id=both.id, institution_id=a.id, role=Role.FOCAL_POINT))
    persons["disabled"] = factories.person(session, a, login="disabled", active=False)
    version = factories.questionnaire_version(session, source_sha256="0" * 64)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == "page1"))
    factories.question(session, version, "proof", "file", parent=page)
    source = factories.document(session)
    cited = factories.recommendation(session, source)
    campaign = factories.reporting_round(session, source, slug="round-of-a")
    factories.reporting_round(session, source, slug="round-before")
    asked = factories.assignment(session, a, campaign, [cited], version)
    reply = factories.submission(session, asked, status=Status.IN_PROGRESS)
    actor = factories.principal(session, persons["A.focal_point"]).actor_id
    made = SimpleNamespace(
        persons=persons,
        institution=a,
        submission=reply,
        document=source,
        recommendation=cited,
        colleague=factories.person(session, a, Role.CONTRIBUTOR),
        spare=factories.person(session, a, Role.READER),
        **{
            name: ImportDraft(kind=kind, filename="x.xlsx", sha256="0" * 64, created_by=actor)
            for name, kind in DRAFTS.items()
        },
        version=version,
        assignment=asked,
        mail=OutgoingMail(kind="issued", address="somebody@example.org", subject="Round", body="Round"),
        export=Export(
            round_id=campaign.id, kind="round", status=JobStatus.DONE, requested_by=actor, requested_at=clock.now()
        ),
        held=HeldPost(user_id=persons["A.focal_point"].id, path="/account", fields=[], expires_at=clock.now()),
        evidence=Evidence(
            submission_id=reply.id, round_id=asked.round_id, number=1, kind=EvidenceKind.LINK,
            url="https://example.org/", added_by=actor, added_at=clock.now(),
        ),
        example=Example(
            institution_id=a.id, recommendation_id=cited.id, titles={"en": "A court"}, texts={"en": "It was built."},
            filename="court.pdf", media_type="application/pdf", size=7, sha256="e" * 64, sent_by=actor,
        ),
        paper=AssignmentDocument(
            assignment_id=asked.id, filename="a.pdf", media_type="application/pdf", size=1, sha256="0" * 64,
            from_secretariat=False, added_by=actor, added_at=clock.now(),
        ),
        clarification=Clarification(submission_id=reply.id, opened_by=actor, opened_at=clock.now()),
        delegation=Delegation(
            submission_id=reply.id, items=["measures"], name="Somebody", token_hash="0" * 64, code_hash="0" * 64,
            expires_at=clock.now() + timedelta(days=9), created_by=actor, held_by=actor,
        ),
        collection=Collection(
            submission_id=reply.id, items=["measures"], expires_at=clock.now() + timedelta(days=9), created_by=actor,
            held_by=actor,
        ),
    )  # fmt: skip
    made.offline_draft.summary = {"institution": a.id, "round": campaign.slug, "files": []}
    made.questionnaire_texts_draft.summary = {"version": version.public_id}
    made.own_document.summary = {"institution": a.id, "round": campaign.slug, "reply": ""}
    made.snapshot, made.pack = signed_on_paper(session, reply, asked, actor, version)
    session.add_all([getattr(made, name) for name in DRAFTS])
    session.add_all([made.delegation, made.collection, made.held, made.evidence, made.clarification, made.mail])
    session.add_all([made.export, made.example, made.paper])
    session.flush()
    made.unit = asked_unit(session, made.collection, a, actor)
    session.add(
        ClarificationMessage(
            clarification_id=made.clarification.id, body="Which year?", from_secretariat=True, written_by=actor,
            written_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    file = path_of(made.export, app.config["SETTINGS"].exports_dir)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a workbook")
    scan = app.config["SETTINGS"].evidence_dir / "ab" / made.pack.cover_sha256
    scan.parent.mkdir(parents=True, exist_ok=True)
    scan.write_bytes(b"a cover")
    file = app.config["SETTINGS"].evidence_dir / "ee" / ("e" * 64)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a court")
    document = app.config["SETTINGS"].evidence_dir / "00" / ("0" * 64)
    document.parent.mkdir(parents=True)
    document.write_bytes(b"a document")
    keep_source(app.config["SETTINGS"].data_dir / "questionnaires", "0" * 64, b"a questionnaire")
    return made


def signed_on_paper(session, reply, asked, actor, version):
    """What a reply of the world left behind when it was signed on paper, before it was opened again."""
    event = session.scalars(select(SubmissionEvent).where(SubmissionEvent.submission_id == reply.id)).first()
    of = {"code": session.get(Questionnaire, version.questionnaire_id).code, "version": version.number}
    text = canonical_json({"answers": [], "hidden": [], "evidence": [], "questionnaire": of, "signed_by": None})
    given = {"submission_id": reply.id, "canonical": text, "sha256": "ab" * 32}
    snapshot = Snapshot(event_id=event.id, **given)
    pack = SigningPack(
        round_id=asked.round_id, institution_id=asked.institution_id, sha256="ab" * 32, made_by=actor,
        letter_number="1", letter_on=clock.today(), signed_by=actor, signed_at=clock.now(), cover_name="cover.png",
        cover_type="image/png", cover_size=7, cover_sha256="ab" * 32,
    )  # fmt: skip
    session.add_all([snapshot, pack])
    session.flush()
    session.add(
        EarlierCover(
            pack_id=pack.id, number=1, name="other.png", media_type="image/png", size=7, sha256="ab" * 32,
            replaced_by=actor,
        )
    )  # fmt: skip
    session.add(PackedReply(pack_id=pack.id, position=1, open=False, signed_event_id=event.id, **given))
    return snapshot, pack


def asked_unit(session, collection, institution, actor):
    """A unit that a collection asks, with the place where it answers."""
    unit, apart = Unit(institution_id=institution.id, name="Kampot"), Submission(status=Status.IN_PROGRESS)
    session.add_all([unit, apart])
    session.flush()
    made = Delegation(
        submission_id=apart.id, collection_id=collection.id, unit_id=unit.id, items=["measures"], name="Kampot",
        token_hash="2" * 64, code_hash="2" * 64, expires_at=collection.expires_at, created_by=actor, held_by=actor,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def addresses(app, world):
    """Yield (endpoint, method, path) of every endpoint of the table."""
    with app.test_request_context():
        for row in sorted(listing(app), key=lambda row: row["endpoint"]):
            endpoint = row["endpoint"]
            if endpoint not in ACCESS:
                continue
            thing = ARGUMENTS.get(endpoint) or ARGUMENTS.get(endpoint.partition(".")[0])
            values = dict(FIXED)
            if thing:
                values["public_id"] = getattr(world, thing).public_id
            values["version_id"] = world.version.id
            values["draft"] = world.questionnaire_texts_draft.public_id
            if endpoint == "recommendations.implementation":
                del values["slug"]  # of all rounds together
            if endpoint.startswith("documents."):
                values |= {"document": world.paper.public_id, "identifier": "0" * 32, "number": 1}
            if endpoint == "respond.earlier_cover":
                values["number"] = 1
            if endpoint == "respond.upload_piece":
                values["identifier"] = "0" * 32
            values["digest"] = "0" * 16
            if endpoint in {"respond.upload", "documents.attach"}:
                values["code"] = "proof"
            if endpoint.startswith(("respond.receipt", "respond.certificate")):
                values["code"] = world.snapshot.code
            if endpoint in {"remember.history", "remember.restore"}:
                values["code"] = "beds"
            arguments = {rule for found in app.url_map.iter_rules(endpoint) for rule in found.arguments}
            url = url_for(endpoint, **{name: values[name] for name in arguments if name in values})
            yield endpoint, row["methods"][0], url


def outcome(response) -> str:
    if response.status_code in {403, 404}:
        return str(response.status_code)
    if response.status_code == 303 and response.headers["Location"].startswith("/login"):
        return "login"
    return "open" if response.status_code < 500 else f"error {response.status_code}"


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_everybody_reaches_exactly_what_the_table_says(app, session, world, principal):
    browser = Client(app, session)
    if principal != "anonymous":
        signed_in = browser.sign_in(world.persons[principal].login).status_code == 303
        assert signed_in is (principal != "disabled")
    wrong = []
    for endpoint, method, path in addresses(app, world):
        response = browser.post(path, FIELDS.get(endpoint)) if method == "POST" else browser.get(path)
        if (seen := outcome(response)) != (expected := ACCESS[endpoint].expected(principal)):
            wrong.append(f"{endpoint} {method} {path}: {seen} instead of {expected}")
    assert not wrong, "\n".join(wrong)


def test_no_post_works_without_its_token(app, session, world):
    for login in ("coordinator", "a.focal_point", "a.approver"):
        browser = Client(app, session)
        browser.sign_in(login)
        for endpoint, method, path in addresses(app, world):
            if method != "POST":
                continue
            for token in ({}, {"csrf_token": "made up"}):
                response = browser.post(path, dict(token), csrf=False)
                assert response.status_code == 400, f"{endpoint}: {response.status_code}"


def test_the_token_of_somebody_else_does_not_fit(app, session, world):
    mine, theirs = Client(app, session), Client(app, session)
    mine.sign_in("coordinator")
    theirs.sign_in("a.focal_point")
    response = mine.post("/account", {"csrf_token": theirs.token()})
    assert response.status_code == 400


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not os.environ.get("PORTAL_TEST_COMPLETE"),
    reason="holds for a finished tree only",
)
def test_every_endpoint_stands_in_the_table(app):
    rows = [row["endpoint"] for row in listing(app) if row["permission"] not in {None, "public"}]
    # machines have a matrix of their own: tests/integration/portal/api
    # and so have persons who were handed some questions: tests/integration/portal/sharing/test_scope.py
    pages = {name for name in rows if not name.startswith(("api.", "shared."))}
    assert not sorted(pages - set(ACCESS) - LEFT_OUT)
