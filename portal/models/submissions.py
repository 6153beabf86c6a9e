"""Replies: submissions, answers and their revisions, evidence, events, clarifications, snapshots."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Created, Id, JsonType, PublicId, checked, verification_code
from portal.models.lifecycle import Action, Signature, Status
from portal.models.rounds import Assignment


class AnswerState(StrEnum):
    """What a stored answer says; "not answered" and "not asked" are the absence of a row, and ``Submission.hidden``."""

    ANSWERED = "answered"
    NOT_APPLICABLE = "not_applicable"
    NOT_AVAILABLE = "not_available"


class EvidenceKind(StrEnum):
    """A file kept by the portal, or a link."""

    FILE = "file"
    LINK = "link"


class Visibility(StrEnum):
    """Who may see a piece of evidence; nothing is public by default."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"


class ClarificationStatus(StrEnum):
    """A clarification is open until answered, answered until closed; it never changes a submission's status."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Submission(Base):
    """The reply to one assignment; ``status`` and its companions are the events folded, cached here."""

    __tablename__ = "submission"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    # none: what one unit was asked by its institution, beside a reply (models/sharing.py); no round counts it
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"), unique=True)
    status: Mapped[Status] = mapped_column(checked(Status, "status"), default=Status.ISSUED, index=True)
    hand_in: Mapped[int] = mapped_column(default=0)
    signature: Mapped[Signature | None] = mapped_column(checked(Signature, "signature"))
    under_review: Mapped[bool] = mapped_column(default=False)
    # first hand-in that still counts for "on time": recall and reopen cancel it, return does not
    handed_in_at: Mapped[datetime | None]
    # question codes that a return unlocked; None = all
    unlocked: Mapped[list[str] | None] = mapped_column(JsonType)
    # item codes not asked, recomputed by each save and at complete
    hidden: Mapped[list[str]] = mapped_column(default=list)
    answered: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    missing: Mapped[int] = mapped_column(default=0)
    saved_at: Mapped[datetime | None]
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[Created]

    assignment: Mapped[Assignment] = relationship(lazy="raise")


class Answer(Base):
    """The answer to one question: ``row`` is '' outside repeats, ``lang`` '' except for texts."""

    __tablename__ = "answer"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), primary_key=True, autoincrement=False)
    row: Mapped[str] = mapped_column(String(64), primary_key=True, default="")
    lang: Mapped[str] = mapped_column(String(16), primary_key=True, default="")
    value: Mapped[Any | None] = mapped_column(JsonType)
    state: Mapped[AnswerState] = mapped_column(checked(AnswerState, "state"), default=AnswerState.ANSWERED)
    typed: Mapped[str | None] = mapped_column(Text)
    # the sentence why the answer is not taken (unparsed, or a failed constraint); blocks completing
    message: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int]
    asked_in: Mapped[int] = mapped_column(ForeignKey("questionnaire_version.id"))
    translation_of: Mapped[int | None]
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    answered_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    answered_at: Mapped[datetime]

    __table_args__ = {"sqlite_with_rowid": False}


class AnswerRow(Base):
    """A row of a repeat; the client makes the key, so that adding is safe to retry and offline copies merge."""

    __tablename__ = "answer_row"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    repeat: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    parent_key: Mapped[str] = mapped_column(String(16), default="")
    position: Mapped[int] = mapped_column(default=0)
    removed: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int]

    __table_args__ = {"sqlite_with_rowid": False}


class AnswerRowRevision(Base):
    """Every state of every row, append-only: who added, moved, removed or put it back, and when."""

    __tablename__ = "answer_row_revision"

    id: Mapped[Id]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    repeat: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int]
    parent_key: Mapped[str] = mapped_column(String(16), default="")
    position: Mapped[int] = mapped_column(default=0)
    removed: Mapped[bool] = mapped_column(default=False)
    saved_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    saved_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("submission_id", "repeat", "key", "revision"),)


class AnswerRevision(Base):
    """Every saved state of every answer, append-only; ``request_key`` makes a repeated save harmless."""

    __tablename__ = "answer_revision"

    id: Mapped[Id]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"))
    row: Mapped[str] = mapped_column(String(64), default="")
    lang: Mapped[str] = mapped_column(String(16), default="")
    revision: Mapped[int]
    value: Mapped[Any | None] = mapped_column(JsonType)
    state: Mapped[AnswerState] = mapped_column(checked(AnswerState, "state"))
    typed: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    asked_in: Mapped[int] = mapped_column(ForeignKey("questionnaire_version.id"))
    request_key: Mapped[str | None] = mapped_column(String(64))
    saved_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    saved_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("submission_id", "question_id", "row", "lang", "revision"),)


class Evidence(Base):
    """A file or link that supports an answer; numbered per round, hashed; the file lies under its sha256."""

    __tablename__ = "evidence"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    question_id: Mapped[int | None] = mapped_column(ForeignKey("question.id"))
    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"))
    number: Mapped[int]
    kind: Mapped[EvidenceKind] = mapped_column(checked(EvidenceKind, "kind"))
    filename: Mapped[str | None] = mapped_column(String(255))
    media_type: Mapped[str | None] = mapped_column(String(120))
    size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    # when a virus scanner called the file clean; None: it was not scanned
    scanned_at: Mapped[datetime | None]
    url: Mapped[str | None] = mapped_column(Text)
    caption: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[Visibility] = mapped_column(checked(Visibility, "visibility"), default=Visibility.INTERNAL)
    added_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))

    __table_args__ = (UniqueConstraint("round_id", "number"),)


class SubmissionEvent(Base):
    """One act on a submission, append-only; folding a submission's events gives its status."""

    __tablename__ = "submission_event"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    number: Mapped[int]
    action: Mapped[Action] = mapped_column(checked(Action, "action"))
    status: Mapped[Status] = mapped_column(checked(Status, "status"))
    reason: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    done_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    done_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("submission_id", "number"),)


class Clarification(Base):
    """A question back, tied to one submission or one of its answers."""

    __tablename__ = "clarification"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    question_id: Mapped[int | None] = mapped_column(ForeignKey("question.id"))
    status: Mapped[ClarificationStatus] = mapped_column(
        checked(ClarificationStatus, "status"), default=ClarificationStatus.OPEN
    )
    opened_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # one question put to many institutions at once: the same key on each of its threads
    batch: Mapped[str | None] = mapped_column(String(32))

    messages: Mapped[list[ClarificationMessage]] = relationship(
        lazy="raise", order_by="ClarificationMessage.id", back_populates="clarification"
    )

    __table_args__ = (Index("ux_clarification_submission_id_batch", "submission_id", "batch", unique=True),)


class ClarificationMessage(Base):
    """One message of a clarification."""

    __tablename__ = "clarification_message"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    clarification_id: Mapped[int] = mapped_column(ForeignKey("clarification.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    from_secretariat: Mapped[bool]
    written_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    written_at: Mapped[datetime] = mapped_column(index=True)

    clarification: Mapped[Clarification] = relationship(lazy="raise", back_populates="messages")


class Snapshot(Base):
    """What was handed in or signed, as canonical JSON with its sha256; never changed afterwards.

    ``code`` stands on its receipt: whoever holds it may ask what was handed in, and whether it still stands.
    """

    __tablename__ = "snapshot"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("submission_event.id"), unique=True)
    canonical: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(16), unique=True, default=verification_code)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[Created]
