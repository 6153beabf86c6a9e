"""What changed since the last hand-in, for the reviewer; the history of an answer, for those who gave it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.models import Answer, AnswerRow, ItemKind, Role, SignOffPolicy, StaffRole, VersionItem
from tests import factories, scenes

pytestmark = pytest.mark.engines
JSON = {"Accept": "application/json"}


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    of = factories.reporting_round(session, slug="r", sign_off_policy=SignOffPolicy.NONE)
    reply = factories.submission(session, factories.assignment(session, moj, of, version=version))
    made = SimpleNamespace(
        version=version, reply=reply, path=f"/replies/{reply.public_id}", review=f"/review/{reply.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT), reader=factories.person(session, moj, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
    )  # fmt: skip
    session.commit()
    return made


def save(client, scene, expect=200, **fields):
    names = {name.replace("__", "@"): value for name, value in fields.items()}
    client.post(f"{scene.path}/pages/page1", names, headers=JSON, expect=expect)


def hand_in(client, scene):
    client.get(f"{scene.path}/check")
    client.post(f"{scene.path}/complete", {}, follow=True)


def returned(client_for, scene):
    """Hand in, let it come back with one question open, change that and hand in again."""
    focal = client_for(scene.focal)
    focal.get(f"{scene.path}/pages/page1")
    save(focal, scene, measures__en="The old law was kept.", state="not_started", beds="7")
    hand_in(focal, scene)
    staff = client_for(scene.coordinator)
    staff.get(scene.review)
    staff.post(f"{scene.review}/return", {"codes": ["measures"], "note": "Which law?"}, follow=True)
    return focal, staff


def test_the_reviewer_sees_what_changed_word_by_word(client_for, scene):
    focal, staff = returned(client_for, scene)
    save(focal, scene, **{"measures__en": "The new law was kept.", "base:measures@en": "1"})
    staff.get(scene.review)
    assert "new law" not in staff.text  # a draft
    assert "What changed since" not in staff.words
    hand_in(focal, scene)
    staff.get(scene.review, expect=200)
    assert "What changed since the last hand-in" in staff.words
    changes = staff.page.xpath("//*[@id='changes']")[0]
    assert [one.text_content() for one in changes.iter("del")] == ["old"]
    assert [one.text_content() for one in changes.iter("ins")] == ["new"]


def test_exactly_the_named_questions_can_be_changed_or_restored(client_for, scene, session):
    focal, _staff = returned(client_for, scene)
    save(focal, scene, expect=422, **{"beds": "8", "base:beds": "1"})
    save(focal, scene, **{"measures__en": "The new law.", "base:measures@en": "1"})
    focal.get(f"{scene.path}/history/beds", expect=200)
    assert not focal.page.xpath("//main//form")
    # nor by a post of one's own making
    wrong = {"question": "beds", "revision": "1", "base": "1"}
    focal.post(f"{scene.path}/history/beds", wrong, expect=422)
    values = {one.value for one in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id))}
    assert {7, "The new law."} <= values


def test_every_save_is_told_with_its_difference_and_can_be_restored(client_for, scene, session):
    focal = client_for(scene.focal)
    focal.get(f"{scene.path}/pages/page1")
    save(focal, scene, measures__en="One law.")
    save(focal, scene, **{"measures__en": "Two laws.", "base:measures@en": "1"})
    focal.get(f"{scene.path}/check")
    focal.get(next(one for one in focal.page.xpath("//dt/a/@href") if one.endswith("/measures")), expect=200)
    assert focal.text.count("changed-save") == 2
    assert next(one.text_content() for one in focal.page.iter("ins")).startswith("Two")
    focal.submit(0)
    assert "Restored" in focal.words
    stored = session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id)).one()
    assert (stored.value, stored.revision) == ("One law.", 3)
    assert focal.text.count("changed-save") == 3


def test_restoring_over_a_colleagues_newer_save_tells_both(client_for, scene):
    focal = client_for(scene.focal)
    focal.get(f"{scene.path}/pages/page1")
    save(focal, scene, measures__en="One law.")
    save(focal, scene, **{"measures__en": "Two laws.", "base:measures@en": "1"})
    save(focal, scene, **{"measures__en": "Three laws.", "base:measures@en": "2"})
    # the button of a page that was opened before that
    old = {"question": "measures", "lang": "en", "revision": "1", "base": "2"}
    focal.post(f"{scene.path}/history/measures", old, expect=409)
    assert "Three laws." in focal.text
    assert "One law." in focal.text


def test_only_those_who_answer_see_the_history(client_for, scene):
    focal = client_for(scene.focal)
    focal.get(f"{scene.path}/pages/page1")
    save(focal, scene, measures__en="One law.")
    for person, expected in ((scene.stranger, 404), (scene.coordinator, 404), (scene.reader, 200)):
        client = client_for(person)
        client.get(f"{scene.path}/history/measures", expect=expected)
        assert ("One law." in client.text) is (expected == 200)


def test_rows_and_evidence_that_came_and_went_are_told(app, session):
    from portal.blueprints.changes import between
    from portal.queries.questionnaires import definition

    version = scenes.version(session)
    session.commit()
    kept = {"hidden": [], "answers": [], "evidence": [], "rows": {}}
    was = kept | {"evidence": [{"id": "a", "number": 1, "name": "law.pdf"}]}
    now = kept | {
        "evidence": [{"id": "b", "number": 2, "name": "plan.pdf"}],
        "answers": [{"code": "share", "row": "", "lang": "", "value": "12.5", "state": "answered"}],
    }
    with app.test_request_context("/"):
        app.preprocess_request()
        found = between(was, now, definition(session, version.id))
    assert [(one["kind"], one["number"]) for one in found["evidence"]] == [("added", 2), ("removed", 1)]
    assert [(one["code"], one["kind"]) for one in found["answers"]] == [("share", "added")]


ROWS = ("A" * 16, "B" * 16)


@pytest.fixture
def table(client_for, scene, session):
    """The focal point, who wrote two rows of a table and removed the first."""
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == scene.version.id, VersionItem.code == "page1")
    ).one()
    trainings = factories.item(session, scene.version, "trainings", kind=ItemKind.REPEAT, parent=page)
    factories.question(session, scene.version, "place", "text", parent=trainings)
    factories.question(session, scene.version, "people", "integer", parent=trainings)
    session.commit()
    focal = client_for(scene.focal)
    focal.get(f"{scene.path}/pages/page1")
    for key, place, people in zip(ROWS, ("Kampot", "Takeo"), ("30", "5"), strict=True):
        name = f"trainings[{key}]"
        fields = {f"row:{name}": "1", f"row-base:{name}": "0", f"row-parent:{name}": ""}
        save(focal, scene, **fields, **{f"place[{key}]@en": place, f"people[{key}]": people})
    name = f"trainings[{ROWS[0]}]"
    seen = {f"base:place[{ROWS[0]}]@en": "1", f"base:people[{ROWS[0]}]": "1"}
    save(focal, scene, **seen, **{f"row:{name}": "", f"row-base:{name}": "1", f"row-removed:{name}": "1"})
    return focal


def row_states(session, scene):
    rows = session.scalars(select(AnswerRow).where(AnswerRow.submission_id == scene.reply.id).order_by(AnswerRow.key))
    return [(one.removed, one.revision) for one in rows]


def test_a_removed_row_is_named_by_what_stood_in_it_and_put_back_from_the_history(table, scene, session):
    assert row_states(session, scene) == [(True, 2), (False, 1)]
    table.get(f"{scene.path}/history/trainings", expect=200)
    assert "removed row: Kampot" in table.words
    assert "row 1: Takeo" in table.words
    assert ROWS[0][:6] not in table.words
    back = {"row-back": ROWS[0], "base": "2"}
    assert len(table.page.xpath("//input[@name='row-back']")) == 1
    table.post(f"{scene.path}/history/trainings", back, follow=True)
    assert "The row stands in the table again" in table.words
    assert "row 1: Kampot" in table.words
    session.expire_all()
    assert row_states(session, scene) == [(False, 3), (False, 1)]
    table.post(f"{scene.path}/history/trainings", back | {"base": "1"}, follow=True)
    assert "Somebody changed this row meanwhile" in table.words
    session.expire_all()
    assert row_states(session, scene) == [(False, 3), (False, 1)]
    table.post(f"{scene.path}/history/trainings", back | {"row-back": "C" * 16}, expect=404)


def test_a_row_of_a_table_that_was_not_returned_is_not_put_back(table, client_for, scene, session):
    save(table, scene, measures__en="The old law was kept.", state="not_started", beds="7")
    hand_in(table, scene)
    staff = client_for(scene.coordinator)
    staff.get(scene.review)
    staff.post(f"{scene.review}/return", {"codes": ["measures"], "note": "Which law?"}, follow=True)
    table.get(f"{scene.path}/history/trainings", expect=200)
    assert not table.page.xpath("//input[@name='row-back']")
    table.post(f"{scene.path}/history/trainings", {"row-back": ROWS[0], "base": "2"}, expect=422)
    session.expire_all()
    assert row_states(session, scene)[0] == (True, 2)
