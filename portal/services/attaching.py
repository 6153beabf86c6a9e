"""A file hangs on a question, or on one cell of a table: what is attached and the answer that names it are one act.

The answer of a question outside tables names everything that is attached to it; a cell names its own files, since all
rows of a column are one question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, Parsed
from forms.tables import table_of
from portal.errors import Invalid
from portal.queries.evidence import evidence_of
from portal.queries.submissions import RowKey, standing_rows, stored_reply
from portal.services import evidence as evidence_service
from portal.services.answer_rows import RowChange
from portal.services.events import locked
from portal.services.submissions import Change, save_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Given, Json
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.models import Evidence
    from portal.permissions import Principal
    from portal.queries.submissions import StoredReply, SubmissionHead
    from portal.services.evidence import ReceivedFile
    from portal.services.submissions import Saved


@dataclass(frozen=True)
class Asked:
    """A reply with its questionnaire, and by which facts its rules are judged."""

    head: SubmissionHead
    definition: Definition
    question_ids: Mapping[str, int]
    context: Context


def named_by(given: Given | None) -> tuple[str, ...]:
    """Return the public ids of the files that an answer names."""
    return tuple(map(str, given.value)) if given is not None and isinstance(given.value, list) else ()


def is_place(definition: Definition, key: AnswerKey) -> bool:
    """Tell whether a file may hang there: a cell has a row, a question outside tables has none."""
    return bool(key.row) is (table_of(definition, key.code) is not None)


def attach(
    session: Session,
    of: Asked,
    key: AnswerKey,
    received: Sequence[ReceivedFile],
    *,
    by: Principal,
    parent: str = "",
    quota: int | None = None,
) -> Evidence:
    """Attach files in their order; return the last. A file that hangs there already is not doubled. In ``write()``.

    The row of a cell that nobody has saved yet comes into being with its file (``parent``: the row it stands in).

    Raises:
        Invalid: there is no room; or the row or the question cannot take it, and then nothing is attached.
        NotAllowed, ShareEnded, IllegalTransition: as :func:`save_answers`.
    """
    locked(session, of.head.id)  # two who attach to one cell at once both stand in it
    reply = stored_reply(session, of.head.id, of.definition)
    hanging = hanging_on(of, key, reply, evidence_of(session, of.head.id))
    there = {one.sha256: one for one in hanging}
    for one in received:
        if one.sha256 not in there:
            made = evidence_service.add_file(
                session, of.head, one, question_id=of.question_ids[key.code], by=by, quota=quota
            )
            there[one.sha256] = made
            hanging.append(made)
    _name(session, of, {key: hanging}, by=by, rows=_new_row(of.definition, reply, key, parent))
    return there[received[-1].sha256]


def attach_link(
    session: Session, of: Asked, key: AnswerKey, url: str, *, by: Principal, caption: str = ""
) -> Evidence:
    """Attach a link to a question outside tables; one that hangs there already is not doubled. In ``write()``.

    Raises:
        Invalid: it is no address; or the question cannot take it, and then nothing is attached.
        NotAllowed, ShareEnded, IllegalTransition: as :func:`save_answers`.
    """
    locked(session, of.head.id)
    reply = stored_reply(session, of.head.id, of.definition)
    hanging = hanging_on(of, key, reply, evidence_of(session, of.head.id))
    made = next((one for one in hanging if one.url == url), None)
    if made is None:
        made = evidence_service.add_link(
            session, of.head, url, question_id=of.question_ids[key.code], by=by, caption=caption
        )
        hanging.append(made)
    _name(session, of, {key: hanging}, by=by)
    return made


def detach(session: Session, of: Asked, evidence: Evidence, *, by: Principal) -> None:
    """Take a file off a reply, and off the answer that names it; in ``write()``.

    Raises:
        Invalid: the question cannot be changed, and then nothing is taken off.
    """
    locked(session, of.head.id)
    evidence_service.remove(session, evidence, by=by)
    session.flush()
    code = next((code for code, number in of.question_ids.items() if number == evidence.question_id), None)
    if code is None:
        return
    reply = stored_reply(session, of.head.id, of.definition)
    _name(session, of, without(of, code, evidence, reply, evidence_of(session, of.head.id)), by=by)


def hanging_on(of: Asked, key: AnswerKey, reply: StoredReply, attached: Iterable[Evidence]) -> list[Evidence]:
    """Return what is attached there: to a question outside tables everything, to a cell what the cell names."""
    ours = [one for one in attached if one.question_id == of.question_ids[key.code]]
    if not key.row:
        return ours
    named = named_by(reply.answers.get(key))
    return [one for one in ours if one.public_id in named]


def without(
    of: Asked, code: str, evidence: Evidence, reply: StoredReply, attached: Sequence[Evidence]
) -> dict[AnswerKey, list[Evidence]]:
    """Return what is left where a file hung; a row that was removed keeps its words, should it come back."""
    table = table_of(of.definition, code)
    if table is None:
        return {AnswerKey(code): hanging_on(of, AnswerKey(code), reply, attached)}
    standing = {row.key for row in table.rows(standing_rows(reply.rows))}
    return {
        key: hanging_on(of, key, reply, attached)
        for key, given in reply.answers.items()
        if key.code == code and key.row in standing and evidence.public_id in named_by(given)
    }


def name_all(session: Session, of: Asked, code: str, *, by: Principal) -> None:
    """Let the answer of a question outside tables name what is attached to it now; in ``write()``.

    Raises:
        Invalid: the question cannot be changed.
    """
    session.flush()
    attached = evidence_of(session, of.head.id)
    key = AnswerKey(code)
    _name(session, of, {key: [one for one in attached if one.question_id == of.question_ids[code]]}, by=by)


def names(hanging: Iterable[Evidence]) -> Change:
    """Return the change by which an answer names files, whatever stands there."""
    ids: list[Json] = [one.public_id for one in hanging]
    return Change(Parsed(value=ids or None), None)


def _new_row(definition: Definition, reply: StoredReply, key: AnswerKey, parent: str) -> list[RowChange]:
    table = table_of(definition, key.code)
    if table is None or table.fixed or RowKey(table.code, key.row) in reply.rows:
        return []
    return [RowChange(table.code, key.row, parent_key=parent, base=0)]


def _name(
    session: Session,
    of: Asked,
    hanging: Mapping[AnswerKey, Sequence[Evidence]],
    *,
    by: Principal,
    rows: Sequence[RowChange] = (),
) -> Saved | None:
    if not hanging:
        return None
    changes = {key: names(some) for key, some in hanging.items()}
    saved = save_answers(
        session, of.head, of.definition, of.question_ids, changes, context=of.context, by=by, row_changes=rows
    )
    check_named(saved)
    return saved


def check_named(saved: Saved) -> None:
    """Refuse the whole act where an answer did not take its files: a file that no answer names hangs nowhere.

    Raises:
        Invalid: the row was removed, or the question may not be changed now.
    """
    told = [one.message for one in saved.refused if not one.kept] + [one.message for one in saved.refused_rows]
    if told:
        raise Invalid(str(told[0]))
    if saved.stale_rows:
        raise Invalid(_l("This row was removed meanwhile, so no file was attached. Put the row back first."))
