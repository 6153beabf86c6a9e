"""How cells are drawn: fonts, colours, number formats; each style is made once per workbook, never per cell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from openpyxl.cell.cell import Cell as ExcelCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

if TYPE_CHECKING:
    from openpyxl import Workbook

    from portal.table import Cell

KHMER_FONT = "Khmer OS Siemreap"
LATIN_FONT = "Calibri"
FORMATS = {
    "integer": "#,##0",
    "year": "0",  # 2026 is not 2,026
    # not "#,##0.####": Excel shows a whole number under it as "5."
    "decimal": "General",
    "percent": "0.0%",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm",
    "time": "hh:mm",
}
INK, ACCENT, SOFT, LINE, PALE = "1F2A37", "1F4E79", "EAF0F6", "C5CFDA", "F7F9FB"


@dataclass(frozen=True)
class Look:
    """How a kind of cell is drawn; a book makes each style once."""

    bold: bool = False
    size: float = 11
    colour: str = INK
    fill: str = ""
    wrap: bool = True
    align: str = "left"
    vertical: str = "top"
    border: bool = True
    locked: bool = True
    italic: bool = False
    underline: bool = False


LOOKS = {
    "body": Look(),
    "plain": Look(border=False),
    "muted": Look(border=False, colour="5B6776", italic=False),
    "header": Look(bold=True, colour="FFFFFF", fill=ACCENT, vertical="center"),
    # LibreOffice paints links blue whatever their style says: dark on light, so that both read well
    "header_link": Look(bold=True, underline=True, colour=ACCENT, fill=SOFT, vertical="center"),
    "title": Look(bold=True, size=16, colour=ACCENT, border=False, wrap=False, vertical="center"),
    "subtitle": Look(bold=True, size=12, colour=ACCENT, border=False, vertical="center"),
    "label": Look(bold=True, fill=SOFT),
    "label_number": Look(bold=True, fill=SOFT, align="center"),
    "hint": Look(colour="5B6776", fill=PALE, size=10),
    "input": Look(locked=False),
    "mark": Look(locked=False, align="center", vertical="center", bold=True),
    "fixed": Look(fill=PALE, colour="5B6776"),
    "warning": Look(fill="FFF4D6"),
    "total": Look(bold=True, fill=SOFT),
    # the five states of an answer; never told by colour alone
    "answered": Look(),
    "not_answered": Look(fill="FDECC8", italic=True),
    "not_asked": Look(fill="EDEFF2", colour="5B6776", italic=True),
    "not_applicable": Look(fill="DDEBF7", italic=True),
    "not_available": Look(fill="E9E1F4", italic=True),
}


class Styles:
    """The styles of one workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self._made: dict[tuple[Look, str, bool, bool], Any] = {}

    def array(self, look: Look, number_format: str, *, khmer: bool, prefix: bool, wrap: bool) -> Any:
        """Return the shared style array of a look; openpyxl makes five objects for it, once."""
        if look.wrap is not wrap and not wrap:
            look = Look(**{**look.__dict__, "wrap": False})
        key = (look, number_format, khmer, prefix)
        if (made := self._made.get(key)) is not None:
            return made
        # A scratch cell of this workbook, never written: its style array is shared by all cells of this look.
        scratch = ExcelCell(self.workbook.worksheets[0], row=1, column=1)
        scratch.font = Font(
            name=KHMER_FONT if khmer else LATIN_FONT, size=look.size, bold=look.bold, italic=look.italic,
            color="FF" + look.colour, underline="single" if look.underline else None,
        )  # fmt: skip
        if look.fill:
            scratch.fill = PatternFill("solid", fgColor="FF" + look.fill)
        if look.border:
            side = Side(style="thin", color="FF" + LINE)
            scratch.border = Border(left=side, right=side, top=side, bottom=side)
        number = number_format not in {"General", "@"}
        right = number and look.align == "left" and "yy" not in number_format
        scratch.alignment = Alignment(
            horizontal="right" if right else look.align,
            indent=1 if right else 0,  # a figure keeps off the text of the next column
            vertical=look.vertical,
            wrap_text=look.wrap,
        )
        scratch.number_format = number_format
        scratch.protection = Protection(locked=look.locked)
        if prefix:
            scratch.quotePrefix = True
        self._made[key] = scratch._style  # type: ignore[attr-defined] # noqa: SLF001 - StyleArray is not public
        return self._made[key]

    def number(self, look: str, kind: str, *, khmer: bool, prefix: bool, wrap: bool) -> int:
        """Return the number under which the workbook keeps a style, for cells written as XML."""
        made = self.array(LOOKS[look], FORMATS.get(kind, "General"), khmer=khmer, prefix=prefix, wrap=wrap)
        return int(self.workbook._cell_styles.add(made))  # type: ignore[attr-defined] # noqa: SLF001 - the table of styles is not public


def kind_of(value: Cell) -> str:
    """Return the kind of a value in a column that says none."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "plain"
    if isinstance(value, (float, Decimal)):
        return "decimal"
    if isinstance(value, time):
        return "time"
    return "datetime" if isinstance(value, datetime) else "date"
