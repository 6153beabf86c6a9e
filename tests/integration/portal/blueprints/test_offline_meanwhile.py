"""What happens on the portal while a file is away, and between its dry run and the press of the button."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.models import Answer, AnswerRow, Question, Role, Status, Submission
from portal.services.offline import taking
from tests import factories, tables
from tests.integration.portal.blueprints.test_offline import downloaded, send
from tests.integration.portal.blueprints.test_tables import JSON, cell, row

pytestmark = pytest.mark.engines
A = tables.key(1)


@pytest.fixture
def scene(session):
    return tables.scene(session)


@pytest.fixture
def client(client_for, scene):
    return client_for(scene.focal)


@pytest.fixture
def colleague(client_for, scene):
    """A colleague who saves on the page: ``colleague(name="text", base=1)``."""
    other = client_for(scene.colleague)

    def write(fields):
        other.post(scene.path, fields, headers=JSON, check=False)
        assert other.response.status_code in {200, 422}, other.text  # 422: kept, and a rule is broken

    return write


def values(session, scene):
    session.expire_all()
    found = (
        select(Question.code, Answer.value)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id == scene.reply.id, Answer.lang != "km")
    )
    return {code: value for code, value in session.execute(found) if value is not None}


def fields_of(client, **chosen):
    """The fields of the dry run as a browser sends them, with what is chosen by name."""
    form = client.page.xpath("//form[@class='offline-form']")[0]
    sent = {name: value for name, value in form.form_values() if value is not None}
    sent.pop("csrf_token", None)
    names = {one.partition(":")[2].partition(":")[2]: one for one in form.xpath(".//@name") if one.startswith("take:")}
    return sent | {names[name]: value for name, value in chosen.items()}


def test_both_versions_of_an_answer_look_alike_and_what_only_one_says_is_marked(client, colleague, scene):
    colleague(row(A) | cell(f"activity[{A}]@en", "Three courses for judges"))
    filled = downloaded(client, scene)
    filled.put("activity", "Three courses for police", "en", line=1)
    colleague(cell(f"activity[{A}]@en", "Four courses for judges", 1))
    send(client, scene, filled.content(), follow=True)
    (pair,) = client.page.xpath("//div[contains(@class, 'offline-conflict')]//div[@class='change-pair']")
    assert {side.get("class") for side in pair} == {"change-side"}, "no side is the red one"
    assert [[mark.text for mark in side.iter("mark")] for side in pair] == [["Four", "judges"], ["Three", "police"]]


def test_an_answer_changed_after_the_download_is_a_conflict_and_stays_unless_it_is_chosen(
    client, colleague, scene, session
):
    filled = downloaded(client, scene)
    filled.put("people", 12)
    filled.put("received", 5, line=1)
    colleague(cell("people", "7"))
    send(client, scene, filled.content(), follow=True)
    here = client.response.request.path
    assert len(client.page.xpath("//div[contains(@class, 'offline-conflict')]")) == 1
    assert not client.page.xpath("//div[contains(@class, 'offline-conflict')]//input[@checked]")
    client.post(here, fields_of(client), expect=303)
    assert values(session, scene) == {"people": 7, "received": 5}, "nothing was chosen of the conflict"
    client.get(here, expect=200)
    client.post(here, fields_of(client, people="theirs"), expect=303)
    assert values(session, scene)["people"] == 7
    client.get(here, expect=200)
    client.post(here, fields_of(client, people="copy1"), expect=303)
    assert values(session, scene)["people"] == 12


def test_a_machine_and_a_file_sent_back_at_once_take_no_conflict(app, client, colleague, scene, session):
    from portal.models import ApiToken
    from portal.services.sessions import token_digest

    token = f"tamdan_meanwhile_{'x' * 30}"
    session.add(ApiToken(user_id=scene.focal.id, name="meanwhile", token_hash=token_digest(token)))
    filled = downloaded(client, scene)
    filled.put("people", 12)
    colleague(cell("people", "7"))
    client.post("/owed/offline", {"take": "clear", "round": scene.round.slug, "file": file(filled)}, expect=303)
    machine = app.test_client(use_cookies=False)
    told = machine.post(
        "/api/v1/offline", data={"file": file(filled), "confirm": "true"}, headers={"Authorization": f"Bearer {token}"}
    ).json
    assert [(one["outcome"], one["chosen"]) for one in told["replies"][0]["answers"]] == [("conflict", "")]
    assert values(session, scene) == {"people": 7}


def file(filled):
    import io

    return [(io.BytesIO(filled.content()), "copy.xlsx")]


def test_what_is_saved_after_the_dry_run_is_shown_before_anything_is_written(client, colleague, scene, session):
    filled = downloaded(client, scene)
    filled.put("people", 12)
    filled.put("received", 5, line=1)
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client)
    colleague(cell("people", "7"))
    client.post(here, pressed, expect=409)
    assert "A colleague worked on these replies meanwhile." in client.words
    assert values(session, scene) == {"people": 7}, "nothing was written, not even what is in no doubt"
    assert len(client.page.xpath("//div[contains(@class, 'offline-conflict')]")) == 1
    client.post(here, fields_of(client), expect=303)
    assert values(session, scene) == {"people": 7, "received": 5}


@pytest.fixture
def at_the_press(monkeypatch):
    """Let something happen between the judgement and the writing, inside the same request: ``at_the_press(act)``."""
    own = taking.take_offline

    def between(act):
        def take(inner, plan, chosen, **more):
            act(inner)
            return own(inner, plan, chosen, **more)

        monkeypatch.setattr(taking, "take_offline", take)

    return between


def overwritten(scene, code, value):
    """A colleague's save of an answer that stands, as the press finds it."""

    def act(inner):
        of = select(Question.id).where(Question.code == code).scalar_subquery()
        there = (Answer.submission_id == scene.reply.id) & (Answer.question_id == of) & (Answer.lang != "km")
        inner.execute(update(Answer).where(there).values(value=value, revision=Answer.revision + 1))

    return act


@pytest.mark.parametrize("chosen", ["copy1", "both"])
def test_what_is_saved_in_the_moment_of_the_press_is_told_and_stays(
    client, colleague, scene, session, at_the_press, chosen
):
    """The judgement and the writing are two moments: a colleague's save between them is stale like any other."""
    colleague(row(A) | cell(f"activity[{A}]@en", "A talk"))
    filled = downloaded(client, scene)
    filled.put("activity", "A course", "en", line=1)
    filled.put("received", 5, line=1)
    colleague(cell(f"activity[{A}]@en", "A talk in Kep", base=1))
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client, **{f"activity[{A}]@en": chosen})
    at_the_press(overwritten(scene, "activity", "A talk in Takeo"))
    client.post(here, pressed, expect=409)
    assert "in this moment; it was left as it stands." in client.words
    assert values(session, scene) == {"activity": "A talk in Takeo", "received": 5, "reached": 0}


def test_a_table_that_is_closed_takes_no_new_line_and_says_so_before_the_press(client, scene, session):
    filled = downloaded(client, scene)
    filled.put("activity", "A course", "en", line=1)
    filled.put("people", 12)
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=["people"]))
    send(client, scene, filled.content(), follow=True)
    assert len(client.page.xpath("//div[contains(@class, 'offline-refused')]")) == 1
    assert "The rows of this table were handed in" in client.words
    client.submit(0, expect=200)
    assert values(session, scene) == {"people": 12}
    assert session.scalars(select(AnswerRow.key)).all() == []


def test_two_texts_put_together_join_what_stood_when_they_were_shown(client, colleague, scene, session):
    colleague(row(A) | cell(f"activity[{A}]@en", "A talk"))
    filled = downloaded(client, scene)
    filled.put("activity", "A course", "en", line=1)
    colleague(cell(f"activity[{A}]@en", "A talk in Kep", base=1))
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client, **{f"activity[{A}]@en": "both"})
    colleague(cell(f"activity[{A}]@en", "A talk in Takeo", base=2))
    client.post(here, pressed, expect=409)
    assert values(session, scene)["activity"] == "A talk in Takeo"
    client.post(here, fields_of(client, **{f"activity[{A}]@en": "both"}), expect=303)
    assert values(session, scene)["activity"] == "A talk in Takeo\n\nA course"


def emptied(filled):
    filled.put("activity", None, "en", line=1)
    filled.put("women", None, line=1)
    return filled.content()


def standing(session):
    session.expire_all()
    return session.scalars(select(AnswerRow.removed)).one() is False


def test_a_line_that_came_back_empty_goes_only_with_what_its_remover_has_seen(client, colleague, scene, session):
    colleague(row(A) | cell(f"activity[{A}]@en", "A talk") | cell(f"women[{A}]", "3"))
    content = emptied(downloaded(client, scene))
    send(client, scene, content, follow=True)
    here = client.response.request.path
    client.post(here, fields_of(client), expect=303)
    assert standing(session), "it goes only where somebody says so"
    client.get(here, expect=200)
    assert "after the file was downloaded" not in client.words
    pressed = fields_of(client, **{f"row:b5[{A}]": "take"})
    colleague(cell(f"women[{A}]", "30", base=1))
    client.post(here, pressed, expect=409)
    assert standing(session), "a colleague wrote in it since it was shown"
    assert "Somebody wrote in this line after the file was downloaded" in client.words
    assert "30" in client.page.xpath("string(//div[contains(@class, 'offline-emptied_row')])")
    client.post(here, fields_of(client, **{f"row:b5[{A}]": "take"}), expect=303)
    assert not standing(session), "whoever has read that may remove it all the same"


def test_what_came_from_the_file_itself_is_nobody_elses_word(client, colleague, scene, session):
    colleague(row(A) | cell(f"activity[{A}]@en", "A talk") | cell(f"women[{A}]", "3"))
    filled = downloaded(client, scene)
    filled.put("women", 4, line=1)
    send(client, scene, filled.content(), follow=True)
    client.submit(0, expect=200)
    assert values(session, scene)["women"] == 4
    send(client, scene, emptied(filled), follow=True)
    assert "All cells of this line are empty now." in client.words
    assert "after the file was downloaded" not in client.words


def test_a_colleague_who_writes_between_judgement_and_removal_keeps_the_line(
    client, colleague, scene, session, at_the_press
):
    colleague(row(A) | cell(f"activity[{A}]@en", "A talk") | cell(f"women[{A}]", "3"))
    send(client, scene, emptied(downloaded(client, scene)), follow=True)
    here, pressed = client.response.request.path, fields_of(client, **{f"row:b5[{A}]": "take"})
    at_the_press(overwritten(scene, "women", 30))
    client.post(here, pressed, expect=409)
    assert "Somebody wrote in a line that was to be removed; it stays." in client.words
    assert standing(session)


def test_a_reply_that_closed_after_the_dry_run_takes_nothing(client, scene, session):
    filled = downloaded(client, scene)
    filled.put("people", 12)
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client)
    for status, unlocked in ((Status.SUBMITTED, None), (Status.RETURNED, ["received"])):
        session.execute(update(Submission).values(status=status, unlocked=unlocked))
        client.post(here, pressed, expect=409)
        assert values(session, scene) == {}, status


def test_a_reply_that_closes_in_the_moment_of_the_press_takes_nothing(client, scene, session, at_the_press):
    filled = downloaded(client, scene)
    filled.put("people", 12)
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client)
    at_the_press(lambda inner: inner.execute(update(Submission).values(status=Status.SUBMITTED)))
    client.post(here, pressed, expect=409)
    assert "This reply can no longer be changed; nothing of it was taken over." in client.words
    assert values(session, scene) == {}


def test_a_dry_run_belongs_to_one_institution_and_to_its_own_kind(client, client_for, scene, session):
    """Its file, its replies and the press of its button: for nobody else, even by a form that was seen before."""
    filled = downloaded(client, scene)
    filled.put("people", 12)
    send(client, scene, filled.content(), follow=True)
    here, pressed = client.response.request.path, fields_of(client)
    other = factories.institution(session, "OTHER")
    stranger = client_for(factories.person(session, other, Role.FOCAL_POINT))
    factories.submission(session, factories.assignment(session, other, scene.round, version=scene.version))
    session.commit()
    stranger.get(here, expect=404)
    stranger.post(here, pressed, expect=404)
    # sent by themselves, the file opens nothing
    send(stranger, scene, filled.content(), follow=True)
    assert "This belongs to another institution" in stranger.words
    assert "People in all" not in stranger.words
    stranger.post(stranger.response.request.path, pressed, expect=409)
    assert values(session, scene) == {}
