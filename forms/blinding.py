"""A questionnaire without the rules by which somebody who was handed a few questions could find out others' answers.

A rule that reads both what such a person may change and what they may not read answers one question about the hidden
answer each time they change theirs: `. <= ${total}` gives the total away in twenty tries. Such rules are not judged
for them; the institution's own pages judge them all (docs/decisions/0031).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forms.definition.compiled import dynamic
from forms.quoting import concerns, names_of, readable_codes
from forms.tables import may_change

if TYPE_CHECKING:
    from collections.abc import Collection

    from forms.definition.model import Definition, Item

MOST_KEPT = 200
# of these the person's own answer is always a part
OWN = ("constraint", "soft_constraint")
RULES = ("relevant", "required", "choice_filter", "constraint")
RULES_IN_SETTINGS = ("soft_constraint", "evidence_required", "repeat_count")


def blinded(definition: Definition, codes: Collection[str], quotes: Collection[str] = ()) -> Definition:
    """Return the questionnaire without the rules that tell somebody who was handed ``codes`` others' answers.

    ``quotes`` are the questions that they may read besides. Where no rule does, it is the questionnaire itself.
    Without its rule a question is asked, a choice offered, an answer taken: the institution sees what does not fit.
    """
    kept: dict[Any, Definition] = vars(definition).setdefault("_blinded", {})
    key = frozenset(codes), frozenset(quotes)
    if key not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = _Blinding(definition, codes, readable_codes(definition, codes, quotes)).made()
    return kept[key]


def silenced(definition: Definition, made: Definition, rule: str) -> frozenset[str]:
    """Return the codes whose rule of that name was taken away, with all that stands in them."""
    known = definition.compiled.by_code
    return frozenset(
        inner.code
        for code, item in made.compiled.by_code.items()
        if _rule(item, rule) != _rule(known[code], rule)
        for inner in item.items()
    )


class _Blinding:
    def __init__(self, definition: Definition, codes: Collection[str], readable: frozenset[str]) -> None:
        self.definition, self.codes, self.readable = definition, codes, readable
        self.known = definition.compiled.by_code

    def made(self) -> Definition:
        pages = tuple(self._item(page) for page in self.definition.pages)
        if all(page is before for page, before in zip(pages, self.definition.pages, strict=True)):
            return self.definition
        return replace(self.definition, pages=pages)

    def _item(self, item: Item) -> Item:
        children = tuple(self._item(child) for child in item.children)
        given: dict[str, Any] = {}
        if any(child is not before for child, before in zip(children, item.children, strict=True)):
            given["children"] = children
        if concerns(self.definition, item, self.codes):
            given |= {rule: "" for rule in RULES if self._tells(item, rule)}
            telling = [rule for rule in RULES_IN_SETTINGS if self._tells(item, rule)]
            if telling:
                given["settings"] = {name: said for name, said in item.settings.items() if name not in telling}
        return replace(item, **given) if given else item

    def _tells(self, item: Item, rule: str) -> bool:
        """Tell whether a rule reads what the person may change together with what they may not read."""
        read = set(names_of(self.definition, item, _rule(item, rule)))
        hidden, changed = False, rule in OWN
        waiting, seen = list(read), set(read)
        while waiting:
            code = waiting.pop()
            if code not in self.known:
                continue
            one = self.known[code]
            hidden = hidden or (code not in self.readable and one.kind == "question")
            changed = changed or (one.kind == "question" and may_change(self.definition, code, self.codes))
            more = self._behind(one) - seen
            seen |= more
            waiting += more
        return hidden and changed

    def _behind(self, item: Item) -> set[str]:
        """Return on which answers an answer hangs; of one that can be read only what it is computed of."""
        sources = [item.calculation]
        if item.code not in self.readable:
            sources += [item.relevant, item.choice_filter, _rule(item, "repeat_count")]
            sources += [item.default] if dynamic(item.default) else []
        found = {name for source in sources for name in names_of(self.definition, item, source)}
        above = self.definition.compiled.parents.get(item.code, "")
        return found | ({above} if above and item.code not in self.readable else set())


def _rule(item: Item, rule: str) -> str:
    return str(getattr(item, rule) if rule in RULES else item.settings.get(rule) or "")
