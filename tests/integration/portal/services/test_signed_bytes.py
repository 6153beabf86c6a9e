"""What is signed cannot be changed: every route refuses, and whatever SQL changes, verification names (R-16)."""

from __future__ import annotations

import hashlib
import io
import shutil
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, text, update

from portal.models import (
    Answer,
    AuditEvent,
    Evidence,
    ItemKind,
    PackedReply,
    Role,
    Signature,
    SigningPack,
    Snapshot,
    Submission,
    SubmissionEvent,
    VersionItem,
)
from portal.services.verification import faults_of
from tests import factories
from tests.integration.portal.cli.test_operations import run
from tests.integration.portal.signing.scenes import PNG

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def signed(client_for, session):
    """A reply with evidence, signed on paper in a pack."""
    place = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, place, version=version))
    person = factories.person(session, place, Role.FOCAL_POINT)
    session.commit()
    focal, path = client_for(person), f"/replies/{reply.public_id}"
    fields = {"state": "done", "measures@km": "ច្បាប់ថ្មី", "beds": "3"}
    focal.post(f"{path}/pages/page1", fields | {f"base:{name}": 0 for name in fields}, headers=JSON, expect=200)
    focal.post(f"{path}/questions/proof/files", {"file": (io.BytesIO(PDF), "law.pdf")}, headers=JSON, expect=201)
    focal.post(f"{path}/complete", expect=303)
    focal.post("/sign-on-paper", {"reply": reply.public_id}, expect=303)
    pack = session.scalars(select(SigningPack)).one()
    given = {"cover": (io.BytesIO(PNG), "c.png"), "letter_number": "1", "letter_on": factories.today().isoformat()}
    focal.post(f"/packs/{pack.public_id}/cover", given, expect=303)
    assert faults_of(session) == []
    return SimpleNamespace(focal=focal, path=path, pack=pack, reply=reply)


def test_every_route_refuses(signed, session):
    before = session.scalars(select(Snapshot.canonical)).all()
    proof = session.scalars(select(Evidence.public_id)).one()
    focal, path = signed.focal, signed.path
    focal.post(f"{path}/pages/page1", {"beds": "4", "base:beds": "1"}, headers=JSON, expect=409)
    focal.post(f"{path}/questions/proof/files", {"file": (io.BytesIO(PDF), "x.pdf")}, headers=JSON, expect=409)
    focal.post(f"/evidence/{proof}/remove", expect=409)
    focal.post(f"{path}/warnings", {"reason:x": "y"}, expect=409)
    for page in ("complete", "hand-in-pending", "retract"):
        assert focal.post(f"{path}/{page}").status_code in {303, 409}
    for page in ("cover", "hand-in", "cancel"):
        given = {"cover": (io.BytesIO(PNG), "c.png"), "letter_number": "2", "letter_on": factories.today().isoformat()}
        focal.post(f"/packs/{signed.pack.public_id}/{page}", given if page == "cover" else {}, expect=409)
    assert session.scalars(select(Snapshot.canonical)).all() == before
    assert faults_of(session) == []


TAMPERING = {
    "a byte of the snapshot": text("UPDATE snapshot SET canonical = replace(canonical, '3', '4')"),
    # a digit put for another would leave a hash without it as it is
    "the hash of the snapshot": update(Snapshot).values(sha256="0" * 64),
    "who signed it": update(Snapshot).values(signed_by=1),
    "which act it belongs to": update(Snapshot).values(
        event_id=select(SubmissionEvent.id).where(SubmissionEvent.number == 1).scalar_subquery()
    ),
    "an answer": update(Answer).where(Answer.revision == 1).values(revision=2),
    "a figure": text("UPDATE answer SET value = '4' WHERE CAST(value AS TEXT) = '3'"),
    "what was not asked": update(Submission).values(hidden=["beds"]),
    "a removed answer": delete(Answer),
    "a removed file": text("UPDATE evidence SET removed_at = added_at"),
    "another file": update(Evidence).values(sha256="0" * 64),
    "the signature": update(Submission).values(signature=Signature.SIGNED),
    "what was printed": text("UPDATE packed_reply SET canonical = replace(canonical, '3', '4')"),
    "the hash of what was printed": update(PackedReply).values(sha256="0" * 64),
    "the seal of the pack": update(SigningPack).values(sha256="0" * 64),
    "the code of the pack": update(SigningPack).values(code="0" * 16),
    "the number of the letter": update(SigningPack).values(letter_number="2"),
    "the name on the letter": update(SigningPack).values(signer_name="Somebody else"),
    "the cover": update(SigningPack).values(cover_sha256="0" * 64),
    "the pack taken back": text("UPDATE signing_pack SET cancelled_at = made_at"),
    "the pack never signed": update(SigningPack).values(signed_at=None),
    "an audit row": update(AuditEvent).where(AuditEvent.action == "sign_pack").values(details={}),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_whatever_sql_changes_verification_names(signed, session, what):
    session.execute(TAMPERING[what])
    session.commit()
    assert faults_of(session) != []


def test_a_consistent_forgery_is_named_by_the_audit_chain(signed, session):
    """Bytes and hash changed together, in snapshot and pack alike: the chain still holds the first hash."""
    forged = session.scalar(select(Snapshot.canonical)).replace("ច្បាប់ថ្មី", "ច្បាប់ចាស់")
    sha256 = hashlib.sha256(forged.encode()).hexdigest()
    session.execute(update(Snapshot).values(canonical=forged, sha256=sha256))
    session.execute(update(PackedReply).values(canonical=forged, sha256=sha256))
    session.commit()
    faults = faults_of(session)
    assert any("no such snapshot" in one for one in faults)
    assert any("not what was printed" in one for one in faults)


def test_a_restore_brings_back_the_very_bytes_and_the_cover(app, signed, session, tmp_path):
    asked = select(Snapshot.canonical, Snapshot.sha256, Snapshot.code)
    before = session.execute(asked).all()
    session.commit()
    folder = app.config["SETTINGS"].evidence_dir
    file = str(tmp_path / "backup.zip")
    assert run(app, "backup", file)[0] == 0
    shutil.rmtree(folder)
    assert run(app, "restore", file, "--replace")[0] == 0
    assert session.execute(asked).all() == before
    (text_, sha256, _code) = before[0]
    assert hashlib.sha256(text_.encode()).hexdigest() == sha256
    cover = session.scalar(select(SigningPack.cover_sha256))
    assert (folder / cover[:2] / cover).read_bytes() == PNG
    assert run(app, "verify-audit")[0] == 0
    session.rollback()
    (folder / cover[:2] / cover).write_bytes(b"another cover")
    assert run(app, "dump", "--canonical")[0] == 1
