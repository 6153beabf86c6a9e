"""Who has which page of a reply open just now: no history, forgotten within minutes, in no dump."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Presence(Base):
    """The page of a reply on which somebody was seen last; one row per person and reply, written over by the next."""

    __tablename__ = "presence"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id"), primary_key=True)
    page: Mapped[str] = mapped_column(String(80))
    seen_at: Mapped[datetime]

    __table_args__ = (Index("ix_presence_seen_at", "seen_at"),)
