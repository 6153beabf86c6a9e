"""Walking a returned document once: what stands in each control, what stands outside of all of them.

A control is known by its tag, else by the bookmark around its content. Insertions that were tracked are read as
accepted, deletions as done. Lines, tabs and paragraphs inside a control are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from portal.workbooks.word.elements import W14, XML_SPACE, W
from portal.workbooks.word.marks import COPY, read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PREFIX = f"{{{W}}}"
_VAL = f"{_PREFIX}val"
_SKIPPED = frozenset(
    {"del", "moveFrom", "rPr", "pPr", "tblPr", "tblGrid", "trPr", "tcPr", "sectPr", "sdtPr", "sdtEndPr", "instrText",
     "delText", "fldData", "Fallback", "footnoteReference", "endnoteReference", "annotationRef", "ruby"}
)  # fmt: skip
_SIGNS: Mapping[str, str] = {
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "\u2011", "softHyphen": "\u00ad",
}  # fmt: skip
_TRACKED = frozenset({"ins", "del", "moveFrom", "moveTo"})
_PICTURES = frozenset({"drawing", "pict", "object"})


@dataclass
class Found:
    """What stands in one control; ``hint`` tells that it shows its hint, ``ticked`` is None where there is no box."""

    name: str
    heading: str = ""
    pieces: list[str] = field(default_factory=list)
    hint: bool = False
    styled: bool = True  # every run has the look of a hint
    ticked: bool | None = None
    control: bool = True  # False: its control is gone, only its bookmark is left
    pictures: int = 0
    tracked: bool = False
    paragraphs: int = 0

    @property
    def text(self) -> str:
        """Its text, lines parted by a line end."""
        return "".join(self.pieces)


@dataclass(frozen=True)
class Outside:
    """A paragraph's text that no control holds, and the heading it stands under."""

    text: str
    heading: str


@dataclass
class Scanned:
    """A whole document: controls in their order, texts outside, pictures outside."""

    controls: list[Found] = field(default_factory=list)
    outside: list[Outside] = field(default_factory=list)
    pictures: int = 0


def short(text: str) -> str:
    """Return a digest by which a text is known again, however its blanks were changed."""
    return hashlib.sha256("".join(text.split()).encode("utf-8", "replace")).hexdigest()[:8]


def outside(body: Any) -> list[Outside]:
    """Return what stands outside of all controls."""
    return scan(body).outside


def scan(body: Any) -> Scanned:
    """Return what a document holds."""
    walk = Walk()
    walk.inside(body)
    return walk.finish()


class Walk:
    """A way through a document's elements in their order; methods named after an element of ``special`` meet it."""

    special: ClassVar[frozenset[str]] = frozenset({"t", "sym", "r", "p", "bookmarkStart", "bookmarkEnd", "sdt"})

    def __init__(self) -> None:
        self.made = Scanned()
        self.heading = ""
        self.open: list[Found] = []  # controls around the present place, the innermost last
        self.marked: dict[str, Found] = {}  # id of a bookmark that is open -> its text outside of controls
        self.bookmarks: list[Found] = []
        self.paragraphs: list[list[str]] = []
        self.joined = False
        self.kinds: dict[str, tuple[str, Callable[[Any], None]]] = {}
        self.looks_like_hint = False

    def finish(self) -> Scanned:
        """Give what stands in a bookmark to its answer where the control is gone, and to nobody where it is not."""
        known = {one.name for one in self.made.controls}
        for one in self.bookmarks:
            if one.name not in known:
                self.made.controls.append(one)
            elif one.text.strip():
                self.made.outside.append(Outside(one.text.strip(), one.heading))
        return self.made

    def inside(self, element: Any) -> None:
        """Go through what an element holds."""
        for child in element:
            if isinstance(child.tag, str):
                self.visit(child)

    def visit(self, element: Any) -> None:
        """Meet an element."""
        name, special = self.kinds.get(element.tag) or self._kind(element.tag)
        if name in _TRACKED:
            for one in self.open:
                one.tracked = True
        if name in _SKIPPED or (name == "tr" and element.find(f"{_PREFIX}trPr/{_PREFIX}del") is not None):
            return
        if name in _SIGNS:
            self.emit("" if name == "br" and element.get(f"{_PREFIX}type") in {"page", "column"} else _SIGNS[name])
        elif name in _PICTURES:
            self._picture(element)
        else:
            special(element)

    def _kind(self, tag: str) -> tuple[str, Callable[[Any], None]]:
        name = tag.rpartition("}")[2]
        ours = tag.startswith(_PREFIX) and name in self.special
        special = getattr(self, f"_{name}") if ours else self.inside
        found = self.kinds[tag] = (name, special)
        return found

    def emit(self, text: str) -> None:
        """Take a piece of text where it stands."""
        if self.open:
            self.open[-1].pieces.append(text)
            if text.strip():
                self.open[-1].styled &= self.looks_like_hint
        elif self.marked:
            next(reversed(self.marked.values())).pieces.append(text)
        elif self.paragraphs:
            self.paragraphs[-1].append(text)

    # -- elements by their names ----------------------------------------------------------------------------------

    def _t(self, element: Any) -> None:
        text = element.text or ""
        self.emit(text if element.get(XML_SPACE) == "preserve" else text.strip(" \t\r\n"))

    def _sym(self, element: Any) -> None:
        try:
            self.emit(chr(int(element.get(f"{_PREFIX}char", ""), 16)))
        except (ValueError, OverflowError):
            self.emit("\ufffd")

    def _r(self, element: Any) -> None:
        style = element.find(f"{_PREFIX}rPr/{_PREFIX}rStyle")
        self.looks_like_hint = style is not None and "placeholder" in str(style.get(_VAL)).lower()
        self.inside(element)

    def _p(self, element: Any) -> None:
        for one in (*self.open, *self.marked.values()):
            if one.paragraphs and not self.joined:
                one.pieces.append("\n")
            one.paragraphs += 1
        self.paragraphs.append([])
        self.inside(element)
        text = "".join(self.paragraphs.pop()).strip()
        style = element.find(f"{_PREFIX}pPr/{_PREFIX}pStyle")
        if style is not None and style.get(_VAL) in {"Heading1", "Heading2"} and text:
            self.heading = " ".join(text.split())[:120]
        if text:
            self.made.outside.append(Outside(text, self.heading))
        self.joined = element.find(f"{_PREFIX}pPr/{_PREFIX}rPr/{_PREFIX}del") is not None

    def _bookmarkStart(self, element: Any) -> None:  # noqa: N802 - the name of the element
        name = str(element.get(f"{_PREFIX}name"))
        if name != COPY and read_name(name) is None:
            return
        made = Found(name, self.heading, control=False, paragraphs=bool(self.paragraphs))
        self.marked[str(element.get(f"{_PREFIX}id"))] = made
        self.bookmarks.append(made)

    def _bookmarkEnd(self, element: Any) -> None:  # noqa: N802 - the name of the element
        self.marked.pop(str(element.get(f"{_PREFIX}id")), None)

    def _sdt(self, element: Any) -> None:
        look = element.find(f"{_PREFIX}sdtPr")
        content = element.find(f"{_PREFIX}sdtContent")
        if content is None:
            return
        tag = "" if look is None else next((str(one.get(_VAL)) for one in look.iterfind(f"{_PREFIX}tag")), "")
        name = tag if tag == COPY or read_name(tag) is not None else ""
        if not name and not (name := self._by_bookmark(content)):
            self.inside(content)
            return
        made = Found(name, self.heading, paragraphs=bool(self.paragraphs))
        if look is not None:
            made.hint = look.find(f"{_PREFIX}showingPlcHdr") is not None
            box = look.find(f"{{{W14}}}checkbox/{{{W14}}}checked")
            if box is not None:
                made.ticked = box.get(f"{{{W14}}}val") in {"1", "true"}
        self.made.controls.append(made)
        self.open.append(made)
        self.inside(content)
        self.open.pop()

    def _by_bookmark(self, content: Any) -> str:
        """Return by which bookmark a control without a tag is known: one just opened, or the first inside it."""
        for one in content.iter(f"{_PREFIX}bookmarkStart", f"{_PREFIX}t", f"{_PREFIX}sdt"):
            if one.tag != f"{_PREFIX}bookmarkStart":
                break
            name = str(one.get(f"{_PREFIX}name"))
            if name == COPY or read_name(name) is not None:
                return name
        return next(reversed(self.marked.values())).name if self.marked else ""

    def _picture(self, element: Any) -> None:
        texts = list(element.iter(f"{_PREFIX}txbxContent"))
        if texts:
            self.inside(texts[0])
        elif self.open:
            self.open[-1].pictures += 1
        else:
            self.made.pictures += 1
