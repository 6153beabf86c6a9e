"""Making an export: read in one transaction, write and prove the file, then say so in another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from portal.database import write
from portal.errors import PortalError
from portal.extensions import db
from portal.jobs.handlers import handles
from portal.models import Actor, JobStatus
from portal.queries.sessions import principal_of, system_principal
from portal.services import exports
from portal.services.round_workbook import Addresses, Made, write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from sqlalchemy.orm import Session

    from portal.models import Export
    from portal.permissions import Principal

log = logging.getLogger("portal.exports")


@handles(exports.JOB)
def make_export(app: Flask, export: str) -> None:
    """Make one export by its public id; one that is there already is left alone.

    A workbook that cannot be proved is recorded as failed and is no reason to try again; a fault of the machine is.
    """
    session = db.session
    found = exports.find_export(session, export)
    folder = app.config["SETTINGS"].exports_dir
    if found is None or found.round_id is None:
        return
    path = exports.path_of(found, folder)
    if found.status is JobStatus.DONE and path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    language = found.filters["language"]
    try:
        made = make_workbook(session, found.round_id, path, language=language, by=_requester(session, found))
    except PortalError as error:
        with force_locale(language):
            sentence = str(error)
        log.error("export %s was not given out: %s", export, error.code)  # noqa: TRY400 - the sentence says it all
        with write() as changing:
            exports.record_failed(changing, _again(changing, export), sentence)
        return
    with write() as changing:
        exports.record_made(changing, _again(changing, export), made)


def make_workbook(session: Session, round_id: int, path: Path, *, language: str, by: Principal) -> Made:
    """Write the workbook of a round to a path, all its figures from one moment.

    Raises:
        NotProved: if the file does not hold what the database counts.
    """
    session.rollback()
    if session.get_bind().dialect.name == "postgresql":
        # else each statement would see what others committed in between (SQLite reads one moment anyway)
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    try:
        return write_workbook(session, round_id, path, language=language, addresses=addresses(), by=by)
    finally:
        session.rollback()


def addresses() -> Addresses:
    """Return how a workbook leads back to this portal."""
    home = str(current_app.config["SETTINGS"].base_url)
    reply = "follow.submission" if "follow.submission" in current_app.view_functions else "respond.reply"
    urls = current_app.url_map.bind("")
    return Addresses(
        home,
        lambda public_id: home + urls.build(reply, {"public_id": public_id}),
        lambda public_id: home + urls.build("respond.evidence", {"public_id": public_id}),
    )


def _again(session: Session, public_id: str) -> Export:
    found = exports.find_export(session, public_id)
    if found is None:
        raise LookupError(public_id)
    return found


def _requester(session: Session, export: Export) -> Principal:
    user_id = session.scalar(select(Actor.user_id).where(Actor.id == export.requested_by))
    found = principal_of(session, user_id) if user_id is not None else None
    return found or system_principal(session)
