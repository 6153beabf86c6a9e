"""Replies as stored: heads, answers, what was handed in, history; Core on the hot paths, no object is built."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, bindparam, case, cast, func, literal, null, or_, select, union_all

from forms.answers import AnswerKey, Given, Rows, TableRow
from forms.tables import has_repeats
from portal.database import begun_ahead
from portal.models import (
    Action,
    Answer,
    AnswerRow,
    AnswerRowRevision,
    Assignment,
    AssignmentDocument,
    AssignmentRecommendation,
    AssignmentRole,
    DocumentState,
    Institution,
    Mechanism,
    Participation,
    Question,
    Recommendation,
    ReportedText,
    ReportingRound,
    RoundStatus,
    Signature,
    SignOffPolicy,
    Snapshot,
    SourceDocument,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.prepared import Prepared
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition


@dataclass(frozen=True)
class SubmissionHead:
    """One reply with what a page, a permission and a deadline need to know of it.

    ``due_on`` is the date in force: the assignment's own, else the institution's extension, else the round's.
    """

    id: int
    public_id: str
    status: Status
    hand_in: int
    signature: Signature | None
    under_review: bool
    handed_in_at: datetime | None
    unlocked: tuple[str, ...] | None
    hidden: frozenset[str]
    answered: int
    asked: int
    missing: int
    saved_at: datetime | None
    saved_by: int | None
    assignment_id: int
    assignment_public_id: str
    version_id: int
    role: AssignmentRole
    about_institution: bool
    note: Mapping[str, str]
    institution_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    round_id: int
    round_slug: str
    round_titles: Mapping[str, str]
    round_status: RoundStatus
    sign_off_policy: SignOffPolicy
    due_on: date
    closes_on: date
    remembers: bool = False
    # documents that wait to be entered; whether the secretariat entered the answers from paper
    documents: int = 0
    from_paper: bool = False
    # whether it was read with its lock, by whoever is about to write (``database.write_soon``)
    locked: bool = False

    @property
    def handed_in(self) -> bool:
        """Return whether it was ever handed in."""
        return self.hand_in > 0

    @property
    def submission_id(self) -> int:
        """Return its key under the name that permissions ask for."""
        return self.id


def due_in_force() -> Any:
    """Return the SQL expression of the due date in force (assignment, else extension, else round)."""
    return func.coalesce(Assignment.due_on, Participation.extended_to, ReportingRound.due_on)


def _documents(what: Any, condition: Any) -> Any:
    return select(what).where(AssignmentDocument.assignment_id == Assignment.id, condition).correlate(Assignment)


HEAD = (
    select(
        Submission.id,
        Submission.public_id,
        Submission.status,
        Submission.hand_in,
        Submission.signature,
        Submission.under_review,
        Submission.handed_in_at,
        Submission.unlocked,
        Submission.hidden,
        Submission.answered,
        Submission.asked,
        Submission.missing,
        Submission.saved_at,
        Submission.saved_by,
        Assignment.id.label("assignment_id"),
        Assignment.public_id.label("assignment_public_id"),
        Assignment.version_id,
        Assignment.role,
        Assignment.about_institution,
        Assignment.note,
        Assignment.institution_id,
        Institution.code.label("institution_code"),
        Institution.names.label("institution_names"),
        ReportingRound.id.label("round_id"),
        ReportingRound.slug.label("round_slug"),
        ReportingRound.titles.label("round_titles"),
        ReportingRound.status.label("round_status"),
        ReportingRound.sign_off_policy,
        due_in_force().label("due_on"),
        ReportingRound.closes_on,
        Participation.remembers,
        _documents(func.count(), AssignmentDocument.state == DocumentState.RECEIVED).label("documents"),
        _documents(literal(1), AssignmentDocument.on_behalf_since.is_not(None)).exists().label("from_paper"),
    )
    .select_from(Submission)
    .join(Assignment, Assignment.id == Submission.assignment_id)
    .join(Institution, Institution.id == Assignment.institution_id)
    .join(ReportingRound, ReportingRound.id == Assignment.round_id)
    .join(Participation, Participation.id == Assignment.participation_id)
)


_BY_PUBLIC_ID = Prepared(HEAD.where(Submission.public_id == bindparam("public_id")))
_LOCKED = Prepared(HEAD.where(Submission.public_id == bindparam("public_id")).with_for_update(of=Submission))
_BY_ID = Prepared(HEAD.where(Submission.id == bindparam("id")))


def head_of(row: Row[*tuple[Any, ...]], *, locked: bool = False) -> SubmissionHead:
    """Return a row of ``HEAD`` as a head."""
    found = row._asdict()
    found["locked"] = locked
    found["unlocked"] = tuple(found["unlocked"]) if found["unlocked"] is not None else None
    found["hidden"] = frozenset(found["hidden"])
    found["from_paper"] = bool(found["from_paper"])
    return SubmissionHead(**found)


def find(session: Session, public_id: str) -> SubmissionHead | None:
    """Find one reply by its public id; whoever has begun to write finds it with its lock."""
    locked = begun_ahead(session)
    row = (_LOCKED if locked else _BY_PUBLIC_ID).first(session, {"public_id": public_id})
    return head_of(row, locked=locked) if row else None


def find_soon(session: Session, public_id: str) -> None:
    """Tell that :func:`find` is about to be asked."""
    (_LOCKED if begun_ahead(session) else _BY_PUBLIC_ID).soon(session, {"public_id": public_id})


def head_by_id(session: Session, submission_id: int) -> SubmissionHead:
    """Return one reply by its key (it must exist)."""
    return head_of(_BY_ID.one(session, {"id": submission_id}))


@dataclass(frozen=True)
class StoredAnswer(Given):
    """A stored answer with who saved it, when, and (``message``) a code if it is not taken; never a sentence."""

    question_id: int = 0
    message: str | None = None
    answered_by: int = 0
    answered_at: datetime | None = None
    asked_in: int = 0


_ANSWERS = (
    select(
        Question.code,
        Answer.row,
        Answer.lang,
        Answer.value,
        Answer.state,
        Answer.typed,
        Answer.revision,
        Answer.question_id,
        Answer.message,
        Answer.answered_by,
        Answer.answered_at,
        Answer.asked_in,
    )
    .join(Question, Question.id == Answer.question_id)
    .where(Answer.submission_id == bindparam("submission_id"))
    .order_by(Answer.question_id, Answer.row, Answer.lang)
)
_READ_ANSWERS = Prepared(_ANSWERS)


def answers(session: Session, submission_id: int) -> dict[AnswerKey, StoredAnswer]:
    """Return all stored answers of a reply by key, in one query."""
    return {
        AnswerKey(code, row, lang): StoredAnswer(value, state.value, *rest)
        for code, row, lang, value, state, *rest in _READ_ANSWERS.all(session, {"submission_id": submission_id})
    }


DEEPEST = 64  # tables within tables; also ends a circle that hostile keys could make


class RowKey(NamedTuple):
    """Which row of which repeat."""

    repeat: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A stored row of a repeat; ``position`` orders the rows of one parent, a removed one keeps its answers."""

    parent: str
    position: int
    removed: bool
    revision: int


class StoredReply(NamedTuple):
    """Everything stored of a reply: its answers, and the rows of its repeats (removed ones too)."""

    answers: dict[AnswerKey, StoredAnswer]
    rows: dict[RowKey, StoredRow]


# the rows come with the answers, in one statement: a row has no state, and keeps place and "removed" in other columns
_ANSWERS_AND_ROWS = Prepared(union_all(
    _ANSWERS.order_by(None),
    select(
        AnswerRow.repeat,
        AnswerRow.key,
        AnswerRow.parent_key,
        cast(null(), Answer.value.type),
        cast(null(), Answer.state.type),
        cast(null(), Answer.typed.type),
        AnswerRow.revision,
        AnswerRow.position,
        case((AnswerRow.removed, literal("removed"))),
        cast(null(), Answer.answered_by.type),
        cast(null(), Answer.answered_at.type),
        cast(null(), Answer.asked_in.type),
    ).where(AnswerRow.submission_id == bindparam("submission_id")),
))


def row_writers(
    session: Session, submission_id: int, revisions: Mapping[RowKey, int]
) -> dict[RowKey, tuple[int, datetime]]:
    """Return which actor made a revision of each row, and when; one made before revisions were kept is left out."""
    if not revisions:
        return {}
    kept = session.execute(
        select(
            AnswerRowRevision.repeat,
            AnswerRowRevision.key,
            AnswerRowRevision.revision,
            AnswerRowRevision.saved_by,
            AnswerRowRevision.saved_at,
        ).where(
            AnswerRowRevision.submission_id == submission_id,
            AnswerRowRevision.key.in_([name.key for name in revisions]),
        )
    )
    return {
        RowKey(repeat, key): (by, at)
        for repeat, key, revision, by, at in kept
        if revisions.get(RowKey(repeat, key)) == revision
    }


def stored_reply(session: Session, submission_id: int, definition: Definition) -> StoredReply:
    """Return what is stored of a reply, in one query."""
    if not has_repeats(definition):
        return StoredReply(answers(session, submission_id), {})
    found: dict[AnswerKey, StoredAnswer] = {}
    rows: dict[RowKey, StoredRow] = {}
    given = {"submission_id": submission_id}
    for code, row, lang, value, state, typed, revision, number, message, *rest in _ANSWERS_AND_ROWS.all(session, given):
        if state is None:
            rows[RowKey(code, row)] = StoredRow(lang, number, message is not None, revision)
        else:
            key = AnswerKey(code, row, lang)
            found[key] = StoredAnswer(value, state.value, typed, revision, number, message, *rest)
    return StoredReply(found, rows)


def stored_soon(session: Session, submission_id: int, definition: Definition) -> None:
    """Tell that :func:`stored_reply` is about to be asked."""
    statement = _ANSWERS_AND_ROWS if has_repeats(definition) else _READ_ANSWERS
    statement.soon(session, {"submission_id": submission_id})


def standing_rows(rows: Mapping[RowKey, StoredRow]) -> Rows:
    """Return the rows that stand in each repeat, in order: not the removed ones, nor what stands in a removed one."""
    by_repeat: dict[str, list[tuple[int, str, str]]] = {}
    gone = {name.key for name, row in rows.items() if row.removed}
    parents = {name.key: row.parent for name, row in rows.items()}
    for name, row in rows.items():
        above, steps = name.key, 0
        while above and above not in gone and steps < DEEPEST:
            above, steps = parents.get(above, ""), steps + 1
        if not above:
            by_repeat.setdefault(name.repeat, []).append((row.position, name.key, row.parent))
    return {
        repeat: [TableRow(key, parent) for _place, key, parent in sorted(found)] for repeat, found in by_repeat.items()
    }


def events(session: Session, submission_id: int) -> Sequence[SubmissionEvent]:
    """Return the events of a reply, oldest first."""
    return session.scalars(
        select(SubmissionEvent).where(SubmissionEvent.submission_id == submission_id).order_by(SubmissionEvent.number)
    ).all()


_LAST_NOTE = Prepared(
    select(SubmissionEvent.action, SubmissionEvent.reason, SubmissionEvent.done_at)
    .where(
        SubmissionEvent.submission_id == bindparam("submission_id"),
        # moving on to a newer version without a word takes away nobody's reason
        or_(SubmissionEvent.action != Action.ADOPT_VERSION, SubmissionEvent.reason.is_not(None)),
    )
    .order_by(SubmissionEvent.number.desc())
    .limit(1)
)


@dataclass(frozen=True)
class HandedBack:
    """Why a reply came back to be changed."""

    action: Action
    reason: str
    at: datetime


def handed_back(session: Session, submission_id: int) -> HandedBack | None:
    """Return why a reply came back, if its last event says so (returned, declined, reopened, asked again...)."""
    row = _LAST_NOTE.first(session, {"submission_id": submission_id})
    back = {Action.RETURN, Action.DECLINE, Action.REFUSE_NOT_OURS, Action.REOPEN, Action.ADOPT_VERSION}
    if row is None or row.action not in back or not row.reason:
        return None
    return HandedBack(row.action, row.reason, row.done_at)


def handed_back_soon(session: Session, submission_id: int) -> None:
    """Tell that :func:`handed_back` is about to be asked."""
    _LAST_NOTE.soon(session, {"submission_id": submission_id})


def latest_snapshot(session: Session, submission_id: int) -> dict[str, Any] | None:
    """Return what was handed in last, as the snapshot's JSON; None if nothing was."""
    canonical = session.scalar(
        select(Snapshot.canonical).where(Snapshot.submission_id == submission_id).order_by(Snapshot.id.desc()).limit(1)
    )
    return json.loads(canonical) if canonical else None


@dataclass(frozen=True)
class TwoHandIns:
    """The last two snapshots of a reply, and when the earlier was taken."""

    before: dict[str, Any]
    after: dict[str, Any]
    before_at: datetime


def last_two(session: Session, submission_id: int) -> TwoHandIns | None:
    """Return what was handed in last and the time before that; None unless it was handed in twice."""
    rows = session.execute(
        select(Snapshot.canonical, Snapshot.created_at)
        .where(Snapshot.submission_id == submission_id)
        .order_by(Snapshot.id.desc())
        .limit(2)
    ).all()
    if len(rows) < 2:
        return None
    return TwoHandIns(json.loads(rows[1].canonical), json.loads(rows[0].canonical), rows[1].created_at)


def handed_in_rows(snapshot: Mapping[str, Any]) -> Rows:
    """Return the rows of the repeats as a snapshot froze them; those of a matrix stand in its version."""
    return {
        code: [TableRow(row["key"], row.get("parent", "")) for row in rows]
        for code, rows in snapshot.get("rows", {}).items()
    }


@dataclass(frozen=True)
class AskedRecommendation:
    """A recommendation as an institution is asked about it."""

    id: int
    public_id: str
    symbol: str
    mechanism: str
    mechanism_names: Mapping[str, str]
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    texts: Mapping[str, str]
    summary: Mapping[str, str]
    text_status: str
    chapeau: Mapping[str, str] | None = None
    # whether a report of the State is known to have said something on it (portal/queries/reported.py)
    reported: bool = False

    @property
    def citation(self) -> str:
        """Return how the recommendation is cited: paragraph and sub-item."""
        return f"{self.paragraph} ({self.sub_item})" if self.sub_item else self.paragraph


_CHAPEAU = Recommendation.__table__.alias("chapeau")


def _asked(those: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            AssignmentRecommendation.assignment_id,
            Recommendation.id,
            Recommendation.public_id,
            SourceDocument.symbol,
            Mechanism.code,
            Mechanism.names,
            Recommendation.paragraph,
            Recommendation.sub_item,
            Recommendation.heading,
            Recommendation.texts,
            Recommendation.summary,
            Recommendation.text_status,
            _CHAPEAU.c.texts.label("chapeau"),
            select(ReportedText.id).where(ReportedText.recommendation_id == Recommendation.id).exists(),
        )
        .join(Recommendation, Recommendation.id == AssignmentRecommendation.recommendation_id)
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .join(Mechanism, Mechanism.id == SourceDocument.mechanism_id)
        .outerjoin(
            _CHAPEAU,
            and_(
                _CHAPEAU.c.document_id == Recommendation.document_id,
                _CHAPEAU.c.paragraph == Recommendation.paragraph,
                _CHAPEAU.c.sub_item == "",
                Recommendation.sub_item != "",
            ),
        )
        .where(those)
        .order_by(AssignmentRecommendation.assignment_id, Recommendation.position, Recommendation.id)
    )


_ASKED_OF_ONE = Prepared(
    _asked(AssignmentRecommendation.assignment_id == bindparam("assignment_id"))
)
_ASKED_OF_MANY = _asked(AssignmentRecommendation.assignment_id.in_(bindparam("assignment_ids", expanding=True)))


def asked_recommendations(session: Session, assignment_ids: Iterable[int]) -> dict[int, list[AskedRecommendation]]:
    """Return, per assignment, what it asks about, in the order of the document; one query."""
    wanted = list(assignment_ids)
    rows: Iterable[Any] = (
        _ASKED_OF_ONE.all(session, {"assignment_id": wanted[0]})
        if len(wanted) == 1
        else session.connection().execute(_ASKED_OF_MANY, {"assignment_ids": wanted})
    )
    found: dict[int, list[AskedRecommendation]] = {}
    for assignment_id, *rest in rows:
        found.setdefault(assignment_id, []).append(AskedRecommendation(*rest))
    return found


def asked_soon(session: Session, assignment_id: int) -> None:
    """Tell that :func:`asked_recommendations` is about to be asked of one assignment."""
    _ASKED_OF_ONE.soon(session, {"assignment_id": assignment_id})


def title_of(asked: Sequence[AskedRecommendation], language: str, languages: Sequence[str]) -> str:
    """Return what an assignment is about, in a line: its heading, else its summary."""
    for one in asked:
        if text := pick(one.heading, language, languages) or pick(one.summary, language, languages):
            return text
    return ""


def citation(asked: Sequence[AskedRecommendation]) -> str:
    """Return how an assignment's recommendations are cited together: "17", "17 (a)", "17 (a)-(c)", "17 (a), 18"."""
    parts: list[str] = []
    by_paragraph: dict[str, list[str]] = {}
    for one in asked:
        by_paragraph.setdefault(one.paragraph, []).append(one.sub_item)
    for paragraph, items in by_paragraph.items():
        letters = [item for item in items if item]
        if not letters:
            parts.append(paragraph)
        elif len(letters) > 2 and [ord(c[0]) for c in letters] == list(
            range(ord(letters[0][0]), ord(letters[0][0]) + len(letters))
        ):
            parts.append(f"{paragraph} ({letters[0]})–({letters[-1]})")
        else:
            parts.append(f"{paragraph} " + ", ".join(f"({letter})" for letter in letters))
    return ", ".join(parts)
