"""How an offline document looks: page, styles, fonts of both scripts (stack.md: Khmer needs font and language of its own)."""  # noqa: E501 - a sentence stays in one piece

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.shared import Mm, Pt, RGBColor

from portal.workbooks.looks import ACCENT, INK, LINE, PALE
from portal.workbooks.word.elements import W, Xml, node, trees

if TYPE_CHECKING:
    from docx.document import Document

LATIN, KHMER = "Calibri", "Noto Sans Khmer"
FALLBACKS = {KHMER: "Khmer OS Siemreap,Khmer UI,Leelawadee UI", LATIN: "Carlito,Arial"}
SOFT = "5B6776"
MARGIN = 20  # mm
PORTRAIT, LANDSCAPE = (210, 297), (297, 210)
# name -> size, bold, colour, space before, space after, keep with the next paragraph
STYLES: dict[str, tuple[float, bool, str, float, float, bool]] = {
    "Normal": (11, False, INK, 0, 4, False),
    "Title": (22, True, ACCENT, 0, 6, False),
    "Subtitle": (14, True, ACCENT, 0, 10, False),
    "Heading 1": (16, True, ACCENT, 0, 6, True),
    "Heading 2": (12, True, INK, 14, 3, True),
    "Part": (13, True, ACCENT, 16, 4, True),
    "Small": (9.5, False, SOFT, 0, 3, True),
    "Language": (9.5, True, SOFT, 4, 1, True),
    "Answer": (11, False, INK, 1, 3, False),
    "Choice": (11, False, INK, 0, 0, False),
    "Cell": (10, False, INK, 0, 0, False),
    "Cell head": (9.5, True, INK, 0, 0, False),
    "Cell rule": (8.5, False, SOFT, 0, 0, False),
}


def dress(document: Document) -> None:
    """Give a new document its page, its styles and its fonts."""
    _page(document)
    defaults: Any = document.styles.element.find(f"{{{W}}}docDefaults/{{{W}}}rPrDefault/{{{W}}}rPr")
    for old in list(defaults):
        defaults.remove(old)
    defaults.extend(trees(_fonts(), node("w:sz", val="22"), node("w:szCs", val="22"), _language()))
    for name, look in STYLES.items():
        _style(document, name, *look)
    _box(document.styles["Answer"].element)
    for name, colour in (("Placeholder Text", "8A94A3"), ("Box", ACCENT)):
        made = document.styles.add_style(name, WD_STYLE_TYPE.CHARACTER)
        made.element.set(f"{{{W}}}styleId", name.replace(" ", ""))
        made.font.color.rgb = RGBColor.from_string(colour)
    _font_table(document)


def section(size: tuple[int, int]) -> Xml:
    """Return the end of a section whose pages have this size."""
    width, height = (str(Mm(one).twips) for one in size)
    page = node("w:pgSz", w=width, h=height, orient="landscape" if size == LANDSCAPE else "portrait")
    margin = str(Mm(MARGIN).twips)
    margins = node(
        "w:pgMar", top=margin, right=margin, bottom=margin, left=margin, header="567", footer="567", gutter="0"
    )
    return node("w:p", node("w:pPr", node("w:pStyle", val="Cell"), node("w:sectPr", page, margins)))


def room(size: tuple[int, int]) -> int:
    """Return how wide the text of a page is, in twentieths of a point."""
    return int(Mm(size[0] - 2 * MARGIN).twips)


def _page(document: Document) -> None:
    first = document.sections[0]
    first.page_width, first.page_height = Mm(PORTRAIT[0]), Mm(PORTRAIT[1])
    first.left_margin = first.right_margin = first.top_margin = first.bottom_margin = Mm(MARGIN)


def _fonts() -> Xml:
    return node("w:rFonts", ascii=LATIN, hAnsi=LATIN, eastAsia=LATIN, cs=KHMER)


def _language() -> Xml:
    return node("w:lang", val="en-GB", eastAsia="en-US", bidi="km-KH")


def _style(
    document: Document, name: str, size: float, bold: bool, colour: str, before: float, after: float, keep: bool  # noqa: FBT001 - columns of the table above
) -> None:  # fmt: skip
    known = {style.name for style in document.styles}
    made: Any = document.styles[name] if name in known else document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    if name not in known:
        made.base_style = document.styles["Normal"]
        made.element.set(f"{{{W}}}styleId", name.replace(" ", ""))
    looks = made.element.get_or_add_rPr()
    for old in list(looks):
        looks.remove(old)
    points = str(round(size * 2))
    larger = str(round(size * 2) + (2 if size < 11 else 0))  # small Khmer needs more room than small Latin
    weight = [node("w:b"), node("w:bCs")] if bold else []
    sizes = [node("w:color", val=colour), node("w:sz", val=points), node("w:szCs", val=larger)]
    looks.extend(trees(_fonts(), *weight, *sizes, _language()))
    shape = made.paragraph_format
    shape.space_before, shape.space_after, shape.keep_with_next = Pt(before), Pt(after), keep
    shape.line_spacing = 1.15
    shape.page_break_before = name == "Heading 1"


def _box(style: Any) -> None:
    """Draw a line around answers, so that everybody sees where to write."""
    places = ("top", "left", "bottom", "right")
    sides = [node(f"w:{place}", val="single", sz="4", space="3", color=LINE) for place in places]
    look = style.get_or_add_pPr()
    spacing = look.find(f"{{{W}}}spacing")
    for made in trees(node("w:pBdr", *sides), node("w:shd", val="clear", color="auto", fill=PALE)):
        spacing.addprevious(made)


def _font_table(document: Document) -> None:
    """Name other fonts for a machine that lacks ours."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/></w:font>' for name, others in FALLBACKS.items()
    )
    part = document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    root = parse_xml(part.blob)
    for old in root.findall(f"{{{W}}}font"):
        if old.get(f"{{{W}}}name") in FALLBACKS:
            root.remove(old)
    root.extend(list(parse_xml(f'<w:fonts xmlns:w="{W}">{fonts}</w:fonts>')))
    from lxml import etree

    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)  # noqa: SLF001 - python-docx has no door for fonts
