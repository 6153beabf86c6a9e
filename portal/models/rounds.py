"""Reporting rounds, who takes part, and what is asked of whom."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Created, Id, PublicId, Texts, checked
from portal.models.people import Institution


class RoundStatus(StrEnum):
    """Draft (being prepared) -> open (issued) -> closed -> frozen."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    FROZEN = "frozen"


class SignOffPolicy(StrEnum):
    """How replies of a round are signed."""

    SCREEN = "screen"
    PAPER = "paper"
    EITHER = "either"
    NONE = "none"


class AssignmentRole(StrEnum):
    """Part of an institution in a recommendation."""

    LEAD = "lead"
    CONTRIBUTING = "contributing"


class ReportingRound(Base):
    """One collection campaign towards one report; the four dates are days in the country's time zone."""

    __tablename__ = "reporting_round"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    titles: Mapped[Texts]
    kind: Mapped[str] = mapped_column(String(32), default="periodic")
    status: Mapped[RoundStatus] = mapped_column(checked(RoundStatus, "status"), default=RoundStatus.DRAFT)
    opens_on: Mapped[date]
    due_on: Mapped[date]
    closes_on: Mapped[date]
    freezes_on: Mapped[date]
    un_due_on: Mapped[date | None]
    sign_off_policy: Mapped[SignOffPolicy] = mapped_column(
        checked(SignOffPolicy, "sign_off_policy"), default=SignOffPolicy.EITHER
    )
    short_version_id: Mapped[int | None] = mapped_column(ForeignKey("questionnaire_version.id"))
    full_version_id: Mapped[int | None] = mapped_column(ForeignKey("questionnaire_version.id"))
    institution_version_id: Mapped[int | None] = mapped_column(ForeignKey("questionnaire_version.id"))
    message: Mapped[Texts] = mapped_column(default=dict)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Created]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    issued_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]


class RoundDocument(Base):
    """A source document that a round reports on."""

    __tablename__ = "round_document"

    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"), primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("source_document.id"), primary_key=True)


class Participation(Base):
    """An institution in a round: its extension and contacts."""

    __tablename__ = "participation"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    extended_to: Mapped[date | None]
    extension_reason: Mapped[str | None] = mapped_column(Text)
    contacts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # whether the institution has handed in anything, here or elsewhere: else no page looks for earlier answers
    remembers: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Created]

    __table_args__ = (UniqueConstraint("round_id", "institution_id"),)


class Assignment(Base):
    """The ask: this institution, this recommendation (or several sub-items in one reply), this round.

    With no recommendation it carries the questions asked once per institution and round (scope of its questionnaire).
    Response rates count only assignments that have a recommendation.
    """

    __tablename__ = "assignment"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"))
    participation_id: Mapped[int] = mapped_column(ForeignKey("participation.id"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("questionnaire_version.id"), index=True)
    role: Mapped[AssignmentRole] = mapped_column(checked(AssignmentRole, "role"), default=AssignmentRole.LEAD)
    about_institution: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    note: Mapped[Texts] = mapped_column(default=dict)
    created_at: Mapped[Created]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    issued_at: Mapped[datetime | None]

    institution: Mapped[Institution] = relationship(lazy="raise")
    round: Mapped[ReportingRound] = relationship(lazy="raise")

    __table_args__ = (Index("ix_assignment_round_id_institution_id", "round_id", "institution_id"),)


class AssignmentRecommendation(Base):
    """A recommendation that an assignment covers; an institution is asked about it once per round."""

    __tablename__ = "assignment_recommendation"

    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), primary_key=True, index=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))

    __table_args__ = (UniqueConstraint("round_id", "institution_id", "recommendation_id"),)
