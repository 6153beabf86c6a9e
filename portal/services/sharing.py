"""Sharing out the work on a reply: handing questions to a person, by link and code where they have no account."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from forms.following import follow_ups
from forms.tables import countable, may_change
from portal import clock
from portal.errors import IllegalTransition, Invalid
from portal.models import Actor, ActorKind, Delegation
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, Target, require
from portal.queries.sharing import delegation_by_token, find_delegation
from portal.services import audit, sessions
from portal.services.accounts import CODE_LENGTH, CODE_LETTERS, normal_code
from portal.services.delegated import ShareEnded, check_standing
from portal.services.events import locked
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.models import UserAccount
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead

LONGEST_NAME = 200
LONGEST_NOTE = 2000
# wrong codes in all, beyond those that the throttle lets through in a quarter of an hour
MOST_ATTEMPTS = 100
# by default a person has until this many days before the reply is due
DAYS_BEFORE = 3
NONE_CHOSEN = _l("Choose at least one question or page.")


@dataclass(frozen=True)
class Given:
    """A delegation with what opens it; link and code exist here only, the database keeps their hashes."""

    delegation: Delegation
    token: str
    code: str

    @property
    def spoken_code(self) -> str:
        """The code in two halves, as it is read out."""
        return f"{self.code[:4]}-{self.code[4:]}"


@dataclass(frozen=True)
class Asked:
    """What is handed to somebody: questions and tables, which answers they may see quoted, a note, until when."""

    codes: Sequence[str]
    until: datetime
    quoted: Sequence[str] = ()
    note: str = ""


def default_day(due_on: date, today: date) -> date:
    """Return until when a person is asked by default: some days before the reply is due, never in the past."""
    wanted = due_on - timedelta(days=DAYS_BEFORE)
    if wanted <= today:
        wanted = due_on
    return wanted if wanted > today else today + timedelta(days=DAYS_BEFORE)


def end_of(day: date, time_zone: str) -> datetime:
    """Return the moment at which a day is over in the country."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone))


def delegate(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    asked: Asked,
    *,
    name: str,
    contact: str = "",
    colleague: UserAccount | None = None,
    by: Principal,
) -> Given:
    """Hand some questions of a reply to a person; a colleague with an account needs no link.

    Raises:
        NotAllowed: if ``by`` may not share this reply out. IllegalTransition: it can no longer be changed.
        Invalid: without a name or a question, or until a day that is over.
    """
    require(by, Permission.SHARE_SUBMISSION, Target(head.institution_id))
    submission = locked(session, head.id)
    if submission.status not in EDITABLE:
        raise IllegalTransition
    codes = chosen(definition, asked.codes, head)
    check_until(asked.until)
    wanted = " ".join(name.split())[:LONGEST_NAME]
    if not wanted:
        raise _refused("name", _l("Write who the person is: a name or a post."))
    made = make(
        session, head, Asked(codes, asked.until, asked.quoted, asked.note),
        submission_id=head.id, name=wanted, contact=contact, user_id=colleague.id if colleague else None, by=by,
    )  # fmt: skip
    audit.record(
        session, "share", by=by, kind="delegation", thing=made.delegation.public_id, submission=head.public_id,
        questions=list(codes), until=asked.until.isoformat(), account=colleague.public_id if colleague else None,
    )  # fmt: skip
    return made


def make(
    session: Session,
    head: SubmissionHead,
    asked: Asked,
    *,
    submission_id: int,
    name: str,
    contact: str = "",
    user_id: int | None = None,
    collection_id: int | None = None,
    unit_id: int | None = None,
    by: Principal,
) -> Given:
    """Make the row of a delegation, its link and code, and the actor as whom the person writes."""
    token, code = _secrets()
    made = Delegation(
        submission_id=submission_id,
        collection_id=collection_id,
        unit_id=unit_id,
        user_id=user_id,
        items=list(asked.codes),
        quoted=list(asked.quoted),
        name=name,
        contact=contact.strip()[:LONGEST_NAME],
        note=asked.note.strip()[:LONGEST_NOTE],
        token_hash=sessions.token_digest(token),
        code_hash=_digest(token, code),
        expires_at=asked.until,
        created_by=by.actor_id,
        held_by=by.actor_id,
    )
    session.add(made)
    session.flush()
    session.add(Actor(kind=ActorKind.DELEGATION, delegation_id=made.id, on_behalf_of=head.institution_id))
    session.flush()
    return Given(made, token, code)


def _secrets() -> tuple[str, str]:
    return secrets.token_urlsafe(24), "".join(secrets.choice(CODE_LETTERS) for _letter in range(CODE_LENGTH))


def _digest(token: str, code: str) -> str:
    # tied to the token, so that the stored hash of a short code cannot be searched through
    return sessions.token_digest(f"{token}:{normal_code(code)}")


def _refused(field: str, sentence: object) -> Invalid:
    return Invalid(sentence, problems=[Problem(sentence, field=field)])  # type: ignore[arg-type] # a lazy sentence


def chosen(definition: Definition, codes: Collection[str], head: SubmissionHead) -> list[str]:
    """Return what is handed out with ``codes``, as :func:`with_follow_ups` does.

    Raises:
        Invalid: if there is nothing.
    """
    found = with_follow_ups(definition, codes, head)
    if not found:
        raise _refused("codes", NONE_CHOSEN)
    return found


def with_follow_ups(definition: Definition, codes: Collection[str], head: SubmissionHead) -> list[str]:
    """Return the questions and tables among ``codes`` that can be answered, in their order; a page stands for its own.

    What is not asked at present, and will be by answers to these alone, goes along: else nobody could answer it.
    """
    wanted = {code for page in definition.pages if page.code in codes for code in countable(definition, page.code)}
    wanted |= set(codes)
    wanted |= set(follow_ups(definition, wanted, head.hidden))
    return [code for code in countable(definition) if code in wanted and may_change(definition, code, head.unlocked)]


def check_until(until: datetime) -> None:
    """Refuse a moment that has passed.

    Raises:
        Invalid: if it has.
    """
    if until <= clock.now():
        raise _refused("until", _l("Choose a day that is not over yet."))


def renew(session: Session, head: SubmissionHead, delegation: Delegation, *, until: datetime, by: Principal) -> Given:
    """Make a new link and code, also for what was taken back, left out or ran out; the old ones are void everywhere."""
    hold(session, head, delegation, by)
    check_until(until)
    token, code = _secrets()
    delegation.token_hash, delegation.code_hash = sessions.token_digest(token), _digest(token, code)
    delegation.attempts, delegation.expires_at = 0, until
    delegation.revoked_at = delegation.finished_at = delegation.left_out_at = None
    session.flush()
    audit.record(session, "renew_share", by=by, kind="delegation", thing=delegation.public_id)
    return Given(delegation, token, code)


def extend(
    session: Session, head: SubmissionHead, delegation: Delegation, *, until: datetime, by: Principal
) -> Delegation:
    """Give a person more time, or less; link and code stay."""
    hold(session, head, delegation, by)
    check_until(until)
    delegation.expires_at, delegation.finished_at = until, None
    session.flush()
    audit.record(
        session, "extend_share", by=by, kind="delegation", thing=delegation.public_id, until=until.isoformat()
    )
    return delegation


def revoke(session: Session, head: SubmissionHead, delegation: Delegation, *, by: Principal) -> Delegation:
    """Take questions back from a person: nothing more can be saved; what was saved stays."""
    hold(session, head, delegation, by)
    if delegation.revoked_at is None:
        delegation.revoked_at = clock.now()
        session.flush()
        audit.record(session, "revoke_share", by=by, kind="delegation", thing=delegation.public_id)
    return delegation


def hold(session: Session, head: SubmissionHead, delegation: Delegation, by: Principal) -> None:
    """Lock what a delegation is about, so that a save comes wholly before or after; ``by`` must hold the reply."""
    require(by, Permission.SHARE_SUBMISSION, Target(head.institution_id))
    locked(session, delegation.submission_id)
    session.refresh(delegation)


def open_link(session: Session, token: str) -> Delegation | None:
    """Return what a link opens, if it still does; opening it, as preview robots of chats do, changes nothing."""
    found = delegation_by_token(session, sessions.token_digest(token))
    if found is None or found.user_id is not None or found.attempts >= MOST_ATTEMPTS:
        return None
    try:
        check_standing(found.revoked_at, found.expires_at)
    except ShareEnded:
        return None
    return found


def throttle_key(delegation: Delegation) -> str:
    """Return under which key wrong codes are counted."""
    return sessions.token_digest("share:" + delegation.public_id)


def enter(session: Session, token: str, code: str) -> Delegation | None:
    """Let a person in by link and code, on any number of devices; None if the code is wrong, which is counted.

    Call :func:`portal.services.sessions.check_throttle` before.
    """
    delegation = open_link(session, token)
    if delegation is None:
        return None
    account = throttle_key(delegation)
    # counted inside the transaction that judges: parallel guesses queue behind one another
    session.refresh(delegation, with_for_update=True)
    sessions.check_throttle(session, account)
    right = hmac.compare_digest(delegation.code_hash, _digest(token, code))
    sessions.note_attempt(session, account, succeeded=right)
    if not right:
        delegation.attempts += 1
        session.flush()
        return None
    if delegation.opened_at is None:
        delegation.opened_at = clock.now()
    session.flush()
    return delegation


def finish(session: Session, message: str, *, by: Principal) -> Delegation:
    """Say that one is done, perhaps with a word to the focal point; until its day the person may still change things.

    Raises:
        ShareEnded: if it was taken back or its time is over.
    """
    if by.delegation is None:
        raise ShareEnded
    locked(session, by.delegation.submission_id)
    delegation = find_delegation(session, by.delegation.public_id)
    if delegation is None:
        raise ShareEnded
    session.refresh(delegation)
    check_standing(delegation.revoked_at, delegation.expires_at)
    delegation.finished_at = clock.now()
    delegation.message = message.strip()[:LONGEST_NOTE]
    session.flush()
    audit.record(session, "finish_share", by=by, kind="delegation", thing=delegation.public_id)
    return delegation
