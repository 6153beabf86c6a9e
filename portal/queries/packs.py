"""Packs that are signed on paper: which there are, and what became of each reply in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from portal.models import (
    Action,
    Assignment,
    EarlierCover,
    PackedReply,
    Signature,
    SigningPack,
    SignOffPolicy,
    Snapshot,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.queries.submissions import HEAD, asked_recommendations, head_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.queries.submissions import AskedRecommendation, SubmissionHead

ON_PAPER = frozenset({SignOffPolicy.PAPER, SignOffPolicy.EITHER})


@dataclass(frozen=True)
class Packed:
    """One reply of a pack: how it stands now, what was printed of it, and which act took it out of the pack."""

    head: SubmissionHead
    asked: Sequence[AskedRecommendation]
    sha256: str
    open: bool
    signed: bool
    left_by: Action | None
    left_at: datetime | None
    receipt: str


def may_be_packed(head: SubmissionHead) -> bool:
    """Tell whether a reply can be printed to be signed: complete, or handed in with its signature to follow."""
    if head.sign_off_policy not in ON_PAPER:
        return False
    if head.status is Status.AWAITING_SIGN_OFF:
        return True
    return head.status in {Status.SUBMITTED, Status.CLEARED} and head.signature is Signature.PENDING


def ready(session: Session, institution_id: int, round_id: int) -> list[SubmissionHead]:
    """List the replies of an institution that can be printed now: none that is in a pack already."""
    packed = select(PackedReply.submission_id).where(PackedReply.open.is_(True))
    rows = session.execute(
        HEAD.where(
            Assignment.institution_id == institution_id,
            Assignment.round_id == round_id,
            Submission.status.in_([Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.CLEARED]),
            Submission.id.not_in(packed),
        ).order_by(Assignment.about_institution.desc(), Assignment.position, Assignment.id)
    )
    return [head for head in map(head_of, rows) if may_be_packed(head)]


def rounds_waiting(session: Session, institution_id: int) -> set[int]:
    """Return the rounds in which a reply of an institution waits for its signature on paper, printed or not."""
    rows = session.execute(
        HEAD.where(
            Assignment.institution_id == institution_id,
            Submission.status.in_([Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.CLEARED]),
        ).order_by(Submission.id)
    )
    return {head.round_id for head in map(head_of, rows) if may_be_packed(head)}


def packs_with(session: Session, submission_id: int) -> Sequence[SigningPack]:
    """List the packs that a reply was printed in, the oldest first."""
    return session.scalars(
        select(SigningPack)
        .join(PackedReply, PackedReply.pack_id == SigningPack.id)
        .where(PackedReply.submission_id == submission_id)
        .order_by(SigningPack.id)
    ).all()


def packs_of(session: Session, institution_id: int, round_id: int) -> Sequence[SigningPack]:
    """List the packs of an institution in a round, the newest first."""
    return session.scalars(
        select(SigningPack)
        .where(SigningPack.institution_id == institution_id, SigningPack.round_id == round_id)
        .order_by(SigningPack.id.desc())
    ).all()


def emptied(session: Session, packs: Collection[SigningPack]) -> set[int]:
    """Return which of these packs are out with no reply left in them: their paper waits for nobody."""
    out = {pack.id for pack in packs if pack.out}
    if not out:
        return set()
    held = select(PackedReply.pack_id).where(PackedReply.pack_id.in_(out), PackedReply.open.is_(True))
    return out - set(session.scalars(held))


def first_letter(session: Session, pack: SigningPack) -> Mapping[str, str]:
    """Return what was written on a pack's letter when its cover was sent: letter, letter_on, name, post."""
    details = session.scalar(
        select(SubmissionEvent.details)
        .join(PackedReply, PackedReply.signed_event_id == SubmissionEvent.id)
        .where(PackedReply.pack_id == pack.id)
        .order_by(PackedReply.position)
        .limit(1)
    )
    return details or {}


def earlier_covers(session: Session, pack: SigningPack) -> Sequence[EarlierCover]:
    """List the covers that were given before the one that stands, the oldest first."""
    return session.scalars(
        select(EarlierCover).where(EarlierCover.pack_id == pack.id).order_by(EarlierCover.number)
    ).all()


def may_be_corrected(session: Session, pack: SigningPack) -> bool:
    """Tell whether the letter of a pack may be corrected: something stands signed with it, not yet under review."""
    if pack.signed_at is None:
        return False
    begun = exists().where(
        SubmissionEvent.submission_id == PackedReply.submission_id,
        SubmissionEvent.id > PackedReply.signed_event_id,
        SubmissionEvent.action.in_([Action.START_REVIEW, Action.CLEAR, Action.RETURN]),
    )
    rows = session.execute(
        select(Submission.status, Submission.signature, Submission.under_review, begun.label("begun"))
        .join(PackedReply, PackedReply.submission_id == Submission.id)
        .where(PackedReply.pack_id == pack.id, PackedReply.signed_event_id.is_not(None))
        .order_by(PackedReply.position)
    ).all()
    return not any(row.begun or row.under_review for row in rows) and any(
        row.status is Status.SUBMITTED and row.signature is Signature.PAPER for row in rows
    )


def pack_after(session: Session, pack: SigningPack) -> SigningPack | None:
    """Return the newest pack that is out with a reply that this one was printed with."""
    mine = select(PackedReply.submission_id).where(PackedReply.pack_id == pack.id)
    return session.scalar(
        select(SigningPack)
        .join(PackedReply, PackedReply.pack_id == SigningPack.id)
        .where(PackedReply.submission_id.in_(mine), PackedReply.open.is_(True), SigningPack.id != pack.id)
        .order_by(SigningPack.id.desc())
        .limit(1)
    )


def find_pack(session: Session, public_id: str) -> SigningPack | None:
    """Find a pack by its public id."""
    return session.scalar(select(SigningPack).where(SigningPack.public_id == public_id))


def packed_in(session: Session, pack_id: int) -> list[Packed]:
    """List what a pack was printed with, in the order of its cover; a number of queries that does not grow."""
    lines = session.execute(
        select(
            PackedReply.submission_id, PackedReply.sha256, PackedReply.open, PackedReply.signed_event_id,
            SubmissionEvent.action, SubmissionEvent.done_at,
        )
        .outerjoin(SubmissionEvent, SubmissionEvent.id == PackedReply.left_event_id)
        .where(PackedReply.pack_id == pack_id)
        .order_by(PackedReply.position, PackedReply.id)
    ).all()  # fmt: skip
    ids = [line.submission_id for line in lines]
    heads = {row.id: head_of(row) for row in session.execute(HEAD.where(Submission.id.in_(ids)))}
    asked = asked_recommendations(session, [head.assignment_id for head in heads.values()])
    receipts = {
        (row.submission_id, row.sha256): row.code
        for row in session.execute(
            select(Snapshot.submission_id, Snapshot.sha256, Snapshot.code).where(Snapshot.submission_id.in_(ids))
        )
    }
    return [
        Packed(
            heads[line.submission_id],
            asked.get(heads[line.submission_id].assignment_id, ()),
            line.sha256,
            line.open,
            line.signed_event_id is not None,
            line.action,
            line.done_at,
            receipts.get((line.submission_id, line.sha256), ""),
        )
        for line in lines
    ]


def pack_holding(session: Session, submission_id: int) -> SigningPack | None:
    """Return the pack that is out with a reply in it, if there is one."""
    return session.scalar(
        select(SigningPack)
        .join(PackedReply, PackedReply.pack_id == SigningPack.id)
        .where(PackedReply.submission_id == submission_id, PackedReply.open.is_(True))
    )


def packs_out(session: Session, submission_ids: Collection[int]) -> dict[int, SigningPack]:
    """Return the packs that are out, by the replies they hold."""
    rows = session.execute(
        select(PackedReply.submission_id, SigningPack)
        .join(SigningPack, SigningPack.id == PackedReply.pack_id)
        .where(PackedReply.submission_id.in_(submission_ids), PackedReply.open.is_(True))
        .order_by(SigningPack.id, PackedReply.position)
    )
    return {row.submission_id: row.SigningPack for row in rows}


def printed(session: Session, pack_id: int) -> dict[int, str]:
    """Return the bytes that were printed of each reply of a pack."""
    rows = session.execute(
        select(PackedReply.submission_id, PackedReply.canonical)
        .where(PackedReply.pack_id == pack_id)
        .order_by(PackedReply.position)
    )
    return {row.submission_id: row.canonical for row in rows}
