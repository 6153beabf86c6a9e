"""Whom a change of a questionnaire touches: which replies, of which institutions, handed in and signed or not.

Only that something was answered is told, never what: a draft stays its institution's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from forms.definition.changes import Aspect, Difference, Touches, differences
from portal.models import (
    Actor,
    Answer,
    AnswerState,
    Assignment,
    Institution,
    Question,
    QuestionnaireVersion,
    ReportingRound,
    RoundStatus,
    Signature,
    Status,
    Submission,
    UserAccount,
)
from portal.models.lifecycle import OPEN_TO_STAFF
from portal.queries.questionnaires import definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.orm import Session

BEGUN = frozenset({Status.IN_PROGRESS, Status.AWAITING_SIGN_OFF, Status.RETURNED, *OPEN_TO_STAFF})
# where no answer is asked for any more, nothing can be hurt
DONE_WITH = frozenset({Status.CLAIMED, Status.NOT_OURS, Status.WITHDRAWN, Status.LAPSED})
OPEN_ROUNDS = (RoundStatus.DRAFT, RoundStatus.OPEN)


@dataclass(frozen=True)
class AskedReply:
    """An assignment on an earlier version, with its reply if it was issued."""

    assignment_id: int
    assignment_public_id: str
    version_id: int
    version_number: int
    submission_id: int | None
    submission_public_id: str | None
    status: Status | None
    hand_in: int
    signature: Signature | None
    unlocked: tuple[str, ...] | None
    hidden: tuple[str, ...]
    institution_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    round_id: int
    round_slug: str
    # who saved last: rules that read the person go on reading this one
    saved_by_login: str | None
    saved_by_email: str | None

    @property
    def signed(self) -> bool:
        """Tell whether the reply stands signed."""
        return self.signature in {Signature.SIGNED, Signature.PAPER}


def asked_before(session: Session, version: QuestionnaireVersion, round_id: int | None = None) -> list[AskedReply]:
    """List the assignments on earlier versions of a questionnaire in rounds that are not closed; one query."""
    wanted = (
        _ASKED.where(
            QuestionnaireVersion.questionnaire_id == version.questionnaire_id,
            QuestionnaireVersion.number < version.number,
            ReportingRound.status.in_(OPEN_ROUNDS),
        )
        .order_by(ReportingRound.id, Institution.rank, Institution.id, Assignment.position, Assignment.id)
    )  # fmt: skip
    if round_id is not None:
        wanted = wanted.where(Assignment.round_id == round_id)
    return [_asked(row) for row in session.execute(wanted)]


def _asked(row: Row[*tuple[Any, ...]]) -> AskedReply:
    found = dict(row._mapping)  # noqa: SLF001 - the documented way to a mapping
    found["unlocked"] = tuple(found["unlocked"]) if found["unlocked"] is not None else None
    found["hidden"] = tuple(found["hidden"] or ())
    return AskedReply(**found)


_ASKED: Select[*tuple[Any, ...]] = (
    select(
        Assignment.id.label("assignment_id"),
        Assignment.public_id.label("assignment_public_id"),
        Assignment.version_id,
        QuestionnaireVersion.number.label("version_number"),
        Submission.id.label("submission_id"),
        Submission.public_id.label("submission_public_id"),
        Submission.status,
        Submission.hand_in,
        Submission.signature,
        Submission.unlocked,
        Submission.hidden,
        Institution.id.label("institution_id"),
        Institution.code.label("institution_code"),
        Institution.names.label("institution_names"),
        ReportingRound.id.label("round_id"),
        ReportingRound.slug.label("round_slug"),
        UserAccount.login.label("saved_by_login"),
        UserAccount.email.label("saved_by_email"),
    )
    .select_from(Assignment)
    .join(QuestionnaireVersion, QuestionnaireVersion.id == Assignment.version_id)
    .join(Institution, Institution.id == Assignment.institution_id)
    .join(ReportingRound, ReportingRound.id == Assignment.round_id)
    .outerjoin(Submission, Submission.assignment_id == Assignment.id)
    .outerjoin(Actor, Actor.id == Submission.saved_by)
    .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
)


class Impact:
    """What a version changes for the assignments on earlier ones: ``hits`` names, per reply, what touches it."""

    def __init__(self, session: Session, version: QuestionnaireVersion, replies: Sequence[AskedReply]) -> None:
        self.replies = tuple(replies)
        new = definition(session, version.id)
        self.differences: dict[int, tuple[Difference, ...]] = {
            version_id: differences(definition(session, version_id), new)
            for version_id in sorted({reply.version_id for reply in replies})
        }
        self.hits: dict[int, list[Difference]] = {}
        self._look(session)

    def _look(self, session: Session) -> None:
        unsafe = [one for some in self.differences.values() for one in some if not one.safe]
        codes = {code for one in unsafe for code in one.questions}
        live = [one for one in self.replies if one.submission_id is not None and one.status not in DONE_WITH]
        if not codes or not live:
            return
        places = _answers(session, {one.submission_id for one in live if one.submission_id}, codes)
        chosen = _chosen(session, set(places), {
            code for one in unsafe if one.touches is Touches.CHOSE for code in one.questions
        })  # fmt: skip
        for reply in live:
            number = reply.submission_id or 0
            given = places.get(number, set())
            hit = [
                one
                for one in self.differences[reply.version_id]
                if not one.safe and _touched(one, reply, given, chosen.get(number, set()))
            ]
            if hit:
                self.hits[number] = hit

    def in_round(self, round_id: int) -> Impact:
        """Return the part of it that concerns one round; nothing is read again."""
        part = object.__new__(Impact)
        part.replies = tuple(reply for reply in self.replies if reply.round_id == round_id)
        mine = {reply.submission_id or 0 for reply in part.replies}
        versions = {reply.version_id for reply in part.replies}
        part.differences = {key: some for key, some in self.differences.items() if key in versions}
        part.hits = {key: some for key, some in self.hits.items() if key in mine}
        return part

    def touched(self, reply: AskedReply) -> list[Difference]:
        """Return what touches a reply; nothing for one that is not issued."""
        return self.hits.get(reply.submission_id or 0, [])

    def rows(self) -> list[ImpactRow]:
        """Return each unsafe change once, over all earlier versions, with whom it touches."""
        found: dict[tuple[str, Aspect, str], ImpactRow] = {}
        for some in self.differences.values():
            for one in some:
                if not one.safe:
                    found.setdefault((one.code, one.aspect, one.detail), ImpactRow(one, []))
        for reply in self.replies:
            for one in self.touched(reply):
                row = found[one.code, one.aspect, one.detail]
                if reply not in row.replies:
                    row.replies.append(reply)
        return list(found.values())


@dataclass(frozen=True)
class ImpactRow:
    """One unsafe change and the replies that it touches, in protocol order."""

    difference: Difference
    replies: list[AskedReply]

    @property
    def institutions(self) -> list[tuple[AskedReply, int, bool]]:
        """Return each institution once: one of its replies, how many there are, whether any stands signed."""
        found: dict[int, tuple[AskedReply, int, bool]] = {}
        for reply in self.replies:
            first, count, signed = found.get(reply.institution_id, (reply, 0, False))
            found[reply.institution_id] = (first, count + 1, signed or reply.signed)
        return list(found.values())

    @property
    def signed(self) -> int:
        """Return how many institutions have signed."""
        return sum(1 for _first, _count, signed in self.institutions if signed)


def _touched(
    one: Difference, reply: AskedReply, given: set[tuple[str, str, str]], chosen: set[tuple[str, str]]
) -> bool:
    mine = [place for place in given if place[0] in one.questions]
    match one.touches:
        case Touches.BEGUN:
            # who has answered already need not answer again
            return reply.status in BEGUN and len({code for code, _row, _state in mine}) < len(one.questions)
        case Touches.CHOSE:
            return any((code, one.detail) in chosen for code in one.questions)
        case Touches.ROW:
            return any(row == one.detail for _code, row, _state in mine)
        case Touches.NOT_AVAILABLE | Touches.NOT_APPLICABLE:
            return any(state == one.touches.value for _code, _row, state in mine)
        case _:
            return bool(mine)


def _answers(
    session: Session, submission_ids: set[int], codes: Iterable[str]
) -> dict[int, set[tuple[str, str, str]]]:
    """Return (code, row, state) of every answer that says something to one of the questions, by reply."""
    found: dict[int, set[tuple[str, str, str]]] = defaultdict(set)
    for row in session.execute(
        select(Answer.submission_id, Question.code, Answer.row, Answer.state)
        .join(Question, Question.id == Answer.question_id)
        .where(
            Answer.submission_id.in_(submission_ids),
            Question.code.in_(sorted(codes)),
            or_(Answer.value.is_not(None), Answer.typed.is_not(None), Answer.state != AnswerState.ANSWERED),
        )
    ):
        found[row.submission_id].add((row.code, row.row, row.state.value))
    return found


def _chosen(session: Session, submission_ids: set[int], codes: set[str]) -> dict[int, set[tuple[str, str]]]:
    """Return (code, key) of every choice made in one of the questions, by reply."""
    found: dict[int, set[tuple[str, str]]] = defaultdict(set)
    if not codes or not submission_ids:
        return found
    for row in session.execute(
        select(Answer.submission_id, Question.code, Answer.value)
        .join(Question, Question.id == Answer.question_id)
        .where(
            Answer.submission_id.in_(submission_ids), Question.code.in_(sorted(codes)), Answer.value.is_not(None)
        )
    ):
        keys = row.value if isinstance(row.value, list) else [row.value]
        found[row.submission_id].update((row.code, str(key)) for key in keys)
    return found


def impact_of(session: Session, version: QuestionnaireVersion, round_id: int | None = None) -> Impact:
    """Return what a version changes for all assignments on earlier ones; a handful of queries."""
    return Impact(session, version, asked_before(session, version, round_id))


def kept_answers(
    session: Session, questionnaire_id: int, found: Iterable[Difference]
) -> dict[tuple[str, str], int]:
    """Count the replies with an answer to what was taken out, by (code, "") and (code, choice key); two queries."""
    gone = {one.code for one in found if one.aspect is Aspect.GONE}
    choices = {(code, one.detail) for one in found if one.aspect is Aspect.CHOICE_GONE for code in one.questions}
    counts: dict[tuple[str, str], int] = {}
    if gone:
        for code, count in session.execute(
            select(Question.code, func.count(Answer.submission_id.distinct()))
            .join(Question, Question.id == Answer.question_id)
            .where(
                Question.questionnaire_id == questionnaire_id,
                Question.code.in_(sorted(gone)),
                or_(Answer.value.is_not(None), Answer.typed.is_not(None), Answer.state != AnswerState.ANSWERED),
            )
            .group_by(Question.code)
        ):
            counts[code, ""] = count
    if choices:
        for code, value in session.execute(
            select(Question.code, Answer.value)
            .join(Question, Question.id == Answer.question_id)
            .where(
                Question.questionnaire_id == questionnaire_id,
                Question.code.in_(sorted({code for code, _key in choices})),
                Answer.value.is_not(None),
            )
        ):
            for key in value if isinstance(value, list) else [value]:
                if (code, str(key)) in choices:
                    counts[code, str(key)] = counts.get((code, str(key)), 0) + 1
    return counts
