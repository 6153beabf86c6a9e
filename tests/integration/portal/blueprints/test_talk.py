"""Clarifications: one question to many, the lists of both sides, what is unread."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Clarification,
    ClarificationMessage,
    ClarificationStatus,
    OutgoingMail,
    Role,
    StaffRole,
)
from tests import factories, scenes

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    made.coordinator = factories.staff(session, StaffRole.COORDINATOR)
    made.asked = {}
    for name in ("submitted", "returned", "draft"):
        institution = made.replies[name].assignment_id
        made.asked[name] = factories.person(
            session, at_institution(session, institution), Role.FOCAL_POINT, email=f"{name}@example.org"
        )
    session.commit()
    return made


def at_institution(session, assignment_id):
    from portal.models import Assignment, Institution

    return session.get_one(Institution, session.get_one(Assignment, assignment_id).institution_id)


def ask_those_in_progress(client, body="Which law do you mean?"):
    client.get("/rounds/periodic-4/ask?question=b1&answer=in_progress", expect=200)
    client.submit("/rounds/periodic-4/ask", body=body, expect=200)
    return client


def test_a_question_goes_to_all_who_answered_alike_and_to_nobody_else(client_for, scene, session):
    client = ask_those_in_progress(client_for(scene.coordinator))
    assert "Who gets the question" in client.words
    assert session.scalars(select(Clarification)).all() == []
    client.submit("/rounds/periodic-4/ask", expect=200)
    threads = session.scalars(select(Clarification)).all()
    asked = {one.submission_id for one in threads}
    names = {name for name, reply in scene.replies.items() if reply.id in asked}
    # drafts are not looked at: what is being changed counts as it was handed in
    assert {"submitted", "unsigned", "cleared", "returned"} <= names
    assert not names & {"draft", "waiting", "issued", "withdrawn", "elsewhere"}
    assert len(threads) == len(asked)
    mails = session.scalars(select(OutgoingMail)).all()
    assert sorted(one.address for one in mails) == ["returned@example.org", "submitted@example.org"]
    assert all("Which law do you mean?" in one.body for one in mails)


def test_the_same_act_again_asks_nobody_twice(client_for, scene, session):
    client = ask_those_in_progress(client_for(scene.coordinator))
    page = client.page
    client.submit("/rounds/periodic-4/ask", expect=200)
    before = len(session.scalars(select(Clarification)).all())
    # Back, and the button once more: with the old key, and with a fresh one
    client.page = page
    client.submit("/rounds/periodic-4/ask", expect=200)
    client.page = page
    client.submit("/rounds/periodic-4/ask", idempotency_key="f" * 32, expect=200)
    assert len(session.scalars(select(Clarification)).all()) == before
    assert len(session.scalars(select(OutgoingMail)).all()) == 2


def test_without_a_question_or_a_reply_nothing_is_sent(client_for, scene, session):
    client = client_for(scene.coordinator)
    client.get("/rounds/periodic-4/ask?question=b1&answer=in_progress")
    client.submit("/rounds/periodic-4/ask", body=" ", expect=422)
    assert "Write the question" in client.words
    client.submit("/rounds/periodic-4/ask", body="Which?", reply=[], expect=422)
    assert "Choose at least one reply" in client.words
    assert session.scalars(select(Clarification)).all() == []


def test_an_institution_sees_what_is_asked_of_it_and_of_nobody_else(client_for, scene, session):
    ask_those_in_progress(client_for(scene.coordinator)).submit("/rounds/periodic-4/ask")
    client = client_for(scene.asked["submitted"])
    client.get("/questions", expect=200)
    assert client.text.count('class="talk-row') == 1
    assert "1 unread message" in client.words
    assert "to many" not in client.words
    link = client.page.xpath("//h2/a/@href")[0]
    client.get(link.partition("#")[0], expect=200)
    assert client.page.xpath(f"//*[@id='{link.partition('#')[2]}']")
    client.get("/questions")
    client.submit("/questions/read", expect=200)
    assert "unread message" not in client.words
    stranger = client_for(scene.asked["draft"])
    stranger.get("/questions", expect=200)
    assert "Which law" not in stranger.text


def test_the_secretariat_filters_and_sees_how_long_answers_take(client_for, scene, session):
    ask_those_in_progress(client_for(scene.coordinator)).submit("/rounds/periodic-4/ask")
    thread = session.scalars(
        select(Clarification).where(Clarification.submission_id == scene.replies["submitted"].id)
    ).one()
    focal = client_for(scene.asked["submitted"])
    focal.get("/owed")
    focal.post(f"/clarifications/{thread.public_id}/answer", {"body": "The law of 2024."}, follow=True)
    client = client_for(scene.coordinator)
    client.get("/clarifications?state=answered", expect=200)
    assert client.text.count('class="talk-row') == 1
    assert "The law of 2024." in client.words
    client.get("/clarifications?state=unread")
    assert client.text.count('class="talk-row') == 1
    client.submit("/clarifications/read")
    client.get("/clarifications?state=unread")
    assert client.text.count('class="talk-row') == 0
    client.get("/clarifications?institution=RETURNED")
    assert client.text.count('class="talk-row') == 1


def test_one_query_lists_ten_threads_or_one(client_for, scene, session, count_queries):
    client = client_for(scene.coordinator)

    def counted():
        client.get("/clarifications", expect=200)
        with count_queries() as seen:
            client.get("/clarifications", expect=200)
        return len(seen)

    def add(name):
        actor = factories.principal(session, scene.coordinator).actor_id
        thread = Clarification(
            submission_id=scene.replies[name].id, opened_by=actor, opened_at=clock.now(),
            status=ClarificationStatus.OPEN,
        )  # fmt: skip
        session.add(thread)
        session.flush()
        session.add(
            ClarificationMessage(
                clarification_id=thread.id, body="?", from_secretariat=True, written_by=actor, written_at=clock.now()
            )
        )

    add("submitted")
    first = counted()
    for name in ("submitted", "cleared", "returned"):
        for _ in range(3):
            add(name)
    assert counted() == first <= 6


