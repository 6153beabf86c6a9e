"""Questions as view data beyond the plain ones: values that are computed, tables of choices, choices out of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.evaluation import fill
from forms.question_types import question_type
from forms.question_types.choices import label_of
from portal.page_views import ItemView

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from forms.definition.model import Definition, Item

TABLE_LIST = "table-list"


def is_shown(item: Item) -> bool:
    """Tell whether an item stands on a page: what is asked, notes, and computed values that have a label."""
    if item.kind == "note":
        return True
    kind = question_type(item.type)
    if kind.computed or item.calculation:
        return any(text.strip() for text in (item.texts.get("label") or {}).values())
    return kind.asks


def computed_view(item: Item, language: str, languages: tuple[str, ...]) -> ItemView:
    """Return a value that is read, not written: of a calculate, or of any question with a calculation."""
    return ItemView(
        item.code,
        item.code,
        f"q-{item.code}",
        item.text("label", language, languages),
        control="note",
        variant="value",
        hint=item.text("hint", language, languages),
    )


def is_table_list(item: Item) -> bool:
    """Tell whether a group draws its choice questions as one table (XLSForm, appearance table-list)."""
    return TABLE_LIST in str(item.settings.get("appearance", "")).split()


def as_table(heading: ItemView, inside: Sequence[ItemView]) -> ItemView:
    """Make the questions that share the list of the first one rows under its choices; others stay as they are."""
    # rows that are offered different choices do not fit under one head, nor do words that change
    rows = [
        view
        for view in inside
        if view.control in {"choice", "choices"} and view.choices and not (view.filtered or view.choice_words)
    ]
    if not rows:
        return heading
    shared = [key for key, _label, _chosen in rows[0].choices]
    for view in rows:
        if [key for key, _label, _chosen in view.choices] == shared:
            view.variant = TABLE_LIST
    heading.variant, heading.choices = TABLE_LIST, rows[0].choices
    return heading


def words_of(choices: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the labels of choices that speak an answer, by key."""
    return {key: label for key, label in choices if "${" in label}


def say_choices(view: ItemView, definition: Definition, values: Mapping[str, str], language: str) -> None:
    """Put answers in the place of `${name}` in the labels of a view's choices; the words stay in `choice_words`."""
    said = [(key, fill(label, definition, values, language), chosen) for key, label, chosen in view.choices]
    view.choice_words = words_of([(key, label) for key, label, _chosen in view.choices])
    view.choices = said


def speak(view: ItemView, definition: Definition, values: Mapping[str, str], language: str) -> None:
    """Put answers in the place of `${name}` in a view's label and hint; what they are made from stays beside them."""
    if "${" in view.label:
        view.wording, view.label = view.label, fill(view.label, definition, values, language)
    if "${" in view.hint:
        view.hint_wording, view.hint = view.hint, fill(view.hint, definition, values, language)


def on_offer(view: ItemView, raw: Sequence[str], offered: Collection[str] | None) -> list[tuple[str, str, bool]]:
    """Return the choices of a list that the other answers leave (None: all) or that were chosen before."""
    chosen = set(raw)
    return [
        (key, label, key in chosen)
        for key, label, _chosen in view.choices
        if offered is None or not view.filtered or key in offered or key in chosen
    ]


def retired_but_chosen(item: Item, view: ItemView, raw: Sequence[str], language: str) -> list[tuple[str, str, bool]]:
    """Return the choices that are offered no more but were chosen before: they stay on this reply's page."""
    offered = {key for key, _label, _chosen in view.choices}
    gone = [key for key in raw if key not in offered and key in item.choice_by_key]
    return [(key, label_of(key, item, language), True) for key in gone]
