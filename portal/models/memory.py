"""What the portal remembers: earlier answers judged again, what reports said, good examples, and what was read."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Created, Id, PublicId, Texts, checked


class Recollection(StrEnum):
    """What an institution says of an answer that it gave earlier, or to another recommendation."""

    STILL_TRUE = "still_true"
    UPDATE = "update"
    NO_LONGER_TRUE = "no_longer_true"


class ExampleState(StrEnum):
    """Where an example of a recommendation carried out stands."""

    CANDIDATE = "candidate"
    CHECKED = "checked"
    CLEARED = "cleared"
    USED = "used"
    REFUSED = "refused"


class ExampleAct(StrEnum):
    """What can be done with an example; each is an event."""

    SEND = "send"
    CHECK = "check"
    CLEAR = "clear"
    USE = "use"
    REFUSE = "refuse"
    TAKE_BACK = "take_back"


class ClarificationRead(Base):
    """How far a person has read a clarification: up to and including ``message_id``."""

    __tablename__ = "clarification_read"

    clarification_id: Mapped[int] = mapped_column(ForeignKey("clarification.id"), primary_key=True, autoincrement=False)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id"), primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(ForeignKey("clarification_message.id"))
    read_at: Mapped[datetime]


class EarlierVerdict(Base):
    """What was said of an earlier answer, for one question of a reply; the newest word counts, audit keeps them all.

    ``revision`` is what the answer became by it (0: nothing was copied): as long as the answer stands at that revision
    it says the very words of ``source_id``.
    """

    __tablename__ = "earlier_verdict"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    source_question_id: Mapped[int] = mapped_column(ForeignKey("question.id"))
    verdict: Mapped[Recollection] = mapped_column(checked(Recollection, "verdict"))
    revision: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    decided_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint(
            "submission_id", "question_id", "source_id", "source_question_id", name="uq_earlier_verdict_place"
        ),
    )


class WholeVerdict(Base):
    """What was said of what no single answer holds: a table of an earlier reply, or one file of a question of it.

    ``code`` is that of the table or file question, ``sha256`` the file's ("" for a table).
    """

    __tablename__ = "whole_verdict"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    source_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, default="")
    verdict: Mapped[Recollection] = mapped_column(checked(Recollection, "verdict"))
    decided_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    decided_at: Mapped[datetime]


class ReportedText(Base):
    """What a report of the State said on a recommendation, with the report, its day and the paragraph."""

    __tablename__ = "reported_text"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"))
    source: Mapped[str] = mapped_column(String(200))
    paragraph: Mapped[str] = mapped_column(String(40), default="")
    reported_on: Mapped[date | None]
    texts: Mapped[Texts]
    # the one that institutions see: of the newest report
    newest: Mapped[bool] = mapped_column(default=True)
    revision: Mapped[int] = mapped_column(default=1)
    set_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    set_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("recommendation_id", "source"),)


class RecommendationOrigin(Base):
    """A recommendation repeats an earlier one under another number or in a later document."""

    __tablename__ = "recommendation_origin"

    recommendation_id: Mapped[int] = mapped_column(
        ForeignKey("recommendation.id"), primary_key=True, autoincrement=False
    )
    earlier_id: Mapped[int] = mapped_column(
        ForeignKey("recommendation.id"), primary_key=True, autoincrement=False, index=True
    )
    set_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    set_at: Mapped[datetime]


class Example(Base):
    """An example of a recommendation carried out, sent at any time of the year; tied to no round."""

    __tablename__ = "example"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    titles: Mapped[Texts]
    texts: Mapped[Texts]
    url: Mapped[str | None] = mapped_column(Text)
    filename: Mapped[str | None] = mapped_column(String(255))
    media_type: Mapped[str | None] = mapped_column(String(120))
    size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    consent: Mapped[bool] = mapped_column(default=False)
    # the events folded, cached here
    state: Mapped[ExampleState] = mapped_column(
        checked(ExampleState, "state"), default=ExampleState.CANDIDATE, index=True
    )
    sent_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    created_at: Mapped[Created]


class ExampleEvent(Base):
    """One act on an example, append-only."""

    __tablename__ = "example_event"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    example_id: Mapped[int] = mapped_column(ForeignKey("example.id"))
    number: Mapped[int]
    action: Mapped[ExampleAct] = mapped_column(checked(ExampleAct, "action"))
    state: Mapped[ExampleState] = mapped_column(checked(ExampleState, "state"))
    reason: Mapped[str | None] = mapped_column(Text)
    done_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    done_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("example_id", "number"),)
