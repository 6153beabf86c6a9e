"""One answer is stored in one statement, several in three: what stands there afterwards is the same."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from forms.answers import AnswerKey, Parsed
from portal import clock
from portal.blueprints.posting import load
from portal.database import write
from portal.extensions import db
from portal.models import Answer, AnswerRevision, Submission
from portal.queries import submissions as queries
from portal.services.answer_rows import RowWork
from portal.services.answer_storing import Progress, Work, store
from tests import factories

pytestmark = pytest.mark.engines
GIVEN = (
    Parsed("ខ្មែរ \\ \" ' \n\u2028"), Parsed(12), Parsed(-0.5), Parsed(10**20), Parsed(True), Parsed([]), Parsed(["a"]),
    Parsed({"k": [1, None]}), Parsed("null"), Parsed(None, "not_available"), Parsed(None, typed="១២ \t x"), Parsed(""),
)  # fmt: skip
IN_ANSWER = (
    "question_id", "row", "lang", "value", "state", "typed", "message", "revision", "asked_in", "answered_by",
    "answered_at",
)  # fmt: skip
IN_REVISION = (*IN_ANSWER[:9], "saved_by", "saved_at", "request_key")


def columns(table, names):
    return [getattr(table, name) for name in names]


@pytest.mark.parametrize("given", GIVEN, ids=repr)
def test_one_answer_is_stored_as_one_of_several(app, session, given):
    institution, version = factories.institution(session, "MOJ"), factories.questionnaire_version(session)
    round_ = factories.reporting_round(session)
    replies = [
        factories.submission(session, factories.assignment(session, to=institution, in_round=round_, version=version))
        for _ in range(2)
    ]
    by = factories.system_actor(session).id
    session.commit()
    with app.app_context():
        definition, ids = load(queries.head_by_id(db.session, replies[0].id))
        at, told = clock.now(), []
        for reply, more in zip(replies, (False, True), strict=True):
            for again in ("first", "second"):  # new, then changed
                work = Work(
                    queries.answers(db.session, reply.id), by, at, version.id, ids, RowWork(definition, {}, None)
                )
                db.session.rollback()
                if again == "first":
                    work.put(AnswerKey("measures", lang="en"), Parsed("before"))
                    if more:
                        work.put(AnswerKey("state"), Parsed("done"))
                else:
                    work.put(AnswerKey("measures", lang="en"), given)
                    if more:
                        work.put(AnswerKey("state"), Parsed("planned"))
                with write() as opened:
                    store(opened.connection(), reply.id, work, ["beds"], Progress(7, 3, 2), again)
            ours = Answer.submission_id == reply.id, Answer.lang == "en"
            found = db.session.execute(select(*columns(Answer, IN_ANSWER)).where(*ours)).all()
            kept = db.session.execute(
                select(*columns(AnswerRevision, IN_REVISION))
                .where(AnswerRevision.submission_id == reply.id, AnswerRevision.lang == "en")
                .order_by(AnswerRevision.revision)
            ).all()
            counts = ("hidden", "asked", "answered", "missing", "saved_at", "saved_by")
            whole = db.session.execute(select(*columns(Submission, counts)).where(Submission.id == reply.id)).all()
            told.append([[repr(tuple(row)) for row in rows] for rows in (found, kept, whole)])
            db.session.rollback()
    assert told[0] == told[1]
    assert [len(rows) for rows in told[0]] == [1, 2, 1]
