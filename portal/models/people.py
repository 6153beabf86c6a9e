"""Persons, institutions, their parts, and the ways in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.base import Base, Created, Id, PublicId, Texts, checked


class Role(StrEnum):
    """Part of a person in an institution (domain: main focal point, alternates, validating authority)."""

    FOCAL_POINT = "focal_point"
    ALTERNATE = "alternate"
    CONTRIBUTOR = "contributor"
    APPROVER = "approver"
    READER = "reader"


class StaffRole(StrEnum):
    """Part of a person in the secretariat, or of an observer."""

    COORDINATOR = "coordinator"
    REPORT_WRITER = "report_writer"
    ADMINISTRATOR = "administrator"
    OBSERVER = "observer"


class ActorKind(StrEnum):
    """Who can do something."""

    USER = "user"
    DELEGATION = "delegation"
    SYSTEM = "system"


class InvitationPurpose(StrEnum):
    """Why a person gets a link and a code."""

    FIRST_ENTRY = "first_entry"
    RESET = "reset"


class UserAccount(Base):
    """A person who signs in with a log-in name, a phone number or, where there is one, an e-mail address."""

    __tablename__ = "user_account"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    login: Mapped[str] = mapped_column(String(80), unique=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(32), unique=True)
    telegram: Mapped[str | None] = mapped_column(String(80))
    names: Mapped[Texts]
    honorific: Mapped[Texts] = mapped_column(default=dict)
    post: Mapped[Texts] = mapped_column(default=dict)
    language: Mapped[str | None] = mapped_column(String(16))
    digits: Mapped[str] = mapped_column(String(8), default="latn")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    # the newest time step (of 30 seconds) whose code was taken: no code counts twice
    totp_last_step: Mapped[int | None]
    # hashes of the recovery codes that are left
    totp_recovery: Mapped[list[str]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Created]

    memberships: Mapped[list[Membership]] = relationship(back_populates="user", lazy="raise")
    staff_roles: Mapped[list[StaffAppointment]] = relationship(back_populates="user", lazy="raise")


class Institution(Base):
    """A ministry, agency, court or parliament that answers questionnaires; listed in protocol order (``rank``)."""

    __tablename__ = "institution"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    code: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[Texts]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("institution.id"), index=True)
    rank: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(40), default="ministry")
    letter_form: Mapped[Texts] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Created]

    __table_args__ = (Index("ix_institution_rank_id", "rank", "id"),)


class Membership(Base):
    """The part a person has in an institution."""

    __tablename__ = "membership"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)
    role: Mapped[Role] = mapped_column(checked(Role, "role"))
    ended_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    user: Mapped[UserAccount] = relationship(back_populates="memberships", lazy="raise")
    institution: Mapped[Institution] = relationship(lazy="raise")

    __table_args__ = (UniqueConstraint("user_id", "institution_id"),)


class StaffAppointment(Base):
    """A role in the secretariat; table ``staff_role``."""

    __tablename__ = "staff_role"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[StaffRole] = mapped_column(checked(StaffRole, "role"))
    created_at: Mapped[Created]

    user: Mapped[UserAccount] = relationship(back_populates="staff_roles", lazy="raise")

    __table_args__ = (UniqueConstraint("user_id", "role"),)


class Invitation(Base):
    """A link plus a short code for a first entry or a forgotten password; opening the link spends nothing."""

    __tablename__ = "invitation"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    purpose: Mapped[InvitationPurpose] = mapped_column(checked(InvitationPurpose, "purpose"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Created]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("actor.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Session(Base):
    """One signed-in browser; the cookie holds a random value of which only the hash is stored."""

    __tablename__ = "session"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("membership.id"))
    csrf_secret: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[Created]
    last_seen: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """A bearer token for ``/api/v1``; only its hash is stored."""

    __tablename__ = "api_token"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Actor(Base):
    """Who did it: a user, a delegation (person without account) or the system; every ``*_by`` refers here."""

    __tablename__ = "actor"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[ActorKind] = mapped_column(checked(ActorKind, "kind"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), unique=True)
    # no foreign key: delegation itself refers to actor
    delegation_id: Mapped[int | None] = mapped_column(unique=True)
    on_behalf_of: Mapped[int | None] = mapped_column(ForeignKey("institution.id"))
    created_at: Mapped[Created]
