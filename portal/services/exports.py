"""Exports: asking for one, and writing down what became of it. Each is a row with who, when, counts and checksum."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal import clock
from portal.models import Answer, Assignment, Export, Job, JobStatus, Submission
from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.services import audit

if TYPE_CHECKING:
    from datetime import date, timedelta
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.models import ReportingRound
    from portal.permissions import Principal
    from portal.services.round_workbook import Made

WORKBOOK = "round_workbook"
JOB = "make_export"
# rounds up to this many stored answers are made while the person waits: well under two seconds (bench/workbook.py)
AT_ONCE = 3_000


def request_export(
    session: Session, of: ReportingRound, *, language: str, by: Principal, wait: timedelta | None = None
) -> Export:
    """Ask for the consolidated workbook of a round: a row, a job for the worker, an audit entry.

    ``wait`` keeps the worker off for a while, for whoever makes the export in the same request.

    Raises:
        NotAllowed: if ``by`` may not export.
    """
    require(by, Permission.EXPORT_ROUND, of)
    now = clock.now()
    export = Export(
        round_id=of.id,
        kind=WORKBOOK,
        filters={"language": language},
        filename=filename(of.slug, language, clock.today(country_facts(session).time_zone)),
        requested_by=by.actor_id,
        requested_at=now,
    )
    session.add(export)
    session.flush()
    session.add(Job(name=JOB, arguments={"export": export.public_id}, run_after=now + wait if wait else now))
    audit.record(
        session, "request_export", by=by, kind="round", thing=of.slug, export=export.public_id, language=language
    )
    return export


def record_made(session: Session, export: Export, made: Made) -> Export:
    """Write down that an export was made; its file must be in place and counted by now."""
    export.status = JobStatus.DONE
    export.size, export.sha256, export.error = made.size, made.sha256, None
    export.counts = {"lines": [list(line) for line in made.lines], "altered": made.altered, "checksum": made.checksum}
    export.finished_at = clock.now()
    _settle_job(session, export, JobStatus.DONE)
    audit.record(
        session, "make_export", by=None, kind="export", thing=export.public_id, sha256=made.sha256, size=made.size,
        checksum=made.checksum,
    )  # fmt: skip
    return export


def record_failed(session: Session, export: Export, error: str) -> Export:
    """Write down that an export could not be made, and why; nobody can download it."""
    export.status, export.error, export.finished_at = JobStatus.FAILED, error[:2000], clock.now()
    _settle_job(session, export, JobStatus.FAILED)
    session.flush()
    return export


def _settle_job(session: Session, export: Export, status: JobStatus) -> None:
    """Close the job of an export that was made while the person waited; one in a worker's hands is the worker's."""
    for job in session.scalars(select(Job).where(Job.name == JOB, Job.status == JobStatus.QUEUED)):
        if job.arguments.get("export") == export.public_id:
            job.status, job.finished_at, job.error = status, clock.now(), export.error


def find_export(session: Session, public_id: str) -> Export | None:
    """Find an export by its public id, as it stands now."""
    return session.scalar(
        select(Export).where(Export.public_id == public_id).execution_options(populate_existing=True)
    )


def is_small(session: Session, round_id: int) -> bool:
    """Tell whether the workbook of a round can be made while the person waits."""
    number = session.scalar(
        select(func.count())
        .select_from(Answer)
        .join(Submission, Submission.id == Answer.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.round_id == round_id)
    )
    return (number or 0) <= AT_ONCE


def path_of(export: Export, folder: Path) -> Path:
    """Return where the file of an export lies."""
    return folder / f"{export.public_id}.xlsx"


def filename(slug: str, language: str, day: date) -> str:
    """Return the name under which a workbook is saved by the browser; the day is the country's, as in other files."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', slug)}-workbook-{language}-{day.isoformat()}.xlsx"
