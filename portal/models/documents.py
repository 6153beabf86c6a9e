"""Documents that came for an assignment outside the form: received, to be entered; then entered, or set aside."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, PublicId, checked


class DocumentState(StrEnum):
    """What became of a document: it waits to be entered, its answers were entered, or it was set aside."""

    RECEIVED = "received"
    ENTERED = "entered"
    SET_ASIDE = "set_aside"


class AssignmentDocument(Base):
    """A Word file, PDF or photo sent in for an assignment; the file lies under its sha256 beside the evidence."""

    __tablename__ = "assignment_document"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    # when a virus scanner called the file clean; None: it was not scanned
    scanned_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    from_secretariat: Mapped[bool]
    added_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    added_at: Mapped[datetime]
    state: Mapped[DocumentState] = mapped_column(checked(DocumentState, "state"), default=DocumentState.RECEIVED)
    # the secretariat answers from it on behalf of the institution (a return on paper), since when
    on_behalf_since: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    settled_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
