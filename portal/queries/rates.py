"""Response rates of a round: overall, by institution, by recommendation, by theme, always with both counts.

The words are those of the design: *received* = submitted, returned, cleared or confirmed not ours; the rate is
received over issued, what was withdrawn left out; *on time* = received, and first handed in on or before the due date
in force, as a day in the country's time zone (recall and reopen cancel it, a return does not). The questions asked
once about an institution are not counted. Replies whose signature is to follow are received, and counted apart too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.models import (
    Assignment,
    AssignmentRecommendation,
    AssignmentRole,
    Institution,
    Mechanism,
    Participation,
    Recommendation,
    RecommendationTag,
    ReportingRound,
    Signature,
    SourceDocument,
    Status,
    Submission,
    Tag,
    Vocabulary,
)
from portal.models.lifecycle import RECEIVED
from portal.queries.submissions import due_in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Reply:
    """One issued assignment with its reply, as far as counting goes.

    ``handed_in_on`` is the local day of the first hand-in that counts, ``days_late`` the days since the due date while
    nothing is received (0: not late), ``saved_at`` the last save.
    """

    submission_id: int
    public_id: str
    institution_id: int
    role: AssignmentRole
    status: Status
    signature: Signature | None
    under_review: bool
    hand_in: int
    due_on: date
    handed_in_at: datetime | None
    saved_at: datetime | None
    answered: int
    asked: int
    recommendation_ids: tuple[int, ...]
    handed_in_on: date | None
    days_late: int

    @property
    def received(self) -> bool:
        """Return whether it counts as received."""
        return self.status in RECEIVED

    @property
    def on_time(self) -> bool:
        """Return whether it is received and was first handed in by its due date."""
        return self.received and self.handed_in_on is not None and self.handed_in_on <= self.due_on

    @property
    def unsigned(self) -> bool:
        """Return whether it is received and its signature is to follow."""
        return self.received and self.signature is Signature.PENDING


@dataclass(frozen=True)
class Count:
    """Both counts of a rate, and what stands beside them; ``statuses`` counts every reply, the withdrawn ones too."""

    issued: int = 0
    received: int = 0
    on_time: int = 0
    unsigned: int = 0
    late: int = 0
    statuses: Mapping[Status, int] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Return received over issued, 0 to 1; None where nothing was issued."""
        return self.received / self.issued if self.issued else None

    @property
    def on_time_rate(self) -> float | None:
        """Return on time over issued, 0 to 1; None where nothing was issued."""
        return self.on_time / self.issued if self.issued else None

    @property
    def outstanding(self) -> int:
        """Return how many are issued and not received."""
        return self.issued - self.received

    def of(self, *statuses: Status) -> int:
        """Return how many replies have one of these statuses."""
        return sum(self.statuses.get(status, 0) for status in statuses)


def count(replies: Iterable[Reply]) -> Count:
    """Count replies; each counts once."""
    issued = received = on_time = unsigned = late = 0
    statuses: Counter[Status] = Counter()
    for reply in replies:
        statuses[reply.status] += 1
        if reply.status is Status.WITHDRAWN:
            continue
        issued += 1
        received += reply.received
        on_time += reply.on_time
        unsigned += reply.unsigned
        late += reply.days_late > 0
    return Count(issued, received, on_time, unsigned, late, dict(statuses))


@dataclass(frozen=True)
class InstitutionRate:
    """What one institution was asked in a round and what came back."""

    id: int
    public_id: str
    code: str
    names: Mapping[str, str]
    extended_to: date | None
    replies: tuple[Reply, ...]
    count: Count

    @property
    def days_late(self) -> int:
        """Return how late its latest reply is, in days."""
        return max((reply.days_late for reply in self.replies), default=0)


@dataclass(frozen=True)
class RecommendationRate:
    """Who was asked about one recommendation and what came back; a reply that covers several counts for each."""

    id: int
    public_id: str
    document_id: int
    symbol: str
    mechanism: str
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    summary: Mapping[str, str]
    texts: Mapping[str, str]
    replies: tuple[Reply, ...]
    count: Count

    @property
    def citation(self) -> str:
        """Return paragraph and sub-item as cited."""
        return f"{self.paragraph} ({self.sub_item.strip('()')})" if self.sub_item else self.paragraph


@dataclass(frozen=True)
class ThemeRate:
    """What was asked under one theme; a reply counts once for each theme of its recommendations."""

    id: int
    labels: Mapping[str, str]
    count: Count


@dataclass(frozen=True)
class Rates:
    """All rates of one round; institutions in protocol order, recommendations in the order of their documents."""

    overall: Count
    institutions: tuple[InstitutionRate, ...]
    recommendations: tuple[RecommendationRate, ...]
    themes: tuple[ThemeRate, ...]
    replies: tuple[Reply, ...]

    @property
    def late(self) -> list[InstitutionRate]:
        """Return the institutions that are late, the latest first, else in protocol order."""
        found = [one for one in self.institutions if one.days_late]
        return sorted(found, key=lambda one: -one.days_late)


def rates(session: Session, round_id: int, *, today: date, time_zone: str) -> Rates:
    """Count a whole round; four queries, however many rows."""
    replies = replies_of(session, round_id, today=today, time_zone=time_zone)
    by_institution: dict[int, list[Reply]] = defaultdict(list)
    by_recommendation: dict[int, list[Reply]] = defaultdict(list)
    for reply in replies:
        by_institution[reply.institution_id].append(reply)
        for recommendation_id in reply.recommendation_ids:
            by_recommendation[recommendation_id].append(reply)
    return Rates(
        overall=count(replies),
        institutions=_institutions(session, round_id, by_institution),
        recommendations=_recommendations(session, round_id, by_recommendation),
        themes=_themes(session, round_id, by_recommendation),
        replies=tuple(replies),
    )


def replies_of(session: Session, round_id: int, *, today: date, time_zone: str) -> list[Reply]:
    """Return every issued assignment about recommendations of a round, in protocol order; one query."""
    zone = ZoneInfo(time_zone)
    rows = session.execute(
        select(
            Submission.id,
            Submission.public_id,
            Assignment.institution_id,
            Assignment.role,
            Submission.status,
            Submission.signature,
            Submission.under_review,
            Submission.hand_in,
            due_in_force().label("due_on"),
            Submission.handed_in_at,
            Submission.saved_at,
            Submission.answered,
            Submission.asked,
            AssignmentRecommendation.recommendation_id,
        )
        .select_from(Submission)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(Participation, Participation.id == Assignment.participation_id)
        .outerjoin(AssignmentRecommendation, AssignmentRecommendation.assignment_id == Assignment.id)
        .where(Assignment.round_id == round_id, Assignment.about_institution.is_(False))
        .order_by(
            Institution.rank,
            Institution.id,
            Assignment.position,
            Assignment.id,
            AssignmentRecommendation.recommendation_id,
        )
    )
    facts: dict[int, Row[Any]] = {}
    asked: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        facts[row.id] = row
        if row.recommendation_id is not None:
            asked[row.id].append(row.recommendation_id)
    return [_reply(row, tuple(asked[number]), today, zone) for number, row in facts.items()]


def _reply(row: Row[Any], recommendation_ids: tuple[int, ...], today: date, zone: ZoneInfo) -> Reply:
    waiting = row.status not in RECEIVED and row.status is not Status.WITHDRAWN
    days_late = max((today - row.due_on).days, 0) if waiting else 0
    facts: list[Any] = list(row)[:-1]
    facts += [recommendation_ids, _day(row.handed_in_at, zone), days_late]
    return Reply(*facts)


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone).date()


def _institutions(
    session: Session, round_id: int, replies: Mapping[int, Sequence[Reply]]
) -> tuple[InstitutionRate, ...]:
    rows = session.execute(
        select(
            Institution.id, Institution.public_id, Institution.code, Institution.names, Participation.extended_to
        )
        .join(Participation, Participation.institution_id == Institution.id)
        .where(Participation.round_id == round_id)
        .order_by(Institution.rank, Institution.id)
    )  # fmt: skip
    return tuple(
        InstitutionRate(*row, tuple(replies[row.id]), count(replies[row.id])) for row in rows if row.id in replies
    )


def _recommendations(
    session: Session, round_id: int, replies: Mapping[int, Sequence[Reply]]
) -> tuple[RecommendationRate, ...]:
    asked = select(AssignmentRecommendation.recommendation_id).where(AssignmentRecommendation.round_id == round_id)
    rows = session.execute(
        select(
            Recommendation.id,
            Recommendation.public_id,
            Recommendation.document_id,
            SourceDocument.symbol,
            Mechanism.code,
            Recommendation.paragraph,
            Recommendation.sub_item,
            Recommendation.heading,
            Recommendation.summary,
            Recommendation.texts,
        )
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .join(Mechanism, Mechanism.id == SourceDocument.mechanism_id)
        .where(Recommendation.id.in_(asked))
        .order_by(Mechanism.rank, SourceDocument.symbol, Recommendation.position, Recommendation.id)
    )
    found: list[list[Any]] = [list(row) for row in rows if row.id in replies]
    for facts in found:
        mine = replies[facts[0]]
        facts += [tuple(mine), count(mine)]
    return tuple(RecommendationRate(*facts) for facts in found)


def _themes(session: Session, round_id: int, replies: Mapping[int, Sequence[Reply]]) -> tuple[ThemeRate, ...]:
    asked = select(AssignmentRecommendation.recommendation_id).where(AssignmentRecommendation.round_id == round_id)
    rows = session.execute(
        select(Tag.id, Tag.labels, RecommendationTag.recommendation_id)
        .join(RecommendationTag, RecommendationTag.tag_id == Tag.id)
        .where(Tag.vocabulary == Vocabulary.THEME, RecommendationTag.recommendation_id.in_(asked))
        .order_by(Tag.rank, Tag.key, Tag.id)
    )
    labels: dict[int, Mapping[str, str]] = {}
    under: dict[int, dict[int, Reply]] = defaultdict(dict)
    for tag_id, names, recommendation_id in rows:
        labels[tag_id] = names
        under[tag_id] |= {reply.submission_id: reply for reply in replies.get(recommendation_id, ())}
    return tuple(ThemeRate(tag_id, labels[tag_id], count(found.values())) for tag_id, found in under.items() if found)


@dataclass(frozen=True)
class RoundLine:
    """A round of the list, with its counts."""

    id: int
    slug: str
    titles: Mapping[str, str]
    status: str
    opens_on: date
    due_on: date
    closes_on: date
    freezes_on: date
    un_due_on: date | None
    assigned: int
    waiting_to_issue: int
    issued: int
    received: int
    to_review: int
    claims: int


def round_lines(session: Session) -> list[RoundLine]:
    """List all rounds, the newest first, with what a list needs of each; two queries."""
    counted: dict[int, Counter[Status | None]] = defaultdict(Counter)
    rows = session.execute(
        select(Assignment.round_id, Submission.status, func.count())
        .outerjoin(Submission, Submission.assignment_id == Assignment.id)
        .where(Assignment.about_institution.is_(False))
        .group_by(Assignment.round_id, Submission.status)
        .order_by(Assignment.round_id, Submission.status)
    )
    for round_id, status, number in rows:
        counted[round_id][status] += number
    found = session.scalars(
        select(ReportingRound).order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc())
    ).all()
    return [_line(of, counted[of.id]) for of in found]


def _line(of: ReportingRound, counts: Counter[Status | None]) -> RoundLine:
    return RoundLine(
        of.id, of.slug, of.titles, of.status.value, of.opens_on, of.due_on, of.closes_on, of.freezes_on, of.un_due_on,
        assigned=counts.total(),
        waiting_to_issue=counts[None],
        issued=counts.total() - counts[None] - counts[Status.WITHDRAWN],
        received=sum(counts[status] for status in RECEIVED),
        to_review=counts[Status.SUBMITTED],
        claims=counts[Status.CLAIMED],
    )  # fmt: skip
