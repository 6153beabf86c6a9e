"""Which answers some questions speak of or depend on, and an evaluation that is silent about all others.

Whoever was handed a few questions sees nothing else: where a label says `${name}` of a question that they may not read,
an ellipsis stands, and no sentence, computed value or beginning value tells it either (docs/decisions/0024).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forms.definition.compiled import dynamic, meant
from forms.evaluation import NAME, fill
from forms.expressions import names
from forms.tables import may_change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation


def quoted(definition: Definition, codes: Collection[str]) -> tuple[str, ...]:
    """Return the questions outside ``codes`` whose answers the wording of these questions speaks, in their order."""
    readable = readable_codes(definition, codes)
    spoken: set[str] = set()
    for item in definition.items():
        if not concerns(definition, item, codes):
            continue
        for texts in (*item.texts.values(), *(choice.texts for choice in item.choices)):
            for text in texts.values():
                spoken.update(NAME.findall(text))
        if dynamic(item.default):
            spoken |= names_of(definition, item, item.default)
    known = definition.compiled.by_code
    return tuple(code for code in known if code in spoken and code not in readable)


def readable_codes(definition: Definition, codes: Collection[str], quotes: Collection[str] = ()) -> frozenset[str]:
    """Return whose answers may be read by somebody who was handed ``codes``.

    Those, what was allowed to be quoted, and what is computed from nothing else.
    """
    readable = {code for code in definition.compiled.by_code if may_change(definition, code, codes)} | set(quotes)
    computed = [item for item in definition.questions() if item.calculation and item.code not in quotes]
    readable -= {item.code for item in computed}
    grown = True
    while grown:
        grown = False
        for item in computed:
            if item.code not in readable and names_of(definition, item, item.calculation) <= readable:
                readable.add(item.code)
                grown = True
    return frozenset(readable)


def decisive(definition: Definition, codes: Collection[str]) -> frozenset[str]:
    """Return the questions outside ``codes`` that the rules of these questions read, however indirectly."""
    waiting = [item for item in definition.items() if concerns(definition, item, codes)]
    seen = {item.code for item in waiting}
    found: set[str] = set()
    known = definition.compiled.by_code
    while waiting:
        item = waiting.pop()
        read = {name for source in _rules(item) for name in names_of(definition, item, source)}
        for code in (*read, definition.compiled.parents.get(item.code, "")):
            if code not in known or code in seen:
                continue
            seen.add(code)
            waiting.append(known[code])
            if known[code].kind == "question" and code in read and not may_change(definition, code, codes):
                found.add(code)
    return frozenset(found)


def muted(evaluation: Evaluation, definition: Definition, codes: Collection[str], readable: frozenset[str],
          language: str) -> Evaluation:  # fmt: skip
    """Return the evaluation as far as it concerns ``codes``; nothing in it tells an answer outside ``readable``.

    What is asked was decided on all answers: whether a question appears is all that others' answers still tell.
    """
    untold = untold_codes(evaluation, definition, readable)
    begun = {key: value for key, value in evaluation.defaults.items() if key.code in readable - untold}
    if evaluation.frames is not None:
        told = untold | {key.code for key in evaluation.defaults if key not in begun}
        for frames in evaluation.frames.of.values():
            for frame in frames:
                frame.values = {code: value for code, value in frame.values.items() if code in readable - told}
    values = evaluation.frames.root.values if evaluation.frames is not None else {}
    silent = replace(
        evaluation,
        calculated={key: value for key, value in evaluation.calculated.items() if key.code in readable - untold},
        required=frozenset(key for key in evaluation.required if may_change(definition, key.code, codes)),
        missing=tuple(key for key in evaluation.missing if may_change(definition, key.code, codes)),
        unreadable=tuple(key for key in evaluation.unreadable if may_change(definition, key.code, codes)),
        defaults=begun,
        values=values,
        refused={},
    )
    refused = {}
    for key, sentence in evaluation.refused.items():
        if not may_change(definition, key.code, codes):
            continue
        wording = definition.question(key.code).text("constraint_message", language, definition.languages)
        spoken = "${" in wording and sentence not in _fixed_sentences(definition, key.code)
        refused[key] = fill(wording, definition, silent.seen_from(key), language) if spoken else sentence
    return replace(silent, refused=refused)


def telling_defaults(definition: Definition, readable: frozenset[str]) -> frozenset[str]:
    """Return the questions that begin with a value which tells an answer outside ``readable``."""
    return frozenset(
        item.code
        for item in definition.questions()
        if dynamic(item.default) and not names_of(definition, item, item.default) <= readable
    )


def untold_codes(evaluation: Evaluation, definition: Definition, readable: frozenset[str]) -> frozenset[str]:
    """Return the questions whose value, as it stands, comes from an answer outside ``readable`` that they begin with.

    Those that begin with it themselves and were answered by nobody, and what begins with these or is computed of them.
    """
    telling = telling_defaults(definition, readable)
    found = {key.code for key in evaluation.defaults if key.code in telling}
    grown = bool(found)
    while grown:
        grown = False
        for item in definition.questions():
            source = item.calculation or (item.default if dynamic(item.default) else "")
            if item.code not in found and source and names_of(definition, item, source) & found:
                found.add(item.code)
                grown = True
    return frozenset(found)


def _fixed_sentences(definition: Definition, code: str) -> set[str]:
    return {text for text in definition.question(code).texts.get("constraint_message", {}).values() if "${" not in text}


def concerns(definition: Definition, item: Item, codes: Collection[str]) -> bool:
    """Tell whether an item is one of these questions, or a heading or note that is shown with them."""
    if may_change(definition, item.code, codes):
        return True
    if item.children:
        return any(may_change(definition, child.code, codes) for child in item.items())
    parent = definition.compiled.by_code.get(definition.compiled.parents.get(item.code, ""))
    return item.kind == "note" and parent is not None and any(
        may_change(definition, child.code, codes) for child in parent.children
    )


def _rules(item: Item) -> Iterator[str]:
    yield from (item.relevant, item.constraint, item.calculation, item.choice_filter)
    yield from (item.required, str(item.settings.get("evidence_required") or ""))
    yield str(item.settings.get("repeat_count") or "")
    yield item.default if dynamic(item.default) else ""


def names_of(definition: Definition, item: Item, source: str) -> frozenset[str]:
    """Return the names that a rule of an item reads, as they are meant where it stands."""
    if not source.strip() or ("${" not in source and "/" not in source):
        return frozenset()
    filtering = source == item.choice_filter
    return names(meant(source, item.code, definition.compiled.places, filtering=filtering))
