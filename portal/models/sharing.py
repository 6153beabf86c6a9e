"""Work that a reply's institution shares out: questions handed to one person, or asked of many units at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Created, Id, PublicId


class Unit(Base):
    """Somebody below an institution whom it asks again and again: a provincial department, a court, a directorate."""

    __tablename__ = "unit"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))
    name: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    # taken off the list: it is not offered for a next collection
    retired_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    __table_args__ = (UniqueConstraint("institution_id", "name"),)


class Collection(Base):
    """Questions of one reply asked of many units; what they answer stands apart until it is taken over.

    ``taken`` keeps what was put into the reply last, by field name, row and file (services/taking_over.py), so that
    taking over again replaces just that and tells what a unit changed from what the institution did.
    """

    __tablename__ = "collection"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    items: Mapped[list[str]]
    quoted: Mapped[list[str]] = mapped_column(default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime]
    taken: Mapped[dict[str, Any]] = mapped_column(default=dict)
    taken_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    created_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    held_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))


class Delegation(Base):
    """Questions handed to a person until a day: a colleague with an account, or anybody by link and code.

    ``submission_id`` is where the answers go: the reply itself, or what one unit of a collection answers. ``items`` are
    codes of questions and tables; ``quoted`` those whose answers the person may read because the questions speak of
    them. ``held_by`` looks after it in the institution.
    """

    __tablename__ = "delegation"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), index=True)
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collection.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    items: Mapped[list[str]]
    quoted: Mapped[list[str]] = mapped_column(default=list)
    name: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    # wrong codes since the link was made: beyond a limit it is dead until it is made anew
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(Text, default="")
    taken_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # a unit that was removed from its collection: what it answered is kept, but counts no more
    left_out_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    created_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    held_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
