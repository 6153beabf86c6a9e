"""A version that can be shown although its rules may not be right yet: a draft is looked at while it is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forms.definition.compiled import ALWAYS, NEVER, dynamic, meant
from forms.definition.paths import sites
from forms.expressions import ExpressionError, compile_tree, names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forms.definition.model import Definition, Item
    from forms.definition.paths import Places


def readable(of: Definition) -> tuple[Definition, tuple[str, ...]]:
    """Return a version that can be applied, and the codes whose rules had to be left out of it.

    A rule is left out that cannot be parsed, speaks of a question that is not there, or runs in a circle.
    """
    places = sites(of.pages)
    bad = {item.code for item in of.items() if not all(_applies(item, *rule, places) for rule in _rules(item))}
    found = _without(of, bad)
    if circle := set(found.compiled.cycles):
        bad |= circle
        found = _without(of, bad)
    return found, tuple(item.code for item in of.items() if item.code in bad)


def _without(of: Definition, codes: Collection[str]) -> Definition:
    return replace(of, pages=tuple(_without_rules(page, codes) for page in of.pages)) if codes else of


def _rules(item: Item) -> Iterator[tuple[str, bool]]:
    """Yield the rules of an item, and whether each is a choice filter."""
    kept = (str(item.settings.get(name) or "") for name in ("repeat_count", "soft_constraint"))
    for source in (item.relevant, item.constraint, item.calculation, *kept):
        yield source, False
    for flag in (item.required, item.settings.get("evidence_required") or ""):
        if isinstance(flag, str) and flag.strip().lower() not in ALWAYS | NEVER:
            yield flag, False
    if dynamic(item.default):
        yield item.default, False
    yield item.choice_filter, True


def _applies(item: Item, source: str, filtering: bool, places: Places) -> bool:  # noqa: FBT001 - a fact of the rule
    if not source.strip():
        return True
    try:
        tree = meant(source, item.code, places, filtering=filtering)
        compile_tree(tree)
    except ExpressionError:
        return False
    return names(tree) <= places.by_code.keys()


def _without_rules(item: Item, codes: Collection[str]) -> Item:
    children = tuple(_without_rules(child, codes) for child in item.children)
    if item.code not in codes:
        return replace(item, children=children)
    settings = {
        name: value
        for name, value in item.settings.items()
        if name not in {"repeat_count", "evidence_required", "soft_constraint"}
    }
    return replace(
        item, children=children, relevant="", required="", constraint="", calculation="", default="",
        choice_filter="", settings=settings,
    )  # fmt: skip
