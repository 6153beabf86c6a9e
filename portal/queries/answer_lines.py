"""Every answer that was or should have been given, one line each: the answers of a round unrolled, typed and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from forms.answers import AnswerKey, CellValue, TableRow, field_name, is_hidden
from forms.question_types import question_type
from forms.spoken_choices import Seen, named, speaking, speaking_of_rows, spoken_by, values_of, worded
from forms.tables import Table, table_of
from portal.queries.handed_in import Entry
from portal.queries.questionnaires import definition
from portal.table import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime, time

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.queries.handed_in import Content, Reply

NUMBERS = frozenset({"integer", "year", "decimal", "percent", "money"})
DAYS = frozenset({"date", "datetime", "time"})


@dataclass(frozen=True, slots=True)
class Line:
    """One answer cell of one reply. ``state`` is one of the five; a value is only there when it is "answered".

    A cell of a table knows its table, and the number of its row (among the rows of the same outer row, from 1).
    """

    reply: Reply
    item: Item
    version: Definition
    key: AnswerKey
    state: str
    entry: Entry | None
    number: int | None = None
    table: Table | None = None

    def row_label(self, language: str, languages: Sequence[str] = ()) -> str:
        """Return what a row of a matrix is called; "" elsewhere."""
        return self.table.row_label(self.key.row, language, tuple(languages)) if self.table is not None else ""

    @property
    def row_key(self) -> str:
        """Return the key that names this cell in every workbook of the round, for ever."""
        return f"{self.reply.head.public_id}:{field_name(self.key)}"

    @property
    def value(self) -> Any:
        """Return the stored value if this is an answer, else None: hidden values never leave."""
        return self.entry.value if self.entry is not None and self.state == "answered" else None

    def text(self, language: str) -> str:
        """Read the answer aloud, "" when there is none."""
        return question_type(self.item.type).text(self.value, self.item, language)

    def typed(self, language: str) -> Typed:
        """Return the answer in the columns of its type."""
        value = self.value
        kind = question_type(self.item.type)
        if value is None:
            return Typed()
        if kind.has_choices:
            return Typed(key=kind.expression(value), label=kind.text(value, self.item, language))
        cell: CellValue = kind.cell(value, self.item, language)
        if cell.kind in NUMBERS and not isinstance(cell.value, bool):
            return Typed(figure=Figure(cell.value, cell.kind))  # type: ignore[arg-type] # its kind says what it is
        if cell.kind in DAYS:
            return Typed(day=cell.value)  # type: ignore[arg-type] # its kind says what it is
        return Typed(text=kind.text(value, self.item, language) if isinstance(cell.value, bool) else str(cell.value))


@dataclass(frozen=True, slots=True)
class Typed:
    """An answer in exactly one column: text, number, day (or time of day), or the key and label of its choices."""

    text: str | None = None
    figure: Figure | None = None
    day: date | datetime | time | None = None
    key: str | None = None
    label: str | None = None


class Versions:
    """The questionnaire versions of a round, each loaded once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.used: dict[int, Definition] = {}
        self._then: tuple[Content | None, dict[int | None, Seen]] = (None, {})

    def __getitem__(self, version_id: int) -> Definition:
        """Return a version."""
        if version_id not in self.used:
            self.used[version_id] = definition(self.session, version_id)
        return self.used[version_id]

    def spoken(self, content: Content) -> Definition:
        """Return the version of a reply, with its answers in the labels of choices that speak some."""
        of = self[content.version_id]
        if not speaking(of):
            return of
        answers = {key: entry.value for key, entry in content.answers.items() if entry.state == "answered"}
        return spoken_by(of, values_of(of, answers, content.hidden))

    def seen(self, content: Content) -> Seen | None:
        """Return what labels of choices read in each row of a reply; None where none of them speaks of its row."""
        of = self[content.version_id]
        if not speaking_of_rows(of):
            return None
        answers = {key: entry.value for key, entry in content.answers.items() if entry.state == "answered"}
        return Seen(of, answers, content.hidden, content.rows)

    def as_asked(self, content: Content, of: Definition, key: AnswerKey) -> Item:
        """Return a question of an earlier version, its choices in the words of that version and of this reply."""
        item = of.question(key.code)
        if key.code not in speaking(of):
            return item
        kept_for, kept = self._then
        if kept_for is not content:
            self._then = (content, kept := {})
        if of.id not in kept:
            answers = {key: entry.value for key, entry in content.answers.items() if entry.state == "answered"}
            kept[of.id] = Seen(of, answers, content.hidden, content.rows)
        return named(of, item, kept[of.id].from_cell(key))

    @cached_property
    def _laid_out(self) -> dict[int, tuple[Item | Table, ...]]:
        return {}

    def laid_out(self, version_id: int) -> tuple[Item | Table, ...]:
        """Return what stands on the pages in order: questions outside tables, and tables in place of their columns."""
        if version_id not in self._laid_out:
            of = self[version_id]
            # by code: a table comes once, where its first column stands
            found: dict[str, Item | Table] = {}
            for item in self.questions(version_id):
                table = table_of(of, item.code)
                found.setdefault(item.code if table is None else f"{table.code}[]", item if table is None else table)
            self._laid_out[version_id] = tuple(found.values())
        return self._laid_out[version_id]

    @cached_property
    def _questions(self) -> dict[int, tuple[Item, ...]]:
        return {}

    def questions(self, version_id: int) -> tuple[Item, ...]:
        """Return the questions of a version that have answers: what a person fills in, and what is computed."""
        if version_id not in self._questions:
            self._questions[version_id] = tuple(
                item for item in self[version_id].questions() if question_type(item.type).asks or item.calculation
            )
        return self._questions[version_id]


def lines(replies: Iterable[Reply], versions: Versions) -> Iterator[Line]:
    """Yield the lines of all replies that have content, in the order of the replies and of the questions.

    A text asked for in several languages is one line per language that was used, and one line when it was not answered.
    An answer to a question that a newer version no longer asks comes last, worded as it was asked.
    """
    for reply in replies:
        if reply.content is not None:
            yield from _lines_of(reply, reply.content, versions)


class Lines(Collection[Line]):
    """The lines of all replies, made anew for each table that goes through them, so that nobody holds them all."""

    def __init__(self, replies: Sequence[Reply], versions: Versions) -> None:
        self._replies, self._versions = replies, versions
        self._count = sum(1 for _line in self)

    def __iter__(self) -> Iterator[Line]:
        """Go through the lines in order."""
        return iter(lines(self._replies, self._versions))

    def __len__(self) -> int:
        """Return how many lines there are."""
        return self._count

    def __contains__(self, line: object) -> bool:
        """Tell whether a line is among them, by going through them."""
        return any(one == line for one in self)


def _lines_of(reply: Reply, content: Content, versions: Versions) -> Iterator[Line]:
    present = versions.spoken(content)
    by_code: dict[str, list[tuple[AnswerKey, Entry]]] = {}
    for key, entry in content.answers.items():
        if entry.says:
            by_code.setdefault(key.code, []).append((key, entry))
    for item in versions.laid_out(content.version_id):
        if isinstance(item, Table):
            yield from _cells(reply, content, item, by_code, (present, versions))
            continue
        item = present.question(item.code)  # noqa: PLW2901 - the same question, in the words of this reply
        given = by_code.pop(item.code, [])
        if item.code in content.hidden:
            yield Line(reply, item, present, AnswerKey(item.code), "not_asked", None)
            continue
        if all(key.row for key, _entry in given):  # what it was answered row by row in an earlier version is no answer
            yield Line(reply, item, present, AnswerKey(item.code), "not_answered", None)
        for key, entry in _in_order(given, present.languages):
            yield _line(reply, key, entry, item, present, versions)
    dropped = [_in_order(by_code[code], present.languages) for code in sorted(by_code) if code not in content.hidden]
    for key, entry in chain.from_iterable(dropped):
        # questions that the present version no longer asks keep the wording under which they were answered
        if (asked := versions[entry.asked_in]).compiled.by_code.get(key.code) is not None:
            yield Line(reply, versions.as_asked(content, asked, key), asked, key, entry.state, entry)


def _cells(
    reply: Reply,
    content: Content,
    table: Table,
    by_code: dict[str, list[tuple[AnswerKey, Entry]]],
    words: tuple[Definition, Versions],
) -> Iterator[Line]:
    """Yield the cells of a table row by row; a repeat without rows has one cell per column, without a row."""
    present, versions = words
    given: dict[tuple[str, str], list[tuple[AnswerKey, Entry]]] = {}
    for item in table.columns:
        for key, entry in by_code.pop(item.code, []):
            given.setdefault((key.row, item.code), []).append((key, entry))
    numbers: dict[str, int] = {}
    seen = versions.seen(content)
    for row in [*_rows(table, content, {row for row, _code in given})] or [TableRow("")]:
        numbers[row.parent] = numbers.get(row.parent, 0) + 1
        number = numbers[row.parent] if row.key else None
        for column in table.columns:
            item = present.question(column.code)
            plain = AnswerKey(item.code, row.key)
            if seen is not None and row.key:
                item = worded(present, item, seen.from_cell(plain))
            found = given.get((row.key, item.code))
            if is_hidden(content.hidden, plain):
                yield Line(reply, item, present, plain, "not_asked", None, number, table)
                continue
            if not found:
                yield Line(reply, item, present, plain, "not_answered", None, number, table)
                continue
            for key, entry in _in_order(found, present.languages):
                line = _line(reply, key, entry, item, present, versions)
                yield replace(line, number=number, table=table)


def _rows(table: Table, content: Content, answered: set[str]) -> Iterator[TableRow]:
    """Yield the rows of a table; a row that a matrix offers no more stands there while it has an answer."""
    offered = table.rows(content.rows)
    yield from offered
    if table.fixed:
        known = {row.key for row in offered}
        yield from (TableRow(key) for key in sorted(answered - known - {""}))


def _in_order(
    given: Sequence[tuple[AnswerKey, Entry]], languages: Sequence[str]
) -> Sequence[tuple[AnswerKey, Entry]]:
    if len(given) == 1:
        return given
    place = {language: number for number, language in enumerate(languages)}
    return sorted(given, key=lambda pair: (pair[0].row, place.get(pair[0].lang, len(place)), pair[0].lang))


def _line(
    reply: Reply, key: AnswerKey, entry: Entry, item: Item, present: Definition, versions: Versions
) -> Line:
    """Name the answer by the wording under which it was asked, where that version still knows the question."""
    if entry.asked_in != present.id:
        asked = versions[entry.asked_in]
        if reply.content is not None and asked.compiled.by_code.get(key.code) is not None:
            return Line(reply, versions.as_asked(reply.content, asked, key), asked, key, entry.state, entry)
    return Line(reply, item, present, key, entry.state, entry)


def checksum(found: Iterable[Line]) -> str:
    """Return the sha256 over the answers: one line of canonical JSON per cell, sorted by row key, joined by newlines.

    A line is [row key, questionnaire, version, state, value, revision]; revision 0 where nothing is stored. Only the
    keys are held for the sorting: a key, closed by its quotation mark, is never the beginning of another.
    """
    digest = hashlib.sha256()
    for number, line in enumerate(sorted(found, key=lambda line: json.dumps(line.row_key, ensure_ascii=False))):
        revision = line.entry.revision if line.entry else 0
        cells = [line.row_key, line.version.code, line.version.version, line.state, line.value, revision]
        written = json.dumps(cells, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest.update(b"\n" * (number > 0) + written.encode())
    return digest.hexdigest()


def labels(item: Item, languages: Sequence[str]) -> Mapping[str, str]:
    """Return a question's wording in each language of the portal that has one."""
    texts = item.texts.get("label") or {}
    return {language: texts[language] for language in languages if texts.get(language)}
