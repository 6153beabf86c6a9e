"""The secretariat's pages of a round: board, grid, who is late; and every verdict through the review page."""

from __future__ import annotations

import io
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Action,
    Clarification,
    ClarificationMessage,
    Evidence,
    Role,
    Signature,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.services.verification import faults_of
from tests import factories
from tests.factories import PASSWORD

JSON = {"Accept": "application/json"}
CANARY = "CANARY-not-for-you"


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    moi = factories.institution(session, "MOI")
    document = factories.document(session)
    about = [
        factories.recommendation(session, document, paragraph=number, heading={"en": f"Matter {number}"})
        for number in ("8", "9")
    ]
    of = factories.reporting_round(session, document, slug="r")
    version = factories.questionnaire_version(session)
    reply = factories.submission(session, factories.assignment(session, moj, of, about[:1], version))
    other = factories.submission(session, factories.assignment(session, moi, of, about[1:], version))
    made = SimpleNamespace(
        round=of,
        reply=reply,
        other=other,
        moi=moi,
        about=about,
        own=f"/replies/{reply.public_id}",
        path=f"/review/{reply.public_id}",
        focal=factories.person(
            session, moj, Role.FOCAL_POINT, phone="+85512000111", telegram="@moj_desk", email="desk@moj.example"
        ),
        approver=factories.person(session, moj, Role.APPROVER),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
        writer=factories.staff(session, StaffRole.REPORT_WRITER),
        administrator=factories.staff(session, StaffRole.ADMINISTRATOR),
        observer=factories.staff(session, StaffRole.OBSERVER),
    )
    session.commit()
    return made


def save(client, scene, expect=200, **fields):
    names = {name.replace("__", "@"): value for name, value in fields.items()}
    bases = {f"base:{name}": 0 for name in names if not name.startswith("base:")}
    return client.post(f"{scene.own}/pages/page1", bases | names, headers=JSON, expect=expect).get_json()


def hand_in(client_for, scene):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en="Two new courts", beds="12")
    focal.post(f"{scene.own}/complete", expect=303)
    sign(client_for, scene)
    return focal


def sign(client_for, scene):
    client_for(scene.approver).post("/sign", {"reply": scene.reply.public_id, "password": PASSWORD}, expect=303)


def stored(session, scene):
    return session.get(Submission, scene.reply.id)


def actions(session, scene):
    return session.scalars(
        select(SubmissionEvent.action)
        .where(SubmissionEvent.submission_id == scene.reply.id)
        .order_by(SubmissionEvent.number)
    ).all()


def test_the_home_of_a_coordinator_leads_to_the_board(client_for, scene):
    client = client_for(scene.coordinator)
    client.get("/", follow=True, expect=None)
    assert "Rounds" in client.words
    client.get("/rounds/r", expect=200)
    assert "0 of 2" in client.words
    client.get("/rounds/no-such-round", expect=404)


def test_the_board_names_who_has_not_answered_and_whom_to_call(client_for, scene):
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    assert "Institution MOJ" in client.words
    assert client.page.xpath("//a[@href='tel:+85512000111']")
    assert client.page.xpath("//a[@href='https://t.me/moj_desk']")
    (text,) = client.page.xpath("//textarea[contains(., 'Institution MOJ')]/text()")
    assert "paragraph 8: Matter 8" in text
    assert "/owed?round=r" in text
    assert "No focal point is named" in client.words  # MOI has nobody


def test_a_reminder_speaks_the_language_of_its_person(client_for, scene, session):
    session.merge(scene.focal).language = "km"
    session.commit()
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    (area,) = client.page.xpath("//textarea[contains(., 'ស្ថាប័ន MOJ')]")
    assert area.get("lang") == "km"
    assert "Dear" not in area.text


def test_who_has_answered_leaves_the_list_and_counts(client_for, scene):
    hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    assert "1 of 2" in client.words
    assert not client.page.xpath("//textarea[contains(., 'Institution MOJ')]")
    assert client.page.xpath(f"//section[@id='to-review']//a[@href='{scene.path}']")
    client.get("/rounds/r?show=all")
    assert client.page.xpath("//*[@id='missing']//h3[contains(., 'MOJ')]")


def test_the_grid_leads_to_each_reply(client_for, scene):
    hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.get("/rounds/r/grid", expect=200)
    (cell,) = client.page.xpath(f"//td/a[@href='{scene.path}']")
    assert cell.text_content() == "Hhanded in, to be reviewed"
    client.get(scene.path, expect=200)


def test_late_shows_days_and_people(client_for, scene, session):
    of = session.merge(scene.round)
    of.due_on = clock.today("Asia/Phnom_Penh") - timedelta(days=3)
    session.commit()
    client = client_for(scene.coordinator)
    client.get("/rounds/r/late", expect=200)
    assert "3 days late" in client.words
    assert "+85512000111" in client.words
    client.get("/rounds/r/recommendations", expect=200)
    assert "3 days late" in client.words


def test_the_board_the_tab_and_the_page_count_the_same_late_replies(client_for, scene, session):
    of = session.merge(scene.round)
    of.due_on = clock.today("Asia/Phnom_Penh") - timedelta(days=3)
    more = factories.recommendation(session, paragraph="9")
    asked = factories.assignment(session, session.merge(scene.moi), of, [more], factories.questionnaire_version(session))
    factories.submission(session, asked)
    session.commit()
    client = client_for(scene.coordinator)
    client.get("/rounds/r", expect=200)
    (tile,) = client.page.xpath("//li[contains(@class, 'tile-bad')]")
    assert " ".join(tile.text_content().split()) == "3late repliesof 2 institutions"
    (tab,) = client.page.xpath("//nav//a[contains(@href, '/late')]")
    assert " ".join(tab.text_content().split()) == "Late replies 3"
    assert len(client.page.xpath("//section[@id='late']//tbody/tr")) == 2
    client.get("/rounds/r/late", expect=200)
    assert "3 replies are late, of 2 institutions." in client.words


def test_contacts_and_reminders_of_the_board_are_folded(client_for, scene):
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    assert client.page.xpath("//details[not(@open)]//a[@href='tel:+85512000111']")
    assert client.page.xpath("//details[not(@open)]//textarea[contains(., 'Institution MOJ')]")


def test_an_empty_round_says_what_to_do(client_for, scene, session):
    factories.reporting_round(session, slug="empty")
    session.commit()
    client = client_for(scene.coordinator)
    for path in ("", "/recommendations", "/grid", "/late"):
        client.get(f"/rounds/empty{path}", expect=200)
    client.get("/rounds/empty")
    assert "Nothing was sent out yet" in client.words


def test_clearing_starts_the_review_once_and_freezes_the_reply(client_for, scene, session):
    focal = hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.get(scene.path, expect=200)
    assert "Two new courts" in client.words
    for _ in range(2):
        client.post(f"{scene.path}/clear", expect=303)
    assert actions(session, scene)[-2:] == [Action.START_REVIEW, Action.CLEAR]
    assert stored(session, scene).status is Status.CLEARED
    save(focal, scene, expect=409, beds="13", **{"base:beds": "1"})
    focal.post(f"{scene.own}/recall", expect=409)


def test_a_started_review_forbids_recall(client_for, scene, session):
    focal = hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    for _ in range(2):
        client.post(f"{scene.path}/start", expect=303)
    assert actions(session, scene).count(Action.START_REVIEW) == 1
    focal.post(f"{scene.own}/recall", expect=409)
    assert stored(session, scene).status is Status.SUBMITTED


def test_returning_needs_a_note_and_a_question_and_keeps_what_was_typed(client_for, scene, session):
    hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.post(f"{scene.path}/return", {"note": "Which law?"}, expect=422)
    assert "Name at least one question" in client.words
    assert "Which law?" in client.words
    client.post(f"{scene.path}/return", {"note": " ", "codes": ["measures"]}, expect=422)
    assert client.page.xpath("//input[@id='unlock-measures' and @checked]")
    client.post(f"{scene.path}/return", {"note": "x", "codes": ["no-such-question"]}, expect=422)
    assert actions(session, scene)[-1] is Action.SIGN_OFF


def test_returning_unlocks_exactly_the_named_questions(client_for, scene, session):
    focal = hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    for _ in range(2):
        client.post(f"{scene.path}/return", {"note": "Which law?", "codes": ["measures"]}, expect=303)
    assert actions(session, scene)[-2:] == [Action.START_REVIEW, Action.RETURN]
    reply = stored(session, scene)
    assert (reply.status, reply.unlocked, reply.signature) == (Status.RETURNED, ["measures"], Signature.VOID)
    assert reply.handed_in_at is not None  # a return does not cancel "on time"
    told = save(focal, scene, expect=422, beds="987654", **{"base:beds": "1"})
    assert [one["name"] for one in told["refused"]] == ["beds"]
    save(focal, scene, measures__en="The law of 2024", **{"base:measures@en": "1"})
    focal.post(f"{scene.own}/complete", expect=303)
    sign(client_for, scene)
    reply = stored(session, scene)
    assert (reply.status, reply.hand_in) == (Status.SUBMITTED, 2)
    client.get(scene.path)
    assert "The law of 2024" in client.words
    assert "987654" not in client.words


def test_reopening_voids_the_signature_and_cancels_on_time(client_for, scene, session):
    focal = hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.post(f"{scene.path}/clear", expect=303)
    client.post(f"{scene.path}/reopen", {"reason": ""}, expect=422)
    for _ in range(2):
        client.post(f"{scene.path}/reopen", {"reason": "A figure is wrong"}, expect=303)
    reply = stored(session, scene)
    assert (reply.status, reply.signature, reply.handed_in_at) == (Status.IN_PROGRESS, Signature.VOID, None)
    assert actions(session, scene).count(Action.REOPEN) == 1
    save(focal, scene, beds="13", **{"base:beds": "1"})


def claim(client_for, scene, instead="Institution MOI"):
    focal = client_for(scene.focal)
    save(focal, scene, measures__en=CANARY)
    focal.post(f"{scene.own}/not-ours", {"instead": instead, "reason": "A police matter"}, expect=303)


def test_a_claim_is_shown_with_who_should_answer_and_confirmed(client_for, scene, session):
    claim(client_for, scene)
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    assert "A police matter" in client.words
    client.get(scene.path)
    assert "Institution MOI" in client.words
    assert CANARY not in client.text
    for _ in range(2):
        client.post(f"{scene.path}/confirm-not-ours", expect=303)
    assert stored(session, scene).status is Status.NOT_OURS
    assert actions(session, scene).count(Action.CONFIRM_NOT_OURS) == 1
    client.get("/rounds/r")
    assert "1 of 2" in client.words


def test_a_claim_is_refused_with_a_reason(client_for, scene, session):
    claim(client_for, scene, "Somebody not listed")
    client = client_for(scene.coordinator)
    client.get(scene.path)
    assert "not in the list of institutions" in client.words
    client.post(f"{scene.path}/refuse-not-ours", {"reason": ""}, expect=422)
    for _ in range(2):
        client.post(f"{scene.path}/refuse-not-ours", {"reason": "The prisons are yours"}, expect=303)
    assert stored(session, scene).status is Status.IN_PROGRESS
    assert actions(session, scene).count(Action.REFUSE_NOT_OURS) == 1


def test_withdrawing_and_restoring(client_for, scene, session):
    client = client_for(scene.coordinator)
    client.post(f"{scene.path}/withdraw", {"reason": ""}, expect=422)
    for _ in range(2):
        client.post(f"{scene.path}/withdraw", {"reason": "Asked twice"}, expect=303)
    assert stored(session, scene).status is Status.WITHDRAWN
    client.get("/rounds/r")
    assert "0 of 1" in client.words
    for _ in range(2):
        client.post(f"{scene.path}/restore", expect=303)
    assert stored(session, scene).status is Status.ISSUED
    assert actions(session, scene) == [Action.ISSUE, Action.WITHDRAW, Action.RESTORE]


def test_what_is_not_possible_now_is_a_sentence(client_for, scene):
    client = client_for(scene.coordinator)
    for act, fields in {"clear": {}, "start": {}, "reopen": {"reason": "x"}, "confirm-not-ours": {},
                        "restore": {}, "signature": {}}.items():  # fmt: skip
        client.post(f"{scene.path}/{act}", fields, expect=409)
        assert "not possible in the present state" in client.words, act


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def signed_sheet(content=PDF):
    return {
        "scan": (io.BytesIO(content), "scan.pdf"), "letter_number": "12 MOJ", "letter_on": str(factories.today()),
    }  # fmt: skip


def test_a_signature_on_paper_is_recorded_with_its_scan_once(client_for, scene, session):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en="Two new courts")
    focal.post(f"{scene.own}/complete", expect=303)
    focal.post(f"{scene.own}/hand-in-pending", expect=303)
    client = client_for(scene.coordinator)
    client.get("/rounds/r")
    assert "signature to follow" in client.words
    client.post(f"{scene.path}/signature", signed_sheet(b"<html>"), expect=422)
    for _ in range(2):
        client.post(f"{scene.path}/signature", signed_sheet(), expect=303)
    assert stored(session, scene).signature is Signature.PAPER
    scan = session.scalars(select(Evidence)).one()
    assert scan.filename == "scan.pdf"
    event = session.scalars(select(SubmissionEvent).order_by(SubmissionEvent.id.desc())).first()
    day = str(factories.today())
    assert event.details == {"letter": "12 MOJ", "letter_on": day, "scan": scan.public_id}
    assert faults_of(session) == [], "the scan came after what it signs"
    got = client.get(f"/evidence/{scan.public_id}", check=False)
    assert got.get_data() == PDF


def test_recording_the_stamped_sheet_hands_in_what_waits_to_be_signed(client_for, scene, session):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en="Two new courts")
    focal.post(f"{scene.own}/complete", expect=303)
    client = client_for(scene.coordinator)
    for _ in range(2):
        client.post(f"{scene.path}/signature", signed_sheet(), expect=303)
    reply = stored(session, scene)
    assert (reply.status, reply.signature, reply.hand_in) == (Status.SUBMITTED, Signature.PAPER, 1)
    client.get(scene.path, expect=200)
    client.get(client.page.xpath("//a[contains(@href, '/receipts/')]/@href")[0], expect=200)
    assert "letter 12 MOJ of" in client.words
    (scan,) = client.page.xpath("//a[contains(@href, '/evidence/')]/@href")
    assert client.get(scan, check=False).get_data() == PDF


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"letter_number": ""}, "Write the number that stands on the letter."),
        ({"letter_on": ""}, "Write the date of the letter"),
        ({"letter_on": "1/1/1900"}, "The reply was asked for on"),
        ({"letter_on": str(factories.today() + timedelta(days=1))}, "in the future"),
        ({"scan": None}, "Choose the photo or scan of the signed sheet."),
        ({"scan": (io.BytesIO(b"PK\x03\x04"), "sheet.docx")}, "neither a picture nor a PDF"),
    ],
)
def test_a_signature_on_paper_without_proof_is_refused_at_its_field(client_for, scene, session, fields, said):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en="Two new courts")
    focal.post(f"{scene.own}/complete", expect=303)
    client = client_for(scene.coordinator)
    given = {name: value for name, value in (signed_sheet() | fields).items() if value is not None}
    client.post(f"{scene.path}/signature", given, expect=422)
    assert said in client.words
    (name,) = fields
    assert client.page.xpath(f"//*[contains(@class, 'error-summary')]//a[@href='#{name}']")
    if name != "letter_number":
        assert client.page.xpath("//input[@name='letter_number']/@value") == ["12 MOJ"]
    assert stored(session, scene).status is Status.AWAITING_SIGN_OFF


def test_a_receipt_says_that_nobody_holds_a_scan_where_none_was_kept(client_for, scene, session):
    """Signatures recorded before a scan was asked for."""
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en="Two new courts")
    focal.post(f"{scene.own}/complete", expect=303)
    client = client_for(scene.coordinator)
    client.post(f"{scene.path}/signature", signed_sheet(), expect=303)
    event = session.scalars(select(SubmissionEvent).order_by(SubmissionEvent.id.desc())).first()
    event.details = {}
    session.commit()
    client.get(f"/receipts/{session.scalars(select(Snapshot.code)).one()}", expect=200)
    assert "recorded by the secretariat, without a scan" in client.words
    assert "as written on the signed cover" not in client.words


def test_clarifications_go_back_and_forth_without_touching_the_status(client_for, scene, session):
    focal = hand_in(client_for, scene)
    client = client_for(scene.writer)
    client.post(f"{scene.path}/ask", {"body": " ", "question": "beds"}, expect=422)
    for _ in range(2):
        client.post(f"{scene.path}/ask", {"body": "Beds of which year?", "question": "beds"}, expect=303)
    thread = session.scalars(select(Clarification)).one()
    assert thread.question_id is not None
    focal.post("/language", {"language": "en"}, expect=303)
    focal.post(f"/clarifications/{thread.public_id}/answer", {"body": "  "}, expect=422)
    field = f"body-{thread.public_id}"
    assert focal.page.xpath(f"//*[contains(@class, 'error-summary')]//a[@href='#{field}']")
    assert focal.page.xpath(f"//textarea[@id='{field}'][@aria-describedby='{field}-error']")
    focal.post(f"/clarifications/{thread.public_id}/answer", {"body": "Of 2025"}, expect=303)
    client.get("/rounds/r")
    assert "answered, waits for you" in client.words
    client.get(scene.path)
    assert "Of 2025" in client.words
    for _ in range(2):
        client.post(f"/review/clarifications/{thread.public_id}/answer", {"body": "And 2024?"}, expect=303)
    assert len(session.scalars(select(ClarificationMessage)).all()) == 3
    for _ in range(2):
        client.post(f"/review/clarifications/{thread.public_id}/close", expect=303)
    for reader, address in ((client, scene.path), (focal, f"/replies/{scene.reply.public_id}/check")):
        reader.get(address, expect=200)
        told = reader.page.xpath("//ol[@class='timeline']//strong/text()")
        assert told[:4] == [
            "The secretariat closed its question", "The secretariat asked", "The institution answered",
            "The secretariat asked",
        ]  # fmt: skip
    assert stored(session, scene).status is Status.SUBMITTED
    client.get("/rounds/r")
    assert "Beds of which year?" not in client.words


def test_a_return_names_the_open_clarifications_of_its_questions(client_for, scene, session):
    hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    client.post(f"{scene.path}/ask", {"body": "Beds of which year?", "question": "beds"}, expect=303)
    client.post(f"{scene.path}/ask", {"body": "Which law?", "question": "measures"}, expect=303)
    client.post(f"{scene.path}/return", {"note": "See the question", "codes": ["beds"]}, expect=303)
    named = session.scalars(select(Clarification.public_id).order_by(Clarification.id)).first()
    event = session.scalars(select(SubmissionEvent).order_by(SubmissionEvent.id.desc())).first()
    assert event.details == {"unlocked": ["beds"], "clarifications": [named]}


def pages(scene):
    return ["/rounds", "/rounds/r", "/rounds/r?show=all", "/rounds/r/recommendations", "/rounds/r/grid",
            "/rounds/r/late", scene.path, f"/review/{scene.other.public_id}"]  # fmt: skip


def assert_no_canary(client_for, scene):
    for person in (scene.coordinator, scene.writer):
        client = client_for(person)
        for path in pages(scene):
            client.get(path, expect=200)
            assert CANARY not in client.text, path


def test_staff_never_read_a_draft(client_for, scene):
    focal = client_for(scene.focal)
    save(focal, scene, state="done", measures__en=CANARY, beds=CANARY, expect=422)
    assert_no_canary(client_for, scene)
    client = client_for(scene.coordinator)
    client.get(scene.path)
    assert "Nothing was handed in yet" in client.words
    assert "of 3 answered" in client.words
    save(focal, scene, beds="3", **{"base:beds": "1"})
    focal.post(f"{scene.own}/complete", expect=303)
    assert_no_canary(client_for, scene)  # waits to be signed
    client_for(scene.approver).post(f"{scene.own}/decline", {"reason": CANARY}, expect=303)
    assert_no_canary(client_for, scene)  # handed back inside the institution


@pytest.mark.parametrize("how", ["returned", "recalled", "reopened"])
def test_staff_read_what_was_handed_in_not_what_is_being_changed(client_for, scene, how):
    focal = hand_in(client_for, scene)
    client = client_for(scene.coordinator)
    if how == "returned":
        client.post(f"{scene.path}/return", {"note": "Which law?", "codes": ["measures", "beds"]}, expect=303)
    elif how == "recalled":
        focal.post(f"{scene.own}/recall", expect=303)
    else:
        client.post(f"{scene.path}/clear", expect=303)
        client.post(f"{scene.path}/reopen", {"reason": "Again"}, expect=303)
    save(focal, scene, measures__en=CANARY, measures__km=CANARY, **{"base:measures@en": "1"})
    assert_no_canary(client_for, scene)
    client.get(scene.path)
    assert "Two new courts" in client.words
    assert "As handed in" in client.words
    if how == "returned":
        focal.post(f"{scene.own}/complete", expect=303)
        assert_no_canary(client_for, scene)


def test_a_report_writer_reads_and_asks_but_gives_no_verdict(client_for, scene, session):
    hand_in(client_for, scene)
    client = client_for(scene.writer)
    client.get(scene.path, expect=200)
    assert "Two new courts" in client.words
    assert not client.page.xpath("//*[@id='verdict']")
    for act in ("start", "clear", "return", "reopen", "confirm-not-ours", "refuse-not-ours", "withdraw", "restore",
                "signature"):  # fmt: skip
        client.post(f"{scene.path}/{act}", {"reason": "x", "note": "x", "codes": ["beds"]}, expect=403)
    assert stored(session, scene).status is Status.SUBMITTED


def test_others_stay_outside(client_for, scene):
    observer = client_for(scene.observer)
    for path in pages(scene):
        observer.get(path, expect=404 if path.startswith("/review/") else 403)
    observer.post(f"{scene.path}/clear", expect=404)
    administrator = client_for(scene.administrator)
    administrator.get("/rounds/r", expect=200)
    assert not administrator.page.xpath("//a[starts-with(@href, '/review/')]")
    administrator.get(scene.path, expect=404)
    for person in (scene.focal, scene.approver):
        client = client_for(person)
        for path in pages(scene):
            client.get(path, expect=None)
            assert client.response.status_code in {403, 404}, path
        client.post(f"{scene.path}/clear", expect=404)
        client.post(f"{scene.path}/ask", {"body": "x"}, expect=404)


@pytest.mark.parametrize("path", ["", "?show=all", "/recommendations", "/grid", "/late"])
def test_queries_do_not_grow_with_the_rows(client_for, scene, session, count_queries, path):
    def more(many):
        version = factories.questionnaire_version(session)
        for number in range(many):
            at = factories.institution(session)
            factories.person(session, at)
            status = [Status.ISSUED, Status.SUBMITTED, Status.CLAIMED, Status.CLEARED][number % 4]
            asked = factories.assignment(session, at, session.merge(scene.round), scene.about, version)
            factories.submission(session, asked, status=status)
        session.commit()

    session.merge(scene.round).due_on = clock.today() - timedelta(days=2)
    more(3)
    client = client_for(scene.coordinator)
    client.get(f"/rounds/r{path}", expect=200)
    seen = []
    for many in (0, 30):
        more(many)
        with count_queries() as counted:
            client.get(f"/rounds/r{path}", expect=200)
        seen.append(len(counted))
    assert seen[0] == seen[1] <= 16, seen
