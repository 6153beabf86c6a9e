"""What of a reply is shared with whom, how far they are, and who holds a reply now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, literal, select, union_all

from forms.tables import answered_codes
from portal import clock
from portal.models import (
    Actor,
    Answer,
    Assignment,
    Collection,
    Delegation,
    Membership,
    Status,
    Submission,
    Unit,
    UserAccount,
)
from portal.models.lifecycle import EDITABLE
from portal.permissions import Scope
from portal.prepared import Prepared
from portal.queries.submissions import head_by_id, standing_rows, stored_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, CompoundSelect
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.queries.submissions import SubmissionHead


class Stage(StrEnum):
    """How far something that was shared is."""

    NOT_OPENED = "not_opened"
    OPENED = "opened"
    STARTED = "started"
    FINISHED = "finished"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Holder(StrEnum):
    """Who holds a reply now: the part, never the person."""

    FOCAL_POINT = "focal_point"
    DELEGATE = "delegate"
    APPROVER = "approver"
    SECRETARIAT = "secretariat"
    NOBODY = "nobody"


@dataclass(frozen=True)
class SharedLine:
    """One delegation as its focal point follows it; ``answered`` of ``asked`` count its own questions alone."""

    delegation: Delegation
    answered: int
    asked: int
    stage: Stage
    last_saved: datetime | None = None

    @property
    def new_since(self) -> bool:
        """Return whether something was saved that was not taken over yet."""
        taken = self.delegation.taken_at
        return self.last_saved is not None and (taken is None or self.last_saved > taken)

    @property
    def running(self) -> bool:
        """Return whether the person can still write."""
        return self.stage not in {Stage.EXPIRED, Stage.REVOKED}


def find_delegation(session: Session, public_id: str) -> Delegation | None:
    """Find a delegation by its public id."""
    return session.scalar(select(Delegation).where(Delegation.public_id == public_id))


def delegation_by_token(session: Session, token_hash: str) -> Delegation | None:
    """Find the delegation of a link, whatever became of it."""
    return session.scalar(select(Delegation).where(Delegation.token_hash == token_hash))


def home_of(session: Session, delegation: Delegation) -> int:
    """Return the reply that a delegation serves: its own, or that of its collection."""
    if delegation.collection_id is None:
        return delegation.submission_id
    return session.scalars(select(Collection.submission_id).where(Collection.id == delegation.collection_id)).one()


def shared_head(session: Session, delegation: Delegation) -> SubmissionHead:
    """Return the answers that a delegation is about, with the reply around them.

    A unit of a collection answers apart: what it asks about, its institution and dates are those of the reply.
    """
    head = head_by_id(session, home_of(session, delegation))
    return head if delegation.collection_id is None else of_unit(session, head, delegation.submission_id)


def of_unit(session: Session, head: SubmissionHead, submission_id: int) -> SubmissionHead:
    """Return the head of what one unit answers, given that of its institution's reply."""
    own = session.get_one(Submission, submission_id, populate_existing=True)
    return replace(
        head, id=own.id, public_id=own.public_id, status=own.status, hand_in=0, signature=None, under_review=False,
        handed_in_at=None, unlocked=None, hidden=frozenset(own.hidden), answered=own.answered, asked=own.asked,
        missing=own.missing, saved_at=own.saved_at, saved_by=own.saved_by,
    )  # fmt: skip


def scope_of(delegation: Delegation, institution_id: int) -> Scope:
    """Return what a delegation opens, as permissions take it."""
    return Scope(
        delegation.id,
        delegation.public_id,
        delegation.submission_id,
        institution_id,
        frozenset(delegation.items),
        frozenset(delegation.quoted),
    )


def actor_of(session: Session, delegation: Delegation) -> int:
    """Return as whom a person without an account acts."""
    return session.scalars(select(Actor.id).where(Actor.delegation_id == delegation.id)).one()


def stage_of(delegation: Delegation, *, begun: bool) -> Stage:
    """Tell how far a delegation is; ``begun``: the person, or the unit, has saved something."""
    if delegation.revoked_at is not None:
        return Stage.REVOKED
    if delegation.finished_at is not None:
        return Stage.FINISHED
    if delegation.expires_at <= clock.now():
        return Stage.EXPIRED
    if begun:
        return Stage.STARTED
    return Stage.OPENED if delegation.opened_at is not None else Stage.NOT_OPENED


def shared_lines(session: Session, head: SubmissionHead, definition: Definition) -> list[SharedLine]:
    """Return what of a reply is shared with single persons, newest first."""
    found = [one for one, _names in shares_of(session, head.id)]
    if not found:
        return []
    stored, rows = stored_reply(session, head.id, definition)
    done = answered_codes(definition, stored, standing_rows(rows), head.hidden)
    wrote = _last_written(session, head.id)
    return [shared_line(one, done, head.hidden, _since_shared(one, wrote)) for one in found]


def shares_of(session: Session, submission_id: int) -> list[tuple[Delegation, Mapping[str, str] | None]]:
    """Return what of a reply was handed to single persons, newest first, with the names of colleagues; one query."""
    rows = session.execute(
        select(Delegation, UserAccount.names)
        .outerjoin(UserAccount, UserAccount.id == Delegation.user_id)
        .where(Delegation.submission_id == submission_id, Delegation.collection_id.is_(None))
        .order_by(Delegation.id.desc())
    )
    return [(one, names) for one, names in rows]


def _last_written(session: Session, submission_id: int) -> list[tuple[int | None, int | None, datetime]]:
    """Return when each writer of a reply wrote last: (delegation, account, moment)."""
    rows = session.execute(
        select(Actor.delegation_id, Actor.user_id, func.max(Answer.answered_at))
        .join(Answer, Answer.answered_by == Actor.id)
        .where(Answer.submission_id == submission_id)
        .group_by(Actor.id, Actor.delegation_id, Actor.user_id)
    )
    return [(delegation_id, user_id, at) for delegation_id, user_id, at in rows]


def _since_shared(one: Delegation, wrote: Iterable[tuple[int | None, int | None, datetime]]) -> datetime | None:
    """Return when a person last wrote of what they were handed; None: what is answered was answered by others."""
    moments = [
        at
        for delegation_id, user_id, at in wrote
        if delegation_id == one.id or (user_id is not None and user_id == one.user_id and at >= one.created_at)
    ]
    return max(moments, default=None)


def shared_line(
    one: Delegation, done: Iterable[str], hidden: frozenset[str], saved: datetime | None = None
) -> SharedLine:
    """Return how far one delegation is; ``done`` are the codes answered, ``hidden`` those not asked.

    Somebody has begun once they ``saved`` something, be it half a row: what stood there before is not their work.
    """
    asked = [code for code in one.items if code not in hidden]
    answered = len(set(asked) & set(done))
    return SharedLine(one, answered, len(asked), stage_of(one, begun=saved is not None), saved)


@dataclass(frozen=True)
class CollectionLine:
    """A collection in a list: how many units were asked, how many have begun or finished."""

    collection: Collection
    units: int
    begun: int
    finished: int


def collections_of(session: Session, submission_ids: Sequence[int]) -> list[CollectionLine]:
    """Return the collections of some replies, newest first, in one query; units that were left out count no more."""
    rows = session.execute(
        select(
            Collection,
            func.count(Delegation.id),
            func.count(Submission.saved_at),
            func.count(Delegation.finished_at),
        )
        .outerjoin(Delegation, and_(Delegation.collection_id == Collection.id, Delegation.left_out_at.is_(None)))
        .outerjoin(Submission, Submission.id == Delegation.submission_id)
        .where(Collection.submission_id.in_(submission_ids))
        .group_by(Collection.id)
        .order_by(Collection.id.desc())
    )
    return [CollectionLine(*row) for row in rows]


def find_collection(session: Session, public_id: str) -> Collection | None:
    """Find a collection by its public id."""
    return session.scalar(select(Collection).where(Collection.public_id == public_id))


def units_of(session: Session, institution_id: int) -> Sequence[Unit]:
    """Return the units that stand on the list of an institution, in their order."""
    return session.scalars(
        select(Unit)
        .where(Unit.institution_id == institution_id, Unit.retired_at.is_(None))
        .order_by(Unit.position, Unit.id)
    ).all()


def retired_units(session: Session, institution_id: int) -> frozenset[int]:
    """Return which units of an institution were taken off its list."""
    return frozenset(
        session.scalars(select(Unit.id).where(Unit.institution_id == institution_id, Unit.retired_at.is_not(None)))
    )


_RUNNING = (
    Delegation.revoked_at.is_(None),
    Delegation.finished_at.is_(None),
    Delegation.expires_at > bindparam("now"),
)
# two indexed looks in one statement: this stands on the answering page
def _at_work(those: Callable[[ColumnElement[int]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    return union_all(
        select(Delegation.submission_id, Delegation.name).where(
            those(Delegation.__table__.c.submission_id), Delegation.collection_id.is_(None), *_RUNNING
        ),
        select(Collection.submission_id, literal(""))
        .join(Delegation, Delegation.collection_id == Collection.id)
        .where(those(Collection.__table__.c.submission_id), *_RUNNING)
        .distinct(),
    )


_AT_WORK_ON_ONE = Prepared(_at_work(lambda reply: reply == bindparam("reply")))
_AT_WORK_ON_MANY = _at_work(lambda reply: reply.in_(bindparam("replies", expanding=True)))


def at_work(session: Session, submission_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return who works on some replies for their focal point and has not finished, by reply; one query.

    A person is named; units of a collection together stand as "".
    """
    found: dict[int, list[str]] = {}
    rows: Iterable[Any] = (
        _AT_WORK_ON_ONE.all(session, {"reply": submission_ids[0], "now": _this_second()})
        if len(submission_ids) == 1
        else session.connection().execute(_AT_WORK_ON_MANY, {"replies": list(submission_ids), "now": _this_second()})
    )
    for submission_id, name in rows:
        found.setdefault(submission_id, []).append(name)
    return found


def at_work_soon(session: Session, submission_id: int) -> None:
    """Tell that :func:`at_work` is about to be asked of one reply."""
    _AT_WORK_ON_ONE.soon(session, {"reply": submission_id, "now": _this_second()})


def _this_second() -> datetime:
    # so that what was told to come and what is asked are the same question
    return clock.now().replace(microsecond=0)


def holder(status: Status, *, shared: bool) -> Holder:
    """Tell who holds a reply now."""
    if status is Status.AWAITING_SIGN_OFF:
        return Holder.APPROVER
    if status in {Status.SUBMITTED, Status.CLAIMED}:
        return Holder.SECRETARIAT
    if status in EDITABLE:
        return Holder.DELEGATE if shared else Holder.FOCAL_POINT
    return Holder.NOBODY


def with_delegates(session: Session, round_id: int) -> frozenset[int]:
    """Return which replies of a round somebody else works on now; one query.

    A collection counts while a unit that was asked has not finished.
    """
    home = func.coalesce(Collection.submission_id, Delegation.submission_id)
    query = (
        select(home)
        .select_from(Delegation)
        .outerjoin(Collection, Collection.id == Delegation.collection_id)
        .join(Submission, Submission.id == home)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.round_id == round_id, *_RUNNING)
        .distinct()
    )
    return frozenset(session.scalars(query, {"now": clock.now()}))


@dataclass(frozen=True)
class Mine:
    """Questions that a colleague with an account was handed."""

    delegation: Delegation
    head: SubmissionHead


def shared_with(session: Session, user_id: int, institution_id: int) -> list[Mine]:
    """Return what a person of an institution was handed and has not finished, the most urgent first."""
    found = session.scalars(
        select(Delegation)
        .where(
            Delegation.user_id == user_id,
            Delegation.revoked_at.is_(None),
            Delegation.finished_at.is_(None),
            Delegation.expires_at > clock.now(),
        )
        .order_by(Delegation.expires_at, Delegation.id)
    ).all()
    heads = [Mine(one, head_by_id(session, one.submission_id)) for one in found]
    return [one for one in heads if one.head.institution_id == institution_id]


def colleagues(session: Session, institution_id: int) -> Mapping[str, UserAccount]:
    """Return the active people of an institution by public id, in the order of their parts."""
    rows = session.scalars(
        select(UserAccount)
        .join(Membership, Membership.user_id == UserAccount.id)
        .where(
            Membership.institution_id == institution_id, Membership.ended_at.is_(None), UserAccount.active.is_(True)
        )
        .order_by(Membership.id)
    )
    return {one.public_id: one for one in rows}

