"""Prepared statements: what the driver gives and takes through them is what SQLAlchemy's own execution gives and takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, event, insert, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from portal.database import write
from portal.extensions import db
from portal.models import Answer, AnswerState, Institution, Submission
from portal.prepared import MANY, Prepared, said
from portal.queries import submissions as queries
from portal.services.answer_storing import _UPSERTS
from tests import factories, scenes

pytestmark = pytest.mark.engines
MOMENT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)

BY_CODE = select(Institution.id, Institution.code, Institution.names, Institution.active).where(
    Institution.code == bindparam("code")
)


@pytest.fixture
def ministry(app, session):
    found = factories.institution(session, "MOJ")
    session.commit()
    with app.app_context():
        yield found


def test_rows_have_the_names_and_types_of_the_common_way(ministry):
    common = db.session.execute(BY_CODE, {"code": "MOJ"}).one()
    found = Prepared(BY_CODE).one(db.session, {"code": "MOJ"})
    assert tuple(found) == tuple(common)
    assert [type(one) for one in found] == [type(one) for one in common]
    assert found.names == ministry.names
    assert Prepared(BY_CODE).first(db.session, {"code": "none"}) is None
    with pytest.raises(NoResultFound):
        Prepared(BY_CODE).one(db.session, {"code": "none"})


def test_replies_are_read_as_by_the_common_way(app, session):
    """Dates, states, JSON and nulls of the statements of the answering page, in every status of a reply."""
    scene = scenes.every_status(session)
    session.commit()
    ids = {one.id: one.public_id for one in scene.replies.values()}

    def read() -> list[object]:
        return [
            (queries.find(db.session, public_id), queries.answers(db.session, number), queries.handed_back(db.session, number))
            for number, public_id in ids.items()
        ]

    seen: list[str] = []
    with app.app_context():
        quick = read()
        event.listen(db.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        common = read()
    assert len(seen) == 3 * len(ids)  # the quick way is not taken where somebody listens
    assert quick == common
    assert [repr(one) for one in quick] == [repr(one) for one in common]  # 1 and true are equal, and not the same
    assert any(answers for _head, answers, _back in quick)


def test_what_a_driver_refuses_comes_as_sqlalchemys_error(ministry):
    values = {"code": "MOJ", "names": {"en": "Again"}, "active": True}
    statement = Prepared(insert(Institution.__table__))
    row = db.session.execute(select(Institution.__table__).where(Institution.code == "MOJ")).mappings().one()
    with pytest.raises(IntegrityError), write() as session:
        statement.write(session.connection(), [{**row, "id": row["id"] + 1, "public_id": "x" * 32, **values}])
    with pytest.raises(OperationalError if db.engine.dialect.name == "sqlite" else Exception, match="nothing_of_this"):
        said(db.session.connection(), "SELECT * FROM nothing_of_this")
    db.session.rollback()
    assert db.session.scalar(text("SELECT 1")) == 1


def test_what_is_written_at_once_is_all_done_or_nothing(ministry):
    statement = Prepared(insert(Institution.__table__))
    row = dict(db.session.execute(select(Institution.__table__)).mappings().one())
    first, second, third, again = rows_like(row, "AAAA", "BBBB", "CCCC", "MOJ")
    with write() as session:
        statement.write(session.connection(), [first])
        statement.write(session.connection(), [second])
    with pytest.raises(IntegrityError), write() as session:  # noqa: PT012 - a server tells at the end
        statement.write(session.connection(), [third])
        statement.write(session.connection(), [again])
    codes = db.session.scalars(select(Institution.code).order_by(Institution.code)).all()
    assert codes == ["AAAA", "BBBB", "MOJ"]


def rows_like(row, *codes):
    return [
        {**row, "id": row["id"] + 1 + place, "public_id": f"{place:032x}", "code": code}
        for place, code in enumerate(codes)
    ]


def test_a_missing_parameter_and_a_value_made_by_python_are_mistakes_of_the_code(ministry):
    with pytest.raises(KeyError):
        Prepared(BY_CODE).all(db.session, {})
    with pytest.raises(TypeError, match="Python"), write() as session:
        Prepared(insert(Submission.__table__)).write(session.connection(), [{"status": "issued"}])


@pytest.mark.parametrize("many", [1, MANY, 30])
@pytest.mark.parametrize("apart", [timedelta(), timedelta(seconds=1)], ids=["at one moment", "each at its own"])
def test_rows_that_go_at_once_are_stored_as_those_that_go_one_by_one(app, session, monkeypatch, many, apart):
    """Every kind of value an answer may have, moments and nulls, by both ways and read back."""
    values = [12, -0.5, 10**20, "ខ្មែរ \\ \" ' \n\u2028", "", True, None, [], ["a", "b"], {"k": [1, None]}, "null", "2026-01-01"]
    scene = scenes.every_status(session)
    session.commit()
    head = next(iter(scene.replies.values()))
    with app.app_context():
        asked = [one.question_id for one in queries.answers(db.session, head.id).values()] or [
            db.session.scalar(text("SELECT min(id) FROM question"))
        ]
        by = db.session.scalar(text("SELECT min(id) FROM actor"))
        version = db.session.scalar(text("SELECT min(id) FROM questionnaire_version"))

        def stored(code, limit):
            monkeypatch.setattr("portal.prepared.MANY", limit)
            rows = [
                {
                    "submission_id": head.id, "question_id": asked[0], "row": f"{code}{place}", "lang": "",
                    "value": values[place % len(values)], "state": AnswerState.ANSWERED.value,
                    "typed": None if place % 2 else "១២ \t x", "message": None, "revision": place + 1,
                    "asked_in": version, "answered_by": by, "answered_at": MOMENT + place * apart,
                }
                for place in range(many)
            ]  # fmt: skip
            for again in (0, 1):  # new, then changed
                with write() as opened:
                    _UPSERTS[opened.connection().dialect.name].write(
                        opened.connection(), [row | {"revision": row["revision"] + again} for row in rows]
                    )
            found = db.session.execute(
                select(
                    Answer.value, Answer.state, Answer.typed, Answer.revision, Answer.answered_at, Answer.answered_by,
                    Answer.asked_in, Answer.submission_id,
                )
                .where(Answer.row.like(f"{code}%"))
                .order_by(Answer.revision)
            ).all()
            db.session.rollback()
            return [repr(tuple(one)) for one in found]

        one_by_one = stored("one", 1000)
        assert len(one_by_one) == many
        assert stored("all", MANY) == one_by_one
