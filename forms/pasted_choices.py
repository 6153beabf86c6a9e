"""Choices pasted from Excel: a line each, a key and a label per language in cells parted by tabs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import Text

MOST_LINES = 500
_NOT_A_KEY = re.compile(r"[^a-z0-9]+")
_KEY = re.compile(r"[a-z0-9_]+\Z")


@dataclass(frozen=True)
class NewChoice:
    """A choice to be added: its key ("" = made from its words) and its label per language."""

    key: str
    texts: Mapping[str, str]


def read_lines(pasted: str, languages: Sequence[str]) -> tuple[list[NewChoice], list[Text]]:
    """Read lines as they come from Excel: a label per language in its order, or a key and the labels.

    Returns what was read, and a sentence for each line that is wrong.

    Cells stand apart by tabs. A first cell counts as a key when there is one cell more than languages, or when there
    are several and it holds nothing but small letters, digits and underscores while another cell does not.
    """
    lines = [line for line in pasted.replace("\r\n", "\n").split("\n") if line.strip()]
    if len(lines) > MOST_LINES:
        sentence = _l("At most %(limit)s lines at once; a longer list comes by an XLSForm workbook.", limit=MOST_LINES)
        return [], [sentence]
    found: list[NewChoice] = []
    problems: list[Text] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.strip("\n").split("\t")]
        while len(cells) > len(languages) and not cells[-1]:
            cells.pop()
        key = cells.pop(0) if _has_key(cells, languages) else ""
        if len(cells) > len(languages):
            sentence = _l(
                "Line %(line)s has more cells than there are languages: write a key, then one label per language.",
                line=number,
            )
            problems.append(sentence)
        found.append(NewChoice(key, {one: text for one, text in zip(languages, cells, strict=False) if text}))
    return found, problems


def _has_key(cells: Sequence[str], languages: Sequence[str]) -> bool:
    if len(cells) == len(languages) + 1:
        return True
    return len(cells) > 1 and bool(_KEY.match(cells[0])) and not all(_KEY.match(cell) for cell in cells)


def with_keys(new: Iterable[NewChoice], taken: Iterable[str]) -> list[NewChoice]:
    """Give a key to those that have none: from the words where they are Latin, else a number; none twice."""
    used, made = set(taken), []
    for one in new:
        key = one.key
        if not key:
            latin = (_NOT_A_KEY.sub("_", text.lower()).strip("_")[:40].strip("_") for text in one.texts.values())
            stem = next((text for text in latin if text), "")
            key = stem or f"c{len(used) + 1}"
            count = 1
            while key in used:
                count += 1
                key = f"{stem}_{count}" if stem else f"c{len(used) + count}"
        used.add(key)
        made.append(replace(one, key=key))
    return made
