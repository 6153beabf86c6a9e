"""Text as a cell takes it: what XML 1.0 and Excel allow, how long, how wide, how tall, and what Excel would mistake."""

from __future__ import annotations

import math
import re
import unicodedata

MOST = 32_767  # UTF-16 units in a cell, Excel's limit

KHMER = re.compile("[\u1780-\u17ff\u19e0-\u19ff]")
_KHMER_LETTER = re.compile("[\u1780-\u17b3\u17b6\u17be-\u17c5\u17d4-\u17e9]")
_NO_WIDTH = re.compile("[\u0300-\u036f\u17b4\u17b5\u17b7-\u17bd\u17c6\u17c9-\u17d3\u17dd\u200b-\u200f\u2060\ufeff]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_RISKY = re.compile(r"[=+\-@\t\r'|%]|[\d.,/: ]+\Z|\d+[eE]\d+\Z|(?i:true|false)\Z")
# each underscore that Excel would take for the beginning of an escape, overlapping ones too
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def clean(text: str) -> tuple[str, bool]:
    """Return text fit for XML 1.0 (control characters become U+FFFD) and whether anything was replaced."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cleaned = CONTROL.sub("\ufffd", text)
    return cleaned, cleaned != text


def is_khmer(text: str) -> bool:
    """Tell whether a text holds Khmer, and so needs a font that draws it."""
    return KHMER.search(text) is not None


def is_risky(text: str) -> bool:
    """Tell whether Excel would take a text for a formula, a number or a truth value when somebody edits its cell."""
    return _RISKY.match(text) is not None


def units(text: str) -> int:
    """Return the length as Excel counts it, in UTF-16 units."""
    return len(text) + sum(1 for letter in text if letter > "\uffff")


def split_text(text: str, most: int = MOST) -> list[str]:
    """Cut text into cells, at a line or a space where one is near, never inside a Khmer or other cluster."""
    parts = []
    while units(text) > most:
        cut = most
        while units(text[:cut]) > most:
            cut -= max(1, (units(text[:cut]) - most) // 2)
        near = max(
            text.rfind("\n", cut - 300, cut), text.rfind(" ", cut - 300, cut), text.rfind("\u200b", cut - 300, cut)
        )
        if near > 0:
            cut = near + 1
        else:
            while cut > most // 2 and (
                unicodedata.combining(text[cut])
                or unicodedata.category(text[cut])[0] == "M"
                or text[cut - 1] == "\u17d2"
            ):
                cut -= 1
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text]


def lines(text: str, width: float) -> int:
    """Estimate how many lines wrapped text takes in a column ``width`` characters wide."""
    room = max(width - 1.5, 1)
    count = 0
    for line in text.split("\n"):
        # signs above and below take no width, and a Khmer letter is wider than a Latin one
        shown = 1.05 * (len(line) - len(_NO_WIDTH.findall(line))) + 0.08 * len(_KHMER_LETTER.findall(line))
        count += max(1, math.ceil(shown / room))
    return count


def height(text: str, width: float) -> float:
    """Estimate a row's height in points for wrapped text; Khmer stacks and needs taller lines."""
    return 5 + lines(text[:8000], width) * (21.5 if KHMER.search(text) else 15)
