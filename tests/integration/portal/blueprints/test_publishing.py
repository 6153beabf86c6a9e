"""States of implementation for observers: nothing before it is published, exactly what was confirmed, taken back for good."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Answer,
    AnswerState,
    AuditEvent,
    Implementation,
    ImplementationPublication,
    ImplementationState,
    RecommendationTag,
    StaffRole,
    Status,
    Tag,
    Vocabulary,
)
from portal.queries.dump import CanonicalDump
from portal.queries.published import published_summary
from portal.services import audit
from tests import factories

DAY, HIDDEN_DAY = date(2026, 2, 28), date(2019, 3, 7)


def set_state(session, scene, one, state, reason, as_of=DAY):
    made = ImplementationState(
        recommendation_id=one.id, round_id=scene.round_id, state=state, as_of=as_of, reason=reason,
        set_at=clock.now(), set_by=scene.actor,
    )  # fmt: skip
    session.add(made)
    session.commit()
    return made.public_id


@pytest.fixture
def scene(session):
    document = factories.document(session)
    of = factories.reporting_round(session, document, slug="r", titles={"en": "Round of spring"})
    coordinator = factories.staff(session, StaffRole.COORDINATOR)
    tag = Tag(vocabulary=Vocabulary.THEME, key="prisons", labels={"en": "Prisons"})
    session.add(tag)
    session.flush()
    made = SimpleNamespace(
        round_id=of.id,
        actor=factories.principal(session, coordinator).actor_id,
        coordinator=coordinator,
        observer=factories.staff(session, StaffRole.OBSERVER),
        one=factories.recommendation(session, document, paragraph="7", heading={"en": "Matter seven"}),
        other=factories.recommendation(session, document, paragraph="8", heading={"en": "Matter eight"}),
    )
    session.add_all([RecommendationTag(recommendation_id=each.id, tag_id=tag.id) for each in (made.one, made.other)])
    version = factories.questionnaire_version(session)
    item = factories.question(session, version, "b1", "select_one")
    ministry = factories.institution(session, "canary", names={"en": "Canary Ministry"})
    asked = factories.assignment(session, ministry, of, [made.one], version)
    reply = factories.submission(session, asked, status=Status.SUBMITTED)
    session.add(
        Answer(
            submission_id=reply.id, question_id=item.question_id, value="not_accepted", state=AnswerState.ANSWERED,
            revision=1, asked_in=version.id, answered_by=made.actor, answered_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    made.state = set_state(session, made, made.one, Implementation.PLANNED, "A reason for all to read")
    made.hidden = set_state(session, made, made.other, Implementation.DONE, "canary inner reason", HIDDEN_DAY)
    return made


def crawl(client):
    """Read every page that links lead to; return the address and the words of each."""
    seen, waiting = {}, ["/", "/published", "/recommendations", "/recommendations?kind=all"]
    while waiting:
        path = waiting.pop().partition("#")[0]
        if path in seen or not path.startswith("/") or path.startswith("/static"):
            continue
        response = client.get(path, expect=None)
        seen[path] = response.get_data(as_text=True)
        if response.status_code == 303:
            waiting.append(response.headers["Location"])
        elif response.mimetype == "text/html":
            waiting += client.page.xpath("//a/@href")
    return seen


def confirm(client, **fields):
    client.post("/publishing/yes", fields, expect=303)


def test_an_observer_finds_no_unpublished_state_on_any_page_or_file(client_for, scene):
    confirm(client_for(scene.coordinator), state=scene.state)
    pages = crawl(client_for(scene.observer))
    assert {
        "/published",
        f"/recommendations/{scene.one.public_id}",
        f"/recommendations/{scene.other.public_id}",
    } <= set(pages)
    for path, text in pages.items():
        for canary in ("canary", "Canary Ministry", "2019", "A reason for all to read"):
            assert canary not in text, (path, canary)
        # the page of published states names every state in its legends, those of nobody too
        assert path == "/published" or "Done and ongoing" not in text, path
    assert any(path.startswith("/recommendations/documents/") for path in pages)
    assert "Planned" in pages[f"/recommendations/{scene.one.public_id}"]


def test_an_observer_reads_state_day_and_source_of_what_is_published(client_for, scene, session):
    observer = client_for(scene.observer)
    observer.get("/published", expect=200)
    assert "0 of 2 recommendations have a published state" in observer.words
    confirm(client_for(scene.coordinator), state=scene.state)

    observer.get("/", expect=303)
    observer.get("/published", expect=200)
    assert "1 of 2 recommendations have a published state" in observer.words
    (row,) = observer.page.xpath("//table[.//caption='Each published state']/tbody/tr")
    words = " ".join(row.text_content().split())
    for part in ("Matter seven", "Planned", "28 Feb 2026", "Round of spring"):
        assert part in words
    found = published_summary(session)
    assert (found.total, found.count(Implementation.PLANNED), found.count(None)) == (2, 1, 1)
    (theme,) = found.themes
    assert (theme.labels["en"], theme.total, theme.counts[Implementation.PLANNED]) == ("Prisons", 2, 1)
    observer.get("/recommendations", expect=200)
    assert observer.words.count("Planned") == 1


def test_a_reason_is_published_only_when_it_is_ticked(client_for, scene):
    coordinator, observer = client_for(scene.coordinator), client_for(scene.observer)
    confirm(coordinator, state=scene.state)
    observer.get("/published")
    assert "A reason for all to read" not in observer.words
    confirm(coordinator, state=scene.state, reason=scene.state)
    for path in ("/published", f"/recommendations/{scene.one.public_id}"):
        observer.get(path)
        assert "A reason for all to read" in observer.words


def test_the_page_that_asks_shows_what_becomes_visible_and_changes_nothing(client_for, scene, session):
    client = client_for(scene.coordinator)
    client.get("/implementation", expect=200)
    client.post("/publishing", {"recommendation": scene.one.public_id}, expect=200)
    assert "Publish 1 state?" in client.words
    assert "Planned" in client.words
    assert client.page.xpath("//input[@type='hidden'][@name='state']/@value") == [scene.state]
    client.post("/publishing", {"all": "new"}, expect=200)
    assert set(client.page.xpath("//input[@name='state']/@value")) == {scene.state, scene.hidden}
    assert session.scalars(select(ImplementationPublication)).all() == []
    client.post("/publishing", {}, expect=303)
    client.post("/publishing/yes", {}, expect=303)


def test_a_state_set_later_is_not_published_by_itself(client_for, scene, session):
    coordinator, observer = client_for(scene.coordinator), client_for(scene.observer)
    confirm(coordinator, state=scene.state)
    set_state(session, scene, scene.one, Implementation.LARGELY_DONE, "newer")
    observer.get(f"/recommendations/{scene.one.public_id}")
    assert "Planned" in observer.words
    assert "Largely done" not in observer.words
    coordinator.get(f"/recommendations/{scene.one.public_id}")
    assert "Observers see an earlier state: Planned" in coordinator.words


def test_what_changed_since_it_was_shown_is_asked_again(client_for, scene, session):
    client = client_for(scene.coordinator)
    newer = set_state(session, scene, scene.one, Implementation.LARGELY_DONE, "newer")
    client.post("/publishing/yes", {"state": [scene.state, scene.hidden]}, expect=409)
    assert "was set anew" in client.words
    assert set(client.page.xpath("//input[@name='state']/@value")) == {newer, scene.hidden}
    assert session.scalars(select(ImplementationPublication)).all() == []
    client.post("/publishing/yes", {"state": "no such state"}, expect=303)


def test_taking_back_hides_it_and_keeps_the_history(client_for, scene, session):
    client, observer = client_for(scene.coordinator), client_for(scene.observer)
    confirm(client, state=scene.state, reason=scene.state)
    confirm(client, state=scene.state, reason=scene.state)  # a second click adds nothing
    client.post("/publishing/back", {"recommendation": scene.one.public_id}, expect=200)
    assert "Take back 1 published state?" in client.words
    for _ in range(2):
        client.post("/publishing/back/yes", {"state": scene.state}, expect=303)
    observer.get("/published", expect=200)
    assert "0 of 2 recommendations" in observer.words
    assert [one.act.value for one in session.scalars(select(ImplementationPublication))] == ["published", "taken_back"]


@pytest.mark.engines
def test_publishing_is_audited_and_stands_in_the_dump(client_for, scene, session):
    confirm(client_for(scene.coordinator), state=scene.state, reason=scene.state)
    (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "publish_implementation"))
    assert (event.object_id, event.details["state"], event.details["with_reason"]) == (scene.state, "planned", True)
    assert audit.verify(session) == []
    (line,) = [line for line in CanonicalDump(session).lines() if '"table":"implementation_publication"' in line]
    assert f'"state_id":"{scene.state}"' in line


def test_the_page_of_published_states_takes_the_same_queries_for_more_rows(client_for, scene, session, count_queries):
    client, observer = client_for(scene.coordinator), client_for(scene.observer)
    confirm(client, state=scene.state)
    seen = []
    for many in (0, 20):
        document = factories.document(session)
        for number in range(many):
            one = factories.recommendation(session, document, paragraph=str(100 + number))
            confirm(client, state=set_state(session, scene, one, Implementation.PLANNED, "x"))
        observer.get("/published")
        with count_queries() as counted:
            observer.get("/published", expect=200)
        seen.append(len(counted))
    assert seen[0] == seen[1]
