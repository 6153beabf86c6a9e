"""Housekeeping once a day: queued by whichever worker comes first, done by one, harmless when done twice."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from portal import clock
from portal.database import write
from portal.extensions import db
from portal.jobs.handlers import handles
from portal.services import housekeeping, jobs
from portal.services.import_drafts import FOLDER

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("portal.housekeeping")

JOB = "housekeep"


def queue_daily(app: Flask, done: str = "") -> str:
    """Queue today's housekeeping unless it was; return the day, to be handed in the next time."""
    day = clock.today().isoformat()
    if day != done:
        with app.app_context(), write() as session:
            jobs.queue_job_once(session, JOB, day)
    return day


@handles(JOB)
def housekeep(app: Flask) -> None:
    """Do today's housekeeping and say in the log what went."""
    counts = {name: count for name, count in keep_house(app).items() if count}
    if counts:
        log.info("housekeeping removed %s", ", ".join(f"{count} {name}" for name, count in counts.items()))


def keep_house(app: Flask) -> dict[str, int]:
    """Remove rows and files that have served their time; return how many, by table and folder."""
    settings = app.config["SETTINGS"]
    with write() as session:
        counts = housekeeping.forget_rows(session)
    # the folders are looked through without the writers' lock
    evidence = housekeeping.orphans(db.session, housekeeping.old_evidence(settings.evidence_dir))
    imports = housekeeping.old_files(settings.data_dir / FOLDER, housekeeping.DRAFTS_KEPT)
    uploads = housekeeping.old_files(settings.tmp_dir, housekeeping.FILES_KEPT)
    counts["uploads"] = 0
    if evidence or imports or uploads:
        with write() as session:
            counts["evidence files"] = housekeeping.remove_evidence(session, evidence)
            counts["import files"] = housekeeping.remove_imports(session, imports)
            counts["uploads"] = housekeeping.remove_uploads(uploads)
    return counts
