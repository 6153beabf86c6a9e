"""The signed cover of a pack and its letter: taken once, corrected until the review begins, refused with a sentence."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from portal.models import (
    Action,
    AuditEvent,
    EarlierCover,
    Signature,
    SigningPack,
    Snapshot,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.models.base import uuid7
from portal.services import housekeeping
from portal.services.verification import faults_of
from tests import factories
from tests.doors import burst
from tests.integration.portal.signing.scenes import PNG, complete, cover, printed

pytestmark = pytest.mark.engines


def test_handed_in_now_and_the_cover_later(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    focal.get(f"/packs/{pack.public_id}", expect=200)
    focal.submit(f"/packs/{pack.public_id}/hand-in", expect=200)
    assert set(session.scalars(select(Submission.signature))) == {Signature.PENDING}
    # reading and clearing leave the paper as it is
    client_for(scene.coordinator).post(f"/review/{scene.replies[0].public_id}/clear", expect=303)
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    assert set(session.scalars(select(Submission.signature))) == {Signature.PAPER}
    assert session.scalar(select(func.count()).select_from(Snapshot)) == 3
    assert faults_of(session) == []


def test_a_cover_of_a_pack_taken_back_leads_to_the_newer_one_with_what_was_written(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    old = printed(focal, session)
    focal.post(f"/packs/{old.public_id}/cancel", expect=303)
    focal.post(f"/packs/{old.public_id}/cover", cover(), expect=409)
    assert "This pack was taken back. Print a new one." in focal.words
    assert focal.page.xpath("//main//a[starts-with(@href, '/sign-on-paper')]")
    newer = printed(focal, session)
    focal.get(f"/packs/{old.public_id}", expect=200)
    assert focal.page.xpath(f"//main//a[@href='/packs/{newer.public_id}']")
    focal.post(f"/packs/{old.public_id}/cover", cover(), expect=409)
    assert "Its replies are in this pack now" in focal.words
    (form,) = focal.page.xpath(f"//form[@action='/packs/{newer.public_id}/cover']")
    assert form.xpath(".//input[@name='letter_number']/@value") == ["១២៣ ក.យ"]
    # the other acts on a pack that is no more are told on its page too
    for act in ("cancel", "hand-in"):
        focal.post(f"/packs/{old.public_id}/{act}", expect=409)
        assert focal.page.xpath("//*[contains(@class, 'error-summary')]")
    # and a reply that is in a pack by now is told where one chooses
    focal.post("/sign-on-paper", {"reply": scene.replies[0].public_id}, expect=409)
    assert "already printed in another pack" in focal.words
    assert focal.page.xpath(f"//main//a[@href='/packs/{newer.public_id}']")


def test_a_letter_is_corrected_until_the_review_begins_and_keeps_what_was_sent(client_for, client, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 2)
    pack = printed(focal, session)
    path = f"/packs/{pack.public_id}"
    right = {"letter_number": "124 MOJ", "letter_on": str(factories.today()), "signer_name": "Director"}
    focal.post(f"{path}/letter", right, expect=409)  # nothing is signed yet
    focal.post(f"{path}/cover", cover(), expect=303)
    focal.get(path, expect=200)
    assert "As it was sent first" not in focal.words
    focal.post(f"{path}/letter", right | {"letter_on": "1/1/1900"}, expect=422)
    assert "cannot be dated before that" in focal.words
    assert focal.page.xpath("//details[@open]//input[@name='letter_number']/@value") == ["124 MOJ"]
    client_for(scene.reader).post(f"{path}/letter", right, expect=403)
    client_for(scene.stranger).post(f"{path}/letter", right, expect=404)
    focal.get(path, expect=200)
    focal.submit(f"{path}/letter", expect=200, **right)
    assert "letter ១២៣ ក.យ of" in focal.words, "what was sent first stays in sight"
    code = session.scalars(select(Snapshot.code)).first()
    focal.get(f"/receipts/{code}", expect=200)
    assert "letter 124 MOJ of" in focal.words
    client.get(f"/verify/{pack.code}", expect=200)
    assert "letter 124 MOJ of" in client.words
    acts = session.scalars(select(AuditEvent).where(AuditEvent.object_id == pack.public_id).order_by(AuditEvent.number))
    assert [one.details.get("letter") for one in acts] == [None, "១២៣ ក.យ", "124 MOJ"]
    assert faults_of(session) == []
    client_for(scene.coordinator).post(f"/review/{scene.replies[1].public_id}/start", expect=303)
    focal.get(path, expect=200)
    assert not focal.page.xpath("//form[contains(@action, '/letter')]")
    focal.post(f"{path}/letter", right | {"letter_number": "125"}, expect=409)
    assert "until the secretariat begins to review" in focal.words
    session.execute(text("UPDATE signing_pack SET letter_number = '126'"))
    assert any("signed cover" in one for one in faults_of(session))


def test_a_wrong_photo_is_replaced_until_the_review_begins_and_the_first_one_is_kept(app, client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, replies=2)
    pack = printed(focal, session)
    path = f"/packs/{pack.public_id}"
    other = PNG + b"another page"
    assert hashlib.sha256(other).hexdigest() != hashlib.sha256(PNG).hexdigest()

    def photo(name="right.png", content=other):
        return {"cover": (io.BytesIO(content), name)}

    focal.post(f"{path}/cover/another", photo(), expect=409)  # nothing is signed yet
    focal.post(f"{path}/cover", cover(), expect=303)
    focal.post(f"{path}/cover/another", {}, expect=422)
    assert focal.page.xpath("//details[@open]//input[@name='cover']")
    focal.post(f"{path}/cover/another", photo("right.png", b"no picture"), expect=422)
    client_for(scene.reader).post(f"{path}/cover/another", photo(), expect=403)
    client_for(scene.stranger).post(f"{path}/cover/another", photo(), expect=404)
    focal.post(f"{path}/cover/another", photo(content=PNG), expect=303)  # the same one again is nothing new
    assert session.scalars(select(EarlierCover)).all() == []
    focal.get(path, expect=200)
    focal.submit(f"{path}/cover/another", expect=200, **photo())
    assert focal.get(f"{path}/cover", expect=200).data == other
    focal.get(path, expect=200)
    assert [link.text for link in focal.page.xpath("//a[contains(@href, '/cover/1')]")] == ["cover.png"]
    assert focal.get(f"{path}/cover/1", expect=200).data == PNG
    focal.get(f"{path}/cover/2", expect=404)
    assert client_for(scene.coordinator).get(f"{path}/cover/1", expect=200).data == PNG
    client_for(scene.stranger).get(f"{path}/cover/1", expect=404)
    replies = session.scalars(select(Submission).where(Submission.signature.is_not(None))).all()
    assert {one.signature for one in replies} == {Signature.PAPER}, "what is signed stays signed"
    assert faults_of(session) == []
    files = list(app.config["SETTINGS"].evidence_dir.glob("??/*"))
    assert housekeeping.orphans(session, files) == [], "the first photo is not swept away"
    session.rollback()
    coordinator = client_for(scene.coordinator)
    coordinator.post(f"/review/{scene.replies[0].public_id}/start", expect=303)
    focal.get(path, expect=200)
    assert not focal.page.xpath("//form[contains(@action, '/another')]")
    focal.post(f"{path}/cover/another", photo(content=other + b"."), expect=409)
    session.execute(text("DELETE FROM earlier_cover"))
    session.commit()
    assert any("covers that were given before" in one for one in faults_of(session))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"letter_number": ""}, "Write the number"),
        ({"letter_on": "soon"}, "date"),
        ({"letter_on": ""}, "Write the date"),
        ({"letter_on": "1/1/1900"}, "The pack was printed on"),
        ({"letter_on": str(factories.today() - timedelta(days=1))}, "cannot be dated before that"),
        ({"letter_on": str(factories.today() + timedelta(days=1))}, "in the future"),
        ({"cover": None}, "Choose the photo"),
        ({"cover": (b"<html>", "cover.png")}, "not what its name says"),
        ({"cover": (PNG[:8] + b"<script>", "cover.png")}, "not what its name says"),
        ({"cover": (b"PK\x03\x04", "cover.docx")}, "neither a picture nor a PDF"),
    ],
)
def test_a_cover_that_is_none_is_refused_with_a_sentence(client_for, scene, session, fields, said):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    given = {name: value for name, value in (cover() | fields).items() if value is not None}
    if "cover" in given and isinstance(given["cover"][0], bytes):
        given["cover"] = (io.BytesIO(given["cover"][0]), given["cover"][1])
    focal.post(f"/packs/{pack.public_id}/cover", given, expect=422)
    assert said in focal.words
    assert focal.page.xpath("//*[contains(@class, 'error-summary')]")
    assert set(session.scalars(select(Submission.status))) >= {Status.AWAITING_SIGN_OFF}


@pytest.mark.parametrize("keys", ["one form", "ten tabs"])
def test_ten_copies_of_a_cover_are_taken_once(app, client_for, scene, session, keys):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    token = focal.token()
    one = uuid7()
    bodies = [
        cover(csrf_token=token, idempotency_key=one if keys == "one form" else uuid7()) for _number in range(10)
    ]
    codes = [one.status_code for one in burst(app, focal, f"/packs/{pack.public_id}/cover", bodies)]
    if keys == "one form":
        assert codes == [303] * 10
    else:
        assert sorted(codes) == [303, *[409] * 9]
    session.rollback()
    signed = select(func.count()).select_from(SubmissionEvent).where(SubmissionEvent.action == Action.SIGN_ON_PAPER)
    taken = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "sign_pack")
    assert (session.scalar(signed), session.scalar(taken)) == (3, 1)
    assert session.scalar(select(func.count()).select_from(Snapshot)) == 3
    assert faults_of(session) == []


def test_ten_prints_at_once_make_one_pack(app, client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    chosen = [reply.public_id for reply in scene.replies]
    bodies = [{"csrf_token": focal.token(), "idempotency_key": uuid7(), "reply": chosen} for _number in range(10)]
    codes = [one.status_code for one in burst(app, focal, "/sign-on-paper", bodies)]
    assert sorted(codes) == [303, *[409] * 9]
    session.rollback()
    assert session.scalar(select(func.count()).select_from(SigningPack)) == 1


def test_a_change_by_sql_between_print_and_signature_is_refused(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    session.execute(text("UPDATE answer SET revision = revision + 1"))
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=409)
    assert session.scalars(select(Snapshot)).all() == []
