"""The worker: one process that takes mails and jobs in turn, each under a lease, until it is told to stop.

No queue server stands behind it: the rows are the queue (docs/decisions/0005-jobs-are-rows.md).
"""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from portal import clock, wording
from portal.database import write
from portal.extensions import db
from portal.jobs import exports as _exports  # noqa: F401 - registers its handler
from portal.jobs import handlers, housekeeping, news, outbox
from portal.models import Job, JobStatus

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("portal.worker")

LEASE = timedelta(minutes=10)
ATTEMPTS = 5
IDLE_SECONDS = 1.0
TROUBLE_SECONDS = 5.0


def run(app: Flask) -> None:
    """Work until TERM or INT; the job in hand is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("worker started")
    day = minute = ""
    while not stop.is_set():
        try:
            day = housekeeping.queue_daily(app, day)
            minute = news.tell_each_minute(app, minute)
            busy = work_once(app)
        except OperationalError as error:
            log.warning("the database does not answer: %s", type(error).__name__)
            stop.wait(TROUBLE_SECONDS)
            continue
        if not busy:
            stop.wait(IDLE_SECONDS)
    log.info("worker stopped")


def work_once(app: Flask) -> bool:
    """Send the mails that are due and do one job; return whether there was anything to do."""
    with app.app_context():
        wording.refresh()
        sent = outbox.send_due(app)
        return do_next_job(app) or sent > 0


def work_all(app: Flask, limit: int = 1000) -> None:
    """Work until nothing is due (commands and tests)."""
    for _ in range(limit):
        if not work_once(app):
            return


@dataclass(frozen=True)
class _Taken:
    id: int
    name: str
    arguments: dict[str, Any]
    attempts: int


def do_next_job(app: Flask) -> bool:
    """Take the oldest job that is due, or whose worker died, and do it; return whether there was one."""
    taken = _take()
    if taken is None:
        return False
    try:
        handlers.handle(app, taken.name, taken.arguments)
    except Exception as error:  # the last line of defence: one bad job must not end the worker
        log.exception("job %s (%s) failed", taken.id, taken.name)
        db.session.rollback()
        _give_back(taken, f"{type(error).__name__}: {error}"[:2000])
    else:
        with write() as session:
            job = session.get_one(Job, taken.id)
            job.status, job.finished_at, job.lease_until, job.error = JobStatus.DONE, clock.now(), None, None
    return True


def _take() -> _Taken | None:
    due = (
        select(Job)
        .where(
            or_(
                (Job.status == JobStatus.QUEUED) & (Job.run_after <= clock.now()),
                (Job.status == JobStatus.RUNNING) & (Job.lease_until < clock.now()),
            )
        )
        .order_by(Job.run_after, Job.id)
        .limit(1)
    )
    # looked at first without the writer's lock: an idle worker disturbs nobody
    found = db.session.scalar(due.with_only_columns(Job.id))
    db.session.rollback()
    if found is None:
        return None
    with write() as session:
        job = session.scalar(due.with_for_update(skip_locked=True).execution_options(populate_existing=True))
        if job is None:
            return None
        job.status, job.attempts, job.lease_until = JobStatus.RUNNING, job.attempts + 1, clock.now() + LEASE
        return _Taken(job.id, job.name, dict(job.arguments), job.attempts)


def _give_back(taken: _Taken, error: str) -> None:
    with write() as session:
        job = session.get_one(Job, taken.id)
        job.error, job.lease_until = error, None
        if taken.attempts >= ATTEMPTS:
            job.status, job.finished_at = JobStatus.FAILED, clock.now()
        else:
            job.status, job.run_after = JobStatus.QUEUED, clock.now() + timedelta(seconds=15 * 4**taken.attempts)
