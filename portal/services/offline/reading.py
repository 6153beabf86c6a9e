"""From cells to answers: what each copy of a sheet says, read by the questionnaire's own form, not judged yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, Parsed, field_name
from forms.questionnaire import SectionForm, read_answers
from forms.tables import made_key
from portal.services.offline.beside import Beside
from portal.services.offline.plan import Finding, Place, Trace
from portal.workbooks.offline import words
from portal.workbooks.offline.cells import labels_of, normal, raw_of
from portal.workbooks.offline.marks import PARENT, STATE, digest

if TYPE_CHECKING:
    from collections.abc import Container

    from forms.context import Context
    from forms.definition.model import Definition, Item
    from portal.table import Speakable
    from portal.workbooks.offline.found import FoundCell, FoundRow, FoundSheet


@dataclass
class NewRow:
    """A line that somebody filled in one of the empty lines of a table."""

    table: str
    key: str
    parent: str
    place: Place
    number: int
    trace: Trace
    findings: list[Finding] = field(default_factory=list)
    sentence: Speakable | None = None


@dataclass
class CopyOfReply:
    """What one copy says about one reply; ``department`` is the name its fillers gave it, "" for none."""

    sheet: FoundSheet
    department: str = ""
    findings: list[Finding] = field(default_factory=list)
    rows: list[NewRow] = field(default_factory=list)
    emptied: list[FoundRow] = field(default_factory=list)
    untouched: set[AnswerKey] = field(default_factory=set)
    no_longer_asked: list[str] = field(default_factory=list)  # places, and what was written there
    seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def book(self) -> str:
        """Return which download it is a copy of."""
        return self.sheet.mark.book


@dataclass(frozen=True)
class _Waiting:
    """A cell whose content the form is to read; ``said`` is the reason why there is no answer."""

    key: AnswerKey
    cell: FoundCell
    new: NewRow | None
    sentence: Speakable | None
    cleared: bool
    line: str
    said: str
    reason: FoundCell | None = None  # the cell of a reason that is none of the list


class CopyReader:
    """Reads one sheet of one copy; ``copy`` is what people call it.

    Of the tables ``cell_by_cell`` a line that came back empty is that many emptied cells, and no line that is to go.
    """

    def __init__(
        self, sheet: FoundSheet, definition: Definition, context: Context, copy: str, department: str,
        cell_by_cell: Container[str] = (),
    ) -> None:  # fmt: skip
        self.sheet, self.definition, self.context, self.cell_by_cell = sheet, definition, context, cell_by_cell
        self.copy, self.department = copy, department
        self.found = CopyOfReply(sheet, department)
        self.post: MultiDict[str, str] = MultiDict()
        self.items: dict[AnswerKey, Item] = {}
        self.waiting: list[_Waiting] = []
        self.keys: dict[tuple[str, int], str] = {}
        self.beside = Beside(sheet, definition, context.languages)
        self.doubts: dict[tuple[str, str], Speakable] = {}  # by question and line

    def read(self) -> CopyOfReply:
        """Return what the copy says."""
        for row in self.sheet.rows:
            if row.mark.kind == "spare":
                self._spare(row)
            else:
                self.keys[row.mark.table, row.mark.number] = row.mark.key
                self._row(row)
        self._parse()
        self.found.rows = [row for row in self.found.rows if row.findings or row.sentence]
        return self.found

    def _place(self, cell: FoundCell) -> Place:
        return Place(self.copy, self.sheet.name, cell.address, self.sheet.word)

    def _trace(self, code: str, line: str, lang: str, said: str) -> Trace:
        return Trace(self.found.book, self.department, code, line, lang, digest(said))

    def _spare(self, row: FoundRow) -> None:
        """Read a line of a table that went out empty; its key follows from its copy and its first cell."""
        filled = [cell for cell in row.cells if cell.mark.lang != PARENT and (not cell.blank or cell.fault)]
        if not filled:
            return
        key = made_key(row.mark.key, self.department, normal(filled[0].value))
        self.keys[row.mark.table, row.mark.number] = key
        parent, sentence = "", None
        inside = next((cell for cell in row.cells if cell.mark.lang == PARENT), None)
        if inside is not None:
            parent = self._parent(inside)
            if not parent:
                sentence = _l(
                    "Say in which line of the table around it this line stands: the number of a line that is filled in."
                )
        new = NewRow(
            row.mark.table, key, parent, self._place(filled[0]), row.number, self._trace("", row.mark.key, "", ""),
            sentence=sentence,
        )  # fmt: skip
        self.found.rows.append(new)
        self._cells(row, key, new)

    def _parent(self, cell: FoundCell) -> str:
        value = cell.value
        text = str(value).strip() if value is not None else ""
        return self.keys.get((cell.mark.code, int(text)), "") if text.isdecimal() and len(text) < 6 else ""

    def _row(self, row: FoundRow) -> None:
        if row.mark.kind == "row" and row.mark.table not in self.cell_by_cell and self._emptied(row):
            self.found.emptied.append(row)
            self.found.seen.update((cell.mark.code, row.mark.key) for cell in row.cells)
            return
        if (doubt := self.beside.doubt(row)) is not None:
            self.doubts |= {(cell.mark.code, row.mark.key): doubt for cell in row.cells}
        self._cells(row, row.mark.key, None)

    @staticmethod
    def _emptied(row: FoundRow) -> bool:
        whole = len(row.cells) == len(row.mark.cells)  # a document loses single fields: what they say is not known
        blank = all(cell.blank and not cell.fault for cell in row.cells)
        return whole and blank and any(cell.mark.digest for cell in row.cells)

    def _cells(self, row: FoundRow, key: str, new: NewRow | None) -> None:
        """Read the cells of a row question by question: a text in several languages, and why there is no answer."""
        by_code: dict[str, list[FoundCell]] = {}
        for cell in row.cells:
            if cell.mark.lang != PARENT:
                by_code.setdefault(cell.mark.code, []).append(cell)
        for code, cells in by_code.items():
            self.found.seen.add((code, key))
            item = self.definition.compiled.by_code.get(code)
            if item is None:
                written = [cell for cell in cells if not cell.untouched and not cell.blank]
                if written:
                    texts = "; ".join(_shown(cell.value) for cell in written)
                    self.found.no_longer_asked.append(f"{written[0].address} “{texts}”")
                continue
            state = next((cell for cell in cells if cell.mark.lang == STATE), None)
            values = [cell for cell in cells if cell.mark.lang != STATE]
            self._question(item, (key, row.mark.key), values, state, new)

    def _question(
        self, item: Item, rows: tuple[str, str], values: list[FoundCell], state: FoundCell | None, new: NewRow | None
    ) -> None:
        """Read the cells of a question; ``rows``: the key of the row they stand in, and what its mark calls it."""
        row, line = rows
        said = "" if state is None or state.blank else normal(state.value)
        meant = words.state_meant(said, self.context.languages) if said else None
        moved = state is not None and not state.untouched
        written = any(not cell.blank for cell in values)
        for cell in values:
            key = AnswerKey(item.code, row, cell.mark.lang)
            if cell.untouched and not moved:
                if new is None:
                    self.found.untouched.add(key)
                continue
            if new is not None and cell.blank and not said and not cell.fault:
                continue
            sentence: Speakable | None = cell.fault
            wrong = state if sentence is None and said and meant is None else None
            if wrong is not None:
                sentence = _l(
                    "“%(said)s” is no reason of the list; leave it empty, or choose from the list.",
                    said=said[:60],
                )
            elif sentence is None and said and written:
                sentence = _l(
                    "An answer and “%(said)s” stand side by side; please empty one of the two.", said=said[:60]
                )
            if sentence is None and cell.blank and not cell.mark.digest and not said and not moved:
                continue
            self._ask(item, key, cell, meant, sentence)
            self.waiting.append(_Waiting(key, cell, new, sentence, meant is None and cell.blank, line, said, wrong))

    def _ask(self, item: Item, key: AnswerKey, cell: FoundCell, state: str | None, sentence: Speakable | None) -> None:
        """Let the questionnaire's own form read what the cell holds."""
        self.items[key] = item
        if sentence is not None:
            return
        name = field_name(key)
        labels = labels_of(self.definition, item, self.context.languages)
        raw = list(cell.raw) if cell.raw is not None else raw_of(item, cell.value, labels)
        self.post.setlist(name, [] if state else raw)
        self.post[name + PRESENT_SUFFIX] = "1"
        self.post[name + STATE_SUFFIX] = state or "answered"

    def _parse(self) -> None:
        cells = {key: item for key, item in self.items.items() if key.row}
        plain = {item.code: item for key, item in self.items.items() if not key.row}
        form = SectionForm(list(plain.values()), self.context, self.post, cells=cells)
        form.validate()
        parsed = read_answers(form, [*plain.values(), *cells.values()])
        for one in self.waiting:
            cell, read = one.cell, parsed.get(one.key, Parsed())
            content = f"{normal(cell.value)}\0{one.said}" if one.said else normal(cell.value)
            shown = one.reason or cell
            finding = Finding(
                self._trace(cell.mark.code, one.line, cell.mark.lang, content),
                one.key, read, cell.mark.revision, self._place(shown), _shown(shown.shown or shown.value),
                of_reason=bool(one.reason), cleared=one.cleared, full=cell.full and not self.sheet.word,
                sentence=one.sentence or read.message, doubt=self.doubts.get((one.key.code, one.key.row)),
            )  # fmt: skip
            (self.found if one.new is None else one.new).findings.append(finding)


def _shown(value: Any) -> str:
    return normal(value)[:300]
