"""Recommendations as pages show them: lists with filters, one with all its company, what is still missing."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased

from portal.models import (
    Actor,
    Assignment,
    AssignmentRecommendation,
    Institution,
    Mechanism,
    Recommendation,
    RecommendationKind,
    RecommendationRevision,
    RecommendationTag,
    ReportingRound,
    SourceDocument,
    Submission,
    Tag,
    TextStatus,
    UserAccount,
    Vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

PER_PAGE = 25
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_SPACES = re.compile(r"\s+")


def folded(text: str) -> str:
    """Return a text for searching: NFC, case folded, without zero-width characters and double spaces."""
    plain = unicodedata.normalize("NFC", text).translate(_INVISIBLE)
    return _SPACES.sub(" ", plain).strip().casefold()


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; blanks mean everything. ``kind`` is "recommendation", "all" or another kind."""

    document: str = ""
    theme: int | None = None
    affected: int | None = None
    kind: str = "recommendation"
    search: str = ""
    follow_up: bool = False

    @property
    def narrowed(self) -> bool:
        """Tell whether anything beside the kind is asked for."""
        return bool(self.document or self.theme or self.affected or self.search.strip() or self.follow_up)


@dataclass(frozen=True)
class Listed:
    """A recommendation in a list."""

    id: int
    public_id: str
    symbol: str
    document_public_id: str
    mechanism: str
    paragraph: str
    sub_item: str
    kind: RecommendationKind
    heading: Mapping[str, str]
    texts: Mapping[str, str]
    summary: Mapping[str, str]
    text_status: TextStatus
    follow_up: bool
    state_position: str | None
    recommending_state: str | None

    @property
    def citation(self) -> str:
        """Return paragraph and letter as cited."""
        return cite(self.paragraph, self.sub_item)


def cite(paragraph: str, sub_item: str) -> str:
    """Write ``7 (a)``."""
    return f"{paragraph} ({sub_item})" if sub_item else paragraph


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    rows: tuple[Listed, ...]
    total: int
    number: int
    pages: int


_LISTED = (
    Recommendation.id,
    Recommendation.public_id,
    SourceDocument.symbol,
    SourceDocument.public_id.label("document_public_id"),
    Mechanism.code.label("mechanism"),
    Recommendation.paragraph,
    Recommendation.sub_item,
    Recommendation.kind,
    Recommendation.heading,
    Recommendation.texts,
    Recommendation.summary,
    Recommendation.text_status,
    Recommendation.follow_up,
    Recommendation.state_position,
    Recommendation.recommending_state,
)


def _listed(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(*_LISTED)
        .join(SourceDocument, Recommendation.document_id == SourceDocument.id)
        .join(Mechanism, SourceDocument.mechanism_id == Mechanism.id)
        .where(Recommendation.archived.is_(False), *conditions)
        .order_by(Mechanism.rank, SourceDocument.published_on.desc(), SourceDocument.id, Recommendation.position,
                  Recommendation.id)
    )  # fmt: skip


def _has_tag(tag_id: int) -> ColumnElement[bool]:
    return exists().where(RecommendationTag.recommendation_id == Recommendation.id, RecommendationTag.tag_id == tag_id)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.kind in set(RecommendationKind):
        found.append(Recommendation.kind == RecommendationKind(filters.kind))
    if filters.document:
        found.append(SourceDocument.public_id == filters.document)
    found += [_has_tag(tag) for tag in (filters.theme, filters.affected) if tag]
    if filters.follow_up:
        found.append(Recommendation.follow_up.is_(True))
    return found


def listing(session: Session, filters: Filters, number: int = 1, per_page: int = PER_PAGE) -> Page:
    """Return one page of the recommendations that fit the filters; two queries whatever the number of rows.

    A text search reads the texts of all that fit the other filters, because neither engine knows which Khmer letters
    are the same; every word must be found.
    """
    conditions = _conditions(filters)
    words = folded(filters.search).split()
    if words:
        rows = [row for row in session.execute(_listed(*conditions)) if _matches(row, words)]
        total = len(rows)
        pages = max(1, math.ceil(total / per_page))
        number = min(max(1, number), pages)
        rows = rows[(number - 1) * per_page : number * per_page]
    else:
        counted = _listed(*conditions).order_by(None).subquery()
        total = session.scalar(select(func.count()).select_from(counted)) or 0
        pages = max(1, math.ceil(total / per_page))
        number = min(max(1, number), pages)
        rows = list(session.execute(_listed(*conditions).limit(per_page).offset((number - 1) * per_page)))
    return Page(tuple(Listed(**row._mapping) for row in rows), total, number, pages)  # noqa: SLF001 - public API of rows


def _matches(row: Row[Any], words: Sequence[str]) -> bool:
    parts = [row.symbol, cite(row.paragraph, row.sub_item), row.recommending_state or ""]
    for texts in (row.heading, row.texts, row.summary):
        parts += texts.values()
    whole = folded(" ".join(parts))
    return all(word in whole for word in words)


@dataclass(frozen=True)
class DocumentFacts:
    """A source document with its figures; ``asked`` counts recommendations without introductory paragraphs."""

    id: int
    public_id: str
    symbol: str
    titles: Mapping[str, str]
    mechanism: str
    mechanism_names: Mapping[str, str]
    kind: str
    cycle: str | None
    adopted_on: date | None
    published_on: date | None
    paragraphs: int
    asked: int


def documents(session: Session, public_id: str | None = None) -> list[DocumentFacts]:
    """List the source documents with how many paragraphs and recommendations they hold."""
    asked = func.count(Recommendation.id).filter(
        Recommendation.kind == RecommendationKind.RECOMMENDATION, ~is_chapeau()
    )
    query = (
        select(
            SourceDocument.id, SourceDocument.public_id, SourceDocument.symbol, SourceDocument.titles,
            Mechanism.code.label("mechanism"), Mechanism.names.label("mechanism_names"), SourceDocument.kind,
            SourceDocument.cycle, SourceDocument.adopted_on, SourceDocument.published_on,
            func.count(Recommendation.id).label("paragraphs"), asked.label("asked"),
        )
        .join(Mechanism, SourceDocument.mechanism_id == Mechanism.id)
        .outerjoin(
            Recommendation,
            and_(Recommendation.document_id == SourceDocument.id, Recommendation.archived.is_(False)),
        )
        .group_by(SourceDocument.id, Mechanism.id)
        .order_by(Mechanism.rank, SourceDocument.published_on.desc(), SourceDocument.id)
    )  # fmt: skip
    if public_id is not None:
        query = query.where(SourceDocument.public_id == public_id)
    return [DocumentFacts(**row._mapping) for row in session.execute(query)]  # noqa: SLF001 - public API of rows


def is_chapeau() -> ColumnElement[bool]:
    """Return the condition "opening words of a paragraph whose sub-items stand as rows of their own"."""
    part = aliased(Recommendation)
    return and_(
        Recommendation.sub_item == "",
        exists().where(
            part.document_id == Recommendation.document_id,
            part.paragraph == Recommendation.paragraph,
            part.sub_item != "",
            part.archived.is_(False),
        ),
    )


@dataclass(frozen=True)
class TagFacts:
    """A label of a vocabulary; ``count`` recommendations carry it."""

    id: int
    vocabulary: Vocabulary
    key: str
    labels: Mapping[str, str]
    mapped: bool
    count: int = 0


def tags(session: Session, *, used: bool = True) -> list[TagFacts]:
    """List labels in the order of their vocabularies, with how many recommendations carry them."""
    count = func.count(RecommendationTag.recommendation_id)
    query = (
        select(Tag.id, Tag.vocabulary, Tag.key, Tag.labels, Tag.mapped, count.label("count"))
        .outerjoin(RecommendationTag, RecommendationTag.tag_id == Tag.id)
        .group_by(Tag.id)
        .order_by(Tag.vocabulary, Tag.rank, Tag.key)
    )
    if used:
        query = query.having(count > 0)
    return [TagFacts(**row._mapping) for row in session.execute(query)]  # noqa: SLF001 - public API of rows


def tags_of(session: Session, ids: Iterable[int]) -> dict[int, list[TagFacts]]:
    """Return the labels of several recommendations in one query."""
    found: dict[int, list[TagFacts]] = {}
    rows = session.execute(
        select(RecommendationTag.recommendation_id, Tag.id, Tag.vocabulary, Tag.key, Tag.labels, Tag.mapped)
        .join(Tag, Tag.id == RecommendationTag.tag_id)
        .where(RecommendationTag.recommendation_id.in_(list(ids)))
        .order_by(Tag.vocabulary, Tag.rank, Tag.key)
    )
    for row in rows:
        label = TagFacts(row.id, row.vocabulary, row.key, row.labels, row.mapped)
        found.setdefault(row.recommendation_id, []).append(label)
    return found


@dataclass(frozen=True)
class Wording:
    """An earlier wording of one text."""

    field: str
    lang: str
    old_text: str
    changed_at: datetime
    changed_by: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """An assignment that covers a recommendation: whom it asks, in which round, and how far the reply is."""

    round_slug: str
    round_titles: Mapping[str, str]
    institution_code: str
    institution_names: Mapping[str, str]
    role: str
    status: str | None
    submission: str | None


@dataclass(frozen=True)
class RecommendationView:
    """One recommendation with its company; ``rest`` holds the other rows of the same paragraph."""

    recommendation: Recommendation
    document: DocumentFacts
    tags: Sequence[TagFacts]
    rest: Sequence[Listed]
    pair: Listed | None
    before: Listed | None
    after: Listed | None
    wordings: Sequence[Wording] = field(default_factory=tuple)
    original_language: str = "en"

    @property
    def citation(self) -> str:
        """Return paragraph and letter as cited."""
        return cite(self.recommendation.paragraph, self.recommendation.sub_item)


def original_language(recommendation: Recommendation, national: str) -> str:
    """Name the language of the original: the one it was imported in, else English, else what is not national."""
    try:
        said = json.loads(recommendation.raw or "{}")
    except ValueError:
        said = {}
    if isinstance(said, dict) and said.get("language"):
        return str(said["language"])
    if "en" in recommendation.texts:
        return "en"
    return next((code for code in recommendation.texts if code != national), national)


def find(session: Session, public_id: str) -> Recommendation | None:
    """Return a recommendation by the name its address uses."""
    return session.scalar(select(Recommendation).where(Recommendation.public_id == public_id))


def view(session: Session, one: Recommendation, national: str) -> RecommendationView:
    """Return a recommendation with document, labels, sub-items, pair, neighbours and earlier wordings."""
    document_id = session.scalar(select(SourceDocument.public_id).where(SourceDocument.id == one.document_id))
    same = and_(Recommendation.document_id == one.document_id, Recommendation.paragraph == one.paragraph)
    wanted = and_(same, Recommendation.id != one.id)
    nearby = [Listed(**row._mapping) for row in session.execute(_listed(wanted))]  # noqa: SLF001 - public API of rows
    pair = None
    if one.pair_id is not None:
        row = session.execute(_listed(Recommendation.id == one.pair_id)).first()
        pair = Listed(**row._mapping) if row else None  # noqa: SLF001 - public API of rows
    author = (
        select(RecommendationRevision, UserAccount.names)
        .outerjoin(Actor, Actor.id == RecommendationRevision.changed_by)
        .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
        .where(RecommendationRevision.recommendation_id == one.id)
        .order_by(RecommendationRevision.id.desc())
    )
    wordings = [
        Wording(row.field, row.lang, row.old_text, row.changed_at, names or {})
        for row, names in session.execute(author)
    ]
    return RecommendationView(
        one,
        documents(session, document_id)[0],
        tags_of(session, [one.id]).get(one.id, []),
        nearby,
        pair,
        _neighbour(session, one, forward=False),
        _neighbour(session, one, forward=True),
        wordings,
        original_language(one, national),
    )


def _neighbour(session: Session, one: Recommendation, *, forward: bool) -> Listed | None:
    place = (Recommendation.position, Recommendation.id)
    if forward:
        beyond = (Recommendation.position > one.position) | (
            (Recommendation.position == one.position) & (Recommendation.id > one.id)
        )
        order = place
    else:
        beyond = (Recommendation.position < one.position) | (
            (Recommendation.position == one.position) & (Recommendation.id < one.id)
        )
        order = (place[0].desc(), place[1].desc())  # type: ignore[assignment] # descending as ascending
    query = _listed(Recommendation.document_id == one.document_id, beyond).order_by(None).order_by(*order).limit(1)
    row = session.execute(query).first()
    return Listed(**row._mapping) if row else None  # noqa: SLF001 - public API of rows


def assignments(session: Session, recommendation_id: int, *conditions: ColumnElement[bool]) -> list[Asked]:
    """List who was or is asked about a recommendation, newest round first."""
    rows = session.execute(
        select(
            ReportingRound.slug, ReportingRound.titles, Institution.code, Institution.names, Assignment.role,
            Submission.status, Submission.public_id,
        )
        .select_from(AssignmentRecommendation)
        .join(Assignment, Assignment.id == AssignmentRecommendation.assignment_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .outerjoin(Submission, Submission.assignment_id == Assignment.id)
        .where(AssignmentRecommendation.recommendation_id == recommendation_id, *conditions)
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id, Assignment.role.desc(), Institution.rank,
                  Assignment.id)
    )  # fmt: skip
    return [Asked(*row) for row in rows]


def asked_of(session: Session, recommendation_id: int, institution_id: int) -> list[Asked]:
    """List what one institution was or is asked about a recommendation, once it is issued; newest round first."""
    mine = (Assignment.institution_id == institution_id, Submission.id.is_not(None))
    return assignments(session, recommendation_id, *mine)


@dataclass(frozen=True)
class Missing:
    """A recommendation that lacks its national text or its plain summary."""

    listed: Listed
    national_text: bool
    national_summary: bool
    original_summary: bool


def missing(
    session: Session, national: str, other: str, *, document: str = "", document_ids: Iterable[int] | None = None
) -> list[Missing]:
    """List recommendations (not concerns, not opening words) without national text or summary.

    The three flags say what is missing: the national text, the summary in the national language, and in ``other``.
    """
    conditions = [Recommendation.kind == RecommendationKind.RECOMMENDATION, ~is_chapeau()]
    if document:
        conditions.append(SourceDocument.public_id == document)
    if document_ids is not None:
        conditions.append(Recommendation.document_id.in_(list(document_ids)))
    found = []
    for row in session.execute(_listed(*conditions)):
        flags = (
            not row.texts.get(national, "").strip(),
            not row.summary.get(national, "").strip(),
            not row.summary.get(other, "").strip(),
        )
        if any(flags):
            found.append(Missing(Listed(**row._mapping), *flags))  # noqa: SLF001 - public API of rows
    return found


def of_document(session: Session, document_id: int) -> list[Listed]:
    """List all paragraphs of a document in their order."""
    rows = session.execute(_listed(Recommendation.document_id == document_id))
    return [Listed(**row._mapping) for row in rows]  # noqa: SLF001 - public API of rows


def for_translators(session: Session, document: str = "") -> tuple[list[Recommendation], dict[int, str]]:
    """Return the recommendations of one document or of all in their order, and the symbols of documents by id."""
    query = (
        select(Recommendation)
        .join(SourceDocument, Recommendation.document_id == SourceDocument.id)
        .where(Recommendation.archived.is_(False))
        .order_by(SourceDocument.symbol, Recommendation.position, Recommendation.id)
    )
    if document:
        query = query.where(SourceDocument.public_id == document)
    symbols = {row.id: row.symbol for row in session.execute(select(SourceDocument.id, SourceDocument.symbol))}
    return list(session.scalars(query)), symbols
