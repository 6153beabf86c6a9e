"""What the browser needs to apply the rules of a questionnaire while somebody types: trees, places and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forms.answers import AnswerKey, field_name
from forms.definition.compiled import ALWAYS, NEVER, dynamic, meant
from forms.definition.model import pick_text
from forms.evaluation import BREAKS_RULE, NAME
from forms.expressions import to_json
from forms.expressions.tree import Call, Literal, Lookup, Reference, walk
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.definition.compiled import Compiled
    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation
    from forms.expressions import Tree

FORMAT = 4  # part of the address of the rules: browsers keep them for ever


def browser_rules(definition: Definition, language: str) -> dict[str, Any]:
    """Return the rules of a questionnaire for portal/static/js/engine.js, which names every key."""
    compiled = definition.compiled
    rules: dict[str, dict[str, Any]] = {}
    trees: list[Tree] = []
    for item in compiled.by_code.values():
        own: dict[str, Any] = {}
        for role, source in _sources(item):
            plain = source.strip()
            if role == "required" and plain.lower() in ALWAYS | NEVER:
                if plain.lower() in ALWAYS:
                    own[role] = True
                continue
            tree = meant(plain, item.code, compiled.places, filtering=role == "choice_filter")
            trees.append(tree)
            own[role] = to_json(tree)
        if own:
            rules[item.code] = own
    return {
        "order": [step.item.code for step in compiled.steps],
        "parents": compiled.parents,
        "homes": {code: home for code, home in compiled.homes.items() if home},
        "tables": {code: {"outer": table.outer, "rows": table.rows} for code, table in compiled.tables.items()},
        "folders": compiled.folders,
        "rules": rules,
        "reads": {code: sorted(names) for code, names in compiled.reads.items() if names},
        "lists": _lists(compiled, trees, language),
        "filtered": {
            code: [_row(choice, language) for choice in compiled.by_code[code].choices if not choice.retired]
            for code, own in rules.items()
            if "choice_filter" in own
        },
        "labels": _labels(compiled, trees, language),
        "watches": _watches(definition),
        "defaults": _defaults(compiled),
        "default_language": definition.default_language,
        "kinds": {code: kind for code, item in compiled.by_code.items() if (kind := _kind(item))},
        "asked": [step.item.code for step in compiled.questions if step.keys],
        "messages": {
            item.code: item.text("constraint_message", language, definition.languages) or str(BREAKS_RULE)
            for item in compiled.by_code.values()
            if item.constraint
        },
    }


def reads_of(definition: Definition, codes: set[str]) -> frozenset[str]:
    """Return every question that rules and wording of these items read, those that computed ones need included."""
    compiled = definition.compiled
    found: set[str] = set()
    waiting = [
        name
        for code in codes
        for name in (*_read(definition, compiled.by_code[code]), *_spoken_in(compiled.by_code[code]))
    ]
    while waiting:
        name = waiting.pop()
        if name in found or name not in compiled.by_code:
            continue
        found.add(name)
        waiting.extend(compiled.reads.get(name, ()))
    return frozenset(found)


def filter_reads(definition: Definition, code: str) -> frozenset[str]:
    """Return what decides which choices of a question are on offer (kept on the definition)."""
    kept: dict[str, frozenset[str]] = vars(definition).setdefault("_filter_reads", {})
    if code not in kept:
        kept[code] = reads_of(definition, {code})
    return kept[code]


def _read_on(definition: Definition, page: Item) -> tuple[set[str], frozenset[str]]:
    """Return the codes of a page, and what their rules read; kept on the definition, which is frozen."""
    kept: dict[str, tuple[set[str], frozenset[str]]] = vars(definition).setdefault("_read_on", {})
    found = kept.get(page.code)
    if found is None:
        here = {item.code for item in page.items()}
        found = kept[page.code] = here, reads_of(definition, here)
    return found


def known(definition: Definition, page: Item, evaluation: Evaluation, now: str) -> dict[str, Any]:
    """Return what the browser must know of other pages for the rules of this one; relevance.js names the keys."""
    frames = evaluation.frames
    here, needed = _read_on(definition, page)
    if frames is None or not needed:
        return {"now": now}
    compiled = definition.compiled
    values: dict[str, str] = {}
    for code in sorted(needed):
        for frame in frames.of[compiled.homes[code]]:
            if value := frame.values.get(code):
                values[field_name(AnswerKey(code, frame.key))] = value
    tables = {home for code in needed | here if (home := compiled.homes[code])} | (needed & set(compiled.tables))
    around = {one for table in tables for one in compiled.chains[table] if one}
    return {
        "now": now,
        "values": values,
        "rows": {
            table: [[frame.key, frame.up.key if frame.up else ""] for frame in frames.of[table]]
            for table in sorted(around)
            if compiled.tables[table].rows is None
        },
        "hidden": sorted(name for name in evaluation.hidden if name.partition("[")[0] in needed | here),
    }


def _defaults(compiled: Compiled) -> dict[str, Any]:
    """Return how the cells of a row that the browser adds begin; the server fills all others itself."""
    found: dict[str, Any] = {}
    for code, home in compiled.homes.items():
        source = compiled.by_code[code].default.strip()
        if home and source:
            found[code] = to_json(meant(source, code, compiled.places)) if dynamic(source) else ["text", source]
    return found


def _watches(definition: Definition) -> dict[str, list[str]]:
    """Return what the constraints and choice filters read beyond what is computed: judged again when it changes."""
    found: dict[str, list[str]] = {}
    for item in definition.compiled.by_code.values():
        if item.constraint.strip() or item.choice_filter.strip():
            found[item.code] = sorted(set(_read(definition, item)))
    return found


def _kind(item: Item) -> str:
    """Return how the browser reads what is typed: number, date, "server" (it does not) or "" for as it is."""
    if item.kind != "question":
        return ""
    kind = question_type(item.type)
    if kind.control in ("date", "file"):
        return "date" if kind.name == "date" else "server"
    return "number" if kind.control == "text" and kind.input_mode in ("numeric", "decimal") else ""


def _read(definition: Definition, item: Item) -> Iterator[str]:
    compiled = definition.compiled
    yield from compiled.reads.get(item.code, ())
    for role, source in _sources(item):
        if role != "required" or source.strip().lower() not in ALWAYS | NEVER:
            for node in walk(meant(source, item.code, compiled.places, filtering=role == "choice_filter")):
                if name := getattr(node, "name", "") if isinstance(node, Reference) else getattr(node, "code", ""):
                    yield name


def _spoken_in(item: Item) -> Iterator[str]:
    """Yield the names of the answers that label, hint, message and choices of an item speak."""
    for choice in item.choices:
        for words in choice.texts.values():
            yield from NAME.findall(words)
    for role in ("label", "hint", "constraint_message"):
        for words in item.texts.get(role, {}).values():
            yield from NAME.findall(words)


def _sources(item: Item) -> Iterator[tuple[str, str]]:
    for role in ("relevant", "calculation", "constraint", "choice_filter", "required"):
        source = getattr(item, role)
        if source.strip():
            yield role, source


def _lists(compiled: Compiled, trees: list[Tree], language: str) -> dict[str, list[dict[str, str]]]:
    """Return the lists of choices that expressions read as tables; attached tables stay on the server."""
    named = {node.table for tree in trees for node in walk(tree) if isinstance(node, Lookup)}
    named |= {
        node.parts[0].value
        for tree in trees
        for node in walk(tree)
        if isinstance(node, Call) and node.name == "pulldata" and isinstance(node.parts[0], Literal)
    }
    return {
        name: [_row(choice, language) for choice in compiled.lists[name]]
        for name in sorted(named & set(compiled.lists))
    }


def _row(choice: Any, language: str) -> dict[str, str]:
    return {**choice.extra, "name": choice.key, "label": pick_text(choice.texts, language)}


def _labels(compiled: Compiled, trees: list[Tree], language: str) -> dict[str, dict[str, str]]:
    """Return the labels of the choices that expressions and wording ask for."""
    names: set[str] = set()
    for node in (node for tree in trees for node in walk(tree)):
        if isinstance(node, Call) and node.name == "jr:choice-name":
            question = node.parts[1]
            written = question.value if isinstance(question, Literal) else getattr(question, "name", "")
            names.add(written.strip().removeprefix("${").removesuffix("}").strip())
    for item in compiled.by_code.values():
        names.update(_spoken_in(item))
    return {
        name: {choice.key: pick_text(choice.texts, language) for choice in compiled.by_code[name].choices}
        for name in sorted(names & set(compiled.by_code))
        if compiled.by_code[name].choices
    }
