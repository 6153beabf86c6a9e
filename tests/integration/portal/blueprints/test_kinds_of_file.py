"""A question that takes certain kinds of file takes no other: said before the first byte, and held at every door."""

from __future__ import annotations

import io

from sqlalchemy import select

from portal.models import Delegation, Evidence, ItemKind, Question, QuestionnaireVersion, VersionItem
from tests import factories
from tests.integration.portal.blueprints.test_documents import only, scene, send
from tests.integration.portal.blueprints.test_uploads import ID, JSON, PDF, finish, kept_files, put, whole
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_scope import come_in, hand_out

__all__ = ["scene"]
TEXT = b"A decision."
SENTENCE = "“letter.txt” is not of a kind that this question takes. Send one that ends in .pdf, .jpg, .jpeg."


def narrow(session, accept=".pdf, JPG"):
    item = session.scalars(
        select(VersionItem).join(Question, Question.id == VersionItem.question_id).where(Question.code == "proof")
    ).one()
    item.settings = {**item.settings, "accept": accept}
    session.commit()


def test_another_kind_is_refused_whole_in_pieces_and_before_the_first_byte(app, client_for, scene, session):
    narrow(session)
    client = client_for(scene.focal)
    client.get(f"{scene.own}/pages/page1", expect=200)
    # who chooses a file reads it first, and the browser offers the same kinds
    assert "Kinds of file taken here: .pdf, .jpg, .jpeg." in client.words
    (offered,) = client.page.xpath("//input[@id='q-proof']/@accept")
    assert whole(client, scene.own, TEXT, 422, name="letter.txt")["title"] == SENTENCE
    asked = {"name": "letter.txt", "size": 100, "kinds": offered}
    told = client.get(f"{scene.own}/uploads/{ID}", headers=JSON, query_string=asked, expect=422).get_json()
    assert told["title"] == SENTENCE
    put(client, scene.own, 0, TEXT, 200)
    assert finish(client, scene.own, len(TEXT), 422, name="letter.txt")["title"] == SENTENCE
    assert kept_files(app) == []
    assert session.scalars(select(Evidence)).all() == []
    whole(client, scene.own, PDF, 201, name="letter.PDF")


def test_a_question_for_pictures_takes_no_document(client_for, scene, session):
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    version = session.get_one(QuestionnaireVersion, page.version_id)
    factories.question(session, version, "photo", "image", parent=page)
    session.commit()
    client = client_for(scene.focal)
    client.get(f"{scene.own}/pages/page1", expect=200)
    # one that takes every safe kind says nothing
    assert client.words.count("Kinds of file taken here:") == 1
    given = {"file": (io.BytesIO(PDF), "a.pdf")}
    told = client.post(f"{scene.own}/questions/photo/files", given, headers=JSON, expect=422).get_json()
    assert told["title"].endswith("Send one that ends in .jpg, .jpeg, .png.")


def test_what_comes_with_a_paper_is_judged_the_same(client_for, scene, session):
    narrow(session)
    coordinator = client_for(scene.coordinator)
    send(coordinator, scene.desk)
    path = f"{scene.desk}/paper/{only(session).public_id}/questions/proof/files"
    given = {"file": (io.BytesIO(TEXT), "letter.txt")}
    assert coordinator.post(path, given, headers=JSON, expect=422).get_json()["title"] == SENTENCE


def test_a_guest_reads_the_sentence_beside_the_question(app, client_for, session):
    world = table_world(session)
    page = session.scalar(
        select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1")
    )
    factories.question(session, world.version, "proof", "file", parent=page)
    narrow(session)
    _chief, link, code = hand_out(client_for, world, ("proof",))
    guest = come_in(app, session, link, code)
    work = f"/shared/work/{session.scalars(select(Delegation.public_id)).one()}"
    given = {"proof": (io.BytesIO(TEXT), "letter.txt")}
    guest.post(f"{work}/questions/proof/files", given, expect=422)
    assert "សំណួរនេះមិនទទួលឯកសារប្រភេទដូច «letter.txt» ទេ។ សូមផ្ញើឯកសារដែលឈ្មោះបញ្ចប់ដោយ .pdf, .jpg, .jpeg។" in guest.words
    assert session.scalars(select(Evidence)).all() == []
