"""Words of the portal: what the secretariat set instead of a shipped text, and which native reader checked it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id


class Wording(Base):
    """One message in one language and plural form: the words set here, and whether a native reader checked them."""

    __tablename__ = "wording"

    id: Mapped[Id]
    language: Mapped[str] = mapped_column(String(16))
    # portal.catalogues.key_of: the message itself, hashed
    message: Mapped[str] = mapped_column(String(24))
    form: Mapped[int] = mapped_column(default=0)
    source: Mapped[str] = mapped_column(Text)
    # None: the shipped text holds, and the row only says that it was checked
    text: Mapped[str | None] = mapped_column(Text)
    # the shipped text when the row was last set: a later version may ship another one
    basis: Mapped[str] = mapped_column(Text)
    checked_by: Mapped[str | None] = mapped_column(String(200))
    checked_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(default=1)
    set_at: Mapped[datetime]
    set_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))

    __table_args__ = (UniqueConstraint("language", "message", "form"),)


class WordingRevision(Base):
    """What a message was set to, and by whom: append-only. The newest ``id`` tells every process that words changed."""

    __tablename__ = "wording_revision"

    id: Mapped[Id]
    wording_id: Mapped[int] = mapped_column(ForeignKey("wording.id"))
    revision: Mapped[int]
    text: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    checked_by: Mapped[str | None] = mapped_column(String(200))
    checked_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, default="")
    set_at: Mapped[datetime]
    set_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))

    __table_args__ = (UniqueConstraint("wording_id", "revision"),)
