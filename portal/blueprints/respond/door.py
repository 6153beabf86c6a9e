"""The blueprint of the institution's pages, and what loads a reply, a page, a file or a thread for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request, url_for

from portal.blueprints.guard import who
from portal.errors import NotFound
from portal.extensions import db
from portal.permissions import Permission, can, may
from portal.queries import submissions as queries
from portal.queries.clarifications import find_thread
from portal.queries.evidence import find_evidence
from portal.queries.questionnaires import definition, is_asked_of, is_frozen

if TYPE_CHECKING:
    from forms.definition.model import Definition
    from portal.models import Clarification, Evidence
    from portal.queries.submissions import SubmissionHead

blueprint = Blueprint("respond", __name__)


def reply_of(public_id: str, **_more: Any) -> SubmissionHead:
    """Load a reply by its public id."""
    found = queries.find(db.session, public_id)
    if found is None:
        raise NotFound
    return found


def own_reply(public_id: str, **more: Any) -> SubmissionHead:
    """Load a reply of the person's own institution; others do not exist here, not even for staff."""
    found = reply_of(public_id, **more)
    if found.institution_id != who().institution_id:
        raise NotFound
    return found


class OnPage:
    """A reply together with the page asked for; permissions look at the reply."""

    def __init__(self, head: SubmissionHead, code: str) -> None:
        self.head, self.code = head, code
        self.institution_id, self.status = head.institution_id, head.status


def own_page(public_id: str, code: str) -> OnPage:
    """Load a reply of one's own institution with the code of a page or question."""
    return OnPage(own_reply(public_id), code)


class ThreadOf:
    """A clarification with its reply; permissions look at the reply."""

    def __init__(self, thread: Clarification, head: SubmissionHead) -> None:
        self.thread, self.head = thread, head
        self.institution_id, self.status = head.institution_id, head.status


def thread_on(public_id: str) -> ThreadOf:
    """Load a clarification with the reply it belongs to."""
    found = find_thread(db.session, public_id)
    if found is None:
        raise NotFound
    return ThreadOf(found[0], reply_of(found[1]))


class EvidenceOf:
    """A piece of evidence with its reply; permissions look at the reply."""

    def __init__(self, evidence: Evidence, head: SubmissionHead) -> None:
        self.evidence, self.head = evidence, head
        self.institution_id, self.status = head.institution_id, head.status


def evidence_on(public_id: str) -> EvidenceOf:
    """Load a piece of evidence with the reply it belongs to."""
    found = find_evidence(db.session, public_id)
    if found is None:
        raise NotFound
    return EvidenceOf(found[0], reply_of(found[1]))


@dataclass(frozen=True)
class AskedVersion:
    """A version that somebody may read the rules of, and the language of its labels."""

    definition: Definition
    language: str


def version_asked(version_id: int, language: str) -> AskedVersion:
    """Load a version that the person's institution is asked with; for the secretariat, any that is frozen.

    To everybody else it does not exist: with which rules others are asked is not theirs to learn.
    """
    principal = who()
    if can(principal, Permission.VIEW_QUESTIONNAIRE):
        known = is_frozen(db.session, version_id)
    else:
        institution = principal.institution_id
        known = institution is not None and is_asked_of(db.session, version_id, institution)
    if not known:
        raise NotFound
    return AskedVersion(definition(db.session, version_id), language)


def offline_of(
    round_slug: str, can_download: bool, head: SubmissionHead | None = None, *, taken: bool = False  # noqa: FBT001 - a fact of the page
) -> dict[str, Any] | None:
    """Return the parameters of components/offline_box.html; None for whoever may not write.

    Whoever has ``taken`` a file out comes to send it back, and finds the way open.
    """
    if not can_download or not may(who(), Permission.ANSWER_SUBMISSION):
        return None
    download = (
        url_for("respond.download_reply", public_id=head.public_id) if head else url_for("respond.download_round")
    )
    return {
        "download_url": download, "upload_url": url_for("respond.upload_offline"), "round": round_slug,
        "reply": head.public_id if head else "",
        "help_url": url_for("respond.offline", round=round_slug),
        "taken": taken,
        "in_app": in_app(),
    }  # fmt: skip


def in_app() -> bool:
    """Tell whether the page is open inside another program, such as Telegram, where downloads may go nowhere."""
    agent = request.user_agent.string
    return any(sign in agent for sign in ("Telegram", "; wv)", "FBAN", "FBAV", " Line/"))
