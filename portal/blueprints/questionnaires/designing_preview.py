"""One item of a draft drawn as an institution will see it, by the code that draws the answering page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portal.blueprints.drawing import clone, draw
from portal.blueprints.questionnaires.previewing import reading_in
from portal.blueprints.skeletons import skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from forms.definition.model import Definition, Item
    from portal.page_views import ItemView

PAGE = "the-one-page"


def drawn(of: Definition, item: Item, language: str, languages: Sequence[str]) -> Markup:
    """Return the HTML of an item in a language; nothing in it is posted, and its names stand beside no others."""
    page = replace(of.pages[0], code=PAGE, children=(replace(item, relevant=""),))
    alone = replace(of, pages=(page,))
    with reading_in(language):
        views = [_apart(one, language) for one in skeleton(alone, PAGE, language, tuple(languages))]
        return draw(alone, PAGE, views)


def _apart(view: ItemView, language: str) -> ItemView:
    made = clone(view)
    made.id = f"look-{language}-{view.id}"
    made.name = f"look-{language}-{view.name}"
    made.texts = [replace(text, name=f"look-{language}-{text.name}") for text in view.texts]
    return made
