"""What is new for whom: the list, the start pages, the mails about it; nobody learns of another institution's replies."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal import clock
from portal.jobs.news import tell_now
from portal.models import (
    Action,
    Actor,
    Delegation,
    Institution,
    OutgoingMail,
    Role,
    StaffRole,
    Status,
    SubmissionEvent,
)
from tests import factories
from tests.integration.portal.blueprints.test_follow import hand_in
from tests.scenes import NOW

pytestmark = pytest.mark.engines
NOTE = "Say which law you mean, please."


@pytest.fixture
def scene(session):
    """A reply that its institution can hand in, somebody of each part, and another institution."""
    with clock.at(NOW - timedelta(days=1)):
        moj, moi = factories.institution(session, "MOJ"), factories.institution(session, "MOI")
        about = factories.recommendation(session, paragraph="8")
        of = factories.reporting_round(session, slug="r")
        reply = factories.submission(session, factories.assignment(session, moj, of, [about]))
        made = SimpleNamespace(
            reply=reply,
            own=f"/replies/{reply.public_id}",
            path=f"/review/{reply.public_id}",
            focal=factories.person(session, moj, email="focal@example.org", language="km"),
            approver=factories.person(session, moj, Role.APPROVER, telegram="@approver"),
            reader=factories.person(session, moj, Role.READER, email="reader@example.org"),
            stranger=factories.person(session, moi, email="stranger@example.org"),
            coordinator=factories.staff(session, StaffRole.COORDINATOR, email="desk@example.org"),
            writer=factories.staff(session, StaffRole.REPORT_WRITER),
        )
    session.commit()
    return made


def act(client_for, scene):
    """The secretariat asks about the reply, and returns it with a note."""
    client = client_for(scene.coordinator)
    client.get(scene.path)
    client.post(f"{scene.path}/ask", {"body": "Which law is meant?"}, follow=True)
    client.post(f"{scene.path}/return", {"note": NOTE, "codes": ["measures"]}, follow=True)
    return client


def finish_a_share(session, scene, at):
    """A person without an account finished what was shared with them."""
    by = factories.system_actor(session).id
    session.add(
        Delegation(
            submission_id=scene.reply.id, items=["beds"], name="Court registry", token_hash="t" * 64, code_hash="c" * 64,
            expires_at=at + timedelta(days=9), finished_at=at, message="All beds are counted.", created_by=by, held_by=by,
        )
    )  # fmt: skip
    session.commit()


def mails(session):
    session.rollback()
    return session.scalars(select(OutgoingMail).where(OutgoingMail.kind == "news").order_by(OutgoingMail.id)).all()


def test_news_is_listed_for_those_concerned_until_they_have_read_it(client_for, scene, session):
    with clock.at(NOW - timedelta(hours=8)):
        hand_in(client_for, scene)
    with clock.at(NOW):
        act(client_for, scene)
    finish_a_share(session, scene, NOW + timedelta(minutes=3))
    with clock.at(NOW + timedelta(hours=1)):
        focal = client_for(scene.focal)
        focal.get("/owed", expect=200)
        assert focal.page.xpath("//section[contains(@class,'news-box')]//span[@class='count']/text()") == ["4"]
        focal.get("/news", expect=200)
        assert NOTE in focal.words
        assert "Which law is meant?" in focal.words
        assert "Court registry" in focal.words
        assert focal.text.count("is-unread") == 4
        links = focal.page.xpath("//p[@class='talk-title']/a/@href")
        for link in links:
            focal.get(link.partition("#")[0], expect=200)
        focal.get("/news")
        focal.submit("/news/read", expect=200)
        assert "is-unread" not in focal.text
        focal.get("/owed")
        assert "គ្មានអ្វីថ្មីសម្រាប់អ្នកទេ" in focal.words
        for nobody, path in ((scene.stranger, "/news"), (scene.writer, "/news"), (scene.coordinator, "/news")):
            other = client_for(nobody)
            other.get(path, expect=200)
            assert NOTE not in other.text
            assert "Which law" not in other.text
        client_for(scene.reader).get("/news", expect=403)
        approver = client_for(scene.approver)
        approver.get("/sign", expect=200)
        assert "New for you" in approver.words
        # the secretariat tells by chat who has no address, in their language, without what was said
        desk = client_for(scene.coordinator)
        desk.get("/news/by-chat", expect=200)
        texts = desk.page.xpath("//textarea/text()")
        assert len(texts) == 1
        assert "Returned by the secretariat: " in texts[0]
        assert NOTE not in texts[0]
        assert desk.page.xpath("//a[@href='https://t.me/approver']")
    with clock.at(NOW + timedelta(hours=2)):
        # an answer is news for the secretariat; that the institution wrote it itself is none for its author
        session.rollback()
        focal.get("/questions")
        link = focal.page.xpath("//h2/a/@href")[0]
        focal.get(link.partition("#")[0])
        public_id = link.rpartition("thread-")[2]
        focal.post(f"/clarifications/{public_id}/answer", {"body": "The law of 2024."}, follow=True)
        for person in (scene.coordinator, scene.writer):
            desk = client_for(person)
            desk.get("/news?show=unread", expect=200)
            assert "The law of 2024." in desk.text
        focal.get("/news?show=unread")
        assert "The law of 2024." not in focal.text


def test_a_burst_is_one_mail_told_once_and_only_to_whom_has_not_read_it(app, client_for, scene, session):
    with clock.at(NOW - timedelta(hours=8)):
        hand_in(client_for, scene)
    with clock.at(NOW - timedelta(hours=7)):
        assert tell_now(app) == 1, "a colleague signed; the secretariat is told in the morning"
    with clock.at(NOW):
        act(client_for, scene)
    with clock.at(NOW + timedelta(minutes=2)):
        assert tell_now(app) == 1, "the secretariat's, of the morning; the institution's waits for what may follow"
    with clock.at(NOW + timedelta(minutes=10)):
        assert tell_now(app) == 1
        assert tell_now(app) == 0
    signed, desk, mail = mails(session)
    assert (signed.address, desk.address) == ("focal@example.org", "desk@example.org")
    assert "Institution MOJ" in desk.body
    assert mail.address == "focal@example.org"
    assert "+1" in mail.subject
    assert "/news" in mail.body
    assert "លេខាធិការដ្ឋានសួរ" in mail.body
    assert NOTE not in mail.body
    assert "Which law" not in mail.body
    # once a day is once a day; never is never
    with clock.at(NOW + timedelta(minutes=20)):
        focal = client_for(scene.focal)
        focal.get("/news")
        focal.submit("/news/mail", wish="daily", expect=200)
        focal.post("/news/mail", {"wish": "hourly"}, expect=422)
        desk = client_for(scene.coordinator)
        desk.get(f"{scene.path}")
        desk.post(f"{scene.path}/ask", {"body": "And which article?"}, follow=True)
    with clock.at(NOW + timedelta(hours=3)):
        assert tell_now(app) == 0
    with clock.at(NOW.replace(hour=8) + timedelta(days=1)):
        assert tell_now(app) == 1
        assert tell_now(app) == 0
        focal = client_for(scene.focal)
        focal.get("/news")
        focal.submit("/news/mail", wish="never", expect=200)
        desk.post(f"{scene.path}/ask", {"body": "And since when?"}, follow=True)
    with clock.at(NOW + timedelta(days=3)):
        assert tell_now(app) == 0
    assert [one.address for one in mails(session)] == [
        "focal@example.org", "desk@example.org", "focal@example.org", "focal@example.org",
    ]  # fmt: skip


def test_every_page_offers_the_news_to_whom_there_are_some_and_asks_the_database_nothing_for_it(
    client_for, scene, session, count_queries
):
    def entries(client, path):
        client.get(path, expect=200)
        return {
            link.get("href"): link.get("aria-current")
            for link in client.page.xpath("//nav[@class='nav-main']//a[@href='/news' or starts-with(@href, '/question')]")
        }

    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    for client, pages in ((focal, ("/owed", f"{scene.own}/", "/account")), (coordinator, ("/rounds", scene.path, "/account"))):
        for path in pages:
            assert entries(client, path)["/news"] is None, path
        assert entries(client, "/news")["/news"] == "page"
    # one room, two entries: never both at once
    assert [here for here in entries(focal, "/news").values() if here] == ["page"]
    for nobody in (client_for(scene.reader), client_for(factories.staff(session, StaffRole.OBSERVER))):
        assert "/news" not in entries(nobody, "/account")
    with count_queries() as statements:
        focal.get("/account", expect=200)
    assert not [one for one in statements if "news_mark" in one or "submission_event" in one]


def acted(session, reply, action, status, person):
    """Write down more acts of one person on a reply than the list is long, one a second."""
    by = session.scalars(select(Actor.id).where(Actor.user_id == person.id)).one()
    for number in range(310):
        at = NOW + timedelta(seconds=number)
        session.add(
            SubmissionEvent(
                submission_id=reply.id, number=1000 + number, action=action, status=status, done_by=by, done_at=at
            )
        )
    session.commit()


def test_what_concerns_others_or_is_ones_own_takes_no_place_in_the_list(client_for, scene, session, count_queries):
    """Whoever serves in the secretariat and in an institution is told by each part what is told to that part."""

    def listed(who):
        with count_queries() as seen:
            who.get("/news", expect=200)
        assert NOTE in who.words
        counts = who.page.xpath("//main//nav//span[@class='count']/text()")
        return *counts, len(seen)

    both = factories.person(
        session, session.scalars(select(Institution).where(Institution.code == "MOJ")).one(), staff=[StaffRole.COORDINATOR]
    )
    theirs = factories.submission(session, factories.assignment(session, factories.institution(session, "MOH")))
    with clock.at(NOW - timedelta(hours=8)):
        hand_in(client_for, scene)
        act(client_for, scene)
    with clock.at(NOW + timedelta(hours=2)):
        person, focal = client_for(both), client_for(scene.focal)
        before = listed(person)
        # of a return an institution is told, and not the secretariat
        acted(session, theirs, Action.RETURN, Status.RETURNED, scene.coordinator)
        assert listed(person) == before
        # nobody is told what they did themselves
        before = listed(focal)
        acted(session, scene.reply, Action.HAND_IN, Status.SUBMITTED, scene.focal)
        assert listed(focal) == before
        focal.get("/owed", expect=200)
        assert focal.page.xpath("//section[contains(@class,'news-box')]//span[@class='count']/text()") == [before[1]]
