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
from portal.models import Evidence, QuestionnaireVersion, Snapshot
from portal.queries.submissions import asked_recommendations, standing_rows
from portal.services.memory import note_hand_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.models import SubmissionEvent
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
    asked = asked_recommendations(session, [head.assignment_id]).get(head.assignment_id, [])
    evidence = session.execute(
        select(Evidence.number, Evidence.public_id, Evidence.filename, Evidence.url, Evidence.sha256)
        .where(Evidence.submission_id == head.id, Evidence.removed_at.is_(None))
        .order_by(Evidence.number)
    ).all()
    content = content_of(
        head, event.number, definition, reply, asked=asked, evidence=evidence, hidden=hidden, signed_by=signed_by,
        asked_in=_numbers(session, {one.asked_in for one in reply.answers.values()} - {head.version_id}),
    )  # fmt: skip
    text = canonical_json(content)
    made = Snapshot(
        submission_id=head.id,
        event_id=event.id,
        canonical=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        signed_by=signed_by,
    )
    session.add(made)
    session.flush()
    note_hand_in(session, head.institution_id)
    return made


def _numbers(session: Session, version_ids: set[int]) -> dict[int, int]:
    if not version_ids:
        return {}
    rows = session.execute(
        select(QuestionnaireVersion.id, QuestionnaireVersion.number).where(QuestionnaireVersion.id.in_(version_ids))
    )
    return {row.id: row.number for row in rows}
