"""Signing on paper: print replies as one pack, hand it in with the signature to follow, take the signed cover."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import clock
from portal.errors import Conflict, IllegalTransition, Invalid
from portal.models import Action, EarlierCover, PackedReply, SigningPack, Snapshot, Status
from portal.models.base import verification_code
from portal.permissions import Permission, Target, require
from portal.queries.packs import may_be_corrected, may_be_packed
from portal.queries.questionnaires import definition
from portal.queries.submissions import events, head_by_id, stored_reply
from portal.services import audit
from portal.services.events import append_event, locked, locked_all
from portal.services.snapshots import canonical_json, drift, freeze, keep_snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.models import Submission
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.services.evidence import ReceivedFile


@dataclass(frozen=True)
class Letter:
    """What is written on the letter of a signed pack."""

    number: str
    on: date | None
    signer_name: str = ""
    signer_post: str = ""


@dataclass(frozen=True)
class SignedCover:
    """What stands on a signed, stamped cover, and the photo or scan of it."""

    file: ReceivedFile
    letter_number: str
    letter_on: date
    signer_name: str = ""
    signer_post: str = ""


def print_pack(session: Session, heads: Sequence[SubmissionHead], *, by: Principal) -> SigningPack:
    """Freeze replies of one institution and round as one pack, to be printed and signed; call inside ``write()``.

    Raises:
        Invalid: if none is chosen, or they do not belong together.
        IllegalTransition: if one of them cannot be signed on paper now. Conflict: if it is in another pack.
    """
    if not heads:
        raise Invalid(_l("Choose at least one reply to print."), code="nothing_chosen")
    if len({(head.institution_id, head.round_id) for head in heads}) > 1:
        raise Invalid(_l("Only replies of one institution and one round can be signed together."))
    for head in heads:
        require(by, Permission.RECORD_SIGNATURE, Target(head.institution_id, head.status))
    locked_all(session, [head.id for head in heads])
    heads = [head_by_id(session, head.id) for head in heads]
    _refuse_packed(session, heads)
    code = verification_code()
    lines = [(head, _printed(session, head)) for head in heads]
    hashes = [hashlib.sha256(text.encode()).hexdigest() for _head, text in lines]
    pack = SigningPack(
        code=code,
        round_id=heads[0].round_id,
        institution_id=heads[0].institution_id,
        sha256=seal(code, hashes),
        made_by=by.actor_id,
        made_at=clock.now(),
    )
    session.add(pack)
    session.flush()
    session.add_all(
        PackedReply(pack_id=pack.id, submission_id=head.id, position=number, canonical=text, sha256=sha256)
        for number, ((head, text), sha256) in enumerate(zip(lines, hashes, strict=True), start=1)
    )
    session.flush()
    audit.record(
        session, "print_pack", by=by, kind="signing_pack", thing=pack.public_id, sha256=pack.sha256, replies=hashes
    )
    return pack


def seal(code: str, hashes: Sequence[str]) -> str:
    """Return the sha256 of a pack: over its code and the hashes of its replies, in the order of the cover."""
    return hashlib.sha256(canonical_json([code, *hashes]).encode()).hexdigest()


def _refuse_packed(session: Session, heads: Sequence[SubmissionHead]) -> None:
    for head in heads:
        if not may_be_packed(head):
            raise IllegalTransition(
                _l("A reply you chose cannot be signed on paper now. Reload the page to see how things stand.")
            )
    taken = session.scalar(
        select(PackedReply.id).where(
            PackedReply.submission_id.in_([head.id for head in heads]), PackedReply.open.is_(True)
        )
    )
    if taken is not None:
        raise Conflict(_l("A reply you chose is already printed in another pack. Reload the page."), code="in_a_pack")


def _printed(session: Session, head: SubmissionHead) -> str:
    """Return the bytes that are printed: of what was handed in already, the very snapshot of it."""
    if head.status is not Status.AWAITING_SIGN_OFF:
        return _latest(session, head).canonical
    of = definition(session, head.version_id)
    reply = stored_reply(session, head.id, of)
    number = len(events(session, head.id))
    return freeze(session, head, number, of, reply, hidden=sorted(head.hidden), signed_by=None)


def _latest(session: Session, head: SubmissionHead) -> Snapshot:
    return session.scalars(
        select(Snapshot).where(Snapshot.submission_id == head.id).order_by(Snapshot.id.desc()).limit(1)
    ).one()


def printed_text(session: Session, submission_id: int) -> str | None:
    """Return what was printed of a reply, while it is in a pack that is out."""
    return session.scalar(
        select(PackedReply.canonical).where(PackedReply.submission_id == submission_id, PackedReply.open.is_(True))
    )


def hand_in_pack(session: Session, pack: SigningPack, *, by: Principal) -> int:
    """Hand in now what waits in a pack, its signature to follow; return how many replies that were.

    Raises:
        Conflict: if the pack is no longer out, or nothing in it waits to be handed in.
    """
    pack = _locked(session, pack)
    done = 0
    for packed in _open(session, pack):
        head, submission = _both(session, packed)
        if submission.status is Status.AWAITING_SIGN_OFF:
            _hand_in(session, head, submission, Action.HAND_IN_PENDING, packed, pack, by=by)
            done += 1
    if not done:
        raise Conflict(_l("Everything in this pack is handed in already. Reload the page to see how things stand."))
    return done


def sign_pack(session: Session, pack: SigningPack, cover: SignedCover, *, by: Principal) -> int:
    """Take the signed cover of a pack: every reply still in it is signed on paper; return how many that are.

    The file was received before (``evidence.receive``). All or none.

    Raises:
        Conflict: if the pack is no longer out, or none of its replies is still in it.
    """
    pack = _locked(session, pack)
    standing = _open(session, pack)
    if not standing:
        raise _empty()
    for packed in standing:
        head, submission = _both(session, packed)
        if drift(session, head, definition(session, head.version_id), packed.canonical):
            raise Conflict(_l("A reply is no longer what was printed. Take the pack back and print it anew."))
        packed.open = False
        session.flush()
        if submission.status is Status.AWAITING_SIGN_OFF:
            _hand_in(session, head, submission, Action.SIGN_ON_PAPER, packed, pack, by=by, letter=cover)
        else:
            _sign_later(session, head, submission, packed, pack, by=by, letter=cover)
    pack.letter_number, pack.letter_on = cover.letter_number, cover.letter_on
    pack.signer_name, pack.signer_post = cover.signer_name, cover.signer_post
    pack.cover_name, pack.cover_type = cover.file.filename, cover.file.media_type
    pack.cover_size, pack.cover_sha256 = cover.file.size, cover.file.sha256
    pack.signed_by, pack.signed_at = by.actor_id, clock.now()
    session.flush()
    audit.record(
        session, "sign_pack", by=by, kind="signing_pack", thing=pack.public_id, sha256=pack.sha256,
        cover=cover.file.sha256, letter=cover.letter_number, letter_on=cover.letter_on.isoformat(),
        name=cover.signer_name, post=cover.signer_post,
    )  # fmt: skip
    return len(standing)


def correct_letter(session: Session, pack: SigningPack, letter: Letter, *, by: Principal) -> SigningPack:
    """Correct what is written on the letter of a signed pack; the acts it signed keep what was sent first.

    Raises:
        Conflict: if it is not signed, or its review has begun.
    """
    pack = _to_correct(session, pack)
    if letter.on is None:
        raise _settled()
    pack.letter_number, pack.letter_on = letter.number, letter.on
    pack.signer_name, pack.signer_post = letter.signer_name, letter.signer_post
    session.flush()
    _record_letter(session, "correct_letter", pack, by=by)
    return pack


def replace_cover(session: Session, pack: SigningPack, file: ReceivedFile, *, by: Principal) -> SigningPack:
    """Give another photo or scan of the cover of a signed pack; the one before it is kept, as are its signatures.

    The file was received before (``covers.receive``). The same file again changes nothing.

    Raises:
        Conflict: if it is not signed, or its review has begun.
    """
    pack = _to_correct(session, pack)
    if file.sha256 == pack.cover_sha256 or not pack.cover_sha256:
        return pack
    many = session.scalar(select(func.count()).select_from(EarlierCover).where(EarlierCover.pack_id == pack.id)) or 0
    session.add(
        EarlierCover(
            pack_id=pack.id, number=many + 1, name=pack.cover_name, media_type=pack.cover_type, size=pack.cover_size,
            sha256=pack.cover_sha256, replaced_by=by.actor_id, replaced_at=clock.now(),
        )
    )  # fmt: skip
    pack.cover_name, pack.cover_type = file.filename, file.media_type
    pack.cover_size, pack.cover_sha256 = file.size, file.sha256
    session.flush()
    _record_letter(session, "replace_cover", pack, by=by)
    return pack


def _to_correct(session: Session, pack: SigningPack) -> SigningPack:
    """Read a signed pack again, its replies locked, while what came with its signature may be corrected."""
    pack = _read_again(session, pack)
    locked_all(session, list(session.scalars(select(PackedReply.submission_id).where(PackedReply.pack_id == pack.id))))
    if not may_be_corrected(session, pack):
        raise _settled()
    return pack


def _settled() -> Conflict:
    sentence = _l("The letter can be corrected until the secretariat begins to review what was signed with it.")
    return Conflict(sentence, code="letter_settled")


def _record_letter(session: Session, action: str, pack: SigningPack, *, by: Principal) -> None:
    audit.record(
        session, action, by=by, kind="signing_pack", thing=pack.public_id, sha256=pack.sha256,
        cover=pack.cover_sha256, letter=pack.letter_number,
        letter_on=pack.letter_on.isoformat() if pack.letter_on else None, name=pack.signer_name, post=pack.signer_post,
    )  # fmt: skip


def cancel_pack(session: Session, pack: SigningPack, *, by: Principal) -> SigningPack:
    """Take a pack back: its paper is worth nothing any more, its replies can be printed again.

    Raises:
        Conflict: if the pack is no longer out.
    """
    pack = _locked(session, pack)
    for packed in _open(session, pack):
        packed.open = False
    pack.cancelled_by, pack.cancelled_at = by.actor_id, clock.now()
    session.flush()
    audit.record(session, "cancel_pack", by=by, kind="signing_pack", thing=pack.public_id)
    return pack


def _locked(session: Session, pack: SigningPack) -> SigningPack:
    """Read a pack again, locked on PostgreSQL.

    Raises:
        Conflict: if it is no longer out: somebody else, or an earlier click, was first.
    """
    found = _read_again(session, pack)
    _check_out(found)
    return found


def _read_again(session: Session, pack: SigningPack) -> SigningPack:
    return session.scalars(
        select(SigningPack)
        .where(SigningPack.id == pack.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def check_waits(session: Session, pack: SigningPack) -> None:
    """Look, before its cover is read, whether a pack waits for one; ``sign_pack`` decides again.

    Raises:
        Conflict: if it is no longer out, or none of its replies is still in it.
    """
    _check_out(pack)
    if not _open(session, pack):
        raise _empty()


def check_correctable(session: Session, pack: SigningPack) -> None:
    """Look, before another cover is read, whether it may be given; ``replace_cover`` decides again.

    Raises:
        Conflict: if the pack is not signed, or its review has begun.
    """
    if not may_be_corrected(session, pack):
        raise _settled()


def _check_out(pack: SigningPack) -> None:
    if pack.signed_at is not None:
        raise Conflict(_l("The signed cover of this pack has been taken already."), code="pack_signed")
    if pack.cancelled_at is not None:
        raise Conflict(_l("This pack was taken back. Print a new one."), code="pack_cancelled")


def _empty() -> Conflict:
    return Conflict(_l("No reply is left in this pack: print a new one."), code="empty_pack")


def _open(session: Session, pack: SigningPack) -> Sequence[PackedReply]:
    return session.scalars(
        select(PackedReply)
        .where(PackedReply.pack_id == pack.id, PackedReply.open.is_(True))
        .order_by(PackedReply.submission_id)
        .execution_options(populate_existing=True)
    ).all()


def _both(session: Session, packed: PackedReply) -> tuple[SubmissionHead, Submission]:
    submission = locked(session, packed.submission_id)
    return head_by_id(session, packed.submission_id), submission


def _details(pack: SigningPack, letter: SignedCover | None) -> dict[str, str]:
    found = {"pack": pack.code}
    if letter is not None:
        found |= {
            "letter": letter.letter_number, "letter_on": letter.letter_on.isoformat(),
            "name": letter.signer_name, "post": letter.signer_post, "cover": letter.file.sha256,
        }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _hand_in(
    session: Session,
    head: SubmissionHead,
    submission: Submission,
    action: Action,
    packed: PackedReply,
    pack: SigningPack,
    *,
    by: Principal,
    letter: SignedCover | None = None,
) -> None:
    event = append_event(
        session, submission, action, by=by, institution_id=head.institution_id, details=_details(pack, letter)
    )
    snapshot = keep_snapshot(session, head, event, packed.canonical)
    if letter is not None:
        packed.signed_event_id = event.id
    audit.record(
        session, action.value, by=by, kind="submission", thing=head.public_id, sha256=snapshot.sha256, pack=pack.code
    )


def _sign_later(
    session: Session,
    head: SubmissionHead,
    submission: Submission,
    packed: PackedReply,
    pack: SigningPack,
    *,
    by: Principal,
    letter: SignedCover,
) -> None:
    """Record the signature that was to follow, under the snapshot that was printed."""
    if _latest(session, head).sha256 != packed.sha256:
        raise Conflict(_l("A reply is no longer what was printed. Take the pack back and print it anew."))
    action = Action.RECORD_SIGNATURE
    event = append_event(
        session, submission, action, by=by, institution_id=head.institution_id, details=_details(pack, letter)
    )
    packed.signed_event_id = event.id
    audit.record(
        session, action.value, by=by, kind="submission", thing=head.public_id, sha256=packed.sha256, pack=pack.code
    )
