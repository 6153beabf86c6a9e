"""What an answer is: its key, what is stored of it, what was read from a post, and how it goes into a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, Union

if TYPE_CHECKING:
    from flask_babel import LazyString

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
Text: TypeAlias = "str | LazyString"
State: TypeAlias = Literal["answered", "not_applicable", "not_available"]
CellKind: TypeAlias = Literal[
    "text", "integer", "year", "decimal", "percent", "money", "date", "datetime", "time", "boolean", "choices"
]

STATES: tuple[State, ...] = ("answered", "not_applicable", "not_available")

# Suffixes of the extra fields that travel beside the field of an answer. "!" never stands in a question code.
STATE_SUFFIX = "!state"
PRESENT_SUFFIX = "!present"

_FIELD_NAME = re.compile(r"(?P<code>[^\[\]@!]+)(?:\[(?P<row>[^\[\]@!]*)\])?(?:@(?P<lang>[A-Za-z0-9-]+))?\Z")


class AnswerKey(NamedTuple):
    """Which answer of a submission: `row` is '' outside repeats, `lang` is '' except for texts."""

    code: str
    row: str = ""
    lang: str = ""


class TableRow(NamedTuple):
    """One row of an editable table; `parent` is the key of the row it stands in, '' outside a table in a table."""

    key: str
    parent: str = ""


# The rows of each editable table, by its code, in their order and without the removed ones. The rows of a matrix stand
# in the definition and need no entry.
Rows: TypeAlias = Mapping[str, Sequence[TableRow]]


@dataclass(frozen=True)
class Given:
    """What is stored of one answer; `value` is None when nothing (readable) stands there.

    `typed` holds what the person wrote when it could not be read; then `value` is None. Revision 0 = never saved.
    """

    value: Json = None
    state: State = "answered"
    typed: str | None = None
    revision: int = 0

    @property
    def blank(self) -> bool:
        """True when nothing was said: no value, no state, nothing unreadable (zero and False are values)."""
        return self.value is None and self.state == "answered" and self.typed is None


@dataclass(frozen=True)
class Parsed:
    """What a post says about one answer: a value, or the typed text with the sentence that says how to mend it."""

    value: Json = None
    state: State = "answered"
    typed: str | None = None
    message: Text | None = None


@dataclass(frozen=True)
class CellValue:
    """A value typed for a workbook cell, by the question type (never by guessing from the text)."""

    kind: CellKind
    value: str | int | Decimal | date | datetime | time | bool | None


def field_name(key: AnswerKey) -> str:
    """Name the HTML field of an answer: `code`, `code@km`, `code[row]` or `code[row]@km`."""
    name = f"{key.code}[{key.row}]" if key.row else key.code
    return f"{name}@{key.lang}" if key.lang else name


@lru_cache(maxsize=8_000)
def parse_field_name(name: str) -> AnswerKey | None:
    """Read an HTML field name back; None when it names no answer. `!state` and `!present` are ignored."""
    bare = name.partition("!")[0]
    found = _FIELD_NAME.fullmatch(bare)
    if found is None:
        return None
    return AnswerKey(found["code"], found["row"] or "", found["lang"] or "")


def is_hidden(hidden: frozenset[str], key: AnswerKey) -> bool:
    """Say whether an answer is not asked, given what a save stored as hidden: codes, and cells as `code[row]`."""
    return key.code in hidden or (key.row != "" and f"{key.code}[{key.row}]" in hidden)
