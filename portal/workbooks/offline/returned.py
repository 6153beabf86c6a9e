"""An offline workbook that came back: which sheets are ours, which rows still carry their marks, what each cell holds.

Sheets are known by their marks, not by their names; rows and columns wherever they stand now. What was changed in the
structure is told, and as much as still carries its mark is read.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from portal.table import Problem
from portal.workbooks.offline.cells import text_in
from portal.workbooks.offline.choice_lines import joined
from portal.workbooks.offline.found import FoundBook, FoundCell, FoundRow, FoundSheet
from portal.workbooks.offline.marks import (
    COVER,
    FRONT,
    LISTED,
    OWN_LINE,
    QUESTION,
    read_columns,
    read_row_mark,
    read_sheet_mark,
)
from portal.workbooks.offline.scan import Traits, traits
from portal.workbooks.opening import BROKEN, LIMIT_BYTES, load, read_sheets, shown
from portal.workbooks.refusals import damaged, is_old_workbook, macros, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.table import Speakable
    from portal.workbooks.offline.marks import RowMark, Seal, SheetMark
    from portal.workbooks.opening import Sheet, Source

TOP = 6  # rows among which the mark of a sheet is looked for, should lines have been put above it
LEFT = 4  # columns likewise
OURS = frozenset(range(2, 6))  # columns that the hidden first row of every sheet names, from the second on
LISTS = "_lists"  # the hidden sheet of choices
MOST_QUOTED = 20  # cells outside the answers that are quoted
QUOTED = 200  # signs of each


def read_offline(source: Source, seal: Seal, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> FoundBook:
    """Read a returned workbook.

    Raises:
        Invalid: it is no readable workbook (.xlsx, or .xls of an older Excel), or none of this portal's; the sentence
            says which.
    """
    filename = shown(source, filename)
    content = load(source, filename=filename, limit_bytes=limit_bytes)
    sheets, known = _opened(content, filename, limit_bytes)
    found = FoundBook(filename)
    foreign = changed = 0
    listed: dict[str, str] = {}
    unmarked: list[Sheet] = []
    for sheet in sheets:
        place = _mark_place(sheet)
        read = read_sheet_mark(place[2], seal) if place else None
        if read is None or place is None:
            unmarked.append(sheet)
            continue
        mark, fits = read
        if mark.portal != seal.portal:
            foreign += 1
        elif not fits:
            changed += 1
            sentence = _l("The hidden marks of this sheet were changed, so it was not read.")
            found.problems.append(Problem(sentence, sheet.name, mend=_again()))
        elif mark.kind == COVER:
            found.cover, found.copy, listed = mark, _copy_name(sheet), _listed(sheet)
        else:
            found.sheets.append(_Sheet(sheet, mark, seal, known.get(sheet.name, Traits()), place).read())
    # a book of ours that lost its marks is no stranger's
    lost = any(_held_answers(sheet, cover=found.cover is not None) for sheet in unmarked)
    _judge_book(found, foreign=foreign, changed=changed + lost)
    _note_unread(found, unmarked)
    if not changed:
        _note_gone(found, listed, {sheet.name for sheet in unmarked})
    return found


def _opened(content: bytes, filename: str, limit_bytes: int) -> tuple[list[Sheet], dict[str, Traits]]:
    """Return the sheets of a workbook with what plain values do not tell of them.

    Of the old format only errors are known: it says nothing of its locks, and holds a value for each formula.
    """
    if is_old_workbook(content):
        from portal.workbooks.old_excel import has_macros, read_old  # loads xlrd, for the few old files

        if has_macros(content):
            raise macros(filename)
        sheets = read_old(content, filename)
        return sheets, {sheet.name: Traits(locked=True, errors=sheet.errors) for sheet in sheets}
    sheets = read_sheets(content, filename=filename, limit_bytes=limit_bytes)
    try:
        return sheets, traits(io.BytesIO(content))
    except BROKEN as error:
        raise damaged(filename) from error


def _again() -> Speakable:
    sentence: Speakable = _l("Download the workbook again, and copy the texts into it.")
    return sentence


def _judge_book(found: FoundBook, *, foreign: int, changed: int) -> None:
    if found.sheets:
        return
    if foreign:
        sentence = _l(
            "The file %(file)s is a workbook of another portal, or from before this portal was set up anew.",
            file=found.filename,
        )
        raise refuse(sentence, mend=_l("Download the workbook from this portal."), code="other_portal")
    if found.cover is not None and not changed:
        sentence = _l(
            "The file %(file)s holds no sheet of a reply any more: only its instructions came back.",
            file=found.filename,
        )
        raise refuse(sentence, mend=_again(), code="no_sheets")
    if changed:
        sentence = _l(
            "The hidden marks of the file %(file)s were changed, so nothing in it can be read.", file=found.filename
        )
        raise refuse(sentence, mend=_again(), code="marks_changed")
    sentence = _l(
        "The file %(file)s is a workbook, but not one of questions from this portal: its hidden marks are missing.",
        file=found.filename,
    )
    mend = _l("Download the workbook on the page “What I owe”, and copy the texts into it.")
    raise refuse(sentence, mend=mend, code="wrong_template")


def _mark_place(sheet: Sheet) -> tuple[int, int, str] | None:
    """Return where the mark of a sheet stands: place in ``rows``, column (0 = A), text."""
    for index, (_number, cells) in enumerate(sheet.rows[:TOP]):
        for at, value in enumerate(cells[:LEFT]):
            if isinstance(value, str) and value.startswith("tamdan-offline"):
                return index, at, value
    return None


def _copy_name(sheet: Sheet) -> str:
    for _number, cells in sheet.rows:
        if cells and cells[0] == "copy":
            return text_in(str(cells[2])).strip()[:80] if len(cells) > 2 and cells[2] is not None else ""
    return ""


def _listed(cover: Sheet) -> dict[str, str]:
    """Return the sheets that went out with this cover: the public id of each reply, and the title of its sheet."""
    found = {}
    for _number, cells in cover.rows:
        if len(cells) > 1 and isinstance(cells[0], str) and cells[0].startswith(LISTED):
            found[cells[0].removeprefix(LISTED)] = str(cells[1] or "")
    return found


def _held_answers(sheet: Sheet, *, cover: bool) -> bool:
    """Tell whether a sheet without its mark was one of a reply: it came with our cover, or names columns as ours do."""
    if cover:
        return _holds_something(sheet)
    named = (read_columns(cells)[0].keys() for _number, cells in sheet.rows[:TOP])
    return any(names >= OURS and 1 not in names for names in named)


def _holds_something(sheet: Sheet) -> bool:
    return sheet.name not in {FRONT, LISTS} and any(_written(cells) for _number, cells in sheet.rows)


def _note_unread(found: FoundBook, unmarked: list[Sheet]) -> None:
    """Tell of sheets that hold something and have no mark: one that lost it, or one that somebody put in."""
    for sheet in unmarked:
        if not _holds_something(sheet):
            continue
        sentence = _l("This sheet carries no hidden marks of the portal, so nothing on it was read.")
        mend = _l("If it holds answers, copy them into a workbook that you download anew.")
        found.problems.append(Problem(sentence, sheet.name, mend=mend))


def _note_gone(found: FoundBook, listed: dict[str, str], unread: set[str]) -> None:
    """Tell which sheets of the download did not come back; one that came without its mark is told already."""
    here = {sheet.mark.submission for sheet in found.sheets}
    gone = [title for public_id, title in listed.items() if public_id not in here and title not in unread]
    if gone:
        sentence = _l(
            "Sheets of the download are no longer in the file: %(sheets)s. What stands in the portal stays.",
            sheets=", ".join(gone),
        )
        found.remarks.append(Problem(sentence))


def _written(cells: list[Any]) -> bool:
    return any(value is not None and str(value).strip() for value in cells)


class _Sheet:
    """Reads one sheet by its marks."""

    def __init__(self, sheet: Sheet, mark: SheetMark, seal: Seal, known: Traits, place: tuple[int, int, str]) -> None:
        self.sheet, self.seal, self.known = sheet, seal, known
        self.top, self.mark_column = place[0], place[1]
        self.found = FoundSheet(sheet.name, mark, locked=known.locked)
        self.columns, self.twice = read_columns(sheet.rows[self.top][1])

    def read(self) -> FoundSheet:
        if self.twice:
            self._trouble(_l("A column stands twice on this sheet; only the first of the two was read."))
        if not self.columns:
            self._trouble(_l("The hidden first line of this sheet was deleted, so its columns cannot be told apart."))
            return self.found
        if sorted(self.columns.values()) != [self.columns[one] for one in sorted(self.columns)] or self._shifted():
            self._remark(
                _l(
                    "Columns of this sheet were moved, inserted or deleted; its answers were found by their hidden marks."  # noqa: E501 - a sentence stays in one piece
                )
            )
        for number, cells in self.sheet.rows[self.top + 1 :]:
            self._row(number, cells)
        self._outside()
        self._twice_or_moved()
        self.found.rows = joined(self.found.rows)
        return self.found

    def _shifted(self) -> bool:
        return any(at != column - 1 for column, at in self.columns.items())

    def _remark(self, sentence: Speakable, row: int | None = None) -> None:
        self.found.remarks.append(Problem(sentence, self.sheet.name, row))

    def _trouble(self, sentence: Speakable, row: int | None = None, mend: Speakable | None = None) -> None:
        self.found.problems.append(Problem(sentence, self.sheet.name, row, mend=mend or _again()))

    def _row(self, number: int, cells: list[Any]) -> None:
        text = cells[self.mark_column] if self.mark_column < len(cells) else None
        if text is None or not str(text).strip():
            return self._unmarked(number, cells)
        if text == OWN_LINE:
            return None
        try:
            mark = read_row_mark(text, self.seal, self.found.mark)
        except KeyError:
            self.found.unread = True
            return self._trouble(_l("The hidden mark of this line is damaged, so it was not read."), number)
        if mark is None:
            self.found.unread = True
            sentence = _l("This line belongs to another sheet, or its hidden mark was changed; it was not read.")
            return self._trouble(sentence, number)
        at = self.columns.get(QUESTION)
        shown = "" if at is None or at >= len(cells) or cells[at] is None else str(cells[at])
        where = "" if at is None else f"{get_column_letter(at + 1)}{number}"
        self.found.rows.append(FoundRow(mark, number, tuple(self._cells(mark, number, cells)), shown, where))
        return None

    def _unmarked(self, number: int, cells: list[Any]) -> None:
        """Tell of a line that somebody put in."""
        written = [at for at in self.columns.values() if at < len(cells) and cells[at] is not None]
        if written:
            address = f"{get_column_letter(min(written) + 1)}{number}"
            sentence = _l(
                "A line was inserted at %(cell)s; the portal does not know which question it answers.", cell=address
            )
            mend = _l("Write it into one of the empty lines of the table, or into the cell of its question.")
            self._trouble(sentence, number, mend)

    def _cells(self, mark: RowMark, number: int, cells: list[Any]) -> Iterator[FoundCell]:
        for one in mark.cells:
            at = self.columns.get(one.column)
            if at is None:
                sentence = _l("The column of this answer was deleted from the sheet.")
                yield FoundCell(one, f"{get_column_letter(one.column)}{number}", None, sentence)
                continue
            address = f"{get_column_letter(at + 1)}{number}"
            value = cells[at] if at < len(cells) else None
            shown = self.known.uncomputed.get(address) or self.known.errors.get(address, "")
            yield FoundCell(one, address, value, self._fault(address), shown=shown)

    def _fault(self, address: str) -> Speakable | None:
        sentence: Speakable | None = None
        if address in self.known.uncomputed:
            sentence = _l(
                "This cell holds a formula that was never computed. Open the file in Excel, save it and send it again, or write the value itself."  # noqa: E501 - a sentence stays in one piece
            )
        elif address in self.known.errors:
            sentence = _l("This cell holds an error of a formula. Write the value itself.")
        return sentence

    def _outside(self) -> None:
        """Quote what somebody wrote into columns that are none of ours."""
        ours = {self.mark_column, *self.columns.values()}
        texts = [
            f"{get_column_letter(at + 1)}{number} “{str(value).strip()[:QUOTED]}”"
            for number, cells in self.sheet.rows[self.top + 1 :]
            for at, value in enumerate(cells)
            if at not in ours and value is not None and str(value).strip()
        ]
        if texts:
            sentence = _l(
                "Outside the cells for answers stands text, which was not read: %(texts)s",
                texts="; ".join(texts[:MOST_QUOTED]) + ("…" if len(texts) > MOST_QUOTED else ""),
            )
            self._trouble(sentence, mend=_l("Copy it into the cell of its question, if it is an answer."))

    def _twice_or_moved(self) -> None:
        """Tell of lines that stand twice (a copied line), and of an order that is not ours."""
        places = Counter(row.mark.place for row in self.found.rows)
        seen: dict[tuple[str, ...], FoundRow] = {}
        kept: list[FoundRow] = []
        for row in self.found.rows:
            first = seen.setdefault(row.mark.place, row)
            if places[row.mark.place] > 1 and first is not row:
                if [cell.value for cell in first.cells] != [cell.value for cell in row.cells]:
                    sentence = _l(
                        "This line is a copy of line %(row)s with other content; only that one was read.",
                        row=first.number,
                    )
                    self._trouble(sentence, row.number)
                continue
            kept.append(row)
        self.found.rows = kept
