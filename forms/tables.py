"""Tables of a questionnaire: their columns, their rows, which of their cells count as questions asked and answered."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, Given, Rows, TableRow, is_hidden
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from forms.definition.model import Choice, Definition, Item

MOST_ROWS = 500
NO_ROWS: Rows = MappingProxyType({})
ROW_KEY = re.compile(r"[A-Za-z0-9]{16}\Z")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Table:
    """A repeat or a matrix with its columns in order; groups within it are flattened.

    ``columns`` are questions and computed values (notes and nested tables are none); ``inside`` is the code of the
    table whose rows own the rows of this one, "" for a table of its own; ``most`` is the limit of rows.
    """

    item: Item
    columns: tuple[Item, ...]
    inside: str
    most: int

    @property
    def code(self) -> str:
        """The code of the table."""
        return self.item.code

    @property
    def fixed(self) -> bool:
        """True for a matrix: its rows are its choices."""
        return self.item.kind == "matrix"

    @property
    def asked(self) -> tuple[Item, ...]:
        """The columns that somebody fills in."""
        return tuple(item for item in self.columns if question_type(item.type).asks and not item.calculation)

    def rows(self, rows: Rows) -> Sequence[TableRow]:
        """Return the rows that stand in the table, in order; those of a matrix are its choices still offered."""
        if self.fixed:
            return [TableRow(choice.key) for choice in self.item.choices if not choice.retired]
        return rows.get(self.code, ())

    def row_label(self, key: str, language: str, languages: tuple[str, ...] = ()) -> str:
        """Return the label of a row of a matrix; "" where rows have only a number."""
        choice: Choice | None = self.item.choice_by_key.get(key) if self.fixed else None
        if choice is None:
            return ""
        return next((text for one in (language, *languages, *choice.texts) if (text := choice.texts.get(one))), key)


def tables(definition: Definition) -> Mapping[str, Table]:
    """Return the tables of a questionnaire by code, an outer one before those within it (kept on the definition)."""
    kept: Mapping[str, Table] | None = vars(definition).get("_tables")
    if kept is None:
        most = _limit(definition.settings.get("max_rows"), MOST_ROWS)
        found = {one.code: one for page in definition.pages for one in _tables(page, "", most)}
        kept = vars(definition).setdefault("_tables", found)
    return kept


def has_repeats(definition: Definition) -> bool:
    """Tell whether any table has rows of its own (not those of a matrix)."""
    kept: bool | None = vars(definition).get("_has_repeats")
    if kept is None:
        found = any(not table.fixed for table in tables(definition).values())
        kept = vars(definition).setdefault("_has_repeats", found)
    return kept


def table_of(definition: Definition, code: str) -> Table | None:
    """Return the table in which a question is a column; None for a question outside tables."""
    kept: Mapping[str, Table] | None = vars(definition).get("_columns")
    if kept is None:
        found = {item.code: table for table in tables(definition).values() for item in table.columns}
        kept = vars(definition).setdefault("_columns", found)
    return kept.get(code)


def counted_as(definition: Definition, code: str) -> str:
    """Return under which code a question counts: its own outside tables, else that of the outermost table around it."""
    table = table_of(definition, code) or tables(definition).get(code)
    while table is not None:
        code, table = table.code, tables(definition).get(table.inside)
    return code


def _tables(item: Item, inside: str, most: int) -> Iterator[Table]:
    if item.kind in {"repeat", "matrix"}:
        yield Table(item, tuple(_columns(item)), inside, _limit(item.settings.get("max_rows"), most))
        inside = item.code
    for child in item.children:
        yield from _tables(child, inside, most)


def _columns(item: Item) -> Iterator[Item]:
    for child in item.children:
        if child.kind == "question" and (question_type(child.type).asks or child.calculation):
            yield child
        elif child.kind == "group":
            yield from _columns(child)


def _limit(said: object, otherwise: int) -> int:
    text = str(said).strip() if said is not None else ""
    return int(text) if text.isdecimal() and int(text) else otherwise


def may_change(definition: Definition, code: str, unlocked: Collection[str] | None) -> bool:
    """Tell whether a question or table may be changed; ``unlocked`` names what a return opened (None: everything).

    What is read only shows what it begins with, for ever.
    Naming a table opens its columns, its rows and the tables within it; naming a column opens its cells alone.
    """
    if definition.question(code).settings.get("read_only") is True:
        return False
    if unlocked is None or code in unlocked:
        return True
    found = tables(definition).get(code)
    around = found.inside if found is not None else getattr(table_of(definition, code), "code", "")
    return bool(around) and may_change(definition, around, unlocked)


def made_key(*parts: str) -> str:
    """Return a row key that follows from its parts: whoever opens a table of a given number of rows gets the same."""
    number = int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:16])
    letters = []
    for _place in range(16):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)


def cells(table: Table, rows: Rows, hidden: frozenset[str]) -> Iterator[AnswerKey]:
    """Yield the cells of a table that somebody is asked to fill in, row by row (without language)."""
    if table.code in hidden:
        return
    for row in table.rows(rows):
        for item in table.asked:
            key = AnswerKey(item.code, row.key)
            if not is_hidden(hidden, key):
                yield key


def standing(definition: Definition, rows: Rows) -> Mapping[str, frozenset[str]]:
    """Return the row keys that stand in each table."""
    return {code: frozenset(row.key for row in table.rows(rows)) for code, table in tables(definition).items()}


def stands(definition: Definition, key: AnswerKey, rows: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether an answer has its place: outside tables without a row, in a table in a row that stands there."""
    table = table_of(definition, key.code)
    return not key.row if table is None else key.row in rows[table.code]


def countable(definition: Definition, page: str = "") -> tuple[str, ...]:
    """Return the codes that count as questions on a page (or on all), in order: each question, and each table once."""
    kept: dict[str, tuple[str, ...]] = vars(definition).setdefault("_countable", {})
    if page not in kept:
        pages = [one for one in definition.pages if page in ("", one.code)]
        kept[page] = tuple(code for one in pages for code in _countable(one, definition))
    return kept[page]


def _countable(item: Item, definition: Definition) -> Iterator[str]:
    if item.kind in {"repeat", "matrix"}:
        if tables(definition)[item.code].asked:
            yield item.code
    elif item.children:
        for child in item.children:
            yield from _countable(child, definition)
    elif item.kind == "question" and question_type(item.type).asks and not item.calculation:
        yield item.code


def answered_codes(
    definition: Definition, stored: Mapping[AnswerKey, Given], rows: Rows, hidden: frozenset[str]
) -> set[str]:
    """Return the codes that count as answered.

    A question counts by an answer in any language, a table when it has rows and each of them says something.
    """
    said = {(key.code, key.row) for key, given in stored.items() if given.typed is None and not given.blank}
    found = {code for code, row in said if not row}
    for table in tables(definition).values():
        by_row: dict[str, bool] = {}
        for key in cells(table, rows, hidden):
            by_row[key.row] = by_row.get(key.row, False) or (key.code, key.row) in said
        if by_row and all(by_row.values()):
            found.add(table.code)
    return found
