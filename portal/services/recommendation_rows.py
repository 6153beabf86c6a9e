"""What an import of recommendations reads, whatever file it came from: one row per citable paragraph or sub-item."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from portal.models import RecommendationKind, StatePosition, TextStatus, Vocabulary
from portal.queries import recommendations as looking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.table import Problem

# UHRI speaks the UN's languages; the search page is read in English unless told otherwise
ORIGINAL = "en"
_NUMBERS = re.compile(r"\d+")
_BRACKET = re.compile(r"\[(\d+)\]\s*$")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


@lru_cache(8_192)
def folded(text: str) -> str:
    """Return a text for comparing, as searching does; a file repeats its labels and headings thousands of times."""
    return looking.folded(text)


class Place(NamedTuple):
    """Where a recommendation stands, as people cite it: symbol of the document, paragraph, sub-item ('' = whole)."""

    symbol: str
    paragraph: str
    sub_item: str = ""

    def __str__(self) -> str:
        """Write the citation, such as ``CCPR/C/XXX/CO/1, 7 (a)``."""
        item = f" ({self.sub_item})" if self.sub_item else ""
        return f"{self.symbol}, {self.paragraph}{item}"


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a row says about its document; blanks are not said."""

    titles: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    cycle: str | None = None
    adopted_on: date | None = None
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class RecommendationRow:
    """One row of any source; ``row`` is its row number in ``sheet``, None or blank means "this source does not say".

    ``cell`` is the text as it stood in the source. ``pair`` is the paragraph of the concern. With ``refusal`` the row
    could not be read and is only listed. ``countries`` is empty where the source has one country only.
    """

    symbol: str
    mechanism: str
    paragraph: str
    sub_item: str = ""
    uhri_id: str | None = None
    kind: RecommendationKind = RecommendationKind.RECOMMENDATION
    heading: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, str] = field(default_factory=dict)
    text_status: TextStatus | None = None
    checked_by: str | None = None
    follow_up: bool | None = None
    state_position: StatePosition | None = None
    recommending_state: str | None = None
    pair: str = ""
    tags: Mapping[Vocabulary, tuple[str, ...]] = field(default_factory=dict)
    countries: tuple[str, ...] = ()
    document: DocumentFacts = field(default_factory=DocumentFacts)
    cell: str = ""
    sheet: str | None = None
    row: int | None = None
    refusal: Problem | None = None

    @property
    def place(self) -> Place:
        """Return where the row stands in its document."""
        return Place(self.symbol, self.paragraph, self.sub_item)


def sort_position(paragraph: str, sub_item: str) -> int:
    """Return the natural place in a document: 9 before 10, 100.2 before 100.10, (a) before (b), unnumbered last."""
    bracket = _BRACKET.search(paragraph)
    again = min(int(bracket.group(1)), 9) if bracket else 0
    numbers = [int(number) for number in _NUMBERS.findall(_BRACKET.sub("", paragraph))]
    if not numbers:
        count = min(int(bracket.group(1)), 99_999) if bracket else 0
        return 1_000_000_000 + count * 100 + _letter(sub_item)
    first, second = min(numbers[0], 999), min(numbers[1], 999) if len(numbers) > 1 else 0
    return first * 1_000_000 + second * 1_000 + again * 100 + _letter(sub_item)


def _letter(sub_item: str) -> int:
    """Return 0 for the whole paragraph, 3 for (a), 6 for (b); (a)(ii) stands behind (a)."""
    letters = re.findall(r"[a-z]+", sub_item.lower())
    if not letters:
        return min(int(sub_item), 99) if sub_item.isdigit() else 0
    place = min((ord(letters[0][0]) - 96) * 3, 90)
    return place + (min(_ROMAN.index(letters[1]) + 1, 9) if len(letters) > 1 and letters[1] in _ROMAN else 0)


__all__ = ["ORIGINAL", "DocumentFacts", "Place", "RecommendationRow", "folded", "sort_position"]
