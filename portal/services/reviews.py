"""The secretariat's verdicts on a reply: begin a review, clear, return with named questions, reopen, settle a claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.models import Action
from portal.services.verdicts import act
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from portal.models import SubmissionEvent
    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead


def start_review(session: Session, head: SubmissionHead, *, by: Principal) -> SubmissionEvent:
    """Begin to read a reply; from now on it can no longer be recalled."""
    return act(session, head, Action.START_REVIEW, by=by)


def clear(session: Session, head: SubmissionHead, *, by: Principal) -> SubmissionEvent:
    """Take a reply as good ("clear", not "accept": in the UPR that word is the State's)."""
    return act(session, head, Action.CLEAR, by=by)


def return_reply(
    session: Session,
    head: SubmissionHead,
    *,
    note: str,
    codes: Sequence[str],
    clarifications: Sequence[str] = (),
    by: Principal,
) -> SubmissionEvent:
    """Return a reply with a note; exactly the questions named are unlocked.

    Raises:
        Invalid: if no question is named or no note is given.
    """
    if not codes:
        sentence = _l("Name at least one question that should be answered again.")
        raise Invalid(sentence, problems=[Problem(sentence, field="codes")])
    details = {"unlocked": sorted(set(codes)), "clarifications": list(clarifications)}
    return act(session, head, Action.RETURN, by=by, reason=note, details=details)


def reopen(session: Session, head: SubmissionHead, *, reason: str, by: Principal) -> SubmissionEvent:
    """Open a cleared reply (or a confirmed "not ours") again; its signature is void and stays in the history."""
    return act(session, head, Action.REOPEN, by=by, reason=reason)


def confirm_not_ours(session: Session, head: SubmissionHead, *, by: Principal) -> SubmissionEvent:
    """Agree that another institution answers; counts as received."""
    return act(session, head, Action.CONFIRM_NOT_OURS, by=by)


def refuse_not_ours(session: Session, head: SubmissionHead, *, reason: str, by: Principal) -> SubmissionEvent:
    """Ask the institution to answer all the same."""
    return act(session, head, Action.REFUSE_NOT_OURS, by=by, reason=reason)
