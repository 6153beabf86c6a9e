"""Examples of recommendations carried out; what is published of them leaves this module by its own door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.models import (
    AssignmentRecommendation,
    Example,
    ExampleEvent,
    ExampleState,
    Institution,
    Recommendation,
    SourceDocument,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

SHOWN = (ExampleState.CLEARED, ExampleState.USED)


@dataclass(frozen=True)
class ExampleLine:
    """An example with its institution and recommendation."""

    id: int
    public_id: str
    state: ExampleState
    titles: Mapping[str, str]
    texts: Mapping[str, str]
    url: str | None
    filename: str | None
    consent: bool
    created_at: datetime
    institution_id: int
    institution_code: str
    institution_names: Mapping[str, str]
    recommendation_id: int
    recommendation: str
    symbol: str
    paragraph: str
    sub_item: str
    heading: Mapping[str, str]
    summary: Mapping[str, str]
    asks: Mapping[str, str]

    @property
    def about(self) -> Mapping[str, str]:
        """Return what the recommendation is about: its heading, else its summary, else its text."""
        return self.heading or self.summary or self.asks

    @property
    def citation(self) -> str:
        """Return paragraph and sub-item."""
        return f"{self.paragraph} ({self.sub_item})" if self.sub_item else self.paragraph

    @property
    def cite(self) -> str:
        """Return symbol, paragraph and sub-item."""
        return f"{self.symbol} {self.citation}"


def _lines() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Example.id, Example.public_id, Example.state, Example.titles, Example.texts, Example.url,
            Example.filename, Example.consent, Example.created_at, Institution.id, Institution.code,
            Institution.names, Recommendation.id, Recommendation.public_id, SourceDocument.symbol,
            Recommendation.paragraph, Recommendation.sub_item, Recommendation.heading, Recommendation.summary,
            Recommendation.texts,
        )
        .join(Institution, Institution.id == Example.institution_id)
        .join(Recommendation, Recommendation.id == Example.recommendation_id)
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
    )  # fmt: skip


def _line(row: Any) -> ExampleLine:
    return ExampleLine(*row)


def examples(session: Session, *, institution_id: int | None = None) -> list[ExampleLine]:
    """List the examples of an institution, or all; the newest first; one query."""
    found = _lines().order_by(Example.created_at.desc(), Example.id.desc())
    if institution_id is not None:
        found = found.where(Example.institution_id == institution_id)
    return [_line(row) for row in session.execute(found)]


def published_examples(session: Session) -> list[ExampleLine]:
    """List what is cleared for publication or used, and was agreed to, in the order of the documents; one query."""
    found = (
        _lines()
        .where(Example.state.in_(SHOWN), Example.consent.is_(True))
        .order_by(SourceDocument.symbol, Recommendation.position, Recommendation.id, Example.id)
    )
    return [_line(row) for row in session.execute(found)]


def examples_of_round(session: Session, round_id: int) -> list[ExampleLine]:
    """List what is cleared or used of the recommendations that a round asks about; one query."""
    asked = select(AssignmentRecommendation.recommendation_id).where(AssignmentRecommendation.round_id == round_id)
    return [one for one in published_examples(session) if one.recommendation_id in set(session.scalars(asked))]


def find_example(session: Session, public_id: str) -> Example | None:
    """Find an example by its public id."""
    return session.scalars(select(Example).where(Example.public_id == public_id)).first()


def line_of(session: Session, example_id: int) -> ExampleLine:
    """Return one example (it must exist)."""
    return _line(session.execute(_lines().where(Example.id == example_id)).one())


def example_events(session: Session, example_id: int) -> Sequence[ExampleEvent]:
    """Return what happened to an example, oldest first."""
    return session.scalars(
        select(ExampleEvent).where(ExampleEvent.example_id == example_id).order_by(ExampleEvent.number)
    ).all()
