"""Mechanisms, source documents, recommendations, their tags and their state of implementation."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Created, Id, PublicId, Texts, checked


class RecommendationKind(StrEnum):
    """What a paragraph is."""

    RECOMMENDATION = "recommendation"
    CONCERN = "concern"
    POSITIVE = "positive"
    PROCEDURAL = "procedural"
    OTHER = "other"


class StatePosition(StrEnum):
    """UPR: the State's position on a recommendation (never "accepted" for a reply)."""

    SUPPORTED = "supported"
    NOTED = "noted"
    PARTLY = "partly"
    UNDER_CONSIDERATION = "under_consideration"


class TextStatus(StrEnum):
    """Standing of the national text of a recommendation."""

    NONE = "none"
    WORKING = "working"
    OFFICIAL = "official"


class Vocabulary(StrEnum):
    """The three standard indexings (UHRI)."""

    THEME = "theme"
    AFFECTED = "affected"
    SDG = "sdg"


class Implementation(StrEnum):
    """State of implementation (question B1 and the secretariat's consolidated state share this scale)."""

    NOT_STARTED = "not_started"
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    LARGELY_DONE = "largely_done"
    DONE = "done"
    NOT_ACCEPTED = "not_accepted"


class PublicationAct(StrEnum):
    """What was done with a state towards observers."""

    PUBLISHED = "published"
    TAKEN_BACK = "taken_back"


class Mechanism(Base):
    """A treaty body, the Universal Periodic Review, a special procedure."""

    __tablename__ = "mechanism"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(60), unique=True)
    names: Mapped[Texts]
    kind: Mapped[str] = mapped_column(String(40), default="treaty_body")
    rank: Mapped[int] = mapped_column(default=0)


class SourceDocument(Base):
    """What contains recommendations, identified by its UN symbol."""

    __tablename__ = "source_document"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    symbol: Mapped[str] = mapped_column(String(120), unique=True)
    mechanism_id: Mapped[int] = mapped_column(ForeignKey("mechanism.id"), index=True)
    titles: Mapped[Texts]
    kind: Mapped[str] = mapped_column(String(40), default="concluding_observations")
    cycle: Mapped[str | None] = mapped_column(String(120))
    adopted_on: Mapped[date | None]
    published_on: Mapped[date | None]
    created_at: Mapped[Created]

    mechanism: Mapped[Mechanism] = relationship(lazy="raise")


class Recommendation(Base):
    """One citable paragraph or sub-item; key = (uhri_id, sub_item) or (document, paragraph, sub_item)."""

    __tablename__ = "recommendation"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    document_id: Mapped[int] = mapped_column(ForeignKey("source_document.id"))
    paragraph: Mapped[str] = mapped_column(String(24), default="")
    sub_item: Mapped[str] = mapped_column(String(8), default="")
    position: Mapped[int] = mapped_column(default=0)
    heading: Mapped[Texts] = mapped_column(default=dict)
    texts: Mapped[Texts]
    summary: Mapped[Texts] = mapped_column(default=dict)
    text_status: Mapped[TextStatus] = mapped_column(checked(TextStatus, "text_status"), default=TextStatus.NONE)
    checked_by: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[RecommendationKind] = mapped_column(checked(RecommendationKind, "kind"))
    follow_up: Mapped[bool] = mapped_column(default=False)
    state_position: Mapped[StatePosition | None] = mapped_column(checked(StatePosition, "state_position"))
    recommending_state: Mapped[str | None] = mapped_column(String(200))
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("recommendation.id"))
    uhri_id: Mapped[str | None] = mapped_column(String(64))
    raw: Mapped[str | None] = mapped_column(Text)
    archived: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Created]

    document: Mapped[SourceDocument] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("document_id", "paragraph", "sub_item"),
        UniqueConstraint("uhri_id", "sub_item"),
        Index("ix_recommendation_document_id_position_id", "document_id", "position", "id"),
    )


class RecommendationRevision(Base):
    """An earlier wording of one text of a recommendation, kept for ever."""

    __tablename__ = "recommendation_revision"

    id: Mapped[Id]
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    revision: Mapped[int]
    field: Mapped[str] = mapped_column(String(32))
    lang: Mapped[str] = mapped_column(String(16), default="")
    old_text: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[Created]
    changed_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))


class Tag(Base):
    """A label of one of the three vocabularies; unknown labels of an import are kept as unmapped."""

    __tablename__ = "tag"

    id: Mapped[Id]
    vocabulary: Mapped[Vocabulary] = mapped_column(checked(Vocabulary, "vocabulary"))
    key: Mapped[str] = mapped_column(String(200))
    labels: Mapped[Texts]
    mapped: Mapped[bool] = mapped_column(default=True)
    rank: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("vocabulary", "key"),)


class RecommendationTag(Base):
    """A tag on a recommendation."""

    __tablename__ = "recommendation_tag"

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True, index=True)


class ImplementationState(Base):
    """The secretariat's consolidated state of a recommendation; append-only, the newest counts."""

    __tablename__ = "implementation_state"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("reporting_round.id"))
    state: Mapped[Implementation] = mapped_column(checked(Implementation, "state"))
    as_of: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime]
    set_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))


class ImplementationPublication(Base):
    """A state shown to observers, or taken back from them; append-only, the newest act of a recommendation counts.

    It names the very state that was shown when the act was confirmed: a state set later is not published by it.
    """

    __tablename__ = "implementation_publication"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    state_id: Mapped[int] = mapped_column(ForeignKey("implementation_state.id"), index=True)
    act: Mapped[PublicationAct] = mapped_column(checked(PublicationAct, "act"))
    with_reason: Mapped[bool] = mapped_column(default=False)
    done_at: Mapped[datetime]
    done_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
