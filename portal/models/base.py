"""The base of all tables: naming convention, portable column types, time-ordered public identifiers."""

from __future__ import annotations

import os
import secrets
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, String, types
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from portal import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def uuid7() -> str:
    """Return a new time-ordered identifier (RFC 9562, version 7): 32 hexadecimal digits, safe in addresses, files."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


# Crockford's letters: none is taken for another, on paper or on the telephone
CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16


def verification_code() -> str:
    """Return a new code that stands on paper: 80 random bits in sixteen letters and digits."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


class UtcDateTime(types.TypeDecorator[datetime]):
    """An aware UTC moment on every engine; a naive datetime is refused rather than guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps no offset, so it is dropped there."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a stored moment must be aware: use clock.now()"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self, value: datetime | None, dialect: Dialect  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> datetime | None:
        """Give every moment back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonType = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def checked(kind: type[StrEnum], name: str) -> Enum:
    """Return a column type for an enum stored as a string with a check constraint called ``name``."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Declarative base; ``Mapped[Texts]`` is a language map, ``Mapped[Moment]`` an aware UTC datetime."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: UtcDateTime(),
        dict[str, str]: JsonType,
        dict[str, Any]: JsonType,
        list[str]: JsonType,
        list[dict[str, Any]]: JsonType,
    }


Id = Annotated[int, mapped_column(primary_key=True)]
PublicId = Annotated[str, mapped_column(String(32), unique=True, default=uuid7)]
Texts = dict[str, str]
Created = Annotated[datetime, mapped_column(UtcDateTime(), default=clock.now)]


def public_key(names: Mapping[str, str], language: str) -> str:
    """Return one text of a language map for sorting and logs: the language asked for, else any."""
    return names.get(language) or next(iter(names.values()), "")


__all__ = [
    "Base", "Created", "Id", "JsonType", "Mapped", "PublicId", "Texts", "UtcDateTime", "checked", "uuid7",
    "verification_code",
]  # fmt: skip
