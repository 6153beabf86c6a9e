"""Files of shared questions: sent, read and taken off by whoever sent them; nobody else's, nowhere else."""

from __future__ import annotations

import io

from sqlalchemy import select, update

from portal import clock
from portal.models import Answer, Delegation, Evidence, EvidenceKind, Question, VersionItem, Visibility
from tests import factories
from tests.client import Client
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_collection import ask, kampot
from tests.integration.portal.sharing.test_scope import come_in, hand_out
from tests.integration.portal.sharing.test_taking_over import work_of

TEXT = b"A decision of the province."


def test_files_of_shared_questions_alone(app, session, client_for):
    world = table_world(session)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1"))
    for code in ("proof", "secret"):
        factories.question(session, world.version, code, "file", parent=page)
    by = factories.system_actor(session).id
    ids = dict(session.execute(select(Question.code, Question.id)).all())
    shown = {"submission_id": world.reply.id, "round_id": world.round.id, "kind": EvidenceKind.FILE, "sha256": "0" * 64,
             "filename": "x.txt", "media_type": "text/plain", "size": 1, "added_by": by, "added_at": clock.now()}  # fmt: skip
    session.add_all(
        [
            Evidence(number=1, question_id=ids["secret"], **shown),
            Evidence(number=2, question_id=ids["proof"], visibility=Visibility.CONFIDENTIAL, **shown),
        ]
    )
    session.commit()
    _chief, link, code = hand_out(client_for, world, ("proof",))
    guest = come_in(app, session, link, code)
    one = session.scalars(select(Delegation)).one()
    work = f"/shared/work/{one.public_id}"

    def send(question):
        return guest.open(
            f"{work}/questions/{question}/files", method="POST",
            data={"csrf_token": guest.token(), question: (io.BytesIO(TEXT), "decision.txt")},
            content_type="multipart/form-data",
        )  # fmt: skip

    assert send("secret").status_code == 404
    assert send("beds").status_code == 404
    assert send("proof").status_code == 303
    made = session.scalars(select(Evidence).where(Evidence.number == 3)).one()
    assert made.added_by != by
    assert made.public_id in str(session.scalars(select(Answer.value)).all())
    guest.get(f"{work}/pages/page1", expect=200)
    assert "decision.txt" in guest.text
    assert "x.txt" not in guest.text, "neither of another question nor confidential"
    got = guest.get(f"{work}/files/3", expect=200)
    assert got.data == TEXT
    assert got.headers["Content-Disposition"].startswith("attachment")
    # the files are there: only who they were sent by, and for which question, keeps them from the guest
    session.execute(update(Evidence).where(Evidence.number < 3).values(sha256=made.sha256, size=made.size))
    session.add(Evidence(number=5, question_id=ids["proof"], **(shown | {"sha256": made.sha256, "size": made.size})))
    linked = {"kind": EvidenceKind.LINK, "url": "https://example.org/law", "filename": None, "sha256": None, "size": None}
    session.add(Evidence(number=6, question_id=ids["proof"], **(shown | linked)))
    session.commit()
    assert guest.get(f"{work}/files/5", expect=200).data == TEXT
    guest.get(f"{work}/pages/page1", expect=200)
    assert guest.page.xpath("//ul[@class='files']//a[@rel='noreferrer']/@href") == ["https://example.org/law"]
    guest.post(f"{work}/files/5/remove", expect=404)
    for number in (1, 2, 4):
        guest.get(f"{work}/files/{number}", expect=404)
        guest.post(f"{work}/files/{number}/remove", expect=404)
    for address in (f"/evidence/{made.public_id}",):
        assert guest.get(address).status_code == 303, "the institution's own pages ask for a log-in"
    guest.get(f"{work}/pages/page1", expect=200)
    guest.post(f"{work}/files/3/remove", expect=303)
    assert session.scalars(select(Evidence.removed_at).where(Evidence.number == 3)).one() is not None


def test_files_come_in_pieces_and_the_same_one_comes_once(app, session, client_for):
    world = table_world(session)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1"))
    factories.question(session, world.version, "proof", "file", parent=page)
    session.commit()
    _chief, link, code = hand_out(client_for, world, ("proof",))
    guest = come_in(app, session, link, code)
    work = "/shared/work/" + session.scalars(select(Delegation.public_id)).one()
    assert guest.page.xpath("//form[starts-with(@id, 'upload-')]/@data-pieces") == [f"{work}/uploads/"]
    script = {"Accept": "application/json", "X-CSRFToken": guest.token()}
    for identifier in ("a" * 32, "b" * 32):
        place = f"{work}/uploads/{identifier}"
        assert guest.open(place, headers=script, expect=200).get_json()["offset"] == 0
        for start in (0, 10):
            guest.open(f"{place}?offset={start}", method="PUT", data=TEXT[start : start + (10 if not start else 99)],
                       headers=script, expect=200)  # fmt: skip
        # a broken line: the same piece again changes nothing, one from elsewhere is told where to go on
        assert guest.open(f"{place}?offset=3", method="PUT", data=b"xx", headers=script, expect=409).get_json()["offset"] == len(TEXT)
        whole = {"upload": identifier, "name": "decision.txt", "size": str(len(TEXT))}
        told = guest.post(f"{work}/questions/proof/files", whole, headers=script, expect=201).get_json()
        assert guest.get(told["url"], expect=200).data == TEXT
    assert session.scalars(select(Evidence.number)).all() == [told["number"]]
    other = Client(app, session)
    assert other.open(f"{work}/uploads/{'a' * 32}", headers={"Accept": "application/json"}).status_code == 401
    other.get(f"{work}/uploads/{'a' * 32}", expect=404)


def test_a_guest_gives_a_link_in_place_of_a_file(app, session, client_for):
    world = table_world(session)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1"))
    factories.question(session, world.version, "proof", "file", parent=page)
    session.commit()
    _chief, link, code = hand_out(client_for, world, ("proof",))
    guest = come_in(app, session, link, code)
    work = "/shared/work/" + session.scalars(select(Delegation.public_id)).one()
    (form,) = guest.page.xpath("//form[@id='link-q-proof']")
    assert guest.page.xpath("//input[@name='link']/@form") == ["link-q-proof"]
    # what is no address is said at its question, and stays in its field
    guest.post(f"{work}/questions/proof/files", {"link": "example.org/law"}, expect=422)
    assert guest.page.xpath("//input[@name='link']/@value") == ["example.org/law"]
    assert guest.page.xpath("//details[@open]//input[@name='link']")
    assert session.scalars(select(Evidence)).all() == []
    action = form.get("action").partition("#")[0]
    for _twice in range(2):
        guest.post(action, {"link": " https://example.org/law "}, expect=303)
    made = session.scalars(select(Evidence)).one()
    assert (made.kind, made.url) == (EvidenceKind.LINK, "https://example.org/law")
    assert session.scalars(select(Answer.value)).all() == [[made.public_id]]
    guest.get(f"{work}/pages/page1", expect=200)
    assert guest.page.xpath("//ul[@class='files']//a[@rel='noreferrer']/@href") == [made.url]
    guest.post(f"{work}/files/{made.number}/remove", expect=303)
    session.expire_all()
    assert session.scalars(select(Answer.value)).all() == [None]


def test_a_unit_is_asked_for_files_alone(app, session, client_for):
    # what a unit attaches is taken over by its bytes, and a link has none
    world = table_world(session)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1"))
    factories.question(session, world.version, "proof", "file", parent=page)
    session.commit()
    unit = kampot(app, session, ask(client_for(world.focal), world.reply, codes=("beds", "measures", "trainings", "proof")))
    work = work_of(unit)
    unit.get(f"{work}/pages/page1", expect=200)
    assert unit.page.xpath("//form[@id='upload-q-proof']")
    assert not unit.page.xpath("//input[@name='link']")
    unit.post(f"{work}/questions/proof/files", {"link": "https://example.org/law"}, expect=422)
    assert session.scalars(select(Evidence)).all() == []
