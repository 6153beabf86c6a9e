"""What is new for whom: read from the acts, the messages and the shares themselves, never from copies per person.

One table says which part is told of what; the page, the start pages and the mails all ask it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, and_, case, false, func, literal, or_, select, type_coerce, union_all
from sqlalchemy.orm import aliased

from portal.models import (
    Action,
    Actor,
    Assignment,
    Clarification,
    ClarificationMessage,
    Delegation,
    Institution,
    Membership,
    NewsMark,
    ReportingRound,
    Role,
    StaffAppointment,
    StaffRole,
    Submission,
    SubmissionEvent,
    UserAccount,
)
from portal.permissions import LEADERS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from portal.models import MailWish

A, R, SR = Action, Role, StaffRole
DESK = frozenset({SR.COORDINATOR})
ASKED, ANSWERED, FINISHED = "asked", "answered", "finished"
# what happened -> the parts that are told, unless they did it themselves. Staff never learns of a draft.
TOLD: Mapping[str, frozenset[Role | StaffRole]] = {
    A.ISSUE: LEADERS,
    A.COMPLETE: frozenset({R.APPROVER}),
    A.HAND_IN: LEADERS | DESK,
    A.SIGN_OFF: LEADERS | DESK,
    A.SIGN_ON_PAPER: LEADERS | {R.APPROVER} | DESK,
    A.HAND_IN_PENDING: LEADERS | {R.APPROVER} | DESK,
    A.RECORD_SIGNATURE: LEADERS | DESK,
    A.DECLINE: WRITERS,
    A.RETURN: WRITERS | {R.APPROVER},
    A.RECALL: LEADERS | {R.APPROVER} | DESK,
    A.CLEAR: LEADERS | {R.APPROVER},
    A.REOPEN: WRITERS | {R.APPROVER},
    A.CLAIM_NOT_OURS: LEADERS | DESK,
    A.CONFIRM_NOT_OURS: LEADERS,
    A.REFUSE_NOT_OURS: WRITERS,
    A.RETRACT_CLAIM: LEADERS | DESK,
    A.WITHDRAW: LEADERS,
    A.LAPSE: LEADERS,
    A.RESTORE: LEADERS,
    A.ADOPT_VERSION: WRITERS,
    ASKED: WRITERS | {R.APPROVER},
    ANSWERED: frozenset({SR.COORDINATOR, SR.REPORT_WRITER}),
    FINISHED: LEADERS,
}
# of these a mail of their own goes out at once, with all that belongs to it (templates/mail/issued.txt, asked.txt)
MAILED_AT_ONCE = frozenset({A.ISSUE.value})


@dataclass(frozen=True)
class Happening:
    """One thing that happened: ``what`` is a key of ``TOLD``; ``said`` is the reason or the message.

    ``thread`` is a clarification's public id; ``name`` is who finished a share; ``batch`` names the
    question to many that a message opened.
    """

    what: str
    at: datetime
    by: int
    said: str
    submission: str
    assignment_id: int
    institution_id: int
    institution_names: Mapping[str, str]
    round_slug: str
    round_titles: Mapping[str, str]
    thread: str = ""
    name: str = ""
    batch: str = ""


@dataclass(frozen=True)
class Reader:
    """Whom something can concern: what they are in which institution, and in the secretariat."""

    actor_id: int | None
    parts: frozenset[tuple[int, Role]] = frozenset()
    staff: frozenset[StaffRole] = frozenset()

    def concerns(self, one: Happening) -> bool:
        """Tell whether this person is told of it: it is theirs by their part, and they did not do it themselves."""
        told = TOLD.get(one.what, frozenset())
        return one.by != self.actor_id and (
            bool(self.staff & told)
            or any(institution == one.institution_id and role in told for institution, role in self.parts)
        )


@dataclass
class Subscriber:
    """A person who is told, by mail or by chat, with their marks."""

    user_id: int
    address: str
    language: str | None
    reader: Reader
    read_until: datetime
    told_until: datetime
    wish: MailWish | None
    names: Mapping[str, str]
    honorific: Mapping[str, str]
    telegram: str
    phone: str
    parts: set[tuple[int, Role]] = field(default_factory=set)


def happenings(
    session: Session,
    roles: Iterable[Role | StaffRole],
    *,
    since: datetime,
    until: datetime | None = None,
    reader: Reader | None = None,
    limit: int | None = None,
) -> list[Happening]:
    """List what happened after ``since`` that these parts are told of, the newest first; one query.

    With a ``reader`` only what concerns them; ``limit`` counts that alone.
    """
    parts = frozenset(roles)
    wanted = {what for what, told in TOLD.items() if told & parts}
    found = union_all(*_kinds(wanted, since, until)).subquery("happened")
    rows: Any = select(
        found.c.what, found.c.at, found.c.by, found.c.said, Submission.public_id, Assignment.id,
        Assignment.institution_id, Institution.names, ReportingRound.slug, ReportingRound.titles, found.c.thread,
        found.c.name, found.c.batch,
    )  # fmt: skip
    rows = (
        rows.join(Submission, Submission.id == found.c.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
        .order_by(found.c.at.desc(), found.c.number.desc())
        .limit(limit)
    )
    if reader is not None:
        rows = rows.where(*_concerning(reader, found))
    return [Happening(*row) for row in session.execute(rows)]


def _concerning(reader: Reader, found: Any) -> Iterator[ColumnElement[bool]]:
    """Yield what :meth:`Reader.concerns` asks, as conditions of a query."""
    if reader.actor_id is not None:
        yield found.c.by != reader.actor_id
    theirs: list[ColumnElement[bool]] = [
        and_(Assignment.institution_id == institution_id, found.c.what.in_(_told_to(role)))
        for institution_id, role in sorted(reader.parts)
    ]
    if reader.staff:
        theirs.append(found.c.what.in_(_told_to(*reader.staff)))
    yield or_(false(), *theirs)


def _told_to(*roles: Role | StaffRole) -> list[str]:
    return sorted(what for what, told in TOLD.items() if told.intersection(roles))


def _kinds(wanted: set[str], since: datetime, until: datetime | None) -> list[Any]:
    """Return what selects each kind of happening: acts, messages of either side, finished shares of single replies.

    Units answer by the dozen and are counted on the pages of their collection.
    """
    act, message, share, doer = SubmissionEvent, ClarificationMessage, Delegation, aliased(Actor)
    nothing = literal("")
    kinds: list[Any] = [
        _select(
            type_coerce(act.action, String), act.done_at, act.done_by, func.coalesce(act.reason, ""), nothing, nothing,
            nothing, act.id, act.submission_id,
        ).where(act.action.in_(sorted(wanted & set(A))), _between(act.done_at, since, until))
    ]  # fmt: skip
    if sides := [side for side, what in ((True, ASKED), (False, ANSWERED)) if what in wanted]:
        kinds.append(
            _select(
                case((message.from_secretariat.is_(True), ASKED), else_=ANSWERED), message.written_at,
                message.written_by, message.body, Clarification.public_id, nothing,
                case((message.written_at == Clarification.opened_at, func.coalesce(Clarification.batch, "")), else_=""),
                message.id, Clarification.submission_id,
            )
            .join(Clarification, Clarification.id == message.clarification_id)
            .where(message.from_secretariat.in_(sides), _between(message.written_at, since, until))
        )  # fmt: skip
    if FINISHED in wanted:
        kinds.append(
            _select(
                literal(FINISHED), share.finished_at, func.coalesce(doer.id, 0), share.message, nothing, share.name,
                nothing, share.id, share.submission_id,
            )
            .outerjoin(doer, doer.delegation_id == share.id)
            .where(share.collection_id.is_(None), _between(share.finished_at, since, until))
        )  # fmt: skip
    return kinds


_COLUMNS = ("what", "at", "by", "said", "thread", "name", "batch", "number", "submission_id")


def _select(*columns: Any) -> Any:
    return select(*(column.label(name) for column, name in zip(columns, _COLUMNS, strict=True)))


def _between(column: Any, since: datetime, until: datetime | None) -> Any:
    return column > since if until is None else and_(column > since, column <= until)


def read_until(session: Session, user_id: int) -> tuple[datetime, MailWish | None]:
    """Return until when a person has read what is new, and how they wish to be told."""
    row = session.execute(
        select(NewsMark.read_until, NewsMark.wish, UserAccount.created_at)
        .select_from(UserAccount)
        .outerjoin(NewsMark, NewsMark.user_id == UserAccount.id)
        .where(UserAccount.id == user_id)
    ).one()
    return row.read_until or row.created_at, row.wish


def subscribers(session: Session, *, by_mail: bool = True) -> Sequence[Subscriber]:
    """List the persons who are told of anything, with an e-mail address or all those without one; three queries."""
    told = frozenset().union(*TOLD.values())
    people: dict[int, Subscriber] = {}
    staff: dict[int, set[StaffRole]] = {}
    actors: dict[int, int | None] = {}
    for row in session.execute(
        select(
            UserAccount.id, UserAccount.email, UserAccount.language, UserAccount.created_at, Actor.id.label("actor"),
            NewsMark.read_until, NewsMark.told_until, NewsMark.wish, UserAccount.names, UserAccount.honorific,
            UserAccount.telegram, UserAccount.phone,
        )
        .outerjoin(Actor, Actor.user_id == UserAccount.id)
        .outerjoin(NewsMark, NewsMark.user_id == UserAccount.id)
        .where(UserAccount.active.is_(True), UserAccount.email.is_not(None) if by_mail else UserAccount.email.is_(None))
        .order_by(UserAccount.id)
    ):  # fmt: skip
        actors[row.id] = row.actor
        people[row.id] = Subscriber(
            row.id, row.email or "", row.language, Reader(row.actor), row.read_until or row.created_at,
            row.told_until or row.created_at, row.wish, row.names, row.honorific, row.telegram or "", row.phone or "",
        )  # fmt: skip
    for user_id, institution_id, role in session.execute(
        select(Membership.user_id, Membership.institution_id, Membership.role)
        .where(Membership.ended_at.is_(None), Membership.user_id.in_(people))
        .order_by(Membership.id)
    ):
        people[user_id].parts.add((institution_id, role))
    for user_id, staff_role in session.execute(
        select(StaffAppointment.user_id, StaffAppointment.role)
        .where(StaffAppointment.user_id.in_(people))
        .order_by(StaffAppointment.id)
    ):
        staff.setdefault(user_id, set()).add(staff_role)
    for user_id, one in people.items():
        one.reader = Reader(actors[user_id], frozenset(one.parts), frozenset(staff.get(user_id, ())))
    return [
        one
        for one in people.values()
        if one.reader.staff & told or any(role in told for _institution, role in one.reader.parts)
    ]
