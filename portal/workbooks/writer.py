"""The one guarded workbook writer: what a person typed is text for ever, what is a number or a date is typed.

Rules (design.md section 6): a string is never a formula and never altered by an added apostrophe; long text goes on
in the next columns; control characters are replaced; every alteration is listed on the notes sheet.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink

from portal.table import Cell, Column, Figure, Link, Table, pick
from portal.workbooks import cell_text
from portal.workbooks.cell_text import CONTROL, ESCAPE, MOST, clean, is_khmer, is_risky, lines, split_text, units
from portal.workbooks.looks import ACCENT, FORMATS, LOOKS, Look, Styles, kind_of
from portal.workbooks.saving import write_file
from portal.workbooks.streaming import StreamedRows, save_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

WIDEST = 240  # characters on one printed A4 page across
LINKS = 60_000  # Excel takes 65,530 a sheet


@dataclass(frozen=True)
class Alteration:
    """One cell that does not hold exactly what is stored: where, and what was done."""

    sheet: str
    cell: str
    what: str


class ReportBook:
    """A workbook in the making; ``notes`` collects every altered cell and becomes the last sheet on save."""

    def __init__(
        self,
        *,
        language: str = "en",
        languages: Sequence[str] = (),
        time_zone: str = "UTC",
        title: str = "",
        bilingual: bool = False,
    ) -> None:
        self.language = language
        self.languages = tuple(languages) or (language,)
        self.bilingual = bilingual
        self.zone = ZoneInfo(time_zone)
        self.workbook = Workbook()
        self.workbook.remove(self.workbook.worksheets[0])
        self.workbook.properties.title = clean(title)[0]
        self.workbook.properties.creator = "Tamdan"
        self.notes: list[Alteration] = []
        self.styles = Styles(self.workbook)
        self._lists: dict[str, str] = {}
        self._links: dict[str, int] = {}
        self.streamed: dict[str, StreamedRows] = {}

    # -- sheets -------------------------------------------------------------------------------------------------

    def add(self, code: str, *, hidden: bool = False) -> Worksheet:
        """Add an empty sheet under a short unique code and return it."""
        ws: Worksheet = self.workbook.create_sheet(self.sheet_title(code))
        ws.sheet_view.showGridLines = False
        if hidden:
            ws.sheet_state = "hidden"
        ws.sheet_view.zoomScale = 100
        return ws

    def sheet_title(self, code: str) -> str:
        r"""Return a title of at most 31 units, free of ``[]:*?/\\`` and unlike every other title."""
        base = re.sub(r"[\[\]:*?/\\]", "-", clean(code)[0].replace("\n", " ")).strip().strip("'") or "Sheet"
        while units(base) > 31:
            base = base[:-1]
        taken = {title.lower() for title in self.workbook.sheetnames}
        title, number = base, 1
        while title.lower() in taken or title.lower() == "history":  # Excel keeps "History" for itself
            number += 1
            title = f"{base[: 30 - len(str(number))]}-{number}"
        return title

    def words(self, texts: Mapping[str, str]) -> str:
        """Return a language map as one text: the book's language, or all of its languages on lines of their own."""
        if not self.bilingual:
            return pick(texts, self.language, self.languages)
        found = dict.fromkeys(texts[language] for language in self.languages if texts.get(language))
        return "\n".join(found) or pick(texts, self.language, self.languages)

    def sheet(self, table: Table, *, heading: bool = False, look: str = "body", totals: int = 0) -> Worksheet:
        """Write a table on a sheet of its own: header, typed rows, frozen panes, filter, widths, print set-up.

        ``heading`` puts the title and note above the header row (for reading; data sheets start with the header);
        the first ``totals`` rows are drawn as sums.
        """
        ws = self.add(table.code)
        top = 1
        if heading:
            self.cell(ws, 1, 1, self.words(table.title), style="title")
            ws.row_dimensions[1].height = 28
            top = 3
            if note := self.words(table.note):
                self.cell(ws, 2, 1, note, style="muted", wrap=False)
                top = 4
        rows = [list(row) for row in table.rows]
        spans = [
            max((self.parts(row[at]) for row in rows if at < len(row)), default=1) for at in range(len(table.columns))
        ]
        self.write_header(ws, top, table.columns, spans)
        for number, row in enumerate(rows, start=top + 1):
            self.write_row(ws, number, table.columns, spans, row, "total" if number - top <= totals else look)
        width = sum(spans)
        ws.auto_filter.ref = f"A{top}:{get_column_letter(max(width, 1))}{max(top + len(rows), top + 1)}"
        # by name: asking for the cell would make an empty row of it
        ws.freeze_panes = f"{'B' if width > 4 else 'A'}{top + 1}"
        self.printing(ws, header_row=top, title=self.words(table.title).replace("\n", " "))
        return ws

    @staticmethod
    def parts(value: Cell) -> int:
        """Return how many cells a value takes side by side."""
        return len(split_text(clean(value)[0])) if isinstance(value, str) and len(value) * 2 > MOST else 1

    def write_header(self, ws: Worksheet, top: int, columns: Sequence[Column], spans: Sequence[int]) -> None:
        """Write a header row and set the widths of its columns; ``spans`` says how many cells each takes."""
        at = 1
        tallest = 1
        for column, span in zip(columns, spans, strict=True):
            for part in range(1, span + 1):
                title = self.words(column.title)
                if part > 1:
                    title = _("%(title)s (%(part)s of %(parts)s)", title=title, part=part, parts=span)
                self.cell(ws, top, at, title, style="header")
                ws.column_dimensions[get_column_letter(at)].width = column.width
                tallest = max(tallest, lines(title, column.width * 0.92))
                at += 1
        ws.row_dimensions[top].height = 10 + 19 * tallest

    def write_row(
        self,
        ws: Worksheet,
        number: int,
        columns: Sequence[Column],
        spans: Sequence[int],
        row: Sequence[Cell],
        look: str,
    ) -> None:
        """Write one row of typed cells and set its height."""
        at, height = 1, 18.0
        for column, span, value in zip(columns, spans, row, strict=False):
            self.cell(ws, number, at, value, column.kind, look, wrap=column.wrap)
            if column.wrap and isinstance(value, (str, Link)):
                text = value.text if isinstance(value, Link) else value
                height = max(height, self.height(text, column.width))
            at += span
        ws.row_dimensions[number].height = min(height, 409)

    height = staticmethod(cell_text.height)

    # -- cells --------------------------------------------------------------------------------------------------

    def cell(
        self,
        ws: Worksheet,
        row: int,
        col: int,
        value: Cell,
        kind: str = "text",
        style: str = "body",
        *,
        wrap: bool = True,
    ) -> None:
        """Write one cell; text that does not fit goes on in the cells to the right."""
        if isinstance(value, Figure):
            kind, value = value.kind, value.value
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).replace(tzinfo=None) if value.tzinfo else value
            kind = "datetime" if kind not in {"date", "datetime"} else kind
            value = value.replace(microsecond=0)
        value = self.number_or_text(ws, row, col, value)
        if isinstance(value, Link):
            self._link(ws, row, col, value, style, wrap=wrap)
        elif isinstance(value, str):
            self._text(ws, row, col, value, style, wrap=wrap)
        else:
            if value is not None and (kind in {"text", "link"} or isinstance(value, time)):
                kind = kind_of(value)
            target = _place(ws, row, col)
            target.value = value
            made = self.styles.array(LOOKS[style], FORMATS.get(kind, "General"), khmer=False, prefix=False, wrap=False)
            target._style = made  # noqa: SLF001 - one shared style array instead of five style objects per cell

    def number_or_text(self, ws: Worksheet, row: int, col: int, value: Cell) -> Cell:
        """Turn what Excel cannot hold as a number or a date into text, and say so."""
        if isinstance(value, bool) or value is None:
            return value
        where = f"{get_column_letter(col)}{row}"
        if isinstance(value, (int, Decimal, float)):
            if not math.isfinite(value):
                self.note(ws, where, _("Not a number Excel knows: written as text."))
                return str(value)
            if isinstance(value, float):
                return value  # computed here, and a double in Excel too; what people gave is whole or Decimal
            digits = len(str(abs(value))) if isinstance(value, int) else len(value.as_tuple().digits)
            if digits > 15:
                self.note(ws, where, _("Excel keeps 15 digits of a number: written as text."))
                return str(value)
        elif isinstance(value, date) and value.year < 1901:
            self.note(ws, where, _("Excel has no dates before 1900: written as text."))
            return value.isoformat()
        return value

    def guarded_parts(self, ws: Worksheet, row: int, col: int, value: str) -> list[str]:
        """Return a text as the cells that hold it side by side, fit for Excel; what had to be altered is noted."""
        text, changed = clean(value)
        where = f"{get_column_letter(col)}{row}"
        if changed:
            self.note(ws, where, _("Control characters were replaced by a sign (\ufffd)."))
        parts = split_text(text)
        if len(parts) > 1:
            self.note(
                ws,
                where,
                _(
                    "The text is too long for one cell: it goes on in %(count)s more cells to the right.",
                    count=len(parts) - 1,
                ),
            )
        # A literal _x0041_ would be read back as "A": escape the underscore the way Excel itself does.
        escaped = (ESCAPE.sub(lambda match: "_x005F" + match.group(), part) for part in parts)
        return [new if units(new) <= MOST else old for new, old in zip(escaped, parts, strict=True)]

    def _text(self, ws: Worksheet, row: int, col: int, value: str, style: str, *, wrap: bool) -> None:
        for offset, part in enumerate(self.guarded_parts(ws, row, col, value)):
            target = _place(ws, row, col + offset)
            if part == "":
                target.value = None
            else:
                target.value = "text"
                target._value = part  # noqa: SLF001 - past openpyxl's guessing of formulas and its cutting
                target.data_type = "s"
            made = self.styles.array(LOOKS[style], "General", khmer=is_khmer(part), prefix=is_risky(part), wrap=wrap)
            target._style = made  # noqa: SLF001 - one shared style array, as in cell()

    def _link(self, ws: Worksheet, row: int, col: int, link: Link, style: str, *, wrap: bool) -> None:
        used = self._links.get(ws.title, 0)
        internal = link.url.startswith("#")
        good = (internal or re.match(r"https?://[^\s/]", link.url, re.IGNORECASE)) and units(link.url) <= 2_000
        self._text(ws, row, col, (link.text or link.url)[: MOST - 1], style, wrap=wrap)
        target = _place(ws, row, col)
        if not good or used >= LINKS or CONTROL.search(link.url):
            if link.url:
                self.note(
                    ws, target.coordinate, _("The link was left out: only http and https addresses become links.")
                )
            return
        self._links[ws.title] = used + 1
        text = target.value
        if internal:
            target.hyperlink = Hyperlink(ref=target.coordinate, location=link.url[1:])
        else:
            target.hyperlink = link.url
        target._value = text  # noqa: SLF001 - the hyperlink has put its address there
        target.data_type = "s"
        base = LOOKS[style]
        # on the dark header a link stays white
        look = Look(**{**base.__dict__, "colour": base.colour if base.fill == ACCENT else "0B5CAD", "underline": True})
        made = self.styles.array(look, "General", khmer=is_khmer(str(text)), prefix=is_risky(str(text)), wrap=wrap)
        target._style = made  # noqa: SLF001 - one shared style array, as in cell()

    def note(self, ws: Worksheet, where: str, what: str) -> None:
        """Remember an altered cell for the notes sheet."""
        self.notes.append(Alteration(ws.title, where, what))

    # -- lists, printing, saving --------------------------------------------------------------------------------

    @property
    def list_count(self) -> int:
        """Return how many lists of choices the book has."""
        return len(self._lists)

    def choices(self, name: str, values: Iterable[str]) -> str:
        """Put a list of choices on the hidden sheet under a defined name and return the name."""
        if name in self._lists:
            return self._lists[name]
        kept = list(dict.fromkeys(value for value in values if value))
        ws = self.workbook["_lists"] if "_lists" in self.workbook.sheetnames else self.add("_lists", hidden=True)
        at = len(self._lists) + 1
        for row, value in enumerate(kept or [""], start=1):
            self._text(ws, row, at, value[:255], "plain", wrap=False)
        letter = get_column_letter(at)
        label = "list_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
        self.workbook.defined_names[label] = DefinedName(
            label, attr_text=f"{quote_sheetname('_lists')}!${letter}$1:${letter}${max(len(kept), 1)}"
        )
        self._lists[name] = label
        return label

    def drop_down(self, ws: Worksheet, cells: str, name: str, *, strict: bool = True, message: str = "") -> None:
        """Offer the choices of a named list in a range of cells; not strict = other text may be typed."""
        rule = DataValidation(type="list", formula1=self._lists[name], allow_blank=True)
        rule.showErrorMessage = strict
        if message:
            rule.error = rule.prompt = message[:250]
            rule.showInputMessage = not strict
        rule.add(cells)
        ws.add_data_validation(rule)

    def printing(
        self, ws: Worksheet, *, header_row: int | None = None, title: str = "", portrait: bool = False
    ) -> None:
        """Set up A4, one page wide, with the header row repeated and page numbers in the footer."""
        ws.page_setup.orientation = "portrait" if portrait else "landscape"
        ws.page_setup.paperSize = 9
        # wider tables go on pages side by side: half the size is the least that can be read
        width = sum(found.width for found in ws.column_dimensions.values())
        ws.page_setup.fitToWidth = max(1, math.ceil(width / WIDEST))
        if width > WIDEST:
            ws.print_title_cols = "A:A"
        ws.page_setup.fitToHeight = 0
        if ws.sheet_properties.pageSetUpPr is not None:
            ws.sheet_properties.pageSetUpPr.fitToPage = True
        ws.page_margins.left = ws.page_margins.right = 0.4
        ws.page_margins.top, ws.page_margins.bottom, ws.page_margins.footer = 0.5, 0.7, 0.35
        if header_row:
            ws.print_title_rows = f"{header_row}:{header_row}"
        footer: Any = ws.oddFooter  # the stubs take it for something that may be missing
        footer.left.text = clean(title)[0].replace("&", "&&")[:120]
        footer.right.text = "&P / &N"

    def add_notes(self) -> None:
        """Write the sheet that lists every altered cell; called by save when there is one."""
        if not self.notes or "Notes" in self.workbook.sheetnames:
            return
        columns = (
            Column("sheet", {self.language: _("Sheet")}, width=18),
            Column("cell", {self.language: _("Cell")}, width=10),
            Column("what", {self.language: _("What was altered")}, width=90, wrap=True),
        )
        rows = [(found.sheet, found.cell, found.what) for found in self.notes[:50_000]]
        self.sheet(Table("Notes", {self.language: _("Notes")}, columns, rows))

    def stream(self, table: Table, *, row_height: float = 0, tints: Mapping[str, str] | None = None) -> Worksheet:
        """Write a long table whose rows go into the file as they come, without an object per cell.

        The result is the same as by :meth:`sheet`; links are not possible. ``table.rows`` may be made anew for each
        look at them (:class:`portal.table.Anew`), so that no list of them is held. Rows are at most ``row_height``
        points tall, 0 = as Excel shows them. ``tints`` gives the look of words in a column "state".
        """
        ws = self.add(table.code)
        rows = StreamedRows(self, ws, table.columns, table.rows, row_height=row_height, tints=tints or {})
        before = len(self.notes)
        rows.serialise()
        of_rows = self.notes[before:]
        del self.notes[before:]
        # only now it is known over how many cells each column goes
        self.write_header(ws, 1, table.columns, rows.spans)
        self.notes += of_rows
        self.streamed[ws.title] = rows
        ws.auto_filter.ref = f"A1:{get_column_letter(sum(rows.spans))}{max(rows.count + 1, 2)}"
        ws.freeze_panes = "B2"
        self.printing(ws, header_row=1, title=self.words(table.title).replace("\n", " "))
        return ws

    def save(self, target: str | Path | IO[bytes]) -> None:
        """Write the workbook: to a stream, or to a path by a temporary file that is synced and renamed."""
        self.add_notes()
        if not self.workbook.worksheets:
            self.add("Empty")
        # Hidden sheets go last, so that the first tab is one that can be shown.
        self.workbook._sheets.sort(key=lambda ws: ws.sheet_state != "visible")  # type: ignore[attr-defined] # noqa: SLF001 - move_sheet() moves one at a time
        self.workbook.active = 0
        if isinstance(target, (str, Path)):
            write_file(Path(target), lambda stream: save_workbook(self, stream))
        else:
            save_workbook(self, target)

    def close(self) -> None:
        """Let go of the temporary files of streamed sheets; the book cannot be saved any more."""
        for rows in self.streamed.values():
            rows.file.close()

    def content(self) -> bytes:
        """Return the finished workbook as bytes."""
        stream = io.BytesIO()
        self.save(stream)
        return stream.getvalue()


def _place(ws: Worksheet, row: int, col: int) -> Any:
    """Return openpyxl's cell; Any, since its stubs know neither ``_value`` nor ``_style``."""
    return ws.cell(row, col)
