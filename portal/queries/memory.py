"""What an institution answered before: in earlier rounds to the same recommendation, or elsewhere to one indicator.

Only ever the institution's own words: the one condition that no caller can leave out is whose they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal, or_, select, tuple_, union

from forms.question_types import question_type
from forms.tables import table_of
from portal.models import (
    Answer,
    Assignment,
    AssignmentRecommendation,
    EarlierVerdict,
    Participation,
    Question,
    Recollection,
    Recommendation,
    RecommendationOrigin,
    ReportingRound,
    Submission,
    VersionItem,
    WholeVerdict,
)
from portal.models.lifecycle import OPEN_TO_STAFF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.queries.submissions import SubmissionHead

MOST = 3  # answers of other recommendations that one question is offered
# controls whose answers can stand in another reply: a file belongs to the reply it was given with
_TAKEN_OVER = frozenset({"text", "choice", "choices", "date", "rank"})


@dataclass
class Earlier:
    """An answer given before: ``elsewhere`` is true for the same indicator asked by another recommendation.

    ``answers`` are its values and states by language; ``verdict`` is what was said of it here, with the revision that
    the answer here became by it.
    """

    code: str
    source_id: int
    source: str
    source_code: str
    source_question_id: int
    assignment_id: int
    round_slug: str
    round_titles: Mapping[str, str]
    elsewhere: bool
    verdict: Recollection | None
    verdict_revision: int
    type: str
    answers: dict[str, tuple[Any, str]] = field(default_factory=dict)
    at: datetime | None = None


def indicators(items: Iterable[Item]) -> dict[str, list[str]]:
    """Return the codes of the questions that say which indicator they ask for, by indicator."""
    found: dict[str, list[str]] = {}
    for item in items:
        if name := str(item.settings.get("indicator") or "").strip():
            found.setdefault(name, []).append(item.code)
    return found


def asks_indicators(definition: Definition) -> bool:
    """Tell whether a questionnaire asks for an indicator that another one may ask for too."""
    kept = vars(definition)
    if "_indicators" not in kept:
        kept["_indicators"] = bool(indicators(item for page in definition.pages for item in page.items()))
    return bool(kept["_indicators"])


def rememberable(definition: Definition, items: Iterable[Item]) -> list[Item]:
    """Return those questions whose earlier answers can stand beside them: outside tables, typed in by hand."""
    return [
        item
        for item in items
        if item.kind == "question"
        and not item.calculation
        and question_type(item.type).asks
        and question_type(item.type).control in _TAKEN_OVER
        and table_of(definition, item.code) is None
    ]


def earlier(
    session: Session, head: SubmissionHead, definition: Definition, items: Iterable[Item]
) -> dict[str, list[Earlier]]:
    """Return by question what the institution answered before, the newest first; one query, or none.

    Of an indicator asked elsewhere the newest count, whatever the round: a figure of today is better than one of May.

    No query where the institution never handed in anything (``head.remembers``) and no indicator is asked.
    """
    asked = rememberable(definition, items)
    wanted = indicators(asked)
    codes = [item.code for item in asked] if head.remembers else []
    if not codes and not wanted:
        return {}
    found: dict[str, list[Earlier]] = {}
    seen: dict[tuple[str, int, int], Earlier] = {}
    for row in session.execute(_statement(head, codes, sorted(wanted))):
        places = [row.code] if row.same else wanted.get(row.indicator or "", ())
        for code in places:
            key = (code, row.source_id, row.question_id)
            # the rows of earlier rounds come first, the newest round before the others: that one is enough
            if key not in seen and not (found.get(code) and not found[code][-1].elsewhere):
                seen[key] = _earlier(row, code)
                found.setdefault(code, []).append(seen[key])
            if key in seen:
                seen[key].answers[row.lang] = (row.value, row.state.value)
                seen[key].at = max(filter(None, (seen[key].at, row.answered_at)), default=None)
    return {code: sorted(many, key=_age)[:MOST] for code, many in found.items()}


def _age(one: Earlier) -> tuple[bool, float, int]:
    """Put the answer of an earlier round first, then the newest of those given elsewhere."""
    return one.elsewhere, -one.at.timestamp() if one.at is not None else 0.0, one.source_id


def _earlier(row: Any, code: str) -> Earlier:
    return Earlier(
        code, row.source_id, row.source, row.code, row.question_id, row.assignment_id, row.slug, row.titles,
        not row.same, row.verdict, row.verdict_revision or 0, row.type,
    )  # fmt: skip


def _statement(head: SubmissionHead, codes: Sequence[str], wanted: Sequence[str]) -> Select[Any]:
    indicator = VersionItem.settings["indicator"].as_string()
    same = _same(head, codes)
    chosen = [same]
    if wanted:
        chosen.append(indicator.in_(wanted))
    return (
        select(
            Submission.id.label("source_id"),
            Submission.public_id.label("source"),
            Assignment.id.label("assignment_id"),
            ReportingRound.slug,
            ReportingRound.titles,
            Question.id.label("question_id"),
            Question.code,
            Question.type,
            Answer.lang,
            Answer.value,
            Answer.state,
            Answer.answered_at,
            indicator.label("indicator"),
            same.label("same"),
            EarlierVerdict.verdict,
            EarlierVerdict.revision.label("verdict_revision"),
        )
        .select_from(Participation)
        .join(Assignment, Assignment.participation_id == Participation.id)
        .join(Submission, Submission.assignment_id == Assignment.id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(Answer, Answer.submission_id == Submission.id)
        .join(Question, Question.id == Answer.question_id)
        .outerjoin(
            VersionItem,
            and_(VersionItem.version_id == Answer.asked_in, VersionItem.question_id == Answer.question_id),
        )
        .outerjoin(
            EarlierVerdict,
            and_(
                EarlierVerdict.submission_id == head.id,
                EarlierVerdict.source_id == Submission.id,
                EarlierVerdict.source_question_id == Question.id,
            ),
        )
        .where(
            # never anybody else's
            Participation.institution_id == head.institution_id,
            Submission.id != head.id,
            Answer.row == "",
            Answer.typed.is_(None),
            or_(Answer.value.is_not(None), Answer.state != "answered"),
            or_(*chosen),
        )
        .order_by(same.desc(), ReportingRound.opens_on.desc(), ReportingRound.id.desc(), Submission.id, Answer.lang)
    )


def _same(head: SubmissionHead, codes: Sequence[str]) -> ColumnElement[bool]:
    """Return what makes an answer the earlier one to this very question: an earlier round, handed in, same matter."""
    if not codes:
        return literal(value=False)
    return and_(
        Question.code.in_(codes),
        Submission.status.in_(sorted(OPEN_TO_STAFF)),
        _before(head),
    )


def _before(head: SubmissionHead) -> ColumnElement[bool]:
    """Return what makes a reply one of an earlier round to the same matter."""
    here = select(ReportingRound.opens_on, ReportingRound.id).where(ReportingRound.id == head.round_id)
    about = (
        Assignment.about_institution.is_(True)
        if head.about_institution
        else select(literal(1))
        .where(
            AssignmentRecommendation.assignment_id == Assignment.id,
            AssignmentRecommendation.recommendation_id.in_(_matter(head)),
        )
        .exists()
    )
    return and_(tuple_(ReportingRound.opens_on, ReportingRound.id) < here.scalar_subquery(), about)


def _matter(head: SubmissionHead) -> Select[Any]:
    """Return the recommendations of a reply, those they repeat, and what is paired with any of them."""
    line = (
        select(AssignmentRecommendation.recommendation_id.label("id"))
        .where(AssignmentRecommendation.assignment_id == head.assignment_id)
        .cte("line", recursive=True)
    )
    line = line.union(
        select(RecommendationOrigin.earlier_id).join(line, line.c.id == RecommendationOrigin.recommendation_id)
    )
    paired = Recommendation.__table__.alias("paired")
    both = union(
        select(line.c.id),
        select(paired.c.pair_id).where(paired.c.id.in_(select(line.c.id)), paired.c.pair_id.is_not(None)),
        select(paired.c.id).where(paired.c.pair_id.in_(select(line.c.id))),
    ).subquery("matter")
    return select(both.c.id)


@dataclass(frozen=True)
class Source:
    """An earlier reply of the institution's to the same matter, as it was handed in."""

    id: int
    public_id: str
    round_titles: Mapping[str, str]


def earlier_source(session: Session, head: SubmissionHead, codes: Sequence[str]) -> Source | None:
    """Return the newest reply of an earlier round in which one of these questions, columns or files has an answer."""
    if not codes or not head.remembers:
        return None
    row = session.execute(
        select(Submission.id, Submission.public_id, ReportingRound.titles)
        .select_from(Participation)
        .join(Assignment, Assignment.participation_id == Participation.id)
        .join(Submission, Submission.assignment_id == Assignment.id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(Answer, Answer.submission_id == Submission.id)
        .join(Question, Question.id == Answer.question_id)
        .where(
            # never anybody else's
            Participation.institution_id == head.institution_id,
            Submission.id != head.id,
            or_(Answer.value.is_not(None), Answer.state != "answered"),
            _same(head, codes),
        )
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc(), Submission.id)
        .limit(1)
    ).first()
    return Source(row.id, row.public_id, row.titles) if row is not None else None


def whole_verdicts(session: Session, submission_id: int) -> dict[tuple[int, str, str], Recollection]:
    """Return what was said of earlier tables and files: by source, code and sha256 ("" for a table); one query."""
    rows = session.execute(
        select(WholeVerdict.source_id, WholeVerdict.code, WholeVerdict.sha256, WholeVerdict.verdict)
        .where(WholeVerdict.submission_id == submission_id)
        .order_by(WholeVerdict.source_id, WholeVerdict.code, WholeVerdict.sha256)
    )
    return {(source, code, sha256): verdict for source, code, sha256, verdict in rows}


@dataclass(frozen=True)
class Confirmed:
    """An earlier answer that was called still true, and stands here unchanged at this revision."""

    revision: int
    round_titles: Mapping[str, str]


def confirmed(session: Session, head: SubmissionHead) -> dict[str, Confirmed]:
    """Return by question what was taken over from an earlier round as still true; one query.

    What was copied from another recommendation, where the same indicator is asked, was not confirmed.
    """
    copied = Question.__table__.alias("copied")
    rows = session.execute(
        select(Question.code, EarlierVerdict.revision, ReportingRound.titles)
        .join(Question, Question.id == EarlierVerdict.question_id)
        .join(Submission, Submission.id == EarlierVerdict.source_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(copied, copied.c.id == EarlierVerdict.source_question_id)
        .where(
            EarlierVerdict.submission_id == head.id,
            copied.c.code == Question.code,
            _before(head),
            EarlierVerdict.verdict == Recollection.STILL_TRUE,
            EarlierVerdict.revision > 0,
        )
        .order_by(EarlierVerdict.decided_at, EarlierVerdict.id)
    )
    return {code: Confirmed(revision, titles) for code, revision, titles in rows}
