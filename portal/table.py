"""What queries and workbooks share: tables of typed cells, problems found in rows, and language maps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


class Speakable(Protocol):
    """A text, perhaps a lazy translation, that becomes words with ``str()``; blank is false."""

    def __str__(self) -> str:
        """Return the words in the present language."""

    def __len__(self) -> int:
        """Return the length of the words."""


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere: an http(s) address, or ``#'sheet'!A1`` inside the workbook."""

    url: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A number that brings its own kind, in a column where kinds meet (a count under a percentage)."""

    value: int | float | Decimal
    kind: Literal["integer", "decimal", "percent", "money"] = "decimal"


Cell = str | int | float | Decimal | date | datetime | time | bool | Link | Figure | None
Kind = Literal[
    "text", "integer", "year", "decimal", "percent", "money", "date", "datetime", "time", "boolean", "link"
]
Texts = "Mapping[str, str]"


@dataclass(frozen=True)
class Column:
    """One column: a stable ``key``, titles per language, the cell ``kind``; ``help`` feeds the codebook."""

    key: str
    title: Mapping[str, str]
    kind: Kind = "text"
    width: float = 16
    wrap: bool = False
    help: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows under named columns; ``code`` is short and becomes the sheet's title."""

    code: str
    title: Mapping[str, str]
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Cell]]
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Anew:
    """Rows that are made anew each time somebody goes through them, so that nobody holds them all.

    ``count`` is how many there must be; whoever writes them counts what there was.
    """

    make: Callable[[], Iterable[Sequence[Cell]]]
    count: int

    def __iter__(self) -> Iterator[Sequence[Cell]]:
        """Go through the rows."""
        return iter(self.make())

    def __len__(self) -> int:
        """Return how many rows there must be."""
        return self.count


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what (``message``), where (sheet, row, column, field), how to mend it.

    ``place`` says where in words, of what has no sheets: a whole file, a heading of a document.
    """

    message: Speakable
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    field: str | None = None
    mend: Speakable | None = None
    place: Speakable | None = None


def pick(texts: Mapping[str, str] | None, language: str, languages: Sequence[str] = ()) -> str:
    """Return the text in ``language``, else the first non-blank one in the order of ``languages``, else any, or ''."""
    if not texts:
        return ""
    if chosen := texts.get(language):
        return chosen
    for other in languages:
        if chosen := texts.get(other):
            return chosen
    return next((text for text in texts.values() if text), "")


def digest(text: str) -> str:
    """Return the short hash by which an old text is recognised (line ends and outer spaces do not count)."""
    return hashlib.sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()[:12]
