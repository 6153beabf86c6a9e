"""What a post says, read to whoever typed it: each question in words, and the words of what was chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import g, request

from forms.answers import parse_field_name
from forms.bilingual import own_name
from forms.question_types import question_type
from portal.blueprints.guard import secret, who
from portal.blueprints.posting import load
from portal.blueprints.signed_in import somebody
from portal.extensions import db
from portal.queries import submissions as queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.definition.model import Definition
    from portal.models import HeldPost

_PAGE = re.compile(r"/replies/([0-9a-f]{32})/pages/")
_TEXT = re.compile(r"\s|[^\x00-\x7f]")
_NO_WORDS = frozenset({"request_key", "next", "revision", "action"})


def typed_words(definition: Definition, fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return (question, what was typed or chosen) in the order of the page; what is empty or no answer is left out."""
    said: dict[str, tuple[str, list[str]]] = {}
    for name, value in fields:
        key = parse_field_name(name) if "!" not in name and ":" not in name else None
        if key is None or not value.strip() or key.code not in definition.compiled.by_code:
            continue
        item = definition.question(key.code)
        label = item.text("label", g.view.language, tuple(g.country.languages)).partition("${")[0]
        offered = dict(question_type(item.type).shown_choices(item, g.view.language))
        label = f"{label or key.code} ({own_name(key.lang)})" if key.lang and len(definition.languages) > 1 else label
        said.setdefault(name, (label or key.code, []))[1].append(offered.get(value, value))
    return [(label, ", ".join(values)) for label, values in said.values()]


def held_words(post: HeldPost) -> Sequence[tuple[str, str]]:
    """Return what a held post says; where it answers no page of a reply, its texts without questions."""
    fields = [(field["name"], field["value"]) for field in post.fields]
    definition = _answered(post.path)
    if definition is not None:
        return typed_words(definition, fields)
    return [
        ("", value)
        for name, value in fields
        if value and ":" not in name and "!" not in name and name not in _NO_WORDS
    ]


def posted_words() -> Sequence[tuple[str, str]]:
    """Return what the present post says, if its form was read: what an error would take from whoever typed it.

    A browser does not bring a form back that it went away from. Without the questionnaire at hand only texts are told
    apart from choices and keys: what holds a blank or a letter that no key has.
    """
    this = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - what was read of the body
    if this.method != "POST" or "form" not in vars(this):
        return []
    fields = [(name, value) for name, value in this.form.items(multi=True) if not secret(name)]
    definition = _answered(this.path) if somebody() is not None else None
    if definition is not None:
        return typed_words(definition, fields)
    return [
        ("", value)
        for name, value in fields
        if ":" not in name and "!" not in name and name not in _NO_WORDS and _TEXT.search(value.strip())
    ]


def _answered(path: str) -> Definition | None:
    found = _PAGE.match(path)
    head = queries.find(db.session, found[1]) if found else None
    return load(head)[0] if head is not None and head.institution_id == who().institution_id else None
