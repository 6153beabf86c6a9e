"""The instrument: questionnaires, their versions, and the questions that stay fixed for ever."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Created, Id, PublicId, Texts, checked


class QuestionnaireScope(StrEnum):
    """Whether a questionnaire is answered per recommendation or once per institution and round."""

    RECOMMENDATION = "recommendation"
    INSTITUTION = "institution"


class VersionStatus(StrEnum):
    """Draft -> published (frozen) -> retired."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class ItemKind(StrEnum):
    """What a place in a version is."""

    SECTION = "section"
    GROUP = "group"
    REPEAT = "repeat"
    MATRIX = "matrix"
    QUESTION = "question"
    NOTE = "note"


class Questionnaire(Base):
    """An instrument with a code for ever and many versions."""

    __tablename__ = "questionnaire"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(String(80), unique=True)
    titles: Mapped[Texts]
    scope: Mapped[QuestionnaireScope] = mapped_column(
        checked(QuestionnaireScope, "scope"), default=QuestionnaireScope.RECOMMENDATION
    )
    length: Mapped[str] = mapped_column(String(16), default="full")
    retired: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Created]


class QuestionnaireVersion(Base):
    """One version; a published one is frozen."""

    __tablename__ = "questionnaire_version"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaire.id"))
    number: Mapped[int]
    status: Mapped[VersionStatus] = mapped_column(checked(VersionStatus, "status"), default=VersionStatus.DRAFT)
    titles: Mapped[Texts]
    languages: Mapped[list[str]]
    default_language: Mapped[str] = mapped_column(String(16))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source_sha256: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[Created]

    questionnaire: Mapped[Questionnaire] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("questionnaire_id", "number"),
        # two open drafts would end in two truths; both engines know an index of a part of the rows
        Index(
            "uq_questionnaire_version_one_draft",
            "questionnaire_id",
            unique=True,
            sqlite_where=text("status = 'draft'"),
            postgresql_where=text("status = 'draft'"),
        ),
    )


class Question(Base):
    """A question of a questionnaire: code and type are fixed for ever, wording belongs to the version."""

    __tablename__ = "question"

    id: Mapped[Id]
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaire.id"))
    code: Mapped[str] = mapped_column(String(80))
    type: Mapped[str] = mapped_column(String(32))
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("questionnaire_id", "code"),)


class VersionItem(Base):
    """A place in a version: a section (page), group, repeat, matrix, question or note, with its wording and rules."""

    __tablename__ = "version_item"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(ForeignKey("questionnaire_version.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("version_item.id"))
    position: Mapped[int]
    kind: Mapped[ItemKind] = mapped_column(checked(ItemKind, "kind"))
    code: Mapped[str] = mapped_column(String(80))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("question.id"), index=True)
    texts: Mapped[dict[str, Any]]
    required: Mapped[str] = mapped_column(Text, default="")
    relevant: Mapped[str] = mapped_column(Text, default="")
    constraint: Mapped[str] = mapped_column(Text, default="")
    calculation: Mapped[str] = mapped_column(Text, default="")
    default: Mapped[str] = mapped_column(Text, default="")
    choice_filter: Mapped[str] = mapped_column(Text, default="")
    # the choices as this version words and orders them; question_choice is the register of keys
    choices: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        UniqueConstraint("version_id", "code"),
        Index("ix_version_item_version_id_position_id", "version_id", "position", "id"),
    )


class QuestionChoice(Base):
    """A choice key of a question; a key is never reused, only retired."""

    __tablename__ = "question_choice"

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"))
    key: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(default=0)
    texts: Mapped[Texts]
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("question_id", "key"),)


class AttachedTable(Base):
    """A table that questions look up (prefill per institution, long choice lists)."""

    __tablename__ = "attached_table"

    id: Mapped[Id]
    version_id: Mapped[int] = mapped_column(ForeignKey("questionnaire_version.id"))
    name: Mapped[str] = mapped_column(String(80))
    columns: Mapped[list[str]]
    rows: Mapped[list[dict[str, Any]]]

    __table_args__ = (UniqueConstraint("version_id", "name"),)
