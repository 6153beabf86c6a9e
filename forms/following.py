"""Which questions follow others: asked only after these were answered, and told so in words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from forms.definition.said import said_wholly
from forms.quoting import names_of
from forms.tables import countable, counted_as

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from forms.definition.model import Definition, Item


def follow_ups(definition: Definition, codes: Collection[str], hidden: Collection[str]) -> list[str]:
    """Return the questions and tables outside ``codes`` that are not asked at present and hang on ``codes`` alone.

    ``hidden`` is what is not asked. What follows a follow-up follows too. The rule of a page is left aside: a page that
    is asked because of an answer is no follow-up of it.
    """
    read_by = _deciding(definition)
    taken = {counted_as(definition, code) for code in codes if code in definition.compiled.by_code}
    before = set(taken)
    grown = True
    while grown:
        found = {code for code, read in read_by.items() if code in hidden and code not in taken and read <= taken}
        taken |= found
        grown = bool(found)
    return [code for code in countable(definition) if code in taken - before]


def asked_only_if(
    definition: Definition, code: str, language: str, languages: tuple[str, ...] = ()
) -> str | None:
    """Return in words when a question is asked: by its own rule, else by that of what stands around it.

    "" where the rule has no words; None where there is no rule.
    """
    known = definition.compiled.by_code
    rule = next((item.relevant for item in _around(definition, code) if item.relevant.strip()), "")
    return said_wholly(rule, known, language, languages) if rule else None


def _deciding(definition: Definition) -> Mapping[str, frozenset[str]]:
    """Return by question or table which others decide whether it is asked (kept on the definition)."""
    kept: Mapping[str, frozenset[str]] | None = vars(definition).get("_deciding")
    if kept is None:
        found = {code: read for code in countable(definition) if (read := _read(definition, code))}
        kept = vars(definition).setdefault("_deciding", MappingProxyType(found))
    return kept


def _read(definition: Definition, code: str) -> frozenset[str]:
    pages = {page.code for page in definition.pages}
    read: set[str] = set()
    for item in _around(definition, code):
        # what stands in one group with what it follows shares the rule of the group
        if item.code not in pages and not read.intersection(counted_as(definition, one.code) for one in item.items()):
            read |= _answers(definition, item, item.relevant)
    return frozenset(read)


def _around(definition: Definition, code: str) -> Iterator[Item]:
    """Yield an item, then what stands around it, the page last."""
    known = definition.compiled.by_code
    while code in known:
        yield known[code]
        code = definition.compiled.parents.get(code, "")


def _answers(definition: Definition, item: Item, source: str) -> set[str]:
    """Return which questions and tables a rule reads; of a computed value, what it is computed of."""
    known = definition.compiled.by_code
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(names_of(definition, item, source))
    while waiting:
        code = waiting.pop()
        if code in seen or code not in known:
            continue
        seen.add(code)
        one = known[code]
        if one.calculation:
            waiting += names_of(definition, one, one.calculation)
        else:
            found.add(counted_as(definition, code))
    return found
