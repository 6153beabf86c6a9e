"""Storing answers: a reply at work, what its rules make of it, and its rows, revisions and counts written at once.

Nothing here asks who may, or what a writer saw: that is the gate's part (``submissions.save_answers``), and what is
judged again because its questions changed (``rejudging``) has no writer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from forms.answers import Parsed
from forms.evaluation import evaluate
from forms.quoting import untold_codes
from forms.tables import NO_ROWS, answered_codes, countable
from portal.models import Answer, AnswerRevision, AnswerRow, AnswerRowRevision, Submission
from portal.prepared import Prepared, rows_of
from portal.queries.submissions import StoredAnswer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from forms.answers import AnswerKey, Given, Rows
    from forms.context import Context
    from forms.definition.model import Definition
    from forms.evaluation import Evaluation
    from portal.queries.submissions import RowKey, StoredRow
    from portal.services.answer_rows import RowWork

# why an answer is not taken, as ``Answer.message`` keeps it; the sentence is made for each reader
UNREADABLE = "unreadable"
REFUSED = "refused"


@dataclass
class Work:
    """A reply at work: its answers as they will stand, which of them changed, and the revision of each spoken of."""

    stored: dict[AnswerKey, StoredAnswer]
    by: int
    at: datetime
    version_id: int
    question_ids: Mapping[str, int]
    rows: RowWork
    changed: dict[AnswerKey, StoredAnswer] = field(default_factory=dict)
    saved: dict[AnswerKey, int] = field(default_factory=dict)

    def put(self, key: AnswerKey, parsed: Parsed) -> None:
        """Let an answer become what was parsed, as its next revision."""
        before = self.stored.get(key)
        if before is not None and same(before, parsed):
            self.saved[key] = before.revision
            return
        if before is None and says_nothing(parsed):
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


def same(stored: StoredAnswer, parsed: Parsed) -> bool:
    """Tell whether what was parsed is what is stored: 1 and true are not the same answer."""
    return (
        stored.value == parsed.value
        and type(stored.value) is type(parsed.value)
        and stored.state == parsed.state
        and stored.typed == parsed.typed
    )


def says_nothing(parsed: Parsed) -> bool:
    """Tell whether what was parsed is an empty field, without "not available" or "not applicable"."""
    return parsed.value is None and parsed.typed is None and parsed.state == "answered"


def apply_rules(
    work: Work, definition: Definition, context: Context, rows: Rows, readable: frozenset[str] | None = None
) -> Evaluation:
    """Evaluate the rules on the answers as they will be; put calculated values and the verdicts of constraints.

    ``readable`` are the questions whose answers the writer may read (None: all). What would begin with a value that
    tells another answer is left to the next who may read it: nobody is said to have written what they cannot know.
    """
    evaluation = evaluate(definition, work.stored, context, rows)
    left = frozenset() if readable is None else untold_codes(evaluation, definition, readable)
    for key, begun in evaluation.defaults.items():
        if key.code in work.question_ids and key.code not in left:
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
    definition: Definition,
    stored: Mapping[AnswerKey, Given],
    evaluation: Evaluation,
    rows: Rows = NO_ROWS,
    answered: Collection[str] | None = None,
) -> Progress:
    """Count a reply's questions: hidden ones are not asked; an answer in any language counts once, a table once.

    ``answered`` are the codes that count as answered, where they are known already.
    """
    asked = [code for code in countable(definition) if code not in evaluation.hidden]
    if answered is None:
        answered = answered_codes(definition, stored, rows, evaluation.hidden)
    blocking = len(evaluation.missing) + len(evaluation.refused) + len(evaluation.unreadable)
    return Progress(len(asked), sum(1 for code in asked if code in answered), blocking)


# on the hot path no object is built and every statement is made once
_COUNTS = (
    update(Submission.__table__)  # type: ignore[arg-type] # __table__ is a Table
    .where(Submission.id == bindparam("submission"))
    .values({name: bindparam(name) for name in ("hidden", "answered", "asked", "missing")})
)
_PROGRESS = Prepared(_COUNTS)
_SAVED = Prepared(_COUNTS.values({name: bindparam(name) for name in ("saved_at", "saved_by")}))
_REVISION_NAMES = (
    "submission_id", "question_id", "row", "lang", "value", "state", "typed", "message", "revision", "asked_in",
    "request_key", "saved_by", "saved_at",
)  # fmt: skip
_REVISION_TABLE: Any = AnswerRevision.__table__
# inline: nobody asks for the key of what was inserted
_REVISION = Prepared(
    insert(_REVISION_TABLE).inline(),
    at_once=lambda shared: insert(_REVISION_TABLE).from_select(
        list(_REVISION_NAMES), rows_of(_REVISION_TABLE, _REVISION_NAMES, shared)
    ),
    shared=("submission_id", "asked_in", "request_key", "saved_by", "saved_at"),
)
_ROW_REVISION = Prepared(insert(AnswerRowRevision.__table__).inline())  # type: ignore[arg-type] # __table__ is a Table

_CHANGING = ("value", "state", "typed", "message", "revision", "asked_in", "answered_by", "answered_at")
_KEY = ("submission_id", "question_id", "row", "lang")
_ROW_CHANGING = ("position", "removed", "revision")
_ROW_KEY = ("submission_id", "repeat", "key")


def _settled(inserted: Any, key: tuple[str, ...], changing: tuple[str, ...]) -> Any:
    return inserted.on_conflict_do_update(
        index_elements=list(key), set_={name: inserted.excluded[name] for name in changing}
    )


_DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}
_ANSWER: Any = Answer.__table__


def _many_answers(shared: Sequence[str]) -> Any:
    names = [*_KEY, *_CHANGING]
    inserted = postgresql.insert(_ANSWER).from_select(names, rows_of(_ANSWER, names, shared))
    return _settled(inserted, _KEY, _CHANGING)


_UPSERTS = {
    "sqlite": Prepared(_settled(sqlite.insert(_ANSWER), _KEY, _CHANGING)),
    "postgresql": Prepared(
        _settled(postgresql.insert(_ANSWER), _KEY, _CHANGING),
        at_once=_many_answers,
        shared=("submission_id", "asked_in", "answered_by", "answered_at"),
    ),
}


def _one_answer() -> Any:
    """Return what stores one answer, its revision and the reply's counts on a server, in one statement."""
    said = {name: bindparam(f"its_{name}", type_=_ANSWER.c[name].type) for name in (*_KEY, *_CHANGING)}
    also = {"saved_by": said["answered_by"], "saved_at": said["answered_at"]}
    revision = {name: also.get(name, said.get(name)) for name in _REVISION_NAMES if name != "request_key"}
    revision["request_key"] = bindparam("its_request_key", type_=_REVISION_TABLE.c.request_key.type)
    return (
        _COUNTS.values(also)
        .add_cte(_settled(postgresql.insert(_ANSWER).values(said), _KEY, _CHANGING).cte("answer_kept"))
        .add_cte(insert(_REVISION_TABLE).inline().values(revision).cte("revision_kept"))
    )


_ONE_ANSWER = Prepared(_one_answer())
_ROW_UPSERTS = {
    name: Prepared(_settled(one.insert(AnswerRow.__table__), _ROW_KEY, _ROW_CHANGING))
    for name, one in _DIALECTS.items()
}


def store(
    connection: Connection,
    submission_id: int,
    work: Work,
    hidden: Sequence[str],
    counted: Progress,
    request_key: str | None,
) -> None:
    """Write the answers, revisions and counts of one reply: three statements; two more where rows changed.

    One answer, as an autosave brings it, goes to a server in one.
    """
    if work.rows.changed:
        changed = [_row_values(submission_id, name, row) for name, row in work.rows.changed.items()]
        _ROW_UPSERTS[connection.dialect.name].write(connection, changed)
        _ROW_REVISION.write(connection, [row | {"saved_by": work.by, "saved_at": work.at} for row in changed])
    values: dict[str, Any] = {"submission": submission_id, "hidden": hidden, **vars(counted)}
    answers = _answer_values(submission_id, work)
    alone = len(answers) == 1 and not work.rows.changed and answers[0]["answered_at"] == work.at
    if alone and connection.dialect.name == "postgresql":
        its = answers[0] | {"request_key": request_key}
        _ONE_ANSWER.write(connection, [values | {f"its_{name}": value for name, value in its.items()}])
        return
    _write_answers(connection, answers, work.at, request_key)
    if work.changed or work.rows.changed:
        _SAVED.write(connection, [values | {"saved_at": work.at, "saved_by": work.by}])
    else:
        _PROGRESS.write(connection, [values])


@dataclass(frozen=True)
class Judged:
    """A reply as its rules judged it: what is to be written of it."""

    submission_id: int
    work: Work
    hidden: Sequence[str]
    counted: Progress


def store_judged(connection: Connection, replies: Sequence[Judged], at: datetime) -> None:
    """Write what the rules made of many replies at one time: three statements; nobody counts as having saved them."""
    rows = [row for one in replies for row in _answer_values(one.submission_id, one.work)]
    _write_answers(connection, rows, at, None)
    _PROGRESS.write(
        connection,
        [{"submission": one.submission_id, "hidden": one.hidden, **vars(one.counted)} for one in replies],
    )


def _write_answers(connection: Connection, rows: list[dict[str, Any]], at: datetime, request_key: str | None) -> None:
    """Write answers as they stand now, and a revision of each that is new at this time."""
    if not rows:
        return
    _UPSERTS[connection.dialect.name].write(connection, rows)
    new = [row | {"request_key": request_key} for row in rows if row["answered_at"] == at]
    for row in new:
        row["saved_by"], row["saved_at"] = row.pop("answered_by"), row.pop("answered_at")
    if new:
        _REVISION.write(connection, new)


def _answer_values(submission_id: int, work: Work) -> list[dict[str, Any]]:
    return [_values(submission_id, key, stored) for key, stored in work.changed.items()]


def _values(submission_id: int, key: AnswerKey, stored: StoredAnswer) -> dict[str, Any]:
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
