"""Backup and restore: one zip that any engine can take back, checked from its first to its last bit.

The zip holds every table as JSON lines with its internal numbers (the audit chain covers them), the evidence and export
files, the key, and a manifest with the sha256 of each member, the canonical dump's digest and the head of the audit
chain. The last 64 bytes of the file, inside the zip's comment, are the sha256 of everything before them: a single bit
that flips anywhere shows.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal import clock
from portal.models import Base
from portal.queries.dump import CanonicalDump, audit_head, judge_file, plain, row_counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from sqlalchemy import Connection, Engine, Table

FORMAT = 1
MANIFEST = "manifest.json"
KEY = "secret-key"
# who is signed in at the moment, and uploads that nobody confirmed, are not worth taking along
NOT_KEPT = frozenset({"session", "login_attempt", "import_draft"})
SEAL = 64
CHUNK = 1024 * 1024


@dataclass
class Manifest:
    """What a backup says of itself."""

    made_at: str
    schema: str
    engine: str
    dump_sha256: str
    audit_events: int
    audit_head: str
    rows: dict[str, int]
    members: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    format: int = FORMAT


def kept_tables() -> list[Table]:
    """Return the tables of a backup, each after those it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in NOT_KEPT]


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Lend a connection that sees the database as it stands now, whatever is written meanwhile."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.execution_options(**options).connect() as connection, connection.begin():
        yield connection


def write_backup(engine: Engine, target: Path, *, schema: str, folders: dict[str, Path], key: str | None) -> Manifest:
    """Write a backup while the portal runs.

    ``folders`` are ``evidence`` and ``exports``; ``key`` is None when it is set outside.
    The file appears under its name only when it is whole and on the disk. Evidence whose file is missing or changed is
    named in the manifest's ``faults``.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                manifest = _fill(archive, engine, schema=schema, folders=folders, key=key)
                archive.writestr(MANIFEST, json.dumps(vars(manifest), ensure_ascii=False, indent=1, sort_keys=True))
                archive.comment = b"0" * SEAL
            _seal(file)
        draft.replace(target)
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _fill(
    archive: zipfile.ZipFile, engine: Engine, *, schema: str, folders: dict[str, Path], key: str | None
) -> Manifest:
    with reading(engine) as connection:
        events, head = audit_head(connection)
        manifest = Manifest(
            made_at=clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            schema=schema,
            engine=engine.dialect.name,
            dump_sha256=CanonicalDump(connection).digest(),
            audit_events=events,
            audit_head=head,
            rows=row_counts(connection, kept_tables()),
        )
        for table in kept_tables():
            _add_rows(archive, connection, table, manifest)
        # the columns that name a file
        held = (
            ("evidence", "sha256"),
            ("signing_pack", "cover_sha256"),
            ("earlier_cover", "sha256"),
            ("example", "sha256"),
            ("assignment_document", "sha256"),
        )
        evidence = sorted({one for table, column in held for one in _column(connection, table, column) if one})
        exports = sorted({one for one in _column(connection, "export", "filename") if one})
    # files are named by their content and outlive their rows, so they may be read after the snapshot
    for sha256 in evidence:
        path = folders["evidence"] / sha256[:2] / sha256
        if fault := judge_file(path, sha256):
            manifest.faults.append(f"evidence {sha256}: {fault}")
        else:
            _add_file(archive, path, f"evidence/{sha256[:2]}/{sha256}", manifest)
    for path in sorted(folders["exports"].rglob("*")) if exports and folders["exports"].is_dir() else []:
        if path.is_file() and not path.name.startswith("."):
            _add_file(archive, path, f"exports/{path.relative_to(folders['exports']).as_posix()}", manifest)
    if key is not None:
        archive.writestr(KEY, key)
        manifest.members[KEY] = hashlib.sha256(key.encode()).hexdigest()
    return manifest


def _column(connection: Connection, table: str, column: str) -> list[str]:
    return list(connection.scalars(select(Base.metadata.tables[table].c[column])))


def _add_rows(archive: zipfile.ZipFile, connection: Connection, table: Table, manifest: Manifest) -> None:
    name, made = f"rows/{table.name}.jsonl", hashlib.sha256()
    order = list(table.primary_key.columns)
    rows = connection.execution_options(yield_per=2000).execute(select(table).order_by(*order))
    with archive.open(name, "w", force_zip64=True) as out:
        for row in rows:
            # numbers as stored (no spelling alike): JSON keeps Python's floats exactly
            values = {column.name: _raw(row._mapping[column.name]) for column in table.c}  # noqa: SLF001 - documented
            line = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            made.update(line)
            out.write(line)
    manifest.members[name] = made.hexdigest()


def _raw(value: Any) -> Any:
    return value if isinstance(value, float | dict | list) else plain(value)


def _add_file(archive: zipfile.ZipFile, path: Path, name: str, manifest: Manifest) -> None:
    made = hashlib.sha256()
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as out:
        while chunk := source.read(CHUNK):
            made.update(chunk)
            out.write(chunk)
    manifest.members[name] = made.hexdigest()


def _seal(file: IO[bytes]) -> None:
    """Put the sha256 of all before it into the zip's comment, and see the file onto the disk."""
    file.seek(0, os.SEEK_END)
    size = file.tell() - SEAL
    file.seek(0)
    made = digest_of(file, size)
    file.seek(size)
    file.write(made.encode())
    file.flush()
    os.fsync(file.fileno())


def digest_of(file: IO[bytes], size: int) -> str:
    """Return the sha256 of the next ``size`` bytes."""
    made = hashlib.sha256()
    while size > 0 and (chunk := file.read(min(CHUNK, size))):
        made.update(chunk)
        size -= len(chunk)
    return made.hexdigest()


def sync_folder(folder: Path) -> None:
    """See the names of a folder onto the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
