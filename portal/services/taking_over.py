"""Taking over what units answered into their institution's reply, as a plan (services/taking_plan.py) was chosen from.

Everything goes through the one gate for answers; doing it twice adds nothing twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from forms.answers import AnswerKey, Parsed, field_name
from forms.tables import may_change, table_of
from portal import clock
from portal.errors import Invalid
from portal.models import Delegation, Evidence, Submission
from portal.permissions import Permission, Target, require
from portal.queries.evidence import evidence_of
from portal.queries.submissions import RowKey, standing_rows, stored_reply
from portal.services import audit
from portal.services import evidence as evidence_service
from portal.services.answer_rows import RowChange
from portal.services.attaching import Asked, hanging_on, names
from portal.services.events import locked
from portal.services.evidence import ReceivedFile
from portal.services.submissions import Change, save_answers
from portal.services.taking_lines import mark
from portal.services.taking_plan import with_note
from portal.services.taking_shown import still_shown

if TYPE_CHECKING:
    from collections.abc import Collection as Collection_
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from forms.answers import Rows
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.models import Collection
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.services.submissions import Saved
    from portal.services.taking_lines import FilePut, Plan
    from portal.services.taking_shown import Chosen, Note


def take_over(
    session: Session,
    collection: Collection,
    head: SubmissionHead,
    definition: Definition,
    question_ids: Mapping[str, int],
    made: Plan,
    chosen: Chosen,
    *,
    context: Context,
    by: Principal,
    quota: int | None = None,
) -> Saved:
    """Put the chosen lines of a plan into the reply, each against the revision that was shown; in one ``write()``.

    Nothing of a line is put there that says something else than what was shown (:mod:`portal.services.taking_shown`).

    Raises:
        NotAllowed, IllegalTransition: as :func:`save_answers`. Invalid: there is no room for a file (``quota``, bytes).
    """
    require(by, Permission.SHARE_SUBMISSION, Target(head.institution_id))
    unlocked = locked(session, head.id).unlocked
    chosen = still_shown(made, chosen)
    taken = dict(collection.taken)
    changes, row_changes = _changes(made, chosen)
    _write_notes(changes, chosen, taken)
    files = _Files(session, Asked(head, definition, question_ids, context), made, chosen, unlocked)
    changes |= files.changes(taken, by=by, quota=quota)
    saved = save_answers(
        session, head, definition, question_ids, changes, context=context, by=by, row_changes=row_changes
    )
    files.check(saved)
    _remember(session, collection, made, chosen, saved, taken)
    audit.record(
        session, "take_over", by=by, kind="collection", thing=collection.public_id, submission=head.public_id,
        answers=len(changes), rows=len(row_changes),
    )  # fmt: skip
    return saved


def _changes(made: Plan, chosen: Chosen) -> tuple[dict[AnswerKey, Change], list[RowChange]]:
    changes, row_changes = _row_changes(made, chosen)
    for put in made.puts:
        if put.name in chosen.lines:
            changes[put.key] = Change(put.parsed, chosen.bases.get(put.name, put.base))
    for pick in made.picks:
        if (way := chosen.way(pick)) is not None:
            changes[pick.key] = Change(way.parsed, chosen.bases.get(pick.name, pick.base))
    return changes, row_changes


def _row_changes(made: Plan, chosen: Chosen) -> tuple[dict[AnswerKey, Change], list[RowChange]]:
    changes: dict[AnswerKey, Change] = {}
    row_changes: list[RowChange] = []
    for row in made.rows:
        if row.name not in chosen.lines:
            continue
        if row.new:
            row_changes.append(RowChange(*row.place, parent_key=row.parent, base=0))
        for key, parsed in row.cells.items():
            shown = row.old[key].revision if key in row.old else 0
            changes[key] = Change(parsed, chosen.bases.get(field_name(key), shown))
    for gone in made.rows_gone:
        if gone.name in chosen.lines:
            # what somebody wrote in the row since it was shown is not lost: the row stays, and is told
            seen = {key: chosen.bases.get(field_name(key), one.revision) for key, one in gone.cells.items()}
            row_changes.append(RowChange(*gone.place, removed=True, seen=seen))
    return changes, row_changes


def _write_notes(changes: dict[AnswerKey, Change], chosen: Chosen, taken: Mapping[str, Any]) -> None:
    """Put the notes of who said what into their texts; several may go into one."""
    for name, note in chosen.notes.items():
        there = changes.get(note.target)
        old = str(there.parsed.value or "") if there is not None else note.old
        text = with_note(old, note.text, taken.get(_note_mark(name, note)))
        base = there.base if there is not None else chosen.bases.get(field_name(note.target), note.base)
        changes[note.target] = Change(Parsed(value=text), base)


def _note_mark(name: str, note: Note) -> str:
    return f"note:{name}:{field_name(note.target)}"


class _Files:
    """Files of units that become evidence of the reply, and others that are taken off; each where it hangs."""

    def __init__(
        self, session: Session, of: Asked, made: Plan, chosen: Chosen, unlocked: Collection_[str] | None
    ) -> None:
        self.session, self.of, self.unlocked = session, of, unlocked
        self.gone = [one for one in made.files_gone if one.name in chosen.lines and self._open(one.key)]
        self.puts = [one for one in made.files if one.name in chosen.lines and self._open(one.key)]
        self.coming = {row.place for row in made.rows if row.new and row.name in chosen.lines}
        self.leaving = {row.place for row in made.rows_gone if row.name in chosen.lines}
        # the answers that name files now
        self.named: frozenset[AnswerKey] = frozenset()

    def changes(self, taken: dict[str, Any], *, by: Principal, quota: int | None) -> dict[AnswerKey, Change]:
        """Attach and take off; return what the answers name then. A file whose row does not come stays where it is."""
        head = self.of.head
        reply = stored_reply(self.session, head.id, self.of.definition)
        standing = standing_rows(reply.rows)
        attached = evidence_of(self.session, head.id) if self.gone or self.puts else ()
        hanging: dict[AnswerKey, list[Evidence]] = {}

        def at(key: AnswerKey) -> list[Evidence]:
            return hanging.setdefault(key, hanging_on(self.of, key, reply, attached))

        for gone in self.gone:
            there = self.session.get_one(Evidence, gone.evidence.id)
            evidence_service.remove(self.session, there, by=by)
            taken.pop(gone.mark, None)
            if self._stands(gone.key, standing):
                at(gone.key)[:] = [one for one in at(gone.key) if one.id != there.id]
        for put in self.puts:
            if self._stands(put.key, standing):
                new = _attach(self.session, head, put, self.of.question_ids[put.key.code], by, quota)
                taken[put.name] = new.public_id
                at(put.key).append(new)
        self.session.flush()
        self.named = frozenset(hanging)
        return {key: names(some) for key, some in hanging.items()}

    def check(self, saved: Saved) -> None:
        """Refuse the whole act where an answer did not take its files, so that none hangs nowhere."""
        for one in saved.refused:
            if one.key in self.named and not one.kept:
                raise Invalid(str(one.message))

    def _open(self, key: AnswerKey) -> bool:
        return may_change(self.of.definition, key.code, self.unlocked)

    def _stands(self, key: AnswerKey, standing: Rows) -> bool:
        """Tell whether there is, after this act, what a file would hang on."""
        table = table_of(self.of.definition, key.code)
        if table is None or table.fixed:
            return True
        place = RowKey(table.code, key.row)
        there = any(row.key == key.row for row in standing.get(table.code, ()))
        return place in self.coming or (there and place not in self.leaving)


def _attach(
    session: Session, head: SubmissionHead, put: FilePut, question_id: int, by: Principal, quota: int | None
) -> Evidence:
    """Give a unit's file a number of its own in the reply; the bytes lie in the store once, under their hash."""
    there = session.get_one(Evidence, put.file.id)
    kept = ReceivedFile(
        there.filename or "", there.media_type or "", there.size or 0, there.sha256 or "", there.scanned_at
    )
    caption = there.caption or ", ".join(put.units)
    return evidence_service.add_file(
        session, head, kept, question_id=question_id, by=by, caption=caption[: evidence_service.CAPTION],
        visibility=there.visibility, quota=quota,
    )  # fmt: skip


def _remember(
    session: Session, collection: Collection, made: Plan, chosen: Chosen, saved: Saved, taken: dict[str, Any]
) -> None:
    """Note what stands in the reply now, and which units are in it wholly."""
    at = clock.now()
    for put in made.puts:
        if put.name in chosen.lines and put.key in saved.saved:
            taken[put.name] = put.kept
    for pick in made.picks:
        way = chosen.way(pick)
        if way is not None and pick.key in saved.saved:
            taken[f"pick:{pick.name}"] = {"way": way.name, "mark": mark(way.parsed), "seen": pick.seen}
    for name, note in chosen.notes.items():
        if note.target in saved.saved:
            taken[_note_mark(name, note)] = note.text
    for row in made.rows:
        if row.name in chosen.lines and all(key in saved.saved for key in row.cells):
            taken[f"row:{row.place.repeat}[{row.place.key}]"] = dict(row.kept)
    collection.taken = taken
    collection.taken_at = at
    session.execute(update(Delegation).where(Delegation.id.in_(_whole(session, made, chosen))).values(taken_at=at))
    session.flush()


def _whole(session: Session, made: Plan, chosen: Chosen) -> list[int]:
    """Return the units of which no row, figure or text was left, as they stood when the plan was made."""
    left = {row.delegation_id for row in made.rows if row.name not in chosen.lines}
    puts = [put.key for put in made.puts if put.name not in chosen.lines]
    seen = {
        one.line.delegation.id: one.line.last_saved
        for one in made.replies
        if one.line.last_saved
        and one.line.delegation.id not in left
        and not any(one.given(key) is not None for key in puts)
    }
    query = (
        select(Delegation.id, Submission.saved_at)
        .join(Submission, Submission.id == Delegation.submission_id)
        .where(Delegation.id.in_(seen))
        .order_by(Delegation.id)
    )
    # what a unit saved in between is new
    return [unit for unit, saved_at in session.execute(query) if saved_at == seen[unit]]
