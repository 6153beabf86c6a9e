"""The bulk load of synthetic replies: rows as the services would have left them, in batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from forms.evaluation import evaluate
from portal import clock
from portal.models import (
    Action,
    Actor,
    Answer,
    AnswerRevision,
    AnswerState,
    Assignment,
    Evidence,
    EvidenceKind,
    Membership,
    ReportingRound,
    Role,
    Snapshot,
    Submission,
    SubmissionEvent,
    Visibility,
)
from portal.models.base import uuid7
from portal.models.lifecycle import State, follow
from portal.queries.questionnaires import definition, question_ids
from portal.queries.submissions import HEAD, StoredAnswer, StoredReply, head_of
from portal.services.answer_storing import progress
from portal.services.snapshots import canonical_json, content_of

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey, Given
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.permissions import Principal
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

BATCH = 250
# revisions per answer, in turn: five on average, so that the history is five times the answers
REVISIONS = (1, 9, 3, 7, 5)
# one reply in two has a link as evidence
LINK_EVERY = 2
_WRITTEN = (Action.FIRST_SAVE,)
_SIGNED = (*_WRITTEN, Action.COMPLETE, Action.SIGN_OFF)
# how far replies have come, in turn: of ten, six are cleared, two handed in, one waits, one is being written
LIVES = (
    *((*_SIGNED, Action.START_REVIEW, Action.CLEAR),) * 6,
    _SIGNED,
    (*_SIGNED, Action.START_REVIEW),
    (*_WRITTEN, Action.COMPLETE),
    _WRITTEN,
)


@dataclass(frozen=True)
class Pattern:
    """A set of answers that breaks no rule, with what it hides and whether it could be completed."""

    given: Mapping[AnswerKey, Given]
    hidden: tuple[str, ...]
    asked: int
    answered: int
    missing: int

    @classmethod
    def of(cls, compiled: Definition, given: Mapping[AnswerKey, Given], context: Context) -> Pattern:
        """Judge a set of answers once for all replies that hold it."""
        verdict = evaluate(compiled, given, context)
        counted = progress(compiled, given, verdict)
        return cls(given, tuple(sorted(verdict.hidden)), counted.asked, counted.answered, counted.missing)


@dataclass(frozen=True)
class _Happened:
    """An event as the lifecycle reads it."""

    action: Action
    done_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Rows:
    """The rows of one batch by table."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    submissions: list[dict[str, Any]] = field(default_factory=list)
    # submission id -> event number, sha256, canonical JSON, signer
    snapshots: dict[int, tuple[int, str, str, int]] = field(default_factory=dict)


class Loader:
    """Loads the replies of one round, oldest first."""

    def __init__(self, session: Session, of: ReportingRound) -> None:
        self.round_id, self.opened = of.id, of.issued_at or clock.now()
        # submissions still to be loaded, with their assignments
        self.waiting = [
            (row.id, row.assignment_id)
            for row in session.execute(
                select(Submission.id, Submission.assignment_id)
                .join(Assignment, Assignment.id == Submission.assignment_id)
                .where(Assignment.round_id == of.id)
                .order_by(Submission.id)
            )
        ]
        version = of.full_version_id or of.short_version_id or 0
        self.version_id = version
        self.compiled, self.questions = definition(session, version), question_ids(session, version)
        self.actors: dict[tuple[int, Role], int] = {
            (row.institution_id, row.role): row.id
            for row in session.execute(
                select(Membership.institution_id, Membership.role, Actor.id).join(
                    Actor, Actor.user_id == Membership.user_id
                )
            )
        }
        self.done = 0
        self.links = 0

    @classmethod
    def open(cls, session: Session, round_id: int) -> Loader:
        """Read what there is to load."""
        return cls(session, session.get_one(ReportingRound, round_id))

    def next_assignments(self) -> list[int]:
        """Return the assignments of the next batch."""
        return [assignment for _submission, assignment in self.waiting[:BATCH]]

    def load(
        self,
        session: Session,
        patterns: Sequence[Pattern],
        chance: random.Random,
        left: int,
        asks: Mapping[int, Sequence[AskedRecommendation]],
        by: Principal,
    ) -> int:
        """Load the next batch, at most ``left`` answers; return how many were loaded."""
        batch, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
        ids = [submission for submission, _assignment in batch]
        heads = {row.id: head_of(row) for row in session.execute(HEAD.where(Submission.id.in_(ids)))}
        rows = _Rows()
        for submission, assignment in batch:
            room = left - len(rows.answers)
            if room <= 0:
                break
            pattern = chance.choice(patterns)
            self._reply(rows, heads[submission], pattern, chance, room, asks[assignment], by)
            self.done += 1
        self._store(session, rows)
        return len(rows.answers)

    def _reply(
        self,
        rows: _Rows,
        head: SubmissionHead,
        pattern: Pattern,
        chance: random.Random,
        room: int,
        asked: Sequence[AskedRecommendation],
        by: Principal,
    ) -> None:
        writer = self.actors[head.institution_id, Role.FOCAL_POINT]
        signer = self.actors[head.institution_id, Role.APPROVER]
        saved = self.opened + timedelta(minutes=chance.randint(60, 20 * 1440))
        given = dict(list(pattern.given.items())[:room])
        # only a whole and complete set of answers can have been handed in
        whole = len(given) == len(pattern.given) and not pattern.missing
        life = LIVES[self.done % len(LIVES)] if whole else _WRITTEN
        stored = {
            key: StoredAnswer(
                one.value, one.state, None, REVISIONS[(self.done + place) % len(REVISIONS)],
                question_id=self.questions[key.code], answered_by=writer, answered_at=saved, asked_in=self.version_id,
            )
            for place, (key, one) in enumerate(given.items())
        }  # fmt: skip
        self._answers(rows, head, stored)
        evidence = self._link(rows, head, writer, saved) if self.done % LINK_EVERY == 0 else []
        state = follow(State(), _Happened(Action.ISSUE, self.opened))
        who = {Action.SIGN_OFF: signer, Action.START_REVIEW: by.actor_id, Action.CLEAR: by.actor_id}
        for number, action in enumerate(life, start=2):
            at = saved + timedelta(hours=(number - 2) * 7)
            state = follow(state, _Happened(action, at))
            rows.events.append(
                {
                    "public_id": uuid7(), "submission_id": head.id, "number": number, "action": action,
                    "status": state.status, "details": {}, "done_by": who.get(action, writer), "done_at": at,
                }
            )  # fmt: skip
            if action is Action.SIGN_OFF:
                with clock.at(at):
                    content = content_of(
                        head, number, self.compiled, StoredReply(dict(stored), {}),
                        asked=asked, evidence=evidence, hidden=pattern.hidden, signed_by=signer,
                    )  # fmt: skip
                text = canonical_json(content)
                rows.snapshots[head.id] = (number, hashlib.sha256(text.encode()).hexdigest(), text, signer)
        rows.submissions.append(
            {
                "id": head.id, "status": state.status, "hand_in": state.hand_in, "signature": state.signature,
                "under_review": state.under_review, "handed_in_at": state.handed_in_at,
                "hidden": list(pattern.hidden), "answered": pattern.answered, "asked": pattern.asked,
                "missing": pattern.missing, "saved_at": saved, "saved_by": writer,
            }
        )  # fmt: skip

    def _answers(self, rows: _Rows, head: SubmissionHead, stored: Mapping[AnswerKey, StoredAnswer]) -> None:
        for key, one in stored.items():
            common = {
                "submission_id": head.id, "question_id": one.question_id, "row": key.row, "lang": key.lang,
                "value": one.value, "state": AnswerState(one.state), "asked_in": one.asked_in,
            }  # fmt: skip
            rows.answers.append(
                common
                | {"revision": one.revision, "answered_by": one.answered_by, "answered_at": one.answered_at}
            )
            for number in range(1, one.revision + 1):
                saved_at = (one.answered_at or self.opened) - timedelta(seconds=(one.revision - number) * 40)
                rows.revisions.append(
                    common | {"revision": number, "saved_by": one.answered_by, "saved_at": saved_at}
                )

    def _link(self, rows: _Rows, head: SubmissionHead, writer: int, at: datetime) -> list[Evidence]:
        self.links += 1
        facts = {
            "public_id": uuid7(), "submission_id": head.id, "round_id": self.round_id, "number": self.links,
            "kind": EvidenceKind.LINK, "url": f"https://example.org/synthetic/{self.links}",
            "caption": "Synthetic (demo)", "visibility": Visibility.PUBLIC, "added_by": writer, "added_at": at,
        }  # fmt: skip
        rows.evidence.append(facts)
        return [Evidence(**facts)]

    def _store(self, session: Session, rows: _Rows) -> None:
        for model, values in (
            (Answer, rows.answers),
            (AnswerRevision, rows.revisions),
            (SubmissionEvent, rows.events),
            (Evidence, rows.evidence),
        ):
            if values:
                session.execute(insert(model.__table__), values)  # type: ignore[arg-type] # __table__ is a Table
        if rows.submissions:
            session.execute(update(Submission), rows.submissions)
        if rows.snapshots:
            self._freeze(session, rows)

    def _freeze(self, session: Session, rows: _Rows) -> None:
        numbers = {
            (row.submission_id, row.number): (row.id, row.done_at)
            for row in session.execute(
                select(
                    SubmissionEvent.id, SubmissionEvent.submission_id, SubmissionEvent.number, SubmissionEvent.done_at
                ).where(SubmissionEvent.submission_id.in_(rows.snapshots))
            )
        }
        made = []
        for submission, (number, sha256, text, signer) in rows.snapshots.items():
            event, at = numbers[submission, number]
            made.append(
                {
                    "public_id": uuid7(), "submission_id": submission, "event_id": event, "canonical": text,
                    "sha256": sha256, "signed_by": signer, "created_at": at,
                }
            )  # fmt: skip
        session.execute(insert(Snapshot.__table__), made)  # type: ignore[arg-type] # __table__ is a Table
