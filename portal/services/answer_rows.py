"""Rows of tables within a save: added, moved, removed, restored; each with a revision of its own.

Adding is safe to repeat: the writer makes the key. Two who add at once never collide. A removed row keeps its answers,
so it can be restored whole. What conflicts is only this: removing a row in which a colleague wrote meanwhile, and
writing in a row that a colleague removed meanwhile (docs/decisions/0015).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey
from forms.tables import ROW_KEY, Table, may_change, table_of, tables
from portal.queries.submissions import RowKey, StoredRow, standing_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from forms.answers import Parsed
    from forms.definition.model import Definition
    from portal.queries.submissions import StoredAnswer
    from portal.table import Speakable

HIGHEST = 2_000_000_000  # a position fits the column


@dataclass(frozen=True)
class RowChange:
    """What somebody wants a row of a repeat to become.

    ``base`` is the revision they saw (0: they add it; None: whatever it is); ``position`` None leaves it where it is, a
    new one goes to the end. ``seen`` are the revisions of the cells they saw, for a removal (None: whatever they are).
    """

    repeat: str
    key: str
    parent_key: str = ""
    position: int | None = None
    removed: bool = False
    base: int | None = None
    seen: Mapping[AnswerKey, int] | None = None

    @property
    def name(self) -> RowKey:
        """Which row it is."""
        return RowKey(self.repeat, self.key)


@dataclass(frozen=True)
class StaleRow:
    """A row that two people changed in ways that do not fit together; nothing of either is lost.

    ``removed`` tells how it stands: False, I wanted to remove it, but ``theirs`` was written in it meanwhile; True,
    a colleague removed it, but I wrote ``mine`` in it. ``by`` removed it or wrote in it last (0: nobody knows), ``at``
    is when. ``bases`` are the revisions of ``mine`` that I saw.
    """

    name: RowKey
    removed: bool
    revision: int
    mine: Mapping[AnswerKey, Parsed]
    theirs: Mapping[AnswerKey, StoredAnswer]
    by: int = 0
    at: datetime | None = None
    bases: Mapping[AnswerKey, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not added or changed, with the sentence why."""

    name: RowKey
    message: Speakable


@dataclass
class RowWork:
    """The rows of one save: as they were stored, then as they will be."""

    definition: Definition
    rows: dict[RowKey, StoredRow]
    unlocked: Collection[str] | None
    changed: dict[RowKey, StoredRow] = field(default_factory=dict)
    told: dict[RowKey, StoredRow] = field(default_factory=dict)
    stale: list[StaleRow] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    removed_now: set[str] = field(default_factory=set)
    _kept_standing: set[str] | None = None

    def apply(self, changes: Sequence[RowChange], stored: Mapping[AnswerKey, StoredAnswer]) -> None:
        """Let the rows become what was asked, as far as they may; ``stored`` are the answers before this save."""
        for change in changes:
            before = self.rows.get(change.name)
            sentence = self._objection(change, before)
            if sentence is not None:
                self.refused.append(RefusedRow(change.name, sentence))
            elif before is None:
                self._add(change)
            elif change.removed:
                self._remove(change, before, stored)
            else:
                self._keep(change, before)
            if (now := self.rows.get(change.name)) is not None:
                self.told[change.name] = now

    def _objection(self, change: RowChange, before: StoredRow | None) -> Speakable | None:
        """Return why a row is not added or changed; None where it may be."""
        table = tables(self.definition).get(change.repeat)
        sentence: Speakable | None = None
        if table is None or table.fixed:
            sentence = _l("This questionnaire has no table of this name to which rows can be added.")
        elif self._changes(change, before) and not may_change(self.definition, change.repeat, self.unlocked):
            sentence = _l(
                "The rows of this table were handed in and are not among what was returned to you, "
                "so none can be added, moved or removed now."
            )
        elif before is None:
            sentence = _l("This row is not in the table.") if change.removed else self._no_room(change, table)
        return sentence

    def _no_room(self, change: RowChange, table: Table) -> Speakable | None:
        """Return why a new row has no place in its table."""
        sentence: Speakable | None = None
        parent = self.rows.get(RowKey(table.inside, change.parent_key)) if table.inside else None
        if not ROW_KEY.match(change.key) or any(name.key == change.key for name in self.rows):
            sentence = _l("A row needs a key of its own: 16 letters or digits.")
        elif (parent is None or parent.removed) if table.inside else change.parent_key:
            sentence = _l("The row to which this one belongs is not in the table.")
        elif self._count(table, change.parent_key) >= table.most:
            sentence = _l(
                "This table takes at most %(most)s rows. Please put less important ones together, "
                "or attach the whole list as a file.",
                most=table.most,
            )
        return sentence

    @staticmethod
    def _changes(change: RowChange, before: StoredRow | None) -> bool:
        """Tell whether a row would be another afterwards: a page without script names all of its rows."""
        if before is None:
            return True
        if change.removed != before.removed:
            return True
        return change.position not in (None, before.position) and change.base in (None, before.revision)

    def _count(self, table: Table, parent: str) -> int:
        return sum(
            1
            for name, row in self.rows.items()
            if name.repeat == table.code and row.parent == parent and not row.removed
        )

    def _add(self, change: RowChange) -> None:
        places = [row.position for name, row in self.rows.items() if name.repeat == change.repeat]
        place = change.position if change.position is not None else max(places, default=0) + 1
        self._put(change.name, StoredRow(change.parent_key, _bounded(place), removed=False, revision=1))

    def _keep(self, change: RowChange, before: StoredRow) -> None:
        """Restore or move a row; a page that saw an earlier revision of it does neither."""
        if change.base not in (None, before.revision):
            return
        place = before.position if change.position is None else _bounded(change.position)
        if before.removed or place != before.position:
            self._put(change.name, replace(before, position=place, removed=False, revision=before.revision + 1))

    def _remove(self, change: RowChange, before: StoredRow, stored: Mapping[AnswerKey, StoredAnswer]) -> None:
        if before.removed:
            return
        if change.seen is not None and (written := self._written_since(change, stored)):
            # to tell the last of several is enough: each cell names its own writer
            last = max(written.values(), key=lambda one: str(one.answered_at))
            self.stale.append(
                StaleRow(
                    change.name, removed=False, revision=before.revision, mine={}, theirs=written,
                    by=last.answered_by, at=last.answered_at,
                )
            )  # fmt: skip
            return
        self.removed_now |= self._with_rows_within(change.key)
        self._put(change.name, replace(before, removed=True, revision=before.revision + 1))

    def _written_since(
        self, change: RowChange, stored: Mapping[AnswerKey, StoredAnswer]
    ) -> dict[AnswerKey, StoredAnswer]:
        """Return what others wrote in a row, or in rows within it, since its remover looked."""
        below = self._with_rows_within(change.key)
        columns = {item.code for table in tables(self.definition).values() for item in table.asked}
        seen = change.seen or {}
        return {
            key: answer
            for key, answer in stored.items()
            if key.row in below and key.code in columns and answer.revision > seen.get(key, 0)
        }

    def _with_rows_within(self, key: str) -> set[str]:
        below = {key}
        while more := {name.key for name, row in self.rows.items() if row.parent in below and not row.removed} - below:
            below |= more
        return below

    def _put(self, name: RowKey, row: StoredRow) -> None:
        self.rows[name] = self.changed[name] = row

    def place_of(self, key: AnswerKey) -> tuple[RowKey | None, Speakable | None]:
        """Tell where an answer belongs: (its row if a colleague removed that, the sentence if it has no place)."""
        table = table_of(self.definition, key.code)
        if table is None or table.fixed:
            there = not key.row if table is None else key.row in table.item.choice_by_key
            return None, None if there else _l("This row is not in the table.")
        name = RowKey(table.code, key.row)
        if name not in self.rows:
            return None, _l("This row is not in the table.")
        if key.row in self._standing or key.row in self.removed_now:
            return None, None
        return self._removed_above(name), None

    @property
    def _standing(self) -> set[str]:
        # the rows are settled before the first answer asks; a save of one answer asks once
        if self._kept_standing is None:
            self._kept_standing = {row.key for rows in standing_rows(self.rows).values() for row in rows}
        return self._kept_standing

    def _removed_above(self, name: RowKey) -> RowKey:
        """Return the row that was removed: this one, or one that it stands in."""
        row = self.rows[name]
        if row.removed or not row.parent:
            return name
        outer = next((one for one in self.rows if one.key == row.parent), None)
        return self._removed_above(outer) if outer is not None else name


def _bounded(place: int) -> int:
    return max(-HIGHEST, min(HIGHEST, place))
