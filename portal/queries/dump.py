"""The canonical dump: every row that matters as one JSON line, the same text on any engine for the same data.

Internal numbers never appear: a row is named by its public key, and a foreign key is written as the public key of what
it points to. Lines stand in the order of their bytes (table first, then key), so ``LC_ALL=C sort -c`` accepts a dump.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint, func, select

from portal.models import AssignmentDocument, Base, EarlierCover, Evidence, Example, SigningPack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Column, Connection, Row, Table
    from sqlalchemy.orm import Session

# rows that live for hours, or that only repeat what others say
LEFT_OUT = frozenset(
    {"session", "login_attempt", "idempotency_key", "held_post", "presence", "job", "import_draft", "alembic_version"}
)
# written as their sha256; a mail may hold the link of an invitation
SECRETS = frozenset(
    {
        ("user_account", "password_hash"),
        ("user_account", "totp_secret"),
        ("user_account", "totp_recovery"),
        ("api_token", "token_hash"),
        ("invitation", "token_hash"),
        ("invitation", "code_hash"),
        ("delegation", "token_hash"),
        ("delegation", "code_hash"),
        ("outgoing_mail", "body"),
    }
)
# public keys that the table itself does not tell
KEYS: Mapping[str, tuple[str, ...]] = {
    "audit_event": ("number",),
    "recommendation_revision": ("recommendation_id", "revision", "field", "lang"),
}
# tables too long for one sort in memory: read per some of the things that their key begins with
BY_PARENT = frozenset({"answer", "answer_revision"})
PARENTS_AT_ONCE = 200
# Python writes larger whole floats with an exponent, which PostgreSQL's JSON reads back as a whole number
EXPONENT_FROM = 1e16


def dumped_tables() -> list[Table]:
    """Return the tables of the dump by name."""
    return sorted((table for name, table in Base.metadata.tables.items() if name not in LEFT_OUT), key=lambda t: t.name)


def key_columns(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns that name a row of a table to the world."""
    if table.name in KEYS:
        return tuple(table.c[name] for name in KEYS[table.name])
    if "public_id" in table.c:
        return (table.c.public_id,)
    if [column.name for column in table.primary_key.columns] != ["id"]:
        return tuple(table.primary_key.columns)
    uniques = [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    if not uniques:
        message = f"the table {table.name} has no public key: name one in portal.queries.dump.KEYS"
        raise LookupError(message)
    return tuple(min(uniques, key=lambda columns: [column.name for column in columns]))


class CanonicalDump:
    """Writes the dump of one database; keeps the public keys of what rows point to."""

    def __init__(self, connection: Connection | Session) -> None:
        self.connection = connection
        self._names: dict[str, dict[int, Any]] = {}

    def lines(self) -> Iterator[str]:
        """Yield every line without its line end, in order."""
        for table in dumped_tables():
            yield from self._lines_of(table)

    def digest(self) -> str:
        """Return the sha256 of the dump as ``dump --canonical`` prints it."""
        made = hashlib.sha256()
        for line in self.lines():
            made.update(line.encode())
            made.update(b"\n")
        return made.hexdigest()

    def _lines_of(self, table: Table) -> Iterator[str]:
        if table.name not in BY_PARENT:
            yield from sorted(self._line(table, row) for row in self.connection.execute(select(table)))
            return
        first = key_columns(table)[0]
        names = self._public_keys(_target(first))
        parents = sorted(names, key=lambda parent: _json(names[parent]))
        for start in range(0, len(parents), PARENTS_AT_ONCE):
            rows = self.connection.execute(select(table).where(first.in_(parents[start : start + PARENTS_AT_ONCE])))
            yield from sorted(self._line(table, row) for row in rows)

    def _line(self, table: Table, row: Row[Any]) -> str:
        stored = row._mapping  # noqa: SLF001 - the documented way to a mapping
        key = [self._plain(column, stored[column.name]) for column in key_columns(table)]
        content = {
            column.name: self._plain(column, stored[column.name]) for column in table.c if column.name != "id"
        }
        return f'{{"table":{_json(table.name)},"key":{_json(key)},"row":{_json(content)}}}'

    def _plain(self, column: Column[Any], value: Any) -> Any:
        if value is not None and column.foreign_keys:
            return self._public_keys(_target(column)).get(value, f"?{value}")
        if value is not None and (column.table.name, column.name) in SECRETS:
            return "sha256:" + hashlib.sha256(str(value).encode()).hexdigest()
        return plain(value)

    def _public_keys(self, table: Table) -> dict[int, Any]:
        """Return the public key of every row of a table by its internal number."""
        if table.name not in self._names:
            columns = key_columns(table)
            found: dict[int, Any] = {}
            for row in self.connection.execute(select(table.c.id, *columns)):
                key = [self._plain(column, value) for column, value in zip(columns, list(row)[1:], strict=True)]
                found[row[0]] = key[0] if len(key) == 1 else key
            self._names[table.name] = found
        return self._names[table.name]


def _target(column: Column[Any]) -> Table:
    table: Table = next(iter(column.foreign_keys)).column.table
    return table


def plain(value: Any) -> Any:
    """Return a stored value as JSON spells it on every engine: moments in UTC with microseconds, numbers alike."""
    match value:
        case datetime():
            made: Any = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            made = value.isoformat()
        case Enum():
            made = value.value
        case float():
            made = int(value) if value == 0 or abs(value) >= EXPONENT_FROM else value
        case dict():
            made = {name: plain(one) for name, one in value.items()}
        case list():
            made = [plain(one) for one in value]
        case _:
            made = value
    return made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def evidence_faults(connection: Connection | Session, folder: Path) -> list[str]:
    """Hold every evidence row against its file; return what is missing or changed, each with its number and name."""
    rows = connection.execute(
        select(Evidence.public_id, Evidence.number, Evidence.filename, Evidence.sha256)
        .where(Evidence.sha256.is_not(None))
        .order_by(Evidence.public_id)
    ).all()
    covers = connection.execute(
        select(SigningPack.code, SigningPack.cover_sha256)
        .where(SigningPack.cover_sha256.is_not(None))
        .order_by(SigningPack.public_id)
    ).all()
    earlier = connection.execute(
        select(SigningPack.code, EarlierCover.sha256)
        .join(SigningPack, SigningPack.id == EarlierCover.pack_id)
        .order_by(SigningPack.public_id, EarlierCover.number)
    ).all()
    told = connection.execute(
        select(Example.public_id, Example.filename, Example.sha256)
        .where(Example.sha256.is_not(None))
        .order_by(Example.public_id)
    ).all()
    judged: dict[str, str] = {}
    for sha256 in {str(row.sha256) for row in (*rows, *told, *earlier)} | {str(row.cover_sha256) for row in covers}:
        judged[sha256] = judge_file(folder / sha256[:2] / sha256, sha256)
    documents = connection.execute(
        select(AssignmentDocument.public_id, AssignmentDocument.filename, AssignmentDocument.sha256).order_by(
            AssignmentDocument.public_id
        )
    ).all()
    faulty = [
        f"document {row.public_id} ({row.filename}): {fault}"
        for row in documents
        if (fault := judge_file(folder / row.sha256[:2] / row.sha256, row.sha256))
    ]
    return faulty + [
        f"evidence {row.public_id} (number {row.number}, {row.filename}): {judged[row.sha256]}"
        for row in rows
        if judged[row.sha256]
    ] + [
        f"signed cover of pack {row.code}: {judged[row.cover_sha256]}" for row in covers if judged[row.cover_sha256]
    ] + [
        f"earlier cover of pack {row.code}: {judged[row.sha256]}" for row in earlier if judged[row.sha256]
    ] + [f"example {row.public_id} ({row.filename}): {judged[row.sha256]}" for row in told if judged[row.sha256]]


def judge_file(path: Path, sha256: str) -> str:
    """Return "" when a file holds what its name says, else what is wrong."""
    if not path.is_file():
        return "its file is missing"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return "" if found == sha256 else f"its file was changed (sha256 {found})"


def audit_head(connection: Connection | Session) -> tuple[int, str]:
    """Return number and hash of the newest audit event; (0, sixty-four zeros) before the first."""
    table = Base.metadata.tables["audit_event"]
    row = connection.execute(select(table.c.number, table.c.hash).order_by(table.c.number.desc()).limit(1)).first()
    return (row[0], row[1]) if row else (0, "0" * 64)


def row_counts(connection: Connection | Session, tables: Sequence[Table]) -> dict[str, int]:
    """Return how many rows stand in each table."""
    return {one.name: int(connection.execute(select(func.count()).select_from(one)).scalar() or 0) for one in tables}
