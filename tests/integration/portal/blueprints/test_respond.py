"""Answering through the pages: saving, conflicts, completing, signing, evidence."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, update

from portal.models import (
    Answer,
    AnswerRevision,
    Assignment,
    Evidence,
    Institution,
    ItemKind,
    Role,
    Signature,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    VersionItem,
)
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    moj: Institution = factories.institution(session, "MOJ")
    moi = factories.institution(session, "MOI")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(
        session, version, "why", "text", parent=page, relevant="selected(${state}, 'not_started')", required="true()"
    )
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        path=f"/replies/{reply.public_id}",
        institution=moj,
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        colleague=factories.person(session, moj, Role.CONTRIBUTOR),
        approver=factories.person(session, moj, Role.APPROVER),
        reader=factories.person(session, moj, Role.READER),
        stranger=factories.person(session, moi, Role.FOCAL_POINT),
    )
    session.commit()
    return made


def save(client, scene, expect=200, **fields):
    names = {name.replace("__", "@"): value for name, value in fields.items()}
    bases = {f"base:{name}": 0 for name in names if "!" not in name and not name.startswith("base:")}
    return client.post(f"{scene.path}/pages/page1", bases | names, headers=JSON, expect=expect).get_json()


def rules_of(client, scene):
    client.get(f"{scene.path}/pages/page1", expect=200)
    return client.page.xpath("//form[@data-rules]/@data-rules")[0]


def test_the_rules_of_a_version_are_read_by_whom_it_asks_and_by_the_secretariat(client_for, scene, session):
    focal = client_for(scene.focal)
    path = rules_of(focal, scene)
    told = focal.get(path, expect=200)
    assert told.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert [code for code, own in told.get_json()["rules"].items() if "relevant" in own] == ["why"]
    for role in (StaffRole.COORDINATOR, StaffRole.REPORT_WRITER, StaffRole.ADMINISTRATOR):
        assert client_for(factories.staff(session, role)).get(path, expect=200).get_json() == told.get_json()
    for other in (scene.stranger, factories.staff(session, StaffRole.OBSERVER)):
        client_for(other).get(path, expect=404)
    focal.get(path.replace("/rules/", "/rules/9"), expect=404)


def test_a_draft_and_what_is_not_issued_yet_have_no_rules_to_read(client_for, scene, session):
    path = rules_of(client_for(scene.focal), scene)
    draft = factories.questionnaire_version(session, published=False)
    coordinator = client_for(factories.staff(session))
    coordinator.get(f"/rules/{draft.id}/en", expect=404)
    session.execute(update(Assignment).values(issued_at=None))
    client_for(scene.focal).get(path, expect=404)


def test_the_rules_take_two_queries(client_for, scene, count_queries):
    client = client_for(scene.focal)
    path = rules_of(client, scene)
    client.get(path)
    with count_queries() as statements:
        client.get(path, expect=200)
    # the session, and whether this institution is asked
    assert len([one for one in statements if not one.startswith(("COMMIT", "ROLLBACK"))]) == 2


def status(session, scene):
    return session.scalar(select(Submission.status).where(Submission.id == scene.reply.id))


def test_the_owed_page_leads_to_the_first_unanswered_page(client_for, scene):
    client = client_for(scene.focal)
    client.get("/", follow=True)
    assert "What I owe" in client.words
    # without a stop on the way, and the page knows its own address
    client.get(f"{scene.path}/", expect=200)
    assert client.page.xpath("//*[@name='measures@km']")
    own = f"{scene.path}/pages/page1"
    assert client.page.xpath("//form[@data-autosave]/@action") == [own]
    assert client.page.xpath("//form[@action='/language']/input[@name='next']/@value") == [own]
    reader = client_for(scene.reader)
    reader.get(f"{scene.path}/", expect=200)
    assert not reader.page.xpath("//form[@data-autosave]")


def test_each_answer_is_saved_with_its_own_revision(client_for, scene, session):
    client = client_for(scene.focal)
    told = save(client, scene, state="done")
    assert told["saved"] == [{"name": "state", "revision": 1}]
    told = save(client, scene, measures__km="ច្បាប់ថ្មី")
    assert told["saved"] == [{"name": "measures@km", "revision": 1}]
    assert status(session, scene) is Status.IN_PROGRESS
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == 2


def test_two_people_on_two_answers_of_one_page_meet_no_conflict(client_for, scene):
    first, second = client_for(scene.focal), client_for(scene.colleague)
    save(first, scene, state="done")
    save(second, scene, measures__km="ក")
    save(first, scene, measures__en="A")
    save(second, scene, beds="12")


def test_the_slower_writer_sees_both_texts_and_loses_nothing(client_for, scene, session):
    first, second = client_for(scene.focal), client_for(scene.colleague)
    save(first, scene, measures__km="របស់ខ្ញុំ")
    told = save(second, scene, expect=409, measures__km="របស់គេ", beds="7")
    assert told["saved"] == [{"name": "beds", "revision": 1}]
    (stale,) = told["stale"]
    assert (stale["mine"], stale["theirs"], stale["revision"]) == ("របស់គេ", "របស់ខ្ញុំ", 1)
    told = save(second, scene, **{"measures__km": "របស់គេ និងខ្ញុំ", "base:measures@km": "1"})
    assert told["saved"] == [{"name": "measures@km", "revision": 2}]
    values = session.scalars(select(AnswerRevision.value).order_by(AnswerRevision.id)).all()
    assert values == ["របស់ខ្ញុំ", 7, "របស់គេ និងខ្ញុំ"]


def test_a_repeated_save_changes_nothing(client_for, scene, session):
    client = client_for(scene.focal)
    once = save(client, scene, beds="5", request_key="k1")
    assert save(client, scene, beds="5", request_key="k1")["saved"] == once["saved"]
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == 1


def test_a_whole_page_posted_without_script_conflicts_only_where_both_wrote(client_for, scene):
    first, second = client_for(scene.focal), client_for(scene.colleague)
    save(first, scene, beds="1")
    second.get(f"{scene.path}/pages/page1")
    save(first, scene, **{"beds": "2", "base:beds": "1"})
    second.submit(**{"measures@km": "ខ", "action": "save"})
    assert second.response.status_code == 200
    assert not second.page.xpath("//*[@data-mine][normalize-space()]")
    second.submit(**{"beds": "3", "base:beds": "1", "action": "save"})
    assert second.response.status_code == 409
    assert "Two versions of one answer" in second.words
    page = second.page
    assert page.xpath("//*[@data-mine][normalize-space()]")[0].text == "3"
    assert page.xpath("//*[@data-theirs][normalize-space()]")[0].text == "2"


def test_what_cannot_be_read_is_kept_and_said(client_for, scene, session):
    client = client_for(scene.focal)
    told = save(client, scene, expect=422, beds="about ten")
    assert told["refused"][0]["name"] == "beds"
    answer = session.scalars(select(Answer)).one()
    assert (answer.value, answer.typed) == (None, "about ten")
    client.get(f"{scene.path}/pages/page1")
    assert client.page.xpath("//*[@name='beds']/@value") == ["about ten"]


def test_a_hidden_question_keeps_its_value_and_blocks_nothing(client_for, scene, session):
    client = client_for(scene.focal)
    told = save(client, scene, state="not_started")
    assert "why" in told["shown"] or "why" not in told["hidden"]
    save(client, scene, why__km="មូលហេតុ")
    told = save(client, scene, **{"state": "done", "base:state": "1", "measures__km": "ក"})
    assert "why" in told["hidden"]
    client.post(f"{scene.path}/complete", expect=303)
    assert status(session, scene) is Status.AWAITING_SIGN_OFF


def test_completing_lists_everything_that_is_missing(client_for, scene, session):
    client = client_for(scene.focal)
    save(client, scene, beds="3")
    client.post(f"{scene.path}/complete", expect=422)
    assert "Question state" in client.words
    assert "Question measures" in client.words
    assert status(session, scene) is Status.IN_PROGRESS


def answered(client_for, scene):
    client = client_for(scene.focal)
    save(client, scene, state="done", measures__km="ក")
    client.post(f"{scene.path}/complete", expect=303)
    return client


def test_the_approver_signs_with_the_password_and_a_snapshot_is_kept(client_for, scene, session):
    answered(client_for, scene)
    approver = client_for(scene.approver)
    approver.get("/sign", expect=200)
    approver.post("/sign", {"reply": scene.reply.public_id, "password": "wrong"}, expect=422)
    assert status(session, scene) is Status.AWAITING_SIGN_OFF
    approver.post("/sign", {"reply": scene.reply.public_id, "password": PASSWORD}, expect=303)
    reply = session.get(Submission, scene.reply.id)
    assert (reply.status, reply.signature, reply.hand_in) == (Status.SUBMITTED, Signature.SIGNED, 1)
    assert session.scalars(select(Snapshot)).one().signed_by is not None


def test_declining_needs_a_reason_and_opens_the_same_questions(client_for, scene, session):
    answered(client_for, scene)
    approver = client_for(scene.approver)
    approver.post(f"{scene.path}/decline", {"reason": " "}, expect=422)
    approver.post(f"{scene.path}/decline", {"reason": "Add the year."}, expect=303)
    assert status(session, scene) is Status.IN_PROGRESS
    client = client_for(scene.focal)
    client.get(f"{scene.path}/check")
    assert "Add the year." in client.words


def test_nothing_can_be_changed_while_it_waits_to_be_signed(client_for, scene):
    client = answered(client_for, scene)
    save(client, scene, expect=409, beds="1")


def test_a_reader_and_a_stranger_may_not_write(client_for, scene, session):
    save(client_for(scene.reader), scene, expect=403, beds="1")
    stranger = client_for(scene.stranger)
    save(stranger, scene, expect=404, beds="1")
    for path in ("/", "/pages/page1", "/check", "/not-ours"):
        stranger.get(scene.path + path, expect=404)
    stranger.post(f"{scene.path}/complete", expect=404)
    assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_not_ours_names_the_right_institution(client_for, scene, session):
    client = client_for(scene.focal)
    client.post(f"{scene.path}/not-ours", {"instead": "", "reason": "x"}, expect=422)
    client.post(f"{scene.path}/not-ours", {"instead": "MOI", "reason": "Police matters"}, expect=303)
    assert status(session, scene) is Status.CLAIMED
    client.post(f"{scene.path}/retract", expect=303)
    assert status(session, scene) is Status.IN_PROGRESS


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def upload(client, scene, content, name, expect):
    return client.post(
        f"{scene.path}/questions/proof/files", {"file": (io.BytesIO(content), name)}, headers=JSON, expect=expect
    ).get_json()


def test_evidence_is_hashed_numbered_and_only_for_its_own_people(client_for, scene, session):
    client = client_for(scene.focal)
    told = upload(client, scene, PDF, "របាយការណ៍.pdf", 201)
    assert told["number"] == 1
    got = client.get(told["url"], check=False)
    assert got.get_data() == PDF
    assert got.headers["Content-Disposition"].startswith("attachment")
    client_for(scene.stranger).get(told["url"], expect=404)
    answer = session.scalars(select(Answer)).one()
    assert answer.value == [session.scalars(select(Evidence.public_id)).one()]
    client.post(told["remove_url"], expect=303)
    assert session.scalars(select(Evidence)).one().removed_at is not None


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><script>alert(1)</script>", "a.pdf"),
        (b"PK\x03\x04broken", "a.docx"),
        (b"", "a.pdf"),
        (PDF, "a.exe"),
        (PDF, "a.svg"),
        (PDF, "a.png"),
    ],
)
def test_evidence_in_disguise_is_refused_with_a_sentence(client_for, scene, session, content, name):
    told = upload(client_for(scene.focal), scene, content, name, 422)
    assert len(told["title"]) > 20
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0


def test_a_text_in_several_languages_is_marked_not_available_once_for_all_of_it(client_for, scene, session):
    place = session.scalars(select(VersionItem).where(VersionItem.code == "why")).one()
    place.settings = {**(place.settings or {}), "not_available": True}
    session.commit()
    client, page = client_for(scene.focal), f"{scene.path}/pages/page1"
    save(client, scene, state="not_started")
    save(client, scene, **{"why@km": "ព្រោះ"})
    # as the page posts it without script: both parts, emptied, and one state for them
    fields = {"why@km": "", "base:why@km": 1, "why@en": "", "base:why@en": 0, "why!state": "not_available"}
    client.post(page, fields, expect=303)
    stored = session.execute(
        select(Answer.lang, Answer.value, Answer.state).where(Answer.question_id == place.question_id)
    ).all()
    assert sorted((lang, value, str(state)) for lang, value, state in stored) == [
        ("en", None, "not_available"), ("km", None, "not_available"),
    ]  # fmt: skip
    client.get(page, expect=200)
    assert client.page.xpath("//input[@name='why!state'][@value='not_available']/@checked")
    back = {"why@km": "ព្រោះ", "base:why@km": 2, "why@en": "", "base:why@en": 1, "why!state": "answered"}
    client.post(page, back, expect=303)
    session.expire_all()
    said = select(Answer.value).where(Answer.lang == "km", Answer.question_id == place.question_id)
    assert session.scalar(said) == "ព្រោះ"


def test_whoever_reads_another_language_is_told_which_one_a_box_is_for(client_for, scene, session):
    path = f"{scene.path}/pages/page1"
    english = factories.person(session, scene.institution, Role.CONTRIBUTOR, language="en")
    khmer = factories.person(session, scene.institution, Role.CONTRIBUTOR, language="km")
    session.commit()
    for person, told in ((english, ["ខ្មែរ"]), (khmer, [])):
        client = client_for(person)
        client.get(path, expect=200)
        (box,) = client.page.xpath("//textarea[@name='measures@km']")
        assert client.page.xpath("//*[@id='q-measures-language']/text()") == told
        assert ("q-measures-language" in box.get("aria-describedby")) is bool(told)
