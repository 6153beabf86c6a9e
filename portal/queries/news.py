"""What is new for whom: read from the acts, the messages and the shares themselves, never from copies per person.

One table says which part is told of what; the page, the start pages and the mails all ask it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select
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
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

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


_WHERE = (
    Submission.public_id, Assignment.id, Assignment.institution_id, Institution.names, ReportingRound.slug,
    ReportingRound.titles,
)  # fmt: skip


def _placed(found: Any, institution_id: int | None) -> Any:
    """Join to a choice of things on replies where these belong; statements have more columns than types count."""
    found = (
        found.join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .join(ReportingRound, ReportingRound.id == Assignment.round_id)
    )
    return found if institution_id is None else found.where(Assignment.institution_id == institution_id)


def happenings(
    session: Session,
    roles: Iterable[Role | StaffRole],
    *,
    since: datetime,
    until: datetime | None = None,
    institution_id: int | None = None,
    limit: int | None = None,
) -> list[Happening]:
    """List what happened after ``since`` that these parts are told of, the newest first; three queries at most."""
    parts = frozenset(roles)
    wanted = {what for what, told in TOLD.items() if told & parts}
    found = _acts(session, wanted & set(A), since, until, institution_id, limit)
    if wanted & {ASKED, ANSWERED}:
        found += _messages(session, wanted, since, until, institution_id, limit)
    if FINISHED in wanted:
        found += _finished(session, since, until, institution_id, limit)
    found.sort(key=lambda one: one.at, reverse=True)
    return found[:limit]


def _placed_at(
    place: Sequence[Any], what: str, at: datetime, by: int, said: str, *, thread: str = "", name: str = "",
    batch: str | None = None,
) -> Happening:  # fmt: skip
    """Return a happening; ``place`` is what ``_WHERE`` selects."""
    reply, assignment_id, institution_id, names, slug, titles = place
    return Happening(
        what, at, by, said, reply, assignment_id, institution_id, names, slug, titles, thread, name, batch or ""
    )


def _between(column: Any, since: datetime, until: datetime | None) -> Any:
    return column > since if until is None else and_(column > since, column <= until)


def _acts(
    session: Session, actions: Iterable[str], since: datetime, until: datetime | None, institution_id: int | None,
    limit: int | None,
) -> list[Happening]:  # fmt: skip
    of = SubmissionEvent
    rows: Any = session.execute(
        _placed(
            select(of.action, of.done_at, of.done_by, of.reason, *_WHERE)
            .join(Submission, Submission.id == of.submission_id)
            .where(of.action.in_(sorted(actions)), _between(of.done_at, since, until))
            .order_by(of.done_at.desc(), of.id.desc())
            .limit(limit),
            institution_id,
        )
    )
    return [_placed_at(rest, what.value, at, by, said or "") for what, at, by, said, *rest in rows]


def _messages(
    session: Session, wanted: set[str], since: datetime, until: datetime | None, institution_id: int | None,
    limit: int | None,
) -> list[Happening]:  # fmt: skip
    of = ClarificationMessage
    sides = [side for side, what in ((True, ASKED), (False, ANSWERED)) if what in wanted]
    rows: Any = session.execute(
        _placed(
            select(of.from_secretariat, of.written_at, of.written_by, of.body, Clarification.public_id,
                   Clarification.batch, Clarification.opened_at, *_WHERE)
            .join(Clarification, Clarification.id == of.clarification_id)
            .join(Submission, Submission.id == Clarification.submission_id)
            .where(of.from_secretariat.in_(sides), _between(of.written_at, since, until))
            .order_by(of.written_at.desc(), of.id.desc())
            .limit(limit),
            institution_id,
        )
    )  # fmt: skip
    return [
        _placed_at(rest, ASKED if ours else ANSWERED, at, by, body, thread=thread, batch=batch if at == opened else "")
        for ours, at, by, body, thread, batch, opened, *rest in rows
    ]


def _finished(
    session: Session, since: datetime, until: datetime | None, institution_id: int | None, limit: int | None
) -> list[Happening]:
    """Return the shares of single replies that were finished; units answer by the dozen and are counted elsewhere."""
    of, doer = Delegation, aliased(Actor)
    rows: Any = session.execute(
        _placed(
            select(of.finished_at, doer.id, of.message, of.name, *_WHERE)
            .join(Submission, Submission.id == of.submission_id)
            .outerjoin(doer, doer.delegation_id == of.id)
            .where(of.collection_id.is_(None), of.finished_at.is_not(None), _between(of.finished_at, since, until))
            .order_by(of.finished_at.desc(), of.id.desc())
            .limit(limit),
            institution_id,
        )
    )
    return [_placed_at(rest, FINISHED, at, by or 0, said, name=name) for at, by, said, name, *rest in rows]


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
