"""What taking over the answers of units would change in a reply, line by line, before anything is changed.

Numbers are added up, texts put below one another, rows added under keys that follow from the unit's. Where units do not
say the same (a choice, a date, a percentage), every answer is offered with who gave it, and one is chosen; a percentage
is averaged only where that is chosen. What was taken over last is remembered (``Collection.taken``): so a line that a
unit changed since is told from one that the institution changed, and what a unit took away is offered for removal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, Parsed, field_name, is_hidden, parse_field_name
from forms.question_types import question_type
from forms.tables import made_key, may_change, table_of, tables
from portal.queries.collected import (
    added_up,
    asked_keys,
    averaged,
    canonical,
    chosen_by_any,
    denominators,
    put_below_one_another,
    repeats,
    spread,
)
from portal.queries.evidence import evidence_of
from portal.queries.questionnaires import question_ids
from portal.queries.submissions import RowKey, stored_reply
from portal.services.attaching import named_by
from portal.services.taking_lines import FileGone, FilePut, Pick, Plan, Put, RowGone, RowPut, Way, file_mark, mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Json
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from portal.models import Collection, Evidence
    from portal.queries.collected import UnitFile, UnitReply
    from portal.queries.submissions import StoredReply, SubmissionHead


def taken_key(collection: Collection, one: UnitReply, row: str) -> str:
    """Return the key that a unit's row has in the reply: always the same one, so that it comes in once."""
    return made_key(collection.public_id, one.line.delegation.public_id, row)


def plan(
    session: Session,
    collection: Collection,
    head: SubmissionHead,
    definition: Definition,
    replies: Sequence[UnitReply],
    *,
    context: Context,
    named_in: Mapping[str, str],
) -> Plan:
    """Return what taking over would change; ``named_in`` names, per table, the text column for the unit's name."""
    made = _Planning(collection, head, definition, replies, stored_reply(session, head.id, definition), context)
    puts, picks = made.plain()
    rows, gone, removed = made.of_rows(named_in)
    attached = evidence_of(session, head.id)
    files, files_gone, taken_off = made.of_files(attached, question_ids(session, head.version_id))
    return Plan(
        tuple(puts), tuple(picks), tuple(rows), tuple(gone), tuple(files), tuple(files_gone), removed + taken_off,
        tuple(replies),
    )  # fmt: skip


@dataclass(frozen=True)
class _Planning:
    """One collection beside the reply that it serves."""

    collection: Collection
    head: SubmissionHead
    definition: Definition
    replies: Sequence[UnitReply]
    stored: StoredReply
    context: Context

    def plain(self) -> tuple[list[Put], list[Pick]]:
        """Return what would become of the answers outside tables with rows of their own."""
        asked = list(asked_keys(self.definition, self.collection.items, self.context.languages))
        puts: list[Put] = []
        picks: list[Pick] = []
        for key in asked:
            kind = question_type(self.definition.question(key.code).type)
            if kind.control == "file" or not self._open(key.code):
                continue
            if kind.joins in {"sum", "text"}:
                puts += self._put(key)
            else:
                picks += self._pick(key, asked)
        return puts, picks

    def _open(self, code: str) -> bool:
        """Tell whether a question may be changed now: a returned reply opens only what was named."""
        return may_change(self.definition, code, self.head.unlocked)

    def _put(self, key: AnswerKey) -> Iterator[Put]:
        item = self.definition.question(key.code)
        kind, old, before = question_type(item.type), self.stored.answers.get(key), self._taken(field_name(key))
        if kind.joins == "sum":
            found = added_up(key, self.replies)
            kept, units = (format(found[0], "f"), found[1]) if found else ("", 0)
            raw, meant = kept, old is None or old.blank or (before != "" and before == str(old.value))
        else:
            kept, units = put_below_one_another(key, self.replies)
            standing = str(old.value) if old and old.value is not None else ""
            raw, meant = _joined(standing, kept, before), True
        if not kept and (not before or not meant):
            return
        parsed = kind.judge([raw], item, self.context, key.lang) if raw else Parsed()
        if old is not None and (old.value, old.typed, old.state) == (parsed.value, parsed.typed, parsed.state):
            return
        if old is None and not raw:
            return
        yield Put(key, parsed, old, units, kept, meant and bool(kept), self._aside(key))

    def _aside(self, key: AnswerKey) -> int:
        """Count the units whose answer does not count."""
        return sum(1 for one in self.replies if one.troubled(key))

    def _taken(self, name: str) -> str:
        found = self.collection.taken.get(name)
        return found if isinstance(found, str) else ""

    def _pick(self, key: AnswerKey, asked: Sequence[AnswerKey]) -> Iterator[Pick]:
        said = spread(key, self.replies)
        if not said:
            return
        item, old = self.definition.question(key.code), self.stored.answers.get(key)
        ways = tuple(self._ways(item, key, said, asked))
        silent = old is None or old.blank
        if len(said) == 1 and old is not None and mark(old) == mark(ways[-1].parsed):
            return
        who_says_what = canonical(sorted((canonical(value), units) for value, units in said))
        seen = hashlib.sha256(who_says_what.encode()).hexdigest()[:16]
        before = self.collection.taken.get(f"pick:{field_name(key)}")
        before = before if isinstance(before, dict) else {}
        untouched = old is not None and mark(old) == before.get("mark")
        wanted = ""
        if len(said) == 1 and silent:
            wanted = ways[-1].name
        elif untouched and any(way.name == before.get("way") and way.kind != "said" for way in ways):
            wanted = str(before["way"])
        settled = untouched and before.get("seen") == seen
        yield Pick(key, ways, old, "" if settled else wanted, seen, bool(before), settled, self._aside(key))

    def _ways(
        self, item: Item, key: AnswerKey, said: Sequence[tuple[Json, list[str]]], asked: Sequence[AnswerKey]
    ) -> Iterator[Way]:
        """Yield what could be taken over: what is made of several answers first, then each answer that was given."""
        kind = question_type(item.type)
        if kind.joins == "average" and len(said) > 1:
            for weight in (None, *denominators(self.definition, key, asked)):
                found = averaged(key, self.replies, weight)
                if found is None:
                    continue
                parsed = kind.judge([format(found[0], "f")], item, self.context, key.lang)
                name = "average" if weight is None else f"weighted:{field_name(weight)}"
                yield Way(name, "average" if weight is None else "weighted", parsed, tuple(found[1]), weight)
        if kind.joins == "union" and len(said) > 1:
            everything, units = chosen_by_any(item, key, self.replies)
            if everything and everything not in [value for value, _units in said]:
                yield Way("union", "union", Parsed(everything), tuple(units))
        for value, units in said:
            parsed = Parsed(value)
            yield Way(f"said:{mark(parsed)}", "said", parsed, tuple(units))

    def of_rows(self, named_in: Mapping[str, str]) -> tuple[list[RowPut], list[RowGone], int]:
        """Return the rows that would come or change, those that their units removed, and how many were taken off."""
        found: list[RowPut] = []
        gone: list[RowGone] = []
        removed = 0
        for code in filter(self._open, repeats(self.definition, self.collection.items)):
            for one in self.replies:
                standing = {row.key for row in one.rows.get(code, ())}
                for row in one.rows.get(code, ()):
                    place = RowKey(code, taken_key(self.collection, one, row.key))
                    before = self.stored.rows.get(place)
                    if before is not None and before.removed:
                        removed += 1
                        continue
                    parent = taken_key(self.collection, one, row.parent) if row.parent else ""
                    found += self._row(one, row.key, place, parent, named_in.get(code, ""))
                gone += self._gone(one, code, standing)
        return found, gone, removed

    def _row(self, one: UnitReply, row: str, place: RowKey, parent: str, named_in: str) -> Iterator[RowPut]:
        """Yield the row with the cells that would change: all of a new one, else those that the unit changed since."""
        said = self._cells(one, row, place)
        kept = {field_name(key._replace(row="")): mark(parsed) for key, parsed in said.items()}
        new = place not in self.stored.rows
        item = self.definition.compiled.by_code.get(named_in)
        if new and item is not None and not any(key.code == named_in for key in said):
            column = question_type(item.type).keys(item, self.context.languages)[0]
            said[column._replace(row=place.key)] = Parsed(one.name)
        before = self.collection.taken.get(f"row:{place.repeat}[{place.key}]")
        before = before if isinstance(before, dict) else {}
        old = {key: self.stored.answers[key] for key in said if key in self.stored.answers}
        changed, meant = {}, True
        # a cell that the unit emptied since is told too
        for key in (*said, *self._emptied(place, before, kept)):
            parsed, stands, was = said.get(key, Parsed()), self.stored.answers.get(key), before.get(_cell(key))
            if stands is not None:
                old[key] = stands
            if mark(parsed) == mark(stands or Parsed()) or (not new and mark(parsed) == was):
                continue
            changed[key] = parsed
            meant = meant and (stands is None or stands.blank or mark(stands) == was)
        # a row that holds nothing but a file comes too: the file hangs on it
        if not (said or self._holds_files(one, row, place)) or (not new and not changed):
            return
        troubled = frozenset(key for key in changed if one.troubled(key._replace(row=row)))
        yield RowPut(place, parent, one.name, one.line.delegation.id, new, changed, old, new or meant, kept, troubled)

    def _cells(self, one: UnitReply, row: str, place: RowKey) -> dict[AnswerKey, Parsed]:
        cells = {}
        for item in tables(self.definition)[place.repeat].asked:
            if question_type(item.type).control == "file":
                continue
            for key in question_type(item.type).keys(item, self.context.languages):
                answer = one.answers.get(key._replace(row=row))
                if answer is not None and not answer.blank:
                    cells[key._replace(row=place.key)] = Parsed(answer.value, answer.state, answer.typed)
        return cells

    def _holds_files(self, one: UnitReply, row: str, place: RowKey) -> bool:
        return any(
            self._takes_files(item.code) and bool(named_by(one.answers.get(AnswerKey(item.code, row))))
            for item in tables(self.definition)[place.repeat].asked
        )

    def _emptied(self, place: RowKey, before: Mapping[str, str], kept: Mapping[str, str]) -> list[AnswerKey]:
        return [
            key._replace(row=place.key)
            for item in tables(self.definition)[place.repeat].asked
            for key in question_type(item.type).keys(item, self.context.languages)
            if field_name(key) in before and field_name(key) not in kept
        ]

    def _gone(self, one: UnitReply, code: str, standing: set[str]) -> Iterator[RowGone]:
        for name in one.stored_rows:
            if name.repeat != code or name.key in standing:
                continue
            place = RowKey(code, taken_key(self.collection, one, name.key))
            there = self.stored.rows.get(place)
            if there is None or there.removed:
                continue
            columns = {item.code for item in tables(self.definition)[code].asked}
            cells = {
                key: answer
                for key, answer in self.stored.answers.items()
                if key.row == place.key and key.code in columns and not answer.blank
            }
            left_out = one.line.delegation.left_out_at is not None
            yield RowGone(place, one.name, there.revision, cells, left_out)

    def of_files(
        self, attached: Sequence[Evidence], ids: Mapping[str, int]
    ) -> tuple[list[FilePut], list[FileGone], int]:
        """Return the files that would come, those that no unit attaches any more, and how many were taken off again."""
        found: dict[str, FilePut] = {}
        gone, removed = [], 0
        standing = {one.public_id: one for one in attached}
        there = set(self._hanging(attached, ids))
        current: set[str] = set()
        for one in self.replies:
            for key, file, at in self._placed(one, ids):
                name = file_mark(key, file.sha256)
                if name in current:
                    if name in found:
                        found[name] = FilePut(key, file, tuple(dict.fromkeys((*found[name].units, one.name))), at)
                    continue
                current.add(name)
                if (key, file.sha256) in there:
                    continue
                if name in self.collection.taken:
                    removed += 1
                else:
                    found[name] = FilePut(key, file, (one.name,), at)
        for name, public_id in self.collection.taken.items():
            if name.startswith("file:") and name not in current and str(public_id) in standing:
                place = parse_field_name(name.split(":")[1])
                if place is not None and self._open(place.code):
                    gone.append(FileGone(place, standing[str(public_id)], name))
        return list(found.values()), gone, removed

    def _hanging(self, attached: Sequence[Evidence], ids: Mapping[str, int]) -> Iterator[tuple[AnswerKey, str | None]]:
        """Yield where each file of the reply hangs, with its hash."""
        codes = {ids[code]: code for code in self._file_codes() if code in ids}
        standing = {one.public_id: one for one in attached}
        for file in attached:
            if (code := codes.get(file.question_id or 0)) is not None:
                yield AnswerKey(code), file.sha256
        for key, given in self.stored.answers.items():
            if key.row and self._takes_files(key.code):
                yield from ((key, standing[name].sha256) for name in named_by(given) if name in standing)

    def _placed(self, one: UnitReply, ids: Mapping[str, int]) -> Iterator[tuple[AnswerKey, UnitFile, int]]:
        """Yield the files of a unit with the place in the reply where each would hang, and the number of its row."""
        codes = {ids[code]: code for code in self._file_codes() if code in ids and self._open(code)}
        for file in one.files:
            if (code := codes.get(file.question_id or 0)) is not None:
                yield AnswerKey(code), file, 0
        by_name = {file.public_id: file for file in one.files}
        for table in tables(self.definition).values():
            for item in table.asked:
                if not (self._takes_files(item.code) and self._open(item.code)):
                    continue
                for at, row in enumerate(table.rows(one.rows), start=1):
                    key = AnswerKey(item.code, row.key)
                    place = key if table.fixed else key._replace(row=taken_key(self.collection, one, row.key))
                    there = None if table.fixed else self.stored.rows.get(RowKey(table.code, place.row))
                    if is_hidden(one.hidden, key) or (there is not None and there.removed):
                        continue
                    for name in named_by(one.answers.get(key)):
                        if name in by_name:
                            yield place, by_name[name], 0 if table.fixed else at

    def _takes_files(self, code: str) -> bool:
        """Tell whether a question was asked of the units and is answered by files."""
        return question_type(self.definition.question(code).type).control == "file" and may_change(
            self.definition, code, self.collection.items
        )

    def _file_codes(self) -> list[str]:
        asked = asked_keys(self.definition, self.collection.items, self.context.languages)
        return [
            key.code
            for key in asked
            if not key.row
            and table_of(self.definition, key.code) is None
            and question_type(self.definition.question(key.code).type).control == "file"
        ]


def _cell(key: AnswerKey) -> str:
    return field_name(key._replace(row=""))


def _joined(old: str, block: str, before: object) -> str:
    """Put the units' texts where they stood before, else below what the institution wrote itself."""
    if isinstance(before, str) and before and before in old:
        return old.replace(before, block, 1).strip("\n")
    if block in old:
        return old
    return f"{old.rstrip()}\n\n{block}" if old.strip() else block


def with_note(old: str, note: str, before: object) -> str:
    """Return a text with a note of who said what, in the place of the one that was written last."""
    return _joined(old, note, before)
