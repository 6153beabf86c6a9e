"""Assigning: which institution is asked about which recommendation, as lead or contributing, in short or in full."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from portal.errors import Conflict, Invalid
from portal.models import (
    Action,
    Assignment,
    AssignmentRecommendation,
    AssignmentRole,
    Institution,
    Participation,
    Recommendation,
    ReportingRound,
    RoundDocument,
    RoundStatus,
    Status,
    Submission,
)
from portal.permissions import Permission, require
from portal.queries import rounds as look
from portal.services import audit
from portal.services.events import append_event, locked
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.table import Speakable

SHORT, FULL = "short", "full"


@dataclass(frozen=True)
class Wish:
    """What a cell shall hold: a part, and which of the round's questionnaires."""

    role: AssignmentRole
    length: str = SHORT


@dataclass(frozen=True)
class CellChange:
    """What one cell of the matrix shall become; ``wants`` None empties it.

    ``was`` is what the person saw ("", "lead", "contributing/full", "mixed"...); None asks for no comparison.
    """

    recommendation_ids: tuple[int, ...]
    institution_id: int
    wants: Wish | None
    was: str | None = None


@dataclass
class Changed:
    """What became of a set of changes: counts, and a sentence for each cell that was not changed."""

    created: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    refused: list[Problem] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Return whether anything was changed."""
        return bool(self.created or self.changed or self.removed)


def version_for(of: ReportingRound, length: str) -> int:
    """Return the questionnaire version that a length means in a round.

    Raises:
        Invalid: if the round has no questionnaire about recommendations.
    """
    chosen = (of.full_version_id, of.short_version_id)[length == SHORT]
    version = chosen or of.short_version_id or of.full_version_id
    if version is None:
        raise Invalid(_l("Choose the questionnaire of this round first."), code="no_questionnaire")
    return version


def length_of(of: ReportingRound, version_id: int) -> str:
    """Return which of the round's questionnaires a version is."""
    return FULL if version_id == of.full_version_id != of.short_version_id else SHORT


def cell_value(of: ReportingRound, asks: Sequence[look.Ask], recommendation_ids: Sequence[int]) -> str:
    """Return what a cell holds as one word: "", "lead", "contributing/full", "withdrawn" or "mixed"."""
    if not asks:
        return ""
    covered = {one for ask in asks for one in ask.recommendation_ids}
    words = {_word(of, ask) for ask in asks}
    if len(words) > 1 or not covered.issuperset(recommendation_ids):
        return "mixed"
    return words.pop()


def _word(of: ReportingRound, ask: look.Ask) -> str:
    if ask.status is Status.WITHDRAWN:
        return "withdrawn"
    full = length_of(of, ask.version_id) == FULL and of.short_version_id is not None
    return f"{ask.role}/full" if full else str(ask.role)


def read_word(word: str) -> Wish | None:
    """Read a cell's word back; None empties the cell.

    Raises:
        ValueError: if it is no such word.
    """
    if not word:
        return None
    role, _slash, length = word.partition("/")
    return Wish(AssignmentRole(role), FULL if length == FULL else SHORT)


class Desk:
    """A round's assignments, read once, while they are being changed; lives inside one ``write()``."""

    def __init__(self, session: Session, of: ReportingRound, by: Principal) -> None:
        require(by, Permission.EDIT_ROUND)
        if of.status in {RoundStatus.CLOSED, RoundStatus.FROZEN}:
            raise Conflict(_l("This round is closed: nothing more can be assigned in it."))
        self.session, self.round, self.by = session, of, by
        self.participations = {
            one.institution_id: one
            for one in session.scalars(select(Participation).where(Participation.round_id == of.id))
        }
        self.objects = {one.id: one for one in session.scalars(select(Assignment).where(Assignment.round_id == of.id))}
        self.at: dict[tuple[int, int], look.Ask] = {
            (ask.institution_id, recommendation_id): ask
            for ask in look.asks(session, of.id)
            for recommendation_id in ask.recommendation_ids
        }
        self.items = {item.id: item for row in look.paragraphs(session, of.id) for item in row.items}
        self.codes = {one.id: one.code for one in session.execute(select(Institution.id, Institution.code))}
        self.said: list[str] = []
        self.result = Changed()

    def there(self, institution_id: int, recommendation_ids: Iterable[int]) -> list[look.Ask]:
        """Return the assignments that a cell shows."""
        found = {ask.id: ask for one in recommendation_ids if (ask := self.at.get((institution_id, one))) is not None}
        return list(found.values())

    def change(self, cell: CellChange) -> None:
        """Make one cell what it shall be, or note why not."""
        asks = self.there(cell.institution_id, cell.recommendation_ids)
        value = cell_value(self.round, asks, cell.recommendation_ids)
        if not set(cell.recommendation_ids) <= set(self.items) or cell.institution_id not in self.codes:
            self._refuse(cell, _l("This recommendation or institution is not part of the round."))
        elif cell.was is not None and cell.was != value:
            self._refuse(cell, _l("Somebody else changed this cell in the meantime; it was left as they put it."))
        elif value == "withdrawn":
            self._refuse(cell, _l("This was withdrawn: open the assignment to restore it."))
        elif cell.wants is None:
            self._empty(cell, asks)
        else:
            self._fill(cell, asks, cell.wants)

    def _refuse(self, cell: CellChange, sentence: Speakable) -> None:
        first = self.items.get(cell.recommendation_ids[0]) if cell.recommendation_ids else None
        place = f"{first.paragraph} · {self.codes.get(cell.institution_id, '')}" if first else ""
        self.result.refused.append(Problem(sentence, field=place))

    def _say(self, cell: CellChange, word: str) -> None:
        first = self.items[cell.recommendation_ids[0]]
        marks = [self.items[one].sub_item for one in cell.recommendation_ids]
        self.said.append(
            f"{first.symbol} {look.citation(first.paragraph, marks)} {self.codes[cell.institution_id]} {word}"
        )

    def _empty(self, cell: CellChange, asks: Sequence[look.Ask]) -> None:
        if not asks:
            self.result.unchanged += 1
            return
        if any(ask.issued for ask in asks):
            self._refuse(cell, _l("This was issued already: open the assignment to withdraw it with a reason."))
            return
        for ask in asks:
            gone = [one for one in ask.recommendation_ids if one in cell.recommendation_ids]
            self.session.execute(
                delete(AssignmentRecommendation).where(
                    AssignmentRecommendation.assignment_id == ask.id,
                    AssignmentRecommendation.recommendation_id.in_(gone),
                )
            )
            ask.recommendation_ids = tuple(one for one in ask.recommendation_ids if one not in gone)
            for one in gone:
                del self.at[cell.institution_id, one]
            if not ask.recommendation_ids:
                self.session.delete(self.objects.pop(ask.id))
                self.session.flush()
        self.result.removed += 1
        self._say(cell, "-")

    def _fill(self, cell: CellChange, asks: Sequence[look.Ask], wish: Wish) -> None:
        version = version_for(self.round, wish.length)
        if any(ask.issued and ask.version_id != version for ask in asks):
            self._refuse(cell, _l("This was issued already: its questionnaire cannot be exchanged here."))
            return
        touched = False
        for ask in asks:
            if (ask.role, ask.version_id) != (wish.role, version):
                thing = self.objects[ask.id]
                thing.role = wish.role
                if not ask.issued:  # one that is out moves on by adopt_version alone
                    thing.version_id = version
                ask.role, ask.version_id = wish.role, version
                touched = True
        missing = [one for one in cell.recommendation_ids if (cell.institution_id, one) not in self.at]
        if missing:
            waiting = next((ask for ask in asks if not ask.issued), None)
            self._cover(cell.institution_id, missing, wish, waiting)
            self.result.created += not asks
        self.result.changed += bool(asks) and (touched or bool(missing))
        if touched or missing:
            self._say(cell, f"{wish.role}/{wish.length}")
        else:
            self.result.unchanged += 1

    def _cover(self, institution_id: int, missing: list[int], wish: Wish, waiting: look.Ask | None) -> None:
        """Ask about more recommendations: in the reply that waits to be issued, else in a new one."""
        if waiting is None:
            thing = self._new(institution_id, missing, wish)
            waiting = look.Ask(thing.id, thing.public_id, institution_id, wish.role, thing.version_id)
        for one in missing:
            self.session.add(
                AssignmentRecommendation(
                    assignment_id=waiting.id,
                    recommendation_id=one,
                    round_id=self.round.id,
                    institution_id=institution_id,
                )
            )
            self.at[institution_id, one] = waiting
        waiting.recommendation_ids = (*waiting.recommendation_ids, *missing)
        self.session.flush()

    def _new(self, institution_id: int, recommendation_ids: Sequence[int], wish: Wish) -> Assignment:
        participation = self.participations.get(institution_id)
        if participation is None:
            participation = Participation(round_id=self.round.id, institution_id=institution_id)
            self.session.add(participation)
            self.session.flush()
            self.participations[institution_id] = participation
        thing = Assignment(
            round_id=self.round.id,
            participation_id=participation.id,
            institution_id=institution_id,
            version_id=version_for(self.round, wish.length),
            role=wish.role,
            position=min(self.items[one].position for one in recommendation_ids),
            created_by=self.by.actor_id,
        )
        self.session.add(thing)
        self.session.flush()
        self.objects[thing.id] = thing
        return thing


def change_cells(
    session: Session, of: ReportingRound, cells: Iterable[CellChange], *, by: Principal, separately: bool = False
) -> Changed:
    """Make cells of the matrix what they shall be; a cell that cannot be changed is told and left alone.

    Sub-items of one paragraph that are newly given to one institution become one reply, unless ``separately``.

    Raises:
        Conflict: if the round is closed.
        Invalid: if the round has no questionnaire.
    """
    desk = Desk(session, of, by)
    for cell in cells if separately else _joined(desk, cells):
        desk.change(cell)
    if desk.result.any:
        audit.record(
            session, "change_assignments", by=by, kind="round", thing=of.slug,
            created=desk.result.created, changed=desk.result.changed, removed=desk.result.removed, cells=desk.said,
        )  # fmt: skip
    return desk.result


def _joined(desk: Desk, cells: Iterable[CellChange]) -> list[CellChange]:
    """Join the new sub-items of one paragraph and institution that want the same into one change."""
    kept: list[CellChange] = []
    groups: dict[tuple[int, str, int, Wish], list[int]] = defaultdict(list)
    for cell in cells:
        first = desk.items.get(cell.recommendation_ids[0]) if cell.recommendation_ids else None
        empty = not desk.there(cell.institution_id, cell.recommendation_ids)
        if first is None or cell.wants is None or not empty or cell.was or not first.sub_item:
            kept.append(cell)
        else:
            key = (first.document_id, first.paragraph, cell.institution_id, cell.wants)
            groups[key] += [one for one in cell.recommendation_ids if one not in groups[key]]
    joined = [
        CellChange(tuple(ids), institution_id, wants)
        for (_document, _paragraph, institution_id, wants), ids in groups.items()
    ]
    return kept + joined


def assign(
    session: Session,
    of: ReportingRound,
    institution: Institution,
    recommendations: Sequence[Recommendation],
    *,
    role: AssignmentRole,
    length: str = SHORT,
    due_on: date | None = None,
    by: Principal,
) -> Assignment:
    """Ask one institution about one recommendation, or about several sub-items in one reply.

    Raises:
        Conflict: if the round is closed, or the institution is asked about one of them already.
        Invalid: if one of them is not part of the round, or the round has no questionnaire.
    """
    require(by, Permission.EDIT_ROUND)
    if of.status in {RoundStatus.CLOSED, RoundStatus.FROZEN}:
        raise Conflict(_l("This round is closed: nothing more can be assigned in it."))
    ids = [one.id for one in recommendations]
    documents = {one.document_id for one in recommendations}
    known = session.scalars(
        select(RoundDocument.document_id).where(
            RoundDocument.round_id == of.id, RoundDocument.document_id.in_(documents)
        )
    ).all()
    if not ids or len(known) != len(documents):
        raise Invalid(_l("This recommendation or institution is not part of the round."))
    taken = session.scalar(
        select(func.count()).where(
            AssignmentRecommendation.round_id == of.id,
            AssignmentRecommendation.institution_id == institution.id,
            AssignmentRecommendation.recommendation_id.in_(ids),
        )
    )
    if taken:
        raise Conflict(_l("This institution is asked about this recommendation already in this round."))
    thing = Assignment(
        round_id=of.id,
        participation_id=participation_of(session, of, institution.id).id,
        institution_id=institution.id,
        version_id=version_for(of, length),
        role=role,
        position=min(one.position for one in recommendations),
        due_on=due_on,
        created_by=by.actor_id,
    )
    session.add(thing)
    session.flush()
    session.add_all(
        AssignmentRecommendation(
            assignment_id=thing.id, recommendation_id=one, round_id=of.id, institution_id=institution.id
        )
        for one in ids
    )
    session.flush()
    return thing


def participation_of(session: Session, of: ReportingRound, institution_id: int) -> Participation:
    """Return an institution's participation in a round, made when there is none."""
    found = session.scalar(
        select(Participation).where(Participation.round_id == of.id, Participation.institution_id == institution_id)
    )
    if found is None:
        found = Participation(round_id=of.id, institution_id=institution_id)
        session.add(found)
        session.flush()
    return found


def unassign(session: Session, assignment: Assignment, *, by: Principal) -> None:
    """Take back an assignment that was not issued yet.

    Raises:
        Conflict: if it was issued; it can only be withdrawn.
    """
    require(by, Permission.EDIT_ROUND)
    if assignment.issued_at is not None:
        raise Conflict(_l("This was issued already: open the assignment to withdraw it with a reason."))
    session.execute(delete(AssignmentRecommendation).where(AssignmentRecommendation.assignment_id == assignment.id))
    audit.record(session, "unassign", by=by, kind="assignment", thing=assignment.public_id)
    session.delete(assignment)
    session.flush()


def set_role(session: Session, assignment: Assignment, role: AssignmentRole, *, by: Principal) -> Assignment:
    """Let an institution lead, or contribute; possible at any time."""
    require(by, Permission.EDIT_ROUND)
    if assignment.role != role:
        assignment.role = role
        audit.record(session, "set_role", by=by, kind="assignment", thing=assignment.public_id, role=str(role))
    return assignment


def set_length(
    session: Session, of: ReportingRound, assignment: Assignment, length: str, *, by: Principal
) -> Assignment:
    """Choose the short or the full questionnaire for an assignment that was not issued yet.

    Raises:
        Conflict: if it was issued.
    """
    require(by, Permission.EDIT_ROUND)
    version = version_for(of, length)
    if assignment.version_id == version:
        return assignment
    if assignment.issued_at is not None:
        raise Conflict(_l("This was issued already: its questionnaire cannot be exchanged here."))
    assignment.version_id = version
    audit.record(session, "set_length", by=by, kind="assignment", thing=assignment.public_id, length=length)
    return assignment


def withdraw(session: Session, assignment: Assignment, *, reason: str, by: Principal) -> Submission:
    """Take back an assignment that was issued; the institution keeps seeing that, and why."""
    return _act(session, assignment, Action.WITHDRAW, by=by, reason=reason)


def restore(session: Session, assignment: Assignment, *, by: Principal) -> Submission:
    """Let a withdrawn or lapsed assignment be answered again, where it had stood."""
    return _act(session, assignment, Action.RESTORE, by=by)


def _act(
    session: Session, assignment: Assignment, action: Action, *, by: Principal, reason: str | None = None
) -> Submission:
    number = session.scalar(select(Submission.id).where(Submission.assignment_id == assignment.id))
    if number is None:
        raise Conflict(_l("This was not issued yet."))
    submission = locked(session, number)
    append_event(session, submission, action, by=by, institution_id=assignment.institution_id, reason=reason)
    audit.record(session, str(action), by=by, kind="submission", thing=submission.public_id)
    return submission
