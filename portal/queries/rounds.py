"""Reporting rounds as stored: the round, its assignment matrix, and what each institution will get."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import aliased

from portal.models import (
    Assignment,
    AssignmentRecommendation,
    AssignmentRole,
    Institution,
    Mechanism,
    QuestionnaireVersion,
    Recommendation,
    RecommendationKind,
    RecommendationTag,
    ReportingRound,
    RoundDocument,
    SourceDocument,
    Status,
    Submission,
    Tag,
    TextStatus,
    Vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session


def find_round(session: Session, slug: str) -> ReportingRound | None:
    """Find a round by its slug."""
    return session.scalar(select(ReportingRound).where(ReportingRound.slug == slug))


@dataclass(frozen=True)
class DocumentHead:
    """A source document as a round names it."""

    id: int
    symbol: str
    titles: Mapping[str, str]
    mechanism: str
    mechanism_names: Mapping[str, str]
    recommendations: int


def documents(session: Session, round_id: int | None = None) -> list[DocumentHead]:
    """List all source documents, or those of a round, with the number of things that can be assigned in each."""
    count = (
        select(func.count(Recommendation.id))
        .where(
            Recommendation.document_id == SourceDocument.id,
            Recommendation.kind == RecommendationKind.RECOMMENDATION,
            Recommendation.archived.is_(False),
        )
        .correlate(SourceDocument)
        .scalar_subquery()
    )
    wanted = (
        select(
            SourceDocument.id,
            SourceDocument.symbol,
            SourceDocument.titles,
            Mechanism.code,
            Mechanism.names,
            count.label("recommendations"),
        )
        .join(Mechanism, Mechanism.id == SourceDocument.mechanism_id)
        .order_by(Mechanism.rank, SourceDocument.symbol, SourceDocument.id)
    )
    if round_id is not None:
        wanted = wanted.join(RoundDocument, RoundDocument.document_id == SourceDocument.id).where(
            RoundDocument.round_id == round_id
        )
    return [DocumentHead(*row) for row in session.execute(wanted)]


@dataclass(frozen=True)
class AskedItem:
    """One recommendation or sub-item that can be assigned."""

    id: int
    public_id: str
    document_id: int
    symbol: str
    paragraph: str
    sub_item: str
    position: int
    heading: Mapping[str, str]
    texts: Mapping[str, str]
    summary: Mapping[str, str]
    text_status: TextStatus
    follow_up: bool


@dataclass(frozen=True)
class Paragraph:
    """A row of the matrix: a paragraph with everything in it that can be assigned, usually in one reply."""

    items: tuple[AskedItem, ...]
    tags: frozenset[int] = frozenset()

    @property
    def first(self) -> AskedItem:
        """Return the first of its items, which names the row."""
        return self.items[0]

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the recommendations it covers."""
        return tuple(item.id for item in self.items)

    @property
    def label(self) -> str:
        """Return how it is cited: ``8`` or ``8 (a)-(c)``."""
        return citation(self.first.paragraph, [item.sub_item for item in self.items])


def citation(paragraph: str, sub_items: Sequence[str]) -> str:
    """Return ``8``, ``8 (a)``, ``8 (a)–(c)`` or ``8 (a), (d)``; sub-items stand in the order of the document."""
    marks = [f"({mark.strip('()')})" for mark in sub_items if mark]
    if not marks:
        return paragraph
    letters = [mark.strip("()") for mark in marks]
    run = all(len(one) == 1 for one in letters) and all(
        ord(after) - ord(before) == 1 for before, after in pairwise(letters)
    )
    return f"{paragraph} {marks[0]}–{marks[-1]}" if run and len(marks) > 2 else f"{paragraph} {', '.join(marks)}"


def paragraphs(session: Session, round_id: int) -> list[Paragraph]:
    """List what a round can assign, by document and paragraph; an introduction of sub-items is not asked by itself."""
    rows = session.execute(
        select(
            Recommendation.id,
            Recommendation.public_id,
            Recommendation.document_id,
            SourceDocument.symbol,
            Recommendation.paragraph,
            Recommendation.sub_item,
            Recommendation.position,
            Recommendation.heading,
            Recommendation.texts,
            Recommendation.summary,
            Recommendation.text_status,
            Recommendation.follow_up,
        )
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .join(RoundDocument, RoundDocument.document_id == SourceDocument.id)
        .join(Mechanism, Mechanism.id == SourceDocument.mechanism_id)
        .where(
            RoundDocument.round_id == round_id,
            Recommendation.kind == RecommendationKind.RECOMMENDATION,
            Recommendation.archived.is_(False),
        )
        .order_by(Mechanism.rank, SourceDocument.symbol, Recommendation.position, Recommendation.id)
    )
    grouped: dict[tuple[int, str], list[AskedItem]] = {}
    for number, row in enumerate(rows):
        item = AskedItem(**row._mapping)  # noqa: SLF001 - the documented way to a mapping
        # what has no paragraph number (an import that carries none) stands by itself
        grouped.setdefault((item.document_id, item.paragraph or f"#{number}"), []).append(item)
    tags: dict[int, set[int]] = {}
    for recommendation_id, tag_id in session.execute(
        select(RecommendationTag.recommendation_id, RecommendationTag.tag_id)
        .join(Recommendation, Recommendation.id == RecommendationTag.recommendation_id)
        .join(RoundDocument, RoundDocument.document_id == Recommendation.document_id)
        .where(RoundDocument.round_id == round_id)
    ):
        tags.setdefault(recommendation_id, set()).add(tag_id)
    return [
        Paragraph(
            kept := tuple(item for item in items if item.sub_item) or tuple(items),
            frozenset(tag for item in kept for tag in tags.get(item.id, ())),
        )
        for items in grouped.values()
    ]


@dataclass(frozen=True)
class Column:
    """A column of the matrix: an institution."""

    id: int
    public_id: str
    code: str
    names: Mapping[str, str]
    active: bool


def institutions(session: Session, round_id: int | None = None) -> list[Column]:
    """List institutions in protocol order: the active ones, and those that take part though switched off."""
    takes_part = select(Assignment.institution_id).where(Assignment.round_id == round_id)
    rows = session.execute(
        select(Institution.id, Institution.public_id, Institution.code, Institution.names, Institution.active)
        .where(or_(Institution.active.is_(True), Institution.id.in_(takes_part)))
        .order_by(Institution.rank, Institution.id)
    )
    return [Column(*row) for row in rows]


@dataclass
class Ask:
    """An assignment as the matrix sees it.

    ``version_id`` is what the round issues of its questionnaire now; the assignment may have stayed on an earlier one.
    """

    id: int
    public_id: str
    institution_id: int
    role: AssignmentRole
    version_id: int
    about_institution: bool = False
    issued: bool = False
    status: Status | None = None
    recommendation_ids: tuple[int, ...] = field(default=())

    @property
    def standing(self) -> bool:
        """Return whether it counts: neither withdrawn nor found to be another's."""
        return self.status not in {Status.WITHDRAWN, Status.NOT_OURS}


def asks(session: Session, round_id: int) -> list[Ask]:
    """List a round's assignments with the recommendations each covers; one query."""
    of, short, full = QuestionnaireVersion, aliased(QuestionnaireVersion), aliased(QuestionnaireVersion)
    issued_now = case(
        (Assignment.version_id.in_([ReportingRound.short_version_id, ReportingRound.full_version_id]), None),
        (of.questionnaire_id == full.questionnaire_id, full.id),
        (of.questionnaire_id == short.questionnaire_id, short.id),
    )
    rows = session.execute(
        select(
            Assignment.id,
            Assignment.public_id,
            Assignment.institution_id,
            Assignment.role,
            func.coalesce(issued_now, Assignment.version_id).label("version_id"),
            Assignment.about_institution,
            Assignment.issued_at,
            Submission.status,
            AssignmentRecommendation.recommendation_id,
        )
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(of, of.id == Assignment.version_id)
        .outerjoin(short, short.id == ReportingRound.short_version_id)
        .outerjoin(full, full.id == ReportingRound.full_version_id)
        .outerjoin(AssignmentRecommendation, AssignmentRecommendation.assignment_id == Assignment.id)
        .outerjoin(Submission, Submission.assignment_id == Assignment.id)
        .where(Assignment.round_id == round_id)
        .order_by(Assignment.position, Assignment.id, AssignmentRecommendation.recommendation_id)
    )
    found: dict[int, Ask] = {}
    for row in rows:
        ask = found.get(row.id)
        if ask is None:
            ask = found[row.id] = Ask(
                id=row.id,
                public_id=row.public_id,
                institution_id=row.institution_id,
                role=row.role,
                version_id=row.version_id,
                about_institution=row.about_institution,
                issued=row.issued_at is not None,
                status=row.status,
            )
        if row.recommendation_id is not None:
            ask.recommendation_ids = (*ask.recommendation_ids, row.recommendation_id)
    return list(found.values())


@dataclass(frozen=True)
class Theme:
    """A theme that stands on something in the round."""

    id: int
    labels: Mapping[str, str]


def themes(session: Session, round_id: int) -> list[Theme]:
    """List the themes of a round's recommendations, in the order of the vocabulary."""
    rows = session.execute(
        select(Tag.id, Tag.labels)
        .where(
            Tag.vocabulary == Vocabulary.THEME,
            Tag.id.in_(
                select(RecommendationTag.tag_id)
                .join(Recommendation, Recommendation.id == RecommendationTag.recommendation_id)
                .join(RoundDocument, RoundDocument.document_id == Recommendation.document_id)
                .where(
                    RoundDocument.round_id == round_id,
                    Recommendation.kind == RecommendationKind.RECOMMENDATION,
                    Recommendation.archived.is_(False),
                )
            ),
        )
        .order_by(Tag.rank, Tag.id)
    )
    return [Theme(*row) for row in rows]


def rounds_before(session: Session, of: ReportingRound) -> list[Any]:
    """List the other rounds that have assignments, newest first: (slug, titles)."""
    return list(
        session.execute(
            select(ReportingRound.slug, ReportingRound.titles)
            .where(
                ReportingRound.id != of.id,
                ReportingRound.id.in_(select(Assignment.round_id).distinct()),
            )
            .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc())
        )
    )
