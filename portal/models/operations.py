"""What keeps the portal running: exports, jobs, the outbox, the audit chain, repeated and held posts, the country."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Created, Id, PublicId, Texts, checked


class JobStatus(StrEnum):
    """Life of a job (and of an export)."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class MailStatus(StrEnum):
    """Life of a mail in the outbox."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Country(Base):
    """The one row that says whose portal this is: nothing in the code knows a country."""

    __tablename__ = "country"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(8), unique=True)
    # spellings under which imports name the country: ISO codes, names
    aliases: Mapped[list[str]]
    names: Mapped[Texts]
    # in order of preference, the national language first: {"code", "name", "digits"}
    languages: Mapped[list[dict[str, Any]]]
    time_zone: Mapped[str] = mapped_column(String(64))
    secretariat: Mapped[Texts]
    portal_name: Mapped[Texts]
    honorifics: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    demo: Mapped[bool] = mapped_column(default=False)


class Export(Base):
    """A workbook that somebody made: who, when, of what, with which counts and checksum."""

    __tablename__ = "export"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    round_id: Mapped[int | None] = mapped_column(ForeignKey("reporting_round.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[JobStatus] = mapped_column(checked(JobStatus, "status"), default=JobStatus.QUEUED)
    filename: Mapped[str | None] = mapped_column(String(255))
    size: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None] = mapped_column(Text)
    requested_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Job(Base):
    """Work for later, written in the transaction that needs it; a lease that runs out is taken again."""

    __tablename__ = "job"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(80))
    # "name:period" of work done once in a period, however many workers there are
    once: Mapped[str | None] = mapped_column(String(120), unique=True)
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[JobStatus] = mapped_column(checked(JobStatus, "status"), default=JobStatus.QUEUED)
    run_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_job_status_run_after_id", "status", "run_after", "id"),)


class OutgoingMail(Base):
    """The outbox: a mail is a row in the transaction of the act it tells about, and is sent afterwards."""

    __tablename__ = "outgoing_mail"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[MailStatus] = mapped_column(checked(MailStatus, "status"), default=MailStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]
    sent_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_outgoing_mail_status_id", "status", "id"),)


class AuditEvent(Base):
    """One act, chained: ``hash`` covers the row and ``previous``, so that a changed, missing or added row shows."""

    __tablename__ = "audit_event"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("actor.id"), index=True)
    action: Mapped[str] = mapped_column(String(60))
    object_kind: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[str] = mapped_column(String(120), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class IdempotencyKey(Base):
    """The answer to a POST already done, for seven days; another body under the same key is refused."""

    __tablename__ = "idempotency_key"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    key: Mapped[str] = mapped_column(String(64))
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    location: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]

    __table_args__ = (UniqueConstraint("user_id", "key"),)


class HeldPost(Base):
    """What somebody typed into a page whose session had expired; only the same user ever sees it again."""

    __tablename__ = "held_post"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[dict[str, Any]]]
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]


class LoginAttempt(Base):
    """A failed or successful attempt to sign in or to spend a code, for throttling per account."""

    __tablename__ = "login_attempt"

    id: Mapped[Id]
    account: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    succeeded: Mapped[bool]

    __table_args__ = (Index("ix_login_attempt_account_at", "account", "at"),)


class ImportDraft(Base):
    """A file that was looked through but not yet taken over: the dry run between upload and confirmation."""

    __tablename__ = "import_draft"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[Created]
    created_by: Mapped[int] = mapped_column(ForeignKey("actor.id"))
    confirmed_at: Mapped[datetime | None]
