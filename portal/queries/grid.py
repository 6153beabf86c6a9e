"""The institution x recommendation grid of a round: one row per institution, one column per paragraph asked about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from portal.queries.rates import RecommendationRate, rates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.queries.rates import InstitutionRate, Rates, Reply


@dataclass(frozen=True)
class GridColumn:
    """A paragraph of a document with everything in it that was asked."""

    recommendations: tuple[RecommendationRate, ...]

    @property
    def first(self) -> RecommendationRate:
        """Return the recommendation that names the column."""
        return self.recommendations[0]

    @property
    def label(self) -> str:
        """Return the paragraph."""
        return self.first.paragraph or self.first.citation


@dataclass(frozen=True)
class GridRow:
    """An institution; ``cells`` holds, per column, its replies (usually one, several where sub-items are apart)."""

    institution: InstitutionRate
    cells: tuple[tuple[Reply, ...], ...]


@dataclass(frozen=True)
class Grid:
    """Columns in the order of the documents, rows in protocol order."""

    columns: tuple[GridColumn, ...]
    rows: tuple[GridRow, ...]
    rates: Rates


def grid(session: Session, round_id: int, *, today: date, time_zone: str) -> Grid:
    """Gather the grid of a round; the four queries of the rates, however many rows and columns."""
    counted = rates(session, round_id, today=today, time_zone=time_zone)
    columns = tuple(
        GridColumn(tuple(group))
        for _key, group in groupby(counted.recommendations, key=lambda one: (one.document_id, one.paragraph or one.id))
    )
    place: Mapping[int, int] = {
        one.id: number for number, column in enumerate(columns) for one in column.recommendations
    }
    return Grid(
        columns, tuple(GridRow(one, _cells(one, place, len(columns))) for one in counted.institutions), counted
    )


def _cells(of: InstitutionRate, place: Mapping[int, int], wide: int) -> tuple[tuple[Reply, ...], ...]:
    cells: list[tuple[Reply, ...]] = [()] * wide
    for reply in of.replies:
        for number in dict.fromkeys(place[one] for one in reply.recommendation_ids if one in place):
            cells[number] = (*cells[number], reply)
    return tuple(cells)
