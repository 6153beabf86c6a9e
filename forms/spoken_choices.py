"""Labels of choices that speak answers: "The office in ${province}" (XLSForm: a reference in the label of a choice).

A questionnaire with such labels is turned, for one reply, into the same with the answers put in (:func:`spoken_by`), so
that whatever reads labels of it needs no word about this. One without them is handed back as it is. On an answering
page a script renews the labels, and cells see the answers of their row: there the words are filled in one by one.

A label in a column of a table may speak another column: of its own row. Such words differ from row to row, so they are
put in where one cell is read or written (:func:`worded`, with what :class:`Seen` tells of its row); read for the column
as a whole, "…" stands in their place.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from forms.answers import is_hidden
from forms.evaluation import NAME, fill
from forms.frames import Frames
from forms.question_types import question_type

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Mapping

    from forms.answers import AnswerKey, Json, Rows
    from forms.definition.model import Choice, Definition, Item
    from forms.frames import Frame
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


def speaking_of_rows(definition: Definition) -> frozenset[str]:
    """Return the columns of tables with choices that speak a column, whose words differ from row to row (kept)."""
    kept: frozenset[str] | None = vars(definition).get("_speaking_of_rows")
    if kept is None:
        of = vars(definition).get("_unspoken", definition)
        homes = of.compiled.homes
        found = (code for code in speaking(of) if homes.get(code) and any(homes.get(name) for name in _names(of, code)))
        kept = vars(definition).setdefault("_speaking_of_rows", frozenset(found))
    return kept


def _names(definition: Definition, code: str) -> set[str]:
    choices = definition.question(code).choices
    return {name for choice in choices for text in choice.texts.values() for name in NAME.findall(text)}


def unspoken(definition: Definition) -> Definition:
    """Return the questionnaire as it was before :func:`spoken_by` put answers in."""
    kept: Definition = vars(definition).get("_unspoken", definition)
    return kept


def worded(definition: Definition, item: Item, seen: Mapping[str, str]) -> Item:
    """Return a column in the words of one row: ``seen`` is what `${name}` reads there. Any other question as it is."""
    if item.code not in speaking_of_rows(definition):
        return item
    of = unspoken(definition)
    return replace(item, choices=_filled(of.question(item.code), of, seen))


def named(definition: Definition, item: Item, seen: Mapping[str, str]) -> Item:
    """Return a question in the words of one reply, where a choice may speak what that reply no longer answers.

    In the place of an answer that is not there stands the label of its question, in brackets: read years later, "…"
    says nothing of what was meant.
    """
    if item.code not in speaking(definition):
        return item

    def said(text: str, language: str) -> str:
        def named_hole(hole: re.Match[str]) -> str:
            return hole[0] if seen.get(hole[1]) else f"[{_label(definition, hole[1], language)}]"

        return fill(NAME.sub(named_hole, text), definition, seen, language)

    return replace(
        item,
        choices=tuple(
            replace(choice, texts={lang: said(text, lang) for lang, text in choice.texts.items()})
            for choice in item.choices
        ),
    )


def _label(definition: Definition, code: str, language: str) -> str:
    item = definition.compiled.by_code.get(code)
    label = item.text("label", language, definition.languages) if item is not None else ""
    return NAME.sub("…", label) or code


def _filled(item: Item, definition: Definition, values: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(
        replace(choice, texts={lang: fill(text, definition, values, lang) for lang, text in choice.texts.items()})
        for choice in item.choices
    )


class Seen:
    """What `${name}` reads in each row of the tables of one reply, from its answers; no rule is evaluated."""

    def __init__(
        self, definition: Definition, answers: Mapping[AnswerKey, Json], hidden: Collection[str], rows: Rows
    ) -> None:
        self._frames = Frames(definition.compiled, rows)
        self._frames.root.values = self._outside = values_of(definition, answers, hidden)
        self._homes = definition.compiled.homes
        self._rows: dict[tuple[str, str], Frame] = {
            (table, frame.key): frame for table, frames in self._frames.of.items() if table for frame in frames
        }
        known, closed = definition.compiled.by_code, frozenset(hidden)
        for key, value in answers.items():
            frame = self._rows.get((self._homes.get(key.code, ""), key.row)) if key.row else None
            if frame is not None and value is not None and not is_hidden(closed, key):
                frame.values.setdefault(key.code, question_type(known[key.code].type).expression(value))

    def from_cell(self, key: AnswerKey) -> Mapping[str, str]:
        """Return what is read in the row of a cell: its own row first, as on the page (forms/frames.py)."""
        frame = self._rows.get((self._homes.get(key.code, ""), key.row))
        return self._outside if frame is None else self._frames.seen_from(frame)


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
        return replace(made, choices=_filled(item, definition, values))

    made = replace(definition, pages=tuple(filled(page) for page in definition.pages))
    # the rules are those that were compiled: only words have changed
    compiled = copy.copy(definition.compiled)
    items = {item.code: item for item in made.items()}
    compiled.by_code = {code: items[code] for code in definition.compiled.by_code}
    compiled.page_by_code = {item.code: page for page in made.pages for item in page.items()}
    vars(made)["compiled"] = compiled
    vars(made)["_speaking"] = frozenset()
    vars(made)["_unspoken"] = definition
    return made
