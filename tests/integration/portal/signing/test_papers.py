"""What is printed to be signed: as it was handed in, in the digits of its reader, a PDF with code and page numbers."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import select

from portal import clock
from portal.blueprints import papers
from portal.models import (
    Assignment,
    Evidence,
    EvidenceKind,
    PackedReply,
    Signature,
    Snapshot,
    Submission,
    UserAccount,
    Visibility,
)
from portal.papers import typesetting
from portal.reader import KHMER_DIGITS
from portal.services.verification import faults_of
from tests import factories
from tests.integration.portal.signing.scenes import JSON, complete, cover, printed

pytestmark = pytest.mark.engines


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
