"""Lines of tables that came back empty: whether they may go, and what would go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.tables import may_change, tables
from portal.queries.submissions import RowKey
from portal.services.offline.plan import ChangedRow, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from forms.answers import AnswerKey
    from portal.services.offline.aloud import Aloud
    from portal.services.offline.earlier import Earlier
    from portal.services.offline.plan import ReplyPlan
    from portal.services.offline.reading import CopyOfReply
    from portal.table import Speakable
    from portal.workbooks.offline.found import FoundRow

QUOTED = 200  # signs of a text that a sentence repeats
NAMED = 20  # lines that a sentence names
ROWS_CLOSED = _l(
    "The rows of this table were handed in and are not among what was returned to you, so none can be added, moved or removed now."  # noqa: E501 - a sentence stays in one piece
)


def cell_by_cell(plan: ReplyPlan) -> frozenset[str]:
    """Return the tables of which cells may be changed and lines may not: a return opened some of their columns."""
    of, opened = plan.definition, plan.head.unlocked
    return frozenset(
        code
        for code, table in tables(of).items()
        if not may_change(of, code, opened) and any(may_change(of, column.code, opened) for column in table.asked)
    )


def emptied_lines(
    plan: ReplyPlan, copies: Sequence[CopyOfReply], earlier: Earlier, aloud: Aloud, named: Callable[[CopyOfReply], str]
) -> Iterator[ChangedRow]:
    """Yield the lines that came back empty and stand still; ``named`` tells what people call a copy."""
    seen: set[RowKey] = set()
    for copy in copies:
        for row in copy.emptied:
            name = RowKey(row.mark.table, row.mark.key)
            if name not in seen and name in aloud.numbers:
                seen.add(name)
                yield _Emptied(plan, copy, earlier, aloud, name).judged(row, named(copy))


@dataclass(frozen=True)
class _Emptied:
    """One line that is empty in one copy."""

    plan: ReplyPlan
    copy: CopyOfReply
    earlier: Earlier
    aloud: Aloud
    name: RowKey

    def judged(self, row: FoundRow, copy: str) -> ChangedRow:
        """Return it with what is to be known before it goes."""
        plan, name, sheet = self.plan, self.name, self.copy.sheet
        stored = plan.stored.rows[name]
        made = ChangedRow(
            name, stored.parent, f"row:{name.repeat}[{name.key}]", self.aloud.line(name), "emptied_row",
            Place(copy, sheet.name, row.cells[0].address, sheet.word), revision=stored.revision,
        )  # fmt: skip
        if not may_change(plan.definition, name.repeat, plan.head.unlocked):
            made.outcome, made.sentence = "refused", ROWS_CLOSED
            return made
        within = self._within()
        keys = {name.key, *(one.key for one in within)}
        made.seen = {key: one.revision for key, one in plan.stored.answers.items() if key.row in keys}
        made.within = tuple(self._told(within, keys))
        made.sentence = self._since(keys)
        return made

    def _within(self) -> list[RowKey]:
        """Return the lines that stand in this one, and in those, in their order."""
        found, keys = [], {self.name.key}
        for code, table in tables(self.plan.definition).items():
            for row in self.plan.standing.get(code, ()) if table.inside else ():
                if row.parent in keys:
                    found.append(RowKey(code, row.key))
                    keys.add(row.key)
        return found

    def _told(self, within: Sequence[RowKey], keys: Collection[str]) -> Iterator[Speakable]:
        """Say which lines go with this one, and which of them are not empty in the file."""
        if within:
            lines = _some([self._read(one) for one in within])
            yield _l("With it go the lines that stand in it: %(lines)s.", lines=lines)
        if filled := list(self._filled(keys)):
            yield _l("In the file these of them are still filled in: %(lines)s.", lines=_some(filled))

    def _read(self, name: RowKey) -> str:
        """Name a line, and read what stands in it."""
        said = [f"{self.aloud.column(key)}: {self._text(key)}" for key in self._known(list(self.plan.stored.answers))
                if key.row == name.key and self._text(key)]  # fmt: skip
        return self.aloud.line(name) + (f" ({'; '.join(said)})" if said else "")

    def _filled(self, keys: Collection[str]) -> Iterator[str]:
        for row in self.copy.sheet.rows:
            place = RowKey(row.mark.table, row.mark.key)
            said = row.mark.kind == "row" and any(not cell.blank or cell.fault for cell in row.cells)
            if said and place.key in keys and place in self.aloud.numbers:
                yield self.aloud.line(place)
        for new in self.copy.rows:
            place = RowKey(new.table, new.key)
            if new.parent in keys:
                title = self.aloud.title(new.table)
                yield self.aloud.line(place) if place in self.aloud.numbers else _("%(table)s: new line", table=title)

    def _since(self, keys: Collection[str]) -> Speakable | None:
        """Say what somebody wrote in a line, or within it, since the download of a copy in which it is empty."""
        rows = [row for row in self.copy.sheet.rows if row.mark.kind == "row"]
        found = self.earlier.written_since(keys, rows, self.copy.book, self.plan.stored.answers)
        since = [
            f"{(self.aloud.column if key.row == self.name.key else self.aloud.label)(key)}: {self._text(key)}"
            for key in self._known(found)
        ]
        return _l(
            "Somebody wrote in this line after the file was downloaded (%(said)s). That would go too.",
            said="; ".join(since),
        ) if since else None

    def _known(self, keys: Sequence[AnswerKey]) -> list[AnswerKey]:
        """Return those of some answers that somebody gave to what is still asked: line by line, column by column."""
        order = {item.code: number for number, item in enumerate(self.plan.definition.items())}
        of = self.plan.definition.compiled.by_code
        found = [key for key in keys if key.row and key.code in of and not of[key.code].calculation]
        place = {key: number for (_code, key), number in self.aloud.numbers.items()}
        return sorted(found, key=lambda key: (key.row != self.name.key, place.get(key.row, 0), order[key.code]))

    def _text(self, key: AnswerKey) -> str:
        return self.aloud.of(key, self.plan.stored.answers[key])[:QUOTED]


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")
