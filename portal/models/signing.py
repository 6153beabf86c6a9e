"""Signing on paper, and what an approver and a checker leave behind: packs, kept warnings, what was seen when."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Created, Id, PublicId, verification_code


class SigningPack(Base):
    """Replies of one institution and round, printed together for one signature.

    It is out until its signed cover came back (``signed_at``) or it was taken back (``cancelled_at``). ``sha256``
    covers the code and the hashes of all replies in it, as they are printed on the cover.
    """

    __tablename__ = "signing_pack"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(String(16), unique=True, default=verification_code)
    round_id: Mapped[int] = mapped_column(ForeignKey("reporting_round.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    made_at: Mapped[Created]
    # what stands on the signed cover, and the cover itself: a file among the evidence, under its sha256
    letter_number: Mapped[str | None] = mapped_column(String(120))
    letter_on: Mapped[date | None]
    signer_name: Mapped[str] = mapped_column(String(200), default="")
    signer_post: Mapped[str] = mapped_column(String(200), default="")
    cover_name: Mapped[str | None] = mapped_column(String(255))
    cover_type: Mapped[str | None] = mapped_column(String(120))
    cover_size: Mapped[int | None]
    cover_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    signed_at: Mapped[datetime | None]
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    cancelled_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_signing_pack_round_id_institution_id", "round_id", "institution_id"),)

    @property
    def out(self) -> bool:
        """Tell whether the paper is on its way to be signed."""
        return self.signed_at is None and self.cancelled_at is None


class EarlierCover(Base):
    """A photo or scan that was sent as the signed cover of a pack, until another one was given instead of it."""

    __tablename__ = "earlier_cover"

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(ForeignKey("signing_pack.id"))
    number: Mapped[int]  # 1 for the one that was sent first
    name: Mapped[str] = mapped_column(String(255))
    media_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    replaced_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    replaced_at: Mapped[Created]

    __table_args__ = (UniqueConstraint("pack_id", "number"),)


class PackedReply(Base):
    """One reply in a pack, with the very bytes that were printed; ``open`` while the pack is out and holds it.

    What changes a reply takes it out of the pack: ``left_event_id`` names that act.
    """

    __tablename__ = "packed_reply"

    id: Mapped[Id]
    pack_id: Mapped[int] = mapped_column(ForeignKey("signing_pack.id"))
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    position: Mapped[int]
    canonical: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    open: Mapped[bool] = mapped_column(default=True)
    left_event_id: Mapped[int | None] = mapped_column(ForeignKey("submission_event.id"))
    # the act by which the pack's signature reached this reply
    signed_event_id: Mapped[int | None] = mapped_column(ForeignKey("submission_event.id"))

    __table_args__ = (
        UniqueConstraint("pack_id", "submission_id"),
        # a reply is in one pack at a time
        Index(
            "uq_packed_reply_open",
            "submission_id",
            unique=True,
            sqlite_where=text("open"),
            postgresql_where=text("open"),
        ),
        Index("ix_packed_reply_submission_id", "submission_id"),
    )


class KeptWarning(Base):
    """A warning that somebody looked at and kept, with the reason; it holds while ``basis`` is what it warned of."""

    __tablename__ = "kept_warning"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"))
    # what warns, and of which answer: "soft_constraint beds", "reversed begun/ended"
    warning: Mapped[str] = mapped_column(String(200))
    basis: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    kept_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    kept_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("submission_id", "warning"),)


class ReplySeen(Base):
    """When a person last read a reply to its end: what changed since is shown to them."""

    __tablename__ = "reply_seen"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    actor_id: Mapped[int] = mapped_column(ForeignKey("actor.id"), primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]

    __table_args__ = {"sqlite_with_rowid": False}
