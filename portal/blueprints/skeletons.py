"""A page's items as far as they depend on the questionnaire and the language alone; replies fill them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name
from forms.question_types import question_type
from portal.blueprints.question_views import (
    TABLE_LIST,
    as_table,
    computed_view,
    is_shown,
    is_table_list,
    words_of,
)
from portal.blueprints.tables import table_skeleton
from portal.markdown import marked
from portal.page_views import ItemView, TextInLanguage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.model import Definition, Item

ROWS = 5


def skeleton(definition: Definition, page_code: str, language: str, languages: tuple[str, ...]) -> tuple[ItemView, ...]:
    """Return the page's items as far as they depend on the questionnaire and the language alone.

    Kept on the definition itself: a published version is one object per process, and its wording is frozen.
    """
    kept: dict[tuple[str, str, tuple[str, ...]], tuple[ItemView, ...]] = vars(definition).setdefault("_skeletons", {})
    key = (page_code, language, languages)
    if key not in kept:
        page = next(item for item in definition.pages if item.code == page_code)
        inside = (page,) if page.kind in {"repeat", "matrix"} else page.children or (page,)
        kept[key] = tuple(_item_views(definition, inside, language, languages))
    return kept[key]


def _item_views(
    definition: Definition, items: Sequence[Item], language: str, languages: tuple[str, ...]
) -> list[ItemView]:
    views: list[ItemView] = []
    for item in items:
        if item.kind in {"repeat", "matrix"}:
            views.append(table_view(definition, item, language, languages))
            continue
        if item.kind in {"group", "section"}:
            label = item.text("label", language, languages)
            heading = ItemView(item.code, item.code, f"q-{item.code}", label, control="group", variant="")
            heading.hint = item.text("hint", language, languages)
            inside = _item_views(definition, item.children, language, languages)
            views.extend((as_table(heading, inside) if is_table_list(item) else heading, *inside))
            continue
        if item.kind not in {"question", "note"} or not is_shown(item):
            continue
        views.append(_question_view(item, language, languages))
    return views


def table_view(definition: Definition, item: Item, language: str, languages: tuple[str, ...]) -> ItemView:
    """Return a table without answers."""
    view = ItemView(
        item.code,
        item.code,
        f"q-{item.code}",
        item.text("label", language, languages),
        hint=item.text("hint", language, languages),
        guidance=item.text("guidance", language, languages),
    )
    return table_skeleton(definition, view, lambda column: _question_view(column, language, languages))


def _question_view(item: Item, language: str, languages: tuple[str, ...]) -> ItemView:
    kind = question_type(item.type)
    settings = item.settings
    if item.calculation:
        return computed_view(item, language, languages)
    states = [
        (state, words)
        for state, words in (("not_available", _("Not available")), ("not_applicable", _("Not applicable")))
        if settings.get(state)
    ]
    choices = kind.shown_choices(item, language)
    filtered = bool(item.choice_filter.strip() and item.choices)
    variant = kind.variant(item)
    return ItemView(
        code=item.code,
        name=item.code,
        id=f"q-{item.code}",
        label=item.text("label", language, languages),
        control=kind.control,
        hint=item.text("hint", language, languages),
        guidance=item.text("guidance", language, languages),
        required=item.required in {"yes", "true", "true()"},
        variant="columns" if filtered and variant == TABLE_LIST else variant,
        choices=[(key, label, False) for key, label in choices],
        choice_words=words_of(choices),
        filtered=filtered,
        places=len(choices) if filtered else 0,
        how_to=str(kind.how_to(item)),
        html=marked(item.text("label", language, languages)) if item.kind == "note" else "",
        rows=int(settings.get("rows") or ROWS),
        word_budget=int(settings.get("word_budget") or 0),
        unit=kind.unit(item, language),
        states=states,
        accept=kind.accept(item),
        texts=[
            TextInLanguage(code, field_name(key), label=_language_name(code))
            for code, key in _text_keys(item, languages)
        ],
    )


def _text_keys(item: Item, languages: tuple[str, ...]) -> list[tuple[str, AnswerKey]]:
    keys = question_type(item.type).keys(item, languages)
    return [(key.lang, key) for key in keys if key.lang]


def _language_name(code: str) -> str:
    from portal.reader import own_name

    return own_name(code)
