"""What a reply brings to its sheet: its questionnaire, what stands in it now, and what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, Given, Json, Rows

if TYPE_CHECKING:
    from forms.definition.model import Definition

Texts = Mapping[str, str]


@dataclass(frozen=True)
class OfflineReply:
    """One reply as it goes out. ``row_revisions`` are those of rows of its repeats, ``values`` what its labels read.

    ``seen_from`` tells what the labels of a cell read in its row (None: what they read outside tables).
    ``texts`` are the recommendations, each by language; ``unlocked`` as of the reply (None: everything may be changed).
    """

    submission: str
    round: str
    institution: str
    version: int
    sheet: str
    title: Texts
    cite: str
    texts: Sequence[Texts]
    due: date
    definition: Definition
    answers: Mapping[AnswerKey, Given]
    rows: Rows
    row_revisions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unlocked: Sequence[str] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    calculated: Mapping[AnswerKey, Json] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    seen_from: Callable[[AnswerKey], Mapping[str, str]] | None = None

    def seen(self, key: AnswerKey) -> Mapping[str, str]:
        """Return what `${name}` reads where an answer stands."""
        return self.values if self.seen_from is None else self.seen_from(key)


@dataclass(frozen=True)
class OfflineBook:
    """One download: all its replies in order, for whom, when, in which languages (the first one leads)."""

    replies: Sequence[OfflineReply]
    institution: Texts
    round: Texts
    languages: tuple[str, ...]
    time_zone: str
    book: str
    made: str
    spare: int = 12
