"""Asking many units at once: a list of them that is kept, and one link and code for each; they answer apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from forms.evaluation import evaluate
from forms.quoting import decisive
from portal.errors import IllegalTransition, Invalid
from portal.models import Answer, Collection, Delegation, Status, Submission, Unit
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, Target, require
from portal.queries.submissions import answers
from portal.services import audit
from portal.services.events import locked
from portal.services.sharing import LONGEST_NOTE, Asked, Given, check_until, chosen, make
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.permissions import Principal
    from portal.queries.submissions import StoredAnswer, SubmissionHead


def keep_units(
    session: Session, institution_id: int, named: Sequence[tuple[str, str]], *, by: Principal
) -> list[Unit]:
    """Put units on the list of an institution, in order; a known name keeps its place and takes a new contact."""
    require(by, Permission.SHARE_SUBMISSION, Target(institution_id))
    known = {one.name: one for one in session.scalars(select(Unit).where(Unit.institution_id == institution_id))}
    last = session.scalar(select(func.max(Unit.position)).where(Unit.institution_id == institution_id)) or 0
    found = []
    for name, contact in named:
        if name not in known:
            last += 1
            known[name] = Unit(institution_id=institution_id, name=name, contact=contact, position=last)
            session.add(known[name])
        else:
            known[name].contact = contact or known[name].contact
            known[name].retired_at = None
        found.append(known[name])
    session.flush()
    return found


def collect(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    asked: Asked,
    units: Sequence[Unit],
    *,
    context: Context,
    by: Principal,
) -> tuple[Collection, list[Given]]:
    """Ask questions of a reply of many units; each gets a link and a code of its own.

    Raises:
        NotAllowed: if ``by`` may not share this reply out. IllegalTransition: it can no longer be changed.
        Invalid: without a unit or a question, or until a day that is over.
    """
    require(by, Permission.SHARE_SUBMISSION, Target(head.institution_id))
    if locked(session, head.id).status not in EDITABLE:
        raise IllegalTransition
    codes = chosen(definition, asked.codes, head)
    check_until(asked.until)
    made = Collection(
        submission_id=head.id, items=codes, quoted=list(asked.quoted), note=asked.note.strip()[:LONGEST_NOTE],
        expires_at=asked.until, created_by=by.actor_id, held_by=by.actor_id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    given = ask_units(session, head, definition, made, units, context=context, by=by)
    audit.record(
        session, "collect", by=by, kind="collection", thing=made.public_id, submission=head.public_id,
        questions=codes, units=len(given), until=asked.until.isoformat(),
    )  # fmt: skip
    return made, given


def ask_units(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    collection: Collection,
    units: Sequence[Unit],
    *,
    context: Context,
    by: Principal,
) -> list[Given]:
    """Ask some units more; those that were asked already are passed by.

    Raises:
        Invalid: if none is left.
    """
    asked = set(session.scalars(select(Delegation.unit_id).where(Delegation.collection_id == collection.id)))
    fresh = [one for one in dict.fromkeys(units) if one.id not in asked]
    if not fresh:
        sentence = _l("Name at least one unit that was not asked yet.")
        raise Invalid(sentence, problems=[Problem(sentence, field="units")])
    around = _around(session, head, definition, collection.items)
    hidden = sorted(evaluate(definition, around, context).hidden)
    wanted = Asked(collection.items, collection.expires_at, collection.quoted, collection.note)
    return [
        make(
            session, head, wanted, submission_id=_place(session, head, around, hidden).id, name=unit.name,
            contact=unit.contact, collection_id=collection.id, unit_id=unit.id, by=by,
        )
        for unit in fresh
    ]  # fmt: skip


def _around(
    session: Session, head: SubmissionHead, definition: Definition, codes: Sequence[str]
) -> dict[AnswerKey, StoredAnswer]:
    """Return the reply's answers that decide what the questions ask, as they stand now."""
    wanted = decisive(definition, codes)
    return {key: one for key, one in answers(session, head.id).items() if key.code in wanted and not key.row}


def _place(
    session: Session, head: SubmissionHead, around: dict[AnswerKey, StoredAnswer], hidden: list[str]
) -> Submission:
    """Make the place where one unit answers, with a copy of what decides: the questions stay the same for the unit."""
    made = Submission(status=Status.IN_PROGRESS, hidden=hidden)
    session.add(made)
    session.flush()
    session.add_all(
        Answer(
            submission_id=made.id, question_id=one.question_id, row=key.row, lang=key.lang, value=one.value,
            state=one.state, typed=one.typed, message=one.message, revision=1, asked_in=head.version_id,
            answered_by=one.answered_by, answered_at=one.answered_at,
        )
        for key, one in around.items()
    )  # fmt: skip
    session.flush()
    return made
