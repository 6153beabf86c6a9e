"""A questionnaire as an XLSForm workbook that people read and edit in Excel, and that other tools convert."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from forms.definition.headers import english_name
from forms.definition.writing import sheets
from portal.workbooks.cell_text import clean, is_khmer, lines
from portal.workbooks.looks import ACCENT, INK, KHMER_FONT, LATIN_FONT, LINE, SOFT

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

    from forms.definition.model import Definition
    from forms.definition.writing import SheetText

MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - workbook properties hold no time zone; fixed: equal content, equal file
_WIDTHS = {
    "type": 24, "name": 18, "list_name": 20, "relevant": 34, "constraint": 30, "calculation": 34, "choice_filter": 28,
    "default": 18, "required": 10, "appearance": 16, "parameters": 20, "form_title": 44, "form_id": 20,
    "default_language": 20,
}  # fmt: skip
_TEXT = re.compile(r"(label|hint|guidance_hint|(?:soft_)?constraint_message|required_message|form_title_)")
_CONTAINER = ("begin_group", "begin_repeat")
_MODIFIED = re.compile(rb"(?<=>)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=</dcterms:modified>)")
_ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")
_TALLEST = 300.0  # points of a row
_PALE, _TABLE, _QUIET = "F3F6FA", "E7F1EA", "8A94A0"
_STYLED_ROWS = 3_000  # of a sheet; a long table beyond it is plain


def write(definition: Definition) -> bytes:
    """Return the workbook: survey, choices, settings and the attached tables.

    The same questionnaire gives the same sheets, byte by byte.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "Tamdan"
    book.properties.title = definition.code
    book.properties.created = book.properties.modified = MADE
    for sheet in sheets(definition, language_name):
        _write(book.create_sheet(sheet.name), sheet)
    stream = io.BytesIO()
    book.save(stream)
    return _undated(stream)


def _undated(stream: io.BytesIO) -> bytes:
    """Return the package without the moment of its making, which openpyxl writes on each part."""
    made = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            part = before.read(entry)
            if entry.filename == "docProps/core.xml":
                part = _MODIFIED.sub(MADE.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), part)
            after.writestr(zipfile.ZipInfo(entry.filename), part, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def language_name(code: str) -> str:
    """Return the English name of a language for a header, "" when there is none."""
    if name := english_name(code):
        return name
    try:
        name = Locale.parse(code, sep="-").get_display_name("en") or ""
    except (UnknownLocaleError, ValueError):
        return ""
    return "" if "(" in name or "::" in name else name


def _write(ws: Worksheet, sheet: SheetText) -> None:
    looks = _Looks()
    widths = [_width(sheet, header) for header in sheet.headers]
    for at, (header, width) in enumerate(zip(sheet.headers, widths, strict=True), start=1):
        _put(ws.cell(1, at), header, looks, "head")
        ws.column_dimensions[get_column_letter(at)].width = width
    if not sheet.headers:
        return
    ws.row_dimensions[1].height = 24
    for number, row in enumerate(sheet.rows, start=2):
        look = _look(sheet.name, row.get("type", ""))
        height = 18.0
        for at, (header, width) in enumerate(zip(sheet.headers, widths, strict=True), start=1):
            text = row.get(header, "")
            if not text and number > _STYLED_ROWS:
                continue
            _put(ws.cell(number, at), text, looks, look)
            if text:
                height = max(height, 4 + lines(text[:4000], width) * (21.5 if is_khmer(text) else 15))
        ws.row_dimensions[number].height = min(height, _TALLEST)
    ws.freeze_panes = "C2" if sheet.name in ("survey", "choices") else "A2"
    ws.auto_filter.ref = f"A1:{get_column_letter(len(sheet.headers))}{len(sheet.rows) + 1}"
    ws.sheet_view.zoomScale = 100
    ws.page_setup.orientation = "landscape"
    ws.page_setup.fitToHeight = 0
    ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    ws.print_title_rows = "1:1"


def _look(sheet: str, type_: str) -> str:
    if sheet != "survey":
        return "body"
    if type_.startswith(_CONTAINER):
        return "table" if "repeat" in type_ else "group"
    return "end" if type_.startswith("end_") else "body"


def _width(sheet: SheetText, header: str) -> float:
    if _TEXT.match(header):
        return 46
    if header in _WIDTHS and header != "required":
        return _WIDTHS[header]
    longest = max((len(row.get(header, "")) for row in sheet.rows[:500]), default=0)
    return max(12, min(36, max(longest, len(header)) + 3))


class _Looks:
    """The styles of a workbook, each made once."""

    def __init__(self) -> None:
        side = Side(style="thin", color="FF" + LINE)
        self.border = Border(left=side, right=side, top=side, bottom=side)
        self.wrap = Alignment(wrap_text=True, vertical="top")
        self.middle = Alignment(wrap_text=False, vertical="center")
        self.fills = {
            "head": PatternFill("solid", fgColor="FF" + ACCENT),
            "group": PatternFill("solid", fgColor="FF" + SOFT),
            "table": PatternFill("solid", fgColor="FF" + _TABLE),
            "end": PatternFill("solid", fgColor="FF" + _PALE),
        }
        self.fonts: dict[tuple[str, bool], Font] = {}

    def font(self, look: str, *, khmer: bool) -> Font:
        """Return the font of a look, one that draws Khmer where it must."""
        found = self.fonts.get((look, khmer))
        if found is None:
            colour = {"head": "FFFFFF", "end": _QUIET}.get(look, INK)
            found = self.fonts[look, khmer] = Font(
                name=KHMER_FONT if khmer else LATIN_FONT,
                size=11,
                bold=look in ("head", "group", "table"),
                color="FF" + colour,
            )
        return found


def _put(cell: Cell | MergedCell, text: str, looks: _Looks, look: str) -> None:
    """Write one cell as text, whatever it looks like: never a formula, a number or a date."""
    if text:
        cell.value = "text"
        # past openpyxl's guessing of formulas; an escape that a person typed must not be read as one
        cell._value = _ESCAPE.sub(lambda found: "_x005F" + found.group(), clean(text)[0])  # type: ignore[union-attr] # noqa: SLF001 - as the report writer does
        cell.data_type = "s"
    cell.font = looks.font(look, khmer=is_khmer(text))
    cell.border = looks.border
    cell.alignment = looks.middle if look == "head" else looks.wrap
    if look in looks.fills:
        cell.fill = looks.fills[look]
