"""New lines of tables that say word for word what another line says: two departments wrote down the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flask_babel import lazy_gettext as _l

from portal.queries.submissions import RowKey

if TYPE_CHECKING:
    from portal.services.offline.aloud import Aloud
    from portal.services.offline.plan import ChangedRow, ReplyPlan
    from portal.table import Speakable

_Line: TypeAlias = tuple[str, str, frozenset[tuple[str, str, str, str]]]  # table, line around it, what its cells say


class Twins:
    """Knows the lines of a reply, and those that came with its copies so far, by all that they say."""

    def __init__(self, plan: ReplyPlan, aloud: Aloud) -> None:
        self._came: dict[_Line, ChangedRow] = {}
        self._held: set[str] = set()
        self._stand: dict[_Line, Speakable] = {}
        computed = {item.code for item in plan.definition.questions() if item.calculation}
        said: dict[str, set[tuple[str, str, str, str]]] = {}
        for key, one in plan.stored.answers.items():
            if key.row and key.code not in computed and not one.blank and one.typed is None:
                said.setdefault(key.row, set()).add((key.code, key.lang, one.state, repr(one.value)))
        for name in aloud.numbers:
            stored = plan.stored.rows.get(RowKey(*name))
            if stored is not None and name.key in said:
                self._stand.setdefault((name.repeat, stored.parent, frozenset(said[name.key])), aloud.line(name))

    def of(self, row: ChangedRow) -> Speakable | None:
        """Say where the line is already that a new one repeats; None for one that says something of its own.

        Two such lines of one file are left to its writer, who saw both. A line within one that is left waits with it.
        """
        sentence: Speakable | None = None
        if row.parent in self._held:
            sentence = _l("The line in which it stands is not ticked: tick both, or none.")
        elif (line := _said(row)) is None:
            pass
        elif (standing := self._stand.get(line)) is not None:
            sentence = _l("The same line stands already: %(line)s. Tick it only if it is meant twice.", line=standing)
        elif _file(came := self._came.setdefault(line, row)) != _file(row):
            sentence = _l(
                "The same line came from %(copy)s too (%(place)s). Tick it only if it is meant twice.",
                copy=came.place.copy, place=came.place.said,
            )  # fmt: skip
        if sentence is not None:
            self._held.add(row.row.key)
        return sentence


def _said(row: ChangedRow) -> _Line | None:
    """Return all that a new line says; None where copies differ in a cell of it, or one is refused."""
    if any(one.outcome != "new" for one in row.cells):
        return None
    cells = [(one.key, one.options[0].parsed) for one in row.cells]
    said = frozenset((key.code, key.lang, parsed.state, repr(parsed.value)) for key, parsed in cells)
    return row.row.repeat, row.parent, said


def _file(row: ChangedRow) -> tuple[str, str]:
    return row.place.copy, row.traces[0].book
