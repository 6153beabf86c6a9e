"""The versions of a questionnaire: its drafts, where each version is in use, and all questions as a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, func, or_, select

from forms.answers import AnswerKey
from portal.models import (
    Answer,
    AnswerRow,
    Assignment,
    ItemKind,
    Question,
    Questionnaire,
    QuestionnaireVersion,
    ReportingRound,
    RoundStatus,
    VersionItem,
    VersionStatus,
)
from portal.queries.questionnaires import SOURCE
from portal.queries.recommendations import folded
from portal.queries.submissions import RowKey, StoredAnswer, StoredRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


def open_draft(session: Session, questionnaire_id: int) -> QuestionnaireVersion | None:
    """Return the draft of a questionnaire that is being worked on: there is one at the most."""
    return session.scalar(
        select(QuestionnaireVersion).where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.status == VersionStatus.DRAFT,
        )
    )


def open_draft_of(session: Session, code: str) -> QuestionnaireVersion | None:
    """Return the open draft of the questionnaire with a code."""
    return session.scalar(
        select(QuestionnaireVersion)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .where(Questionnaire.code == code, QuestionnaireVersion.status == VersionStatus.DRAFT)
    )


def version_before(session: Session, version: QuestionnaireVersion) -> QuestionnaireVersion | None:
    """Return the newest version that went out before this one: what it is compared with."""
    return session.scalar(
        select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.questionnaire_id == version.questionnaire_id,
            QuestionnaireVersion.number < version.number,
            QuestionnaireVersion.published_at.is_not(None),
        )
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )


def published_codes(session: Session, questionnaire_id: int) -> dict[str, int]:
    """Return every code that ever went out (groups and tables included) with the newest version that holds it."""
    rows = session.execute(
        select(VersionItem.code, func.max(QuestionnaireVersion.number))
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionItem.version_id)
        .where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id, QuestionnaireVersion.published_at.is_not(None)
        )
        .group_by(VersionItem.code)
    )
    return {code: number for code, number in rows}  # noqa: C416 - rows are not pairs to the type checker


@dataclass(frozen=True)
class Use:
    """A round in which a version is in use, with the number of assignments; or that will issue it from now on."""

    slug: str
    titles: Mapping[str, str]
    status: RoundStatus
    assignments: int
    chosen: bool


@dataclass(frozen=True)
class Station:
    """One version in the life of its questionnaire."""

    id: int
    public_id: str
    number: int
    status: VersionStatus
    begun_from: int | None
    created_at: datetime
    published_at: datetime | None
    published_by: int | None
    questions: int
    uses: tuple[Use, ...]

    @property
    def discarded(self) -> bool:
        """Tell whether it was laid aside without ever going out."""
        return self.status is VersionStatus.RETIRED and self.published_at is None

    @property
    def assignments(self) -> int:
        """Return the number of assignments on it."""
        return sum(use.assignments for use in self.uses)


def timeline(session: Session, questionnaire_id: int) -> list[Station]:
    """List the versions of a questionnaire, the newest first, each with where it is in use; three queries."""
    uses: dict[int, dict[int, int]] = {}
    for version_id, round_id, assignments in session.execute(
        select(Assignment.version_id, Assignment.round_id, func.count(Assignment.id))
        .join(QuestionnaireVersion, QuestionnaireVersion.id == Assignment.version_id)
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .group_by(Assignment.version_id, Assignment.round_id)
    ):
        uses.setdefault(version_id, {})[round_id] = assignments
    versions = session.execute(_stations(questionnaire_id)).all()
    own = {row.id for row in versions}
    rounds = session.execute(_rounds(own, {one for some in uses.values() for one in some})).all()
    found = []
    for row in versions:
        here = []
        for of in rounds:
            chosen = row.id in {of.short_version_id, of.full_version_id, of.institution_version_id}
            count = uses.get(row.id, {}).get(of.id)
            if chosen or count is not None:
                here.append(Use(of.slug, of.titles, of.status, count or 0, chosen=chosen))
        found.append(
            Station(
                row.id, row.public_id, row.number, row.status, _number(row.settings.get(SOURCE)), row.created_at,
                row.published_at, row.published_by, row.questions, tuple(here),
            )
        )  # fmt: skip
    return found


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _stations(questionnaire_id: int) -> Select[*tuple[Any, ...]]:
    count = (
        select(func.count(VersionItem.id))
        .where(VersionItem.version_id == QuestionnaireVersion.id, VersionItem.kind == ItemKind.QUESTION)
        .correlate(QuestionnaireVersion)
        .scalar_subquery()
    )
    return (
        select(QuestionnaireVersion.__table__, count.label("questions"))
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .order_by(QuestionnaireVersion.number.desc(), QuestionnaireVersion.id)
    )


def _rounds(version_ids: set[int], round_ids: set[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ReportingRound.id, ReportingRound.slug, ReportingRound.titles, ReportingRound.status,
            ReportingRound.short_version_id, ReportingRound.full_version_id, ReportingRound.institution_version_id,
        )
        .where(
            or_(
                ReportingRound.id.in_(round_ids),
                ReportingRound.short_version_id.in_(version_ids),
                ReportingRound.full_version_id.in_(version_ids),
                ReportingRound.institution_version_id.in_(version_ids),
            )
        )
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc())
    )  # fmt: skip


@dataclass(frozen=True)
class Shelved:
    """A question of the library: as its questionnaire words it now, or worded it last."""

    version_public_id: str
    questionnaire: str
    titles: Mapping[str, str]
    number: int
    code: str
    type: str
    texts: Mapping[str, Any]
    choices: Sequence[Mapping[str, Any]]


def library(session: Session, words: str = "", *, limit: int = 200, skip: int = 0) -> tuple[list[Shelved], int]:
    """Return the questions of all questionnaires that hold the words, and how many there are in all; one query.

    ``limit`` of them are returned, from the one after ``skip``. Each question stands as its newest published version
    words it, taken out or not.
    """
    newest = (
        select(VersionItem.question_id, func.max(QuestionnaireVersion.number).label("number"))
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionItem.version_id)
        .where(QuestionnaireVersion.published_at.is_not(None), VersionItem.question_id.is_not(None))
        .group_by(VersionItem.question_id)
        .subquery()
    )
    rows = session.execute(
        select(
            QuestionnaireVersion.public_id, Questionnaire.code.label("questionnaire"), Questionnaire.titles,
            QuestionnaireVersion.number, VersionItem.code, Question.type, VersionItem.texts, VersionItem.choices,
        )
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionItem.version_id)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .join(Question, Question.id == VersionItem.question_id)
        .join(
            newest,
            and_(newest.c.question_id == VersionItem.question_id, newest.c.number == QuestionnaireVersion.number),
        )
        .order_by(Questionnaire.code, VersionItem.position, VersionItem.id)
    )  # fmt: skip
    wanted = folded(words).split()
    found = [Shelved(*row) for row in rows]
    if wanted:
        found = [one for one in found if all(word in _said(one) for word in wanted)]
    return found[skip : skip + limit], len(found)


def _said(one: Shelved) -> str:
    texts = [text for said in one.texts.values() for text in said.values()]
    texts += [text for choice in one.choices for text in (choice.get("texts") or {}).values()]
    return folded(" ".join([one.code, one.questionnaire, *texts]))


def answers_of(session: Session, submission_ids: Sequence[int]) -> dict[int, dict[AnswerKey, StoredAnswer]]:
    """Return all stored answers of some replies by key, in one query."""
    found: dict[int, dict[AnswerKey, StoredAnswer]] = {one: {} for one in submission_ids}
    rows = session.execute(
        select(
            Answer.submission_id, Question.code, Answer.row, Answer.lang, Answer.value, Answer.state, Answer.typed,
            Answer.revision, Answer.question_id, Answer.message, Answer.answered_by, Answer.answered_at,
            Answer.asked_in,
        )
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id.in_(submission_ids))
        .order_by(Answer.submission_id, Answer.question_id, Answer.row, Answer.lang)
    )  # fmt: skip
    for submission_id, code, row, lang, value, state, *rest in rows:
        found[submission_id][AnswerKey(code, row, lang)] = StoredAnswer(value, state.value, *rest)
    return found


def rows_of(session: Session, submission_ids: Sequence[int]) -> dict[int, dict[RowKey, StoredRow]]:
    """Return the rows of the tables of some replies, removed ones too, in one query."""
    found: dict[int, dict[RowKey, StoredRow]] = {one: {} for one in submission_ids}
    for row in session.execute(select(AnswerRow.__table__).where(AnswerRow.submission_id.in_(submission_ids))):
        stored = StoredRow(row.parent_key, row.position, row.removed, row.revision)
        found[row.submission_id][RowKey(row.repeat, row.key)] = stored
    return found
