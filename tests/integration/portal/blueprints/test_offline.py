"""Excel as a front door, through the pages: download, fill in, send back - and what a reader is told on the way."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile

import pytest
from sqlalchemy import func, select

from portal.models import Answer, AnswerRevision, AuditEvent, Question, Role
from tests import factories, tables
from tests.offline import Filled
from tests.steps import Steps

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    return tables.scene(session)


def files(*contents, names=()):
    return [(io.BytesIO(content), names[at] if names else f"copy{at + 1}.xlsx") for at, content in enumerate(contents)]


def send(client, scene, *contents, names=(), **more):
    return client.post("/owed/offline", {"round": scene.round.slug, "file": files(*contents, names=names)}, **more)


def downloaded(client, scene):
    return Filled(client.post("/owed/workbook", {"round": scene.round.slug}, expect=200).get_data())


def test_download_fill_send_back_are_three_steps(client_for, scene, session):
    steps = Steps(client_for(scene.focal)).send("Download all as Excel")
    filled = Filled(steps.file.get_data())
    filled.put("people", 12)
    filled.put("women", 12, line=1)
    filled.put("activity", "វគ្គបណ្ដុះបណ្ដាល", "km", line=1)
    steps.by_hand("fill in").come().send("Send back", file=files(filled.content()))
    kept = list(session.scalars(select(Answer.value)))
    assert "វគ្គបណ្ដុះបណ្ដាល" in kept
    assert 12 in kept
    assert len(steps.taken) == 3, steps.taken
    assert steps.client.response.request.path == "/owed"
    assert {"download_offline", "import_offline"} <= set(session.scalars(select(AuditEvent.action)))


def test_the_way_back_stands_open_for_whoever_has_a_file_out(client_for, scene):
    client, other = client_for(scene.focal), client_for(scene.colleague)

    def fold(who):
        who.get("/owed", expect=200)
        (found,) = who.page.xpath("//*[@id='ways']//details[contains(@class, 'fold')]")
        return found.get("open") is not None

    assert not fold(client)
    client.submit("/owed/workbook", expect=200)
    assert (fold(client), fold(other)) == (True, False)


def test_whoever_wants_to_look_first_does_and_nothing_is_written_before(client_for, scene, session):
    client = client_for(scene.focal)
    filled = downloaded(client, scene)
    filled.put("people", 12)
    client.get("/owed")
    client.submit("/owed/offline", file=files(filled.content()), expect=200)
    assert "Nothing has been written yet." in client.words
    assert "People in all" in client.words
    assert session.scalar(select(func.count()).select_from(Answer)) == 0
    client.submit(0, expect=200)
    assert client.response.request.path == "/owed"
    assert 12 in list(session.scalars(select(Answer.value)))


def test_a_long_text_that_scrolls_in_its_box_is_reached_by_keyboard(client_for, scene):
    client = client_for(scene.focal)
    filled = downloaded(client, scene)
    filled.put("activity", "ផ្លូវ " * 200, "km", line=1)
    filled.put("activity", "Road", "en", line=1)
    send(client, scene, filled.content(), follow=True)
    client.submit(0, expect=200)
    filled = downloaded(client, scene)
    filled.put("activity", "ថ្នល់ " * 200, "km", line=1)
    filled.put("activity", "Street", "en", line=1)
    send(client, scene, filled.content(), follow=True)
    boxes = client.page.xpath("//main//div[@class='change-old' or @class='change-new']")
    long = [len(one.text_content()) > 300 for one in boxes]
    assert set(long) == {True, False}
    assert [one.get("tabindex") == "0" for one in boxes] == long


def test_sending_back_takes_what_is_clear_and_shows_the_rest(client_for, scene, session):
    client = client_for(scene.focal)

    def send_back(filled):
        form = {"take": "clear", "round": scene.round.slug, "file": files(filled.content())}
        client.post("/owed/offline", form, expect=303)
        client.follow()

    filled = downloaded(client, scene)
    filled.put("received", 5, line=1)
    send_back(filled)
    assert client.response.request.path == "/owed"
    filled = downloaded(client, scene)
    script = {"Accept": "application/json"}
    # a colleague, meanwhile; it breaks a rule, and is kept
    client.post(scene.path, {"people": "5", "base:people": "0"}, headers=script, expect=422)
    filled.put("people", 12)
    filled.put("received", None, line=1)
    filled.put("received", "many", line=2)
    filled.put("activity", "វគ្គ", "km", line=1)
    send_back(filled)
    # what a colleague wrote, what is empty now and what cannot be read wait for a word
    assert client.response.request.path.startswith("/owed/offline/")
    assert "What needs a decision of yours stands here." in client.text
    for waits in ("conflict", "cleared", "refused"):
        assert len(client.page.xpath(f"//div[contains(@class, 'offline-{waits}')]")) == 1, waits
    kept = list(session.scalars(select(Answer.value)))
    assert "វគ្គ" in kept
    assert (kept.count(5), kept.count(12)) == (2, 0)


def test_two_sentences_of_a_notice_are_parted_as_its_language_parts_them(client_for, scene):
    client = client_for(scene.focal)
    client.post("/language", {"language": "km"}, expect=303)
    filled = downloaded(client, scene)
    filled.put("received", 5, line=1)
    filled.put("received", "many", line=2)
    sent = {"take": "clear", "round": scene.round.slug, "file": files(filled.content())}
    client.post("/owed/offline", sent, follow=True)
    # what was taken over, and when; another sentence follows each
    assert "ចម្លើយ 1 ត្រូវបានទទួលយក។ " in client.words
    assert re.search(r"\d\d:\d\d។ ", client.words)


def test_what_breaks_a_rule_is_seen_before_it_is_taken_and_over_a_good_answer_only_when_it_is_ticked(
    client_for, scene, session
):
    client = client_for(scene.focal)

    def send_back(**rows):
        filled = downloaded(client, scene)
        for code, (line, number) in rows.items():
            filled.put(code, number, line=line)
        form = {"take": "clear", "round": scene.round.slug, "file": files(filled.content())}
        client.post("/owed/offline", form, expect=303)
        client.follow()

    def standing():
        rows = session.execute(select(Question.code, Answer.row, Answer.value).join(Question))
        return {f"{code}[{row}]": number for code, row, number in rows}

    send_back(received=(1, 10))
    send_back(convicted=(1, 5))
    assert client.response.request.path == "/owed"
    # a good answer stands in line 1, none in line 2
    filled = downloaded(client, scene)
    for code, line, number in (("convicted", 1, 20), ("received", 2, 3), ("convicted", 2, 4)):
        filled.put(code, number, line=line)
    client.post(
        "/owed/offline", {"take": "clear", "round": scene.round.slug, "file": files(filled.content())}, expect=303
    )
    client.follow()
    assert client.response.request.path.startswith("/owed/offline/")
    assert standing() == {"received[f]": 10, "convicted[f]": 5, "received[m]": 3}

    def box(name):
        (found,) = client.page.xpath(f"//input[@name='take:{scene.reply.public_id}:{name}']")
        warned = found.xpath("ancestor::div[contains(@class, 'change ')]//*[@class='change-warning']")
        return found, len(warned)

    (over, over_warned), (alone, alone_warned) = box("convicted[f]"), box("convicted[m]")
    assert (over_warned, alone_warned) == (1, 1)
    assert (over.checked, alone.checked) == (False, True)
    here = client.response.request.path
    client.submit(0, expect=200)
    assert standing() == {"received[f]": 10, "convicted[f]": 5, "received[m]": 3, "convicted[m]": 4}
    client.get(here)
    client.submit(0, expect=200, **{over.name: over.get("value")})
    assert standing()["convicted[f]"] == 20


def test_what_is_good_only_beside_what_breaks_a_rule_waits_with_it(client_for, scene, session):
    client = client_for(scene.focal)
    filled = downloaded(client, scene)
    # the figure is right for lines of which one waits: a cell of it breaks no rule, its own line is said to be full
    filled.put("people", 12)
    filled.put("women", 12, line=1)
    filled.put("activity", "y" * 32_767, "en", line=1)
    client.post(
        "/owed/offline", {"take": "clear", "round": scene.round.slug, "file": files(filled.content())}, expect=303
    )
    client.follow()
    assert session.scalars(select(Answer.value)).all() == []
    client.submit(0, expect=200)
    assert 12 in session.scalars(select(Answer.value)).all()


def test_a_contributor_may_and_a_reader_and_a_stranger_may_not(client_for, scene, session):
    client = client_for(scene.colleague)
    filled = downloaded(client, scene)
    filled.put("people", 1)
    send(client, scene, filled.content(), follow=True)
    here = client.response.request.path
    client.submit(0, expect=200)
    stranger = client_for(factories.person(session, factories.institution(session), Role.FOCAL_POINT))
    stranger.get(here, expect=404)
    client_for(factories.person(session, scene.institution, Role.READER)).get(here, expect=403)


def test_a_second_confirm_changes_nothing(client_for, scene, session):
    client = client_for(scene.focal)
    filled = downloaded(client, scene)
    filled.put("people", 1)
    send(client, scene, filled.content(), follow=True)
    here = client.response.request.path
    fields = dict(client.page.xpath("//form[@class='offline-form']")[0].form_values())
    client.post(here, fields, expect=303)
    count = session.scalar(select(func.count()).select_from(AnswerRevision))
    client.post(here, fields, expect=303)
    client.post(here, fields | {"idempotency_key": "another"}, expect=409)
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == count
    client.get(here, expect=200)
    assert "There is nothing to take over." in client.words


# -- files that are not what they should be, through the page -----------------------------------------------------------------


def test_each_bad_file_is_one_sentence_and_the_good_ones_go_on(client_for, scene):
    client = client_for(scene.focal)
    client.post("/owed/offline", {"round": scene.round.slug}, expect=422)
    assert "Choose a file first." in client.words
    send(client, scene, b"", names=("empty.xlsx",), expect=422)
    assert "The file empty.xlsx is empty. Choose the file again, or save it again in Excel first." in client.words
    send(client, scene, b"not a workbook at all", names=("x.xlsx",), expect=422)
    assert "is not an Excel workbook" in client.words
    filled = downloaded(client, scene)
    filled.put("people", 4)
    send(client, scene, filled.content(), b"%PDF-1.4", names=("good.xlsx", "bad.xlsx"), follow=True)
    assert "“bad.xlsx”" in client.words
    assert "People in all" in client.words


def test_a_file_damaged_on_its_way_is_called_damaged(client_for, scene):
    client = client_for(scene.focal)
    content = bytearray(downloaded(client, scene).content())
    chance = random.Random(4)
    sent = []
    for at in range(12):
        changed = bytearray(content)
        for _n in range(2):
            changed[chance.randrange(len(content))] ^= chance.randrange(1, 256)
        sent.append((f"copy{at}.xlsx", bytes(changed)))
    # and a directory that promises far more than there is
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = struct.pack("<I", max(entry.file_size for entry in archive.infolist()))
        place = content.index(size, archive.start_dir)
    sent.append(("promising.xlsx", bytes(content[:place] + b"\xff\xff\xff\x7f" + content[place + 4 :])))
    names, contents = zip(*sent, strict=True)
    send(client, scene, *contents, names=names, follow=True)
    assert "unpacks to far more" not in client.words
    assert client.words.count("is damaged or was not transferred completely") > 6
    assert "The file promising.xlsx is damaged" in client.words


def test_a_machine_and_the_page_say_the_same(app, client_for, scene, session):
    from portal.models import ApiToken
    from portal.services.sessions import token_digest

    token = f"tamdan_offline_{'x' * 30}"
    session.add(ApiToken(user_id=scene.focal.id, name="offline", token_hash=token_digest(token)))
    session.commit()
    machine = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {token}"}
    out = machine.post(f"/api/v1/rounds/{scene.round.slug}/offline", headers=headers)
    assert out.status_code == 200
    filled = Filled(out.get_data())
    filled.put("people", 4)
    filled.put("held", "soon", line=1)
    content = filled.content()
    told = machine.post("/api/v1/offline", data={"file": files(content)}, headers=headers).json
    assert not told["confirmed"]
    assert told["counts"] | {"unchanged": 0} == {
        "new": 1, "changed": 0, "unchanged": 0, "taken": 0, "conflict": 0, "cleared": 0, "refused": 1, "closed": 0,
    }  # fmt: skip
    refused = next(one for one in told["replies"][0]["answers"] if one["outcome"] == "refused" and one["found"])
    assert (refused["found"], refused["example"]) == ("soon", "27/03/2026")
    new = next(one for one in told["replies"][0]["answers"] if one["outcome"] == "new")
    assert new["new"] == [{"option": "copy1", "text": "4", "copy": "copy1.xlsx"}]
    told = machine.post("/api/v1/offline", data={"file": files(content), "confirm": "true"}, headers=headers).json
    assert told["confirmed"]
    assert 4 in set(session.scalars(select(Answer.value)))
    missing = machine.post("/api/v1/rounds/none/offline", headers=headers)
    assert missing.status_code == 404
    bad = machine.post("/api/v1/offline", data={"file": files(b"%PDF")}, headers=headers)
    assert (bad.status_code, bad.json["code"]) == (422, "not_a_workbook")
