"""Work for later: a job is a row in the transaction that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal import clock
from portal.models import Job

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
