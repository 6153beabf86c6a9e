"""Draw pages as they look in a photo of a phone: lines of writing, a stamp, a signature, the word DEMO; no text else.

Nothing on them can be read as a document of anybody. Used by :mod:`portal.demo.make_evidence`.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 960  # of the picture, in pixels
PAGE_WIDTH, PAGE_HEIGHT = 600, 840
LETTERS = {
    "D": ("1110", "1001", "1001", "1001", "1110"),
    "E": ("1111", "1000", "1110", "1000", "1111"),
    "M": ("10001", "11011", "10101", "10001", "10001"),
    "O": ("0110", "1001", "1001", "1001", "0110"),
}
Colour = tuple[int, int, int]
DESK: Colour = (104, 88, 74)
PAPER: Colour = (250, 249, 244)
INK: Colour = (52, 56, 64)
BLUE: Colour = (38, 62, 150)
RED: Colour = (196, 54, 58)
GREY: Colour = (150, 154, 160)


@dataclass(frozen=True)
class Page:
    """What a page shows: the share of the page that writing fills, whether it has a frame as a cover has, its tilt."""

    rows: int
    framed: bool
    tilt: float
    seed: int


COVER = Page(rows=9, framed=True, tilt=-2.6, seed=1)
PAPER_RETURN = Page(rows=24, framed=False, tilt=1.9, seed=2)


class _Painter:
    def __init__(self, page: Page) -> None:
        self.page = page
        chance = random.Random(page.seed)  # noqa: S311 - a drawing, the same at every run
        self.words: list[list[tuple[int, int]]] = []
        for row in range(page.rows):
            at, words = 70, []
            end = 530 if row % 6 != 5 else chance.randint(200, 420)
            while at < end:
                length = chance.randint(18, 70)
                words.append((at, min(at + length, end)))
                at += length + 11
            self.words.append(words)
        turn = math.radians(page.tilt)
        self.cos, self.sin = math.cos(turn), math.sin(turn)

    def colour(self, x: float, y: float) -> Colour:
        """Return the colour of the picture at a place."""
        away_x, away_y = x - WIDTH / 2, y - HEIGHT / 2
        u = away_x * self.cos + away_y * self.sin + PAGE_WIDTH / 2
        v = -away_x * self.sin + away_y * self.cos + PAGE_HEIGHT / 2
        if not (0 <= u < PAGE_WIDTH and 0 <= v < PAGE_HEIGHT):
            near = max(-u, u - PAGE_WIDTH, -v, v - PAGE_HEIGHT)
            return _darker(DESK, 0.72 if near < 7 else 1.0)
        return _darker(self._on_page(u, v), 1.0 if u < PAGE_WIDTH * 0.8 else 0.97)

    def _on_page(self, u: float, v: float) -> Colour:
        if self._stamp(u, v) or (60 <= v < 110 and _word(u - 205, v - 60)):
            return RED
        if self._signature(u, v):
            return BLUE
        if self.page.framed and (abs(v - 205) < 1.5 or abs(v - 560) < 1.5) and 55 < u < 545:
            return GREY
        return self._writing(u, v)

    def _writing(self, u: float, v: float) -> Colour:
        for at, (wide, tall) in enumerate(((250, 7), (190, 6), (130, 5))):
            if abs(u - PAGE_WIDTH / 2) < wide / 2 and 0 <= v - 128 - at * 20 < tall:
                return INK
        row, inside = divmod(v - 225, 34 if self.page.framed else 17)
        if 0 <= row < self.page.rows and inside < (8 if self.page.framed else 5):
            return INK if any(a <= u < b for a, b in self.words[int(row)]) else PAPER
        return PAPER

    def _stamp(self, u: float, v: float) -> bool:
        away = math.hypot(u - 395, v - 700)
        if 76 < away < 80 or 52 < away < 54:
            return True
        angle = math.atan2(v - 700, u - 395)
        if 59 < away < 71:  # the ring of letters, as strokes
            return math.sin(angle * 34) > 0.1
        return away < 30 * (0.6 + 0.4 * math.cos(5 * (angle + math.pi / 2)))

    def _signature(self, u: float, v: float) -> bool:
        if not 300 < u < 500:
            return False
        along = (u - 300) / 200
        high = 690 + 26 * math.sin(along * 21) * (1 - along) - 18 * along
        return abs(v - high) < 2.2 + 1.5 * abs(math.cos(along * 21)) * (1 - along) * 4


def _word(u: float, v: float) -> bool:
    """Tell whether a place lies on the word DEMO, written in squares of ten pixels."""
    at = 0
    for letter in "DEMO":
        squares = LETTERS[letter]
        column, row = int(u // 10) - at, int(v // 10)
        if u >= 0 and 0 <= column < len(squares[0]) and 0 <= row < 5:
            return squares[row][column] == "1"
        at += len(squares[0]) + 1
    return False


def _darker(colour: Colour, share: float) -> Colour:
    return (int(colour[0] * share), int(colour[1] * share), int(colour[2] * share))


def drawn(page: Page) -> bytes:
    """Return the picture of a page (PNG, 8-bit RGB, four samples per pixel)."""
    painter, rows = _Painter(page), bytearray()
    for y in range(HEIGHT):
        line = bytearray()
        for x in range(WIDTH):
            samples = [painter.colour(x + dx, y + dy) for dx in (0.25, 0.75) for dy in (0.25, 0.75)]
            line += bytes(sum(one[channel] for one in samples) // 4 & 0xFC for channel in range(3))
        rows += b"\0" + line
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = (
        (b"IHDR", header), (b"tEXt", b"Comment\x00Demo drawing, not a document of any institution"),
        (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
