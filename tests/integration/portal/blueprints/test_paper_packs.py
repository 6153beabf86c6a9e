"""Signing on paper: three steps for the assistant, one for the director; what leaves a pack; receipts and codes."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text

from portal import clock
from portal.blueprints import papers
from portal.models import (
    Action,
    Assignment,
    AuditEvent,
    EarlierCover,
    Evidence,
    EvidenceKind,
    LoginAttempt,
    PackedReply,
    Role,
    Signature,
    SigningPack,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
    Visibility,
)
from portal.models.base import uuid7
from portal.papers import typesetting
from portal.reader import KHMER_DIGITS
from portal.services import housekeeping, lookups
from portal.services.verification import faults_of
from tests import factories
from tests.factories import PASSWORD
from tests.steps import Steps

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00038301804a5e"
    "6d3c0000000049454e44ae426082"
)


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    document = factories.document(session)
    about = [factories.recommendation(session, document, paragraph=number) for number in ("8", "9", "10")]
    of = factories.reporting_round(session, document, slug="r")
    version = factories.questionnaire_version(session)
    replies = [factories.submission(session, factories.assignment(session, place, of, [one], version)) for one in about]
    made = SimpleNamespace(
        place=place,
        replies=replies,
        focal=factories.person(session, place, Role.FOCAL_POINT),
        approver=factories.person(session, place, Role.APPROVER),
        reader=factories.person(session, place, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
    )
    session.commit()
    return made


@pytest.fixture
def client(client):
    """A stranger who reads English."""
    client.post("/language", {"language": "en"}, expect=303)
    return client


def complete(client, scene, replies=3):
    for reply in scene.replies[:replies]:
        fields = {"state": "done", "measures@km": "ច្បាប់លេខ ៥", "measures@en": "Law No. 5", "beds": "3"}
        bases = {f"base:{name}": 0 for name in fields}
        client.post(f"/replies/{reply.public_id}/pages/page1", fields | bases, headers=JSON, expect=200)
        client.post(f"/replies/{reply.public_id}/complete", expect=303)


def cover(**more):
    return {"cover": (io.BytesIO(PNG), "cover.png"), "letter_number": "១២៣ ក.យ", "letter_on": f"{factories.today():%d %m %Y}"} | more


def sheet():
    return {"scan": (io.BytesIO(PNG), "sheet.png"), "letter_number": "7", "letter_on": str(factories.today())}


def printed(client, session):
    """Step one of the assistant: choose (all are chosen) and print."""
    client.get("/sign-on-paper", expect=200)
    client.submit("/sign-on-paper", follow=False, expect=303)
    return session.scalars(select(SigningPack).order_by(SigningPack.id.desc())).first()


def test_the_assistant_needs_three_steps_and_the_director_one(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    assistant = Steps(focal).send("Print for signature")
    pack = session.scalars(select(SigningPack)).one()
    if typesetting.available():  # else the page says that it prints as well
        assert assistant.file.get_data().startswith(b"%PDF-")
    # one paper with one place to sign, for all that is owed
    focal.get(f"/packs/{pack.public_id}/paper", expect=200)
    assert focal.text.count(pack.sha256) == 1
    assert len(focal.page.xpath("//*[@class='paper-stamp']")) == 1
    director = ["sign and stamp the cover"]  # no account, no password
    # days later
    assistant.come().follow("Send the signed cover")
    assistant.send("Hand in 3 replies as signed on paper", **cover())
    replies = session.scalars(select(Submission)).all()
    assert {(one.status, one.signature, one.hand_in) for one in replies} == {
        (Status.SUBMITTED, Signature.PAPER, 1)
    }
    assert (len(assistant.taken), len(director)) == (3, 1), assistant.taken
    printed_hashes = set(session.scalars(select(PackedReply.sha256)))
    assert set(session.scalars(select(Snapshot.sha256))) == printed_hashes
    assert len(printed_hashes) == 3
    focal.get(f"/packs/{pack.public_id}", expect=200)
    assert "១២៣ ក.យ" in focal.words
    assert focal.get(f"/packs/{pack.public_id}/cover", check=False).get_data() == PNG
    assert faults_of(session) == []


def test_the_paper_comes_by_itself_once_and_only_to_leaders(client_for, scene, session):
    focal, contributor = client_for(scene.focal), client_for(factories.person(session, scene.place, Role.CONTRIBUTOR))
    complete(focal, scene)
    contributor.get("/owed", expect=200)
    assert not contributor.page.xpath("//section[contains(@class, 'on-paper')]")
    focal.get("/sign-on-paper", expect=200)
    focal.submit("/sign-on-paper", follow=False, expect=303)
    pack, told = session.scalars(select(SigningPack)).one(), focal.response.headers["Location"]
    if typesetting.available():
        assert focal.get(told, expect=200).headers["Refresh"].endswith("/paper.pdf")
    # loaded again, or in the other language, it brings no second file
    assert "Refresh" not in focal.get(told, expect=200).headers
    focal.post("/language", {"language": "km"}, expect=303)
    assert "Refresh" not in focal.get(told, expect=200).headers
    focal.post("/language", {"language": "en"}, expect=303)
    focal.get("/owed", expect=200)
    assert not focal.page.xpath("//form[@action='/sign-on-paper']")
    assert "Refresh" not in focal.get(f"/packs/{pack.public_id}", expect=200).headers
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    assert "Refresh" not in focal.get(f"/packs/{pack.public_id}?printed=now", expect=200).headers
    focal.get("/owed", expect=200)
    assert not focal.page.xpath("//section[contains(@class, 'on-paper')]")


def test_signing_on_screen_is_one_step_for_the_director(client_for, scene, session):
    complete(client_for(scene.focal), scene)
    director = Steps(client_for(scene.approver)).send("Sign and hand in", password=PASSWORD)
    assert set(session.scalars(select(Submission.signature))) == {Signature.SIGNED}
    assert session.scalar(select(func.count()).select_from(Snapshot)) == 3
    assert len(director.taken) == 1, director.taken


def test_a_receipt_a_certificate_and_what_the_code_says_to_anybody(client_for, client, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    client.get(f"/verify/{pack.code}", expect=200)
    assert "This pack is out to be signed." in client.words
    focal.post(f"/packs/{pack.public_id}/cover", cover(signer_name="Director", signer_post="Head"), expect=303)
    made = session.scalars(select(Snapshot)).one()
    for page in ("", "/certificate"):
        focal.get(f"/receipts/{made.code}{page}", expect=200)
        assert made.sha256 in focal.text
        assert "Director" in focal.words
    client_for(scene.stranger).get(f"/receipts/{made.code}", expect=404)
    client_for(scene.stranger).get(f"/packs/{pack.public_id}/cover", expect=404)
    # the secretariat reads the receipt, and sees the cover it was handed in with
    coordinator = client_for(scene.coordinator)
    coordinator.get(f"/review/{scene.replies[0].public_id}", expect=200)
    coordinator.get(coordinator.page.xpath("//a[contains(@href, '/receipts/')]/@href")[0], expect=200)
    found = coordinator.page.xpath("//a[contains(@href, '/cover')]/@href")[0]
    assert coordinator.get(found, expect=200, check=False).get_data() == PNG
    shown = "-".join(made.code[at : at + 4] for at in range(0, 16, 4)).lower()
    client.get(f"/verify?code={shown}", expect=303)
    client.get(f"/verify/{shown}", expect=200)
    assert "This hand-in stands." in client.words
    assert made.sha256 in client.text
    for secret in ("ច្បាប់លេខ", "Law No. 5", "Implemented"):
        assert secret not in client.text
    client.get("/verify/0000-0000-0000-0000", expect=404)
    client.get("/verify/nothing-like-it", expect=404)


def test_frozen_bytes_that_were_changed_are_told_on_every_paper_and_nothing_is_said_to_stand(
    client_for, client, scene, session
):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    code = session.scalars(select(Snapshot.code)).one()
    places = [(client, f"/verify/{code}"), (client, f"/verify/{pack.code}")]
    places += [(focal, f"/receipts/{code}"), (focal, f"/receipts/{code}/certificate")]
    said = "What is stored is not what was handed in"
    for whose, path in places:
        whose.get(path, expect=200)
        assert said not in whose.words
    for table in ("snapshot", "packed_reply"):
        session.execute(text(f"UPDATE {table} SET canonical = replace(canonical, 'ច្បាប់', 'បទបញ្ជា')"))
    session.commit()
    for whose, path in places:
        whose.get(path, expect=200)
        assert said in whose.words, path
        assert "This hand-in stands." not in whose.words
        assert "The signed cover of this pack is here." not in whose.words


def test_reopening_voids_the_signature_and_its_code_says_so(client_for, client, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    one = scene.replies[0].public_id
    coordinator.post(f"/review/{one}/clear", expect=303)
    # a reply under review is no longer the institution's to take back, by no door
    focal.post(f"/replies/{one}/recall", expect=409)
    assert "or to open it again" in focal.words
    coordinator.post(f"/review/{one}/reopen", {"reason": "A figure is wrong."}, expect=303)
    made = session.scalars(select(Snapshot)).one()
    client.get(f"/verify/{made.code}", expect=200)
    assert "the reply was opened again" in client.words
    focal.get(f"/packs/{pack.public_id}", expect=200)
    assert "Signature void" in focal.words
    complete(focal, scene, 0)
    focal.post(f"/replies/{one}/complete", expect=303)
    client_for(scene.approver).post("/sign", {"reply": one, "password": PASSWORD}, expect=303)
    newer = session.scalars(select(Snapshot.code).order_by(Snapshot.id.desc())).first()
    for person, page in ((focal, f"/replies/{one}/check"), (coordinator, f"/review/{one}")):
        person.get(page, expect=200)
        listed = person.page.xpath("//li[a[contains(@href, '/receipts/')]]")
        assert ["Void" in " ".join(line.text_content().split()) for line in listed] == [False, True]
    client.get(f"/verify/{newer}", expect=200)
    assert "This hand-in stands." in client.words
    client.get(f"/verify/{made.code}", expect=200)
    assert "the reply was opened again" in client.words
    assert faults_of(session) == []


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


def test_pending_replies_are_printed_as_they_were_handed_in(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 2)
    focal.post(f"/replies/{scene.replies[0].public_id}/hand-in-pending", expect=303)
    focal.get(f"/replies/{scene.replies[0].public_id}/check", expect=200)
    assert "Signature to follow" in focal.words, "its own page says so too"
    pack = printed(focal, session)
    made = session.scalars(select(Snapshot)).one()
    assert made.sha256 in set(session.scalars(select(PackedReply.sha256)))
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    signed = set(session.scalars(select(Submission.signature).where(Submission.hand_in > 0)))
    assert signed == {Signature.PAPER}
    assert faults_of(session) == []


LEAVERS = {
    "decline": lambda scene, one: (scene.approver, f"/replies/{one}/decline", {"reason": "Add the year."}),
    "recall": lambda scene, one: (scene.focal, f"/replies/{one}/recall", {}),
    "return": lambda scene, one: (scene.coordinator, f"/review/{one}/return", {"codes": "beds", "note": "Which year?"}),
    "sign on screen": lambda scene, one: (scene.approver, "/sign", {"reply": one, "password": PASSWORD}),
    "record one": lambda scene, one: (scene.coordinator, f"/review/{one}/signature", sheet()),
    "withdraw": lambda scene, one: (scene.coordinator, f"/review/{one}/withdraw", {"reason": "Not needed."}),
}


@pytest.mark.parametrize("act", LEAVERS)
def test_what_changes_a_reply_takes_it_out_of_the_pack_and_says_so(client_for, scene, session, act):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    if act in {"recall", "return"}:
        focal.post(f"/packs/{pack.public_id}/hand-in", expect=303)
    who, path, fields = LEAVERS[act](scene, scene.replies[0].public_id)
    client_for(who).post(path, fields, expect=303)
    focal.get(f"/packs/{pack.public_id}", expect=200)
    assert "1 reply is no longer in this pack" in focal.words
    before = session.scalar(select(Submission.signature).where(Submission.id == scene.replies[0].id))
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    after = session.scalars(select(Submission.signature).order_by(Submission.id)).all()
    assert after == [before, Signature.PAPER, Signature.PAPER]
    assert faults_of(session) == []


def test_a_pack_taken_back_is_worth_nothing_and_its_replies_can_be_printed_again(client_for, client, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    # what is out is in no second pack
    focal.get("/sign-on-paper", expect=200)
    assert not focal.page.xpath("//input[@name='reply']")
    focal.post("/sign-on-paper", {"reply": scene.replies[0].public_id}, expect=409)
    focal.post(f"/packs/{pack.public_id}/cancel", expect=303)
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=409)
    client.get(f"/verify/{pack.code}", expect=200)
    assert "its paper is void" in client.words
    again = printed(focal, session)
    assert again.id != pack.id
    focal.post(f"/packs/{again.public_id}/cover", cover(), expect=303)
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


def test_a_pack_is_taken_back_only_after_saying_what_that_does(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    focal.get(f"/packs/{pack.public_id}", expect=200)
    (form,) = focal.page.xpath("//form[contains(@action, '/cancel')]")
    (fold,) = form.xpath("ancestor::details[not(@open)]")
    assert "its 3 replies have to be printed and signed anew" in " ".join(fold.text_content().split())


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


def test_a_pack_is_written_in_the_digits_of_its_reader(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, replies=1)
    path = f"/packs/{printed(focal, session).public_id}"
    focal.post(f"{path}/cover", cover(letter_number="7"), expect=303)
    digits = ("khmr", "latn")
    latin = [str(factories.today().year), "កថាខណ្ឌ 8", "27 3 2026"]
    for wanted, other in (digits, digits[::-1]):
        session.get(UserAccount, scene.focal.id).digits = wanted
        session.get(UserAccount, scene.focal.id).language = "km"
        session.commit()
        page = client_for(scene.focal)
        page.get(path, expect=200)
        said = {one: [text.translate(KHMER_DIGITS) if one == "khmr" else text for text in latin] for one in digits}
        assert all(one in page.words for one in said[wanted]), page.words
        assert not any(one in page.words for one in said[other]), page.words


def test_paper_does_not_name_what_is_kept_confidential(client_for, scene, session):
    """A pack goes through registries and hands that may not know what lies in the portal."""
    reply = scene.replies[0]
    place = session.scalars(select(Assignment).where(Assignment.id == reply.assignment_id)).one()
    given = {
        "submission_id": reply.id, "round_id": place.round_id, "kind": EvidenceKind.FILE, "added_at": clock.now(),
        "added_by": factories.system_actor(session).id,
    }  # fmt: skip
    secret = {"visibility": Visibility.CONFIDENTIAL, "sha256": "ab" * 32}
    session.add_all(
        [
            Evidence(number=1, filename="open.pdf", sha256="cd" * 32, **given),
            Evidence(number=2, filename="Names of victims.pdf", **secret, **given),
        ]
    )
    session.commit()
    focal = client_for(scene.focal)
    complete(focal, scene, replies=1)
    for path in (f"/replies/{reply.public_id}/paper", f"/packs/{printed(focal, session).public_id}/paper"):
        focal.get(path, expect=200)
        assert "open.pdf" in focal.words
        assert "victims" not in focal.text
        assert f"[E2] (confidential: open it in the portal) {'ab' * 8}" in focal.words


def test_printing_and_taking_back_stand_in_what_happened(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    focal.post(f"/packs/{pack.public_id}/cancel", expect=303)
    focal.get(f"/replies/{scene.replies[0].public_id}/check", expect=200)
    told = [" ".join(one.text_content().split()) for one in focal.page.xpath("//ol[@class='timeline']/li")]
    assert told[0].startswith("The pack was taken back")
    assert told[1].startswith("Printed to be signed")
    shown = "-".join(pack.code[at : at + 4] for at in range(0, 16, 4))
    assert all(f"Pack {shown}" in one for one in told[:2])


def test_sign_on_paper_opens_on_the_round_in_which_something_waits(client_for, scene, session):
    document = factories.document(session)
    later = factories.reporting_round(session, document, slug="later", opens_on=factories.today() + timedelta(days=1))
    about = [factories.recommendation(session, document, paragraph="1")]
    factories.submission(session, factories.assignment(session, scene.place, later, about))
    session.commit()
    focal = client_for(scene.focal)
    focal.get("/sign-on-paper", expect=200)
    assert focal.page.xpath("//strong[@aria-current='page']")[0].text_content() == later.titles["en"]
    complete(focal, scene, 1)
    for _step in ("ready", "printed"):
        focal.get("/sign-on-paper", expect=200)
        assert "Nothing is ready to be signed" not in focal.words
        assert focal.page.xpath("//strong[@aria-current='page']")[0].text_content() != later.titles["en"]
        focal.post("/sign-on-paper", {"reply": scene.replies[0].public_id})
    focal.get("/sign-on-paper?round=later", expect=200)
    assert "Nothing is ready to be signed" in focal.words


@pytest.mark.parametrize("wanted", ["latn", "khmr"])
def test_a_reply_is_printed_in_the_digits_of_its_reader(client_for, scene, session, monkeypatch, wanted):
    taken = []
    monkeypatch.setattr(papers, "typeset", lambda data: taken.append(data) or b"%PDF-")
    monkeypatch.setattr(papers, "available", lambda: True)
    scene.focal.digits = wanted
    session.commit()
    focal = client_for(scene.focal)
    focal.post("/language", {"language": "km"}, expect=303)
    focal.get(f"/replies/{scene.replies[0].public_id}/paper.pdf", expect=200, check=False)
    (paper,) = taken
    (reply,) = paper["replies"]
    said = " ".join([reply["cite"].partition(",")[2], *(value for _label, value in reply["facts"][-1:])])
    assert any(sign in said for sign in ("០១២៣៤៥៦៧៨៩" if wanted == "khmr" else "0123456789"))
    assert not any(sign in said for sign in ("0123456789" if wanted == "khmr" else "០១២៣៤៥៦៧៨៩"))
    assert paper["khmer_digits"] is (wanted == "khmr")


def test_a_pack_that_everything_left_waits_for_nobody_and_says_so(client_for, client, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    client_for(scene.approver).post(
        f"/replies/{scene.replies[0].public_id}/decline", {"reason": "Add the year."}, expect=303
    )
    for path in (f"/packs/{pack.public_id}", "/sign-on-paper"):
        focal.get(path, expect=200)
        assert "Nothing to sign any more" in focal.words
        assert "Out to be signed" not in focal.words
    focal.get(f"/packs/{pack.public_id}", expect=200)
    assert "Nothing in this pack waits for a signature any more" in focal.words
    for gone in ("have it signed", "counts for the others", "Send the signed cover"):
        assert gone not in focal.words
    assert not focal.page.xpath("//main//form")
    assert focal.page.xpath("//main//a[starts-with(@href, '/sign-on-paper')]")
    client.get(f"/verify/{pack.code}", expect=200)
    assert "Nothing in this pack waits for a signature any more" in client.words
    assert "out to be signed" not in client.words
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=409)
    assert "No reply is left in this pack" in focal.words
    assert focal.page.xpath("//*[contains(@class, 'error-summary')]")


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


def test_only_leaders_print_and_sign_and_strangers_see_nothing(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    client_for(scene.reader).post("/sign-on-paper", {"reply": scene.replies[0].public_id}, expect=403)
    client_for(scene.stranger).post("/sign-on-paper", {"reply": scene.replies[0].public_id}, expect=404)
    pack = printed(focal, session)
    for stranger in (scene.stranger, scene.coordinator):
        other = client_for(stranger)
        for page in ("", "/paper", "/paper.pdf", "/cover"):  # the cover is not here yet
            other.get(f"/packs/{pack.public_id}{page}", expect=404)
        other.post(f"/packs/{pack.public_id}/cover", cover(), expect=404)
    client_for(scene.reader).post(f"/packs/{pack.public_id}/cover", cover(), expect=403)
    client_for(scene.reader).get(f"/packs/{pack.public_id}", expect=200)


def burst(app, client, path, bodies):
    """Send all bodies at the same moment, each from a browser of its own with the same session."""
    gate, answers, cookie = threading.Barrier(len(bodies)), [], client.cookie()

    def one(fields):
        browser = app.test_client()
        browser.set_cookie("tamdan", cookie)
        gate.wait(timeout=60)
        answers.append(browser.post(path, data=fields, buffered=True))

    threads = [threading.Thread(target=one, args=(fields,)) for fields in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return [answer.status_code for answer in answers]


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
    codes = burst(app, focal, f"/packs/{pack.public_id}/cover", bodies)
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
    codes = burst(app, focal, "/sign-on-paper", bodies)
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


def pages(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_every_paper_is_a_pdf_of_its_own_with_code_and_page_numbers(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 2)
    pack = printed(focal, session)
    found = focal.get(f"/packs/{pack.public_id}/paper.pdf", expect=200, check=False)
    assert found.get_data().startswith(b"%PDF-")
    assert found.headers["Content-Disposition"].startswith("attachment")
    assert pages(found.get_data()) == 3  # the cover, then each reply begins on a page of its own
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    code = session.scalars(select(Snapshot.code)).first()
    for path in (f"/receipts/{code}/receipt.pdf", f"/receipts/{code}/certificate.pdf"):
        assert pages(focal.get(path, expect=200, check=False).get_data()) == 1
    path = f"/replies/{scene.replies[0].public_id}/paper"
    focal.get(path, expect=200)
    assert focal.get(f"{path}.pdf", expect=200, check=False).get_data().startswith(b"%PDF-")


def test_until_pdfs_can_be_made_the_page_is_offered_and_says_so(client_for, scene, session, monkeypatch):
    monkeypatch.setattr(typesetting, "_found", threading.Event())
    monkeypatch.setattr(typesetting.importlib.util, "find_spec", lambda _name: None)
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    for page in (f"/packs/{pack.public_id}", f"/packs/{pack.public_id}/paper"):
        focal.get(page, expect=200)
        assert focal.page.xpath("//*[@data-state='being-prepared']")
        assert not focal.page.xpath("//a[contains(@href, '.pdf')]")
    focal.get(f"/packs/{pack.public_id}/paper.pdf", expect=503)
    assert focal.response.headers["Retry-After"]


def test_what_people_write_never_becomes_markup_of_a_paper(client_for, scene, session):
    focal = client_for(scene.focal)
    hostile = '#read("/etc/passwd") #{panic()} $x$ *b* = h\n#image("x.png") <a> @b \\ "]'
    one = scene.replies[0].public_id
    fields = {"state": "done", "measures@km": hostile, "measures@en": hostile}
    focal.post(f"/replies/{one}/pages/page1", fields | {f"base:{n}": 0 for n in fields}, headers=JSON, expect=200)
    assert focal.get(f"/replies/{one}/paper.pdf", expect=200, check=False).get_data().startswith(b"%PDF-")


def test_trying_codes_out_is_slowed_down_in_all_processes_alike(client, scene, session):
    client.get("/verify/0000-0000-0000-0000", expect=404)
    (one,) = session.scalars(select(LoginAttempt)).all()
    assert "127.0.0.1" not in one.account
    # what other processes counted stands in the database
    session.add_all(LoginAttempt(account=one.account, at=one.at, succeeded=False) for _n in range(lookups.ALLOWED - 1))
    session.commit()
    client.get("/verify/0000-0000-0000-0000", expect=429)
    assert client.response.headers["Retry-After"] == "60"
    with clock.at(one.at + lookups.WITHIN):
        client.get("/verify/0000-0000-0000-0000", expect=404)


KHMER = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
WAYS = {
    "as printed": lambda code: code,
    "the whole address": lambda code: f"https://portal.example/verify/{code}",
    "the address of the form": lambda code: f"https://portal.example/verify?lang=km&code={code}#main",
    "of a receipt": lambda code: f"https://portal.example/receipts/{code}/receipt.pdf",
    "slashes": lambda code: code.replace("-", "/"),
    "blanks and the word": lambda code: f" Code {code.replace('-', ' ')}",
    "the word before": lambda code: f"Code: {code}",
    "in Khmer": lambda code: f"លេខកូដ៖ {code.translate(KHMER)}",
    "in Khmer, with blanks": lambda code: f"លេខកូដ {code.translate(KHMER).replace('-', ' ')}",
    "long dashes": lambda code: code.lower().replace("-", " – "),
    "without any": lambda code: f"({code.replace('-', '')})",
    "letters like digits": lambda code: code.replace("0", "o").replace("1", "l"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_code_is_taken_out_of_whatever_was_copied_from_the_paper(client_for, client, scene, session, way):
    focal = client_for(scene.focal)
    complete(focal, scene, 1)
    pack = printed(focal, session)
    for code in ("ABTW123450JK9MNP", "ABCDEFGHJKMNPQRS", "0123456789012345"):
        pack.code = code
        session.commit()
        shown = "-".join(code[at : at + 4] for at in range(0, 16, 4))
        client.get("/verify", query_string={"code": WAYS[way](shown)}, expect=303)
        assert client.response.headers["Location"] == f"/verify/{shown}"
    client.get(f"/verify/{shown}", expect=200)


@pytest.mark.parametrize("typed", ["../..", "/", "៖", "ABTW/1234", "https://portal.example/", "x" * 5000])
def test_what_is_no_code_is_asked_for_again_in_its_field(client, scene, typed):
    client.get("/verify", query_string={"code": typed}, expect=404)
    assert client.page.xpath("//*[contains(@class, 'error-summary')]")
    assert client.page.xpath("//input[@name='code']/@value")[0].startswith(typed[:40])


def test_recall_by_every_door_ends_when_the_review_starts(client_for, client, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene, 2)
    pack = printed(focal, session)
    focal.post(f"/packs/{pack.public_id}/cover", cover(), expect=303)
    first, second = (reply.public_id for reply in scene.replies[:2])
    focal.post(f"/replies/{first}/recall", expect=303)
    code = session.scalar(select(Snapshot.code).where(Snapshot.submission_id == scene.replies[0].id))
    client.get(f"/verify/{code}", expect=200)
    assert "the institution took it back" in client.words
    client_for(scene.coordinator).post(f"/review/{second}/start", expect=303)
    for person in (scene.focal, scene.approver):
        client = client_for(person)
        client.post("/language", {"language": "en"}, expect=303)
        client.post(f"/replies/{second}/recall", expect=409)
        assert "Ask the secretariat to return it" in client.words
        assert client.page.xpath("//main//h2[text()='What happened']"), "on the page of the reply"
    assert faults_of(session) == []
