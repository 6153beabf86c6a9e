"""search() in the appearance of a question with a list: choices from an attached table, the way of older forms.

Source: XLSForm, "Dynamic selects from pre-loaded data"; the list on the sheet choices then names the columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.definition.tables import table_name

_CALL = re.compile(r"search\(\s*(['\"])(?P<table>[^'\"]+)\1(?P<rest>.*)\)", re.DOTALL)
_SIEVE = re.compile(
    r"\s*,\s*(['\"])(?P<how>\w+)\1\s*,\s*(['\"])(?P<column>[^'\"\s]+)\3\s*,\s*(?P<value>.+?)\s*", re.DOTALL
)
_HOW = {
    "matches": "{column} = {value}",
    "contains": "contains({column}, {value})",
    "startswith": "starts-with({column}, {value})",
    "endswith": "ends-with({column}, {value})",
}


@dataclass(frozen=True)
class Sieve:
    """What a search() looks up: a table, the rows of it as a choice filter; `rest` is the appearance without it."""

    table: str
    choice_filter: str
    rest: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def sieve_of(appearance: str) -> Sieve | None:
    """Return the search() of an appearance, None when there is none that can be read."""
    found = _CALL.search(appearance)
    if found is None:
        return None
    sieve = _SIEVE.fullmatch(found["rest"])
    how = _HOW.get(sieve["how"].lower(), "") if sieve else ""
    kept = how.format(column=sieve["column"], value=sieve["value"]) if sieve and how else ""
    rest = " ".join((appearance[: found.start()] + appearance[found.end() :]).split())
    return Sieve(table_name(found["table"]), kept, rest)
