"""The synthetic portal: as large as asked, the same for the same seed, and whole in every check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.demo.big import Size, seed_big
from portal.models import (
    Answer,
    AnswerRevision,
    Assignment,
    Institution,
    Question,
    Recommendation,
    Snapshot,
    Status,
    Submission,
)
from portal.services.verification import faults_of
from tests.conftest import make_settings
from tests.engines import open_engine

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Size(institutions=5, recommendations=12, answers=1003, seed=7)


def _fill(folder: Path, template: Path, size: Size) -> Any:
    from portal.app import create_app
    from portal.extensions import db

    folder.mkdir()
    (folder / "portal.db").write_bytes(template.read_bytes())
    app = create_app(make_settings(f"sqlite:///{folder / 'portal.db'}", folder))
    logins = seed_big(app, size, password="a big quiet river")
    with app.app_context():
        db.engine.dispose()
    assert {one["role"] for one in logins} >= {"coordinator", "focal_point", "approver"}
    return open_engine(f"sqlite:///{folder / 'portal.db'}")


def _said(session: Session) -> list[Any]:
    rows = session.execute(
        select(Assignment.institution_id, Assignment.position, Question.code, Answer.lang, Answer.value, Answer.revision)
        .join(Submission, Submission.id == Answer.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Question, Question.id == Answer.question_id)
        .order_by(Answer.submission_id, Answer.question_id, Answer.lang)
    )
    return [tuple(row) for row in rows]


def test_it_is_as_large_as_asked_whole_and_the_same_again(tmp_path: Path, sqlite_template: Path) -> None:
    first, second = (_fill(tmp_path / name, sqlite_template, SMALL) for name in ("first", "second"))
    with Session(first) as session, Session(second) as other:
        for model, wanted in ((Institution, 5), (Recommendation, 12), (Answer, 1003)):
            assert session.scalar(select(func.count()).select_from(model)) == wanted
        assert (session.scalar(select(func.count()).select_from(AnswerRevision)) or 0) > 4 * 1003
        assert faults_of(session) == []
        statuses = set(session.scalars(select(Submission.status)))
        assert statuses >= {Status.CLEARED, Status.SUBMITTED, Status.AWAITING_SIGN_OFF, Status.IN_PROGRESS}
        handed_in = session.scalar(select(func.count()).where(Submission.hand_in > 0))
        assert session.scalar(select(func.count()).select_from(Snapshot)) == handed_in
        assert _said(session) == _said(other)
    first.dispose()
    second.dispose()
