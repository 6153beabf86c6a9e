"""The check page: what it finds, what may be kept with a reason, and who reads the reason."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from portal.models import (
    Assignment,
    ItemKind,
    KeptWarning,
    QuestionnaireVersion,
    Role,
    Snapshot,
    Status,
    Submission,
    VersionItem,
)
from portal.queries.sessions import system_principal
from portal.services.round_workbook import Addresses, write_workbook
from portal.services.verification import faults_of
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    soft = {"soft_constraint": ". <= 1000", "word_budget": 5}
    item = factories.question(session, version, "spent", "integer", parent=page, settings=soft)
    item.texts = item.texts | {"soft_constraint_message": {"en": "More than 1,000?", "km": "លើសពី ១០០០?"}}
    factories.question(session, version, "law_start", "date", parent=page)
    factories.question(session, version, "law_end", "date", parent=page)
    factories.question(session, version, "spare", "text", parent=page, settings={"word_budget": 3})
    reply = factories.submission(session, factories.assignment(session, place, version=version))
    made = SimpleNamespace(
        place=place,
        reply=reply,
        path=f"/replies/{reply.public_id}",
        focal=factories.person(session, place, Role.FOCAL_POINT),
        contributor=factories.person(session, place, Role.CONTRIBUTOR),
        reader=factories.person(session, place, Role.READER),
        approver=factories.person(session, place, Role.APPROVER),
        coordinator=factories.staff(session),
    )
    session.commit()
    return made


def save(client, scene, base=0, **fields):
    names = {name.replace("__", "@"): value for name, value in fields.items()}
    bases = {f"base:{name}": base for name in names}
    client.post(f"{scene.path}/pages/page1", names | bases, headers=JSON, expect=200)


def filled(client, scene):
    save(
        client, scene, state="done", spent="1200", law_start="2022-03-02", law_end="2022-03-01",
        measures__km="មាន ២៥ មណ្ឌល", measures__en="There are 52 centres", spare__en="one two three four five six",
    )  # fmt: skip


def test_everything_is_listed_and_what_warns_is_mended_or_kept_with_a_reason(client_for, scene, session):
    focal = client_for(scene.focal)
    filled(focal, scene)
    focal.get(f"{scene.path}/check", expect=200)
    for said in ("More than 1,000?", "This ends before it begins.", "52", "about 6 words"):
        assert said in focal.words
    assert "Question beds" in focal.words  # not answered, not required
    focal.post(f"{scene.path}/complete", expect=422)
    assert focal.page.xpath("//*[contains(@class, 'error-summary')]//a/@href") == ["#warnings"]
    assert session.scalar(select(Submission.status)) is Status.IN_PROGRESS
    focal.post(f"{scene.path}/warnings", {}, expect=422)
    assert "Write a reason" in focal.words
    # one is mended, two are kept
    save(focal, scene, base=1, law_end="2022-03-05")
    focal.get(f"{scene.path}/check", expect=200)
    names = focal.page.xpath("//textarea[starts-with(@name, 'reason:')]/@name")
    assert len(names) == 2
    client_for(scene.contributor).post(f"{scene.path}/warnings", dict.fromkeys(names, "Counted twice."), expect=303)
    focal.post(f"{scene.path}/complete", expect=303)
    assert session.scalar(select(Submission.status)) is Status.AWAITING_SIGN_OFF


def test_what_blocks_is_listed_once_with_its_sentence(client_for, scene, session):
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    version = session.get_one(QuestionnaireVersion, page.version_id)
    rule = "selected(${state}, 'done')"
    proof = {"required": rule, "settings": {"evidence_required": rule}}
    factories.question(session, version, "proof", "file", parent=page, **proof)
    item = factories.question(session, version, "staff", "integer", parent=page, constraint=". >= 0")
    item.texts = item.texts | {"constraint_message": {"en": "No fewer than none.", "km": "មិនតិចជាងសូន្យ។"}}
    session.commit()
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__km="ក")
    focal.post(f"{scene.path}/pages/page1", {"staff": "-5", "base:staff": "0"}, headers=JSON, expect=422)
    focal.get(f"{scene.path}/check", expect=200)
    (needed,) = focal.page.xpath("//section[@id='missing']")
    listed = [" ".join(one.text_content().split()) for one in needed.xpath(".//li")]
    assert listed == ["Question proof", "Question staff No fewer than none."]
    assert not focal.page.xpath("//section[@id='warnings']"), "what blocks asks for no reason as well"


def test_a_kept_reason_lapses_when_the_answer_changes(client_for, scene, session):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", spent="1200", measures__km="ក")
    focal.post(f"{scene.path}/warnings", {"reason:soft_constraint spent": "A new hospital."}, expect=303)
    save(focal, scene, base=1, spent="1300")
    focal.post(f"{scene.path}/complete", expect=422)
    save(focal, scene, base=2, spent="900")
    focal.post(f"{scene.path}/complete", expect=303)
    # what warns no more leaves no reason behind
    assert session.scalars(select(KeptWarning)).all() == []


def test_the_reason_is_signed_with_the_reply_and_read_by_approver_secretariat_and_in_the_workbook(
    app, client_for, scene, session, tmp_path
):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", spent="1200", measures__km="ក")
    focal.post(f"{scene.path}/warnings", {"reason:soft_constraint spent": "A new hospital."}, expect=303)
    focal.post(f"{scene.path}/complete", expect=303)
    approver = client_for(scene.approver)
    for page in ("/sign", f"/sign/{scene.reply.public_id}"):
        approver.get(page, expect=200)
        assert "A new hospital." in approver.words
        assert "By signing you confirm these answers in the name of" in approver.words
    approver.post("/sign", {"reply": scene.reply.public_id, "password": PASSWORD}, expect=303)
    assert "A new hospital." in session.scalars(select(Snapshot)).one().canonical
    coordinator = client_for(scene.coordinator)
    coordinator.get(f"/review/{scene.reply.public_id}", expect=200)
    assert "A new hospital." in coordinator.words
    with app.test_request_context("/"):
        addresses = Addresses("http://localhost", lambda one: one, lambda one: one)
        path = tmp_path / "round.xlsx"
        round_id = session.get(Assignment, scene.reply.assignment_id).round_id
        by = system_principal(session)
        write_workbook(session, round_id, path, language="en", addresses=addresses, by=by)
    notes = load_workbook(path, read_only=True)["Notes"]
    assert any("A new hospital." in str(cell) for row in notes.iter_rows(values_only=True) for cell in row)
    assert faults_of(session) == []


def test_who_only_reads_cannot_keep_a_warning(client_for, scene):
    save(client_for(scene.focal), scene, state="done", spent="1200", measures__km="ក")
    client_for(scene.reader).post(f"{scene.path}/warnings", {"reason:soft_constraint spent": "x"}, expect=403)


def test_the_approver_sees_what_changed_word_by_word_since_they_last_looked(client_for, scene, session):
    focal, approver = client_for(scene.focal), client_for(scene.approver)
    save(focal, scene, state="done", measures__en="Three courts opened", measures__km="ក")
    focal.post(f"{scene.path}/complete", expect=303)
    one = f"/sign/{scene.reply.public_id}"
    approver.get(one, expect=200)
    assert "You have not read this reply before." in approver.words
    approver.post(f"{one}/seen", expect=303)
    approver.get(one, expect=200)
    assert "Nothing changed since" in approver.words
    approver.post(f"{scene.path}/decline", {"reason": "Four."}, expect=303)
    save(focal, scene, base=1, measures__en="Four courts opened")
    focal.post(f"{scene.path}/complete", expect=303)
    for page in (one, "/sign"):
        approver.get(page, expect=200)
        assert [" ".join(gone.text_content().split()) for gone in approver.page.xpath("//del")] == ["removed: Three"]
        assert [" ".join(came.text_content().split()) for came in approver.page.xpath("//ins")] == ["added: Four"]
    # kept per person: another approver has read nothing yet
    other = client_for(factories.person(session, scene.place, Role.APPROVER))
    other.get(one, expect=200)
    assert "You have not read this reply before." in other.words


def test_a_wrong_password_leaves_one_where_one_read_and_a_reason_is_asked_at_its_field(client_for, scene):
    focal, approver = client_for(scene.focal), client_for(scene.approver)
    save(focal, scene, state="done", measures__km="ក")
    focal.post(f"{scene.path}/complete", expect=303)
    one = f"/sign/{scene.reply.public_id}"
    approver.get(one, expect=200)
    approver.submit("/sign", expect=422, password="wrong")
    assert approver.page.xpath("//section//h2[text()='The answers']"), "the reply is read on"
    field = approver.page.xpath("//input[@id='password'][@aria-invalid='true']/@aria-describedby")[0]
    assert "The password is not right" in approver.page.get_element_by_id(field).text_content()
    approver.submit(f"{scene.path}/decline", expect=422)
    assert approver.page.xpath("//textarea[@id='reason'][@aria-invalid='true']")
    approver.get("/sign", expect=200)
    approver.submit(f"{scene.path}/decline", expect=422)
    assert approver.page.xpath("//details[@open]//textarea[@aria-invalid='true']/@id") == [f"reason-{scene.reply.public_id}"]


def test_the_approver_finds_their_own_reason_again_and_the_receipt_after_signing(client_for, scene):
    focal, approver = client_for(scene.focal), client_for(scene.approver)
    save(focal, scene, state="done", measures__km="ក")
    focal.post(f"{scene.path}/complete", expect=303)
    approver.post(f"{scene.path}/decline", {"reason": "Say how many courts."}, expect=303)
    focal.post(f"{scene.path}/complete", expect=303)
    for page in (f"/sign/{scene.reply.public_id}", "/sign"):
        approver.get(page, expect=200)
        assert "Say how many courts." in approver.words
    assert "Completed, waits to be signed" not in approver.words, "what waits is the list itself, no news beside it"
    approver.post("/sign", {"reply": scene.reply.public_id, "password": PASSWORD}, follow=True)
    (receipt,) = approver.page.xpath("//section[@aria-labelledby='signed-title']//a/@href")
    approver.get(receipt, expect=200)
    client_for(scene.focal).post(f"{scene.path}/recall", expect=303)
    approver.get("/sign", expect=200)
    assert receipt not in approver.text, "what was taken back is signed no more"


def test_nobody_signs_what_changed_after_the_page_was_opened(client_for, scene, session):
    focal, approver = client_for(scene.focal), client_for(scene.approver)
    save(focal, scene, state="done", measures__km="ក")
    focal.post(f"{scene.path}/complete", expect=303)
    approver.get("/sign", expect=200)
    seen = dict(approver.page.xpath("//input[starts-with(@name, 'station:')]")[0].attrib)
    client_for(scene.approver).post(f"{scene.path}/decline", {"reason": "Add beds."}, expect=303)
    save(focal, scene, beds="7")
    focal.post(f"{scene.path}/complete", expect=303)
    fields = {"reply": scene.reply.public_id, "password": PASSWORD, seen["name"]: seen["value"]}
    approver.post("/sign", fields, expect=409)
    assert session.scalar(select(Submission.status)) is Status.AWAITING_SIGN_OFF
    approver.get("/sign", expect=200)
    fresh = approver.page.xpath("//input[starts-with(@name, 'station:')]")[0].attrib
    approver.post("/sign", fields | {fresh["name"]: fresh["value"]}, expect=303)
