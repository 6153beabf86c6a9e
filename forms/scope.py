"""What expressions see while one set of answers is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.definition.model import pick_text
from forms.expressions.scope import sifted
from forms.frames import Frame
from forms.question_types.choices import label_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.context import Context
    from forms.definition.model import Choice, Definition
    from forms.expressions import Sieve
    from forms.frames import Frames

# Cells and table rows that the expressions of one evaluation look at; one behind brackets counts three times.
MAX_CELLS = 500_000


class AnswerScope:
    """The answers of one reply, seen from `frame`; `here` is the answer in question, `choice` the one filtered."""

    __slots__ = ("_tables", "choice", "context", "definition", "frame", "frames", "here", "left")

    def __init__(self, definition: Definition, context: Context, frames: Frames) -> None:
        self.definition, self.context, self.frames = definition, context, frames
        self.frame = frames.root
        self.here = ""
        self.choice: Choice | None = None
        self.left = MAX_CELLS
        self._tables: dict[str, Sequence[Mapping[str, str]]] = {}

    @property
    def size(self) -> int:
        """The number of candidates: outside brackets there is one."""
        return 1

    @property
    def position(self) -> int:
        """The number of the row, from 1."""
        return self.frame.position

    def value(self, name: str) -> str:
        """Return the answer in the same row, in a row around it or outside; else that of the first row."""
        for frame in self.frame.chain():
            found = frame.values.get(name)
            if found is not None:
                return found
        nodes = self.nodes(name)
        return nodes[0] if nodes else ""

    def nodes(self, name: str) -> Sequence[str]:
        """Return the answer in the same row, else those of all rows; a question that is not asked has no node.

        A table has one node per row.
        """
        compiled = self.definition.compiled
        if name in compiled.homes:
            return self.cells(name, compiled.apex(self.frame.table, name), ())
        return ()

    def cells(self, code: str, apex: str, sieves: Sequence[Sieve]) -> Sequence[str]:
        """Return the answers to a question in the rows below the row of `apex` that the sieves let through.

        A table has its rows' keys. Beyond MAX_CELLS in one evaluation there are none: nothing takes for ever.
        """
        compiled = self.definition.compiled
        table = code if code in compiled.tables else compiled.homes.get(code)
        start = next((frame for frame in self.frame.chain() if frame.table == apex), None)
        if table is None or start is None or self.left <= 0:
            return ()
        found = [start]
        chain = compiled.chains[table]
        cost = 3 if sieves else 1
        for lower in reversed(chain[: chain.index(apex)] if apex in chain else ()):
            self.left -= cost * sum(len(one.below.get(lower, ())) for one in found)
            if self.left <= 0:
                return ()
            mine = [one for one in sieves if one.table == lower]
            found = [
                row
                for one in found
                if lower not in one.hidden
                for row in sifted(self, one.below.get(lower, ()), mine, Frame.read)
            ]
        if code == table:
            return [frame.key for frame in found]
        asked = [frame for frame in found if code in frame.values and code not in frame.hidden]
        own = [one for one in sieves if one.table == code]
        if own:
            asked = list(sifted(self, asked, own, Frame.read, lambda frame: frame.values[code]))
        return [frame.values[code] for frame in asked]

    def row_number(self, table: str) -> int:
        """Return the number of the row of a table in which the expression stands."""
        return next((frame.position for frame in self.frame.chain() if frame.table == table), 1)

    def table(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the rows of an attached table, else of a list of choices (columns name, label and its own)."""
        found = self._tables.get(name)
        if found is None:
            found = self.context.tables.get(name)
            if found is None:
                language = self.context.language
                found = [
                    {**choice.extra, "name": choice.key, "label": pick_text(choice.texts, language)}
                    for choice in self.definition.compiled.lists.get(name, ())
                ]
            self._tables[name] = found
        self.left -= len(found)
        return found if self.left > 0 else ()

    def column(self, name: str) -> str:
        """Return a column of the choice being filtered."""
        if self.choice is None:
            return ""
        return self.choice.key if name == "name" else self.choice.extra.get(name, "")

    def today(self) -> str:
        """Return today, an ISO date."""
        return self.context.today.isoformat()

    def now(self) -> str:
        """Return now, an ISO moment; the start of today when the caller knows no time of day."""
        return self.context.moment()

    def label(self, name: str, key: str) -> str:
        """Return the label of a choice of a question in the reader's language."""
        item = self.definition.compiled.by_code.get(name)
        return key if item is None or not key else label_of(key, item, self.context.language)
