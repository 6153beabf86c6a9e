"""One question to many institutions at once; no status changes by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal import clock
from portal.models import (
    Clarification,
    ClarificationMessage,
    Membership,
    Role,
    UserAccount,
)
from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.services import audit
from portal.services.clarifications import body_of, mark_read
from portal.services.events import locked_all
from portal.services.mail import Recipient, queue_mail
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead

TOLD = (Role.FOCAL_POINT, Role.ALTERNATE)


@dataclass(frozen=True)
class AskedMany:
    """What became of one question to many: threads opened now, mails queued."""

    threads: int
    mails: int


def ask_many(
    session: Session,
    asked: Sequence[tuple[SubmissionHead, int | None]],
    text: str,
    *,
    batch: str,
    by: Principal,
    base_url: str,
) -> AskedMany:
    """Put one question to many replies: a thread each, on one of its questions or on the whole.

    ``batch`` names the act: done again, only those that were not asked then are asked. Each focal point and alternate
    with an address gets one mail, however many replies of theirs are asked about.
    """
    for head, _question in asked:
        require(by, Permission.ASK_CLARIFICATION, head)
    body, at = body_of(text), clock.now()
    locked_all(session, [head.id for head, _question in asked])
    before = set(session.scalars(select(Clarification.submission_id).where(Clarification.batch == batch)))
    threads = [
        Clarification(
            submission_id=head.id, question_id=question, opened_by=by.actor_id, opened_at=at, batch=batch
        )
        for head, question in asked
        if head.id not in before
    ]
    session.add_all(threads)
    session.flush()
    session.add_all(
        ClarificationMessage(
            clarification_id=one.id, body=body, from_secretariat=True, written_by=by.actor_id, written_at=at
        )
        for one in threads
    )
    session.flush()
    mark_read(session, [one.id for one in threads], by=by)
    new = {one.submission_id for one in threads}
    mails = _tell(session, [head for head, _question in asked if head.id in new], body, base_url)
    entries = [audit.Entry(one.public_id, {"batch": batch}) for one in threads]
    audit.record_all(session, "ask_clarification", entries, by=by, kind="clarification")
    return AskedMany(len(threads), mails)


def _tell(session: Session, heads: Sequence[SubmissionHead], body: str, base_url: str) -> int:
    if not heads:
        return 0
    country = country_facts(session)
    counts = Counter(head.institution_id for head in heads)
    people: dict[int, tuple[UserAccount, int]] = {}
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
        number = people[person.id][1] if person.id in people else 0
        people[person.id] = (person, number + counts[institution_id])
    queued = 0
    for person, number in people.values():
        about = {
            code: {
                "body": body,
                "count": number,
                "url": f"{base_url}/questions",
                "round": pick(heads[0].round_titles, code, country.languages),
                "secretariat": pick(country.secretariat, code, country.languages),
                "portal": pick(country.portal_name, code, country.languages),
            }
            for code in country.languages
        }
        to = Recipient(person.id, person.email or "", person.language or country.national)
        queued += queue_mail(session, "asked", to, languages=country.languages, about=about) is not None
    return queued
