"""What is locked stays as it is, by the API too: files, answers and rows of questions that a return did not open."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import func, select, update

from portal.models import (
    AnswerRevision,
    AnswerRow,
    Evidence,
    ItemKind,
    QuestionnaireVersion,
    Status,
    Submission,
    VersionItem,
)
from portal.services import attaching
from tests import factories, tables
from tests.integration.portal.api import test_api

world, PDF = test_api.world, test_api.PDF
A, B = tables.key(1), tables.key(2)


@pytest.fixture
def scene(session, world):
    """The reply of the API's world with a table ``trips`` (``aim``, and ``list`` that takes files), and ``letter`` read only."""
    version_id = session.scalars(select(VersionItem.version_id).where(VersionItem.code == "proof")).one()
    version = session.get_one(QuestionnaireVersion, version_id)
    page = session.scalars(select(VersionItem).where(VersionItem.version_id == version_id, VersionItem.code == "page1")).one()
    trips = factories.item(session, version, "trips", kind=ItemKind.REPEAT, parent=page)
    factories.question(session, version, "aim", "text", parent=trips, settings={"one_language": True})
    factories.question(session, version, "list", "file", parent=trips)
    factories.question(session, version, "letter", "file", parent=page, settings={"read_only": True})
    session.commit()
    return world


def send(scene, question, content=PDF, caller=None, **more):
    given = {"question": question, "file": (io.BytesIO(content), "proof.pdf")}
    return (caller or scene.focal).post(scene.path + "/evidence", data=given, **more)


def stands(session, scene, status, unlocked=None):
    session.execute(update(Submission).where(Submission.id == scene.reply.id).values(status=status, unlocked=unlocked))
    session.commit()


def attached(session):
    session.expire_all()
    return session.scalar(select(func.count()).select_from(Evidence).where(Evidence.removed_at.is_(None)))


def add(scene, key, **more):
    return scene.focal.post(scene.path + "/answers", {"answers": [], "rows": [{"table": "trips", "key": key} | more]})


@pytest.mark.engines
def test_a_file_hangs_on_a_question_or_a_cell_that_is_open_and_on_no_other(session, scene):
    assert add(scene, A, position=1, base=0).status_code == 200
    # in progress, everything is open but what is only read
    assert send(scene, "proof").status_code == 201
    assert send(scene, f"list[{A}]").status_code == 201
    assert send(scene, f"list[{B}]").status_code == 201, "the row of a cell comes with its file"
    assert session.scalars(select(AnswerRow.key).order_by(AnswerRow.key)).all() == [A, B]
    assert (send(scene, "letter").status_code, attached(session)) == (409, 3)
    # a column without a row, a question with one, another kind of question, a language, nothing
    for wrong in ("list", f"proof[{A}]", "beds", f"aim[{A}]", "proof@km", "nothing", ""):
        assert (send(scene, wrong).status_code, attached(session)) == (422, 3), wrong
    assert send(scene, "list[x]").status_code == 422
    # returned for one question
    stands(session, scene, Status.RETURNED, ["beds"])
    for locked in ("proof", f"list[{A}]", f"list[{tables.key(3)}]", "letter"):
        told = send(scene, locked, PDF + b"%")
        assert (told.status_code, told.json["code"], attached(session)) == (409, "illegal_transition", 3), locked
    # returned for the file question, for the table, for a column of it
    stands(session, scene, Status.RETURNED, ["proof"])
    assert (send(scene, "proof", PDF + b"%").status_code, attached(session)) == (201, 4)
    stands(session, scene, Status.RETURNED, ["trips"])
    assert (send(scene, f"list[{A}]", PDF + b"%").status_code, attached(session)) == (201, 5)
    stands(session, scene, Status.RETURNED, ["list"])
    assert (send(scene, f"list[{A}]", PDF + b"%%").status_code, attached(session)) == (201, 6)
    assert (send(scene, f"list[{tables.key(3)}]").status_code, attached(session)) == (422, 6), "no row can be added"
    # handed in, by whatever way
    for closed in set(Status) - {Status.ISSUED, Status.IN_PROGRESS, Status.RETURNED}:
        stands(session, scene, closed)
        assert (send(scene, "proof", PDF + b"%%%").status_code, attached(session)) == (409, 6), closed


def test_the_same_file_hangs_once_and_a_removed_row_takes_none(session, scene):
    first = send(scene, "proof").json
    assert send(scene, "proof").json == first
    send(scene, f"list[{A}]")
    gone = scene.focal.post(
        scene.path + "/answers", {"answers": [], "rows": [{"table": "trips", "key": A, "removed": True, "base": 1}]}
    )
    assert gone.json["rows"][0]["removed"] is True
    assert (send(scene, f"list[{A}]", PDF + b"%").status_code, attached(session)) == (422, 2)


def test_what_is_returned_while_a_file_is_on_its_way_takes_no_file(session, scene, monkeypatch):
    """The look at the reply and the act are two moments: what happens between them counts."""
    own = attaching.locked

    def returned_meanwhile(inner, submission_id):
        inner.execute(update(Submission).values(status=Status.RETURNED, unlocked=["beds"]))
        return own(inner, submission_id)

    monkeypatch.setattr(attaching, "locked", returned_meanwhile)
    assert (send(scene, "proof").status_code, attached(session)) == (422, 0)


def test_answers_and_rows_that_a_return_did_not_open_stay(session, scene):
    add(scene, A, position=1, base=0)
    saved = scene.focal.post(scene.path + "/answers", test_api.answers(beds=12, state="done"))
    assert saved.status_code == 200
    stands(session, scene, Status.RETURNED, ["beds"])
    before = session.scalar(select(func.count()).select_from(AnswerRevision))
    body = {
        "answers": [
            {"name": "state", "value": "not_started", "base": 1},
            {"name": f"aim[{A}]", "value": "A talk", "base": 0},
            {"name": "beds", "value": 13, "base": 1},
        ],
        "rows": [
            {"table": "trips", "key": A, "removed": True, "base": 1},
            {"table": "trips", "key": B, "position": 2, "base": 0},
        ],
    }
    told = scene.focal.post(scene.path + "/answers", body)
    assert told.status_code == 422
    assert [one["name"] for one in told.json["saved"]] == ["beds"]
    assert {one["name"] for one in told.json["refused"]} == {"state", f"aim[{A}]"}
    assert {one["key"] for one in told.json["refused_rows"]} == {A, B}
    assert session.scalar(select(func.count()).select_from(AnswerRevision)) == before + 1
    assert session.execute(select(AnswerRow.key, AnswerRow.removed)).all() == [(A, False)]
