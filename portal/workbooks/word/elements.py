"""The few elements of WordprocessingML that an offline document is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from portal.workbooks.cell_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_NAMES = {"w": W, "w14": W14}
_PIECES = re.compile(r"([\n\t])")


def named(name: str) -> str:
    """Return ``w:p`` as lxml writes it."""
    prefix, _colon, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def node(tag: str, /, *children: Any, **attributes: str) -> Any:
    """Return an element; attributes are of the element's own namespace."""
    made = etree.Element(named(tag), nsmap=_NAMES)
    prefix = tag.partition(":")[0]
    for key, value in attributes.items():
        made.set(named(f"{prefix}:{key}"), value)
    made.extend(child for child in children if child is not None)
    return made


def run(text: str, *, style: str = "", bold: bool = False) -> Any:
    """Return a run of text: lines and tabs as Word writes them, every blank kept."""
    looks = []
    if style:
        looks.append(node("w:rStyle", val=style))
    if bold:
        looks += [node("w:b"), node("w:bCs")]
    made = node("w:r", node("w:rPr", *looks) if looks else None)
    made.extend(_pieces(text))
    return made


def _pieces(text: str) -> Iterator[Any]:
    for piece in _PIECES.split(clean(text)[0]):
        if piece == "\n":
            yield node("w:br")
        elif piece == "\t":
            yield node("w:tab")
        elif piece:
            made = node("w:t")
            made.set(XML_SPACE, "preserve")
            made.text = piece
            yield made


def paragraph(*content: Any, style: str = "") -> Any:
    """Return a paragraph of runs and controls; a text becomes a run."""
    made = node("w:p", node("w:pPr", node("w:pStyle", val=style)) if style else None)
    made.extend(run(one) if isinstance(one, str) else one for one in content if one is not None)
    return made


def cell(width: int, *paragraphs: Any, fill: str = "") -> Any:
    """Return a cell of a table, ``width`` in twentieths of a point."""
    look = node("w:tcPr", node("w:tcW", w=str(width), type="dxa"))
    if fill:
        look.append(node("w:shd", val="clear", color="auto", fill=fill))
    return node("w:tc", look, *(paragraphs or (paragraph(),)))


def table(widths: Sequence[int], rows: Sequence[Sequence[Any]]) -> Any:
    """Return a table; its first row is repeated on each page, and no row breaks across pages."""
    made = node(
        "w:tbl",
        node(
            "w:tblPr", node("w:tblStyle", val="TableGrid"), node("w:tblW", w=str(sum(widths)), type="dxa"),
            node("w:tblLayout", type="fixed"),
        ),
        node("w:tblGrid", *(node("w:gridCol", w=str(width)) for width in widths)),
    )  # fmt: skip
    for number, cells in enumerate(rows):
        looks = [node("w:cantSplit")]
        if number == 0:
            looks.append(node("w:tblHeader"))
        made.append(node("w:tr", node("w:trPr", *looks), *cells))
    return made
