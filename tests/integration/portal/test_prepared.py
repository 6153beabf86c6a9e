"""Prepared statements: what the driver gives and takes through them is what SQLAlchemy's own execution gives and takes."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, event, insert, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from portal.database import write
from portal.extensions import db
from portal.models import Institution, Submission
from portal.prepared import Prepared, said
from portal.queries import submissions as queries
from tests import factories, scenes

pytestmark = pytest.mark.engines

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
