"""What reports of the State said per recommendation, and which earlier recommendation one repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from portal.models import (
    Recommendation,
    RecommendationKind,
    RecommendationOrigin,
    ReportedText,
    SourceDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Reported:
    """What the newest report said on one recommendation."""

    recommendation_id: int
    sub_item: str
    source: str
    paragraph: str
    reported_on: date | None
    texts: Mapping[str, str]


def reported_on(session: Session, recommendation_ids: Iterable[int]) -> list[Reported]:
    """Return what the newest report said on some recommendations; one query."""
    rows = session.execute(
        select(
            ReportedText.recommendation_id, Recommendation.sub_item, ReportedText.source, ReportedText.paragraph,
            ReportedText.reported_on, ReportedText.texts,
        )
        .join(Recommendation, Recommendation.id == ReportedText.recommendation_id)
        .where(ReportedText.recommendation_id.in_(list(recommendation_ids)), ReportedText.newest.is_(True))
        .order_by(Recommendation.position, Recommendation.id)
    )  # fmt: skip
    return [Reported(*row) for row in rows.all()]


def texts_of(session: Session, recommendation_id: int) -> Sequence[ReportedText]:
    """Return everything that reports said on one recommendation, the newest report first."""
    return session.scalars(
        select(ReportedText)
        .where(ReportedText.recommendation_id == recommendation_id)
        .order_by(ReportedText.newest.desc(), ReportedText.reported_on.desc().nulls_last(), ReportedText.id.desc())
    ).all()


@dataclass(frozen=True)
class Citable:
    """A recommendation as lists name it; ``reported`` counts the reports that said something on it."""

    id: int
    public_id: str
    symbol: str
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    summary: Mapping[str, str]
    asks: Mapping[str, str]
    reported: int

    @property
    def about(self) -> Mapping[str, str]:
        """Return what it is about: its heading, else its summary, else its text."""
        return self.heading or self.summary or self.asks

    @property
    def cite(self) -> str:
        """Return symbol, paragraph and sub-item."""
        return f"{self.symbol} {self.paragraph}" + (f" ({self.sub_item})" if self.sub_item else "")


def citable(session: Session) -> list[Citable]:
    """List all recommendations in the order of their documents; one query."""
    reported = (
        select(ReportedText.recommendation_id, func.count().label("number"))
        .group_by(ReportedText.recommendation_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Recommendation.id, Recommendation.public_id, SourceDocument.symbol, Recommendation.paragraph,
            Recommendation.sub_item, Recommendation.heading, Recommendation.summary, Recommendation.texts,
            func.coalesce(reported.c.number, 0),
        )
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .outerjoin(reported, reported.c.recommendation_id == Recommendation.id)
        .where(Recommendation.archived.is_(False), Recommendation.kind == RecommendationKind.RECOMMENDATION)
        .order_by(SourceDocument.symbol, Recommendation.position, Recommendation.id)
    )  # fmt: skip
    return [Citable(*row) for row in rows.all()]


def origins(session: Session, recommendation_id: int) -> list[int]:
    """Return the recommendations that one repeats."""
    return list(
        session.scalars(
            select(RecommendationOrigin.earlier_id)
            .where(RecommendationOrigin.recommendation_id == recommendation_id)
            .order_by(RecommendationOrigin.earlier_id)
        )
    )


def template_rows(session: Session) -> list[dict[str, Any]]:
    """Return a row per recommendation for the workbook, with what the newest report said."""
    rows = session.execute(
        select(
            SourceDocument.symbol, Recommendation.paragraph, Recommendation.sub_item,
            ReportedText.source, ReportedText.paragraph.label("report_paragraph"), ReportedText.reported_on,
            ReportedText.texts,
        )
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .outerjoin(
            ReportedText,
            and_(ReportedText.recommendation_id == Recommendation.id, ReportedText.newest.is_(True)),
        )
        .where(Recommendation.archived.is_(False), Recommendation.kind == RecommendationKind.RECOMMENDATION)
        .order_by(SourceDocument.symbol, Recommendation.position, Recommendation.id)
    )  # fmt: skip
    return [
        {name: value if value is not None else "" for name, value in row._mapping.items() if name != "texts"}  # noqa: SLF001 - the documented way to a mapping
        | {"texts": dict(row.texts or {})}
        for row in rows
    ]
