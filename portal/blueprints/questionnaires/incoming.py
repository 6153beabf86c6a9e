"""What a person sees of a file before it is taken over: warnings in groups, what comes in, what it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.changes import Aspect, differences
from forms.definition.report import Mistake
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask_babel import LazyString

    from forms.definition.changes import Difference
    from forms.definition.model import Definition, Item
    from portal.table import Problem

SHOWN = 12  # places named of one sentence; the rest is a number
GROUPS: Mapping[str, tuple[LazyString, frozenset[Aspect]]] = {
    "added": (_l("Comes in"), frozenset({Aspect.ADDED, Aspect.ADDED_REQUIRED, Aspect.LANGUAGE_ADDED})),
    "gone": (_l("Is taken out"), frozenset({Aspect.GONE, Aspect.LANGUAGE_GONE})),
    "worded": (_l("Is worded anew"), frozenset({Aspect.TITLE, Aspect.WORDING, Aspect.CHOICE_WORDING})),
    "choices": (
        _l("Has other choices"),
        frozenset({Aspect.CHOICE_ADDED, Aspect.CHOICE_GONE, Aspect.CHOICE_ORDER}),
    ),
    "ruled": (
        _l("Follows other rules"),
        frozenset(
            {
                Aspect.LOOSER, Aspect.STRICTER, Aspect.COMPUTED, Aspect.DEFAULT, Aspect.SETTING,
                Aspect.SETTING_NARROWED,
            }
        ),
    ),
    "moved": (_l("Stands elsewhere"), frozenset({Aspect.MOVED, Aspect.TABLE})),
    "type": (_l("Is of another type"), frozenset({Aspect.TYPE})),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One sentence about a file with all its places: the first ones named, `more` the number of the others."""

    one: Mistake | Problem
    severity: str
    places: tuple[str, ...]
    more: int
    count: int


@dataclass(frozen=True)
class Arrival:
    """One page of what comes in; `types` are the types of its questions with their numbers, the most frequent first."""

    page: Item
    questions: int
    required: int
    tables: int
    types: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Change:
    """One kind of change with the items it concerns (code, labels); `careful`: replies have to be looked at."""

    title: LazyString
    items: tuple[tuple[str, Mapping[str, str]], ...]
    careful: bool


def grouped(problems: Iterable[Mistake | Problem]) -> list[Told]:
    """Return the sentences, each once, with their places in the order of the file; errors first."""
    found: dict[tuple[str, str, str], list[Mistake | Problem]] = {}
    for one in problems:
        # what cannot be read at all is a Problem, which knows no severity
        found.setdefault((severity_of(one), str(one.message), one.sheet or ""), []).append(one)
    told = [
        Told(
            same[0],
            severity_of(same[0]),
            tuple(f"{one.column or ''}{one.row}" for one in same[:SHOWN] if one.row),
            max(0, len(same) - SHOWN),
            len(same),
        )
        for same in found.values()
    ]
    return sorted(told, key=lambda one: one.severity != "error")


def severity_of(one: Mistake | Problem) -> str:
    """Return "error" or "warning"."""
    return one.severity if isinstance(one, Mistake) else "error"


def arrivals(of: Definition) -> list[Arrival]:
    """Return the pages of a questionnaire with what stands on them."""
    return [_arrival(page) for page in of.pages]


def _arrival(page: Item) -> Arrival:
    asked = [item for item in page.items() if item.kind == "question" and question_type(item.type).asks]
    return Arrival(
        page,
        questions=len(asked),
        required=sum(1 for item in asked if item.required.strip().lower() not in ("", "no", "false", "false()", "0")),
        tables=sum(1 for item in page.items() if item.kind in ("repeat", "matrix")),
        types=tuple(Counter(str(question_type(item.type).title) for item in asked).most_common()),
    )


def changes(old: Definition | None, new: Definition) -> list[Change]:
    """Return what the file changes against the present version, by kind; nothing for a new questionnaire."""
    if old is None:
        return []
    found = differences(old, new)
    labels = {item.code: item.texts.get("label") or {} for of in (old, new) for item in of.items()}
    kinds = [_change(title, aspects, found, labels) for title, aspects in GROUPS.values()]
    return [kind for kind in kinds if kind.items]


def _change(
    title: LazyString,
    aspects: frozenset[Aspect],
    found: Sequence[Difference],
    labels: Mapping[str, Mapping[str, str]],
) -> Change:
    some = [one for one in found if one.aspect in aspects]
    # the title and a language belong to no item; the language names them
    codes = dict.fromkeys(one.code or one.language for one in some)
    items = tuple((code, labels.get(code, {})) for code in codes if code)
    return Change(title, items, any(not one.safe for one in some))
