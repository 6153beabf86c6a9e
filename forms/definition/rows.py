"""The plain rows of a questionnaire file, whatever kind of file they were read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class RawRow:
    """One row as the person sees it: `cells` maps header to text, `columns` maps header to the column letter."""

    sheet: str
    row: int
    cells: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)

    def get(self, header: str) -> str:
        """Return the trimmed text under a header, "" when the column or the text is absent."""
        return (self.cells.get(header) or "").strip()


SheetRows: TypeAlias = dict[str, list[RawRow]]  # sheet name in lower case -> its rows, header row excluded
