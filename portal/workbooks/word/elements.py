"""The few elements of WordprocessingML that an offline document is made of, as text: a tree is built of it once."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, NewType

from lxml import etree

from portal.workbooks.cell_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
Xml = NewType("Xml", str)
NOTHING = Xml("")
_NAMES = {"w": W, "w14": W14}
_PIECES = re.compile(r"([\n\t])")
_BREAK, _TAB = Xml("<w:br/>"), Xml("<w:tab/>")


def named(name: str) -> str:
    """Return ``w:p`` as lxml writes it."""
    prefix, _colon, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def trees(*elements: Xml) -> list[Any]:
    """Return elements as trees."""
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())
    return list(etree.fromstring(f"<all {names}>{''.join(elements)}</all>".encode(), etree.XMLParser(huge_tree=True)))


def node(tag: str, /, *children: Xml, **attributes: str) -> Xml:
    """Return an element; attributes are of the element's own namespace."""
    prefix = tag.partition(":")[0]
    said = "".join([f' {prefix}:{key}="{_attribute(value)}"' for key, value in attributes.items()])
    inside = "".join(children)
    return Xml(f"<{tag}{said}>{inside}</{tag}>" if inside else f"<{tag}{said}/>")


def _attribute(value: str) -> str:
    return value if value.isalnum() else escape(clean(value)[0]).replace("\n", " ")


def run(text: str, *, style: str = "") -> Xml:
    """Return a run of text: lines and tabs as Word writes them, every blank kept."""
    look = f'<w:rPr><w:rStyle w:val="{style}"/></w:rPr>' if style else ""
    return Xml(f"<w:r>{look}{''.join(_pieces(text))}</w:r>")


def _pieces(text: str) -> Iterator[str]:
    for piece in _PIECES.split(clean(text)[0]):
        if piece == "\n":
            yield _BREAK
        elif piece == "\t":
            yield _TAB
        elif piece:
            yield f'<w:t xml:space="preserve">{escape(piece, quote=False)}</w:t>'


def paragraph(*content: Xml, style: str = "") -> Xml:
    """Return a paragraph of runs and controls."""
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return Xml(f"<w:p>{look}{''.join(content)}</w:p>")


def say(text: str, style: str = "") -> Xml:
    """Return a paragraph of one text."""
    return paragraph(run(text), style=style)


def cell(width: int, *paragraphs: Xml, fill: str = "") -> Xml:
    """Return a cell of a table, ``width`` in twentieths of a point."""
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    inside = "".join(paragraphs) or "<w:p/>"
    return Xml(f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>{inside}</w:tc>')


def table(widths: Sequence[int], rows: Sequence[Sequence[Xml]]) -> Xml:
    """Return a table; its first row is repeated on each page, and no row breaks across pages."""
    head = node(
        "w:tblPr", node("w:tblStyle", val="TableGrid"), node("w:tblW", w=str(sum(widths)), type="dxa"),
        node("w:tblLayout", type="fixed"),
    )  # fmt: skip
    grid = node("w:tblGrid", *(node("w:gridCol", w=str(width)) for width in widths))
    made = [
        node("w:tr", Xml(f"<w:trPr><w:cantSplit/>{'<w:tblHeader/>' if number == 0 else ''}</w:trPr>"), *cells)
        for number, cells in enumerate(rows)
    ]
    return node("w:tbl", head, grid, *made)
