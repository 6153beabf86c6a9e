"""A Word document that somebody sent, from top to bottom as it stands: its texts and tables, nothing of its look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.word.elements import named
from portal.workbooks.word.opening import open_document
from portal.workbooks.word.scan import Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.workbooks.opening import Source

_STYLE, _LIST, _VAL = named("w:pStyle"), named("w:numPr"), named("w:val")


@dataclass(frozen=True)
class Block:
    """A paragraph, heading or entry of a list (``text``), or a table (``rows`` of the texts of its cells)."""

    text: str = ""
    kind: str = "text"  # text, heading, entry, table
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Read:
    """What is read of a document, and how many pictures in it are not shown."""

    blocks: Sequence[Block]
    pictures: int


def read_document(source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> Read:
    """Return what stands in a .docx file; insertions that were tracked are read as accepted, deletions as done.

    Raises:
        Invalid: it is no .docx that can be read; the one sentence says why.
    """
    walk = _Reading()
    walk.inside(open_document(source, filename=filename, limit_bytes=limit_bytes).body)
    return Read(walk.blocks, walk.made.pictures)


class _Reading(Walk):
    special: ClassVar[frozenset[str]] = frozenset({"t", "sym", "p", "tbl"})

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self.cell: list[str] | None = None  # the paragraphs of the cell of a table around the present place

    def _p(self, element: Any) -> None:
        self.paragraphs.append([])
        self.inside(element)
        text = "".join(self.paragraphs.pop()).strip()
        if not text:
            return
        if self.cell is not None:
            self.cell.append(text)
            return
        look = element.find(named("w:pPr"))
        style = None if look is None else look.find(_STYLE)
        name = "" if style is None else str(style.get(_VAL)).lower()
        heading = name.startswith(("heading", "title", "subtitle"))
        entry = look is not None and look.find(_LIST) is not None
        self.blocks.append(Block(text, "heading" if heading else "entry" if entry else "text"))

    def _tbl(self, element: Any) -> None:
        # a table within a cell is told as lines of that cell
        within = self.cell
        rows = []
        for row in element.iterfind(named("w:tr")):
            cells = []
            for one in row.iter(named("w:tc")):
                if next(one.iterancestors(named("w:tr"))) is not row:
                    continue
                self.cell = []
                self.inside(one)
                cells.append("\n".join(self.cell))
            rows.append(tuple(cells))
        self.cell = within
        if within is not None:
            within += [" · ".join(filter(None, row)) for row in rows]
        elif any(any(row) for row in rows):
            self.blocks.append(Block(kind="table", rows=tuple(rows)))
