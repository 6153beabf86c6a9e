"""A dry run of returned workbooks as plain values: what the command line and the API say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.services.offline.plan import ChangedAnswer, ChangedRow, OfflinePlan, ReplyPlan
    from portal.services.offline.taking import TakenReply
    from portal.table import Problem


def told(plan: OfflinePlan, chosen: Mapping[str, str], taken: Sequence[TakenReply] | None = None) -> dict[str, Any]:
    """Return a plan as JSON-ready values; ``chosen`` is what would be taken, ``taken`` what was (None: nothing yet)."""
    done = {one.plan.head.public_id: one for one in taken or ()}
    return {
        "confirmed": taken is not None,
        "counts": plan.counts,
        "replies": [_reply(reply, chosen, done.get(reply.head.public_id)) for reply in plan.replies],
        "remarks": [_problem(one) for one in plan.remarks],
        "problems": [_problem(one) for one in plan.problems],
    }


def clean(plan: OfflinePlan, taken: Sequence[TakenReply] | None = None) -> bool:
    """Tell whether nothing needs somebody's eye: no conflict, nothing refused, closed, emptied, held or left."""
    counts = plan.counts
    held = any(one.held for reply in plan.replies for one in reply.every)
    return not held and not any(counts[one] for one in ("conflict", "refused", "closed", "cleared")) and not any(
        one.left for one in taken or ()
    )


def _reply(reply: ReplyPlan, chosen: Mapping[str, str], taken: TakenReply | None) -> dict[str, Any]:
    pid = reply.head.public_id
    answers = [_answer(one, pid, chosen) for one in reply.answers]
    for row in reply.rows:
        answers.append(_row(row, pid, chosen))
        answers += [_answer(cell, pid, chosen) for cell in row.cells]
    return {
        "submission": pid,
        "title": reply.title,
        "closed": reply.closed,
        "unchanged": reply.unchanged,
        "taken": None if taken is None else taken.count,
        "answers": [] if reply.closed else answers,
        "remarks": [_problem(one) for one in reply.remarks],
        "problems": [_problem(one) for one in (*reply.problems, *(taken.left if taken else ()))],
    }


def _answer(one: ChangedAnswer, pid: str, chosen: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        # what was decided before is one thing to a machine
        "outcome": "taken" if one.outcome == "kept" else one.outcome,
        "sheet": one.place.sheet,
        "cell": one.place.address,
        "place": str(one.place.said),
        "old": one.old,
        "new": [
            {"option": option.name, "text": option.text, "copy": option.place.copy if option.place else ""}
            for option in one.options
        ],
        "chosen": chosen.get(f"{pid}:{one.name}", ""),
        "found": one.found,
        "message": str(one.sentence or one.warning or ""),
        "expected": one.expected,
        "example": one.example,
    }  # fmt: skip


def _row(row: ChangedRow, pid: str, chosen: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": row.name, "label": row.label, "outcome": row.outcome, "sheet": row.place.sheet,
        "cell": row.place.address, "place": str(row.place.said), "old": "", "new": [],
        "chosen": chosen.get(f"{pid}:{row.name}", ""), "found": "",
        "message": " ".join(str(one) for one in (*row.within, row.sentence, row.twin) if one),
        "expected": "", "example": "",
    }  # fmt: skip


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "sheet": one.sheet, "row": one.row, "place": str(one.place or ""), "message": str(one.message),
        "mend": str(one.mend or ""),
    }  # fmt: skip


def in_words(told_: Mapping[str, Any]) -> str:
    """Return what was told as lines for a terminal."""
    lines = []
    for reply in told_["replies"]:
        lines.append(f"{reply['title']} ({reply['submission']})" + (f": {reply['closed']}" if reply["closed"] else ""))
        for one in reply["answers"]:
            new = " | ".join(option["text"] for option in one["new"])
            lines.append(
                f"  {one['place']} {one['outcome']}{'' if one['chosen'] else ', not taken'}"
                f": {one['label']}"
                + (
                    f": {one['old']!r} -> {new!r}"
                    if one["new"]
                    else f": found {one['found']!r}"
                    if one["found"]
                    else ""
                )
                + (f"; {one['message']}" if one["message"] else "")
                + (f" Expected: {one['expected']}." if one["expected"] else "")
                + (f" Example: {one['example']}" if one["example"] else "")
            )
        lines += [f"  {_line(one)}" for one in (*reply["problems"], *reply["remarks"])]
    lines += [_line(one) for one in (*told_["problems"], *told_["remarks"])]
    return "\n".join([*lines, ", ".join(f"{count} {outcome}" for outcome, count in told_["counts"].items())])


def _line(one: Mapping[str, Any]) -> str:
    place = one["place"].removesuffix(":") or " ".join(str(part) for part in (one["sheet"], one["row"]) if part)
    return f"{place}: {one['message']} {one['mend']}".strip(": ").strip()
