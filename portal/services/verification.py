"""Is what is stored still what was done? The audit chain, the signatures, the statuses, against an outside anchor."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.errors import PortalError
from portal.models import AuditEvent, EarlierCover, PackedReply, SigningPack, Snapshot, Submission, SubmissionEvent
from portal.models.lifecycle import HANDS_IN, OPEN_TO_STAFF, fold
from portal.queries.questionnaires import definition
from portal.queries.submissions import head_by_id
from portal.services import audit
from portal.services.packs import seal
from portal.services.snapshots import drift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def faults_of(session: Session, *, head: str | None = None) -> list[str]:
    """Return everything that does not fit, each with its place; an empty list means all is whole.

    ``head`` is the hash of an audit event noted elsewhere (a backup, a mail): a chain cut off at its end is whole in
    itself, and only such an anchor shows it.
    """
    faults = audit.verify(session)
    if head and session.scalar(select(AuditEvent.id).where(AuditEvent.hash == head)) is None:
        faults.append(f"no audit event has the hash {head}: the chain was cut off or replaced after that event")
    return [
        *faults,
        *_snapshot_faults(session),
        *_drift_faults(session),
        *_pack_faults(session),
        *_status_faults(session),
    ]


def _snapshot_faults(session: Session) -> list[str]:
    """Hold each snapshot against its own sha256, and each signing in the audit chain against its snapshot."""
    faults: list[str] = []
    known: set[tuple[str, str]] = set()
    rows = session.execute(
        select(Snapshot.public_id, Snapshot.canonical, Snapshot.sha256, Submission.public_id.label("submission"))
        .join(Submission, Submission.id == Snapshot.submission_id)
        .order_by(Snapshot.id)
        .execution_options(yield_per=200)
    )
    for row in rows:
        known.add((row.submission, row.sha256))
        if hashlib.sha256(row.canonical.encode()).hexdigest() != row.sha256:
            faults.append(f"snapshot {row.public_id} of submission {row.submission} was changed")
    signings = session.execute(
        select(AuditEvent.number, AuditEvent.object_id, AuditEvent.details)
        .where(AuditEvent.object_kind == "submission")
        .order_by(AuditEvent.number)
    )
    for number, thing, details in signings:
        sha256 = details.get("sha256") if isinstance(details, dict) else None
        if sha256 and (thing, sha256) not in known:
            faults.append(f"audit event {number} signed {sha256}, but submission {thing} has no such snapshot")
    return faults


def _drift_faults(session: Session) -> list[str]:
    """Hold what stands handed in against its newest snapshot: nobody changed it past the portal."""
    newest = select(func.max(Snapshot.id)).group_by(Snapshot.submission_id)
    faults: list[str] = []
    standing = session.scalars(
        select(Snapshot.id)
        .join(Submission, Submission.id == Snapshot.submission_id)
        .where(Snapshot.id.in_(newest), Submission.status.in_(sorted(OPEN_TO_STAFF)))
        .order_by(Submission.id)
    ).all()
    for number in standing:  # one at a time: each holds a whole reply
        row = session.execute(
            select(
                Snapshot.submission_id,
                Snapshot.canonical,
                Snapshot.signed_by,
                SubmissionEvent.submission_id.label("of"),
                SubmissionEvent.action,
            )
            .join(SubmissionEvent, SubmissionEvent.id == Snapshot.event_id)
            .where(Snapshot.id == number)
        ).one()
        head = head_by_id(session, row.submission_id)
        place = f"submission {head.public_id}"
        try:
            differs = drift(session, head, definition(session, head.version_id), row.canonical)
            if json.loads(row.canonical).get("signed_by") != row.signed_by:
                differs.append("signed_by")
        except (ValueError, KeyError, TypeError):
            differs = ["snapshot"]
        if row.of != head.id or row.action not in HANDS_IN:
            differs.append("event")
        faults.extend(f"{place}: its {name} is not what was handed in" for name in differs)
    return faults


def _pack_faults(session: Session) -> list[str]:
    """Hold each pack against its seal, its printed bytes and the acts that speak of it."""
    faults: list[str] = []
    printed: dict[int, list[str]] = {}
    for pack_id, canonical, sha256 in session.execute(
        select(PackedReply.pack_id, PackedReply.canonical, PackedReply.sha256).order_by(
            PackedReply.pack_id, PackedReply.position, PackedReply.id
        )
    ):
        printed.setdefault(pack_id, []).append(hashlib.sha256(canonical.encode()).hexdigest())
        if printed[pack_id][-1] != sha256:
            faults.append(f"a reply printed in pack {pack_id} was changed")
    told = session.execute(
        select(AuditEvent.object_id, AuditEvent.action, AuditEvent.details)
        .where(AuditEvent.object_kind == "signing_pack")
        .order_by(AuditEvent.number)
    ).all()
    audited = {(thing, action): details for thing, action, details in told}
    stored = select(SigningPack).order_by(SigningPack.id).execution_options(populate_existing=True)
    packs = session.scalars(stored).all()
    for pack in packs:
        place = f"pack {pack.code}"
        made = audited.get((pack.public_id, "print_pack")) or {}
        if seal(pack.code, printed.get(pack.id, [])) != pack.sha256 or made.get("sha256") != pack.sha256:
            faults.append(f"{place}: what it holds is not what was printed")
        signed = audited.get((pack.public_id, "sign_pack"))
        if (signed is None) != (pack.signed_at is None):
            faults.append(f"{place}: its signed cover is not the one that was taken")
        if ((pack.public_id, "cancel_pack") in audited) != (pack.cancelled_at is not None):
            faults.append(f"{place}: whether it was taken back is not what was done")
    faults.extend(_cover_faults(session, packs, told))
    gone = {thing for thing, action in audited if action == "print_pack"} - {pack.public_id for pack in packs}
    faults.extend(f"pack {public_id} was printed, but is not there" for public_id in sorted(gone))
    return faults


def _cover_faults(session: Session, packs: Sequence[SigningPack], told: Sequence[Any]) -> list[str]:
    """Hold letter and cover of each pack, and the covers given before, against what was said of them, in order."""
    written: dict[str, Any] = {}
    given: dict[str, list[str]] = {}
    for thing, action, details in told:
        if action in {"sign_pack", "correct_letter", "replace_cover"}:
            written[thing] = details
        if action in {"sign_pack", "replace_cover"}:
            given.setdefault(thing, []).append(str((details or {}).get("cover")))
    kept: dict[int, list[str]] = {}
    for pack_id, sha256 in session.execute(
        select(EarlierCover.pack_id, EarlierCover.sha256).order_by(EarlierCover.pack_id, EarlierCover.number)
    ):
        kept.setdefault(pack_id, []).append(sha256)
    faults = []
    for pack in packs:
        last = written.get(pack.public_id)
        if last and _signed_as(pack) != last:
            faults.append(f"pack {pack.code}: its signed cover is not the one that was taken")
        if kept.get(pack.id, []) != given.get(pack.public_id, [])[:-1]:
            faults.append(f"pack {pack.code}: the covers that were given before are not the ones that were taken")
    return faults


def _signed_as(pack: SigningPack) -> dict[str, str | None]:
    return {
        "sha256": pack.sha256, "cover": pack.cover_sha256, "letter": pack.letter_number,
        "letter_on": pack.letter_on.isoformat() if pack.letter_on else None, "name": pack.signer_name,
        "post": pack.signer_post,
    }  # fmt: skip


def _status_faults(session: Session) -> list[str]:
    """Fold every submission's events and hold the result against the status kept on it."""
    faults: list[str] = []
    events: dict[int, list[SubmissionEvent]] = {}
    by_submission = (SubmissionEvent.submission_id, SubmissionEvent.number)
    for event in session.scalars(select(SubmissionEvent).order_by(*by_submission)):
        events.setdefault(event.submission_id, []).append(event)
    rows = session.execute(
        select(Submission.id, Submission.public_id, Submission.status, Submission.hand_in, Submission.signature)
        # what a unit answers its institution has no life of its own
        .where(Submission.assignment_id.is_not(None))
        .order_by(Submission.id)
    )
    for number, public_id, status, hand_in, signature in rows:
        mine = events.get(number, [])
        if [event.number for event in mine] != list(range(1, len(mine) + 1)):
            faults.append(f"submission {public_id}: an event is missing")
            continue
        try:
            state = fold(mine)
        except PortalError:
            faults.append(f"submission {public_id}: its events do not follow from each other")
            continue
        if (state.status, state.hand_in) != (status, hand_in):
            faults.append(f"submission {public_id} says {status}, its events say {state.status}")
        if state.signature != signature:
            faults.append(f"submission {public_id}: its signature is {signature}, its events say {state.signature}")
    return faults
