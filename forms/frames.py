"""Where expressions stand: the questionnaire outside its tables is one frame, each row of a table another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.answers import AnswerKey, field_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forms.answers import Rows
    from forms.definition.compiled import Compiled, Table

MAX_ROWS = 1_000  # rows of one table in one row (or outside) that are looked at


class Frame:
    """One row of a table, or everything outside tables (`table` and `key` are "" then).

    `values` holds what expressions read of the questions that stand here, `hidden` the codes not asked here; `below`
    the rows of the tables that stand here; `position` counts from 1 among the rows with the same `up`.
    """

    __slots__ = ("below", "hidden", "key", "position", "table", "up", "values")

    def __init__(self, table: str, key: str, up: Frame | None, position: int = 1) -> None:
        self.table, self.key, self.up, self.position = table, key, up, position
        self.values: dict[str, str] = {}
        self.hidden: set[str] = set()
        self.below: dict[str, list[Frame]] = {}

    def chain(self) -> Iterator[Frame]:
        """Yield this frame and those it stands in, the nearest first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.up

    def read(self, name: str) -> str:
        """Return what an expression reads of a question of this very row."""
        return self.values.get(name, "")

    def holds(self, code: str, table: str) -> bool:
        """Say whether an item of this table, or the table itself, is hidden here."""
        if table == self.table:
            return code in self.hidden
        return self.up is not None and code in self.up.hidden


class Frames:
    """All frames of one set of answers; `of[table]` in the order of the rows, `of[""]` is the outermost alone."""

    def __init__(self, compiled: Compiled, rows: Rows) -> None:
        self.compiled = compiled
        self.root = Frame("", "", None)
        self.of: dict[str, list[Frame]] = {"": [self.root]}
        for table in compiled.tables.values():
            self.of[table.code] = self._made(table, rows)

    def _made(self, table: Table, rows: Rows) -> list[Frame]:
        keys: dict[str, list[str]] = {}
        if table.rows is None:
            for row in rows.get(table.code, ()):
                keys.setdefault(row.parent if table.outer else "", []).append(row.key)
        made: list[Frame] = []
        for parent in self.of[table.outer]:
            mine = keys.get(parent.key, ()) if table.rows is None else table.rows
            unique = list(dict.fromkeys(mine))[:MAX_ROWS]
            below = [Frame(table.code, key, parent, place) for place, key in enumerate(unique, 1)]
            parent.below[table.code] = below
            made.extend(below)
        return made

    def first(self, start: Frame, table: str) -> Frame | None:
        """Return the first row of a table below the nearest row that a frame shares with it."""
        chain = self.compiled.chains[table]
        row = next((one for one in start.chain() if one.table in chain), None)
        for lower in reversed(chain[: chain.index(row.table)] if row is not None else ()):
            below = row.below.get(lower) if row is not None and lower not in row.hidden else None
            row = below[0] if below else None
        return row

    def hidden(self) -> frozenset[str]:
        """Return what is not asked: codes that are hidden in every row, and single cells as `code[row]`."""
        found = set(self.root.hidden)
        for table in self.compiled.tables:
            frames = self.of[table]
            for code in self.compiled.inside[table]:
                everywhere = all(code in frame.hidden for frame in frames)
                if everywhere if frames else self.compiled.parents[code] in found:
                    found.add(code)
                else:
                    found.update(field_name(AnswerKey(code, frame.key)) for frame in frames if code in frame.hidden)
        return frozenset(found)

    def seen_from(self, frame: Frame) -> Mapping[str, str]:
        """Return what `${name}` reads in a frame: its own row, the rows it stands in, first rows of other tables."""
        seen: dict[str, str] = {}
        for table in self.compiled.tables:
            if row := self.first(frame, table):
                seen.update(row.values)
        for one in reversed(list(frame.chain())):
            seen.update(one.values)
        return seen
