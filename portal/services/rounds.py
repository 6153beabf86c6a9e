"""Reporting rounds: prepared, changed, closed, frozen; and the four dates told plainly apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update

from portal import clock
from portal.errors import Conflict, DuplicateCode, Invalid
from portal.models import (
    Action,
    Assignment,
    AssignmentRecommendation,
    Participation,
    Questionnaire,
    QuestionnaireScope,
    QuestionnaireVersion,
    Recommendation,
    ReportingRound,
    RoundDocument,
    RoundStatus,
    SignOffPolicy,
    Status,
    Submission,
    VersionStatus,
)
from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.services import audit
from portal.services.events import append_event, locked
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

KINDS = ("periodic", "list_of_issues", "mid_term", "follow_up")
# counted back from the day the report is due at the UN: ten weeks to write, clear and translate it, two weeks between
# "due" and "closed" for the late ones, six weeks for institutions to answer
BEFORE_UN_DUE = {"freezes_on": 70, "closes_on": 84, "due_on": 98, "opens_on": 140}
LAPSING = (Status.ISSUED, Status.IN_PROGRESS, Status.RETURNED)


@dataclass(frozen=True)
class RoundFacts:
    """What the coordinator says about a round; all dates are days in the country's time zone."""

    titles: Mapping[str, str]
    opens_on: date
    due_on: date
    closes_on: date
    freezes_on: date
    document_ids: Sequence[int]
    un_due_on: date | None = None
    kind: str = "periodic"
    sign_off_policy: SignOffPolicy = SignOffPolicy.EITHER
    short_version_id: int | None = None
    full_version_id: int | None = None
    institution_version_id: int | None = None
    message: Mapping[str, str] = field(default_factory=dict)
    slug: str = ""


def propose_dates(un_due_on: date) -> dict[str, date]:
    """Return the four dates of a round, counted back from the day the report is due at the UN."""
    return {name: un_due_on - timedelta(days=days) for name, days in BEFORE_UN_DUE.items()}


def create_round(session: Session, facts: RoundFacts, *, by: Principal) -> ReportingRound:
    """Start to prepare a round; nothing reaches an institution before it is issued.

    Raises:
        Invalid: with a problem for each field that is not right.
        DuplicateCode: if the slug is taken.
    """
    require(by, Permission.EDIT_ROUND)
    _check(session, facts)
    slug = _slug(session, facts)
    made = ReportingRound(slug=slug, created_by=by.actor_id, **_columns(facts))
    session.add(made)
    session.flush()
    _set_documents(session, made, facts.document_ids)
    audit.record(session, "create_round", by=by, kind="round", thing=slug)
    return made


def change_round(
    session: Session, of: ReportingRound, facts: RoundFacts, *, revision: int, by: Principal
) -> ReportingRound:
    """Change a round that is not frozen; ``revision`` is the one the person saw.

    Raises:
        Conflict: if somebody else changed it first, or it is frozen.
        Invalid: with a problem for each field that is not right.
    """
    require(by, Permission.EDIT_ROUND)
    of = lock_round(session, of.id)
    if of.status is RoundStatus.FROZEN:
        raise Conflict(_l("This round is frozen: its report is being written from it."))
    if of.revision != revision:
        raise Conflict
    _check(session, facts)
    if of.status is not RoundStatus.DRAFT and facts.sign_off_policy is not of.sign_off_policy:
        raise Invalid(
            problems=[
                Problem(_l("How replies are signed cannot change once the round is issued."), field="sign_off_policy")
            ]
        )
    _move_waiting(session, of, facts)
    for name, value in _columns(facts).items():
        setattr(of, name, value)
    of.revision += 1
    session.flush()
    _set_documents(session, of, facts.document_ids)
    audit.record(session, "change_round", by=by, kind="round", thing=of.slug, revision=of.revision)
    return of


def close_round(session: Session, of: ReportingRound, *, by: Principal) -> int:
    """Close a round: what was not handed in lapses, but for institutions with an extension; return how many lapsed.

    Closing again lets those lapse whose extension has run out.
    """
    require(by, Permission.CLOSE_ROUND)
    of = lock_round(session, of.id)
    if of.status not in {RoundStatus.OPEN, RoundStatus.CLOSED}:
        raise Conflict(_l("Only a round that was issued can be closed."))
    today = clock.today(country_facts(session).time_zone)
    lapsed = _lapse(session, of, by=by, extended_spared_on=today)
    if of.status is RoundStatus.OPEN:
        of.status, of.closed_at = RoundStatus.CLOSED, clock.now()
    audit.record(session, "close_round", by=by, kind="round", thing=of.slug, lapsed=lapsed)
    return lapsed


def freeze_round(session: Session, of: ReportingRound, *, by: Principal) -> ReportingRound:
    """Freeze a closed round, so that a report can be written from it; nothing is taken in late any more."""
    require(by, Permission.CLOSE_ROUND)
    of = lock_round(session, of.id)
    if of.status is RoundStatus.FROZEN:
        return of
    if of.status is not RoundStatus.CLOSED:
        raise Conflict(_l("Close the round before you freeze it."))
    lapsed = _lapse(session, of, by=by, extended_spared_on=None)
    of.status, of.frozen_at = RoundStatus.FROZEN, clock.now()
    audit.record(session, "freeze_round", by=by, kind="round", thing=of.slug, lapsed=lapsed)
    return of


def extend(session: Session, participation: Participation, until: date, *, reason: str, by: Principal) -> Participation:
    """Give an institution more time in a round; what had lapsed there can be answered again.

    Raises:
        Conflict: if the round is frozen.
        Invalid: if the new day is not later than the round's due date, or no reason is given.
    """
    require(by, Permission.EDIT_ROUND)
    of = lock_round(session, participation.round_id)
    if of.status is RoundStatus.FROZEN:
        raise Conflict(_l("This round is frozen: its report is being written from it."))
    if until <= of.due_on:
        raise Invalid(problems=[Problem(_l("Choose a day after the due date of the round."), field="until")])
    if not reason.strip():
        raise Invalid(problems=[Problem(_l("Give a reason: the other side will read it."), field="reason")])
    participation.extended_to, participation.extension_reason = until, reason.strip()
    numbers = session.scalars(
        select(Submission.id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.participation_id == participation.id, Submission.status == Status.LAPSED)
        .order_by(Submission.id)
    ).all()
    for number in numbers:
        append_event(
            session, locked(session, number), Action.RESTORE, by=by, institution_id=participation.institution_id
        )
    audit.record(session, "extend", by=by, kind="participation", thing=participation.public_id, until=until.isoformat())
    return participation


def lock_round(session: Session, round_id: int) -> ReportingRound:
    """Read a round again inside ``write()``, locked on PostgreSQL, so that two clicks queue."""
    return session.scalars(
        select(ReportingRound)
        .where(ReportingRound.id == round_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _lapse(session: Session, of: ReportingRound, *, by: Principal, extended_spared_on: date | None) -> int:
    wanted = (
        select(Submission.id, Assignment.institution_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Participation, Participation.id == Assignment.participation_id)
        .where(Assignment.round_id == of.id, Submission.status.in_(LAPSING))
        .order_by(Submission.id)
    )
    if extended_spared_on is not None:
        wanted = wanted.where(
            func.coalesce(Participation.extended_to, date.min) < extended_spared_on,
        )
    rows = session.execute(wanted).all()
    for number, institution_id in rows:
        append_event(session, locked(session, number), Action.LAPSE, by=by, institution_id=institution_id)
    return len(rows)


def _columns(facts: RoundFacts) -> dict[str, object]:
    return {
        "titles": dict(facts.titles),
        "kind": facts.kind,
        "opens_on": facts.opens_on,
        "due_on": facts.due_on,
        "closes_on": facts.closes_on,
        "freezes_on": facts.freezes_on,
        "un_due_on": facts.un_due_on,
        "sign_off_policy": facts.sign_off_policy,
        "short_version_id": facts.short_version_id,
        "full_version_id": facts.full_version_id,
        "institution_version_id": facts.institution_version_id,
        "message": dict(facts.message),
    }


def _check(session: Session, facts: RoundFacts) -> None:
    problems = [Problem(_l("Give the round a title."), field="titles")] if not any(facts.titles.values()) else []
    if not facts.document_ids:
        problems.append(Problem(_l("Choose at least one document."), field="documents"))
    if facts.short_version_id is None and facts.full_version_id is None:
        problems.append(Problem(_l("Choose at least one questionnaire about recommendations."), field="short_version"))
    if facts.kind not in KINDS:
        problems.append(Problem(_l("Choose what kind of report this round is for."), field="kind"))
    problems += _check_dates(facts) + _check_versions(session, facts)
    if problems:
        raise Invalid(problems=problems)


def _check_dates(facts: RoundFacts) -> list[Problem]:
    pairs = (
        ("due_on", facts.opens_on, facts.due_on, _l("Replies cannot be due before the round opens.")),
        ("closes_on", facts.due_on, facts.closes_on, _l("The round cannot close before replies are due.")),
        ("freezes_on", facts.closes_on, facts.freezes_on, _l("The round cannot be frozen before it closes.")),
        (
            "un_due_on",
            facts.freezes_on,
            facts.un_due_on or facts.freezes_on,
            _l("The report is due at the UN before the round is frozen: move the other dates forward."),
        ),
    )
    return [Problem(sentence, field=name) for name, before, after, sentence in pairs if after < before]


def _check_versions(session: Session, facts: RoundFacts) -> list[Problem]:
    wanted = {
        "short_version": (facts.short_version_id, QuestionnaireScope.RECOMMENDATION),
        "full_version": (facts.full_version_id, QuestionnaireScope.RECOMMENDATION),
        "institution_version": (facts.institution_version_id, QuestionnaireScope.INSTITUTION),
    }
    known = {
        row.id: row
        for row in session.execute(
            select(QuestionnaireVersion.id, QuestionnaireVersion.status, Questionnaire.scope)
            .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
            .where(QuestionnaireVersion.id.in_([number for number, _scope in wanted.values() if number is not None]))
        )
    }
    sentence = _l("This questionnaire cannot be used here: choose a published one of the right kind.")
    return [
        Problem(sentence, field=name)
        for name, (number, scope) in wanted.items()
        if number is not None
        and (number not in known or known[number].status == VersionStatus.DRAFT or known[number].scope != scope)
    ]


def _slug(session: Session, facts: RoundFacts) -> str:
    """Return the slug asked for, else one made of the year and the kind, numbered if taken."""
    given = re.sub(r"[^a-z0-9]+", "-", facts.slug.lower()).strip("-")[:70]
    base = given or f"{(facts.un_due_on or facts.due_on).year}-{facts.kind.replace('_', '-')}"
    taken = set(session.scalars(select(ReportingRound.slug).where(ReportingRound.slug.like(f"{base}%"))))
    if base not in taken:
        return base
    if given:
        raise DuplicateCode("slug")
    return next(name for number in range(2, 1000) if (name := f"{base}-{number}") not in taken)


def _set_documents(session: Session, of: ReportingRound, document_ids: Sequence[int]) -> None:
    """Keep the round's list of documents; one that has assignments cannot be taken out."""
    known = set(session.scalars(select(RoundDocument.document_id).where(RoundDocument.round_id == of.id)))
    gone = known - set(document_ids)
    if gone:
        in_use = session.scalar(
            select(func.count())
            .select_from(AssignmentRecommendation)
            .join(Recommendation, Recommendation.id == AssignmentRecommendation.recommendation_id)
            .where(AssignmentRecommendation.round_id == of.id, Recommendation.document_id.in_(gone))
        )
        if in_use:
            raise Invalid(
                problems=[
                    Problem(
                        _l("A document with assignments cannot be taken out: empty its cells first."),
                        field="documents",
                    )
                ]
            )
        session.execute(
            delete(RoundDocument).where(RoundDocument.round_id == of.id, RoundDocument.document_id.in_(gone))
        )
    session.add_all(RoundDocument(round_id=of.id, document_id=one) for one in sorted(set(document_ids) - known))
    session.flush()


def _move_waiting(session: Session, of: ReportingRound, facts: RoundFacts) -> None:
    """Let what waits to be issued follow the round to another version; what was issued keeps its own."""
    for before, after in (
        (of.short_version_id, facts.short_version_id),
        (of.full_version_id, facts.full_version_id),
    ):
        target = after or facts.short_version_id or facts.full_version_id
        if before is None or before == after or target is None:
            continue
        session.execute(
            update(Assignment)
            .where(Assignment.round_id == of.id, Assignment.issued_at.is_(None), Assignment.version_id == before)
            .values(version_id=target)
            .execution_options(synchronize_session="fetch")
        )
