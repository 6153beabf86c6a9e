"""What a person without an account reaches: the shared questions, and nothing else of reply, institution or portal."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from flask import url_for
from sqlalchemy import select

from portal import clock
from portal.cli.routes import listing
from portal.database import write
from portal.extensions import db
from portal.models import (
    Actor,
    ActorKind,
    Answer,
    AnswerRevision,
    Delegation,
    Question,
    Status,
    Submission,
    VersionItem,
)
from portal.queries.sharing import find_delegation
from portal.queries.submissions import head_by_id
from portal.services import sharing
from portal.services.delegated import ShareEnded
from tests import factories
from tests.client import Client
from tests.integration.portal.sharing.scenes import table_world
from tests.scenes import answer as store

CANARY = "CANARY-OF-SOMEBODY-ELSE"


@pytest.fixture
def world(session):
    made = table_world(session)
    by = factories.system_actor(session).id
    store(session, made.reply, made.version, "measures", CANARY, by, lang="en")
    store(session, made.reply, made.version, "state", "done", by)
    session.commit()
    return made


def hand_out(client_for, world, codes=("beds",), **more):
    """Hand questions out through the focal point's page; return (chief, link, code)."""
    chief = client_for(world.focal)
    address = f"/replies/{world.reply.public_id}/share"
    chief.get(address, expect=200)
    fields = {"name": "Kampot department", "until": "2099-01-01", "codes": list(codes)} | more
    chief.post(address, fields, expect=200)
    link = chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    return chief, link, chief.page.xpath("string(//p[@id='share-code'])")


def come_in(app, session, link, code):
    guest = Client(app, session)
    guest.get(link, expect=200)
    guest.post(link, {"code": code}, expect=303)
    guest.follow()
    return guest


@pytest.fixture
def guest(app, session, world, client_for):
    _chief, link, code = hand_out(client_for, world)
    return come_in(app, session, link, code)


def test_a_guest_without_script_is_told_which_answer_is_wrong(guest):
    guest.submit(beds="many", action="save")
    assert guest.response.status_code == 422
    (told,) = guest.page.xpath("//*[contains(@class, 'error-summary')]//li/a")
    assert told.text_content().startswith("សំណួរ beds៖ នេះមិនមែនជាលេខទេ")


# all that a person who was let in reaches; a new address is added here on purpose
OPEN = {
    "shared.link", "shared.enter", "shared.work", "shared.section", "shared.save_section", "shared.finish_page",
    "shared.finish", "shared.leave", "shared.again", "shared.here", "shared.say_here", "shared.keys",
}  # fmt: skip
# not found here: the scene has no shared question that takes a file
NOTHING_THERE = {"shared.upload", "shared.upload_piece", "shared.evidence", "shared.remove_evidence"}


def test_every_other_address_is_closed(app, session, world, guest):
    """The whole map of the portal, called by a browser that link and code opened."""
    delegation = session.scalars(select(Delegation)).one()
    values = {
        "public_id": world.reply.public_id, "code": "page1", "language": "en", "slug": world.round.slug, "number": 1,
        "version_id": world.version.id, "draft": "0" * 32, "token": "x", "name": "km.x.0",
    }  # fmt: skip
    rows = [row for row in listing(app) if not row["endpoint"].startswith(("gallery.", "assets.", "static"))]
    assert {row["endpoint"] for row in rows if row["endpoint"].startswith("shared.")} == OPEN | NOTHING_THERE
    wrong = []
    for row in rows:
        endpoint = row["endpoint"]
        # what is public is pinned by tests/architecture/test_routes.py
        if row["permission"] in {"public", None} or endpoint in {"shared.leave", "shared.finish"}:
            continue
        given = values | ({"public_id": delegation.public_id} if endpoint.startswith("shared.") else {})
        names = {name for rule in app.url_map.iter_rules(endpoint) for name in rule.arguments}
        with app.test_request_context():
            url = url_for(endpoint, **{name: given.get(name, "1") for name in names})
        before = session.scalars(select(Answer.revision)).all()
        seen = guest.post(url) if row["methods"] == ["POST"] else guest.get(url, check=False)
        login = seen.status_code == 303 and seen.headers["Location"].startswith("/login")
        closed = login or seen.status_code in {400, 401, 403, 404}
        if closed is (endpoint in OPEN - {"shared.link", "shared.enter"}):
            wrong.append(f"{endpoint}: {seen.status_code}")
        assert CANARY not in guest.text, endpoint
        assert session.scalars(select(Answer.revision)).all() == before or endpoint == "shared.save_section"
    assert not wrong, "\n".join(wrong)


def test_another_delegation_of_the_same_reply_does_not_open(app, session, world, client_for, guest):
    hand_out(client_for, world, ("measures",), name="Kandal department")
    other = session.scalars(select(Delegation).where(Delegation.name == "Kandal department")).one()
    for path in ("", "/pages/page1", "/finish"):
        guest.get(f"/shared/work/{other.public_id}{path}", expect=404)


def test_only_the_shared_question_stands_on_the_page_and_nothing_is_whispered(app, session, world, guest):
    text = guest.text
    assert guest.page.xpath("//input[@name='beds']")
    assert not guest.page.xpath("//*[starts-with(@name, 'measures') or @name='state' or starts-with(@name, 'people')]")
    assert CANARY not in text
    assert "data-rules" not in text
    assert "data-known" not in text


def test_a_hidden_number_cannot_be_found_by_trying(app, session, world, client_for):
    """Others' answers decide what of the institution's own answer is right; whoever was handed a question learns nothing."""
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.code == "page1")
    ).one()
    of = {"parent": page}
    factories.question(session, world.version, "total", "integer", **of)
    texts = {"label": {"en": "Part of ${twice} once"}, "constraint_message": {"en": "Too many", "km": "ច្រើនពេក"}}
    factories.question(session, world.version, "part", "integer", constraint=". <= ${total}", texts=texts, **of)
    factories.question(session, world.version, "why", "text", relevant="${part} > ${total}", **of)
    factories.question(session, world.version, "begun", "integer", default="${total}", **of)
    factories.question(session, world.version, "twice", "calculate", calculation="${begun} * 2", **of)
    store(session, world.reply, world.version, "total", 50, factories.system_actor(session).id)
    session.commit()
    chief, link, code = hand_out(client_for, world, ("part", "why", "begun"))
    guest = come_in(app, session, link, code)
    work = guest.response.request.path

    def learned(number, revision):
        script = guest.post(
            work, {"part": str(number), "base:part": str(revision)}, headers={"Accept": "application/json"}, expect=200
        ).get_json()
        script.pop("saved")
        script.pop("saved_at")
        assert "twice" not in script.get("computed", {})
        post = {"part": str(number), "base:part": str(revision + 1), "begun": "", "base:begun": "0", "action": "save"}
        seen = guest.post(work, post, expect=303).headers["Location"]
        guest.get(work, expect=200)
        fields = sorted(guest.page.xpath("//main//*[@name]/@name"))
        words = re.sub(r"\d+", "", " ".join(guest.page.xpath("//main")[0].text_content().split()))
        guest.get(work.partition("/pages/")[0] + "/finish", expect=200)
        finish = " ".join(guest.page.xpath("//main")[0].text_content().split())
        return script, seen, fields, words, finish

    assert learned(10, 0)[2], "fields are there to be compared"
    assert guest.post(work, {"part": "10", "base:part": "1"}, headers={"Accept": "application/json"}, expect=200)
    asked = select(Question.id).where(Question.code == "begun").scalar_subquery()
    kept = select(Answer.value, Answer.answered_by).where(Answer.question_id == asked)
    assert session.execute(kept).all() == [], "nobody is said to have written what they cannot know"
    own = f"/replies/{world.reply.public_id}/pages/page1"
    chief.get(own, expect=200)
    assert chief.page.xpath("//input[@name='begun']/@value") == ["50"], "the institution sees what it begins with"
    chief.post(own, {"beds": "5", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=200)
    actor = session.scalars(select(Actor.id).where(Actor.user_id == world.focal.id)).one()
    assert session.execute(kept).all() == [(50, actor)], "and its own save lets it begin"
    guest.get(work, expect=200)
    assert guest.page.xpath("//input[@name='begun']/@value") in ([], [""]), "what a save let it begin with tells the number"
    assert "Part of … once" in guest.page.xpath("string(//main)"), "nor does what is computed of it"
    chief.get(own, expect=200)
    assert "Part of 100 once" in " ".join(chief.page.xpath("string(//main)").split())
    assert learned(10, 1) == learned(70, 1), "below and above the hidden number look the same"
    chief.get(f"/replies/{world.reply.public_id}/check", expect=200)
    assert "Too many" in chief.text, "the institution sees what does not fit"


@pytest.mark.parametrize(
    "field", ["measures@en", "state", "row:trainings[AAAAAAAAAAAAAAAA]", "people[AAAAAAAAAAAAAAAA]"]
)
def test_a_post_that_speaks_of_another_question_is_refused(session, world, guest, field):
    address = guest.response.request.path
    for accept in ("text/html", "application/json"):
        guest.post(address, {field: "x", "beds": "5", "base:beds": "0"}, headers={"Accept": accept}, expect=404)
    codes = session.scalars(select(Question.code).join(Answer, Answer.question_id == Question.id)).all()
    assert sorted(codes) == ["measures", "state"]


def test_the_gate_itself_refuses_what_is_not_shared(app, session, world, client_for):
    """Not the page alone: whatever calls save_answers with a delegation is held to its questions."""
    from forms.answers import AnswerKey, Parsed
    from forms.context import Context
    from portal.permissions import Principal
    from portal.queries.questionnaires import definition, question_ids
    from portal.queries.sharing import actor_of, scope_of
    from portal.services.submissions import Change, save_answers

    hand_out(client_for, world)
    with app.test_request_context("/"):
        head = head_by_id(db.session, world.reply.id)
        one = db.session.scalars(select(Delegation)).one()
        by = Principal(actor_id=actor_of(db.session, one), delegation=scope_of(one, head.institution_id))
        known = definition(db.session, head.version_id)
        changes = {
            AnswerKey("beds"): Change(Parsed(value=7), 0),
            AnswerKey("measures", "", "en"): Change(Parsed(value="mine"), None),
        }
        with write() as writing:
            saved = save_answers(
                writing, head, known, question_ids(db.session, head.version_id), changes,
                context=Context(today=clock.today(), languages=("km", "en")), by=by,
            )  # fmt: skip
        assert list(saved.saved) == [AnswerKey("beds")]
        assert [one.key.code for one in saved.refused] == ["measures"]
        assert not saved.refused[0].kept
        # taken back after the page was loaded: asked again inside the save
        with write() as writing:
            writing.get_one(Delegation, one.id).revoked_at = clock.now()
        with pytest.raises(ShareEnded), write() as writing:
            save_answers(
                writing, head, known, question_ids(db.session, head.version_id), changes,
                context=Context(today=clock.today(), languages=("km", "en")), by=by,
            )  # fmt: skip


def test_what_is_saved_names_the_person_as_the_focal_point_named_them(app, session, world, client_for):
    chief, link, code = hand_out(client_for, world)
    guest = come_in(app, session, link, code)
    address = guest.response.request.path
    told = guest.post(
        address, {"beds": "12", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=200
    ).get_json()
    assert told["saved"] == [{"name": "beds", "revision": 1}]
    assert told["missing"] == 0
    # of what was shared alone, as the page says it
    here, asked, answered, total = told["counts"]
    guest.get(address, expect=200)
    assert guest.page.xpath("string(//*[@class='progress-words'])") == f"បានឆ្លើយ {answered} លើ {total}"
    assert guest.page.xpath("string(//*[@class='step-detail'])") == f"បានឆ្លើយ {here} លើ {asked}"
    actor = session.scalars(select(Actor).join(AnswerRevision, AnswerRevision.saved_by == Actor.id)).one()
    assert (actor.kind, actor.on_behalf_of) == (ActorKind.DELEGATION, world.at.id)
    told = chief.post(
        f"/replies/{world.reply.public_id}/pages/page1", {"beds": "13", "base:beds": "0"},
        headers={"Accept": "application/json"},
    ).get_json()  # fmt: skip
    assert told["stale"][0]["by"] == "Kampot department"
    chief.get("/owed", expect=200)
    assert "Kampot department" in chief.text


def test_taken_back_in_between_is_said_clearly_and_the_text_stays(app, session, world, client_for):
    chief, link, code = hand_out(client_for, world)
    guest = come_in(app, session, link, code)
    address = guest.response.request.path
    one = session.scalars(select(Delegation)).one()
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    chief.post(f"/delegations/{one.public_id}/revoke", expect=303)
    told = guest.post(address, {"beds": "77", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=409)
    assert told.get_json()["code"] == "share_ended"
    assert told.get_json()["title"]
    guest.post(address, {"beds": "77", "base:beds": "0", "action": "save"}, expect=409)
    assert guest.page.xpath("//textarea[@readonly and contains(., '77')]")
    guest.get(address, expect=403)
    guest.get(link, expect=404)
    # made anew: the old link and code, and the browser that they opened, are worth nothing
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    chief.post(f"/delegations/{one.public_id}/renew", {"until": "2099-01-01"}, expect=200)
    guest.get(address, expect=404)
    fresh = chief.page.xpath("string(//p[@id='share-link'])").removeprefix("http://localhost")
    come_in(app, session, fresh, chief.page.xpath("string(//p[@id='share-code'])"))


def test_its_time_ends_by_the_clock(app, session, world, client_for):
    _chief, link, code = hand_out(client_for, world, until="2099-01-01")
    guest = come_in(app, session, link, code)
    address = guest.response.request.path
    one = session.scalars(select(Delegation)).one()
    with clock.at(one.expires_at - timedelta(seconds=1)):
        guest.get(address, expect=200)
    with clock.at(one.expires_at):
        guest.get(address, expect=403)
        guest.post(address, {"beds": "5"}, headers={"Accept": "application/json"}, expect=409)
        guest.get(link, expect=404)


def test_guesses_are_counted_and_the_owner_gets_in_later(app, session, world, client_for):
    _chief, link, code = hand_out(client_for, world)
    thief = Client(app, session)
    thief.get(link, expect=200)
    seen = [thief.post(link, {"code": f"AAAA-{number:04}"}).status_code for number in range(12)]
    assert seen[:10] == [422] * 10
    assert set(seen[10:]) == {429}
    assert thief.post(link, {"code": code}).status_code == 429
    with clock.at(clock.now() + timedelta(minutes=16)):
        come_in(app, session, link, code)
    one = session.scalars(select(Delegation)).one()
    assert one.attempts == 10
    one.attempts = sharing.MOST_ATTEMPTS
    session.commit()
    thief.get(link, expect=404)


def test_opening_spends_nothing_and_every_device_is_welcome(app, session, world, client_for):
    _chief, link, code = hand_out(client_for, world)
    for _robot in range(3):
        Client(app, session).get(link, expect=200)
    assert session.scalars(select(Delegation.opened_at)).one() is None
    for _device in range(3):
        come_in(app, session, link, code)
    stored = session.scalars(select(Delegation)).one()
    assert code.replace("-", "") not in (stored.token_hash, stored.code_hash)
    assert link.rpartition("/")[2] != stored.token_hash


@pytest.mark.engines
def test_ten_saves_at_once_by_two_delegates_lose_nothing(app, session, world, client_for):
    first = hand_out(client_for, world, ("beds",))
    second = hand_out(client_for, world, ("measures",), name="Kandal department")
    browsers = [come_in(app, session, *first[1:]), come_in(app, session, *second[1:])]
    addresses = [one.response.request.path for one in browsers]
    tokens = [one.token() for one in browsers]
    session.commit()
    seen: list[int] = []

    def save(number: int) -> None:
        which = number % 2
        browser = browsers[which]._client
        with app.test_client() as own:
            own._cookies = browser._cookies
            field, base = (("beds", "base:beds"), ("measures@km", "base:measures@km"))[which]
            answer = own.post(
                addresses[which],
                data={field: str(number), base: str(number // 2), "request_key": f"k{number}"},
                headers={"Accept": "application/json", "X-CSRFToken": tokens[which]},
            )
            seen.append(answer.status_code)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(seen) == 10
    assert set(seen) <= {200, 409}, "a save is taken, or both texts are told; nothing else"
    session.rollback()
    kept = session.execute(
        select(Question.code, AnswerRevision.value)
        .join(Question, Question.id == AnswerRevision.question_id)
        .where(AnswerRevision.submission_id == world.reply.id)
        .order_by(AnswerRevision.id)
    ).all()
    assert len(kept) == seen.count(200)
    last = dict(kept)
    standing = dict(
        session.execute(
            select(Question.code, Answer.value)
            .join(Question, Question.id == Answer.question_id)
            .where(Answer.submission_id == world.reply.id, Answer.lang != "en", Question.code != "state")
        ).all()
    )
    assert standing == last


def test_a_colleague_with_an_account_writes_as_themselves_and_only_there(app, session, world, client_for):
    from portal.models import Role

    reader = factories.person(session, world.at, Role.READER, login="reader")
    other = factories.person(session, factories.institution(session, "moi"), login="other")
    session.commit()
    chief = client_for(world.focal)
    address = f"/replies/{world.reply.public_id}/share"
    chief.get(address, expect=200)
    chief.post(address, {"colleague": reader.public_id, "until": "2099-01-01", "codes": ["beds"]}, expect=303)
    one = session.scalars(select(Delegation)).one()
    work = f"/shared/work/{one.public_id}/pages/page1"
    mine = client_for(reader)
    mine.get("/owed", expect=200)
    assert one.public_id in mine.text
    mine.get(work, expect=200)
    mine.post(work, {"beds": "3", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=200)
    actor = session.scalars(select(Actor).join(Answer, Answer.answered_by == Actor.id).where(Answer.value == 3)).one()
    assert actor.user_id == reader.id
    mine.post(
        f"/replies/{world.reply.public_id}/pages/page1", {"beds": "4"}, headers={"Accept": "application/json"}, expect=403
    )
    for stranger in (client_for(other), chief, Client(app, session)):
        stranger.get(work, expect=404)


def test_handed_in_means_closed_for_delegates_too(app, session, world, client_for):
    _chief, link, code = hand_out(client_for, world)
    guest = come_in(app, session, link, code)
    address = guest.response.request.path
    session.get_one(Submission, world.reply.id).status = Status.SUBMITTED
    session.commit()
    guest.get(address, expect=200)
    assert not guest.page.xpath("//input[@name='beds' and not(@disabled or @readonly)]")
    guest.post(address, {"beds": "5", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=409)


def test_a_share_of_another_institution_is_not_found(app, session, world, client_for):
    hand_out(client_for, world)
    stranger = client_for(factories.person(session, factories.institution(session, "moi"), login="stranger"))
    one = session.scalars(select(Delegation)).one()
    for act in ("extend", "renew", "revoke"):
        stranger.post(f"/delegations/{one.public_id}/{act}", {"until": "2099-01-01"}, expect=404)
    with app.app_context():
        assert find_delegation(db.session, one.public_id).revoked_at is None
