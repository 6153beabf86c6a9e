"""Two people changed one answer: both texts with what sets them apart, and the third text that joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g
from werkzeug.datastructures import MultiDict

from forms.answers import field_name
from forms.definition.word_diff import Piece, compare_words
from forms.merging import merge_texts
from forms.question_types import question_type
from portal.reader import datetime_text
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.answers import AnswerKey, Given, Parsed
    from forms.definition.model import Definition
    from portal.queries.submissions import StoredAnswer
    from portal.services.submissions import Saved, StaleAnswer

RESOLVE = "resolve:"


def with_joined(post: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return the post of a page; where two texts were put together, the joined one stands for the answer."""
    names = [name.removeprefix(RESOLVE) for name in post if name.startswith(RESOLVE) and post[name] == "both"]
    if not any(f"merged:{name}" in post for name in names):
        return post
    made = MultiDict(post)
    for name in names:
        made.setlist(name, post.getlist(f"merged:{name}") or post.getlist(name))
    return made


def told_stale(
    saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return what a script is told of the answers that somebody else saved first.

    ``begun`` is the text that the writer had before them, so that the two can be joined; null where nobody knows it.
    """
    return [
        {
            "name": field_name(one.key),
            "mine": _shown(one.mine, one.key, definition),
            "theirs": _shown(one.theirs, one.key, definition),
            "theirs_raw": _raw(one.theirs, one.key, definition),
            "begun": _shown(one.begun, one.key, definition) if one.begun is not None else None,
            "revision": one.theirs.revision,
            "by": pick(names.get(one.theirs.answered_by), g.view.language, g.country.languages),
            "at": datetime_text(one.theirs.answered_at),
        }
        for one in saved.stale
    ]


def shown_conflicts(
    saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]], languages: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return the parameters of components/conflict.html for a page without script."""
    return [_shown_conflict(one, definition, names, languages) for one in saved.stale]


def _shown_conflict(
    one: StaleAnswer, definition: Definition, names: Mapping[int, Mapping[str, str]], languages: tuple[str, ...]
) -> dict[str, Any]:
    mine, theirs = mine_of(one, definition), _shown(one.theirs, one.key, definition)
    return {
        "name": field_name(one.key),
        "label": definition.question(one.key.code).text("label", g.view.language, languages),
        "mine": mine,
        "theirs": theirs,
        "by": pick(names.get(one.theirs.answered_by), g.view.language, g.country.languages),
        "at": one.theirs.answered_at,
        "revision": one.theirs.revision,
        **apart(mine, theirs),
        "merged": _joined(one, mine, theirs, definition),
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


def _joined(one: StaleAnswer, mine: str, theirs: str, definition: Definition) -> str:
    """Return both texts as one to be mended by hand; empty where an answer is no free text."""
    item = definition.question(one.key.code)
    if question_type(item.type).control != "text" or not (isinstance(one.mine.value, str) and theirs):
        return ""
    return merge_texts(mine, theirs, _shown(one.begun, one.key, definition) if one.begun is not None else None)


def mine_of(one: StaleAnswer, definition: Definition) -> str:
    """Return the text that its writer could not save, as it is read."""
    return _shown(one.mine, one.key, definition)


def _shown(given: Parsed | Given | StoredAnswer, key: AnswerKey, definition: Definition) -> str:
    if given.typed is not None:
        return given.typed
    item = definition.question(key.code)
    return question_type(item.type).text(given.value, item, g.view.language)


def _raw(theirs: StoredAnswer, key: AnswerKey, definition: Definition) -> list[str]:
    item = definition.question(key.code)
    return [theirs.typed] if theirs.typed is not None else question_type(item.type).raw(theirs.value, item)
