"""Rules through HTTP: defaults kept once, names in labels, and the rules and values that a page brings the browser."""

from __future__ import annotations

import html
import json
import re

import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Answer,
    ItemKind,
    Question,
    Questionnaire,
    QuestionnaireVersion,
    Role,
    VersionItem,
    VersionStatus,
)
from tests import factories, tables

JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    """A reply whose second page begins with what the first says."""
    of = factories._add(session, Questionnaire(code="begun", titles={"en": "Q"}, scope="recommendation", length="full"))
    made = factories._add(
        session,
        QuestionnaireVersion(
            questionnaire_id=of.id, number=1, status=VersionStatus.PUBLISHED, titles={"en": "Q"}, languages=["en"],
            default_language="en", published_at=clock.now(), settings={},
        ),
    )  # fmt: skip
    first = factories.item(session, made, "first", kind=ItemKind.SECTION)
    second = factories.item(session, made, "second", kind=ItemKind.SECTION)
    factories.question(session, made, "year", "year", parent=first, default="2022")
    factories.question(session, made, "name", "text", parent=first, settings={"one_language": True})
    factories.question(
        session, made, "next", "year", parent=second, default="${year} + 1", label="After ${year}, says ${name}"
    )
    factories.question(
        session, made, "last", "year", parent=second, default="${year} + 9", constraint=". < 2040", required="true()",
        texts={"label": {"en": "Last"}, "constraint_message": {"en": "Before 2040, please."}},
    )  # fmt: skip
    factories.question(session, made, "why", "text", parent=second, relevant="${year} > 2022 and ${next} > 0")
    institution = factories.institution(session)
    focal = factories.person(session, institution, Role.FOCAL_POINT, language="en")
    asked = factories.assignment(session, to=institution, in_round=factories.reporting_round(session), version=made)
    reply = factories.submission(session, asked)
    session.commit()
    path = f"/replies/{reply.public_id}/pages"
    return type(
        "Scene",
        (),
        {"focal": focal, "reply": reply, "version": made, "first": f"{path}/first", "second": f"{path}/second"},
    )


def stored(session, scene):
    session.rollback()
    return {
        code: (one.value, one.revision)
        for one, code in session.execute(
            select(Answer, Question.code).join(Question, Question.id == Answer.question_id)
            .where(Answer.submission_id == scene.reply.id)
        )
    }  # fmt: skip


def test_a_default_is_shown_then_kept_once_by_the_first_save(client_for, scene, session):
    client = client_for(scene.focal)
    assert 'value="2022"' in client.get(scene.first).text
    assert stored(session, scene) == {}
    told = client.post(scene.first, {"name": "Somebody", "base:name": "0"}, headers=JSON, expect=200).json
    assert {one["name"]: one["revision"] for one in told["saved"]} == {"name": 1, "year": 1, "next": 1, "last": 1}
    assert stored(session, scene)["next"] == (2023, 1)
    client.post(scene.first, {"year": "2030", "base:year": "1"}, headers=JSON, expect=200)
    assert stored(session, scene)["next"] == (2023, 1)  # computed once
    client.post(scene.second, {"next": "", "next!present": "1", "base:next": "1"}, headers=JSON, expect=200)
    client.post(scene.first, {"year": "2031", "base:year": "2"}, headers=JSON, expect=200)
    assert stored(session, scene)["next"] == (None, 2)  # emptied on purpose


def test_what_is_read_only_keeps_what_it_begins_with(client_for, scene, session):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "first")).one()
    settings = {"one_language": True, "read_only": True}
    factories.question(session, scene.version, "code", "text", parent=page, default="KH-7", settings=settings)
    session.commit()
    client = client_for(scene.focal)
    client.get(scene.first, expect=200)
    [box] = client.page.xpath("//input[@name='code']")
    assert (box.get("value"), "readonly" in box.attrib) == ("KH-7", True)
    # without script the whole page is posted, this box too; somebody may even have changed it there
    client.post(scene.first, {"name": "Somebody", "base:name": "0", "code": "other", "base:code": "0"}, expect=303)
    client.post(scene.first, {"code": "again", "base:code": "1"}, headers=JSON, expect=200)
    assert stored(session, scene)["code"] == ("KH-7", 1)
    assert stored(session, scene)["name"][0] == "Somebody"


def test_a_default_saved_meanwhile_conflicts_with_nobody(client_for, scene, session):
    client = client_for(scene.focal)
    client.post(scene.first, {"name": "Somebody", "base:name": "0"}, headers=JSON, expect=200)
    # another page was opened before that save: its base is 0
    client.post(scene.second, {"next": "2040", "base:next": "0"}, headers=JSON, expect=200)
    assert stored(session, scene)["next"] == (2040, 2)
    # but what somebody wrote is not overruled
    told = client.post(scene.second, {"next": "2050", "base:next": "0"}, headers=JSON, expect=409, check=False).json
    assert [one["name"] for one in told["stale"]] == ["next"]


def test_completing_keeps_what_answers_began_with(client_for, scene, session):
    client = client_for(scene.focal)
    page = scene.first.rpartition("/pages")[0]
    client.post(f"{page}/complete", {}, expect=303)
    assert stored(session, scene) == {"year": (2022, 1), "next": (2023, 1), "last": (2031, 1)}


def test_the_save_that_keeps_a_default_judges_it(client_for, scene, session):
    client = client_for(scene.focal)
    told = client.post(scene.first, {"year": "2032", "base:year": "0"}, headers=JSON, expect=422, check=False).json
    assert [(one["name"], one["message"], one["revision"]) for one in told["refused"]] == [("last", "Before 2040, please.", 1)]
    assert told["missing"] == 1
    session.rollback()
    kept = select(Answer.message).join(Question, Question.id == Answer.question_id).where(Question.code == "last")
    assert session.scalars(kept.where(Answer.submission_id == scene.reply.id)).all() == ["refused"]
    assert "Before 2040, please." in client.get(scene.second).text


def test_without_script_a_default_of_another_page_holds_nobody_up(client_for, scene):
    client = client_for(scene.focal)
    answer = client.post(scene.first, {"year": "2032", "base:year": "0", "action": "next"}, expect=303)
    assert answer.headers["Location"].endswith("/pages/second")
    assert "Before 2040, please." in client.get(scene.second).text


def test_names_in_labels_are_spoken_and_escaped(client_for, scene):
    client = client_for(scene.focal)
    assert "After 2022, says …" in client.get(scene.second).text
    client.post(scene.first, {"name": "<b>Me</b>", "base:name": "0"}, headers=JSON, expect=200)
    page = client.get(scene.second).text
    assert "After 2022, says &lt;b&gt;Me&lt;/b&gt;" in page
    assert "<b>Me" not in page


def test_a_page_brings_what_its_rules_read_on_others(client_for, scene):
    client = client_for(scene.focal)
    client.post(scene.first, {"name": "Somebody", "base:name": "0"}, headers=JSON, expect=200)
    page = client.get(scene.second).text
    known = json.loads(html.unescape(re.search(r'data-known="([^"]*)"', page)[1]))
    assert known["values"] == {"year": "2022", "next": "2023", "name": "Somebody"}  # the name is spoken in a label
    assert known["hidden"] == ["why"]
    address = html.unescape(re.search(r'data-rules="([^"]*)"', page)[1])
    response = client.get(address)
    rules = response.json
    assert "immutable" in response.headers["Cache-Control"]
    assert rules["rules"]["why"]["relevant"][0] == "op"
    assert rules["reads"]["why"] == ["next", "second", "year"]
    assert rules["order"].index("next") < rules["order"].index("why")


def test_the_rules_of_tables_name_their_rows(client_for, session):
    scene = tables.scene(session)
    client = client_for(scene.focal)
    page = client.get(scene.path).text
    known = json.loads(html.unescape(re.search(r'data-known="([^"]*)"', page)[1]))
    assert known["rows"] == {"b5": []}
    rules = client.get(html.unescape(re.search(r'data-rules="([^"]*)"', page)[1])).json
    assert rules["tables"] == {
        "b5": {"outer": "", "rows": None},
        "c2": {"outer": "", "rows": ["f", "m"]},
        "b3": {"outer": "", "rows": None},
        "b3y": {"outer": "b3", "rows": None},
    }
    assert rules["homes"]["spent"] == "b3y"
    assert rules["watches"]["convicted"] == ["c2", "received"]


def test_a_row_that_the_browser_adds_begins_as_the_server_will_save_it(client_for, session):
    scene = tables.scene(session)
    place = session.scalars(select(VersionItem).where(VersionItem.code == "women")).one()
    place.default = "count(${b5}) * 10"
    session.commit()
    client = client_for(scene.focal)
    page = client.get(scene.path).text
    rules = client.get(html.unescape(re.search(r'data-rules="([^"]*)"', page)[1])).json
    assert rules["defaults"] == {"women": ["op", "*", ["call", "count", ["ref", "b5"]], ["num", 10]]}
    key = tables.key(1)
    row = {f"row:b5[{key}]": "1", f"row-base:b5[{key}]": "0", f"men[{key}]": "4", f"base:men[{key}]": "0"}
    told = client.post(scene.path, row, headers=JSON, expect=200).json
    assert {one["name"]: one["revision"] for one in told["saved"]} == {f"men[{key}]": 1, f"women[{key}]": 1}
    assert 'value="10"' in client.get(scene.path).text
    assert told["computed"][f"reached[{key}]"] == "14"
