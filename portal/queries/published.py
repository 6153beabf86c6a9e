"""What is published of the state of implementation: all that observers may see of it.

Nothing else of a state leaves this module: neither one that nobody published, nor an inner reason, nor what
institutions answered about themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import (
    Implementation,
    ImplementationPublication,
    ImplementationState,
    PublicationAct,
    ReportingRound,
)
from portal.queries.implementation import ThemeRow, counted, themes_of
from portal.queries.recommendations import cite
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Published:
    """A published state: ``reason`` is "" unless it was published too; ``state_public_id`` names the state shown."""

    recommendation_id: int
    state: Implementation
    as_of: date
    reason: str
    with_reason: bool
    round_titles: Mapping[str, str]
    published_at: datetime
    state_public_id: str


def published(session: Session, ids: Iterable[int] | None = None) -> dict[int, Published]:
    """Return what is published now, by recommendation; of some recommendations, or of all. One query."""
    query = (
        select(
            ImplementationState.recommendation_id, ImplementationState.state, ImplementationState.as_of,
            ImplementationState.reason, ImplementationPublication.with_reason, ReportingRound.titles,
            ImplementationPublication.done_at, ImplementationState.public_id, ImplementationPublication.act,
        )
        .select_from(ImplementationPublication)
        .join(ImplementationState, ImplementationState.id == ImplementationPublication.state_id)
        .outerjoin(ReportingRound, ReportingRound.id == ImplementationState.round_id)
        .order_by(ImplementationPublication.id.desc())
    )  # fmt: skip
    if ids is not None:
        query = query.where(ImplementationState.recommendation_id.in_(list(ids)))
    newest: dict[int, Published | None] = {}
    for number, state, as_of, reason, with_reason, titles, done_at, public_id, act in session.execute(query):
        if number in newest:
            continue
        newest[number] = None
        if act is PublicationAct.PUBLISHED:
            shown = reason if with_reason else ""
            newest[number] = Published(number, state, as_of, shown, with_reason, titles or {}, done_at, public_id)
    return {number: one for number, one in newest.items() if one}


@dataclass(frozen=True)
class PublishedRow:
    """A recommendation with its published state."""

    public_id: str
    symbol: str
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    summary: Mapping[str, str]
    texts: Mapping[str, str]
    published: Published

    @property
    def citation(self) -> str:
        """Return paragraph and letter as cited."""
        return cite(self.paragraph, self.sub_item)


@dataclass(frozen=True)
class PublishedSummary:
    """How many recommendations have a published state: ``counts`` counts by state, None those that have none."""

    total: int
    counts: Mapping[Implementation | None, int]
    themes: Sequence[ThemeRow]
    rows: Sequence[PublishedRow] = field(repr=False)

    def count(self, state: Implementation | None) -> int:
        """Return how many recommendations have this published state."""
        return self.counts.get(state, 0)


def published_summary(session: Session) -> PublishedSummary:
    """Gather what is published, overall and by theme; three queries, however many rows."""
    shown = published(session)
    themes = themes_of(session)
    counts: Counter[Implementation | None] = Counter()
    by_theme: dict[int, Counter[Implementation | None]] = defaultdict(Counter)
    labels: dict[int, Mapping[str, str]] = {}
    rows: list[PublishedRow] = []
    for row in session.execute(counted()):
        one = shown.get(row.id)
        state = one.state if one else None
        counts[state] += 1
        for theme, names in themes.get(row.id, ()):
            labels[theme] = names
            by_theme[theme][state] += 1
        if one:
            _number, public_id, symbol, paragraph, sub_item, heading, summary, texts = row
            rows.append(PublishedRow(public_id, symbol, paragraph, sub_item, heading, summary, texts, one))
    theme_rows = [
        ThemeRow(labels[theme], count.total(), dict(count))
        for theme, count in by_theme.items()
        if count.total() > count[None]
    ]
    theme_rows.sort(key=lambda one: (-one.total, pick(one.labels, "en")))
    return PublishedSummary(counts.total(), dict(counts), theme_rows, rows)
