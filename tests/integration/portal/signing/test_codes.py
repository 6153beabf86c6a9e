"""Receipts, certificates, and what the code on a paper says to whoever looks it up."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from portal import clock
from portal.models import LoginAttempt, Snapshot
from portal.services import lookups
from portal.services.verification import faults_of
from tests.factories import PASSWORD
from tests.integration.portal.signing.scenes import PNG, complete, cover, printed

pytestmark = pytest.mark.engines


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
