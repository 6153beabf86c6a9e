"""Documents received, to be entered; and a return on paper that the secretariat enters on behalf of an institution."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from portal.errors import NotAllowed
from portal.models import (
    Answer,
    AssignmentDocument,
    AuditEvent,
    DocumentState,
    Evidence,
    Institution,
    ItemKind,
    KeptWarning,
    ReportingRound,
    Role,
    Signature,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    VersionItem,
)
from portal.queries.submissions import head_by_id
from portal.services import documents
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def scene(session):
    moj: Institution = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "why", "text", parent=page, required="true()")
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        own=f"/replies/{reply.public_id}",
        desk=f"/review/{reply.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        reader=factories.person(session, moj, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
        coordinator=factories.staff(session),
        writer=factories.staff(session, StaffRole.REPORT_WRITER),
    )
    session.commit()
    return made


def send(client, path, content=PDF, name="លិខិត.pdf", expect=303, **more):
    return client.post(f"{path}/documents", {"document": (io.BytesIO(content), name), **more}, expect=expect)


def only(session):
    return session.scalars(select(AssignmentDocument)).one()


def reply(session, scene):
    return session.get_one(Submission, scene.reply.id)


def test_a_document_counts_as_received_to_be_entered_and_as_no_answer(client_for, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    send(focal, scene.own, note="Letter 12")
    one = only(session)
    assert (one.state, one.from_secretariat, one.note) == (DocumentState.RECEIVED, False, "Letter 12")
    assert reply(session, scene).status is Status.ISSUED
    send(focal, scene.own)  # the same file again is the same document
    only(session)
    focal.get(f"{scene.own}/pages/page1", expect=200)
    assert "received, to be entered" in focal.words
    focal.get("/owed", expect=200)
    assert "document received, to be entered" in focal.words
    coordinator.get(f"{scene.desk}/documents", expect=200)
    assert "Letter 12" in coordinator.words
    assert coordinator.get(f"/documents/{one.public_id}", check=False).get_data() == PDF
    assert coordinator.response.headers["Content-Disposition"].startswith("attachment")
    coordinator.get(f"{scene.desk}", expect=200)
    assert "1 document waits to be entered" in coordinator.words
    coordinator.get(f"/rounds/{session.scalars(select(ReportingRound.slug)).one()}", expect=200)
    assert "Received, to be entered" in coordinator.words
    slug = session.scalars(select(ReportingRound.slug)).one()
    coordinator.get(f"/rounds/{slug}/grid", expect=200)
    assert "document received, to be entered" in coordinator.text
    coordinator.get(f"/rounds/{slug}", expect=200)
    # nothing is received: a document is no reply
    assert "0 of 1" in coordinator.words


def test_whose_documents_they_are(client_for, scene, session):
    send(client_for(scene.reader), scene.own, expect=403)
    send(client_for(scene.stranger), scene.own, expect=404)
    send(client_for(scene.writer), scene.desk, expect=403)
    send(client_for(scene.focal), scene.desk, expect=404)
    send(client_for(scene.coordinator), scene.desk)
    one = only(session)
    assert one.from_secretariat
    for person, expect in ((scene.stranger, 404), (scene.reader, 200), (scene.writer, 200), (scene.focal, 200)):
        client_for(person).get(f"/documents/{one.public_id}", check=False, expect=expect)
    for person, expect in ((scene.stranger, 404), (scene.reader, 403), (scene.writer, 403)):
        client_for(person).post(f"/documents/{one.public_id}/entered", expect=expect)
        client_for(person).post(f"/documents/{one.public_id}/set-aside", {"reason": "x"}, expect=expect)
    focal = client_for(scene.focal)
    send(focal, scene.own, b"<html>", "a.pdf", expect=422)
    # a photo as iPhones take it is told how to be sent, under its own name and under another
    for name in ("IMG_1.HEIC", "IMG_1.jpg"):
        send(focal, scene.own, b"\0\0\0\x24ftypheic\0\0\0\0mif1", name, expect=422)
        assert "Most Compatible" in focal.words


def test_a_document_is_entered_or_set_aside_once(client_for, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    send(coordinator, scene.desk)
    one = only(session)
    coordinator.post(f"/documents/{one.public_id}/set-aside", {"reason": " "}, expect=422)
    coordinator.post(f"/documents/{one.public_id}/set-aside", {"reason": "It is another ministry's"}, expect=303)
    session.refresh(one)
    assert (one.state, one.reason) == (DocumentState.SET_ASIDE, "It is another ministry's")
    focal.get(f"{scene.own}/documents", expect=200)
    assert "It is another ministry's" in focal.words
    focal.post(f"/documents/{one.public_id}/entered", expect=409)
    # the same file may come again after that
    send(focal, scene.own)
    again = session.scalars(select(AssignmentDocument).where(AssignmentDocument.state == DocumentState.RECEIVED)).one()
    focal.post(f"/documents/{again.public_id}/entered", expect=303)
    session.refresh(again)
    assert again.state is DocumentState.ENTERED
    assert again.settled_at is not None
    for reader, address in ((focal, f"{scene.own}/check"), (coordinator, scene.desk)):
        reader.get(address, expect=200)
        told = reader.page.xpath("//ol[@class='timeline']//strong/text()")
        assert told[:4] == [
            "A document was entered", "A document was sent in", "A document was set aside", "A document was sent in",
        ]  # fmt: skip


def enter(coordinator, scene, one, expect=303, action="save", **fields):
    names = {name.replace("__", "@"): value for name, value in fields.items()}
    bases = {f"base:{name}": 0 for name in names}
    path = f"{scene.desk}/paper/{one.public_id}"
    return coordinator.post(f"{path}/pages/page1", bases | names | {"action": action}, expect=expect)


def test_the_secretariat_enters_a_return_on_paper_and_it_is_marked_everywhere(client_for, scene, session):
    coordinator = client_for(scene.coordinator)
    send(coordinator, scene.desk)
    one = only(session)
    path = f"{scene.desk}/paper/{one.public_id}"
    coordinator.get(path, follow=True)
    assert "You enter answers on behalf of" in coordinator.words
    assert not one.on_behalf_since
    # the same form: what cannot be read is refused with its sentence
    enter(coordinator, scene, one, expect=422, beds="many")
    assert "Question beds: This is not a number." in coordinator.words
    coordinator.post(f"{path}/finish", expect=422)
    enter(coordinator, scene, one, state="done", measures__km="តុលាការ ១០", measures__en="12 courts", why__en="Because", **{"base:beds": "1", "beds": "12"})
    given = {"file": (io.BytesIO(PDF + b"annex"), "annex.pdf")}
    coordinator.post(f"{path}/questions/proof/files", given, expect=303)
    coordinator.get(f"{path}/pages/page1", expect=200)
    assert reply(session, scene).status is Status.IN_PROGRESS
    # the languages tell other figures: that is what the paper says, and it is kept with that reason
    coordinator.post(f"{path}/pages/page1", {"action": "finish"}, expect=303)
    assert session.scalars(select(KeptWarning.reason)).all() == ["ចម្លើយតបលើក្រដាសសរសេរដូច្នេះ។"]
    session.expire_all()
    done = reply(session, scene)
    assert (done.status, done.signature, done.hand_in) == (Status.SUBMITTED, Signature.PAPER, 1)
    scan = session.scalars(select(Evidence).where(Evidence.sha256 == one.sha256)).one()
    events = session.scalars(select(SubmissionEvent).order_by(SubmissionEvent.number)).all()
    assert events[-1].details["scan"] == scan.public_id
    assert scan.caption == "ចម្លើយតបលើក្រដាស ដែលលេខាធិការដ្ឋានបានបញ្ចូល", "the institution reads it, whoever typed"
    session.refresh(one)
    assert one.state is DocumentState.ENTERED
    # the person who typed it is named, and for whom
    entered = session.scalars(select(AuditEvent).where(AuditEvent.action == "enter_on_behalf")).one()
    assert entered.details["institution"] == "MOJ"
    assert session.scalars(select(Answer.answered_by).distinct()).all() == [entered.actor_id]
    coordinator.get(scene.desk, expect=200)
    assert "Entered by the secretariat from paper" in coordinator.words
    focal = client_for(scene.focal)
    for page in (f"{scene.own}/check", f"{scene.own}/pages/page1", "/owed"):
        focal.get(page, expect=200)
        assert "Entered by the secretariat from paper" in focal.words


def test_a_file_put_beside_a_question_by_mistake_is_taken_off_while_the_paper_is_entered(client_for, scene, session):
    coordinator = client_for(scene.coordinator)
    send(coordinator, scene.desk)
    path = f"{scene.desk}/paper/{only(session).public_id}"
    for given in ({"file": (io.BytesIO(PDF + b"wrong"), "wrong.pdf")}, {"link": "https://example.org/wrong"}):
        coordinator.post(f"{path}/questions/proof/files", given, expect=303)
    coordinator.get(f"{path}/pages/page1", expect=200)
    removing = coordinator.page.xpath("//button[@form='file-actions']/@formaction")
    assert len(removing) == 2
    coordinator.post(removing[0], expect=303)
    coordinator.follow()
    assert "The file was removed." in coordinator.words
    coordinator.post(removing[1], expect=303)
    session.expire_all()
    assert [one.removed_at is not None for one in session.scalars(select(Evidence))] == [True, True]
    coordinator.get(f"{path}/pages/page1", expect=200)
    assert "wrong" not in coordinator.words
    # what is taken off is gone, and a reply that was handed in keeps what it was handed in with
    coordinator.post(removing[0], expect=404)
    given = {"file": (io.BytesIO(PDF + b"annex"), "annex.pdf")}
    coordinator.post(f"{path}/questions/proof/files", given, expect=303)
    coordinator.get(f"{path}/pages/page1", expect=200)
    last = coordinator.page.xpath("string(//button[@form='file-actions']/@formaction)")
    beds = {"base:beds": 0, "beds": "12"}
    enter(coordinator, scene, only(session), state="done", measures__km="តុលាការ", measures__en="Courts", why__en="Because", **beds)
    coordinator.post(f"{path}/pages/page1", {"action": "finish"}, expect=303)
    coordinator.post(last, expect=409)


def test_two_coordinators_enter_one_paper_and_no_text_is_lost(client_for, scene, session):
    one, other = client_for(scene.coordinator), client_for(factories.staff(session))
    send(one, scene.desk)
    path = f"{scene.desk}/paper/{only(session).public_id}/pages/page1"
    one.get(path, expect=200)
    form = one.page.xpath("//form[@id='paper']")[0]
    assert form.get("data-autosave") is not None
    assert form.get("data-rules")
    one.get(form.get("data-rules"), check=False, expect=200)
    told = one.post(path, {"why@en": "Mine", "base:why@en": "0"}, headers=JSON, expect=200).json
    assert told["saved"] == [{"name": "why@en", "revision": 1}]
    stale = other.post(path, {"why@en": "Theirs", "base:why@en": "0"}, headers=JSON, expect=409).json["stale"]
    assert [(each["mine"], each["theirs"], each["revision"]) for each in stale] == [("Theirs", "Mine", 1)]
    # without script both texts are shown, and one is chosen
    other.post(path, {"why@en": "Theirs", "base:why@en": "0"}, expect=409)
    assert "Mine" in other.words
    assert "both texts are shown" in other.words
    fields = {"why@en": "Theirs", "base:why@en": "0", "theirs:why@en": "1", "resolve:why@en": "mine"}
    other.post(path, fields | {"action": "finish"}, expect=422)  # the rest is still missing
    assert session.scalar(select(Answer.value).where(Answer.lang == "en")) == "Theirs"
    fields |= {"theirs:why@en": "2", "resolve:why@en": "both", "merged:why@en": "Mine and theirs"}
    one.post(path, fields, expect=303)
    assert session.scalar(select(Answer.value).where(Answer.lang == "en")) == "Mine and theirs"
    # the institution begins itself: the open page of the secretariat is told why nothing is saved any more
    client_for(scene.focal).post(f"{scene.own}/pages/page1", {"state": "done", "base:state": "0"}, headers=JSON, expect=200)
    ended = one.post(path, {"why@en": "More", "base:why@en": "3"}, headers=JSON, expect=409).json
    assert ended["code"] == "institution_answers"


def test_a_paper_is_entered_by_two_who_are_named_to_each_other_from_scan_to_hand_in(client_for, scene, session):
    """The whole way: the scan comes, two type beside it, their texts cross, what stands is handed in with the scan."""
    second = factories.staff(session)
    one, other = client_for(scene.coordinator), client_for(second)
    send(one, scene.desk, note="Stamped return")
    paper = only(session)
    path = f"{scene.desk}/paper/{paper.public_id}/pages/page1"
    one.get(path, expect=200)
    assert one.page.xpath("//a[contains(@href, $paper)]", paper=f"/documents/{paper.public_id}"), "the scan stands beside"
    assert one.page.xpath("//*[@data-here]/@data-here") == [f"{path}/here"]
    first, name = scene.coordinator.names["en"], second.names["en"]
    assert one.post(f"{path}/here", headers=JSON, expect=200).json == {"here": []}
    other.get(path, expect=200)
    assert other.post(f"{path}/here", headers=JSON, expect=200).json == {"here": [first]}
    assert one.post(f"{path}/here", headers=JSON, expect=200).json == {"here": [name]}
    one.get(f"{path}/here", expect=200)
    assert name in one.words
    # the institution learns who is at it, the secretariat never who of the institution looks on
    focal = client_for(scene.focal)
    own = f"{scene.own}/pages/page1"
    focal.get(own, expect=200)
    assert focal.post(f"{own}/here", headers=JSON, expect=200).json == {"here": [first, name]}
    assert one.post(f"{path}/here", headers=JSON, expect=200).json == {"here": [name]}
    assert other.post(f"{path}/here?leave=1", headers=JSON, expect=200).json == {"here": [first]}
    assert one.post(f"{path}/here", headers=JSON, expect=200).json == {"here": []}
    # both type: the second is shown whose text stands there, and chooses
    one.post(path, {"why@en": "As page 2 says", "base:why@en": "0"}, headers=JSON, expect=200)
    other.post(path, {"why@en": "As page 3 says", "base:why@en": "0"}, expect=409)
    assert "As page 2 says" in other.words
    assert first in other.words
    fields = {"why@en": "As page 3 says", "base:why@en": "0", "theirs:why@en": "1", "resolve:why@en": "mine"}
    other.post(path, fields | {"action": "save"}, expect=303)
    rest = {"state": "done", "base:state": "0", "measures@en": "12 courts", "base:measures@en": "0", "action": "save"}
    one.post(path, rest, expect=303)
    one.post(path, {"action": "finish"}, expect=303)
    session.expire_all()
    done = reply(session, scene)
    assert (done.status, done.signature) == (Status.SUBMITTED, Signature.PAPER)
    assert "As page 3 says" in session.scalars(select(Answer.value).where(Answer.lang == "en")).all()
    assert session.scalars(select(Evidence).where(Evidence.sha256 == paper.sha256)).one()
    # handed in: the open page of the other is told so, and nothing is saved over what was signed
    other.post(path, {"why@en": "Late", "base:why@en": "2"}, headers=JSON, expect=409)
    other.post(f"{path}/here", headers=JSON, expect=409)


def test_what_the_institution_writes_itself_is_never_opened_to_the_secretariat(client_for, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    send(coordinator, scene.desk)
    one = only(session)
    focal.post(f"{scene.own}/pages/page1", {"why@en": "CANARY", "base:why@en": "0"}, headers=JSON, expect=200)
    path = f"{scene.desk}/paper/{one.public_id}"
    for _each in (1, 2):
        coordinator.get(f"{path}/pages/page1", expect=409)
        assert "CANARY" not in coordinator.words
    enter(coordinator, scene, one, expect=409, state="done")
    coordinator.post(f"{path}/finish", expect=409)
    assert session.scalar(select(func.count()).select_from(Answer)) == 1


def test_the_institution_may_go_on_with_what_was_entered(client_for, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    send(coordinator, scene.desk)
    one = only(session)
    enter(coordinator, scene, one, why__en="From the paper")
    focal.post(f"{scene.own}/pages/page1", {"why@en": "Better", "base:why@en": "1"}, headers=JSON, expect=200)
    coordinator.get(f"{scene.desk}/paper/{one.public_id}/pages/page1", expect=409)


def test_only_a_coordinator_enters(client_for, scene, session):
    send(client_for(scene.coordinator), scene.desk)
    one = only(session)
    for person, expect in ((scene.writer, 403), (scene.focal, 404), (scene.stranger, 404)):
        client = client_for(person)
        client.get(f"{scene.desk}/paper/{one.public_id}/pages/page1", expect=expect)
        enter(client, scene, one, expect=expect, why__en="x")
        client.post(f"{scene.desk}/paper/{one.public_id}/finish", expect=expect)
    assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_the_service_itself_lends_the_part_of_an_institution_to_a_coordinator_only(session, scene, context):
    head = head_by_id(session, scene.reply.id)
    writer = documents.on_behalf(session, head, by=factories.principal(session, scene.coordinator))
    assert (writer.institution_id, writer.staff) == (head.institution_id, frozenset())
    for person in (scene.writer, scene.focal, scene.stranger):
        with pytest.raises(NotAllowed):
            documents.on_behalf(session, head, by=factories.principal(session, person))


def test_a_document_can_come_in_pieces_to_both_sides(client_for, scene, session):
    for client, path in ((client_for(scene.focal), scene.own), (client_for(scene.coordinator), scene.desk)):
        identifier = "0123456789abcdef" * 2
        headers = JSON | {"X-CSRFToken": client.token(), "Content-Type": "application/octet-stream"}
        content = PDF + path.encode()
        client.open(f"{path}/uploads/{identifier}?offset=0", method="PUT", data=content, headers=headers, expect=200)
        fields = {"upload": identifier, "name": "a.pdf", "size": str(len(content))}
        client.post(f"{path}/documents", fields, headers=JSON, expect=201)
    assert session.scalar(select(func.count()).select_from(AssignmentDocument)) == 2


def test_a_file_beside_a_paper_that_cannot_be_taken_shows_the_page_again_with_why(client_for, scene, session):
    desk = client_for(scene.coordinator)
    desk.post(f"{scene.desk}/documents", {"document": (io.BytesIO(PDF), "letter.pdf")}, expect=303)
    document = session.scalar(select(AssignmentDocument.public_id))
    paper = f"{scene.desk}/paper/{document}"
    desk.get(paper, follow=True)
    desk.open(
        f"{paper}/questions/proof/files", method="POST", content_type="multipart/form-data",
        data={"csrf_token": desk.token(), "proof": (io.BytesIO(b""), "")}, expect=422,
    )  # fmt: skip
    (told,) = desk.page.xpath("//div[contains(@class, 'error-summary')]//a")
    assert told.text_content() == "Choose a file first."
    assert desk.page.xpath(f"//*[@id='{told.get('href')[1:]}']"), "it leads to the question"
