"""Never lose a word: what a save tells, what a conflict shows, who else is on the page, what an ended session leaves."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.models import Answer, HeldPost, Institution, ItemKind, Membership, Role, Session, Submission
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
NAME = "measures@km"


@pytest.fixture
def scene(session):
    moj: Institution = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        moj=moj,
        path=f"/replies/{reply.public_id}/pages/page1",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        colleague=factories.person(session, moj, Role.CONTRIBUTOR),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
    )
    session.commit()
    return made


def save(client, scene, text, base, key="", expect=200):
    fields = {NAME: text, f"base:{NAME}": str(base), "request_key": key}
    return client.post(scene.path, fields, headers=JSON, expect=expect).get_json()


def test_a_save_repeated_after_a_colleague_wrote_is_told_its_own_revision(client_for, scene):
    """The line broke before the answer came: with the colleague's revision as base, their text would be overwritten."""
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    save(mine, scene, "ក", 0, "k1")
    save(theirs, scene, "ក ខ", 1, "k2")
    assert save(mine, scene, "ក", 0, "k1")["saved"] == [{"name": NAME, "revision": 1}]
    told = save(mine, scene, "ក គ", 1, "k3", expect=409)
    assert told["stale"][0]["theirs"] == "ក ខ"


def test_a_text_typed_and_taken_back_keeps_the_revision_its_writer_saw(client_for, scene):
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    save(mine, scene, "ក", 0)
    save(theirs, scene, "ក ខ", 1)
    assert save(mine, scene, "ក", 1)["saved"] == [{"name": NAME, "revision": 1}]
    save(mine, scene, "ក គ", 1, expect=409)


def here(client, scene, expect=200, more=""):
    return client.post(f"{scene.path}/here{more}", headers=JSON, expect=expect).get_json()


def test_colleagues_on_one_page_see_each_other_for_two_minutes(client_for, scene, session):
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    assert here(mine, scene) == {"here": []}
    assert here(theirs, scene) == {"here": [scene.focal.names["en"]]}
    assert here(mine, scene) == {"here": [scene.colleague.names["en"]]}
    mine.get(f"{scene.path}/here", expect=200)
    assert scene.colleague.names["en"] in mine.words
    here(theirs, scene, more="?leave=1")
    assert here(mine, scene) == {"here": []}
    here(theirs, scene)
    with clock.at(clock.now() + timedelta(seconds=119)):
        assert here(mine, scene) == {"here": [scene.colleague.names["en"]]}
    with clock.at(clock.now() + timedelta(seconds=121)):
        assert here(mine, scene) == {"here": []}


def test_whoever_may_write_no_more_is_gone_at_once_and_strangers_never_come(client_for, scene, session):
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    here(theirs, scene)
    here(client_for(scene.stranger), scene, expect=404)
    session.execute(update(Membership).where(Membership.user_id == scene.colleague.id).values(role=Role.READER))
    assert here(mine, scene) == {"here": []}
    here(theirs, scene, expect=403)
    session.execute(
        update(Membership).where(Membership.user_id == scene.colleague.id).values(role=Role.CONTRIBUTOR, ended_at=clock.now())
    )
    assert here(mine, scene) == {"here": []}


def test_a_ping_is_one_statement_beside_the_session_and_a_save_touches_no_presence(client_for, scene, count_queries):
    client = client_for(scene.focal)
    here(client, scene)
    with count_queries() as statements:
        here(client, scene)
    assert [one.split()[0] for one in statements if "presence" in one] == ["INSERT", "SELECT"]
    with count_queries() as statements:
        save(client, scene, "ក", 0)
    assert not [one for one in statements if "presence" in one]


def expire(session, person):
    session.execute(update(Session).where(Session.user_id == person.id).values(expires_at=clock.now()))


def test_a_ping_over_an_ended_session_keeps_nothing_and_a_save_keeps_its_text(client_for, scene, session):
    client = client_for(scene.focal)
    here(client, scene)
    expire(session, scene.focal)
    told = here(client, scene, expect=401)
    assert (told["code"], told["held_post"]) == ("session_expired", None)
    told = save(client, scene, "ក", 0, expect=401)
    assert session.scalars(select(HeldPost.public_id)).all() == [told["held_post"]]


def test_signing_in_beside_an_open_page_leads_back_to_it_and_gives_it_a_new_token(client_for, scene, session):
    client = client_for(scene.focal)
    first = client.get("/account/keys", expect=200).get_json()
    save(client, scene, "ក", 0)
    expire(session, scene.focal)
    told = save(client, scene, "ក ខ", 1, expect=401)
    client.get("/account/keys", headers=JSON, expect=401)
    client.get("/login?next=/back")
    assert client.post("/login", {"email": scene.focal.login, "password": factories.PASSWORD, "next": "/back"}).location == "/back"
    client.get("/back", expect=200)
    again = client.get("/account/keys", expect=200).get_json()
    assert again["keeps"] == first["keeps"]
    assert again["csrf"] != first["csrf"]
    fields = {NAME: "ក ខ", f"base:{NAME}": "1", "held_post": told["held_post"]}
    client.post(scene.path, fields, headers=JSON | {"X-CSRFToken": again["csrf"]}, csrf=False, expect=200)
    assert session.scalars(select(HeldPost)).all() == []


def test_the_secret_of_the_local_copy_is_everybodys_own(client_for, scene):
    secrets = {client_for(one).get("/account/keys", expect=200).get_json()["keeps"] for one in (scene.focal, scene.colleague)}
    assert len(secrets) == 2


def test_an_answer_costs_less_than_a_kilobyte_each_way(client_for, session):
    """The body as the page writes it (letters as they are), the answer as it leaves: 250 Khmer letters, hidden questions elsewhere."""
    institution = factories.institution(session)
    version = factories.questionnaire_version(session)
    for number in range(6):
        page = factories.item(session, version, f"more{number}", kind=ItemKind.SECTION, label="More")
        for question in range(20):
            factories.question(session, version, f"a_long_name_{number}_{question}", "text", parent=page, relevant="${state} = 'done'")
    reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
    client = client_for(factories.person(session, institution))
    path = f"/replies/{reply.public_id}/pages/page1"
    client.get(path, expect=200)
    body = f"measures@km={'ច្បាប់ថ្មី' * 25}&measures@km!present=1&base:measures@km=0&request_key={'k' * 36}".encode()
    told = client.open(
        path, method="POST", data=body, content_type="application/x-www-form-urlencoded", expect=200,
        headers=JSON | {"X-CSRFToken": client.token(), "Accept-Encoding": "br"},
    )  # fmt: skip
    assert told.get_json()["saved"] == [{"name": NAME, "revision": 1}]
    assert session.scalar(select(Answer.value).where(Answer.submission_id == reply.id)) == "ច្បាប់ថ្មី" * 25
    assert len(body) < 1000
    assert len(told.get_data()) < 300


def test_a_token_looked_at_before_still_opens_its_own_session_alone(client_for, scene):
    """A page sends its token with every save, and its signature is looked at once: the session it belongs to each time."""

    def send(client, token, base, expect):
        fields = {NAME: "ក" * (base + 1), f"base:{NAME}": str(base)}
        return client.post(scene.path, fields, headers=JSON | {"X-CSRFToken": token}, csrf=False, expect=expect)

    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    mine.get(scene.path, expect=200)
    token = mine.token()
    send(mine, token, 0, 200)
    send(mine, token, 1, 200)
    send(theirs, token, 2, 400)
    body, _dot, signature = token.rpartition(".")
    # its first letter: the last one holds bits that no signature has
    send(mine, f"{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}", 2, 400)
    send(mine, token, 2, 200)


def test_a_text_that_was_held_is_read_with_its_questions_and_the_words_of_its_choices(client_for, scene, session):
    fields = [("state", "done"), (NAME, "ផ្លូវថ្មី"), (f"base:{NAME}", "3"), (f"{NAME}!present", "1"), ("beds", "")]
    held = [{"name": name, "value": value} for name, value in fields]
    for person in (scene.focal, scene.stranger):
        session.add(
            HeldPost(user_id=person.id, path=scene.path, fields=held, expires_at=clock.now() + timedelta(hours=1))
        )
    session.commit()
    client = client_for(scene.focal)
    client.get("/held", expect=200)
    labels = [one.text_content() for one in client.page.xpath("//*[@class='kept-question']")]
    said = [one.text_content() for one in client.page.xpath("//*[@class='kept-text']")]
    assert labels == ["Question state", "Question measures (ខ្មែរ)"]
    assert said == ["Implemented", "ផ្លូវថ្មី"]
    # whose reply it is not learns no question of it, and keeps the words
    other = client_for(scene.stranger)
    other.get("/held", expect=200)
    assert "Question measures" not in other.words
    assert "ផ្លូវថ្មី" in other.words


def test_a_held_text_that_may_no_longer_be_sent_is_said_to_be_kept_and_where(client_for, scene, session):
    person = scene.focal
    client = client_for(person)
    client.get(scene.path, expect=200)
    client.get("/owed", expect=200)
    assert "/held" not in client.page.xpath("//main//a/@href")
    client.get(scene.path, expect=200)
    expire(session, person)
    client.submit(**{NAME: "ក ខ", "action": "save"}, follow=False)
    session.execute(update(Membership).where(Membership.user_id == person.id).values(role=Role.READER))
    session.commit()
    assert client.sign_in(person.login).headers["Location"] == "/held"
    client.get("/held", expect=200)
    client.submit(0, follow=False)
    assert client.response.status_code == 403
    until = f"{session.scalar(select(HeldPost.expires_at)):%-d %b %Y}"
    assert f"It is kept until {until}" in client.words
    assert "/held" in client.page.xpath("//main//a/@href")
    # it is still there, and the page of what is owed leads to it, its writer alone
    client.get("/held", expect=200)
    assert "ក ខ" in client.words
    client.get("/owed", expect=200)
    assert f"It is kept until {until}" in client.words
    assert "/held" in client.page.xpath("//main//a/@href")
    other = client_for(scene.colleague)
    other.get("/owed", expect=200)
    assert "/held" not in other.page.xpath("//main//a/@href")
    # another's text, or one that is no more, promises nothing
    held = session.scalar(select(HeldPost.public_id))
    other.post(f"{scene.path.rpartition('/')[0]}/nothing", {"held_post": held, "action": "save"}, expect=404)
    assert "kept until" not in other.words


def test_an_error_leads_back_to_where_one_was_and_nowhere_else(client_for, scene):
    client = client_for(scene.focal)

    def ways(path, before):
        client.get(path, headers={"Referer": before}, expect=404)
        return client.page.xpath("//main//a/@href")

    assert ways("/receipts/nothing", "http://localhost/owed?round=x") == ["/owed?round=x", "/"]
    for before in ("", "http://elsewhere.example/owed", "http://localhost/receipts/nothing", "http://localhost/logout"):
        assert ways("/receipts/nothing", before) == ["/"], before


def test_whoever_sends_too_much_is_told_how_much_may_come(client_for, scene):
    client = client_for(scene.colleague)
    client.get("/owed", expect=200)
    client.post("/owed/offline", {"round": "x" * 53 * 1024 * 1024}, headers={"Referer": "http://localhost/owed"}, expect=413)
    assert "at most 25 MB a file and 50 MB together" in client.words
    assert client.page.xpath("//main//a/@href") == ["/owed", "/"]
    # where evidence is sent, its own limit
    client.post(f"/replies/{scene.reply.public_id}/documents", {"note": "x" * 53 * 1024 * 1024}, expect=413)
    assert "at most 50 MB." in client.words


def copied(client):
    """Return (question, text) of what a page gives back to be copied."""
    fields = client.page.xpath("//section[@aria-labelledby='typed-title']//textarea[@readonly]")
    return [("".join(one.xpath("../label/text()")), one.text) for one in fields]


def test_what_was_typed_on_a_page_that_is_not_taken_can_be_copied_from_the_refusal(client_for, scene, session):
    """Without script: the browser brings no form back, and a text that nobody may send stays readable all the same."""
    client = client_for(scene.focal)
    fields = {NAME: "ក្រសួងបានធ្វើ។", f"base:{NAME}": "0", "request_key": "key-of-page", "action": "save"}
    client.get(scene.path)
    # signed out beside the page: nobody knows whose it was
    client._client.delete_cookie("tamdan")
    client.post(scene.path, fields, expect=400)
    assert copied(client) == [("", "ក្រសួងបានធ្វើ។")]
    assert "still there" not in client.words
    # the right was withdrawn meanwhile
    client = client_for(scene.focal)
    session.execute(update(Membership).where(Membership.user_id == scene.focal.id).values(role=Role.READER))
    session.commit()
    client.post(scene.path, fields, expect=403)
    assert copied(client) == [("Question measures (ខ្មែរ)", "ក្រសួងបានធ្វើ។")]


def test_what_was_typed_in_a_question_that_was_closed_meanwhile_is_shown(client_for, scene, session):
    client = client_for(scene.focal)
    save(client, scene, "ក", 0)
    session.execute(update(Submission).where(Submission.id == scene.reply.id).values(status="returned", unlocked=[]))
    session.commit()
    untouched = {NAME: "ក", f"base:{NAME}": "1", "request_key": "k2", "action": "save"}
    client.post(scene.path, untouched, expect=303)
    client.post(scene.path, untouched | {NAME: "ក ខ", "request_key": "k3"}, expect=422)
    assert copied(client) == [("Question measures (ខ្មែរ)", "ក ខ")]
    assert session.scalar(select(Answer.value).where(Answer.submission_id == scene.reply.id)) == "ក"
