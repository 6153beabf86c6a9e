"""What was handed in, frozen: canonical JSON of version, texts, answers, states, evidence, signer, and its sha256."""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from forms.question_types import question_type
from forms.tables import standing, stands, tables
from portal import clock
from portal.models import (
    Action,
    Actor,
    Evidence,
    KeptWarning,
    QuestionnaireVersion,
    Snapshot,
    SubmissionEvent,
    UserAccount,
)
from portal.queries.submissions import asked_recommendations, standing_rows, stored_reply
from portal.services.memory import note_hand_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.queries.submissions import AskedRecommendation, StoredReply, SubmissionHead


def canonical_json(value: Any) -> str:
    """Return the one spelling of a JSON value: sorted keys, no spaces, UTF-8 kept."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def content_of(
    head: SubmissionHead,
    event: int,
    definition: Definition,
    reply: StoredReply,
    *,
    asked: Sequence[AskedRecommendation],
    evidence: Sequence[Any],
    hidden: Sequence[str],
    signed_by: int | None,
    asked_in: Mapping[int, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what is frozen of a reply; ``event`` is the number of the event that hands it in.

    ``asked_in`` gives the numbers of the earlier versions that answers were given under, by their keys.
    ``rows`` is there where the questionnaire has tables: the rows of each in their order, with their words in a matrix.
    A removed row and its answers are not handed in.
    """
    rows = standing_rows(reply.rows)
    there = standing(definition, rows)
    content: dict[str, Any] = {
        "submission": head.public_id,
        "event": event,
        "at": clock.now().isoformat(),
        "institution": head.institution_code,
        "round": head.round_slug,
        "questionnaire": {"code": definition.code, "version": definition.version},
        "recommendations": [
            {"symbol": one.symbol, "paragraph": one.paragraph, "sub_item": one.sub_item, "texts": dict(one.texts)}
            for one in asked
        ],
        "questions": {
            item.code: dict(item.texts.get("label") or {})
            for item in definition.questions()
            if question_type(item.type).asks or item.calculation
        },
        "answers": [
            {
                "code": key.code,
                "row": key.row,
                "lang": key.lang,
                "value": answer.value,
                "state": answer.state,
                "revision": answer.revision,
                "answered_by": answer.answered_by,
                "answered_at": answer.answered_at.isoformat() if answer.answered_at else None,
                # an answer kept from an earlier version says so: this version may not know its question any more
                **({"asked_in": asked_in[answer.asked_in]} if answer.asked_in in asked_in else {}),
            }
            for key, answer in sorted(reply.answers.items())
            if stands(definition, key, there)
        ],
        "hidden": sorted(hidden),
        "evidence": [
            {"number": row.number, "id": row.public_id, "name": row.filename or row.url, "sha256": row.sha256}
            for row in evidence
        ],
        "signed_by": signed_by,
    }
    if found := tables(definition):
        content["tables"] = {code: dict(one.item.texts.get("label") or {}) for code, one in found.items()}
        content["rows"] = {
            code: [
                {"key": row.key, "texts": dict(one.item.choice_by_key[row.key].texts)}
                if one.fixed
                else {"key": row.key, "parent": row.parent}
                for row in one.rows(rows)
            ]
            for code, one in found.items()
        }
    return content


def freeze(
    session: Session,
    head: SubmissionHead,
    event: int,
    definition: Definition,
    reply: StoredReply,
    *,
    hidden: Sequence[str],
    signed_by: int | None,
) -> str:
    """Return a reply as canonical JSON, as the event of that number hands it in."""
    asked = asked_recommendations(session, [head.assignment_id]).get(head.assignment_id, [])
    content = content_of(
        head, event, definition, reply, asked=asked, evidence=_evidence(session, head), hidden=hidden,
        signed_by=signed_by,
        asked_in=_numbers(session, {one.asked_in for one in reply.answers.values()} - {head.version_id}),
    )  # fmt: skip
    if signed_by is not None and (signer := signer_of(session, signed_by)):
        content["signer"] = signer
    if kept := kept_warnings(session, head.id):
        content["warnings"] = kept
    return canonical_json(content)


def signer_of(session: Session, actor_id: int) -> dict[str, Any] | None:
    """Return name, honorific and post of a signer as they are at this moment; later they may be others."""
    row = session.execute(
        select(UserAccount.names, UserAccount.honorific, UserAccount.post)
        .join(Actor, Actor.user_id == UserAccount.id)
        .where(Actor.id == actor_id)
    ).first()
    return {"names": row.names, "honorific": row.honorific, "post": row.post} if row else None


def drift(session: Session, head: SubmissionHead, definition: Definition, text: str) -> list[str]:
    """Name what stored answers say otherwise than the snapshot of them: a change that passed by the portal.

    Texts of recommendations and questions may be corrected afterwards; answers, rows, evidence and what was not asked
    may not.
    """
    reply = stored_reply(session, head.id, definition)
    now = content_of(
        head, 0, definition, reply, asked=(), evidence=_evidence(session, head), hidden=sorted(head.hidden),
        signed_by=None,
        asked_in=_numbers(session, {one.asked_in for one in reply.answers.values()} - {head.version_id}),
    )  # fmt: skip
    then, now = json.loads(text), json.loads(canonical_json(now))
    # the scan of a signature that was to follow comes after what it signs
    later = _scans(session, head) - {one["id"] for one in then.get("evidence", ())}
    now["evidence"] = [one for one in now["evidence"] if one["id"] not in later]
    return [name for name in _HELD if then.get(name) != now.get(name)]


_HELD = ("submission", "questionnaire", "answers", "rows", "hidden", "evidence")


def _evidence(session: Session, head: SubmissionHead) -> Sequence[Any]:
    return session.execute(
        select(Evidence.number, Evidence.public_id, Evidence.filename, Evidence.url, Evidence.sha256)
        .where(Evidence.submission_id == head.id, Evidence.removed_at.is_(None))
        .order_by(Evidence.number)
    ).all()


def _scans(session: Session, head: SubmissionHead) -> set[str]:
    """Return the evidence by which signatures of a reply were recorded after it was handed in."""
    told = session.scalars(
        select(SubmissionEvent.details).where(
            SubmissionEvent.submission_id == head.id, SubmissionEvent.action == Action.RECORD_SIGNATURE
        )
    )
    return {str(details["scan"]) for details in told if details.get("scan")}


def keep_snapshot(session: Session, head: SubmissionHead, event: SubmissionEvent, text: str) -> Snapshot:
    """Keep what an event handed in; who signed it stands in the text itself."""
    made = Snapshot(
        submission_id=head.id,
        event_id=event.id,
        canonical=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        signed_by=json.loads(text)["signed_by"],
    )
    session.add(made)
    session.flush()
    note_hand_in(session, head.institution_id)
    return made


def take_snapshot(
    session: Session,
    head: SubmissionHead,
    event: SubmissionEvent,
    definition: Definition,
    reply: StoredReply,
    *,
    hidden: Sequence[str],
    signed_by: int | None,
) -> Snapshot:
    """Freeze a reply as it is handed in."""
    text = freeze(session, head, event.number, definition, reply, hidden=hidden, signed_by=signed_by)
    return keep_snapshot(session, head, event, text)


def kept_warnings(session: Session, submission_id: int) -> list[dict[str, str]]:
    """Return the warnings that were kept with a reason, as they are frozen with a reply."""
    rows = session.execute(
        select(KeptWarning.warning, KeptWarning.basis, KeptWarning.reason)
        .where(KeptWarning.submission_id == submission_id)
        .order_by(KeptWarning.warning)
    )
    return [{"warning": row.warning, "basis": row.basis, "reason": row.reason} for row in rows]


def _numbers(session: Session, version_ids: set[int]) -> dict[int, int]:
    if not version_ids:
        return {}
    rows = session.execute(
        select(QuestionnaireVersion.id, QuestionnaireVersion.number).where(QuestionnaireVersion.id.in_(version_ids))
    )
    return {row.id: row.number for row in rows}
