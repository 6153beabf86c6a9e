"""Data validation of a sheet: drop-down lists from the hidden sheet, bounds of numbers and days."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.datavalidation import DataValidation

from forms.definition.bounds import bounded_rule
from portal.workbooks.offline import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from forms.definition.model import Definition, Item
    from forms.question_types.base import ExcelRule
    from portal.workbooks.offline.cells import Labels
    from portal.workbooks.writer import ReportBook

MOST_SAID = 250  # Excel takes 255 signs of a message
MOST_LISTS = 4_000  # of a book, where rows have lists in words of their own; each is a column of the hidden sheet
LARGEST = 999_999_999_999_999


class Rules:
    """Collects the rules of one sheet: each is made once, and put on ranges of cells at the end."""

    def __init__(self, book: ReportBook, ws: Worksheet, definition: Definition, languages: Sequence[str]) -> None:
        self.book, self.ws, self.definition, self.languages = book, ws, definition, languages
        self._made: dict[tuple[Any, ...], DataValidation] = {}
        self._cells: dict[tuple[Any, ...], dict[int, list[int]]] = {}
        self._of_items: dict[tuple[str, tuple[str, ...]], tuple[Any, ...] | None] = {}

    def add(self, row: int, column: int, item: Item, labels: Labels, whole: Labels) -> None:
        """Let a cell take what its question takes, as far as Excel can tell; the rest is judged when it comes back.

        ``labels`` are the choices in the words of the cell's row, ``whole`` those of its column: they are offered where
        the book has no room for another list.
        """
        name = (item.code, labels.offered)
        if name not in self._of_items and labels is not whole and self.book.list_count >= MOST_LISTS:
            labels, name = whole, (item.code, whole.offered)
        if name not in self._of_items:
            self._of_items[name] = self._rule_of(item, labels)
        key = self._of_items[name]
        if key is not None:
            self._put(key, row, column)

    def _rule_of(self, item: Item, labels: Labels) -> tuple[Any, ...] | None:
        rule = bounded_rule(item)
        if rule.choices:
            name = hashlib.sha256("\n".join(labels.offered).encode()).hexdigest()[:12]
            return self._list(name, labels.offered, strict=not rule.several)
        if rule.kind in {"whole", "decimal", "time"}:
            low = rule.minimum if isinstance(rule.minimum, int | float) else -LARGEST
            high = rule.maximum if isinstance(rule.maximum, int | float) else LARGEST
            whole = float(low).is_integer() and float(high).is_integer()
            kind = "decimal" if rule.kind == "whole" and not whole else rule.kind
            return self._between(kind, _plain(low), _plain(high), item)
        return self._between("date", *_days(rule), item) if rule.kind == "date" else None

    def whole(self, row: int, column: int, low: int, high: int) -> None:
        """Let a cell take the number of a line."""
        self._put(self._between("whole", str(low), str(high), None), row, column)

    def tick(self, row: int, column: int, word: str) -> None:
        """Offer the one word that marks a choice; whatever else says yes is read as well."""
        self._put(self._list("tick", [word], strict=False), row, column)

    def place(self, row: int, column: int, last: int) -> None:
        """Let a cell take the place of a choice."""
        key = ("place", last)
        if key not in self._made:
            made = DataValidation(type="whole", operator="between", formula1="1", formula2=str(last), allow_blank=True)
            made.showErrorMessage = True
            made.error = _said(_l("Please write the place of this choice: 1 for the first."), self.languages)
            self._made[key] = made
        self._put(key, row, column)

    def choose(self, row: int, column: int, name: str, offered: Sequence[str]) -> None:
        """Offer a list, and nothing else."""
        self._put(self._list(name, offered, strict=True), row, column)

    def _list(self, name: str, offered: Sequence[str], *, strict: bool) -> tuple[Any, ...]:
        """Make the rule of a list; not strict: a cell may hold several of it."""
        key = ("list", name, strict)
        if key not in self._made:
            made = DataValidation(type="list", formula1=self.book.choices(name, offered), allow_blank=True)
            made.showErrorMessage = strict
            made.error = _said(_l("Please choose from the list of the cell."), self.languages)
            self._made[key] = made
        return key

    def _between(self, kind: str, low: str, high: str, item: Item | None) -> tuple[Any, ...]:
        if item is None:
            error = _said(_l("Please write the number of a line of that table."), self.languages)
        else:
            languages = tuple(self.languages)
            spoken = [words.expected_in(self.definition, item, language, languages) for language in languages]
            error = words.in_all(spoken)[:MOST_SAID]
        key = (kind, low, high, error)
        if key not in self._made:
            made = DataValidation(type=kind, operator="between", formula1=low, formula2=high, allow_blank=True)  # type: ignore[arg-type] # one of its kinds
            made.showErrorMessage = True
            made.error = error
            self._made[key] = made
        return key

    def _put(self, key: tuple[Any, ...], row: int, column: int) -> None:
        self._cells.setdefault(key, {}).setdefault(column, []).append(row)

    def finish(self) -> None:
        """Put the rules on the sheet, on as few ranges as there are blocks of cells."""
        for key, columns in self._cells.items():
            made = self._made[key]
            made.sqref = MultiCellRange(" ".join(_ranges(columns)))
            self.ws.add_data_validation(made)


def _ranges(columns: Mapping[int, Sequence[int]]) -> Iterator[str]:
    for column, rows in columns.items():
        letter, first = get_column_letter(column), 0
        for at, row in enumerate(rows):
            if at + 1 == len(rows) or rows[at + 1] != row + 1:
                yield f"{letter}{rows[first]}:{letter}{row}"
                first = at + 1


def _said(text: Any, languages: Sequence[str]) -> str:
    return words.everywhere(text, languages)[:MOST_SAID]


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


def _days(rule: ExcelRule) -> tuple[str, str]:
    low = rule.minimum if isinstance(rule.minimum, date) else date(1900, 1, 1)
    high = rule.maximum if isinstance(rule.maximum, date) else date(2399, 12, 31)
    # a moment on the last day is still on that day
    end = "+0.99999" if "hh" in rule.number_format else ""
    return f"DATE({low.year},{low.month},{low.day})", f"DATE({high.year},{high.month},{high.day}){end}"
