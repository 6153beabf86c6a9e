"""What may follow what: every row of the table, and what the fold remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import IllegalTransition, Invalid
from portal.models.lifecycle import (
    EDITABLE,
    RECEIVED,
    TRANSITIONS,
    Action,
    Signature,
    State,
    Status,
    check_reason,
    fold,
    follow,
    transition,
)
from portal.permissions import Permission

A, S = Action, Status
START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Act:
    action: Action
    done_at: datetime = START
    details: dict[str, Any] = field(default_factory=dict)


def folded(*actions: Action | Act) -> State:
    acts = [act if isinstance(act, Act) else Act(act) for act in actions]
    for number, act in enumerate(acts):
        act.done_at = START + timedelta(days=number)
    return fold(acts)


SIGNED = (A.ISSUE, A.FIRST_SAVE, A.COMPLETE, A.SIGN_OFF)


def test_the_ordinary_way_ends_cleared():
    state = folded(*SIGNED, A.START_REVIEW, A.CLEAR)
    assert (state.status, state.signature, state.hand_in) == (S.CLEARED, Signature.SIGNED, 1)
    assert state.handed_in_at == START + timedelta(days=3)


def test_declining_leads_back_to_where_it_came_from():
    assert folded(A.ISSUE, A.FIRST_SAVE, A.COMPLETE, A.DECLINE).status is S.IN_PROGRESS
    returned = Act(A.RETURN, details={"unlocked": ["B1"]})
    state = folded(*SIGNED, returned, A.COMPLETE, A.DECLINE)
    assert (state.status, state.unlocked) == (S.RETURNED, ("B1",))


def test_withdrawing_and_restoring_keeps_the_way_back():
    state = folded(A.ISSUE, A.FIRST_SAVE, A.COMPLETE, A.WITHDRAW, A.RESTORE, A.DECLINE)
    assert state.status is S.IN_PROGRESS


def test_a_return_unlocks_only_its_questions_and_keeps_the_first_hand_in():
    state = folded(*SIGNED, Act(A.RETURN, details={"unlocked": ["B1", "B6"]}))
    assert (state.unlocked, state.signature) == (("B1", "B6"), Signature.VOID)
    assert state.handed_in_at == START + timedelta(days=3)
    again = folded(*SIGNED, Act(A.RETURN, details={"unlocked": ["B1"]}), A.COMPLETE, A.SIGN_OFF)
    assert (again.unlocked, again.hand_in, again.handed_in_at) == (None, 2, START + timedelta(days=3))


@pytest.mark.parametrize("way", [(*SIGNED, A.RECALL), (*SIGNED, A.CLEAR, A.REOPEN)])
def test_recalling_and_reopening_void_the_signature_and_cancel_the_hand_in(way):
    state = folded(*way)
    assert (state.status, state.signature, state.handed_in_at) == (S.IN_PROGRESS, Signature.VOID, None)
    assert state.hand_in == 1


def test_no_recall_once_the_review_has_started():
    with pytest.raises(IllegalTransition):
        folded(*SIGNED, A.START_REVIEW, A.RECALL)


def test_a_pending_signature_is_recorded_once():
    pending = (A.ISSUE, A.FIRST_SAVE, A.COMPLETE, A.HAND_IN_PENDING)
    assert folded(*pending).signature is Signature.PENDING
    assert folded(*pending, A.RECORD_SIGNATURE).signature is Signature.PAPER
    with pytest.raises(IllegalTransition):
        folded(*pending, A.RECORD_SIGNATURE, A.RECORD_SIGNATURE)


def test_what_waits_for_a_signature_or_a_verdict_never_lapses():
    for status in (S.AWAITING_SIGN_OFF, S.CLAIMED, S.SUBMITTED, S.CLEARED):
        with pytest.raises(IllegalTransition):
            transition(status, A.LAPSE)


def test_every_transition_names_a_known_permission():
    assert {rule.permission for rule in TRANSITIONS.values()} <= {str(one) for one in Permission}


def test_a_reason_is_asked_for_where_the_table_says_so():
    with pytest.raises(Invalid):
        check_reason(transition(S.SUBMITTED, A.RETURN), "  ")
    assert check_reason(transition(S.SUBMITTED, A.RETURN), " why ") == "why"


@given(st.lists(st.sampled_from(sorted(Action)), max_size=25))
def test_whatever_is_tried_the_state_stays_sound(actions):
    state = State()
    for number, action in enumerate(actions):
        event = Act(action, START + timedelta(hours=number))
        try:
            state = follow(state, event)
        except IllegalTransition:
            continue
        assert state.status is not None
        assert (state.status in EDITABLE) or state.status not in {S.ISSUED, S.IN_PROGRESS, S.RETURNED}
        assert state.hand_in >= 1 or state.status not in {S.SUBMITTED, S.CLEARED, S.RETURNED}
        assert state.signature in {None, Signature.VOID} or state.status in RECEIVED | {S.WITHDRAWN, S.AWAITING_SIGN_OFF}
