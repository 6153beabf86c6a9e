"""What expressions see while one set of answers is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.question_types.choices import label_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.context import Context
    from forms.definition.model import Choice, Definition
    from forms.frames import Frames


class AnswerScope:
    """The answers of one reply, seen from `frame`; `here` is the answer in question, `choice` the one filtered."""

    __slots__ = ("choice", "context", "definition", "frame", "frames", "here")

    def __init__(self, definition: Definition, context: Context, frames: Frames) -> None:
        self.definition, self.context, self.frames = definition, context, frames
        self.frame = frames.root
        self.here = ""
        self.choice: Choice | None = None

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
        if name in compiled.tables:
            return [frame.key for frame in self.frames.reachable(self.frame, name)]
        home = compiled.homes.get(name)
        if home is None:
            return ()
        return [
            frame.values[name]
            for frame in self.frames.reachable(self.frame, home)
            if name in frame.values and name not in frame.hidden
        ]

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
        now = self.context.now
        return f"{self.context.today.isoformat()}T00:00:00" if now is None else now.isoformat(timespec="seconds")

    def label(self, name: str, key: str) -> str:
        """Return the label of a choice of a question in the reader's language."""
        item = self.definition.compiled.by_code.get(name)
        return key if item is None or not key else label_of(key, item, self.context.language)
