"""A reply read aloud, and what happened to it, as plain view data for every audience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _

from forms.answers import AnswerKey
from forms.question_types import question_type
from portal.extensions import db
from portal.models import Action
from portal.queries.actors import actor_names
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.model import Definition, Item
    from portal.blueprints.answering import AnsweringPage
    from portal.models import SubmissionEvent
    from portal.queries.clarifications import Thread
    from portal.queries.submissions import StoredAnswer


def read_aloud(answering: AnsweringPage) -> list[dict[str, Any]]:
    """Return the pages of a reply with each question and its answer in words."""
    return read_definition(
        answering.definition,
        answering.stored,
        answering.evaluation.hidden,
        answering.context.languages,
        messages=answering.sentences,
        missing={key.code for key in answering.evaluation.missing},
        page_url=answering.page_url,
    )


def read_definition(
    definition: Definition,
    stored: Mapping[AnswerKey, StoredAnswer],
    hidden: frozenset[str],
    languages: tuple[str, ...],
    *,
    messages: Mapping[str, str] | None = None,
    missing: frozenset[str] | set[str] = frozenset(),
    page_url: Any = None,
) -> list[dict[str, Any]]:
    """Return [{label, url, rows: [{code, label, state, texts: [(lang, text)], message, missing}]}] of what is asked."""
    language = g.view.language
    pages = []
    for page in definition.pages:
        if page.code in hidden:
            continue
        rows = [
            _row(item, stored, language, languages, (messages or {}).get(item.code, ""), missing=item.code in missing)
            for item in page.items()
            if item.kind == "question" and item.code not in hidden and item.type not in {"hidden", "note"}
        ]
        pages.append(
            {
                "code": page.code,
                "label": page.text("label", language, languages),
                "url": page_url(page.code) if page_url else "",
                "rows": rows,
            }
        )
    return pages


def _row(
    item: Item,
    stored: Mapping[AnswerKey, StoredAnswer],
    language: str,
    languages: tuple[str, ...],
    message: str,
    *,
    missing: bool,
) -> dict[str, Any]:
    kind = question_type(item.type)
    texts: list[tuple[str, str]] = []
    state = "not_answered"
    for key in kind.keys(item, languages) or (AnswerKey(item.code),):
        answer = stored.get(key)
        if answer is None:
            continue
        if answer.typed is not None:
            texts.append((key.lang, answer.typed))
            state = "answered"
        elif answer.state != "answered":
            state = answer.state
        elif answer.value is not None:
            texts.append((key.lang, kind.text(answer.value, item, language)))
            state = "answered"
    return {
        "code": item.code,
        "id": f"q-{item.code}",
        "label": item.text("label", language, languages),
        "control": kind.control,
        "state": state,
        "words": state_words(state),
        "texts": texts,
        "message": message,
        "missing": missing,
    }


def state_words(state: str) -> str:
    """Return the name of a cell's state; the five are never collapsed."""
    words: dict[str, str] = {
        "answered": _("answered"),
        "not_answered": _("not answered"),
        "not_asked": _("not asked"),
        "not_applicable": _("not applicable"),
        "not_available": _("not available"),
    }
    return words[state]


def action_words(action: Action) -> tuple[str, str, str]:
    """Return how an act is told: (words, icon, kind)."""
    return {
        Action.ISSUE: (_("Sent to the institution"), "send", "info"),
        Action.FIRST_SAVE: (_("First answer saved"), "pencil", "quiet"),
        Action.COMPLETE: (_("Completed, waits to be signed"), "check2", "info"),
        Action.HAND_IN: (_("Handed in"), "inbox", "good"),
        Action.SIGN_OFF: (_("Signed and handed in"), "pen", "good"),
        Action.SIGN_ON_PAPER: (_("Signed on paper and handed in"), "pen", "good"),
        Action.HAND_IN_PENDING: (_("Handed in, signature to follow"), "hourglass-split", "warn"),
        Action.RECORD_SIGNATURE: (_("Signature on paper recorded"), "pen", "good"),
        Action.DECLINE: (_("Not signed, handed back to colleagues"), "arrow-counterclockwise", "warn"),
        Action.START_REVIEW: (_("Review started"), "eye", "info"),
        Action.RETURN: (_("Returned by the secretariat"), "reply", "warn"),
        Action.RECALL: (_("Taken back by the institution"), "arrow-counterclockwise", "warn"),
        Action.CLEAR: (_("Cleared"), "check-circle", "good"),
        Action.REOPEN: (_("Reopened; the signature is void"), "unlock", "warn"),
        Action.CLAIM_NOT_OURS: (_("The institution says it is not theirs"), "signpost-split", "warn"),
        Action.CONFIRM_NOT_OURS: (_("Confirmed: another institution answers"), "signpost", "good"),
        Action.REFUSE_NOT_OURS: (_("The secretariat asks to answer all the same"), "reply", "warn"),
        Action.RETRACT_CLAIM: (_("The institution will answer after all"), "pencil", "info"),
        Action.WITHDRAW: (_("Withdrawn by the secretariat"), "x-circle", "bad"),
        Action.LAPSE: (_("The round closed without a reply"), "calendar-x", "bad"),
        Action.RESTORE: (_("Opened again"), "unlock", "info"),
        Action.ADOPT_VERSION: (_("Moved to a newer version of the questionnaire"), "arrow-up-circle", "info"),
    }[action]


def timeline(events: Sequence[SubmissionEvent]) -> list[dict[str, Any]]:
    """Return what happened to a reply, the newest first."""
    names = actor_names(db.session, [event.done_by for event in events])
    told = []
    for event in reversed(events):
        words, icon, kind = action_words(event.action)
        instead = event.details.get("instead")
        note = event.reason or ""
        if instead:
            note = _("Should go to: %(institution)s. %(reason)s", institution=instead, reason=note)
        who = pick(names.get(event.done_by), g.view.language, g.country.languages)
        told.append({"at": event.done_at, "words": words, "who": who, "note": note, "icon": icon, "kind": kind})
    return told


def thread_views(threads: Sequence[Thread], definition: Definition, *, staff: bool) -> list[dict[str, Any]]:
    """Return clarifications as the thread component shows them."""
    language, languages = g.view.language, g.country.languages
    views = []
    for number, thread in enumerate(threads, start=1):
        about = ""
        if thread.question_code and thread.question_code in definition.compiled.by_code:
            about = definition.question(thread.question_code).text("label", language, tuple(languages))
        messages = [
            {
                "who": pick(one.by, language, languages)
                if one.by
                else _("Secretariat")
                if one.from_secretariat
                else "",
                "at": one.at,
                "text": one.body,
                "lang": "",
                "ours": one.from_secretariat == staff,
            }
            for one in thread.messages
        ]
        views.append(
            {
                "public_id": thread.public_id,
                "title": _("Clarification %(number)s", number=number),
                "messages": messages,
                "state": str(thread.status),
                "about": about,
            }
        )
    return views
