"""What the units of a collection answered, side by side: joined, added up, counted, listed."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, or_, select

from forms.answers import AnswerKey, is_hidden
from forms.question_types import question_type
from forms.tables import answered_codes, has_repeats, may_change, table_of, tables
from portal.models import Answer, AnswerRow, Collection, Delegation, Evidence, EvidenceKind, Question, Submission, Unit
from portal.queries.sharing import SharedLine, shared_line
from portal.queries.submissions import RowKey, StoredAnswer, StoredRow, standing_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Given, Json, Rows
    from forms.definition.model import Definition, Item

HUNDREDTHS = Decimal("0.01")


@dataclass(frozen=True)
class UnitFile:
    """A file that a unit attached to a question."""

    id: int
    public_id: str
    number: int
    question_id: int | None
    sha256: str
    filename: str
    media_type: str | None


@dataclass(frozen=True)
class UnitReply:
    """What one unit answered; ``hidden`` is what it was not asked. A unit that was left out says nothing any more."""

    line: SharedLine
    answers: Mapping[AnswerKey, StoredAnswer] = field(default_factory=dict)
    stored_rows: Mapping[RowKey, StoredRow] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    files: Sequence[UnitFile] = ()

    @property
    def name(self) -> str:
        """Return what the unit is called."""
        return self.line.delegation.name

    def said(self, key: AnswerKey) -> StoredAnswer | None:
        """Return an answer that was asked and given in any way, also one that cannot be taken; None else."""
        one = self.answers.get(key)
        return None if one is None or one.blank or is_hidden(self.hidden, key) else one

    def troubled(self, key: AnswerKey) -> bool:
        """Tell whether an answer that was asked cannot be read, or breaks a rule of the questionnaire."""
        one = self.said(key)
        return one is not None and (one.typed is not None or one.message is not None)

    def given(self, key: AnswerKey) -> StoredAnswer | None:
        """Return an answer that was asked, given and could be read; None else."""
        one = self.said(key)
        if one is None or self.troubled(key):
            return None
        return one if one.value is not None and one.state == "answered" else None


def unit_replies(session: Session, collection: Collection, definition: Definition) -> list[UnitReply]:
    """Return what every unit of a collection answered, in their order; four queries, however many units.

    Of those that have not begun there is nothing, nor of those that were left out (but their rows, to be told apart).
    """
    asked = session.execute(
        select(Delegation, Submission.id, Submission.hidden, Submission.saved_at)
        .join(Submission, Submission.id == Delegation.submission_id)
        .join(Unit, Unit.id == Delegation.unit_id)
        .where(Delegation.collection_id == collection.id)
        .order_by(Unit.position, Unit.id)
    ).all()
    answers, rows = _answers(session, collection), _rows(session, collection, definition)
    files = _files(session, collection)
    found = []
    for delegation, place, not_asked, saved_at in asked:
        hidden = frozenset(not_asked)
        if saved_at is None:
            found.append(UnitReply(shared_line(delegation, (), hidden)))
            continue
        stored = rows.get(place, {})
        if delegation.left_out_at is not None:
            found.append(UnitReply(shared_line(delegation, (), hidden, saved_at), stored_rows=stored))
            continue
        standing = standing_rows(stored)
        done = answered_codes(definition, answers[place], standing, hidden)
        line = shared_line(delegation, done, hidden, saved_at)
        found.append(UnitReply(line, answers[place], stored, standing, hidden, files.get(place, ())))
    return found


@dataclass(frozen=True)
class StillOpen:
    """A collection with units that have not finished, or whose answers were not all taken over."""

    public_id: str
    unfinished: int
    untaken: int


def still_open(session: Session, submission_id: int) -> list[StillOpen]:
    """Return the collections of a reply in which something is still to come, oldest first; one query.

    Units that were left out count no more; one whose questions were taken back is not waited for.
    """
    unfinished = case((and_(Delegation.finished_at.is_(None), Delegation.revoked_at.is_(None)), 1), else_=0)
    fresh = or_(Delegation.taken_at.is_(None), Submission.saved_at > Delegation.taken_at)
    untaken = case((and_(Submission.saved_at.is_not(None), fresh), 1), else_=0)
    rows = session.execute(
        select(Collection.public_id, func.sum(unfinished), func.sum(untaken))
        .join(Delegation, Delegation.collection_id == Collection.id)
        .join(Submission, Submission.id == Delegation.submission_id)
        .where(Collection.submission_id == submission_id, Delegation.left_out_at.is_(None))
        .group_by(Collection.id)
        .order_by(Collection.id)
    )
    found = [StillOpen(public_id, int(waiting), int(new)) for public_id, waiting, new in rows]
    return [one for one in found if one.unfinished or one.untaken]


def _answers(session: Session, collection: Collection) -> dict[int, dict[AnswerKey, StoredAnswer]]:
    query = (
        select(
            Answer.submission_id, Question.code, Answer.row, Answer.lang, Answer.value, Answer.state, Answer.typed,
            Answer.revision, Answer.question_id, Answer.message, Answer.answered_by, Answer.answered_at,
            Answer.asked_in,
        )
        .join(Question, Question.id == Answer.question_id)
        .join(Delegation, Delegation.submission_id == Answer.submission_id)
        .where(Delegation.collection_id == collection.id)
        .order_by(Answer.submission_id, Answer.question_id, Answer.row, Answer.lang)
    )  # fmt: skip
    found: dict[int, dict[AnswerKey, StoredAnswer]] = defaultdict(dict)
    for place, code, row, lang, value, state, *rest in session.connection().execute(query):
        found[place][AnswerKey(code, row, lang)] = StoredAnswer(value, state.value, *rest)
    return found


def _rows(session: Session, collection: Collection, definition: Definition) -> dict[int, dict[RowKey, StoredRow]]:
    if not has_repeats(definition):
        return {}
    query = (
        select(
            AnswerRow.submission_id, AnswerRow.repeat, AnswerRow.key, AnswerRow.parent_key, AnswerRow.position,
            AnswerRow.removed, AnswerRow.revision,
        )
        .join(Delegation, Delegation.submission_id == AnswerRow.submission_id)
        .where(Delegation.collection_id == collection.id)
        .order_by(AnswerRow.submission_id, AnswerRow.repeat, AnswerRow.position, AnswerRow.key)
    )  # fmt: skip
    found: dict[int, dict[RowKey, StoredRow]] = defaultdict(dict)
    for place, repeat, key, parent, position, removed, revision in session.connection().execute(query):
        found[place][RowKey(repeat, key)] = StoredRow(parent, position, removed, revision)
    return found


def _files(session: Session, collection: Collection) -> dict[int, list[UnitFile]]:
    query = (
        select(
            Evidence.submission_id, Evidence.id, Evidence.public_id, Evidence.number, Evidence.question_id,
            Evidence.sha256, Evidence.filename, Evidence.media_type,
        )
        .join(Delegation, Delegation.submission_id == Evidence.submission_id)
        .where(
            Delegation.collection_id == collection.id, Evidence.removed_at.is_(None), Evidence.kind == EvidenceKind.FILE
        )
        .order_by(Evidence.submission_id, Evidence.number)
    )  # fmt: skip
    found: dict[int, list[UnitFile]] = defaultdict(list)
    for place, made, name, number, question_id, sha256, filename, media_type in session.connection().execute(query):
        found[place].append(UnitFile(made, name, number, question_id, sha256 or "", filename or "", media_type))
    return found


def asked_keys(definition: Definition, codes: Sequence[str], languages: Sequence[str]) -> Iterator[AnswerKey]:
    """Yield the answers outside repeats that a collection can bring: plain ones, and the cells of fixed tables."""
    for item in definition.questions():
        if not may_change(definition, item.code, codes) or item.calculation or not question_type(item.type).asks:
            continue
        table = table_of(definition, item.code)
        if table is not None and not table.fixed:
            continue
        rows = [row.key for row in table.rows({})] if table is not None else [""]
        for row in rows:
            for key in question_type(item.type).keys(item, languages):
                yield key._replace(row=row)


def repeats(definition: Definition, codes: Sequence[str]) -> list[str]:
    """Return the tables with rows of their own that a collection asks, outer ones first."""
    asked = (one for one in tables(definition).values() if may_change(definition, one.code, codes))
    return [one.code for one in asked if not one.fixed]


def figure(given: Given | None) -> Decimal | None:
    """Return the number that an answer is; None where there is none."""
    if given is None or given.value is None:
        return None
    try:
        found = Decimal(str(given.value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def added_up(key: AnswerKey, replies: Sequence[UnitReply]) -> tuple[Decimal, int] | None:
    """Return the sum of an answer over the units, and how many of them gave one; None if nobody did."""
    found = [number for one in replies if (number := figure(one.given(key))) is not None]
    return (sum(found, Decimal(0)), len(found)) if found else None


def averaged(
    key: AnswerKey, replies: Sequence[UnitReply], weight: AnswerKey | None = None
) -> tuple[Decimal, list[str]] | None:
    """Return the mean of an answer over the units, to the hundredth, and which units it rests on.

    With ``weight``, each unit counts as much as its answer to that question says (the number of which the percentage is
    one); a unit without it, or with nought, is left out. None if no unit is left.
    """
    found = []
    for one in replies:
        number = figure(one.given(key))
        share = Decimal(1) if weight is None else figure(one.given(weight))
        if number is not None and share is not None and share > 0:
            found.append((one.name, number, share))
    if not found:
        return None
    whole = sum((share for _name, _number, share in found), Decimal(0))
    mean = sum((number * share for _name, number, share in found), Decimal(0)) / whole
    rounded = mean.quantize(HUNDREDTHS, ROUND_HALF_UP)
    exact = rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded.normalize()
    return exact, [name for name, _number, _share in found]


def denominators(definition: Definition, key: AnswerKey, asked: Sequence[AnswerKey]) -> list[AnswerKey]:
    """Return the counts, of those asked, by which a percentage may be weighted: plain ones, and those of its row."""
    return [
        one
        for one in asked
        if one.row in {"", key.row} and question_type(definition.question(one.code).type).joins == "sum"
    ]


def put_below_one_another(key: AnswerKey, replies: Sequence[UnitReply]) -> tuple[str, int]:
    """Return the texts of the units, each under its unit's name, and how many there are."""
    texts = [(one.name, str(given.value).strip()) for one in replies if (given := one.given(key)) is not None]
    return "\n\n".join(f"{name}\n{text}" for name, text in texts if text), len(texts)


def spread(key: AnswerKey, replies: Sequence[UnitReply]) -> list[tuple[Json, list[str]]]:
    """Return what the units said, each answer once with the units that gave it, the commonest first."""
    found: dict[str, tuple[Json, list[str]]] = {}
    for one in replies:
        given = one.given(key)
        if given is not None:
            found.setdefault(canonical(given.value), (given.value, []))[1].append(one.name)
    return sorted(found.values(), key=lambda pair: (-len(pair[1]), canonical(pair[0])))


def chosen_by_any(item: Item, key: AnswerKey, replies: Sequence[UnitReply]) -> tuple[list[Json], list[str]]:
    """Return every choice that any unit made, in the order of the list, and the units that made one."""
    made: set[str] = set()
    units = []
    for one in replies:
        given = one.given(key)
        if given is not None and isinstance(given.value, list):
            made.update(str(choice) for choice in given.value)
            units.append(one.name)
    return [choice.key for choice in item.choices if choice.key in made], units


def canonical(value: Any) -> str:
    """Return a value as one text by which it is told from others."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
