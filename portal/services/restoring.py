"""Restoring a backup: judged as a whole first, then taken in as one transaction, then held against its own figures."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
import zlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Date, DateTime, Enum, bindparam, func, insert, select, text, update

from portal.errors import Conflict, Invalid
from portal.models import Base, UserAccount
from portal.models.base import UtcDateTime
from portal.queries.dump import CanonicalDump, audit_head
from portal.services import audit
from portal.services.backups import CHUNK, FORMAT, KEY, MANIFEST, SEAL, Manifest, digest_of, kept_tables, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Column, Connection, Table
    from sqlalchemy.orm import Session

ROWS_AT_ONCE = 1000
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError)


class Damaged(Invalid):
    """The backup is not, bit for bit, what was written."""

    code = "backup_damaged"


def read_manifest(path: Path) -> Manifest:
    """Judge a backup from its first to its last bit and return what it says of itself.

    Raises:
        Damaged: with the member that is damaged, where it can be told.
    """
    size = path.stat().st_size - SEAL
    with path.open("rb") as file:
        right = size > 0 and digest_of(file, size).encode() == file.read(SEAL)
    damaged = _damaged_members(path)
    if damaged:
        raise Damaged(_l("This backup is damaged: %(member)s is not what was written.", member=", ".join(damaged[:5])))
    if not right:
        raise Damaged(_l("This backup is damaged: its frame is not what was written, or its end is missing."))
    with zipfile.ZipFile(path) as archive:
        found = json.loads(archive.read(MANIFEST))
    if found.get("format") != FORMAT:
        raise Invalid(_l("This backup has a format that this version does not know."), code="backup_format")
    return Manifest(**found)


def _damaged_members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = json.loads(archive.read(MANIFEST))["members"]
            return [name for name, sha256 in members.items() if not _fits(archive, name, sha256)]
    except _BROKEN:
        return [str(_l("the list of its contents"))]


def _fits(archive: zipfile.ZipFile, name: str, sha256: str) -> bool:
    made = hashlib.sha256()
    try:
        with archive.open(name) as member:
            while chunk := member.read(CHUNK):
                made.update(chunk)
    except _BROKEN:
        return False
    return made.hexdigest() == sha256


def is_empty(connection: Connection | Session) -> bool:
    """Tell whether nobody lives in this database yet."""
    return not connection.execute(select(func.count()).select_from(UserAccount)).scalar()


def restore_files(path: Path, manifest: Manifest, *, folders: dict[str, Path], key_file: Path | None) -> int:
    """Put files and key into place, each whole or not at all; return how many.

    ``key_file`` is None where the key is set outside. Files are named by their content, so repeating is harmless.
    """
    done = 0
    with zipfile.ZipFile(path) as archive:
        for name in sorted(manifest.members):
            room, _, rest = name.partition("/")
            if name == KEY:
                target, mode = key_file, 0o600
            elif room in folders and ".." not in rest.split("/") and not rest.startswith("/"):
                target, mode = folders[room] / rest, 0o600
            else:
                continue
            if target is not None:
                _put(archive, name, target, mode)
                done += 1
    return done


def _put(archive: zipfile.ZipFile, name: str, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with archive.open(name) as member, os.fdopen(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb"
        ) as out:  # fmt: skip
            while chunk := member.read(CHUNK):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def restore_rows(session: Session, path: Path, manifest: Manifest, *, replace: bool) -> None:
    """Fill the database with the rows of a backup; call inside ``write()``, which takes them all or none.

    Raises:
        Conflict: the database is in use and ``replace`` was not said.
        Damaged: what came out is not what went in (never seen; nothing is kept then).
    """
    if not replace and not is_empty(session):
        raise Conflict(_l("This portal is not empty. Restore into an empty one, or say --replace."), code="not_empty")
    connection = session.connection()
    for table in reversed(Base.metadata.sorted_tables):
        _forget_self_references(connection, table)
        connection.execute(table.delete())
    with zipfile.ZipFile(path) as archive:
        for table in kept_tables():
            _load(connection, archive, table)
    if connection.dialect.name == "postgresql":
        _go_on_counting(connection)
    _check(session, manifest)


def _self_references(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if any(key.column.table is table for key in column.foreign_keys)]


def _forget_self_references(connection: Connection, table: Table) -> None:
    for column in _self_references(table):
        connection.execute(update(table).where(column.is_not(None)).values({column.name: None}))


def _load(connection: Connection, archive: zipfile.ZipFile, table: Table) -> None:
    """Insert a table's rows; what points to rows of the same table is filled in afterwards."""
    readers = {column.name: _reader(column) for column in table.c}
    own = _self_references(table)
    later: list[dict[str, Any]] = []
    for batch in _batches(archive, table, readers):
        for row in batch:
            if any(row[column.name] is not None for column in own):
                later.append({"row_id": row["id"]} | {f"to_{column.name}": row[column.name] for column in own})
                row.update({column.name: None for column in own})
        connection.execute(insert(table), batch)
    if later:
        values: dict[str, Any] = {column.name: bindparam(f"to_{column.name}") for column in own}
        connection.execute(update(table).where(table.c.id == bindparam("row_id")).values(values), later)


def _batches(
    archive: zipfile.ZipFile, table: Table, readers: dict[str, Callable[[Any], Any]]
) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    with archive.open(f"rows/{table.name}.jsonl") as lines:
        for line in lines:
            stored = json.loads(line)
            batch.append({name: read(stored.get(name)) for name, read in readers.items()})
            if len(batch) == ROWS_AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    kind = column.type
    if isinstance(kind, UtcDateTime | DateTime):
        return lambda value: datetime.fromisoformat(value) if value is not None else None
    if isinstance(kind, Date):
        return lambda value: date.fromisoformat(value) if value is not None else None
    if isinstance(kind, Enum) and kind.enum_class is not None:
        members = kind.enum_class
        return lambda value: members(value) if value is not None else None
    return lambda value: value


def _go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL's counters go on after the highest number of each table."""
    for table in Base.metadata.sorted_tables:
        if [column.name for column in table.primary_key.columns] != ["id"]:
            continue
        highest = connection.execute(select(func.max(table.c.id))).scalar()
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :number, :used)"),
            {"name": table.name, "number": highest or 1, "used": highest is not None},
        )


def _check(session: Session, manifest: Manifest) -> None:
    session.expire_all()
    faults = audit.verify(session)
    if faults:
        raise Damaged(_l("The audit chain of this backup is broken: %(fault)s", fault=faults[0]))
    same = CanonicalDump(session).digest() == manifest.dump_sha256
    if not same or audit_head(session) != (manifest.audit_events, manifest.audit_head):
        raise Damaged(_l("What was restored is not what was backed up; nothing was kept."))
