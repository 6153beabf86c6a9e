"""What else happened to a reply than its own events: printed, asked about, shared, a document that came for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.extensions import db
from portal.models import DocumentState
from portal.queries.actors import actor_names
from portal.queries.documents import documents_of
from portal.queries.receipts import shown
from portal.queries.sharing import collections_of, shares_of
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from portal.models import SigningPack
    from portal.queries.clarifications import Thread

Told = list[dict[str, Any]]


def _say(names: Any) -> str:
    return pick(names, g.view.language, g.country.languages)


def _line(at: datetime, words: str, who: str, icon: str, note: str = "") -> dict[str, Any]:
    return {"at": at, "words": words, "who": who, "note": note, "icon": icon, "kind": "quiet"}


def _sorted(told: Told, more: Told) -> Told:
    """Return all of it, the newest first; of one moment the later act stands higher, as each list has it."""
    return sorted([*told, *more], key=lambda one: one["at"], reverse=True)


def with_packs(told: Told, packs: Sequence[SigningPack]) -> Told:
    """Return the timeline of a reply with when it was printed to be signed, and when such a pack was taken back."""
    names = actor_names(db.session, [by for one in packs for by in (one.made_by, one.cancelled_by) if by])
    found = []
    for one in packs:
        note = _("Pack %(code)s", code=shown(one.code))
        if one.cancelled_at is not None and one.cancelled_by is not None:
            who = _say(names.get(one.cancelled_by))
            found.append(_line(one.cancelled_at, _("The pack was taken back"), who, "slash-circle", note))
        who = _say(names.get(one.made_by))
        found.append(_line(one.made_at, _("Printed to be signed"), who, "printer", note))
    return _sorted(told, found)


def with_threads(told: Told, threads: Sequence[Thread]) -> Told:
    """Return the timeline of a reply with what was asked and answered about it, and which question is settled."""
    found = []
    for thread in threads:
        # only the secretariat closes; who of it stands in the record of acts
        if thread.closed_at is not None:
            found.append(_line(thread.closed_at, _("The secretariat closed its question"), "", "chat-left-text"))
        for one in reversed(thread.messages):
            words = _("The secretariat asked") if one.from_secretariat else _("The institution answered")
            found.append(_line(one.at, words, _say(one.by), "chat-left-text"))
    return _sorted(told, found)


def with_documents(told: Told, assignment_id: int) -> Told:
    """Return the timeline of a reply with the documents that came for it, and what became of each."""
    documents = documents_of(db.session, assignment_id)
    names = actor_names(db.session, [by for one in documents for by in (one.added_by, one.settled_by) if by])
    found = []
    for one in reversed(documents):
        if one.settled_at is not None and one.settled_by is not None:
            entered = one.state is DocumentState.ENTERED
            words = _("A document was entered") if entered else _("A document was set aside")
            note = " · ".join(filter(None, [one.filename, one.reason]))
            found.append(_line(one.settled_at, words, _say(names.get(one.settled_by)), "inbox", note))
        who = _say(names.get(one.added_by))
        found.append(_line(one.added_at, _("A document was sent in"), who, "inbox", one.filename))
    return _sorted(told, found)


def with_shares(told: Told, submission_id: int) -> Told:
    """Return the timeline of a reply with what its institution shared; for that institution alone."""
    shares = shares_of(db.session, submission_id)
    collections = collections_of(db.session, [submission_id])
    names = actor_names(
        db.session, [one.created_by for one, _names in shares] + [line.collection.created_by for line in collections]
    )
    found = []
    for one, account in shares:
        person = _say(account) if account else one.name
        if one.revoked_at is not None:
            found.append(_line(one.revoked_at, _("Taken back from %(name)s", name=person), "", "slash-circle"))
        if one.finished_at is not None:
            found.append(_line(one.finished_at, _("%(name)s has finished", name=person), "", "check2"))
        words = _("Questions handed to %(name)s", name=person)
        found.append(_line(one.created_at, words, _say(names.get(one.created_by)), "people"))
    for line in collections:
        asked = line.collection
        if asked.taken_at is not None:
            found.append(_line(asked.taken_at, _("Answers of the units were taken over"), "", "box-arrow-in-down"))
        words = ngettext("%(num)s unit was asked", "%(num)s units were asked", line.units)
        found.append(_line(asked.created_at, words, _say(names.get(asked.created_by)), "people"))
    return _sorted(told, found)
