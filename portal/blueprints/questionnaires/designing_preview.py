"""One item of a draft drawn as an institution will see it, by the code that draws the answering page."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import g
from flask_babel import force_locale

from portal.blueprints.answering import skeleton
from portal.blueprints.drawing import clone, draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

    from forms.definition.model import Definition, Item
    from portal.templating import ItemView

PAGE = "the-one-page"


def drawn(of: Definition, item: Item, language: str, languages: Sequence[str]) -> Markup:
    """Return the HTML of an item in a language; nothing in it is posted, and its names stand beside no others."""
    page = replace(of.pages[0], code=PAGE, children=(replace(item, relevant=""),))
    alone = replace(of, pages=(page,))
    with _reading_in(language):
        views = [_apart(one, language) for one in skeleton(alone, PAGE, language, tuple(languages))]
        return draw(alone, PAGE, views)


@contextmanager
def _reading_in(language: str) -> Iterator[None]:
    """Draw what stands inside as a reader of that language sees it: the words of controls are kept per reader."""
    kept = g.view
    g.view = replace(kept, language=language)
    try:
        with force_locale(language.replace("-", "_")):
            yield
    finally:
        g.view = kept


def _apart(view: ItemView, language: str) -> ItemView:
    made = clone(view)
    made.id = f"look-{language}-{view.id}"
    made.name = f"look-{language}-{view.name}"
    made.texts = [replace(text, name=f"look-{language}-{text.name}") for text in view.texts]
    return made
