"""How far a person has read what is new for them, how far they were told of it by mail, and how they wish to be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, checked


class MailWish(StrEnum):
    """When a person wishes to be told by mail of what happened."""

    SOON = "soon"
    DAILY = "daily"
    NEVER = "never"


class NewsMark(Base):
    """Two marks in the stream of what happened, per person; without a row everything since the account was made is new.

    ``told_until`` moves in the transaction that queues the mail, so that nothing is told twice or left out. ``wish`` is
    empty where the person has not said: then their part decides.
    """

    __tablename__ = "news_mark"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True, autoincrement=False)
    read_until: Mapped[datetime]
    told_until: Mapped[datetime]
    wish: Mapped[MailWish | None] = mapped_column(checked(MailWish, "wish"))
