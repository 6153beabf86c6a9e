"""The lines of a questionnaire in the order of its pages, as a sheet lists them: headings, notes, questions, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from forms.question_types import question_type
from forms.questionnaire import answer_keys
from forms.tables import Table, tables
from portal.workbooks.offline.words import states_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forms.definition.model import Definition, Item

LineKind = Literal["page", "group", "note", "question", "computed", "table"]


@dataclass(frozen=True)
class Line:
    """One line; ``number`` is how a question is called on the sheet (its code)."""

    kind: LineKind
    item: Item
    table: Table | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table: what it asks, in which language, or (``state``) why a cell of it has no answer."""

    item: Item
    lang: str = ""
    state: bool = False


def lines_of(definition: Definition) -> tuple[Line, ...]:
    """Return the lines of a questionnaire (kept on the definition)."""
    kept: tuple[Line, ...] | None = vars(definition).get("_offline_lines")
    if kept is None:
        kept = vars(definition).setdefault("_offline_lines", tuple(_lines(definition, definition.pages, top=True)))
    return kept


def _lines(definition: Definition, items: Sequence[Item], *, top: bool = False) -> Iterator[Line]:
    for item in items:
        if item.kind in {"repeat", "matrix"}:
            if top:
                yield Line("page", item)
            yield from _tables(definition, item)
        elif item.children:
            if item.texts.get("label"):
                yield Line("page" if top else "group", item)
            yield from _lines(definition, item.children)
        elif item.kind == "note":
            yield Line("note", item)
        elif item.kind == "question":
            kind = question_type(item.type)
            if kind.asks and not item.calculation:
                yield Line("question", item)
            elif kind.computed and item.texts.get("label"):
                yield Line("computed", item)


def _tables(definition: Definition, item: Item) -> Iterator[Line]:
    table = tables(definition)[item.code]
    yield Line("table", item, table)
    for inner in tables(definition).values():
        if inner.inside == item.code:
            yield from _tables(definition, inner.item)


def columns_of(table: Table, languages: Sequence[str]) -> list[Column]:
    """Return the columns of a table as they stand on the sheet; files are attached elsewhere."""
    found: list[Column] = []
    for item in table.asked:
        if question_type(item.type).control == "file":
            continue
        found.extend(Column(item, key.lang) for key in answer_keys(item, languages))
        if states_of(item):
            found.append(Column(item, state=True))
    return found
