"""What became of a text, word by word; Khmer, which has no blanks between words, cluster by cluster."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Fate: TypeAlias = Literal["same", "gone", "new"]
# A Khmer cluster (Unicode 15, chapter 16.4): a base, then subscripts (coeng and a base), vowels and signs. A joiner
# or a zero-width space belongs to nobody and stands alone.
_TOKEN = re.compile(
    "[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd\u200c\u200d])*"
    "|[0-9\u17e0-\u17e9]+|[^\\W\\d_\u1780-\u17ff]+|\\s+|."
    , re.DOTALL
)  # fmt: skip
_KHMER = re.compile("[\u1780-\u17b3]")
# clusters in a row that two texts may well share by chance: a Khmer word has two or three
CHANCE = 2
MOST = 1500  # tokens; beyond, a comparison takes seconds and nobody reads it word by word


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, went or came."""

    text: str
    fate: Fate


def tokens(text: str) -> list[str]:
    """Cut a text into words, numbers, blanks and signs; Khmer into clusters. Joined again they are the text."""
    return _TOKEN.findall(text)


def compare_words(old: str, new: str) -> tuple[Piece, ...]:
    """Return the pieces of both texts in reading order; what went stands before what came in its place."""
    before, after = tokens(old), tokens(new)
    if len(before) > MOST or len(after) > MOST:
        return tuple(piece for piece in (Piece(old, "gone"), Piece(new, "new")) if piece.text)
    found: list[Piece] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, from_, to in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece("".join(before[start:end]), "same"))
            continue
        if gone := "".join(before[start:end]):
            found.append(Piece(gone, "gone"))
        if came := "".join(after[from_:to]):
            found.append(Piece(came, "new"))
    return _joined(found)


def _is_slight(text: str, before: str, after: str) -> bool:
    """Tell whether what stayed between two changes is no word: blanks, or Khmer clusters in the midst of Khmer."""
    if text.isspace():
        return True
    clusters = tokens(text)
    return len(clusters) <= CHANCE and all(_KHMER.match(one) for one in [*clusters, tokens(before)[-1], after])


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Join what is cut up too finely to read: what stayed between two words that changed, and is none, changes too."""
    joined: list[Piece] = []
    gone = came = ""

    def flush() -> None:
        nonlocal gone, came
        joined.extend(piece for piece in (Piece(gone, "gone"), Piece(came, "new")) if piece.text)
        gone = came = ""

    for at, piece in enumerate(pieces):
        last = at == len(pieces) - 1
        if piece.fate == "gone":
            gone += piece.text
        elif piece.fate == "new":
            came += piece.text
        elif (gone or came) and not last and _is_slight(piece.text, gone or came, pieces[at + 1].text):
            gone += piece.text
            came += piece.text
        else:
            flush()
            joined.append(piece)
    flush()
    return tuple(joined)
