"""Answering: the one gate through which every answer passes, each saved against the revision its writer saw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, or_, select

from forms.answers import AnswerKey, Given, Parsed, field_name
from forms.evaluation import Evaluation, evaluate
from forms.questionnaire import why_unreadable
from forms.quoting import readable_codes
from forms.tables import NO_ROWS, answered_codes, may_change
from portal import clock
from portal.database import begun_ahead, write_soon
from portal.errors import IllegalTransition
from portal.models import AnswerRevision, Status, Submission
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, Target, require
from portal.prepared import Prepared, connection_of
from portal.queries.submissions import (
    RowKey,
    StoredAnswer,
    StoredRow,
    find_soon,
    row_writers,
    standing_rows,
    stored_reply,
    stored_soon,
)
from portal.services.answer_rows import RefusedRow, RowChange, RowWork, StaleRow
from portal.services.answer_storing import Progress, Work, apply_rules, not_asked, progress, same, says_nothing, store
from portal.services.delegated import NOT_SHARED, open_to
from portal.services.events import begin_reply, begin_soon
from portal.table import Problem, Speakable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from forms.answers import Rows
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.permissions import Principal
    from portal.queries.met import Met
    from portal.queries.submissions import SubmissionHead


# on the hot path no object is built and every statement is made once
_LOCK = Prepared(
    select(Submission.status, Submission.unlocked, Submission.hidden)
    .where(Submission.id == bindparam("submission"))
    .with_for_update()
)
NOT_RETURNED = _l("This answer was handed in and is not among those returned to you, so it cannot be changed now.")


@dataclass(frozen=True)
class Change:
    """What somebody wants one answer to become; ``base`` is the revision they saw (None: whatever it is)."""

    parsed: Parsed
    base: int | None


@dataclass(frozen=True)
class StaleAnswer:
    """An answer that somebody else saved first: both texts, so that nothing is lost, and the one both began from.

    ``base`` is the revision that the writer of ``mine`` saw: a page that shows their text again keeps it, so that only
    a choice between the two lifts it.
    """

    key: AnswerKey
    mine: Parsed
    theirs: StoredAnswer
    begun: Given | None = None
    base: int = 0


@dataclass(frozen=True)
class RefusedAnswer:
    """An answer that was kept as typed but is not taken, or that may not be changed now, with its sentence."""

    key: AnswerKey
    message: Speakable
    revision: int
    kept: bool = True


@dataclass(frozen=True)
class Saved:
    """What became of a save: per answer its new revision, what was stale, what was refused; the same for rows.

    ``status`` is the reply's after the save; ``rows`` tells how each row that was spoken of stands now; ``computed``
    are the computed values that changed; ``answers`` and ``standing`` are the whole reply after the save, ``counted``
    how far it is, ``answered`` the codes of its questions and tables that count as answered.
    """

    saved: Mapping[AnswerKey, int]
    stale: tuple[StaleAnswer, ...]
    refused: tuple[RefusedAnswer, ...]
    at: datetime
    evaluation: Evaluation
    missing: int
    status: Status
    appeared: frozenset[str] = frozenset()
    vanished: frozenset[str] = frozenset()
    rows: Mapping[RowKey, StoredRow] = field(default_factory=dict)
    stale_rows: tuple[StaleRow, ...] = ()
    refused_rows: tuple[RefusedRow, ...] = ()
    computed: tuple[AnswerKey, ...] = ()
    answers: Mapping[AnswerKey, StoredAnswer] = field(default_factory=dict)
    standing: Rows = field(default_factory=lambda: NO_ROWS)
    counted: Progress = field(default_factory=lambda: Progress(0, 0, 0))
    answered: Collection[str] = frozenset()

    @property
    def http_status(self) -> int:
        """Return 409 if anything was stale, else 422 if anything was refused, else 200."""
        if self.stale or self.stale_rows:
            return 409
        return 422 if self.refused or self.refused_rows else 200


@dataclass
class _Saving(Work):
    """The working state of one save: the reply at work, and what of it was not taken."""

    # why an answer that is not open is refused
    closed: Speakable = NOT_RETURNED
    stale: list[StaleAnswer] = field(default_factory=list)
    refused: list[RefusedAnswer] = field(default_factory=list)


def save_soon(session: Session, public_id: str, known: Met) -> None:
    """Tell that answers of a reply are about to be saved: on a server it is found with its lock, with who asks."""
    if write_soon(session):
        find_soon(session, public_id)  # the lock before what is read under it
        stored_soon(session, known.id, known.definition)


def save_answers(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    question_ids: Mapping[str, int],
    changes: Mapping[AnswerKey, Change],
    *,
    context: Context,
    by: Principal,
    request_key: str | None = None,
    row_changes: Sequence[RowChange] = (),
) -> Saved:
    """Save some answers of a reply, each against the revision its writer saw; call inside ``write()``.

    Never raises for an answer: what is stale or refused is told, the rest is saved. Repeating a save with the same
    ``request_key`` changes nothing and tells the same. At most five statements, six where rows change: rows are added,
    moved, removed and restored before the answers in them are looked at; one more asks who removed a row in which
    somebody wrote meanwhile.

    Raises:
        NotAllowed: if ``by`` may not answer.
        ShareEnded: if what was shared with ``by`` was taken back or has run out.
        IllegalTransition: if the reply can no longer be changed.
    """
    stored_soon(session, head.id, definition)
    if head.status is Status.ISSUED:
        begin_soon(session, head.id)
    submission = head if head.locked and begun_ahead(session) else _LOCK.one(session, {"submission": head.id})
    require(by, Permission.ANSWER_SUBMISSION, Target(head.institution_id, submission.status, submission_id=head.id))
    if submission.status not in EDITABLE:
        raise IllegalTransition
    unlocked = frozenset(submission.unlocked) if submission.unlocked is not None else None
    readable = None
    if by.delegation is not None:
        unlocked = open_to(session, by.delegation, definition, unlocked)
        readable = readable_codes(definition, by.delegation.codes, by.delegation.quoted)
    stored, rows = stored_reply(session, head.id, definition)
    row_work = RowWork(definition, rows, unlocked)
    row_work.apply(row_changes, stored)
    work = _Saving(stored, by.actor_id, clock.now(), head.version_id, question_ids, row_work)
    if by.delegation is not None:
        work.closed = NOT_SHARED
    if doubtful := _take(work, definition, changes, unlocked):
        _put_over_defaults(work, doubtful, definition, context, rows)
        _settle(session, head.id, work, doubtful, request_key)
    standing = standing_rows(rows) if rows else NO_ROWS
    evaluation = apply_rules(work, definition, context, standing, readable)
    for key, change in changes.items():
        if key in work.saved and (sentence := _refusal(work, definition, evaluation, context, key, change)) is not None:
            work.refused.append(RefusedAnswer(key, sentence, work.saved[key]))
    work.refused += [
        RefusedAnswer(key, evaluation.refused[key], work.saved[key])
        for key in evaluation.defaults
        if key in evaluation.refused and key in work.saved
    ]
    status = submission.status
    if status is Status.ISSUED and (work.changed or row_work.changed):
        status = begin_reply(session, head.id, by=by, institution_id=head.institution_id)
    was_hidden = frozenset(submission.hidden)
    hidden = not_asked(was_hidden, definition, evaluation)
    answered = answered_codes(definition, work.stored, standing, evaluation.hidden)
    counted = progress(definition, work.stored, evaluation, standing, answered)
    store(connection_of(session), head.id, work, sorted(hidden), counted, request_key)
    return Saved(
        work.saved,
        tuple(work.stale),
        tuple(work.refused),
        work.at,
        evaluation,
        counted.missing,
        status,
        appeared=was_hidden - hidden,
        vanished=hidden - was_hidden,
        rows=row_work.told,
        stale_rows=tuple(row_work.stale),
        refused_rows=tuple(row_work.refused),
        computed=tuple(key for key in work.changed if key in evaluation.calculated),
        answers=work.stored,
        standing=standing,
        counted=counted,
        answered=answered,
    )


def _refusal(
    work: _Saving, definition: Definition, evaluation: Evaluation, context: Context, key: AnswerKey, change: Change
) -> Speakable | None:
    """Return why an answer just saved is not taken, in the language of whoever saved it; None if it is."""
    now = work.stored.get(key)
    if now is not None and now.typed is not None:
        # what was read from this very post is said in its reader's language already
        return change.parsed.message or why_unreadable(definition.question(key.code), key, now.typed, context)
    if key in evaluation.refused:
        return evaluation.refused[key]
    # refused before there was anything to keep, such as a state that is not offered
    return change.parsed.message if change.parsed.typed is None else None


def _put_over_defaults(
    work: _Saving,
    doubtful: dict[AnswerKey, Change],
    definition: Definition,
    context: Context,
    rows: Mapping[RowKey, StoredRow],
) -> None:
    """Settle the answers that hold what they began with (a default), saved while their writer's page was open.

    Nobody wrote them, so nobody is overruled.
    """
    first = {
        key
        for key, change in doubtful.items()
        if change.base == 0
        and (before := work.stored.get(key)) is not None
        and before.revision == 1
        and definition.question(key.code).default
    }
    if not first:
        return
    others = {key: given for key, given in work.stored.items() if key not in first}
    begun = evaluate(definition, others, context, standing_rows(rows) if rows else NO_ROWS).defaults
    for key in first:
        if begun.get(key) == work.stored[key].value:
            work.put(key, doubtful.pop(key).parsed)


def _take(
    work: _Saving, definition: Definition, changes: Mapping[AnswerKey, Change], unlocked: frozenset[str] | None
) -> dict[AnswerKey, Change]:
    """Save the answers that their writers saw as they stand, refuse those without a place; return the doubtful ones."""
    doubtful: dict[AnswerKey, Change] = {}
    for key, change in changes.items():
        before = work.stored.get(key)
        removed, misplaced = work.rows.place_of(key)
        if misplaced is not None and before is None and says_nothing(change.parsed):
            work.saved[key] = 0  # an empty cell of a row that was never added
        elif misplaced is not None:
            work.refused.append(RefusedAnswer(key, misplaced, before.revision if before else 0, kept=False))
        elif not may_change(definition, key.code, unlocked):
            work.refused.append(RefusedAnswer(key, work.closed, before.revision if before else 0, kept=False))
        elif removed is not None or (change.base is not None and change.base != (before.revision if before else 0)):
            doubtful[key] = change
        else:
            work.put(key, change.parsed)
    return doubtful


def _settle(
    session: Session, submission_id: int, work: _Saving, doubtful: Mapping[AnswerKey, Change], request_key: str | None
) -> None:
    """Tell a repeated or untouched answer from a real conflict.

    The same request, the same answer, and an answer posted unchanged from the revision its page showed (a whole page
    posted without script) conflict with nobody. What is told is the revision that the writer has seen, never a newer
    one of a colleague: with that as the base of their next save, they would write over a text they have never read.
    """
    seen = _revisions_seen(session, submission_id, doubtful, work, request_key)
    in_removed: dict[RowKey, dict[AnswerKey, Parsed]] = {}
    bases = {key: change.base or 0 for key, change in doubtful.items()}
    for key, change in doubtful.items():
        before = work.stored.get(key)
        removed = work.rows.place_of(key)[0] if key.row else None
        if before is None and removed is not None:
            if not says_nothing(change.parsed):
                in_removed.setdefault(removed, {})[key] = change.parsed
            continue
        if before is None:  # the base names a revision that never was; nothing is there to lose
            work.put(key, change.parsed)
            continue
        place = (before.question_id, key.row, key.lang)
        base = seen.get((*place, change.base or 0))
        repeated = seen.get((*place, None))
        untouched = (
            says_nothing(change.parsed) if not change.base else base is not None and _alike(base, change.parsed)
        )
        if same(before, change.parsed):
            work.saved[key] = before.revision
        elif repeated is not None:
            work.saved[key] = repeated.revision
        elif untouched:
            work.saved[key] = change.base or 0
        elif removed is not None:
            in_removed.setdefault(removed, {})[key] = change.parsed
        else:
            work.stale.append(StaleAnswer(key, change.parsed, before, base if change.base else None, change.base or 0))
    removers = row_writers(session, submission_id, {name: work.rows.rows[name].revision for name in in_removed})
    for name, mine in in_removed.items():
        theirs = {key: work.stored[key] for key in mine if key in work.stored}
        revision = work.rows.rows[name].revision
        by, at = removers.get(name, (0, None))
        work.rows.stale.append(
            StaleRow(name, removed=True, revision=revision, mine=mine, theirs=theirs, by=by, at=at, bases=bases)
        )


def _revisions_seen(
    session: Session,
    submission_id: int,
    doubtful: Mapping[AnswerKey, Change],
    work: _Saving,
    request_key: str | None,
) -> dict[tuple[int, str, str, int | None], Given]:
    """Return the revisions that the writer saw, by place and revision; under revision None, what this request saved."""
    questions = {work.question_ids[key.code] for key in doubtful}
    bases = {change.base or 0 for change in doubtful.values()}
    asked: list[ColumnElement[bool]] = [AnswerRevision.revision.in_(bases)]
    if request_key:
        asked.append(AnswerRevision.request_key == request_key)
    rows = session.execute(
        select(
            AnswerRevision.question_id,
            AnswerRevision.row,
            AnswerRevision.lang,
            AnswerRevision.revision,
            AnswerRevision.value,
            AnswerRevision.state,
            AnswerRevision.typed,
            AnswerRevision.request_key,
        ).where(AnswerRevision.submission_id == submission_id, AnswerRevision.question_id.in_(questions), or_(*asked))
    )
    seen: dict[tuple[int, str, str, int | None], Given] = {}
    for question_id, row, lang, revision, value, state, typed, key in rows:
        given = Given(value, state.value, typed, revision)
        seen[question_id, row, lang, revision] = given
        if request_key and key == request_key:
            seen[question_id, row, lang, None] = given
    return seen


def _alike(given: Given, parsed: Parsed) -> bool:
    return (given.value, given.state, given.typed) == (parsed.value, parsed.state, parsed.typed)


def what_is_missing(
    definition: Definition, stored: Mapping[AnswerKey, StoredAnswer], evaluation: Evaluation, context: Context
) -> list[Problem]:
    """List everything that keeps a reply from being completed, in the order of the questions (column by column)."""
    found: list[tuple[int, Problem]] = []
    order = {item.code: number for number, item in enumerate(definition.items())}
    needed = _l("This question needs an answer.")
    found.extend((order[key.code], Problem(needed, field=field_name(key))) for key in evaluation.missing)
    found.extend(
        (order[key.code], Problem(sentence, field=field_name(key))) for key, sentence in evaluation.refused.items()
    )
    for key in evaluation.unreadable:
        said = why_unreadable(definition.question(key.code), key, stored[key].typed or "", context)
        found.append((order[key.code], Problem(said, field=field_name(key))))
    return [problem for _, problem in sorted(found, key=lambda pair: pair[0])]
