"""Filling a new SQLite file without waiting for the disk after each act."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from portal.extensions import db

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hurried(database: Path | None) -> Iterator[None]:
    """Let the block write without fsync, then bring everything to the disk at once; nothing on a server (None).

    Only for a file that is thrown away when a power cut leaves it half done.
    """
    if database is None:
        yield
        return
    engine = db.engine
    db.session.rollback()
    engine.dispose()
    event.listen(engine, "connect", _hurry)
    try:
        yield
        db.session.rollback()
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    finally:
        event.remove(engine, "connect", _hurry)
        db.session.rollback()
        engine.dispose()
    sync_file(database)


def _hurry(connection: Any, _entry: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def sync_file(path: Path) -> None:
    """Bring a written file to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
