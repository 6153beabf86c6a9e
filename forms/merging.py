"""Two texts of one answer joined into a third that its reader mends: what only one of them changed is taken over.

A three-way join by sentences (diff3): against the text that both began from, or, where nobody knows it any more,
against what both have in common. The browser joins by the same steps (portal/static/js/conflict.js).
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# a sentence, or what stands between two of them; Khmer ends one with khan (។) or bariyoosan (៕)
_SENTENCE = re.compile(r"\s+|\S[^\n.!?។៕]*[.!?។៕]*")


def sentences(text: str) -> list[str]:
    """Cut a text into sentences, and the blanks and line ends between them; joined again they are the text."""
    return _SENTENCE.findall(text)


def merge_texts(mine: str, theirs: str, base: str | None = None) -> str:
    """Join two texts; where both changed one place, both stand there, theirs first."""
    mine, theirs = _lines(mine), _lines(theirs)
    ours, others = sentences(mine), sentences(theirs)
    start = _shared(others, ours) if base is None else sentences(_lines(base))
    joined: list[str] = []
    for begun, my, their in _chunks(start, ours, others):
        if my in (begun, their):
            joined += their
        elif their == begun:
            joined += my
        else:
            joined += _both(begun, their, my, whole=my == ours and their == others)
    return "".join(joined)


def _lines(text: str) -> str:
    """Write line ends in one way: browsers post them in another than they show."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _both(begun: Sequence[str], theirs: Sequence[str], mine: Sequence[str], *, whole: bool) -> list[str]:
    """Join a place that both changed; what one only added before or after stands beside what the other made of it."""
    for longer, other in ((mine, theirs), (theirs, mine)):
        if begun and longer[: len(begun)] == begun:
            return [*other, *longer[len(begun) :]]
        if begun and longer[-len(begun) :] == begun:
            return [*longer[: -len(begun)], *other]
    touch = not theirs or not mine or theirs[-1].isspace() or mine[0].isspace()
    return [*theirs, "" if touch else "\n\n" if whole else " ", *mine]


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    blocks = difflib.SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [text for block in blocks for text in one[block.a : block.a + block.size]]


def _matches(start: Sequence[str], now: Sequence[str]) -> dict[int, int]:
    """Return where each sentence of the beginning stands now, in order."""
    blocks = difflib.SequenceMatcher(None, start, now, autojunk=False).get_matching_blocks()
    return {block.a + at: block.b + at for block in blocks for at in range(block.size)}


def _chunks(
    start: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> list[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    """Cut the three texts at the sentences that stand in all of them."""
    in_mine, in_theirs = _matches(start, mine), _matches(start, theirs)
    chunks = []
    a = b = c = 0
    for at in range(len(start)):
        if at not in in_mine or at not in in_theirs:
            continue
        chunks.append((start[a:at], mine[b : in_mine[at]], theirs[c : in_theirs[at]]))
        chunks.append((start[at : at + 1],) * 3)
        a, b, c = at + 1, in_mine[at] + 1, in_theirs[at] + 1
    chunks.append((start[a:], mine[b:], theirs[c:]))
    return chunks
