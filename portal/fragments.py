"""Parts of pages that are drawn once and filled many times: a macro's output with holes where a reader's texts come.

The macros of ``templates/components`` stay the one description of what a part looks like. ``drawn`` runs one with a
hole in the place of each text that changes from reader to reader, keeps the HTML with the words it says (new wording
makes it anew) and fills the holes with escaped text each time (decision 0039).
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from portal.csrf_tokens import csrf_token
from portal.incoming import present
from portal.models.base import uuid7
from portal.reader import view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

# what nobody can guess stands in no text that somebody typed: a hole is only ever one that was cut here
_MARK = f"\ue000{secrets.token_hex(8)}-"
HOLE = re.compile(f"{_MARK}([a-z_]+[0-9]*)\ue001")
MOST = 4_000
_KEYS = "keys"
_TEXT = (str, Markup)  # a word of a fixed list (a status) is a str too, and decides what is drawn
_DRAWING = "portal_drawing"


def hole(name: str) -> str:
    """Return what stands for a text that comes later; only for what a macro puts out as it is."""
    return f"{_MARK}{name}\ue001"


def install(app: Flask) -> None:
    """Give the templates ``drawn``, ``form_keys`` and ``csrf_token``."""
    app.jinja_env.globals.update(drawn=drawn, form_keys=form_keys, csrf_token=csrf_token)


def drawn(macro: Callable[..., str], *fixed: Any, **texts: Any) -> Markup:
    """Return what a macro draws, drawn anew only for what it has not met yet.

    What is given in order, and whatever is no text, decides what is drawn and must be hashable. Texts given by name,
    and the texts of a dictionary given in order, are holes: the macro may ask whether there is one, and must put it
    out unchanged.
    """
    filling: dict[str, Any] = {}
    arguments = [_opened(one, filling) if isinstance(one, dict) else one for one in fixed]
    named = _opened(texts, filling)
    context = present()
    page, store = view(), context.app.extensions["wording"].words.kept
    key = (
        "kept", getattr(macro, "name", ""), page.language, page.digits,
        *(tuple(one.items()) if isinstance(one, dict) else one for one in arguments), *named.items(),
    )  # fmt: skip
    parts: list[str] | None = store.get(key)
    if parts is None:
        outer = context.g.get(_DRAWING, False)
        setattr(context.g, _DRAWING, True)
        try:
            made = str(macro(*arguments, **named))
        finally:
            setattr(context.g, _DRAWING, outer)
        if len(store) > MOST:
            store.clear()
        parts = store[key] = HOLE.split(made)
    return filled(parts, filling)


def filled(parts: list[str], filling: Mapping[str, Any]) -> Markup:
    """Return HTML that was split at its holes with escaped texts in them."""
    out = parts.copy()
    for at in range(1, len(parts), 2):
        name = parts[at]
        out[at] = form_keys() if name == _KEYS else escape(filling[name])
    return Markup("".join(out))  # noqa: S704 - a macro's own output, with escaped texts


def _opened(given: Mapping[str, Any], filling: dict[str, Any]) -> dict[str, Any]:
    opened = {}
    for name, value in given.items():
        if value and type(value) in _TEXT:
            filling[name] = value
            opened[name] = hole(name)
        else:
            opened[name] = value
    return opened


def form_keys() -> str:
    """Return the two hidden fields of every form that changes something: whose page it is, and that it is sent once."""
    if present().g.get(_DRAWING):
        return Markup(hole(_KEYS))  # noqa: S704 - a hole
    keys = (
        f'<input type="hidden" name="csrf_token" value="{csrf_token()}">'
        f'<input type="hidden" name="idempotency_key" value="{uuid7()}">'
    )
    return Markup(keys)  # noqa: S704 - both are made of letters, digits, dots, dashes and underscores
