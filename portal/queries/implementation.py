"""State of implementation: the secretariat's consolidated state and the institutions' own answers, side by side.

Never mixed with the response rate: that counts replies, this counts recommendations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.models import (
    Actor,
    Answer,
    AnswerState,
    Assignment,
    AssignmentRecommendation,
    Implementation,
    ImplementationState,
    Institution,
    Question,
    Recommendation,
    RecommendationKind,
    RecommendationTag,
    ReportingRound,
    RoundDocument,
    SourceDocument,
    Submission,
    Tag,
    UserAccount,
    Vocabulary,
)
from portal.models.lifecycle import OPEN_TO_STAFF
from portal.queries.recommendations import cite, is_chapeau
from portal.table import Column, Table, pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from portal.table import Cell

# the question of every questionnaire that asks for the state (domain: B1); its choices are the Implementation values
OWN_STATE_QUESTION = "b1"

STATES: Mapping[Implementation, Mapping[str, str]] = {
    Implementation.NOT_STARTED: {"en": "Not started", "km": "មិនទាន់ចាប់ផ្តើម"},
    Implementation.PLANNED: {"en": "Planned", "km": "មានគម្រោង"},
    Implementation.IN_PROGRESS: {"en": "In progress", "km": "កំពុងអនុវត្ត"},
    Implementation.LARGELY_DONE: {"en": "Largely done", "km": "បានអនុវត្តភាគច្រើន"},
    Implementation.DONE: {"en": "Done and ongoing", "km": "បានអនុវត្តរួច និងបន្ត"},
    Implementation.NOT_ACCEPTED: {"en": "Not accepted or not possible", "km": "មិនទទួលយក ឬមិនអាចអនុវត្តបាន"},
}
UNSET = {"en": "No state yet", "km": "មិនទាន់មានស្ថានភាព"}


@dataclass(frozen=True)
class Consolidated:
    """A state that the secretariat set."""

    recommendation_id: int
    state: Implementation
    as_of: date
    reason: str
    set_at: datetime
    set_by: Mapping[str, str]
    round_slug: str | None
    round_titles: Mapping[str, str]
    public_id: str


@dataclass(frozen=True)
class OwnState:
    """What one institution answered about itself in a reply that it has handed in."""

    recommendation_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    role: str
    state: Implementation
    round_slug: str
    round_titles: Mapping[str, str]
    handed_in_at: datetime | None
    submission: str


def history(session: Session, ids: Iterable[int] | None = None, round_id: int | None = None) -> list[Consolidated]:
    """List consolidated states, newest first; of some recommendations, of one round, or all."""
    query = (
        select(
            ImplementationState.recommendation_id, ImplementationState.state, ImplementationState.as_of,
            ImplementationState.reason, ImplementationState.set_at, UserAccount.names, ReportingRound.slug,
            ReportingRound.titles, ImplementationState.public_id,
        )
        .outerjoin(Actor, Actor.id == ImplementationState.set_by)
        .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
        .outerjoin(ReportingRound, ReportingRound.id == ImplementationState.round_id)
        .order_by(ImplementationState.id.desc())
    )  # fmt: skip
    if ids is not None:
        query = query.where(ImplementationState.recommendation_id.in_(list(ids)))
    if round_id is not None:
        query = query.where(ImplementationState.round_id == round_id)
    return [
        Consolidated(*row[:5], row[5] or {}, row[6], row[7] or {}, row[8]) for row in session.execute(query)
    ]


def consolidated(session: Session) -> dict[int, Consolidated]:
    """Return the newest state of every recommendation that has one."""
    found: dict[int, Consolidated] = {}
    for one in history(session):
        found.setdefault(one.recommendation_id, one)
    return found


def newest(session: Session, ids: Iterable[int]) -> dict[int, Consolidated]:
    """Return the newest state of some recommendations."""
    found: dict[int, Consolidated] = {}
    for one in history(session, ids):
        found.setdefault(one.recommendation_id, one)
    return found


def own_states(
    session: Session, *, round_id: int | None = None, recommendation_id: int | None = None
) -> list[OwnState]:
    """List the institutions' own answers to question B1, of handed-in replies only, never of drafts.

    Without a round the newest answer of each institution counts for each recommendation.
    """
    query = (
        select(
            AssignmentRecommendation.recommendation_id, Institution.code, Institution.names, Assignment.role,
            Answer.value, ReportingRound.slug, ReportingRound.titles, Submission.handed_in_at,
            Submission.public_id, Submission.hidden, Question.code,
        )
        .select_from(Answer)
        .join(Submission, Submission.id == Answer.submission_id)
        .join(Question, Question.id == Answer.question_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(AssignmentRecommendation, AssignmentRecommendation.assignment_id == Assignment.id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .where(
            func.lower(Question.code) == OWN_STATE_QUESTION,
            Answer.state == AnswerState.ANSWERED,
            Submission.status.in_(sorted(OPEN_TO_STAFF)),
        )
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc(), Assignment.role.desc(), Institution.rank,
                  Institution.id, Submission.id)
    )  # fmt: skip
    if round_id is not None:
        query = query.where(Assignment.round_id == round_id)
    if recommendation_id is not None:
        query = query.where(AssignmentRecommendation.recommendation_id == recommendation_id)
    known = {state.value: state for state in Implementation}
    found: dict[tuple[int, str], OwnState] = {}
    for row in session.execute(query):
        if row.value in known and row.code not in row.hidden:
            one = OwnState(row[0], row[1], row[2], row[3].value, known[row.value], *row[5:9])
            found.setdefault((row.recommendation_id, row[1]), one)
    return list(found.values())


@dataclass(frozen=True)
class StateRow:
    """One recommendation with both views of it."""

    id: int
    public_id: str
    symbol: str
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    summary: Mapping[str, str]
    texts: Mapping[str, str]
    themes: Sequence[Mapping[str, str]]
    consolidated: Consolidated | None
    own: Sequence[OwnState]

    @property
    def citation(self) -> str:
        """Return paragraph and letter as cited."""
        return cite(self.paragraph, self.sub_item)


@dataclass(frozen=True)
class ThemeRow:
    """Consolidated states of the recommendations of one theme; a recommendation may carry several themes."""

    labels: Mapping[str, str]
    total: int
    counts: Mapping[Implementation | None, int]


@dataclass(frozen=True)
class Summary:
    """State of implementation of a set of recommendations: "x of 46", and by theme.

    ``counts`` counts recommendations by consolidated state, None for those without; ``own_counts`` counts institutions'
    own answers, and ``own_recommendations`` the recommendations that have at least one.
    """

    total: int
    counts: Mapping[Implementation | None, int]
    own_counts: Mapping[Implementation, int]
    own_recommendations: int
    themes: Sequence[ThemeRow]
    rows: Sequence[StateRow] = field(repr=False)

    def count(self, state: Implementation | None) -> int:
        """Return how many recommendations have this consolidated state."""
        return self.counts.get(state, 0)


def summary(
    session: Session,
    *,
    round_id: int | None = None,
    document_ids: Iterable[int] | None = None,
    own: bool = True,
    own_answers: Iterable[OwnState] | None = None,
) -> Summary:
    """Gather both views of all recommendations of a round, of some documents, or of the whole portal.

    Concerns and the opening words of a paragraph with sub-items are not counted. ``own`` False leaves the institutions'
    answers out, for readers who may not see answers; ``own_answers`` are those that the caller has read already. The
    number of queries does not depend on the rows.
    """
    query = counted()
    if round_id is not None:
        of_round = select(RoundDocument.document_id).where(RoundDocument.round_id == round_id)
        asked = select(AssignmentRecommendation.recommendation_id).where(AssignmentRecommendation.round_id == round_id)
        query = query.where(Recommendation.document_id.in_(of_round) | Recommendation.id.in_(asked))
    if document_ids is not None:
        query = query.where(Recommendation.document_id.in_(list(document_ids)))
    known = consolidated(session)
    answers: dict[int, list[OwnState]] = defaultdict(list)
    if own_answers is None:
        own_answers = own_states(session, round_id=round_id) if own else ()
    for one in own_answers:
        answers[one.recommendation_id].append(one)
    themes = themes_of(session)
    rows = [
        StateRow(
            *row, themes=[labels for _, labels in themes.get(row.id, ())], consolidated=known.get(row.id),
            own=tuple(answers.get(row.id, ())),
        )
        for row in session.execute(query)
    ]  # fmt: skip
    return _sum(rows, themes)


def counted() -> Select[int, str, str, str, str, dict[str, str], dict[str, str], dict[str, str]]:
    """Return the query of all recommendations that are counted, in the order of their documents.

    Columns: id, public_id, symbol, paragraph, sub_item, heading, summary, texts.
    """
    return (
        select(
            Recommendation.id, Recommendation.public_id, SourceDocument.symbol, Recommendation.paragraph,
            Recommendation.sub_item, Recommendation.heading, Recommendation.summary, Recommendation.texts,
        )
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .where(
            Recommendation.kind == RecommendationKind.RECOMMENDATION, Recommendation.archived.is_(False),
            ~is_chapeau(),
        )
        .order_by(SourceDocument.published_on.desc(), SourceDocument.id, Recommendation.position, Recommendation.id)
    )  # fmt: skip


def themes_of(session: Session) -> dict[int, list[tuple[int, Mapping[str, str]]]]:
    """Return the themes of every recommendation that has any: (id, labels)."""
    found: dict[int, list[tuple[int, Mapping[str, str]]]] = defaultdict(list)
    query = (
        select(RecommendationTag.recommendation_id, Tag.id, Tag.labels)
        .join(Tag, Tag.id == RecommendationTag.tag_id)
        .where(Tag.vocabulary == Vocabulary.THEME)
        .order_by(Tag.rank, Tag.key)
    )
    for row in session.execute(query):
        found[row.recommendation_id].append((row.id, row.labels))
    return found


def _sum(rows: Sequence[StateRow], themes: Mapping[int, Sequence[tuple[int, Mapping[str, str]]]]) -> Summary:
    counts: Counter[Implementation | None] = Counter()
    own: Counter[Implementation] = Counter()
    by_theme: dict[int, Counter[Implementation | None]] = defaultdict(Counter)
    labels: dict[int, Mapping[str, str]] = {}
    for row in rows:
        state = row.consolidated.state if row.consolidated else None
        counts[state] += 1
        own.update(one.state for one in row.own)
        for theme, names in themes.get(row.id, ()):
            labels[theme] = names
            by_theme[theme][state] += 1
    theme_rows = [ThemeRow(labels[theme], count.total(), dict(count)) for theme, count in by_theme.items()]
    theme_rows.sort(key=lambda one: (-one.total, pick(one.labels, "en")))
    return Summary(len(rows), dict(counts), dict(own), sum(1 for row in rows if row.own), theme_rows, rows)


def summary_table(found: Summary, language: str = "en", languages: Sequence[str] = ()) -> Table:
    """Return "how many recommendations stand where" as a table for the workbook."""
    columns = (
        Column("state", {"en": "State of implementation", "km": "ស្ថានភាពអនុវត្ត"}, width=34),
        Column(
            "recommendations",
            {"en": "Recommendations", "km": "អនុសាសន៍"},
            "integer",
            width=18,
            help={
                "en": "Recommendations with this consolidated state of the secretariat.",
                "km": "ចំនួនអនុសាសន៍ដែលលេខាធិការដ្ឋានបានកំណត់ស្ថានភាពនេះ។",
            },
        ),
        Column("of", {"en": "Of", "km": "ក្នុងចំណោម"}, "integer", width=10),
        Column("share", {"en": "Share", "km": "ភាគរយ"}, "percent", width=10),
        Column(
            "own_answers",
            {"en": "Institutions' own answers", "km": "ចម្លើយរបស់ស្ថាប័ន"},
            "integer",
            width=22,
            help={
                "en": "Answers to question B1 in replies that were handed in; one recommendation may have several.",
                "km": "ចម្លើយចំពោះសំណួរ B1 ក្នុងចម្លើយតបដែលបានដាក់ជូន។ អនុសាសន៍មួយអាចមានចម្លើយច្រើន។",
            },
        ),
    )
    rows: list[Sequence[Cell]] = []
    for state in (*Implementation, None):
        count = found.count(state)
        name = pick(STATES[state] if state else UNSET, language, languages)
        share = count / found.total if found.total else None
        rows.append((name, count, found.total, share, found.own_counts.get(state, 0) if state else None))
    return Table("Implementation", {"en": "State of implementation", "km": "ស្ថានភាពអនុវត្ត"}, columns, rows)


def theme_table(found: Summary, language: str, languages: Sequence[str] = ()) -> Table:
    """Return consolidated states by theme as a table; a recommendation counts under each of its themes."""
    columns = (
        Column("theme", {"en": "Theme", "km": "ប្រធានបទ"}, width=44, wrap=True),
        Column("total", {"en": "Recommendations", "km": "អនុសាសន៍"}, "integer", width=18),
        *(Column(state.value, names, "integer") for state, names in STATES.items()),
        Column("unset", UNSET, "integer"),
    )
    rows: list[Sequence[Cell]] = []
    for one in found.themes:
        counts: list[Cell] = [one.counts.get(state, 0) for state in (*Implementation, None)]
        rows.append((pick(one.labels, language, languages), one.total, *counts))
    return Table("Implementation by theme", {"en": "State by theme", "km": "ស្ថានភាពតាមប្រធានបទ"}, columns, rows)


def state_table(found: Summary, language: str, languages: Sequence[str] = ()) -> Table:
    """Return one row per recommendation: consolidated state with day and reason, and each institution's own answer."""
    columns = (
        Column("document", {"en": "Document", "km": "ឯកសារ"}, width=20),
        Column("paragraph", {"en": "Paragraph", "km": "កថាខណ្ឌ"}, width=12),
        Column("recommendation", {"en": "Recommendation", "km": "អនុសាសន៍"}, width=60, wrap=True),
        Column("state", {"en": "Consolidated state", "km": "ស្ថានភាពរួម"}, width=26),
        Column("as_of", {"en": "As of", "km": "គិតត្រឹម"}, "date", width=14),
        Column("reason", {"en": "Reason", "km": "មូលហេតុ"}, width=50, wrap=True),
        Column("own", {"en": "Institutions' own answers", "km": "ចម្លើយរបស់ស្ថាប័ន"}, width=50, wrap=True),
    )
    return Table(
        "States",
        {"en": "State of each recommendation", "km": "ស្ថានភាពនៃអនុសាសន៍នីមួយៗ"},
        columns,
        [_state_cells(row, language, languages) for row in found.rows],
    )


def _state_cells(row: StateRow, language: str, languages: Sequence[str]) -> Sequence[Cell]:
    own = "\n".join(
        f"{pick(one.institution_names, language, languages)}: {pick(STATES[one.state], language, languages)}"
        for one in row.own
    )
    text = pick(row.summary, language, languages) or pick(row.texts, language, languages)
    known = row.consolidated
    state = pick(STATES[known.state] if known else UNSET, language, languages)
    return (
        row.symbol, row.citation, text, state, known.as_of if known else None, known.reason if known else None, own,
    )  # fmt: skip
