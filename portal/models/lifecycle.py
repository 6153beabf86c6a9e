"""What may follow what: the one table of a submission's life, and the fold of its events into its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from flask_babel import lazy_gettext as _l

from portal.errors import IllegalTransition, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class Status(StrEnum):
    """Where a submission stands."""

    ISSUED = "issued"
    IN_PROGRESS = "in_progress"
    AWAITING_SIGN_OFF = "awaiting_sign_off"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    CLEARED = "cleared"
    CLAIMED = "claimed"
    NOT_OURS = "not_ours"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Action(StrEnum):
    """What can be done to a submission; each is an event."""

    ISSUE = "issue"
    FIRST_SAVE = "first_save"
    COMPLETE = "complete"
    HAND_IN = "hand_in"
    SIGN_OFF = "sign_off"
    SIGN_ON_PAPER = "sign_on_paper"
    HAND_IN_PENDING = "hand_in_pending"
    RECORD_SIGNATURE = "record_signature"
    DECLINE = "decline"
    START_REVIEW = "start_review"
    RETURN = "return"
    RECALL = "recall"
    CLEAR = "clear"
    REOPEN = "reopen"
    CLAIM_NOT_OURS = "claim_not_ours"
    CONFIRM_NOT_OURS = "confirm_not_ours"
    REFUSE_NOT_OURS = "refuse_not_ours"
    RETRACT_CLAIM = "retract_claim"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    RESTORE = "restore"
    ADOPT_VERSION = "adopt_version"


class Signature(StrEnum):
    """How a handed-in reply is signed."""

    SIGNED = "signed"
    PAPER = "paper"
    PENDING = "pending"
    VOID = "void"


class _Before:
    """Marks a transition that leads back to the status it came from."""


BEFORE = _Before()


@dataclass(frozen=True)
class Transition:
    """Where an action leads, which permission it needs (by name), and whether a reason must be given."""

    to: Status | _Before
    permission: str
    reason: bool = False


S, A = Status, Action
EDITABLE = frozenset({S.ISSUED, S.IN_PROGRESS, S.RETURNED})
# in which a reply may be that came back with words
CAME_BACK = frozenset({S.RETURNED, S.IN_PROGRESS})
RECEIVED = frozenset({S.SUBMITTED, S.RETURNED, S.CLEARED, S.NOT_OURS})
OPEN_TO_STAFF = frozenset({S.SUBMITTED, S.CLEARED})

TRANSITIONS: Mapping[tuple[Status | None, Action], Transition] = {
    (None, A.ISSUE): Transition(S.ISSUED, "issue_round"),
    (S.ISSUED, A.FIRST_SAVE): Transition(S.IN_PROGRESS, "answer_submission"),
    (S.IN_PROGRESS, A.COMPLETE): Transition(S.AWAITING_SIGN_OFF, "complete_submission"),
    (S.RETURNED, A.COMPLETE): Transition(S.AWAITING_SIGN_OFF, "complete_submission"),
    # rounds whose policy asks for no signature
    (S.IN_PROGRESS, A.HAND_IN): Transition(S.SUBMITTED, "complete_submission"),
    (S.RETURNED, A.HAND_IN): Transition(S.SUBMITTED, "complete_submission"),
    (S.AWAITING_SIGN_OFF, A.SIGN_OFF): Transition(S.SUBMITTED, "sign_submission"),
    (S.AWAITING_SIGN_OFF, A.SIGN_ON_PAPER): Transition(S.SUBMITTED, "record_signature"),
    (S.AWAITING_SIGN_OFF, A.HAND_IN_PENDING): Transition(S.SUBMITTED, "complete_submission"),
    (S.AWAITING_SIGN_OFF, A.DECLINE): Transition(BEFORE, "sign_submission", reason=True),
    (S.SUBMITTED, A.RECORD_SIGNATURE): Transition(S.SUBMITTED, "record_signature"),
    (S.CLEARED, A.RECORD_SIGNATURE): Transition(S.CLEARED, "record_signature"),
    (S.SUBMITTED, A.START_REVIEW): Transition(S.SUBMITTED, "review_submission"),
    (S.SUBMITTED, A.RETURN): Transition(S.RETURNED, "review_submission", reason=True),
    (S.SUBMITTED, A.RECALL): Transition(S.IN_PROGRESS, "recall_submission"),
    (S.SUBMITTED, A.CLEAR): Transition(S.CLEARED, "review_submission"),
    (S.CLEARED, A.REOPEN): Transition(S.IN_PROGRESS, "reopen_submission", reason=True),
    (S.ISSUED, A.CLAIM_NOT_OURS): Transition(S.CLAIMED, "complete_submission", reason=True),
    (S.IN_PROGRESS, A.CLAIM_NOT_OURS): Transition(S.CLAIMED, "complete_submission", reason=True),
    (S.CLAIMED, A.CONFIRM_NOT_OURS): Transition(S.NOT_OURS, "review_submission"),
    (S.CLAIMED, A.REFUSE_NOT_OURS): Transition(S.IN_PROGRESS, "review_submission", reason=True),
    (S.CLAIMED, A.RETRACT_CLAIM): Transition(S.IN_PROGRESS, "complete_submission"),
    (S.NOT_OURS, A.REOPEN): Transition(S.IN_PROGRESS, "reopen_submission", reason=True),
    **{
        (status, A.WITHDRAW): Transition(S.WITHDRAWN, "withdraw_assignment", reason=True)
        for status in (S.ISSUED, S.IN_PROGRESS, S.AWAITING_SIGN_OFF, S.SUBMITTED, S.RETURNED, S.CLAIMED)
    },
    **{
        (status, A.LAPSE): Transition(S.LAPSED, "close_round") for status in (S.ISSUED, S.IN_PROGRESS, S.RETURNED)
    },
    (S.WITHDRAWN, A.RESTORE): Transition(BEFORE, "withdraw_assignment"),
    (S.LAPSED, A.RESTORE): Transition(BEFORE, "close_round"),
    (S.ISSUED, A.ADOPT_VERSION): Transition(S.ISSUED, "adopt_version"),
    (S.IN_PROGRESS, A.ADOPT_VERSION): Transition(S.IN_PROGRESS, "adopt_version"),
    (S.RETURNED, A.ADOPT_VERSION): Transition(S.RETURNED, "adopt_version"),
    # nobody signs a page that changed under the pen: it goes back to whoever answers, who is told why
    (S.AWAITING_SIGN_OFF, A.ADOPT_VERSION): Transition(BEFORE, "adopt_version", reason=True),
}

_SIGNATURES = {
    A.SIGN_OFF: Signature.SIGNED,
    A.SIGN_ON_PAPER: Signature.PAPER,
    A.RECORD_SIGNATURE: Signature.PAPER,
    A.HAND_IN_PENDING: Signature.PENDING,
}
_IN_REVIEW = _l(
    "The secretariat has begun its review, so the reply can no longer be taken back. Ask the secretariat to return it, "
    "or to open it again, and say what is to be changed."
)
_LEADS_BACK = frozenset({Status.AWAITING_SIGN_OFF, Status.WITHDRAWN, Status.LAPSED})
HANDS_IN = frozenset({A.HAND_IN, A.SIGN_OFF, A.SIGN_ON_PAPER, A.HAND_IN_PENDING})


class Event(Protocol):
    """The part of a submission event that the fold reads."""

    @property
    def action(self) -> Action:
        """What was done."""

    @property
    def done_at(self) -> datetime:
        """When, in UTC."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What the action carried along."""


@dataclass(frozen=True)
class State:
    """A submission's state as its events tell it."""

    status: Status | None = None
    # where it came from, for the actions that lead back there; the newest last
    trail: tuple[Status, ...] = ()
    hand_in: int = 0
    signature: Signature | None = None
    under_review: bool = False
    handed_in_at: datetime | None = None
    unlocked: tuple[str, ...] | None = None


def transition(status: Status | None, action: Action) -> Transition:
    """Return what ``action`` does in ``status``.

    Raises:
        IllegalTransition: if the action does not follow from the status.
    """
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        raise IllegalTransition(_IN_REVIEW if (status, action) == (S.CLEARED, A.RECALL) else None) from None


def _move(state: State, to: Status | _Before) -> State:
    """Change the status and keep the trail: pushed on entering a place that can lead back, popped on leaving it."""
    if isinstance(to, _Before):
        return replace(state, status=state.trail[-1], trail=state.trail[:-1])
    trail = state.trail
    if to in _LEADS_BACK and to is not state.status and state.status is not None:
        trail = (*trail, state.status)
    elif state.status in _LEADS_BACK and to is not state.status:
        trail = trail[:-1]
    return replace(state, status=to, trail=trail)


def follow(state: State, event: Event) -> State:
    """Return the state after one more event.

    Raises:
        IllegalTransition: if the event cannot follow.
    """
    action = event.action
    to = transition(state.status, action).to
    if action is A.RECALL and state.under_review:
        raise IllegalTransition(_IN_REVIEW)
    if action is A.RECORD_SIGNATURE and state.signature is not Signature.PENDING:
        raise IllegalTransition
    after = _move(state, to)
    if action in HANDS_IN:
        after = replace(
            after,
            hand_in=state.hand_in + 1,
            handed_in_at=state.handed_in_at or event.done_at,
            unlocked=None,
            under_review=False,
        )
    if action in _SIGNATURES:
        after = replace(after, signature=_SIGNATURES[action])
    elif action is A.HAND_IN:
        after = replace(after, signature=None)
    elif action in {A.RECALL, A.REOPEN}:
        void = Signature.VOID if state.signature is not None else None
        after = replace(after, signature=void, handed_in_at=None, under_review=False, unlocked=None)
    elif action is A.RETURN:
        codes = event.details.get("unlocked")
        void = Signature.VOID if state.signature is not None else None
        after = replace(
            after, signature=void, unlocked=tuple(codes) if codes is not None else None, under_review=False
        )
    elif action is A.ADOPT_VERSION and event.details.get("unlocked") is not None:
        after = replace(after, unlocked=tuple(event.details["unlocked"]))
    elif action is A.START_REVIEW:
        after = replace(after, under_review=True)
    return after


def fold(events: Iterable[Event]) -> State:
    """Return the state that a submission's events, oldest first, lead to."""
    state = State()
    for event in events:
        state = follow(state, event)
    return state


def check_reason(rule: Transition, reason: str | None) -> str | None:
    """Return the trimmed reason.

    Raises:
        Invalid: if the action needs a reason and none is given.
    """
    text = (reason or "").strip()
    if rule.reason and not text:
        raise Invalid(_l("Give a reason: the other side will read it."), code="reason_required")
    return text or None
