"""Data validation of a sheet: drop-down lists from the hidden sheet, bounds of numbers and days."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from forms.question_types import question_type
from portal.workbooks.offline import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from forms.definition.model import Item
    from forms.question_types.base import ExcelRule
    from portal.workbooks.offline.cells import Labels
    from portal.workbooks.writer import ReportBook

MOST_SAID = 250  # Excel takes 255 signs of a message
LARGEST = 999_999_999_999_999


class Rules:
    """Collects the rules of one sheet."""

    def __init__(self, book: ReportBook, ws: Worksheet, languages: Sequence[str]) -> None:
        self.book, self.ws, self.languages = book, ws, languages
        self._made: dict[tuple[Any, ...], DataValidation] = {}

    def add(self, row: int, column: int, item: Item, labels: Labels) -> None:
        """Let a cell take what its question takes, as far as Excel can tell; the rest is judged when it comes back."""
        rule = question_type(item.type).excel_rule(item)
        if rule.choices:
            key = hashlib.sha256("\n".join(labels.offered).encode()).hexdigest()[:12]
            self.choose(row, column, key, labels.offered, strict=not rule.several)
        elif rule.kind in {"whole", "decimal", "time"}:
            low = rule.minimum if isinstance(rule.minimum, int | float) else -LARGEST
            high = rule.maximum if isinstance(rule.maximum, int | float) else LARGEST
            kind = (
                rule.kind
                if rule.kind != "whole" or (float(low).is_integer() and float(high).is_integer())
                else "decimal"
            )
            self._between(row, column, kind, _plain(low), _plain(high), item)
        elif rule.kind == "date":
            self._between(row, column, "date", *_days(rule), item)

    def whole(self, row: int, column: int, low: int, high: int) -> None:
        """Let a cell take the number of a line."""
        self._between(row, column, "whole", str(low), str(high), None)

    def choose(self, row: int, column: int, name: str, offered: Sequence[str], *, strict: bool = True) -> None:
        """Offer a list; not strict: a cell may hold several of it."""
        key = ("list", name, strict)
        if key not in self._made:
            made = DataValidation(type="list", formula1=self.book.choices(name, offered), allow_blank=True)
            made.showErrorMessage = strict
            made.error = _said(_l("Please choose from the list of the cell."), self.languages)
            self._made[key] = made
        self._made[key].add(f"{get_column_letter(column)}{row}")

    def _between(self, row: int, column: int, kind: str, low: str, high: str, item: Item | None) -> None:
        key = (kind, low, high)
        if key not in self._made:
            made = DataValidation(type=kind, operator="between", formula1=low, formula2=high, allow_blank=True)  # type: ignore[arg-type] # one of its kinds
            made.showErrorMessage = True
            if item is None:
                made.error = _said(_l("Please write the number of a line of that table."), self.languages)
            else:
                spoken = [words.expected_in(item, language) for language in self.languages]
                made.error = words.in_all(spoken)[:MOST_SAID]
            self._made[key] = made
        self._made[key].add(f"{get_column_letter(column)}{row}")

    def finish(self) -> None:
        """Put the rules on the sheet."""
        for made in self._made.values():
            self.ws.add_data_validation(made)


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
