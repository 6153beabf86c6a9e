"""A focal point's way through the portal in a real browser: from the link and code to a reply that is cleared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from portal import clock
from portal.models import Answer, Question, Session, Status, Submission
from tests.journeys.browsers import PHONE

pytestmark = pytest.mark.browser

STATE = ".save-status"
STANDING = "[data-item=standing]"
TEXT, ENGLISH = "textarea[name='text@km']", "textarea[name='text@en']"
SAVED = re.compile(r"^\s*saved \d\d:\d\d\s*$")


def saved(page):
    """Wait until the page says that everything is safe."""
    expect(page.locator(STATE)).to_have_attribute("data-state", "saved")
    expect(page.locator(STATE)).to_have_text(SAVED)


def choose(page, label):
    page.locator(STANDING).get_by_label(label, exact=True).check()


def stored(served, scene):
    """Return what the database holds: {question code and language: value}."""
    with served.session() as session:
        names = {row.id: row.code for row in session.execute(select(Question.id, Question.code))}
        rows = session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).all()
        return {names[row.question_id] + (f"@{row.lang}" if row.lang else ""): row.value for row in rows}


def status(served, scene):
    with served.session() as session:
        return session.scalar(select(Submission.status).where(Submission.id == scene.reply.id))


def test_answers_are_saved_as_they_are_typed_and_found_at_another_device(served, visit, scene):
    page = visit().sign_in(scene.focal)
    page.click(".owed-row .btn")
    page.wait_for_url(f"**{scene.first}")
    expect(page.locator(STATE)).to_have_attribute("data-state", "idle")
    with page.expect_response(lambda answer: answer.request.method == "POST") as told:
        choose(page, "Partly implemented")
    assert told.value.status == 200
    saved(page)
    page.fill(TEXT, "ច្បាប់ថ្មី")
    saved(page)
    assert stored(served, scene) == {"standing": "partly", "text@km": "ច្បាប់ថ្មី"}
    page.fill("[name=places]", "១២")
    page.locator("[name=places]").blur()
    # leaving at once loses nothing: the link waits for the save that is due
    page.click("nav a[href='/owed'], .breadcrumbs a, nav[aria-label] a >> nth=0")
    page.wait_for_url(re.compile("/owed"))
    other = visit(size=PHONE).sign_in(scene.focal)
    other.goto(scene.first)
    assert other.locator(STANDING).get_by_label("Partly implemented").is_checked()
    assert other.input_value(TEXT) == "ច្បាប់ថ្មី"
    assert other.input_value("[name=places]") in {"12", "១២"}


def test_how_much_is_answered_moves_with_each_save_and_is_what_the_page_says_anew(visit, scene):
    page = visit().sign_in(scene.focal)
    page.goto(scene.first)

    def said():
        return [one.text_content().strip() for one in page.locator(".steps [aria-current] .step-detail, #pages .progress-words").all()]

    before = said()
    choose(page, "Partly implemented")
    saved(page)
    after = said()
    assert len(after) == 2
    assert all(one.startswith("1 of ") for one in after), after
    assert all(one.startswith("0 of ") for one in before), before
    width = page.locator("#pages .bar-fill").get_attribute("width")
    page.reload()
    assert said() == after
    assert round(float(width), 1) == round(float(page.locator("#pages .bar-fill").get_attribute("width")), 1)


def test_saved_is_said_only_after_the_server_said_so(visit, scene):
    page = visit().sign_in(scene.focal)
    page.goto(scene.first)
    page.evaluate("""() => {
        const place = document.querySelector(".save-status");
        window.states = [];
        new MutationObserver(() => window.states.push(place.dataset.state)).observe(place, {attributeFilter: ["data-state"]});
    }""")
    held = []
    page.route(
        f"**{scene.first}", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    with page.expect_request(lambda asked: asked.method == "POST"):
        page.fill(TEXT, "ក")
    expect(page.locator(STATE)).to_have_attribute("data-state", "saving")
    held[0].continue_()
    saved(page)
    assert page.evaluate("window.states") == ["typing", "saving", "saved"]


def test_a_question_appears_without_a_round_trip(visit, scene):
    page = visit().sign_in(scene.focal)
    page.goto(scene.first)
    why = page.locator("[data-item=why]")
    expect(why).to_be_hidden()
    page.wait_for_load_state("networkidle")
    # the server is out of reach while the browser decides
    held, away = [], True
    page.route(f"**{scene.first}", lambda route: held.append(route) if away else route.continue_())
    choose(page, "Not started")
    expect(why).to_be_visible()
    choose(page, "Implemented")
    expect(why).to_be_hidden()
    choose(page, "Not started")
    expect(why).to_be_visible()
    away = False
    for route in held:
        route.continue_()
    saved(page)


@pytest.mark.parametrize("resolve", ["mine", "theirs", "both"])
def test_two_people_on_one_answer_see_both_texts(served, visit, scene, resolve):
    mine, theirs = visit(), visit()
    slow, fast = mine.sign_in(scene.focal), theirs.sign_in(scene.colleague)
    slow.goto(scene.first)
    fast.goto(scene.first)
    fast.fill(TEXT, "អត្ថបទរបស់គេ")
    saved(fast)
    mine.allow("409")
    slow.fill(TEXT, "អត្ថបទរបស់ខ្ញុំ")
    expect(slow.locator(STATE)).to_have_attribute("data-state", "conflict")
    box = slow.locator("[data-conflict-box]")
    expect(box.locator("[data-mine]")).to_have_text("អត្ថបទរបស់ខ្ញុំ")
    expect(box.locator("[data-theirs]")).to_have_text("អត្ថបទរបស់គេ")
    expect(box.locator("[data-by]")).to_have_text(scene.colleague.names["en"])
    assert slow.input_value(TEXT) == "អត្ថបទរបស់ខ្ញុំ"
    # the conflict of one answer holds no other back
    choose(slow, "Implemented")
    expect(slow.locator("[name='base:standing']")).to_have_value("1")
    if resolve == "both":
        box.locator("summary").click()
        expect(box.locator("[data-merged]")).to_have_value("អត្ថបទរបស់គេ\n\nអត្ថបទរបស់ខ្ញុំ")
    box.locator(f"[data-resolve={resolve}]").click()
    expect(box).to_have_count(0)
    saved(slow)
    expected = {
        "mine": "អត្ថបទរបស់ខ្ញុំ",
        "theirs": "អត្ថបទរបស់គេ",
        "both": "អត្ថបទរបស់គេ\n\nអត្ថបទរបស់ខ្ញុំ",
    }[resolve]
    assert slow.input_value(TEXT) == expected
    assert stored(served, scene) == {"standing": "done", "text@km": expected}


def test_two_people_on_two_answers_meet_no_conflict(served, visit, scene):
    first, second = visit().sign_in(scene.focal), visit().sign_in(scene.colleague)
    first.goto(scene.first)
    second.goto(scene.first)
    first.fill(TEXT, "ក")
    choose(second, "Implemented")
    saved(first)
    saved(second)
    second.locator("[data-item=text] summary", has_text="English").click()
    second.fill(ENGLISH, "A")
    saved(second)
    first.fill("[name=places]", "3")
    saved(first)
    assert stored(served, scene) == {"text@km": "ក", "text@en": "A", "standing": "done", "places": 3}


def test_typing_goes_on_without_a_connection(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    page.wait_for_load_state("networkidle")
    visitor.allow("ERR_INTERNET_DISCONNECTED")
    visitor.context.set_offline(True)
    page.fill(TEXT, "សរសេរដោយគ្មានអ៊ីនធឺណិត")
    expect(page.locator(STATE)).to_have_attribute("data-state", "offline")
    choose(page, "Implemented")
    expect(page.locator(STATE)).not_to_have_attribute("data-state", "saved")
    assert stored(served, scene) == {}
    visitor.context.set_offline(False)
    saved(page)
    expect(page.locator("[name='base:standing']")).to_have_value("1")
    assert stored(served, scene) == {"text@km": "សរសេរដោយគ្មានអ៊ីនធឺណិត", "standing": "done"}


def test_a_session_that_expires_costs_no_character(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    choose(page, "Implemented")
    saved(page)
    with served.session() as session:
        session.execute(update(Session).where(Session.user_id == scene.focal.id).values(expires_at=clock.now()))
    visitor.allow("401")
    page.fill(TEXT, "អត្ថបទវែងដែលមិនត្រូវបាត់")
    button = page.locator("button[data-signin]")
    expect(button).to_be_visible()
    expect(page.locator(STATE)).to_have_attribute("data-state", "ended")
    assert page.input_value(TEXT) == "អត្ថបទវែងដែលមិនត្រូវបាត់"
    button.click()
    page.wait_for_url(re.compile("/login"))
    visitor.sign_in_here(scene.focal)
    page.wait_for_url("**/held")
    expect(page.locator("main")).to_contain_text("អត្ថបទវែងដែលមិនត្រូវបាត់")
    page.get_by_role("button", name="Send my text now").first.click()
    page.wait_for_url(f"**{scene.first}")
    assert stored(served, scene) == {"standing": "done", "text@km": "អត្ថបទវែងដែលមិនត្រូវបាត់"}
    page.goto("/held")
    expect(page.locator("main")).not_to_contain_text("អត្ថបទវែងដែលមិនត្រូវបាត់")


def test_what_cannot_be_read_is_said_beside_the_field_and_kept(visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    visitor.allow("422")
    page.fill("[name=places]", "about ten")
    page.locator("[name=places]").blur()
    error = page.locator("[data-item=places] [data-error]")
    expect(error).to_be_visible()
    expect(page.locator(STATE)).to_have_attribute("data-state", "error")
    expect(page.locator(STATE)).to_contain_text("Kept, but not taken yet.")
    page.reload()
    assert page.input_value("[name=places]") == "about ten"
    page.fill("[name=places]", "10")
    expect(error).to_be_hidden()
    saved(page)


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def test_evidence_goes_up_with_progress_and_refusals_are_sentences(visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.second)
    page.wait_for_load_state("networkidle")
    visitor.allow("422")
    words = page.locator(".upload-state [data-words]")
    page.set_input_files("[data-upload] input", {"name": "a.png", "mimeType": "image/png", "buffer": PDF})
    expect(words).not_to_be_empty()
    expect(words).not_to_contain_text("%")
    seen = []
    page.expose_function("tellProgress", lambda words: seen.append(words))  # noqa: PLW0108 - likewise
    page.evaluate("new MutationObserver(() => tellProgress(document.querySelector('.upload-state').textContent))"
                  ".observe(document.querySelector('.upload-state'), {subtree: true, childList: true, characterData: true})")  # fmt: skip
    with page.expect_navigation():
        page.set_input_files(
            "[data-upload] input",
            {"name": "របាយការណ៍.pdf", "mimeType": "application/pdf", "buffer": PDF + b"%" * 3_000_000},
        )
    expect(page.locator("[data-item=files] .files li")).to_have_count(1)
    expect(page.locator("[data-item=files]")).to_contain_text("របាយការណ៍.pdf")
    assert any("%" in each for each in seen), seen
    with page.expect_download() as got:
        page.click("[data-item=files] .files a")
    assert got.value.suggested_filename == "របាយការណ៍.pdf"


def test_the_button_beside_a_file_chooses_and_never_asks_for_one_that_came(visit, scene):
    page = visit().sign_in(scene.focal)
    page.goto(f"{scene.path}/documents")
    button = page.get_by_role("button", name="Upload", exact=True)
    with page.expect_file_chooser() as chooser:
        button.click()
    with page.expect_navigation():
        chooser.value.set_files({"name": "letter.pdf", "mimeType": "application/pdf", "buffer": PDF})
    expect(page.locator("main")).to_contain_text("letter.pdf")
    with page.expect_file_chooser():
        button.click()
    expect(page.locator("main")).not_to_contain_text("Choose a file first.")


def test_an_upload_goes_on_after_a_broken_line_and_after_a_reload(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.second)
    page.wait_for_load_state("networkidle")
    visitor.allow("ERR_|Failed to load")
    words = page.locator(".upload-state [data-words]")
    sent = []
    # Chromium gives a file made for a test the time of its making: the same file chosen again must be the same
    path = served.folder / "របាយការណ៍.pdf"
    path.write_bytes(PDF + b"%" * 1_500_000)

    def let_one_through(route):
        if route.request.method == "PUT" and len(sent) == 1:
            route.abort()
        else:
            sent.extend([route.request.url] if route.request.method == "PUT" else [])
            route.continue_()

    page.route("**/uploads/**", let_one_through)
    page.set_input_files("[data-upload] input", path)
    expect(words).to_have_text("The line is broken. The upload goes on by itself.")
    # the page is closed with the line still broken; later the same file is chosen again
    page.unroute("**/uploads/**")
    page.reload()
    offsets = []
    page.on("request", lambda one: offsets.append(one.url.rpartition("=")[2]) if one.method == "PUT" else None)
    with page.expect_navigation():
        page.set_input_files("[data-upload] input", path)
    expect(page.locator("[data-item=files]")).to_contain_text("របាយការណ៍.pdf")
    assert offsets[0] == str(256 * 1024), offsets


def test_a_file_chosen_during_an_upload_waits_for_it(visit, scene):
    """The page is read again once both have come: neither is lost without a word."""
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.second)
    page.wait_for_load_state("networkidle")
    held = []

    def hold_the_first(route):
        if route.request.method == "PUT" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/uploads/**", hold_the_first)
    field, words = page.locator("[data-upload] input"), page.locator(".upload-state [data-words]")
    field.set_input_files({"name": "large.pdf", "mimeType": "application/pdf", "buffer": PDF + b"%" * 200_000})
    expect(words).to_contain_text("Uploading")
    field.set_input_files({"name": "small.pdf", "mimeType": "application/pdf", "buffer": PDF + b"%small"})
    expect(words).to_contain_text("small.pdf: waits for its turn")
    with page.expect_navigation():
        held[0].continue_()
    expect(page.locator("[data-item=files] .files")).to_contain_text("large.pdf")
    expect(page.locator("[data-item=files] .files")).to_contain_text("small.pdf")


def test_of_several_files_each_is_tried_and_told(served, visit, scene):
    """Refused ones have a sentence each, which outlives the reading of the page that shows what arrived."""
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.second)
    page.wait_for_load_state("networkidle")
    visitor.allow("422")
    sent = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "PUT" else None)
    too_large = served.folder / "too-large.pdf"
    with too_large.open("wb") as file:
        file.truncate(51 * 1024**2)
    contents = {"good.txt": b"good", "a.php.jpg": PDF, "empty.txt": b"", "ok.txt": b"ok"}
    paths = [too_large]
    for name, content in contents.items():
        paths.append(served.folder / name)
        paths[-1].write_bytes(content)
    with page.expect_navigation():
        page.set_input_files("[data-upload] input", paths)
    files, words = page.locator("[data-item=files] .files"), page.locator(".upload-state [data-words]")
    expect(files.locator("li")).to_have_count(2)
    expect(files).to_contain_text("good.txt")
    expect(files).to_contain_text("ok.txt")
    expect(words.locator(".upload-line")).to_have_count(3)
    expect(words).to_contain_text("“too-large.pdf” is larger than 50 MB. Make it smaller.")
    expect(words).to_contain_text("“a.php.jpg” has a second ending, .php")
    expect(words).to_contain_text("“empty.txt” is empty. Choose the file again.")
    # of what is refused by name or size, not one byte was sent
    assert len(sent) == 2, sent
    page.reload()
    expect(words).to_be_empty()


def test_the_missing_list_leads_to_each_question_and_then_to_completing(served, visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(f"{scene.path}/check")
    visitor.allow("422")
    missing = page.locator("#missing a")
    expect(missing).to_have_count(2)
    page.get_by_role("button", name="Complete the reply").click()
    expect(page.locator(".error-summary, [data-focus]")).to_be_visible()
    missing.first.click()
    page.wait_for_url(f"**{scene.first}#q-standing-item")
    choose(page, "Implemented")
    page.fill(TEXT, "ក")
    saved(page)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile(scene.second))
    page.get_by_role("button", name="Check and complete").click()
    page.wait_for_url(re.compile(f"{scene.path}/check"))
    expect(missing).to_have_count(0)
    page.get_by_role("button", name="Complete the reply").click()
    page.wait_for_url(re.compile("/owed"))
    assert status(served, scene) is Status.AWAITING_SIGN_OFF
    page.goto(scene.first)
    expect(page.locator(TEXT)).not_to_be_editable()
