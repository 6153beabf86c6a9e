"""A reply read aloud, and what happened to it, as plain view data for every audience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _

from forms.answers import AnswerKey, is_hidden
from forms.question_types import question_type
from forms.spoken_choices import Seen, speaking, speaking_of_rows, spoken_by, values_of, worded
from forms.tables import NO_ROWS, tables
from portal.blueprints.question_views import is_shown
from portal.blueprints.tables import totals
from portal.extensions import db
from portal.models import Action
from portal.queries.actors import actor_names
from portal.reader import digits
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from forms.answers import Rows
    from forms.definition.model import Definition, Item
    from portal.blueprints.answering import AnsweringPage
    from portal.models import SubmissionEvent
    from portal.queries.clarifications import Thread
    from portal.queries.submissions import StoredAnswer


def read_aloud(answering: AnsweringPage) -> list[dict[str, Any]]:
    """Return the pages of a reply with each question and its answer in words."""
    evaluation = answering.evaluation
    return read_definition(
        answering.definition,
        answering.stored,
        evaluation.hidden,
        answering.context.languages,
        rows=answering.rows,
        messages=answering.sentences,
        missing={(key.code, key.row) for key in evaluation.missing},
        page_url=answering.page_url,
    )


def read_definition(
    definition: Definition,
    stored: Mapping[AnswerKey, StoredAnswer],
    hidden: frozenset[str],
    languages: tuple[str, ...],
    *,
    rows: Rows = NO_ROWS,
    messages: Mapping[tuple[str, str], str] | None = None,
    missing: Collection[tuple[str, str]] = (),
    page_url: Any = None,
) -> list[dict[str, Any]]:
    """Return [{label, url, rows: [{code, label, state, texts: [(lang, text)], message, missing}]}] of what is asked.

    A table is one row with ``table``: {heads, lines: [{label, cells}], totals}, its cells like rows without a label; a
    table within it follows with the rows of each of its rows.
    """
    seen = None
    if speaking(definition):
        values = {key: one.value for key, one in stored.items()}
        seen = Seen(definition, values, hidden, rows) if speaking_of_rows(definition) else None
        definition = spoken_by(definition, values_of(definition, values, hidden))
    reader = _Reader(definition, stored, hidden, languages, rows, messages or {}, missing, seen)
    return [
        {
            "code": page.code,
            "label": page.text("label", g.view.language, languages),
            "url": page_url(page.code) if page_url else "",
            "rows": list(reader.rows_of(page)),
        }
        for page in definition.pages
        if page.code not in hidden
    ]


@dataclass(frozen=True)
class _Reader:
    """Reads one reply aloud."""

    definition: Definition
    stored: Mapping[AnswerKey, StoredAnswer]
    hidden: frozenset[str]
    languages: tuple[str, ...]
    rows: Rows
    messages: Mapping[tuple[str, str], str]
    missing: Collection[tuple[str, str]]
    seen: Seen | None = None

    def rows_of(self, item: Item) -> Iterator[dict[str, Any]]:
        """Yield what is asked in an item, tables whole."""
        for one in (item,) if item.kind in {"repeat", "matrix"} or not item.children else item.children:
            if one.code in self.hidden:
                continue
            if one.kind in {"repeat", "matrix"}:
                yield from self._tables(one.code, "", "")
            elif one.children:
                yield from self.rows_of(one)
            elif one.kind == "question" and one.type not in {"hidden", "note"}:
                yield self._row(one)

    def _tables(self, code: str, parent: str, around: str) -> Iterator[dict[str, Any]]:
        """Yield a table, then the tables that stand in each of its rows."""
        table = tables(self.definition)[code]
        language = g.view.language
        label = around + table.item.text("label", language, self.languages)
        columns = [one for one in table.columns if is_shown(one) and one.code not in self.hidden]
        here = [row for row in table.rows(self.rows) if table.fixed or row.parent == parent]
        lines = [
            {
                "label": table.row_label(row.key, language, self.languages) or digits(number),
                "cells": [self._row(item, row.key) for item in columns],
            }
            for number, row in enumerate(here, start=1)
        ]
        heads = [item.text("label", language, self.languages) for item in columns]
        sums = totals(table, self.stored, self.rows, self.hidden, parent)
        yield {
            "code": code,
            "id": f"q-{code}-{parent}" if parent else f"q-{code}",
            "label": label,
            "control": "table",
            "state": "answered" if lines else "not_answered",
            "words": state_words("not_answered"),
            "texts": [],
            "message": "",
            "missing": False,
            "named": not parent,
            "table": {
                "heads": heads,
                "lines": lines,
                "totals": [sums.get(item.code, "") for item in columns] if any(sums.values()) else [],
            },
        }
        for inner in (one for one in tables(self.definition).values() if one.inside == code):
            for number, row in enumerate(here, start=1):
                yield from self._tables(inner.code, row.key, f"{label} {digits(number)}: ")

    def _row(self, item: Item, row: str = "") -> dict[str, Any]:
        if row and self.seen is not None:
            item = worded(self.definition, item, self.seen.from_cell(AnswerKey(item.code, row)))
        kind = question_type(item.type)
        language = g.view.language
        texts: list[tuple[str, str]] = []
        message = self.messages.get((item.code, row), "")
        state = "not_asked" if row and is_hidden(self.hidden, AnswerKey(item.code, row)) else "not_answered"
        for plain in (kind.keys(item, self.languages) or (AnswerKey(item.code),)) if state != "not_asked" else ():
            key = AnswerKey(plain.code, row, plain.lang)
            answer = self.stored.get(key)
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
            "id": f"q-{item.code}-{row}" if row else f"q-{item.code}",
            "label": item.text("label", language, self.languages),
            "control": kind.control,
            "state": state,
            "words": state_words(state),
            "texts": texts,
            "message": message,
            "missing": (item.code, row) in self.missing,
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
