"""What is found in a returned workbook or document: sheets, rows that carry their marks, cells of answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.workbooks.cell_text import MOST, units
from portal.workbooks.offline.cells import normal
from portal.workbooks.offline.marks import digest

if TYPE_CHECKING:
    from portal.table import Problem, Speakable
    from portal.workbooks.offline.marks import CellMark, RowMark, SheetMark


@dataclass(frozen=True)
class FoundCell:
    """One answer cell: its mark, where it stands now, what it holds; ``fault`` is why it cannot be read.

    ``raw`` is what its control would post, where the file says it by itself (boxes to tick in a document); ``shown`` is
    what its writer sees where no value is to be had (an error, a formula).
    """

    mark: CellMark
    address: str
    value: Any
    fault: Speakable | None = None
    raw: tuple[str, ...] | None = None
    shown: str = ""

    @property
    def blank(self) -> bool:
        """Tell whether nothing stands in it (spaces are nothing)."""
        return normal(self.value) == ""

    @property
    def untouched(self) -> bool:
        """Tell whether it holds what went out in it."""
        return self.fault is None and digest(normal(self.value)) == self.mark.digest

    @property
    def full(self) -> bool:
        """Tell whether a text fills the cell to Excel's limit: perhaps it was cut."""
        return isinstance(self.value, str) and units(self.value) >= MOST


@dataclass(frozen=True)
class FoundRow:
    """One row that still carries its mark; ``shown`` is what its reader sees beside its cells, and where."""

    mark: RowMark
    number: int
    cells: tuple[FoundCell, ...]
    shown: str = ""
    shown_at: str = ""


@dataclass
class FoundSheet:
    """One sheet of a reply, as it came back; ``word``: the part of a document instead.

    ``unread`` tells that lines are on it whose marks cannot be read: one that is missed may be among them.
    """

    name: str
    mark: SheetMark
    rows: list[FoundRow] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    locked: bool = True
    word: bool = False
    unread: bool = False


@dataclass
class FoundBook:
    """A returned workbook: ``copy`` is the name its fillers gave it; ``problems``, ``remarks``: of whole sheets."""

    filename: str
    sheets: list[FoundSheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    copy: str = ""
    cover: SheetMark | None = None
