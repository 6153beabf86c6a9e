"""Issuing: assignments go out as submissions, each person concerned is told once; asking again changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from babel.dates import format_date
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from forms.context import Context
from forms.evaluation import evaluate
from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import (
    Action,
    Assignment,
    Membership,
    Participation,
    ReportingRound,
    Role,
    RoundStatus,
    Status,
    Submission,
    SubmissionEvent,
    UserAccount,
)
from portal.models.lifecycle import transition
from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.queries.questionnaires import definition
from portal.services import accounts, audit
from portal.services.answer_storing import progress
from portal.services.mail import Recipient, queue_mail
from portal.services.memory import look_back
from portal.services.rounds import lock_round
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts

# who is told by mail that questionnaires have come
TOLD = (Role.FOCAL_POINT, Role.ALTERNATE)


@dataclass(frozen=True)
class Issued:
    """What an issue did: new submissions, institutions they went to, mails queued; all zero for a second click."""

    submissions: int = 0
    institutions: int = 0
    mails: int = 0


@dataclass(frozen=True)
class _Start:
    """Where every reply to one questionnaire version begins."""

    hidden: list[str]
    asked: int
    missing: int


def issue_round(session: Session, of: ReportingRound, *, by: Principal, base_url: str, mails: bool = True) -> Issued:
    """Send out every assignment of a round that waits; opens the round the first time.

    Institutions that get something also get the round's questions about the institution, once. ``base_url`` is the
    address of the portal in mails. Done again, only what was assigned since goes out.

    Raises:
        Invalid: if nothing is assigned.
        Conflict: if the round is closed.
    """
    require(by, Permission.ISSUE_ROUND)
    of = lock_round(session, of.id)
    if of.status in {RoundStatus.CLOSED, RoundStatus.FROZEN}:
        raise Conflict(_l("This round is closed: nothing more can be issued in it."))
    waiting = session.scalars(
        select(Assignment)
        .where(Assignment.round_id == of.id, Assignment.issued_at.is_(None))
        .order_by(Assignment.institution_id, Assignment.position, Assignment.id)
    ).all()
    if not waiting:
        if of.status is RoundStatus.DRAFT:
            raise Invalid(_l("Nothing is assigned yet: fill at least one cell of the matrix."), code="nothing_assigned")
        return Issued()
    everything = [*waiting, *_about_institutions(session, of, waiting, by=by)]
    _send_out(session, everything, by=by, languages=country_facts(session).languages)
    look_back(session, of.id)
    reached = sorted({one.institution_id for one in everything})
    queued = _tell(session, of, everything, by=by, base_url=base_url) if mails else 0
    if of.status is RoundStatus.DRAFT:
        of.status, of.issued_at = RoundStatus.OPEN, clock.now()
        of.revision += 1
    done = Issued(len(everything), len(reached), queued)
    audit.record(
        session, "issue_round", by=by, kind="round", thing=of.slug,
        submissions=done.submissions, institutions=done.institutions, mails=done.mails,
    )  # fmt: skip
    return done


def _about_institutions(
    session: Session, of: ReportingRound, waiting: Sequence[Assignment], *, by: Principal
) -> list[Assignment]:
    """Make the assignment that carries the questions asked once per institution, where there is none yet."""
    if of.institution_version_id is None:
        return []
    have = set(
        session.scalars(
            select(Assignment.institution_id).where(
                Assignment.round_id == of.id, Assignment.about_institution.is_(True)
            )
        )
    )
    made = {
        one.institution_id: Assignment(
            round_id=of.id,
            participation_id=one.participation_id,
            institution_id=one.institution_id,
            version_id=of.institution_version_id,
            about_institution=True,
            position=-1,
            created_by=by.actor_id,
        )
        for one in waiting
        if one.institution_id not in have
    }
    session.add_all(made.values())
    session.flush()
    return list(made.values())


def _send_out(
    session: Session, assignments: Sequence[Assignment], *, by: Principal, languages: tuple[str, ...]
) -> None:
    """Give each assignment its submission with its first event (the lifecycle's issue), in two bulk inserts."""
    at = clock.now()
    status = transition(None, Action.ISSUE).to
    starts: dict[int, _Start] = {}
    made = []
    for assignment in assignments:
        if assignment.version_id not in starts:
            starts[assignment.version_id] = _start(session, assignment.version_id, languages)
        start = starts[assignment.version_id]
        assignment.issued_at = at
        made.append(
            Submission(
                assignment_id=assignment.id,
                status=Status.ISSUED,
                hidden=start.hidden,
                asked=start.asked,
                missing=start.missing,
                created_at=at,
            )
        )
    session.add_all(made)
    session.flush()
    session.add_all(
        SubmissionEvent(
            submission_id=submission.id,
            number=1,
            action=Action.ISSUE,
            status=status,
            details={},
            done_by=by.actor_id,
            done_at=at,
        )
        for submission in made
    )
    session.flush()


def _start(session: Session, version_id: int, languages: tuple[str, ...]) -> _Start:
    compiled = definition(session, version_id)
    verdict = evaluate(compiled, {}, Context(today=clock.today(), languages=languages))
    counted = progress(compiled, {}, verdict)
    return _Start(sorted(verdict.hidden), counted.asked, counted.missing)


def _tell(
    session: Session, of: ReportingRound, assignments: Sequence[Assignment], *, by: Principal, base_url: str
) -> int:
    """Queue one mail for each focal point and alternate who has an address; a first entry carries link and code."""
    country = country_facts(session)
    counts = Counter(one.institution_id for one in assignments)
    until = {
        row.institution_id: row.extended_to or of.due_on
        for row in session.execute(
            select(Participation.institution_id, Participation.extended_to).where(Participation.round_id == of.id)
        )
    }
    people: dict[int, tuple[UserAccount, list[int]]] = {}
    for person, institution_id in session.execute(
        select(UserAccount, Membership.institution_id)
        .join(Membership, Membership.user_id == UserAccount.id)
        .where(
            Membership.institution_id.in_(counts),
            Membership.ended_at.is_(None),
            Membership.role.in_(TOLD),
            UserAccount.active.is_(True),
            UserAccount.email.is_not(None),
        )
        .order_by(UserAccount.id, Membership.id)
    ):
        people.setdefault(person.id, (person, []))[1].append(institution_id)
    queued = 0
    for person, institution_ids in people.values():
        facts = {
            **_way_in(session, person, by=by, base_url=base_url),
            "login": person.login,
            "count": sum(counts[one] for one in institution_ids),
        }
        due = min(until[one] for one in institution_ids)
        to = Recipient(person.id, person.email or "", person.language or country.national)
        about = mail_facts(of, country, due, facts)
        queued += queue_mail(session, "issued", to, languages=country.languages, about=about) is not None
    return queued


def _way_in(session: Session, person: UserAccount, *, by: Principal, base_url: str) -> dict[str, str]:
    if person.password_hash:
        return {"url": f"{base_url}/login", "code": ""}
    invited = accounts.invite(session, person, by=by)
    return {"url": accounts.LinkMaker(base_url)(invited.token), "code": invited.spoken_code}


def mail_facts(
    of: ReportingRound, country: CountryFacts, due: date, facts: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return what a mail about a round says, in each language of the portal."""
    return {
        code: {
            **facts,
            "round": pick(of.titles, code, country.languages),
            "due": format_date(due, format="d MMMM y", locale=code),
            "message": pick(of.message, code, country.languages),
            "secretariat": pick(country.secretariat, code, country.languages),
            "portal": pick(country.portal_name, code, country.languages),
        }
        for code in country.languages
    }
