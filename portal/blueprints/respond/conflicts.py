"""Two people changed one answer: both texts with what sets them apart, and the third text that joins them.

Where the page is shown again, it holds what its writer posted with the revision they saw, so that nothing but the
choice at that answer (``resolve:``) ever puts one text over the other: no other button, and no autosave.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from forms.answers import STATES, field_name
from forms.definition.word_diff import Piece, compare_words
from forms.merging import merge_texts
from forms.question_types import question_type
from portal.blueprints.respond.collected_views import place_label
from portal.incoming import asked
from portal.page_views import Posted
from portal.reader import datetime_text
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import AnswerKey, Given, Parsed
    from forms.definition.model import Definition
    from portal.queries.submissions import StoredAnswer
    from portal.services.submissions import RefusedAnswer, Saved, StaleAnswer

RESOLVE, MERGED, JOINED = "resolve:", "merged:", "joined:"


def with_joined(post: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the post of a page; where two texts were put together, the joined one stands for the answer."""
    names = [name.removeprefix(RESOLVE) for name in post if name.startswith(RESOLVE) and post[name] == "both"]
    if not any(f"{MERGED}{name}" in post for name in names):
        return post
    made = MultiDict(post)
    for name in names:
        made.setlist(name, post.getlist(f"{MERGED}{name}") or post.getlist(name))
    return made


def as_posted(saved: Saved, definition: Definition) -> dict[AnswerKey, Posted]:
    """Return what was overtaken as its writer posted it, each with the revision they saw."""
    found = {
        one.key: Posted(_raw(one.mine, one.key, definition), one.mine.state, one.base)
        for one in saved.stale
    }
    for one in saved.stale:
        # the other languages stand under the same state: what nobody touched in them is not overruled by it either
        place = one.key._replace(lang="")
        for key in (key for key in saved.saved if key not in found and key._replace(lang="") == place):
            theirs = saved.answers.get(key)
            if theirs is not None and theirs.state != one.mine.state and saved.saved[key] != theirs.revision:
                found[key] = Posted(asked().form.getlist(field_name(key)), one.mine.state, saved.saved[key])
    return found


def beside_a_state(refused: Sequence[RefusedAnswer], definition: Definition) -> dict[AnswerKey, Posted]:
    """Return what was written beside "not available" or "not applicable" as it was posted: both stay to be seen."""
    form = asked().form
    found = {}
    for one in refused:
        # a text in several languages has one state for all of them
        names = (field_name(one.key), field_name(one.key._replace(lang="")))
        state = next((form[f"{name}!state"] for name in names if f"{name}!state" in form), "answered")
        offered = definition.question(one.key.code).settings
        if one.kept and state in STATES and state != "answered" and offered.get(state):
            found[one.key] = Posted(form.getlist(field_name(one.key)), state, one.revision)
    return found


def told_stale(
    saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return what a script is told of the answers that somebody else saved first.

    ``begun`` is the text that the writer had before them, so that the two can be joined; null where nobody knows it.
    """
    return [_told(one, definition, names) for one in saved.stale]


def _told(one: StaleAnswer, definition: Definition, names: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": field_name(one.key),
        "mine": mine_of(one, definition),
        "theirs": _shown(one.theirs, one.key, definition),
        "theirs_raw": _raw(one.theirs, one.key, definition),
        "theirs_state": one.theirs.state,
        "begun": _text(one.begun, one.key, definition) if one.begun is not None else None,
        "revision": one.theirs.revision,
        "by": pick(names.get(one.theirs.answered_by), g.view.language, g.country.languages),
        "at": datetime_text(one.theirs.answered_at),
    }


def shown_conflicts(
    saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return the parameters of components/conflict.html for a page without script."""
    return [_shown_conflict(one, definition, names) for one in saved.stale]


def _shown_conflict(
    one: StaleAnswer, definition: Definition, names: Mapping[int, Mapping[str, str]]
) -> dict[str, Any]:
    mine, theirs = mine_of(one, definition), _shown(one.theirs, one.key, definition)
    joined = _joined(one, definition)
    return {
        "name": field_name(one.key),
        "label": place_label(definition, one.key),
        "mine": mine,
        "theirs": theirs,
        "by": pick(names.get(one.theirs.answered_by), g.view.language, g.country.languages),
        "at": one.theirs.answered_at,
        "revision": one.theirs.revision,
        **apart(mine, theirs),
        "joined": joined,
        "merged": _mended(field_name(one.key), joined),
        "told": json.dumps(_told(one, definition, names), ensure_ascii=False, separators=(",", ":")),
    }


def apart(mine: str, theirs: str) -> dict[str, tuple[Piece, ...]]:
    """Return both texts in pieces: in each, what the other does not say; nothing where they have nothing in common."""
    pieces = compare_words(theirs, mine)
    if not any(one.fate == "same" and one.text.strip() for one in pieces):
        return {"mine_pieces": (), "theirs_pieces": ()}
    return {
        "mine_pieces": tuple(one for one in pieces if one.fate != "gone"),
        "theirs_pieces": tuple(one for one in pieces if one.fate != "new"),
    }


def _joined(one: StaleAnswer, definition: Definition) -> str:
    """Return both texts as one to be mended by hand; empty where an answer is no free text."""
    item = definition.question(one.key.code)
    mine, theirs = _text(one.mine, one.key, definition), _text(one.theirs, one.key, definition)
    if question_type(item.type).control != "text" or not (isinstance(one.mine.value, str) and theirs):
        return ""
    return merge_texts(mine, theirs, _text(one.begun, one.key, definition) if one.begun is not None else None)


def _mended(name: str, joined: str) -> str:
    """Return the joined text as it was mended by hand on the page before, if it was; else as it is made."""
    form = asked().form
    mended = form.get(f"{MERGED}{name}", "")
    offered = form.get(f"{JOINED}{name}", "")
    return mended if mended.splitlines() != offered.splitlines() else joined


def mine_of(one: StaleAnswer, definition: Definition) -> str:
    """Return what its writer could not save, as it is read."""
    return _shown(one.mine, one.key, definition)


def _shown(given: Parsed | StoredAnswer, key: AnswerKey, definition: Definition) -> str:
    """Return an answer as it is read; "not available" and "not applicable" by name, so that no half is blank."""
    if given.typed is None and given.state != "answered":
        return str(_("Not available") if given.state == "not_available" else _("Not applicable"))
    return _text(given, key, definition)


def _text(given: Parsed | Given | StoredAnswer, key: AnswerKey, definition: Definition) -> str:
    if given.typed is not None:
        return given.typed
    item = definition.question(key.code)
    return question_type(item.type).text(given.value, item, g.view.language)


def _raw(given: Parsed | StoredAnswer, key: AnswerKey, definition: Definition) -> list[str]:
    item = definition.question(key.code)
    kind = question_type(item.type)
    return kind.raw_typed(given.typed) if given.typed is not None else kind.raw(given.value, item)
