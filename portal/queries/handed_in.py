"""What institutions handed in, and nothing else: the one source of every answer that leaves the portal.

A reply that stands handed in (submitted, cleared) is read from its answers. One that is being changed again (returned,
recalled, reopened, lapsed after a return...) is read from its latest snapshot, never from the draft. What was never
handed in, was withdrawn or belongs to another institution has no content (docs/decisions, "what a workbook may hold").
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from forms.answers import AnswerKey
from portal.models import (
    Answer,
    AnswerRow,
    Assignment,
    AssignmentRecommendation,
    Evidence,
    Institution,
    Mechanism,
    Question,
    Questionnaire,
    QuestionnaireVersion,
    Recommendation,
    Snapshot,
    SourceDocument,
    Status,
    Submission,
)
from portal.models.lifecycle import OPEN_TO_STAFF
from portal.queries.submissions import (
    HEAD,
    RowKey,
    StoredRow,
    asked_recommendations,
    handed_in_rows,
    head_of,
    standing_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Rows
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

# the ask no longer stands: what may have been handed in before is no answer to anything
WITHOUT_CONTENT = frozenset({Status.WITHDRAWN, Status.NOT_OURS})
AT_ONCE = 1_000  # rows that a server-side cursor hands over at once
SNAPSHOTS_AT_ONCE = 20  # each holds a whole reply


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer as handed in; ``asked_in`` is the version whose question was answered."""

    value: Any
    state: str
    revision: int
    answered_at: datetime | None
    asked_in: int

    @property
    def says(self) -> bool:
        """Tell whether anything was said: a value, or that it does not apply or is not available."""
        return self.value is not None or self.state != "answered"


@dataclass(frozen=True)
class Content:
    """What an institution handed in: under which version, what was not asked, the answers, the evidence by public id.

    ``rows`` are the rows of its repeats in order, without removed ones. ``frozen`` tells that
    it comes from a snapshot, because the reply is being changed again.
    """

    version_id: int
    hidden: frozenset[str]
    answers: Mapping[AnswerKey, Entry]
    evidence: frozenset[str]
    frozen: bool
    rows: Rows = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """One assignment of a round with its status, and its content if it may be shown."""

    head: SubmissionHead
    asked: tuple[AskedRecommendation, ...]
    content: Content | None


def replies(session: Session, round_id: int) -> list[Reply]:
    """List the replies of a round in protocol order; a number of queries that does not depend on the rows."""
    heads = [
        head_of(row)
        for row in session.execute(
            HEAD.where(Assignment.round_id == round_id).order_by(
                Institution.rank, Institution.id, Assignment.position, Assignment.id
            )
        )
    ]
    asked = asked_recommendations(session, [head.assignment_id for head in heads])
    content = _live(session, round_id, heads) | _frozen(session, round_id, heads)
    return [Reply(head, tuple(asked.get(head.assignment_id, ())), content.get(head.id)) for head in heads]


def _live(session: Session, round_id: int, heads: Sequence[SubmissionHead]) -> dict[int, Content]:
    """Read the answers of the replies that stand handed in."""
    stored: dict[int, dict[RowKey, StoredRow]] = {}
    for submission_id, repeat, key, parent, position, gone, revision in session.execute(
        select(
            AnswerRow.submission_id, AnswerRow.repeat, AnswerRow.key,
            AnswerRow.parent_key, AnswerRow.position, AnswerRow.removed, AnswerRow.revision,
        )
        .join(Submission, Submission.id == AnswerRow.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.round_id == round_id, Submission.status.in_(sorted(OPEN_TO_STAFF)))
        .order_by(AnswerRow.submission_id, AnswerRow.repeat, AnswerRow.key)
    ):  # fmt: skip
        stored.setdefault(submission_id, {})[RowKey(repeat, key)] = StoredRow(parent, position, gone, revision)
    rows = {submission_id: standing_rows(of) for submission_id, of in stored.items()}
    standing = {(one, row.key) for one, of in rows.items() for each in of.values() for row in each}
    removed = {(one, name.key) for one, of in stored.items() for name in of} - standing
    found: dict[int, dict[AnswerKey, Entry]] = {}
    keys: dict[AnswerKey, AnswerKey] = {}  # the same few for all replies: each is held once
    for submission_id, code, row, lang, *rest in session.execute(
        select(
            Answer.submission_id, Question.code, Answer.row, Answer.lang,
            Answer.value, Answer.state, Answer.revision, Answer.answered_at, Answer.asked_in,
        )
        .join(Question, Question.id == Answer.question_id)
        .join(Submission, Submission.id == Answer.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Assignment.round_id == round_id,
            Submission.status.in_(sorted(OPEN_TO_STAFF)),
            # what could not be read is never exported as a value
            Answer.typed.is_(None),
        )
        .order_by(Answer.submission_id, Answer.question_id, Answer.row, Answer.lang),
        execution_options={"yield_per": AT_ONCE},
    ):  # fmt: skip
        if not row or (submission_id, row) not in removed:
            value, state, *more = rest
            cell = AnswerKey(code, row, lang)
            found.setdefault(submission_id, {})[keys.setdefault(cell, cell)] = Entry(value, state.value, *more)
    evidence: dict[int, set[str]] = {}
    for submission_id, public_id in session.execute(
        select(Evidence.submission_id, Evidence.public_id)
        .where(Evidence.round_id == round_id, Evidence.removed_at.is_(None))
        .order_by(Evidence.id)
    ):
        evidence.setdefault(submission_id, set()).add(public_id)
    return {
        head.id: Content(
            head.version_id,
            head.hidden,
            found.get(head.id, {}),
            frozenset(evidence.get(head.id, ())),
            frozen=False,
            rows=rows.get(head.id, {}),
        )
        for head in heads
        if head.status in OPEN_TO_STAFF
    }


def _frozen(session: Session, round_id: int, heads: Sequence[SubmissionHead]) -> dict[int, Content]:
    """Read the latest snapshot of the replies that were handed in and are being changed again."""
    wanted = {
        head.id for head in heads if head.status not in OPEN_TO_STAFF and head.status not in WITHOUT_CONTENT
    }
    latest = (
        select(func.max(Snapshot.id))
        .join(Submission, Submission.id == Snapshot.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.round_id == round_id)
        .group_by(Snapshot.submission_id)
    )
    found: dict[int, Content] = {}
    versions: dict[tuple[str, int], int] | None = None
    for submission_id, canonical in session.execute(
        select(Snapshot.submission_id, Snapshot.canonical).where(Snapshot.id.in_(latest)).order_by(Snapshot.id),
        execution_options={"yield_per": SNAPSHOTS_AT_ONCE},
    ):
        if submission_id in wanted:
            versions = versions if versions is not None else _versions(session)
            found[submission_id] = _thaw(json.loads(canonical), versions)
    return found


def _versions(session: Session) -> dict[tuple[str, int], int]:
    rows = session.execute(
        select(Questionnaire.code, QuestionnaireVersion.number, QuestionnaireVersion.id)
        .join(QuestionnaireVersion, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .order_by(QuestionnaireVersion.id)
    )
    return {(code, number): version_id for code, number, version_id in rows}


def _thaw(snapshot: Mapping[str, Any], versions: Mapping[tuple[str, int], int]) -> Content:
    questionnaire = snapshot["questionnaire"]["code"]
    version_id = versions[questionnaire, snapshot["questionnaire"]["version"]]
    answers = {
        AnswerKey(one["code"], one["row"], one["lang"]): Entry(
            one["value"],
            one["state"],
            one["revision"],
            datetime.fromisoformat(one["answered_at"]) if one.get("answered_at") else None,
            versions[questionnaire, one["asked_in"]] if "asked_in" in one else version_id,
        )
        for one in snapshot["answers"]
    }
    evidence = frozenset(one["id"] for one in snapshot["evidence"])
    hidden, rows = frozenset(snapshot["hidden"]), handed_in_rows(snapshot)
    return Content(version_id, hidden, answers, evidence, frozen=True, rows=rows)


def recommendations_in_order(session: Session, round_id: int) -> list[int]:
    """List the recommendations that a round asks about, in the order of their documents."""
    return list(
        session.scalars(
            select(Recommendation.id)
            .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
            .join(Mechanism, Mechanism.id == SourceDocument.mechanism_id)
            .where(
                Recommendation.id.in_(
                    select(AssignmentRecommendation.recommendation_id)
                    .join(Submission, Submission.assignment_id == AssignmentRecommendation.assignment_id)
                    .where(AssignmentRecommendation.round_id == round_id)
                )
            )
            .order_by(Mechanism.rank, SourceDocument.symbol, Recommendation.position, Recommendation.id)
        )
    )
