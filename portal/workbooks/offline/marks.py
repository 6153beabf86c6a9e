"""Hidden identifiers of an offline workbook: what each sheet, row and cell is, sealed so that a change is told.

A sheet carries one mark, each row that holds answers another. They are text in a hidden first column; a hidden first
row names the columns, so that moved columns are found again. The seal is an HMAC with the portal's key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from forms.answers import AnswerKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHEET = "tamdan-offline"
COVER = "tamdan-offline-cover"
FRONT = "Instructions"  # the title of the sheet that carries the mark of the cover
LISTED = "reply|"  # what a line of the cover begins with that names the sheet of a reply; its public id follows
FORMAT = "1"
QUESTION = 3  # the column in which a question stands, or the label of a line that is given
STATE = "!"  # the language of a cell that says why there is no answer
PARENT = "^"  # the language of a cell that says in which row of the table around a new row stands
OWN_LINE = (
    "-"  # in the place of a mark: a line of the sheet itself, without answers; a blank one was put in by somebody
)
_COLUMN = re.compile(r"c(\d{1,4})\Z")
_PART = re.compile(r"(\d{1,4}):([^:,|]+):([^:,|]*):(\d{1,10}):([0-9a-f]{0,8})\Z")

RowKind = Literal["question", "choice", "row", "spare", "fixed"]


class Seal:
    """The key of a portal, and what it says about texts: its own, another portal's, or changed."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"offline workbook\0" + secret.encode()).digest()

    def of(self, *parts: str) -> str:
        """Return the seal of some texts."""
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:20]

    def fits(self, seal: str, *parts: str) -> bool:
        """Tell whether a seal is that of these texts."""
        return hmac.compare_digest(seal, self.of(*parts))

    @property
    def portal(self) -> str:
        """What tells this portal from another one; it says nothing of the key."""
        return self.of("portal")[:12]


@dataclass(frozen=True)
class SheetMark:
    """What a sheet is: the reply it belongs to, and the download it came with (``book``, ``made`` in ISO)."""

    portal: str
    round: str
    institution: str
    submission: str
    version: int
    book: str
    made: str
    languages: tuple[str, ...]
    kind: str = SHEET

    @property
    def _body(self) -> tuple[str, ...]:
        return (
            self.kind, FORMAT, self.portal, self.round, self.institution, self.submission, str(self.version), self.book,
            self.made, ",".join(self.languages),
        )  # fmt: skip

    def text(self, seal: Seal) -> str:
        """Return the mark as it stands in the cell."""
        return "|".join((*self._body, seal.of(*self._body)))

    @property
    def whose(self) -> str:
        """What the seal of each row of this sheet covers besides the row."""
        return f"{self.round}/{self.institution}/{self.submission}/{self.version}"


def read_sheet_mark(text: object, seal: Seal) -> tuple[SheetMark, bool] | None:
    """Read the mark of a sheet and tell whether its seal fits; None for what is no mark."""
    if not isinstance(text, str) or not text.startswith(SHEET):
        return None
    parts = text.strip().split("|")
    if len(parts) != 11 or parts[0] not in {SHEET, COVER} or parts[1] != FORMAT or not parts[6].isdecimal():
        return None
    mark = SheetMark(
        parts[2], parts[3], parts[4], parts[5], int(parts[6]), parts[7], parts[8],
        tuple(filter(None, parts[9].split(","))), kind=parts[0],
    )  # fmt: skip
    return mark, seal.fits(parts[10], *parts[:10])


@dataclass(frozen=True)
class CellMark:
    """One answer cell of a row: its column, whose answer it holds, the revision and digest of what went out in it.

    ``lang`` is :data:`STATE` for the cell that says why there is no answer; its revision is 0.
    """

    column: int
    code: str
    lang: str
    revision: int
    digest: str

    @property
    def text(self) -> str:
        """The mark as it stands in the row's."""
        return f"{self.column}:{self.code}:{self.lang}:{self.revision}:{self.digest}"


@dataclass(frozen=True)
class RowMark:
    """One row of a sheet: a question, a choice of one, a row of a table, a spare row of a table, a row of a matrix.

    ``key`` is that of the row or choice, ``number`` the number by which a row is called on the sheet (of a choice: how
    many there are), ``revision`` that of a stored row of a table.
    """

    kind: RowKind
    table: str = ""
    key: str = ""
    parent: str = ""
    number: int = 0
    revision: int = 0
    cells: tuple[CellMark, ...] = ()

    @property
    def _body(self) -> str:
        cells = ",".join(cell.text for cell in self.cells)
        return "|".join((self.kind, self.table, self.key, self.parent, str(self.number), str(self.revision), cells))

    def text(self, seal: Seal, of: SheetMark) -> str:
        """Return the mark as it stands in the hidden column."""
        return f"{self._body}|{seal.of(of.whose, self._body)}"

    @property
    def place(self) -> tuple[str, ...]:
        """What is the same for two copies of one row of a sheet."""
        codes = ",".join(dict.fromkeys(cell.code for cell in self.cells))
        return (self.table, self.key, codes)


def read_row_mark(text: object, seal: Seal, of: SheetMark) -> RowMark | None:
    """Read the mark of a row; None when it was changed, or belongs to another sheet.

    Raises:
        KeyError: it is no mark at all.
    """
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != 8 or parts[0] not in {"question", "choice", "row", "spare", "fixed"}:
        raise KeyError(text)
    if not seal.fits(parts[7], of.whose, "|".join(parts[:7])):
        return None
    cells = [found.groups() for part in parts[6].split(",") if (found := _PART.match(part))]
    return RowMark(
        parts[0],  # type: ignore[arg-type] # one of the five, see above
        parts[1], parts[2], parts[3], int(parts[4]), int(parts[5]),
        tuple(CellMark(int(column), code, lang, int(revision), told) for column, code, lang, revision, told in cells),
    )  # fmt: skip


def column_name(number: int) -> str:
    """Return what the hidden first row calls a column."""
    return f"c{number}"


def read_columns(cells: Sequence[object]) -> tuple[dict[int, int], bool]:
    """Read the hidden first row: our column -> where it stands now (0 = A); and whether one stands twice."""
    found: dict[int, int] = {}
    twice = False
    for at, cell in enumerate(cells):
        name = _COLUMN.match(cell) if isinstance(cell, str) else None
        if name is not None:
            twice |= int(name[1]) in found
            found.setdefault(int(name[1]), at)
    return found, twice


def keys_of(row: RowMark) -> Iterable[AnswerKey]:
    """Yield the answers a row may hold (not those of a spare row, whose key is made when it is read)."""
    for cell in row.cells:
        if cell.lang not in {STATE, PARENT}:
            yield AnswerKey(cell.code, row.key, cell.lang)


def as_row(row: RowMark, key: str, parent: str) -> RowMark:
    """Return a spare row under the key that it gets, in the row that it stands in."""
    return replace(row, key=key, parent=parent)


def digest(content: str) -> str:
    """Return by what the content of a cell is recognised as unchanged; "" for a blank one."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:8] if content else ""
