"""Taking over what units answered into their institution's reply: rows added, numbers added up, texts joined.

A plan tells old and new before anything is changed; doing it goes through the one gate for answers. Rows get keys that
follow from the unit's, sums and texts replace what was taken over before: doing it twice adds nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update

from forms.answers import AnswerKey, Parsed, field_name
from forms.question_types import question_type
from forms.tables import made_key, tables
from portal import clock
from portal.models import Delegation
from portal.permissions import Permission, Target, require
from portal.queries.collected import added_up, asked_keys, put_below_one_another, repeats
from portal.queries.submissions import RowKey, stored_reply
from portal.services import audit
from portal.services.answer_rows import RowChange
from portal.services.submissions import Change, save_answers

if TYPE_CHECKING:
    from collections.abc import Collection as Some
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.context import Context
    from forms.definition.model import Definition
    from portal.models import Collection
    from portal.permissions import Principal
    from portal.queries.collected import UnitReply
    from portal.queries.submissions import StoredAnswer, StoredReply, SubmissionHead
    from portal.services.submissions import Saved


@dataclass(frozen=True)
class Put:
    """One answer that would change: what stands in the reply, what would, and out of how many units' answers."""

    key: AnswerKey
    parsed: Parsed
    old: StoredAnswer | None
    units: int
    # the texts of the units, where the answer is made of texts
    block: str = ""

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return field_name(self.key)

    @property
    def base(self) -> int:
        """Return the revision that the plan saw."""
        return self.old.revision if self.old else 0


@dataclass(frozen=True)
class RowPut:
    """One row of a unit that would be added to the reply, or changed there; ``cells`` are all that it holds."""

    place: RowKey
    parent: str
    unit: str
    delegation_id: int
    new: bool
    cells: Mapping[AnswerKey, Parsed]
    old: Mapping[AnswerKey, StoredAnswer]

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return f"row:{self.place.repeat}[{self.place.key}]"


@dataclass(frozen=True)
class Plan:
    """What taking over would change; ``gone`` counts rows that were taken over and removed in the reply since."""

    puts: tuple[Put, ...]
    rows: tuple[RowPut, ...]
    gone: int
    replies: tuple[UnitReply, ...]

    @property
    def empty(self) -> bool:
        """Return whether everything that the units answered is in the reply already."""
        return not (self.puts or self.rows)


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
    stored = stored_reply(session, head.id, definition)
    puts = [
        put
        for key in asked_keys(definition, collection.items, context.languages)
        if (put := _put(key, collection, definition, replies, stored, context)) is not None
    ]
    rows: list[RowPut] = []
    gone = 0
    for code in repeats(definition, collection.items):
        for one in replies:
            found, lost = _rows_of(code, one, collection, definition, stored, context, named_in.get(code, ""))
            rows += found
            gone += lost
    return Plan(tuple(puts), tuple(rows), gone, tuple(replies))


def _put(
    key: AnswerKey,
    collection: Collection,
    definition: Definition,
    replies: Sequence[UnitReply],
    stored: StoredReply,
    context: Context,
) -> Put | None:
    item = definition.question(key.code)
    kind, old, block = question_type(item.type), stored.answers.get(key), ""
    if kind.joins == "sum":
        found = added_up(key, replies)
        if found is None:
            return None
        raw, units = format(found[0], "f"), found[1]
    elif kind.joins == "text":
        block, units = put_below_one_another(key, replies)
        if not block:
            return None
        standing = str(old.value) if old and old.value is not None else ""
        raw = _joined(standing, block, collection.taken.get(field_name(key)))
    else:
        return None
    parsed = kind.judge([raw], item, context, key.lang)
    if old is not None and (old.value, old.typed, old.state) == (parsed.value, parsed.typed, parsed.state):
        return None
    return Put(key, parsed, old, units, block)


def _joined(old: str, block: str, before: object) -> str:
    """Put the units' texts where they stood before, else below what the institution wrote itself."""
    if isinstance(before, str) and before and before in old:
        return old.replace(before, block, 1)
    if block in old:
        return old
    return f"{old.rstrip()}\n\n{block}" if old.strip() else block


def _rows_of(
    code: str,
    one: UnitReply,
    collection: Collection,
    definition: Definition,
    stored: StoredReply,
    context: Context,
    named_in: str,
) -> tuple[list[RowPut], int]:
    """Return the rows of one unit's table that would be added or changed, and how many were removed in the reply."""
    found, gone = [], 0
    table = tables(definition)[code]
    for row in one.rows.get(code, ()):
        place = RowKey(code, taken_key(collection, one, row.key))
        before = stored.rows.get(place)
        if before is not None and before.removed:
            gone += 1
            continue
        cells: dict[AnswerKey, Parsed] = {}
        for item in table.asked:
            keys = question_type(item.type).keys(item, context.languages)
            said = {key: one.answers.get(key._replace(row=row.key)) for key in keys}
            if item.code == named_in and all(answer is None or answer.blank for answer in said.values()):
                cells[keys[0]._replace(row=place.key)] = Parsed(value=one.name)
                continue
            for key, answer in said.items():
                if answer is not None and question_type(item.type).control != "file":
                    cells[key._replace(row=place.key)] = Parsed(answer.value, answer.state, answer.typed)
        old = {key: stored.answers[key] for key in cells if key in stored.answers}
        changed = {key: parsed for key, parsed in cells.items() if not _stands(old.get(key), parsed)}
        if not cells or (before is not None and not changed):
            continue
        parent = taken_key(collection, one, row.parent) if row.parent else ""
        found.append(RowPut(place, parent, one.name, one.line.delegation.id, before is None, changed, old))
    return found, gone


def _stands(old: StoredAnswer | None, parsed: Parsed) -> bool:
    if old is None:
        return parsed.value is None and parsed.typed is None and parsed.state == "answered"
    return (old.value, old.typed, old.state) == (parsed.value, parsed.typed, parsed.state)


def taken_key(collection: Collection, one: UnitReply, row: str) -> str:
    """Return the key that a unit's row has in the reply: always the same one, so that it comes in once."""
    return made_key(collection.public_id, one.line.delegation.public_id, row)


def take_over(
    session: Session,
    collection: Collection,
    head: SubmissionHead,
    definition: Definition,
    question_ids: Mapping[str, int],
    made: Plan,
    chosen: Some[str],
    bases: Mapping[str, int],
    *,
    context: Context,
    by: Principal,
) -> Saved:
    """Put the chosen lines of a plan into the reply, each against the revision that was shown; in one ``write()``.

    Raises:
        NotAllowed, IllegalTransition: as :func:`save_answers`.
    """
    require(by, Permission.SHARE_SUBMISSION, Target(head.institution_id))
    changes: dict[AnswerKey, Change] = {}
    row_changes: list[RowChange] = []
    for put in made.puts:
        if put.name in chosen:
            changes[put.key] = Change(put.parsed, bases.get(put.name, put.base))
    for row in made.rows:
        if row.name not in chosen:
            continue
        if row.new:
            row_changes.append(RowChange(*row.place, parent_key=row.parent, base=0))
        for key, parsed in row.cells.items():
            seen = row.old[key].revision if key in row.old else 0
            changes[key] = Change(parsed, bases.get(field_name(key), seen))
    saved = save_answers(
        session, head, definition, question_ids, changes, context=context, by=by, row_changes=row_changes
    )
    _remember(session, collection, made, chosen, saved)
    audit.record(
        session, "take_over", by=by, kind="collection", thing=collection.public_id, submission=head.public_id,
        answers=len(changes), rows=len(row_changes),
    )  # fmt: skip
    return saved


def _remember(
    session: Session, collection: Collection, made: Plan, chosen: Some[str], saved: Saved
) -> None:
    """Note what stands in the reply now, and which units are in it wholly."""
    at = clock.now()
    taken = dict(collection.taken)
    for put in made.puts:
        if put.block and put.name in chosen and put.key in saved.saved:
            taken[put.name] = put.block
    collection.taken = taken
    collection.taken_at = at
    left = {row.delegation_id for row in made.rows if row.name not in chosen}
    plain_left = any(put.name not in chosen for put in made.puts)
    whole = [
        one.line.delegation.id
        for one in made.replies
        if one.line.last_saved and one.line.delegation.id not in left and not plain_left
    ]
    session.execute(update(Delegation).where(Delegation.id.in_(whole)).values(taken_at=at))
    session.flush()

