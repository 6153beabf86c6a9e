"""Labels of choices that speak answers: "The office in ${province}" (XLSForm: a reference in the label of a choice).

A questionnaire with such labels is turned, for one reply, into the same with the answers put in (:func:`spoken_by`), so
that whatever reads labels of it needs no word about this. One without them is handed back as it is. On an answering
page a script renews the labels, and cells see the answers of their row: there the words are filled in one by one.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from forms.answers import is_hidden
from forms.evaluation import fill
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from forms.answers import AnswerKey, Json
    from forms.definition.model import Definition, Item
    from forms.question_types.base import ChoiceLike


def speaks(choice: ChoiceLike) -> bool:
    """Tell whether the label of a choice speaks an answer."""
    return any("${" in text for text in choice.texts.values())


def speaking(definition: Definition) -> frozenset[str]:
    """Return the questions with such choices (kept on the definition)."""
    kept: frozenset[str] | None = vars(definition).get("_speaking")
    if kept is None:
        found = (item.code for item in definition.items() if any(speaks(choice) for choice in item.choices))
        kept = vars(definition).setdefault("_speaking", frozenset(found))
    return kept


def values_of(
    definition: Definition, answers: Mapping[AnswerKey, Json], hidden: Collection[str] = ()
) -> dict[str, str]:
    """Return what answers outside tables read in `${name}`, "" for one that is not asked; no rule is evaluated."""
    known = definition.compiled.by_code
    found: dict[str, str] = {}
    for key, value in answers.items():
        item = known.get(key.code)
        if item is None or key.row or value is None or is_hidden(frozenset(hidden), key):
            continue
        found.setdefault(key.code, question_type(item.type).expression(value))
    return found


def spoken_by(definition: Definition, values: Mapping[str, str]) -> Definition:
    """Return the questionnaire with the answers of a reply put into the labels of its choices."""
    codes = speaking(definition)
    if not codes:
        return definition

    def filled(item: Item) -> Item:
        children = tuple(filled(child) for child in item.children)
        same = all(new is old for new, old in zip(children, item.children, strict=True))
        made = item if same else replace(item, children=children)
        if item.code not in codes:
            return made
        choices = tuple(
            replace(
                choice,
                texts={lang: fill(text, definition, values, lang) for lang, text in choice.texts.items()},
            )
            for choice in item.choices
        )
        return replace(made, choices=choices)

    made = replace(definition, pages=tuple(filled(page) for page in definition.pages))
    # the rules are those that were compiled: only words have changed
    compiled = copy.copy(definition.compiled)
    items = {item.code: item for item in made.items()}
    compiled.by_code = {code: items[code] for code in definition.compiled.by_code}
    compiled.page_by_code = {item.code: page for page in made.pages for item in page.items()}
    vars(made)["compiled"] = compiled
    vars(made)["_speaking"] = frozenset()
    return made
