"""Earlier answers beside the questions: the same institution's only, never a draft of another round, copied by a save."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Answer,
    AnswerRevision,
    AuditEvent,
    EarlierVerdict,
    ItemKind,
    Participation,
    Question,
    Recollection,
    RecommendationOrigin,
    Role,
    Status,
    VersionItem,
)
from portal.services import memory
from tests import factories, scenes

pytestmark = pytest.mark.engines

SAID = "The law of 2024 was adopted."


def a_round(session, slug, days):
    day = clock.today() + timedelta(days=days)
    return factories.reporting_round(session, slug=slug, opens_on=day, titles={"en": f"Round {slug}", "km": f"វគ្គ {slug}"})


def old_reply(session, version, institution, about, in_round, *, text=SAID, status=Status.CLEARED):
    by = factories.system_actor(session).id
    reply = factories.submission(session, factories.assignment(session, institution, in_round, about, version))
    scenes.answer(session, reply, version, "measures", text, by, lang="en")
    scenes.answer(session, reply, version, "state", "done", by)
    scenes.answer(session, reply, version, "beds", 120, by)
    scenes.hand_in(session, reply, version, clock.now(), by)
    reply.status = status
    session.flush()
    return reply


@pytest.fixture
def scene(session):
    moj, moi = factories.institution(session, "MOJ"), factories.institution(session, "MOI")
    version = factories.questionnaire_version(session)
    first, second = factories.recommendation(session), factories.recommendation(session)
    before, now = a_round(session, "before", -400), a_round(session, "now", 0)
    reply = factories.submission(session, factories.assignment(session, moj, now, [first], version))
    made = SimpleNamespace(
        moj=moj, moi=moi, version=version, first=first, second=second, before=before, now=now, reply=reply,
        page=f"/replies/{reply.public_id}/pages/page1",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        reader=factories.person(session, moj, Role.READER),
    )  # fmt: skip
    made.old = old_reply(session, version, moj, [first], before)
    memory.look_back(session, now.id)
    session.commit()
    return made


def say(client, scene, verdict, code="measures", expect=200, **more):
    """Press one of the buttons beside a question, as a browser without script does."""
    client.get(scene.page)
    value = next(
        one
        for one in client.page.xpath("//button[@name='earlier']/@value")
        if one.startswith(f"{verdict}={code}:")
    )
    form = dict(client.page.xpath("//form[@data-autosave]")[0].form_values())
    return client.post(f"{scene.page}/earlier", form | {"earlier": value} | more, follow=expect == 200, expect=None)


def test_what_was_said_in_the_last_round_stands_beside_the_question(client_for, scene):
    client = client_for(scene.focal)
    client.get(scene.page, expect=200)
    assert "Your answer in “Round before”" in client.words
    assert SAID in client.words
    reader = client_for(scene.reader)
    reader.get(scene.page, expect=200)
    assert SAID in reader.words
    assert not reader.page.xpath("//button[@name='earlier']")


def test_still_true_is_a_save_of_its_own_with_its_origin(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true")
    assert "Taken over" in client.words
    stored = session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).all()
    assert [(one.value, one.lang, one.revision) for one in stored] == [(SAID, "en", 1)]
    assert session.scalars(select(AnswerRevision).where(AnswerRevision.submission_id == scene.reply.id)).one()
    verdict = session.scalars(select(EarlierVerdict)).one()
    assert (verdict.verdict, verdict.revision, verdict.source_id) == (Recollection.STILL_TRUE, 1, scene.old.id)
    assert session.scalars(select(AuditEvent).where(AuditEvent.action == "still_true")).one()
    client.get(scene.page)
    assert "still true" in client.words


def test_update_puts_it_into_the_field_and_no_longer_true_leaves_it_empty(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "update")
    assert client.page.xpath("//textarea[@name='measures@en']")[0].text_content().strip() == SAID
    say(client, scene, "no_longer_true", code="beds")
    question = session.scalar(select(Question.id).where(Question.code == "beds"))
    assert session.get(Answer, (scene.reply.id, question, "", "")) is None
    said = {one.question_id: one.verdict for one in session.scalars(select(EarlierVerdict))}
    assert said[question] is Recollection.NO_LONGER_TRUE


def test_what_was_typed_beside_it_is_kept(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true", beds="7")
    values = {one.question_id: one.value for one in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id))}
    assert set(values.values()) == {SAID, 7}


@pytest.mark.parametrize("verdict", ["still_true", "update"])
def test_another_answer_that_stands_there_is_not_replaced_unasked(client_for, scene, session, verdict):
    client = client_for(scene.focal)
    say(client, scene, verdict, **{"measures@en": "What I have just typed.", "beds": "7"})
    assert "Replace the answer?" in client.words
    for text in ("What I have just typed.", SAID, "Your answer in “Round before”"):
        assert text in client.words
    values = {one.value for one in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id))}
    assert values == {"What I have just typed.", 7}, "the page is saved as it was sent"
    assert session.scalars(select(EarlierVerdict)).all() == []
    (keep,) = client.page.xpath("//main//div[@class='actions']/a/@href")
    assert keep == f"{scene.page}#q-measures-item"
    value = client.page.xpath("string(//main//button[@name='earlier']/@value)")
    client.submit(f"{scene.page}/earlier", earlier=value, expect=200)
    assert ("Taken over" if verdict == "still_true" else "bring it up to date") in client.words
    session.expire_all()
    values = {one.value for one in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id))}
    assert values == {SAID, 7}
    assert session.scalars(select(EarlierVerdict)).one().verdict is Recollection(verdict)
    saves = session.scalars(select(AnswerRevision.value).where(AnswerRevision.submission_id == scene.reply.id)).all()
    assert "What I have just typed." in saves, "history has a way back"


def test_the_same_answer_is_confirmed_without_a_question(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true", **{"measures@en": SAID})
    assert "Taken over" in client.words
    assert session.scalars(select(EarlierVerdict)).one().revision == 1


def test_what_cannot_be_read_as_a_number_is_asked_about_too(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true", code="beds", beds="about twenty")
    assert "Replace the answer?" in client.words
    assert "about twenty" in client.words


def test_what_a_colleague_wrote_while_it_was_asked_stays(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true", **{"measures@en": "Mine."})
    form = dict(client.page.xpath("//main//form")[0].form_values())
    value = client.page.xpath("string(//main//button[@name='earlier']/@value)")
    other = client_for(factories.person(session, scene.moj, Role.FOCAL_POINT))
    later = {"measures@en": "A colleague's.", "base:measures@en": "1"}
    other.post(scene.page, later, headers={"Accept": "application/json"}, expect=200)
    client.post(f"{scene.page}/earlier", form | {"earlier": value}, expect=409)
    assert "A colleague's." in client.words


def test_a_colleagues_newer_text_is_not_overwritten(client_for, scene, session):
    client = client_for(scene.focal)
    client.get(scene.page)
    stale = client.page
    scenes.answer(
        session, scene.reply, scene.version, "measures", "Words of a colleague.", factories.system_actor(session).id,
        lang="en",
    )  # fmt: skip
    scene.reply.status = Status.IN_PROGRESS
    session.commit()
    form = dict(stale.xpath("//form[@data-autosave]")[0].form_values())
    value = next(one for one in stale.xpath("//button[@name='earlier']/@value") if one.startswith("still_true=measures"))
    client.post(f"{scene.page}/earlier", form | {"earlier": value}, expect=409)
    assert "Words of a colleague." in client.words, client.words
    assert session.scalars(select(EarlierVerdict)).all() == []


def test_nobody_remembers_what_others_said_or_what_was_only_a_draft(client_for, scene, session):
    # in a newer round than our own: it would come first, were it looked at
    foreign = a_round(session, "foreign", -100)
    old_reply(session, scene.version, scene.moi, [scene.first], foreign, text=scenes.DRAFT)
    other = a_round(session, "other", -200)
    old_reply(session, scene.version, scene.moj, [scene.first], other, text=scenes.OTHER_ROUND, status=Status.RETURNED)
    later = a_round(session, "later", 30)
    old_reply(session, scene.version, scene.moj, [scene.first], later, text=scenes.HIDDEN)
    client = client_for(scene.focal)
    client.get(scene.page, expect=200)
    assert SAID in client.text
    for secret in (scenes.DRAFT, scenes.OTHER_ROUND, scenes.HIDDEN):
        assert secret not in client.text


def test_an_answer_of_another_institution_cannot_be_named_either(client_for, scene, session):
    newer = a_round(session, "foreign", -100)
    foreign = old_reply(session, scene.version, scene.moi, [scene.first], newer, text=scenes.DRAFT)
    client = client_for(scene.focal)
    client.get(scene.page)
    form = dict(client.page.xpath("//form[@data-autosave]")[0].form_values())
    wrong = {"earlier": f"still_true=measures:{foreign.public_id}:measures"}
    client.post(f"{scene.page}/earlier", form | wrong, expect=404)
    assert session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).all() == []


def test_a_recommendation_under_another_number_is_remembered(client_for, scene, session):
    reply = factories.submission(
        session, factories.assignment(session, scene.moj, scene.now, [scene.second], scene.version)
    )
    session.commit()
    client = client_for(scene.focal)
    path = f"/replies/{reply.public_id}/pages/page1"
    client.get(path)
    assert SAID not in client.text
    by = factories.system_actor(session).id
    session.add(
        RecommendationOrigin(
            recommendation_id=scene.second.id, earlier_id=scene.first.id, set_by=by, set_at=clock.now()
        )
    )
    session.commit()
    client.get(path)
    assert SAID in client.text


def test_one_indicator_is_asked_once(client_for, scene, session):
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    factories.question(session, version, "judges", "integer", parent=page, settings={"indicator": "16.3"})
    by = factories.system_actor(session).id
    third = factories.recommendation(session)
    here = factories.submission(session, factories.assignment(session, scene.moj, scene.now, [third], version))
    scene.page = f"/replies/{here.public_id}/pages/page1"
    for institution, figure in ((scene.moj, 345_123), (scene.moi, 678_123)):
        given = factories.submission(
            session, factories.assignment(session, institution, scene.now, [scene.second], version),
            status=Status.IN_PROGRESS,
        )  # fmt: skip
        scenes.answer(session, given, version, "judges", figure, by)
    session.commit()
    client = client_for(scene.focal)
    client.get(scene.page, expect=200)
    assert "The same indicator, answered on" in client.words
    assert "345123" in client.words
    assert "678123" not in client.words
    say(client, scene, "still_true", code="judges", judges="999")
    assert "Replace the answer?" in client.words
    assert "The same indicator, answered on" in client.words
    value = client.page.xpath("string(//main//button[@name='earlier']/@value)")
    client.submit(f"{scene.page}/earlier", earlier=value, expect=200)
    assert "Copied from your answer on paragraph" in client.words
    assert "copied" in client.page.xpath("string(//*[contains(@class, 'fold-earlier')]/summary)")
    assert "still true" not in client.page.xpath("string(//*[contains(@class, 'fold-earlier')]/summary)")
    question = session.scalar(select(Question.id).where(Question.code == "judges"))
    assert session.get(Answer, (here.id, question, "", "")).value == 345_123
    # a copy from elsewhere confirms nothing that was said before
    client.get(f"/replies/{here.public_id}/check", expect=200)
    assert "Confirmed from" not in client.words


def test_the_newest_answers_to_an_indicator_are_offered_newest_first(client_for, scene, session):
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    factories.question(session, version, "judges", "integer", parent=page, settings={"indicator": "16.3"})
    by = factories.system_actor(session).id
    here = factories.submission(session, factories.assignment(session, scene.moj, scene.now, [scene.second], version))
    # the order of the replies, and of their rounds, is not that of the days on which they were answered
    for figure, days, in_round in (
        (5_105, 5, scene.now), (3_103, 3, scene.now), (4_104, 4, scene.now), (1_101, 1, scene.before),
        (2_102, 2, scene.before),
    ):  # fmt: skip
        about = [factories.recommendation(session)]
        given = factories.submission(
            session, factories.assignment(session, scene.moj, in_round, about, version), status=Status.IN_PROGRESS
        )
        scenes.answer(
            session, given, version, "judges", figure, by, answered_at=clock.now() - timedelta(days=days),
        )  # fmt: skip
    session.commit()
    client = client_for(scene.focal)
    client.get(f"/replies/{here.public_id}/pages/page1", expect=200)
    offered = client.page.xpath("//details[contains(@class, 'fold-earlier')]//p[@class='earlier-text']")
    assert [one.text_content() for one in offered] == ["1101", "2102", "3103"]


def test_memory_costs_one_query_and_none_where_there_is_none(client_for, scene, session, count_queries):
    client = client_for(scene.focal)

    def counted(path):
        client.get(path, expect=200)
        with count_queries() as seen:
            client.get(path, expect=200)
        return len(seen)

    with_memory = counted(scene.page)
    for one in session.scalars(select(Participation)):
        one.remembers = False
    session.commit()
    assert counted(scene.page) == with_memory - 1 <= 8


def test_whoever_hands_in_remembers_from_then_on(scene, session):
    assert all(one.remembers for one in session.scalars(select(Participation).where(Participation.institution_id == scene.moj.id)))
    assert not session.scalars(select(Participation.remembers).where(Participation.institution_id == scene.moi.id)).all()


def test_all_are_looked_at_before_any_is_taken_over(client_for, scene, session):
    client = client_for(scene.focal)
    client.get(f"{scene.page}/earlier", expect=200)
    assert SAID in client.words
    assert session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).all() == []
    client.submit(f"{scene.page}/earlier/all", take=["measures", "beds"], expect=200)
    assert "2 answers were taken over" in client.words
    stored = {one.value for one in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id))}
    assert stored == {SAID, 120}


def test_the_check_page_counts_what_was_said_and_marks_what_was_confirmed(client_for, scene, session):
    client = client_for(scene.focal)
    say(client, scene, "still_true")
    say(client, scene, "update", code="beds")
    client.get(f"/replies/{scene.reply.public_id}/check", expect=200)
    for words in ("1 is still true", "1 is being updated", "not changed yet", "1 not looked at yet"):
        assert words in client.words
    assert client.words.count("Confirmed from “Round before”") == 1
    form = {"measures@en": "Another law.", "base:measures@en": "1"}
    client.post(scene.page, form, headers={"Accept": "application/json"}, expect=200)
    client.get(f"/replies/{scene.reply.public_id}/check")
    assert "Confirmed from" not in client.words
