"""Work for later: a job is a row in the transaction that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.models import Job, JobStatus

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def queue_job(session: Session, name: str, *, run_after: datetime | None = None, **arguments: Any) -> Job:
    """Write down work for the worker: ``name`` of a handler in ``portal.jobs``, plain JSON arguments."""
    at = clock.now()
    job = Job(name=name, arguments=arguments, run_after=run_after or at, created_at=at)
    session.add(job)
    session.flush()
    return job


def queue_job_once(session: Session, name: str, period: str, **arguments: Any) -> bool:
    """Write down work that is done once in a period (a day, a round), whoever asks; False if it was asked already."""
    at = clock.now()
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = session.execute(
        dialect.insert(Job.__table__)
        .values(
            name=name, once=f"{name}:{period}", arguments=arguments, status=JobStatus.QUEUED, run_after=at, attempts=0,
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["once"])
        .returning(Job.__table__.c.id)
    ).first()  # fmt: skip
    return made is not None
