"""Packs: three steps for the assistant, one for the director; what leaves a pack, and what taking it back does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.models import PackedReply, Role, Signature, SigningPack, Snapshot, Status, Submission
from portal.papers import typesetting
from portal.services.verification import faults_of
from tests import factories
from tests.factories import PASSWORD
from tests.integration.portal.signing.scenes import PNG, complete, cover, printed, sheet
from tests.steps import Steps

pytestmark = pytest.mark.engines


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


def test_a_pack_is_taken_back_only_after_saying_what_that_does(client_for, scene, session):
    focal = client_for(scene.focal)
    complete(focal, scene)
    pack = printed(focal, session)
    focal.get(f"/packs/{pack.public_id}", expect=200)
    (form,) = focal.page.xpath("//form[contains(@action, '/cancel')]")
    (fold,) = form.xpath("ancestor::details[not(@open)]")
    assert "its 3 replies have to be printed and signed anew" in " ".join(fold.text_content().split())


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
