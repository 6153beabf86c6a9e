"""Tables and files of an earlier round are taken over: rows once, cells against what stands, files under new numbers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from portal import clock
from portal.models import (
    Answer,
    AnswerRow,
    Assignment,
    AuditEvent,
    Evidence,
    EvidenceKind,
    ItemKind,
    Question,
    Role,
    Status,
    Submission,
    VersionItem,
    Visibility,
)
from portal.queries.evidence import used_bytes
from portal.services import memory
from portal.services.earlier_tables import new_key
from tests import factories, scenes, tables
from tests.integration.portal.blueprints.test_memory import a_round

pytestmark = pytest.mark.engines


@pytest.fixture
def scene(session):
    """A reply of this round, and one of the last round with rows, rows within rows, a matrix and a file."""
    return built(session)


def built(session, *, cells=False, single=False):
    """Return the scene.

    ``cells``: two tables have a column for files, and files in some of their rows; ``single``: a number is asked beside.
    """
    moj, moi = factories.institution(session, "MOJ"), factories.institution(session, "MOI")
    version = tables.version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == "tables")
    ).one()
    assert page.kind is ItemKind.SECTION
    factories.question(session, version, "proof", "file", parent=page)
    if single:
        factories.question(session, version, "beds", "integer", parent=page)
    columns = {"paper": "b5", "sheet": "c2"} if cells else {}
    for code, table in columns.items():
        parent = session.scalars(
            select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == table)
        ).one()
        columns[code] = factories.question(session, version, code, "file", parent=parent).question_id
    about = factories.recommendation(session)
    before, now = a_round(session, "before", -400), a_round(session, "now", 0)
    by = factories.system_actor(session).id
    old = factories.submission(session, factories.assignment(session, moj, before, [about], version))
    for repeat, key, parent, position in (
        ("b5", tables.key(1), "", 1), ("b5", tables.key(2), "", 2), ("b5", tables.key(3), "", 3),
        ("b3", tables.key(4), "", 1), ("b3y", tables.key(5), tables.key(4), 1),
    ):  # fmt: skip
        session.add(
            AnswerRow(
                submission_id=old.id, repeat=repeat, key=key, parent_key=parent, position=position, revision=1,
                removed=key == tables.key(3),
            )
        )  # fmt: skip
    for number, said in ((1, "Course for judges"), (2, "Radio talks"), (3, "Taken out again")):
        scenes.answer(session, old, version, "activity", said, by, row=tables.key(number), lang="en")
        scenes.answer(session, old, version, "women", number, by, row=tables.key(number))
    scenes.answer(session, old, version, "programme", "Legal aid", by, row=tables.key(4))
    scenes.answer(session, old, version, "year", 2024, by, row=tables.key(5))
    scenes.answer(session, old, version, "received", 40, by, row="f")
    scenes.answer(session, old, version, "received", 60, by, row="m")
    proof = session.scalars(
        select(Question).where(Question.questionnaire_id == version.questionnaire_id, Question.code == "proof")
    ).one()
    file = Evidence(
        submission_id=old.id, question_id=proof.id, round_id=before.id, number=7, kind=EvidenceKind.FILE,
        filename="circular.pdf", media_type="application/pdf", size=9, sha256="7" * 64, caption="The circular",
        added_by=by, added_at=clock.now(),
    )  # fmt: skip
    session.add(file)
    session.flush()
    scenes.answer(session, old, version, "proof", [file.public_id], by)
    if single:
        scenes.answer(session, old, version, "beds", 12, by)
    if cells:
        put_files(session, old, version, before, columns, by)
    scenes.hand_in(session, old, version, clock.now(), by)
    old.status = Status.CLEARED
    reply = factories.submission(session, factories.assignment(session, moj, now, [about], version))
    other = factories.submission(session, factories.assignment(session, moi, now, [about], version))
    memory.look_back(session, now.id)
    memory.note_hand_in(session, moi.id)  # the other one looks for earlier answers too
    session.commit()
    return SimpleNamespace(
        reply=reply, old=old, now=now, file=file.public_id, columns=columns, path=f"/replies/{reply.public_id}/pages",
        other=f"/replies/{other.public_id}/pages",
        focal=factories.person(session, moj, Role.FOCAL_POINT), stranger=factories.person(session, moi),
    )  # fmt: skip


def rows(session, scene, repeat):
    session.rollback()
    found = select(AnswerRow).where(AnswerRow.submission_id == scene.reply.id, AnswerRow.repeat == repeat)
    return session.scalars(found.order_by(AnswerRow.position)).all()


def said(session, scene, code):
    session.rollback()
    found = (
        select(Answer.row, Answer.value)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id == scene.reply.id, Question.code == code)
    )
    return dict(session.execute(found).all())


def test_a_table_in_which_nothing_was_said_is_neither_shown_nor_called_taken_over(client_for, scene, session):
    session.execute(
        delete(Answer).where(
            Answer.submission_id == scene.old.id,
            Answer.question_id.in_(select(Question.id).where(Question.code.in_(["received", "convicted"]))),
        )
    )
    session.commit()
    client = client_for(scene.focal)
    client.get(f"{scene.path}/tables/earlier", expect=200)
    assert client.page.xpath("//input[@name='table']/@value") == ["b5"]
    assert "taken over" not in client.page.xpath("string(//label[starts-with(@for, 'table-')])")


def test_earlier_tables_are_offered_only_where_there_are_some(client_for, scene, session):
    session.commit()
    client, stranger = client_for(scene.focal), client_for(scene.stranger)
    for page in ("tables", "inner"):
        client.get(f"{scene.path}/{page}", expect=200)
        assert client.page.xpath("//p[@class='earlier-all']/a")
        stranger.get(f"{scene.other}/{page}", expect=200)
        assert not stranger.page.xpath("//p[@class='earlier-all']/a"), "it would lead to an empty page"


def test_tables_and_files_still_true_are_taken_over_once(client_for, scene, session):
    session.commit()
    client = client_for(scene.focal)
    client.get(f"{scene.path}/tables", expect=200)
    look = client.page.xpath("//p[@class='earlier-all']/a/@href")[0]
    client.get(look, expect=200)
    for words in ("Course for judges", "Radio talks", "circular.pdf", "E7"):
        assert words in client.words
    assert "Taken out again" not in client.words
    assert rows(session, scene, "b5") == [], "looking copies nothing"
    # somebody has begun the matrix meanwhile: what stands is not written over
    client.post(
        f"{scene.path}/tables", {"received[m]": "5", "base:received[m]": "0"},
        headers={"Accept": "application/json"}, expect=200,
    )  # fmt: skip
    client.get(look)
    page = client.page
    whole = f"{scene.path}/tables/earlier/all"
    client.submit(whole, file=scene.file, expect=200)
    assert "2 rows were taken over. 1 file is attached again." in client.words
    found = rows(session, scene, "b5")
    texts = said(session, scene, "activity")
    assert [texts[one.key] for one in found] == ["Course for judges", "Radio talks"]
    assert said(session, scene, "received") == {"f": 40, "m": 5}
    new = session.scalars(select(Evidence).where(Evidence.submission_id == scene.reply.id)).one()
    assert (new.sha256, new.round_id, new.number) == ("7" * 64, scene.now.id, 1)
    assert "E7" in new.caption
    assert said(session, scene, "proof") == {"": [new.public_id]}
    assert session.scalars(select(AuditEvent).where(AuditEvent.action == "still_true")).one().details["rows"] == 2
    # again, with a fresh key: nothing is doubled, and the page says so
    client.page = page
    client.submit(whole, file=scene.file, idempotency_key="e" * 32, expect=200)
    assert "Everything ticked stands here already." in client.words
    assert len(rows(session, scene, "b5")) == 2
    assert len(session.scalars(select(Evidence).where(Evidence.submission_id == scene.reply.id)).all()) == 1
    # of a table whose rows are fixed its cells are told
    client.post(
        f"{scene.path}/tables", {"received[f]": "", "base:received[f]": "1"},
        headers={"Accept": "application/json"}, expect=200,
    )  # fmt: skip
    client.get(look)
    client.submit(whole, table=["c2"], expect=200)
    assert "1 cell was filled in." in client.words
    # a table within a table keeps its place
    client.get(f"{scene.path}/inner/earlier", expect=200)
    client.submit(f"{scene.path}/inner/earlier/all", expect=200)
    [outer], [inner] = rows(session, scene, "b3"), rows(session, scene, "b3y")
    assert inner.parent_key == outer.key
    assert said(session, scene, "year") == {inner.key: 2024}


@pytest.fixture
def mixed(session):
    """The same with a single answer on the page of the tables."""
    return built(session, single=True)


def test_answers_and_tables_of_a_page_are_taken_over_at_one_press(client_for, mixed, session):
    client = client_for(mixed.focal)
    client.get(f"{mixed.path}/tables/earlier", expect=200)
    assert len(client.page.xpath("//main//button[@type='submit'][not(@name)]")) == 1
    client.submit(f"{mixed.path}/tables/earlier/all", expect=200)
    assert "1 answer was taken over. 2 rows were taken over." in client.words
    assert said(session, mixed, "beds") == {"": 12}
    assert len(rows(session, mixed, "b5")) == 2


def test_an_answer_written_meanwhile_stays_and_the_tables_come_all_the_same(client_for, mixed, session):
    client = client_for(mixed.focal)
    client.get(f"{mixed.path}/tables/earlier", expect=200)
    client_for(mixed.focal).post(
        f"{mixed.path}/tables", {"beds": "13", "base:beds": "0"}, headers={"Accept": "application/json"}, expect=200
    )
    client.submit(f"{mixed.path}/tables/earlier/all", expect=409)
    shown = [client.page.xpath(f"string(//main//*[@data-{side}])").strip() for side in ("mine", "theirs")]
    assert shown == ["12", "13"], "both are shown"
    assert said(session, mixed, "beds") == {"": 13}
    assert len(rows(session, mixed, "b5")) == 2


def test_nothing_ticked_is_told(client_for, mixed):
    client = client_for(mixed.focal)
    client.post(f"{mixed.path}/tables/earlier/all", {}, expect=422)
    assert "Choose one of the earlier answers on the page." in client.words


def test_a_table_or_file_that_is_no_longer_true_is_noted_and_may_be_taken_over_after_all(client_for, scene, session):
    client = client_for(scene.focal)
    look, whole, gone = (f"{scene.path}/tables/earlier{rest}" for rest in ("", "/all", "/gone"))

    def ticked():
        return set(client.page.xpath("//input[@checked][@name='table' or @name='file']/@value"))

    client.get(look, expect=200)
    assert {"b5", "c2"} <= ticked()
    for thing in ("table:b5", f"file:{scene.file}"):
        assert client.page.xpath(f"//button[@form='earlier-gone'][@value='{thing}']")
        client.post(gone, {"gone": thing}, expect=303)
        client.follow()
        assert "Noted: the earlier answer is no longer true." in client.text
    assert "b5" not in ticked()
    assert "c2" in ticked()
    assert client.words.count("no longer true") == 3, "two badges and what was just noted"
    assert (rows(session, scene, "b5"), said(session, scene, "proof")) == ([], {}), "nothing was copied"
    client.get(scene.path.removesuffix("/pages") + "/check", expect=200)
    assert "2 are no longer true" in client.words
    acts = session.scalars(select(AuditEvent).where(AuditEvent.action == "no_longer_true")).all()
    assert [(one.details["tables"], one.details["files"]) for one in acts] == [(["b5"], []), ([], [scene.file])]
    # the newest word counts
    client.post(whole, {"table": "b5"}, expect=303)
    assert len(rows(session, scene, "b5")) == 2
    client.get(scene.path.removesuffix("/pages") + "/check", expect=200)
    assert "1 is still true" in client.words
    assert "1 is no longer true" in client.words
    # what is not there, what is not theirs, and what is closed
    for thing in ("table:none", "file:none", "b5", f"table:{scene.file}"):
        client.post(gone, {"gone": thing}, expect=404)
    client_for(scene.stranger).post(gone, {"gone": "table:b5"}, expect=404)
    client_for(scene.stranger).post(f"{scene.other}/tables/earlier/gone", {"gone": "table:b5"}, expect=404)
    scene.reply.status = Status.SUBMITTED
    session.commit()
    client.post(gone, {"gone": "table:c2"}, expect=409)


def test_nobody_takes_over_what_another_institution_said(client_for, scene, session):
    session.commit()
    stranger = client_for(scene.stranger)
    stranger.get(f"{scene.other}/tables/earlier", expect=200)
    assert "Course for judges" not in stranger.text
    assert "circular.pdf" not in stranger.text
    stranger.post(f"{scene.other}/tables/earlier/all", {"table": "b5", "file": scene.file}, expect=404)
    stranger.get(f"{scene.path}/tables/earlier", expect=404)
    stranger.post(f"{scene.path}/tables/earlier/all", {"table": "b5"}, expect=404)
    assert session.scalars(select(Evidence).where(Evidence.sha256 == "7" * 64)).one()


@pytest.fixture
def filed(session):
    """The same with two columns for files, one in a table with rows of its own and one in a fixed table."""
    return built(session, cells=True)


def put_files(session, old, version, before, columns, by):
    made = {}
    for number, (code, row, name, digest, size) in enumerate(
        (("paper", tables.key(1), "list.xlsx", "a", 30), ("paper", tables.key(1), "photo.png", "b", 40),
         ("paper", tables.key(2), "list.xlsx", "a", 30), ("sheet", "f", "figures.pdf", "c", 50),
         ("paper", tables.key(3), "gone.pdf", "d", 60)), start=20,
    ):  # fmt: skip
        one = Evidence(
            submission_id=old.id, question_id=columns[code], round_id=before.id, number=number,
            kind=EvidenceKind.FILE, filename=name, media_type="application/pdf", size=size, sha256=digest * 64,
            caption="", scanned_at=clock.now(), visibility=Visibility.CONFIDENTIAL, added_by=by, added_at=clock.now(),
        )  # fmt: skip
        session.add(one)
        session.flush()
        made.setdefault((code, row), []).append(one.public_id)
    for (code, row), names in made.items():
        scenes.answer(session, old, version, code, names, by, row=row)


def cells(session, scene, code):
    """Return the files that hang on the cells of a column, by row: sha256 (its first letter) and number."""
    known = {one.public_id: one for one in session.scalars(select(Evidence))}
    return {
        row: [(known[one].sha256[0], known[one].number) for one in value or ()]
        for row, value in said(session, scene, code).items()
    }


def test_the_files_of_cells_come_with_their_rows(client_for, filed, session):
    client = client_for(filed.focal)
    whole = f"{filed.path}/tables/earlier/all"
    client.get(f"{filed.path}/tables/earlier", expect=200)
    assert "3 files come with their rows: E20 list.xlsx, E21 photo.png, E22 list.xlsx." in client.words
    assert "1 file comes with its row: E23 figures.pdf." in client.words
    assert "gone.pdf" not in client.words, "its row was removed"
    client.submit(whole, table=["b5", "c2"], expect=200)
    assert "2 rows were taken over. 4 files are attached again." in client.words
    first, second = (one.key for one in rows(session, filed, "b5"))
    assert cells(session, filed, "paper") == {first: [("a", 1), ("b", 2)], second: [("a", 3)]}
    assert cells(session, filed, "sheet") == {"f": [("c", 4)]}
    new = session.scalars(select(Evidence).where(Evidence.submission_id == filed.reply.id)).all()
    assert {one.visibility for one in new} == {Visibility.CONFIDENTIAL}
    assert all(one.scanned_at is not None for one in new), "what was scanned is not unscanned by coming over"
    assert {one.question_id for one in new} == set(filed.columns.values())
    assert all("E2" in one.caption for one in new)
    assert used_bytes(session, session.get_one(Assignment, filed.reply.assignment_id).institution_id) == 189, (
        "a file that is kept in both rounds counts once"
    )
    client.get(f"{filed.path}/tables", expect=200)
    assert "photo.png" in client.words
    # once more: nothing is doubled; what was taken off a row of its own does not come back
    client.get(f"{filed.path}/tables/earlier", expect=200)
    assert client.page.xpath("//input[@name='table'][@value='b5'][@disabled]")
    one = next(one for one in new if one.number == 3)
    client.post(f"/evidence/{one.public_id}/remove", {}, expect=303)
    client.post(whole, {"table": ["b5", "c2"]}, expect=303)
    assert cells(session, filed, "paper") == {first: [("a", 1), ("b", 2)], second: []}
    assert len(session.scalars(select(Evidence).where(Evidence.submission_id == filed.reply.id)).all()) == 4


def test_files_come_into_a_row_that_was_taken_over_without_them(client_for, filed, session):
    client = client_for(filed.focal)
    of = [SimpleNamespace(public_id=one.public_id) for one in (filed.reply, filed.old)]
    first, second = (new_key(*of, tables.key(number)) for number in (1, 2))
    given = {
        f"row:b5[{first}]": "1", f"row-base:b5[{first}]": "0", f"row-parent:b5[{first}]": "",
        f"women[{first}]": "5", f"base:women[{first}]": "0",
    }  # fmt: skip
    client.post(f"{filed.path}/tables", given, headers={"Accept": "application/json"}, expect=200)
    assert len(rows(session, filed, "b5")) == 1
    client.get(f"{filed.path}/tables/earlier", expect=200)
    client.submit(f"{filed.path}/tables/earlier/all", table=["b5"], expect=200)
    assert "1 row was taken over. 3 files are attached again." in client.words
    assert set(cells(session, filed, "paper")) == {first, second}
    assert said(session, filed, "women") == {first: 5, second: 2}, "what stands is not written over, and no cell comes twice"


def test_files_of_cells_come_wholly_or_not_at_all(client_for, filed, session):
    client = client_for(filed.focal)
    version = session.scalars(select(VersionItem).where(VersionItem.code == "b5")).one().version_id
    assert version
    reply = session.get_one(Submission, filed.reply.id)
    reply.status, reply.unlocked = Status.RETURNED, ["proof"]
    session.commit()
    client.post(f"{filed.path}/tables/earlier/all", {"table": "b5"}, expect=422)
    assert rows(session, filed, "b5") == []
    assert session.scalars(select(Evidence).where(Evidence.submission_id == filed.reply.id)).all() == []
