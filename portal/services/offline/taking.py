"""Taking over what was chosen from returned workbooks: each answer against the revision that was shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from forms.answers import Parsed
from portal.errors import IllegalTransition, NotAllowed
from portal.permissions import Permission, can
from portal.services import audit
from portal.services.answer_rows import RowChange
from portal.services.offline.earlier import note_taken
from portal.services.submissions import Change, save_answers
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey
    from portal.permissions import Principal
    from portal.queries.submissions import RowKey
    from portal.services.offline.plan import ChangedAnswer, ChangedRow, OfflinePlan, ReplyPlan, Trace
    from portal.services.submissions import Saved

THEIRS, BOTH = "theirs", "both"


@dataclass
class TakenReply:
    """What became of one reply: how many answers were taken over and lines removed, what was left and why."""

    plan: ReplyPlan
    answers: int = 0
    removed: int = 0
    left: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return the one figure that is told: as the dry run counts, a new line by its cells, one that goes as one."""
        return self.answers + self.removed


def choices(plan: OfflinePlan, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what is taken, by name: what somebody ``chosen``, else what is taken unless somebody says otherwise."""
    found = {}
    for reply in plan.replies:
        for one in reply.every:
            name = f"{reply.head.public_id}:{one.name}"
            found[name] = one.chosen if chosen is None else chosen.get(name, "")
    return found


def clear_choices(plan: OfflinePlan) -> dict[str, str]:
    """Return what is taken before anybody looked: what breaks a rule, or is in doubt else, waits until it was seen."""
    return {
        f"{reply.head.public_id}:{one.name}": one.chosen if one.clear else ""
        for reply in plan.replies for one in reply.every
    }  # fmt: skip


def take_offline(
    session: Session, plan: OfflinePlan, chosen: Mapping[str, str], *, by: Principal, request_key: str, source: str
) -> list[TakenReply]:
    """Save what was chosen, each reply as a whole or not at all; call inside ``write()``.

    What somebody changed since the plan was made is left and told. Repeating it under the same ``request_key`` changes
    nothing. ``source`` names the files in the audit chain.
    """
    taken = [
        _take(session, reply, chosen, by=by, request_key=request_key) for reply in plan.replies if not reply.closed
    ]
    told = {one.plan.head.public_id: one.count for one in taken if one.count}
    if told:
        audit.record(
            session, "import_offline", by=by, kind="offline", thing=source, replies=told, copies=list(plan.copies)[:50]
        )
    return taken


def _take(
    session: Session, plan: ReplyPlan, chosen: Mapping[str, str], *, by: Principal, request_key: str
) -> TakenReply:
    made = TakenReply(plan)
    changes: dict[AnswerKey, Change] = {}
    row_changes: list[RowChange] = []
    traces: list[tuple[AnswerKey, Trace]] = []
    kept: list[tuple[Trace, int]] = []
    prefix = f"{plan.head.public_id}:"

    def choose(one: ChangedAnswer, said: str) -> None:
        if (change := _change(one, said)) is not None:
            changes[one.key] = change
            of = one.options if said == BOTH else [each for each in one.options if each.name == said]
            traces.extend((one.key, trace) for option in of for trace in option.traces)
        elif said == THEIRS and one.outcome in {"conflict", "copies"}:
            kept.extend((trace, one.revision) for option in one.options for trace in option.traces)

    for one in plan.answers:
        choose(one, chosen.get(prefix + one.name, ""))
    taken = [row for row in plan.rows if chosen.get(prefix + row.name)]
    within = _within(plan, taken)
    for row in taken:
        # a line goes with the one that it stands in, so that it comes back with it
        if row.row not in within:
            row_changes += _row_change(row)
        for cell in row.cells:
            only = cell.options[0].name if len(cell.options) == 1 else ""
            choose(cell, chosen.get(prefix + cell.name) or only)
    if not changes and not row_changes:
        _keep(session, plan, kept, by)
        return made
    try:
        saved = save_answers(
            session, plan.head, plan.definition, plan.question_ids, changes, context=plan.context, by=by,
            request_key=request_key, row_changes=row_changes,
        )  # fmt: skip
    except (IllegalTransition, NotAllowed):
        made.left.append(Problem(_("This reply can no longer be changed; nothing of it was taken over."), plan.title))
        return made
    _tell(made, saved, plan)
    made.removed += sum(1 for outer in within.values() if saved.rows[outer].removed)
    lost = {one.key for one in saved.stale} | {one.key for one in saved.refused if not one.kept}
    note_taken(
        session, plan.head.id,
        [(trace, saved.saved[key]) for key, trace in traces if key in saved.saved and key not in lost],
        [(trace, row.row.key) for row in plan.rows if row.row in saved.rows for trace in row.traces],
        kept,
    )  # fmt: skip
    return made


def _keep(session: Session, plan: ReplyPlan, kept: list[tuple[Trace, int]], by: Principal) -> None:
    """Remember what was to stay as it stands where nothing is taken over beside it."""
    if kept and can(by, Permission.ANSWER_SUBMISSION, plan.head):
        note_taken(session, plan.head.id, (), (), kept)


def _change(one: ChangedAnswer, said: str) -> Change | None:
    """Return the change that was chosen; None where what stands is to stay."""
    if one.outcome == "refused" or not said or said == THEIRS:
        return None
    if said == BOTH and one.may_join:
        texts = [one.old] if one.old else []
        texts += [option.parsed.value for option in one.options if isinstance(option.parsed.value, str)]
        return Change(Parsed(value="\n\n".join(dict.fromkeys(texts))), one.revision)
    option = next((each for each in one.options if each.name == said), None)
    return Change(replace(option.parsed), one.revision) if option is not None else None


def _within(plan: ReplyPlan, rows: Sequence[ChangedRow]) -> dict[RowKey, RowKey]:
    """Return the lines that are to go and stand in another one that is, each with the outermost such one."""
    going = [row.row for row in rows if row.outcome == "emptied_row"]
    by_key = {name.key: name for name in plan.stored.rows}
    found = {}
    for name in going:
        around = by_key.get(plan.stored.rows[name].parent)
        while around is not None:
            if around in going:
                found[name] = around
            around = by_key.get(plan.stored.rows[around].parent)
    return found


def _row_change(row: ChangedRow) -> list[RowChange]:
    if row.outcome == "emptied_row":
        return [RowChange(row.row.repeat, row.row.key, row.parent, removed=True, base=row.revision, seen=row.seen)]
    if row.outcome == "new_row":
        return [RowChange(row.row.repeat, row.row.key, row.parent, base=0)]
    return []


def _tell(made: TakenReply, saved: Saved, plan: ReplyPlan) -> None:
    stale = {one.key for one in saved.stale}
    lost = {one.key for one in saved.refused if not one.kept}
    made.answers = sum(1 for key in saved.saved if key not in stale and key not in lost)
    left = {row.name for row in saved.stale_rows} | {row.name for row in saved.refused_rows}
    made.removed = sum(row.removed and name not in left for name, row in saved.rows.items())
    labels = {one.key: one.label for one in plan.answers}
    for one in saved.stale:
        sentence = _(
            "Somebody saved “%(label)s” in this moment; it was left as it stands.",
            label=labels.get(one.key, one.key.code),
        )
        made.left.append(Problem(sentence, plan.title))
    made.left += [Problem(one.message, plan.title) for one in saved.refused if not one.kept]
    made.left += [Problem(one.message, plan.title) for one in saved.refused_rows]
    for row in saved.stale_rows:
        del row
        made.left.append(Problem(_("Somebody wrote in a line that was to be removed; it stays."), plan.title))
