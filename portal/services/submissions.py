"""Answering: the one gate through which every answer passes, each saved against the revision its writer saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from forms.answers import AnswerKey, Given, Parsed, field_name
from forms.evaluation import Evaluation, evaluate
from forms.questionnaire import why_unreadable
from forms.tables import NO_ROWS, answered_codes, countable, may_change
from portal import clock
from portal.errors import IllegalTransition
from portal.models import Action, Answer, AnswerRevision, AnswerRow, AnswerRowRevision, Status, Submission
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, Target, require
from portal.queries.submissions import RowKey, StoredAnswer, StoredRow, standing_rows, stored_reply
from portal.services.answer_rows import RefusedRow, RowChange, RowWork, StaleRow
from portal.services.events import append_event, locked
from portal.table import Problem, Speakable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.orm import Session

    from forms.answers import Rows
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead


# why an answer is not taken, as ``Answer.message`` keeps it; the sentence is made for each reader
UNREADABLE = "unreadable"
REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    """What somebody wants one answer to become; ``base`` is the revision they saw (None: whatever it is)."""

    parsed: Parsed
    base: int | None


@dataclass(frozen=True)
class StaleAnswer:
    """An answer that somebody else saved first: both texts, so that nothing is lost, and the one both began from."""

    key: AnswerKey
    mine: Parsed
    theirs: StoredAnswer
    begun: Given | None = None


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

    ``rows`` tells how each row that was spoken of stands now; ``computed`` are the computed values that changed;
    ``answers`` and ``standing`` are the whole reply after the save.
    """

    saved: Mapping[AnswerKey, int]
    stale: tuple[StaleAnswer, ...]
    refused: tuple[RefusedAnswer, ...]
    at: datetime
    evaluation: Evaluation
    missing: int
    appeared: frozenset[str] = frozenset()
    vanished: frozenset[str] = frozenset()
    rows: Mapping[RowKey, StoredRow] = field(default_factory=dict)
    stale_rows: tuple[StaleRow, ...] = ()
    refused_rows: tuple[RefusedRow, ...] = ()
    computed: tuple[AnswerKey, ...] = ()
    answers: Mapping[AnswerKey, StoredAnswer] = field(default_factory=dict)
    standing: Rows = field(default_factory=lambda: NO_ROWS)

    @property
    def http_status(self) -> int:
        """Return 409 if anything was stale, else 422 if anything was refused, else 200."""
        if self.stale or self.stale_rows:
            return 409
        return 422 if self.refused or self.refused_rows else 200


@dataclass
class _Save:
    """The working state of one save."""

    stored: dict[AnswerKey, StoredAnswer]
    by: int
    at: datetime
    version_id: int
    question_ids: Mapping[str, int]
    rows: RowWork
    changed: dict[AnswerKey, StoredAnswer] = field(default_factory=dict)
    saved: dict[AnswerKey, int] = field(default_factory=dict)
    stale: list[StaleAnswer] = field(default_factory=list)
    refused: list[RefusedAnswer] = field(default_factory=list)

    def put(self, key: AnswerKey, parsed: Parsed) -> None:
        """Let an answer become what was parsed, as its next revision."""
        before = self.stored.get(key)
        if before is not None and _same(before, parsed):
            self.saved[key] = before.revision
            return
        if before is None and _says_nothing(parsed):
            self.saved[key] = 0
            return
        revision = before.revision + 1 if before else 1
        self.stored[key] = self.changed[key] = StoredAnswer(
            parsed.value,
            parsed.state,
            parsed.typed,
            revision,
            self.question_ids[key.code],
            UNREADABLE if parsed.typed is not None else None,
            self.by,
            self.at,
            self.version_id,
        )
        self.saved[key] = revision


def _same(stored: StoredAnswer, parsed: Parsed) -> bool:
    return (
        stored.value == parsed.value
        and type(stored.value) is type(parsed.value)
        and stored.state == parsed.state
        and stored.typed == parsed.typed
    )


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
    moved, removed and restored before the answers in them are looked at.

    Raises:
        NotAllowed: if ``by`` may not answer.
        IllegalTransition: if the reply can no longer be changed.
    """
    submission = session.connection().execute(_LOCK, {"submission": head.id}).one()
    require(by, Permission.ANSWER_SUBMISSION, Target(head.institution_id, submission.status))
    if submission.status not in EDITABLE:
        raise IllegalTransition
    unlocked = frozenset(submission.unlocked) if submission.unlocked is not None else None
    stored, rows = stored_reply(session, head.id, definition)
    row_work = RowWork(definition, rows, unlocked)
    row_work.apply(row_changes, stored)
    work = _Save(stored, by.actor_id, clock.now(), head.version_id, question_ids, row_work)
    if doubtful := _take(work, definition, changes, unlocked):
        _put_over_defaults(work, doubtful, definition, context, rows)
        _settle(session, head.id, work, doubtful, request_key)
    standing = standing_rows(rows) if rows else NO_ROWS
    evaluation = _apply_rules(work, definition, context, standing)
    for key, change in changes.items():
        if key in work.saved and (sentence := _refusal(work, definition, evaluation, context, key, change)) is not None:
            work.refused.append(RefusedAnswer(key, sentence, work.saved[key]))
    work.refused += [
        RefusedAnswer(key, evaluation.refused[key], work.saved[key])
        for key in evaluation.defaults
        if key in evaluation.refused and key in work.saved
    ]
    if submission.status is Status.ISSUED and (work.changed or row_work.changed):
        first = locked(session, head.id)
        append_event(session, first, Action.FIRST_SAVE, by=by, institution_id=head.institution_id)
    was_hidden = frozenset(submission.hidden)
    hidden = not_asked(was_hidden, definition, evaluation)
    counted = progress(definition, work.stored, evaluation, standing)
    _store(session.connection(), head.id, work, sorted(hidden), counted, request_key)
    return Saved(
        work.saved,
        tuple(work.stale),
        tuple(work.refused),
        work.at,
        evaluation,
        counted.missing,
        appeared=was_hidden - hidden,
        vanished=hidden - was_hidden,
        rows=row_work.told,
        stale_rows=tuple(row_work.stale),
        refused_rows=tuple(row_work.refused),
        computed=tuple(key for key in work.changed if key in evaluation.calculated),
        answers=work.stored,
        standing=standing,
    )


def _refusal(
    work: _Save, definition: Definition, evaluation: Evaluation, context: Context, key: AnswerKey, change: Change
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
    work: _Save,
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
    work: _Save, definition: Definition, changes: Mapping[AnswerKey, Change], unlocked: frozenset[str] | None
) -> dict[AnswerKey, Change]:
    """Save the answers that their writers saw as they stand, refuse those without a place; return the doubtful ones."""
    doubtful: dict[AnswerKey, Change] = {}
    for key, change in changes.items():
        before = work.stored.get(key)
        removed, misplaced = work.rows.place_of(key)
        if misplaced is not None and before is None and _says_nothing(change.parsed):
            work.saved[key] = 0  # an empty cell of a row that was never added
        elif misplaced is not None:
            work.refused.append(RefusedAnswer(key, misplaced, before.revision if before else 0, kept=False))
        elif not may_change(definition, key.code, unlocked):
            sentence = _l(
                "This answer was handed in and is not among those returned to you, so it cannot be changed now."
            )
            work.refused.append(RefusedAnswer(key, sentence, before.revision if before else 0, kept=False))
        elif removed is not None or (change.base is not None and change.base != (before.revision if before else 0)):
            doubtful[key] = change
        else:
            work.put(key, change.parsed)
    return doubtful


def _settle(
    session: Session, submission_id: int, work: _Save, doubtful: Mapping[AnswerKey, Change], request_key: str | None
) -> None:
    """Tell a repeated or untouched answer from a real conflict.

    The same request, the same answer, and an answer posted unchanged from the revision its page showed (a whole page
    posted without script) conflict with nobody. What is told is the revision that the writer has seen, never a newer
    one of a colleague: with that as the base of their next save, they would write over a text they have never read.
    """
    seen = _revisions_seen(session, submission_id, doubtful, work, request_key)
    in_removed: dict[RowKey, dict[AnswerKey, Parsed]] = {}
    for key, change in doubtful.items():
        before = work.stored.get(key)
        removed = work.rows.place_of(key)[0] if key.row else None
        if before is None and removed is not None:
            if not _says_nothing(change.parsed):
                in_removed.setdefault(removed, {})[key] = change.parsed
            continue
        if before is None:  # the base names a revision that never was; nothing is there to lose
            work.put(key, change.parsed)
            continue
        place = (before.question_id, key.row, key.lang)
        base = seen.get((*place, change.base or 0))
        repeated = seen.get((*place, None))
        untouched = (
            _says_nothing(change.parsed) if not change.base else base is not None and _alike(base, change.parsed)
        )
        if _same(before, change.parsed):
            work.saved[key] = before.revision
        elif repeated is not None:
            work.saved[key] = repeated.revision
        elif untouched:
            work.saved[key] = change.base or 0
        elif removed is not None:
            in_removed.setdefault(removed, {})[key] = change.parsed
        else:
            work.stale.append(StaleAnswer(key, change.parsed, before, base if change.base else None))
    for name, mine in in_removed.items():
        theirs = {key: work.stored[key] for key in mine if key in work.stored}
        revision = work.rows.rows[name].revision
        work.rows.stale.append(StaleRow(name, removed=True, revision=revision, mine=mine, theirs=theirs))


def _revisions_seen(
    session: Session,
    submission_id: int,
    doubtful: Mapping[AnswerKey, Change],
    work: _Save,
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


def _says_nothing(parsed: Parsed) -> bool:
    return parsed.value is None and parsed.typed is None and parsed.state == "answered"


def _apply_rules(work: _Save, definition: Definition, context: Context, rows: Rows) -> Evaluation:
    """Evaluate the rules on the answers as they will be; store calculated values and the verdicts of constraints."""
    evaluation = evaluate(definition, work.stored, context, rows)
    for key, begun in evaluation.defaults.items():
        if key.code in work.question_ids:
            work.put(key, Parsed(value=begun))
    for key, value in evaluation.calculated.items():
        if key.code in work.question_ids:
            work.put(key, Parsed(value=value))
            work.saved.pop(key, None)
    for key, stored in list(work.stored.items()):
        if stored.typed is not None:
            continue
        wanted = REFUSED if key in evaluation.refused else None
        if (wanted is None) != (stored.message is None):
            told = StoredAnswer(
                stored.value, stored.state, stored.typed, stored.revision, stored.question_id, wanted,
                stored.answered_by, stored.answered_at, stored.asked_in,
            )  # fmt: skip
            work.stored[key] = told
            # a verdict that came or went through another answer is no new revision of this one
            work.changed[key] = told
    return evaluation


# on the hot path no object is built and every statement is made once
_LOCK = (
    select(Submission.status, Submission.unlocked, Submission.hidden)
    .where(Submission.id == bindparam("submission"))
    .with_for_update()
)
_PROGRESS = (
    update(Submission.__table__)  # type: ignore[arg-type] # __table__ is a Table
    .where(Submission.id == bindparam("submission"))
    .values({name: bindparam(name) for name in ("hidden", "answered", "asked", "missing")})
)
_SAVED = _PROGRESS.values({name: bindparam(name) for name in ("saved_at", "saved_by")})
_REVISION = insert(AnswerRevision.__table__)  # type: ignore[arg-type] # __table__ is a Table
_ROW_REVISION = insert(AnswerRowRevision.__table__)  # type: ignore[arg-type] # __table__ is a Table


def _store(
    connection: Connection,
    submission_id: int,
    work: _Save,
    hidden: list[str],
    counted: Progress,
    request_key: str | None,
) -> None:
    """Write answers, revisions and progress: three statements; two more where rows changed."""
    values: dict[str, Any] = {"submission": submission_id, "hidden": hidden, **vars(counted)}
    if work.rows.changed:
        changed = [_row_values(submission_id, name, row) for name, row in work.rows.changed.items()]
        connection.execute(_ROW_UPSERTS[connection.dialect.name], changed)
        connection.execute(_ROW_REVISION, [row | {"saved_by": work.by, "saved_at": work.at} for row in changed])
    if not work.changed:
        saved = {"saved_at": work.at, "saved_by": work.by}
        connection.execute(_SAVED if work.rows.changed else _PROGRESS, values | (saved if work.rows.changed else {}))
        return
    rows = [_row(submission_id, key, stored) for key, stored in work.changed.items()]
    connection.execute(_UPSERTS[connection.dialect.name], rows)
    new = [row | {"request_key": request_key} for row in rows if row["answered_at"] == work.at]
    for row in new:
        row["saved_by"], row["saved_at"] = row.pop("answered_by"), row.pop("answered_at")
    if new:
        connection.execute(_REVISION, new)
    connection.execute(_SAVED, values | {"saved_at": work.at, "saved_by": work.by})


def _row(submission_id: int, key: AnswerKey, stored: StoredAnswer) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "question_id": stored.question_id,
        "row": key.row,
        "lang": key.lang,
        "value": stored.value,
        "state": stored.state,
        "typed": stored.typed,
        "message": stored.message,
        "revision": stored.revision,
        "asked_in": stored.asked_in,
        "answered_by": stored.answered_by,
        "answered_at": stored.answered_at,
    }


def _row_values(submission_id: int, name: RowKey, row: StoredRow) -> dict[str, Any]:
    return {
        "submission_id": submission_id,
        "repeat": name.repeat,
        "key": name.key,
        "parent_key": row.parent,
        "position": row.position,
        "removed": row.removed,
        "revision": row.revision,
    }


_CHANGING = ("value", "state", "typed", "message", "revision", "asked_in", "answered_by", "answered_at")
_KEY = ("submission_id", "question_id", "row", "lang")


_ROW_CHANGING = ("position", "removed", "revision")
_ROW_KEY = ("submission_id", "repeat", "key")


def _upsert(dialect: Any, table: Any, key: tuple[str, ...], changing: tuple[str, ...]) -> Any:
    inserted = dialect.insert(table)
    return inserted.on_conflict_do_update(
        index_elements=list(key), set_={name: inserted.excluded[name] for name in changing}
    )


_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}
_UPSERTS = {name: _upsert(one, Answer.__table__, _KEY, _CHANGING) for name, one in _DIALECTS.items()}
_ROW_UPSERTS = {name: _upsert(one, AnswerRow.__table__, _ROW_KEY, _ROW_CHANGING) for name, one in _DIALECTS.items()}


def not_asked(before: Iterable[str], definition: Definition, evaluation: Evaluation) -> frozenset[str]:
    """Return what a reply is not asked: what the rules hide, and what was hidden when its version still asked it.

    An answer that an earlier version hid stays kept and stays hidden, though no rule speaks of it any more.
    """
    known = definition.compiled.by_code
    return evaluation.hidden | {code for code in before if code.partition("[")[0] not in known}


@dataclass(frozen=True)
class Progress:
    """How far a reply is: questions asked, of which answered; required ones still missing or not readable."""

    asked: int
    answered: int
    missing: int


def progress(
    definition: Definition, stored: Mapping[AnswerKey, Given], evaluation: Evaluation, rows: Rows = NO_ROWS
) -> Progress:
    """Count a reply's questions: hidden ones are not asked; an answer in any language counts once, a table once."""
    asked = [code for code in countable(definition) if code not in evaluation.hidden]
    answered = answered_codes(definition, stored, rows, evaluation.hidden)
    blocking = len(evaluation.missing) + len(evaluation.refused) + len(evaluation.unreadable)
    return Progress(len(asked), sum(1 for code in asked if code in answered), blocking)


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
