"""Warnings of a reply: looked for anew each time, kept with a reason, asked again when the answers change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from forms.evaluation import evaluate
from forms.warnings import warnings_of
from portal import clock
from portal.errors import IllegalTransition, Incomplete, Invalid
from portal.models import Evidence, KeptWarning
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, Target, require
from portal.queries.submissions import standing_rows, stored_reply
from portal.services import audit
from portal.services.events import locked
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.context import Context
    from forms.definition.model import Definition
    from forms.evaluation import Evaluation
    from forms.warnings import Warned
    from portal.permissions import Principal
    from portal.queries.submissions import StoredReply, SubmissionHead

LONGEST = 2000


@dataclass(frozen=True)
class Open:
    """A warning with the reason for which it was kept, "" while it is open."""

    warned: Warned
    reason: str


def warned(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    reply: StoredReply,
    evaluation: Evaluation,
    context: Context,
) -> list[Open]:
    """Look for everything that warns, each with the reason it was kept for."""
    evidence = session.scalar(
        select(func.count())
        .select_from(Evidence)
        .where(Evidence.submission_id == head.id, Evidence.removed_at.is_(None))
    )
    found = warnings_of(
        definition,
        reply.answers,
        evaluation,
        standing_rows(reply.rows),
        evidence=evidence or 0,
        language=context.language,
    )
    if not found:
        return []
    kept = {one.warning: one for one in _kept(session, head.id)}
    return [
        Open(one, kept[one.name].reason if one.name in kept and kept[one.name].basis == one.basis else "")
        for one in found
    ]


def look(session: Session, head: SubmissionHead, definition: Definition, context: Context) -> list[Open]:
    """Look for everything that warns in a reply as it is stored."""
    reply = stored_reply(session, head.id, definition)
    evaluation = evaluate(definition, reply.answers, context, standing_rows(reply.rows))
    return warned(session, head, definition, reply, evaluation, context)


def _kept(session: Session, submission_id: int) -> Sequence[KeptWarning]:
    return session.scalars(
        select(KeptWarning).where(KeptWarning.submission_id == submission_id).order_by(KeptWarning.warning)
    ).all()


def keep_warnings(
    session: Session, head: SubmissionHead, found: Sequence[Open], reasons: Mapping[str, str], *, by: Principal
) -> int:
    """Keep some of the warnings found, by name, each for a reason; return how many. Call inside ``write()``.

    Raises:
        Invalid: if no reason is given for any. IllegalTransition: if the reply can no longer be changed.
    """
    submission = locked(session, head.id)
    require(by, Permission.ANSWER_SUBMISSION, Target(head.institution_id, submission.status))
    if submission.status not in EDITABLE:
        raise IllegalTransition
    given = {name: text.strip()[:LONGEST] for name, text in reasons.items() if text.strip()}
    chosen = [one for one in found if one.warned.name in given]
    if not chosen:
        raise Invalid(_l("Write a reason beside each warning that you want to keep."), code="reason_required")
    kept = {one.warning: one for one in _kept(session, head.id)}
    for one in chosen:
        row = kept.get(one.warned.name)
        if row is None:
            row = KeptWarning(submission_id=head.id, warning=one.warned.name)
            session.add(row)
        row.basis, row.reason = one.warned.basis, given[one.warned.name]
        row.kept_by, row.kept_at = by.actor_id, clock.now()
    session.flush()
    audit.record(
        session, "keep_warnings", by=by, kind="submission", thing=head.public_id,
        kept={one.warned.name: given[one.warned.name] for one in chosen},
    )  # fmt: skip
    return len(chosen)


def settle_warnings(session: Session, submission_id: int, found: Sequence[Open]) -> None:
    """Forget what warns no more, before a reply is completed.

    Raises:
        Incomplete: (``warnings_open``) with every warning that is neither mended nor kept with a reason; a problem's
            field is the warning's name.
    """
    waiting = [one.warned for one in found if not one.reason]
    if waiting:
        problems = [Problem(one.sentence, field=one.name) for one in waiting]
        sentence = _l("Some answers need a second look: mend them, or keep them with a reason.")
        raise Incomplete(sentence, problems=problems, code="warnings_open")
    standing = {one.warned.name for one in found}
    for one in _kept(session, submission_id):
        if one.warning not in standing:
            session.delete(one)
    session.flush()
