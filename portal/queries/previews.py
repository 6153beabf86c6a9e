"""What issuing a round would do: per institution what it gets and who would read it, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from forms.tables import countable
from portal import clock
from portal.models import AssignmentRole, Invitation, MailStatus, Membership, OutgoingMail, Role, Status, UserAccount
from portal.queries import rounds as look
from portal.queries.questionnaires import definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import ReportingRound

MANY_QUESTIONS = 150
LEADERS = (Role.FOCAL_POINT, Role.ALTERNATE)


@dataclass(frozen=True)
class Person:
    """A person of an institution with the ways they have into the portal."""

    id: int
    public_id: str
    names: Mapping[str, str]
    honorific: Mapping[str, str]
    post: Mapping[str, str]
    login: str
    email: str | None
    phone: str | None
    telegram: str | None
    language: str | None
    institution_id: int
    role: Role
    has_password: bool
    invited_until: datetime | None

    @property
    def has_way_in(self) -> bool:
        """Return whether the person can sign in now, or will be told by mail how to."""
        return self.has_password or self.invited_until is not None or bool(self.email)


def people_of(session: Session, institution_ids: Iterable[int]) -> dict[int, list[Person]]:
    """Return the active persons of institutions, focal points first; one query."""
    open_until = (
        select(func.max(Invitation.expires_at))
        .where(
            Invitation.user_id == UserAccount.id,
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
        .correlate(UserAccount)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            UserAccount.id,
            UserAccount.public_id,
            UserAccount.names,
            UserAccount.honorific,
            UserAccount.post,
            UserAccount.login,
            UserAccount.email,
            UserAccount.phone,
            UserAccount.telegram,
            UserAccount.language,
            Membership.institution_id,
            Membership.role,
            UserAccount.password_hash.is_not(None).label("has_password"),
            open_until.label("invited_until"),
        )
        .join(Membership, Membership.user_id == UserAccount.id)
        .where(
            Membership.institution_id.in_(list(institution_ids)),
            Membership.ended_at.is_(None),
            UserAccount.active.is_(True),
        )
        .order_by(Membership.institution_id, UserAccount.id)
    )
    found: dict[int, list[Person]] = {}
    for row in rows:
        found.setdefault(row.institution_id, []).append(Person(**row._mapping))  # noqa: SLF001 - the documented way
    order = list(Role)
    for people in found.values():
        people.sort(key=lambda one: (order.index(one.role), one.id))
    return found


@dataclass(frozen=True)
class Share:
    """What one institution gets: replies it leads and contributes to, its total of questions, and its people.

    ``questions`` are the most it can be asked: one that depends on an answer counts, a table counts once.
    """

    institution: look.Column
    lead: int
    contributing: int
    waiting: int
    questions: int
    people: Sequence[Person]

    @property
    def too_many(self) -> bool:
        """Return whether it is asked more than a person can answer well."""
        return self.questions > MANY_QUESTIONS

    @property
    def leaders(self) -> list[Person]:
        """Return its focal points and alternates."""
        return [person for person in self.people if person.role in LEADERS]

    @property
    def approvers(self) -> list[Person]:
        """Return those who can sign."""
        return [person for person in self.people if person.role is Role.APPROVER]

    @property
    def reachable(self) -> bool:
        """Return whether a focal point or alternate has a way in."""
        return any(person.has_way_in for person in self.leaders)


@dataclass(frozen=True)
class Preview:
    """What issuing would do, and what the coordinator should know first."""

    shares: Sequence[Share]
    waiting: int
    issued: int
    unassigned: Sequence[look.Paragraph]
    without_lead: Sequence[look.Paragraph]
    without_text: Sequence[look.Paragraph]
    without_summary: Sequence[look.Paragraph]
    questions: Mapping[str, int] = field(default_factory=dict)

    @property
    def institutions(self) -> int:
        """Return how many institutions something waits for."""
        return sum(1 for share in self.shares if share.waiting)


def preview(session: Session, of: ReportingRound, national: str) -> Preview:
    """Return what issuing a round would do; ``national`` is the language institutions read first."""
    rows = look.paragraphs(session, of.id)
    asks = look.asks(session, of.id)
    versions = {ask.version_id for ask in asks} | {
        one for one in (of.short_version_id, of.full_version_id, of.institution_version_id) if one is not None
    }
    counts = {one: len(countable(definition(session, one))) for one in sorted(versions)}
    standing = [ask for ask in asks if ask.standing]
    involved = {ask.institution_id for ask in standing}
    people = people_of(session, involved)
    shares = [
        _share(of, column, [ask for ask in standing if ask.institution_id == column.id], people, counts)
        for column in look.institutions(session, of.id)
        if column.id in involved
    ]
    asked = {one for ask in standing for one in ask.recommendation_ids}
    led = {one for ask in standing if ask.role is AssignmentRole.LEAD for one in ask.recommendation_ids}
    assigned = [row for row in rows if asked.intersection(row.ids)]
    return Preview(
        shares=shares,
        waiting=sum(1 for ask in asks if not ask.issued),
        issued=sum(1 for ask in asks if ask.issued and ask.status is not Status.WITHDRAWN),
        unassigned=[row for row in rows if not asked.intersection(row.ids)],
        without_lead=[row for row in assigned if not led.intersection(row.ids)],
        without_text=[row for row in assigned if any(not item.texts.get(national) for item in row.items)],
        without_summary=[row for row in assigned if any(not any(item.summary.values()) for item in row.items)],
        questions={
            name: counts[number]
            for name, number in (
                ("short", of.short_version_id),
                ("full", of.full_version_id),
                ("institution", of.institution_version_id),
            )
            if number is not None
        },
    )


def _share(
    of: ReportingRound,
    column: look.Column,
    asks: Sequence[look.Ask],
    people: Mapping[int, list[Person]],
    counts: Mapping[int, int],
) -> Share:
    about = [ask for ask in asks if ask.about_institution]
    replies = [ask for ask in asks if not ask.about_institution]
    questions = sum(counts[ask.version_id] for ask in asks)
    if not about and replies and of.institution_version_id is not None:
        questions += counts[of.institution_version_id]
    return Share(
        institution=column,
        lead=sum(1 for ask in replies if ask.role is AssignmentRole.LEAD),
        contributing=sum(1 for ask in replies if ask.role is AssignmentRole.CONTRIBUTING),
        waiting=sum(1 for ask in asks if not ask.issued),
        questions=questions,
        people=people.get(column.id, []),
    )


@dataclass(frozen=True)
class Mail:
    """A mail of the outbox, without its text."""

    id: int
    public_id: str
    kind: str
    address: str
    subject: str
    status: MailStatus
    attempts: int
    not_before: datetime | None
    error: str | None
    created_at: datetime
    sent_at: datetime | None


def mails(session: Session, *, status: MailStatus | None = None, limit: int = 200) -> list[Mail]:
    """List the newest mails, on demand of one status only."""
    wanted = (
        select(
            OutgoingMail.id,
            OutgoingMail.public_id,
            OutgoingMail.kind,
            OutgoingMail.address,
            OutgoingMail.subject,
            OutgoingMail.status,
            OutgoingMail.attempts,
            OutgoingMail.not_before,
            OutgoingMail.error,
            OutgoingMail.created_at,
            OutgoingMail.sent_at,
        )
        .order_by(OutgoingMail.id.desc())
        .limit(limit)
    )
    if status is not None:
        wanted = wanted.where(OutgoingMail.status == status)
    return [Mail(*row) for row in session.execute(wanted)]


def mail_counts(session: Session) -> dict[MailStatus, int]:
    """Count the mails per status."""
    rows = session.execute(
        select(OutgoingMail.status, func.count()).group_by(OutgoingMail.status).order_by(OutgoingMail.status)
    )
    return {row[0]: row[1] for row in rows}


def last_mail_of(session: Session, user_ids: Iterable[int]) -> dict[int, Mail]:
    """Return the newest mail of each person; two look-ups in one query."""
    newest = (
        select(func.max(OutgoingMail.id)).where(OutgoingMail.user_id.in_(list(user_ids))).group_by(OutgoingMail.user_id)
    )
    rows = session.execute(select(OutgoingMail).where(OutgoingMail.id.in_(newest)).order_by(OutgoingMail.id)).scalars()
    return {row.user_id: _mail(row) for row in rows if row.user_id is not None}


def _mail(row: OutgoingMail) -> Mail:
    return Mail(
        row.id,
        row.public_id,
        row.kind,
        row.address,
        row.subject,
        row.status,
        row.attempts,
        row.not_before,
        row.error,
        row.created_at,
        row.sent_at,
    )
