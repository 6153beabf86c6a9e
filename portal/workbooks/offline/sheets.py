"""The sheet of one reply: what it is about, each question with its cells, tables with spare rows; the rest is locked."""  # noqa: E501 - a sentence stays in one piece

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from forms.answers import AnswerKey, Given
from forms.evaluation import fill
from forms.question_types import question_type
from forms.questionnaire import answer_keys
from forms.tables import made_key, may_change
from portal.table import pick
from portal.workbooks.cell_text import is_khmer, is_risky, lines
from portal.workbooks.looks import LOOKS
from portal.workbooks.offline import words
from portal.workbooks.offline.cells import choose_number_format, labels_in_row, labels_of, normal, written
from portal.workbooks.offline.choice_lines import MARKED, choice_lines, mark_of, spread
from portal.workbooks.offline.lines import columns_of, lines_of
from portal.workbooks.offline.marks import (
    OWN_LINE,
    PARENT,
    QUESTION,
    STATE,
    CellMark,
    RowMark,
    SheetMark,
    column_name,
    digest,
)
from portal.workbooks.offline.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.model import Item
    from forms.tables import Table
    from portal.workbooks.offline.lines import Column, Line
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.shape import OfflineBook, OfflineReply
    from portal.workbooks.writer import ReportBook

MARK, NUMBER, HOW_TO, ANSWER = 1, 2, 4, 5
HIDDEN_ROW, TITLE_ROW, HEADER_ROW = 1, 2, 3
WIDTHS = {MARK: 2.0, NUMBER: 7.0, QUESTION: 40.0, HOW_TO: 38.0}
ANSWER_WIDTH, STATE_WIDTH, TABLE_WIDTH = 42.0, 19.0, 20.0
TALLEST = 409.0
NO_ANSWER = Given()


def tall(text: str, width: float, *, scale: float = 1.0) -> float:
    """Estimate how tall wrapped text is, line by line: Khmer ones need more than Latin ones; ``scale`` of the font."""
    points = sum(lines(line, width / scale) * (21.5 if is_khmer(line) else 15) for line in text[:8000].split("\n"))
    return 6 + points * scale


class ReplySheet:
    """Writes one reply; everything is locked but the cells of answers that may be changed."""

    def __init__(self, book: ReportBook, made: OfflineBook, reply: OfflineReply, seal: Seal) -> None:
        self.book, self.made, self.reply, self.seal = book, made, reply, seal
        self.languages = reply.languages
        self.definition = reply.definition
        self.ws = book.add(reply.sheet)
        self.rules = Rules(book, self.ws, self.definition, self.languages)
        self.mark = SheetMark(
            seal.portal, reply.round, reply.institution, reply.submission, reply.version, made.book, made.made,
            self.languages,
        )  # fmt: skip
        self.row = HEADER_ROW
        self.last_column = self.state_column = ANSWER + len(self.languages)
        self.numbers: dict[str, list[str]] = {}
        self.questions = 0
        self.states = words.state_labels(self.languages)
        self.formats: dict[str, str] = {}

    def write(self) -> str:
        """Write the sheet and return its title."""
        self._head()
        for line in lines_of(self.definition):
            getattr(self, f"_{line.kind}")(line)
        self._finish()
        return self.ws.title

    # -- what stands above the questions --------------------------------------------------------------------------

    def _head(self) -> None:
        book, ws = self.book, self.ws
        for row in (TITLE_ROW, HEADER_ROW):
            ws.cell(row, MARK).value = OWN_LINE
        title = "  ·  ".join(filter(None, [self.reply.cite, pick(self.reply.title, self.languages[0], self.languages)]))
        book.cell(ws, TITLE_ROW, NUMBER, title, style="title", wrap=False)
        ws.row_dimensions[TITLE_ROW].height = 30
        heads = {NUMBER: _l("No."), QUESTION: _l("Question"), HOW_TO: _l("How to answer")}
        for column, head in heads.items():
            book.cell(ws, HEADER_ROW, column, words.everywhere(head, self.languages), style="header")
        for at, language in enumerate(self.languages):
            alone = len(self.languages) == 1
            text = words.everywhere(_l("Your answer"), self.languages) if alone else self._own_name(language)
            book.cell(ws, HEADER_ROW, ANSWER + at, text, style="header")
        book.cell(
            ws, HEADER_ROW, self.state_column, words.everywhere(_l("No answer because"), self.languages), style="header"
        )
        ws.row_dimensions[HEADER_ROW].height = 44
        for language in self.languages:
            text = "\n".join(one[language] for one in self.reply.texts if one.get(language))
            if text:
                self._across(_l("Recommendation"), text)
        self._across(_l("Due on"), self.reply.due.strftime("%d/%m/%Y"))

    def _own_name(self, language: str) -> str:
        return f"{words.everywhere(_l('Your answer'), [language])}\n({words.own_name(language)})"

    def _across(self, label: Any, text: str) -> None:
        row = self._next()
        self.book.cell(self.ws, row, NUMBER, None, style="label")
        self.book.cell(self.ws, row, QUESTION, words.everywhere(label, self.languages), style="label")
        self.book.cell(self.ws, row, HOW_TO, text)
        for column in range(ANSWER, self.state_column + 1):
            self.book.cell(self.ws, row, column, None)
        self.ws.merge_cells(start_row=row, start_column=HOW_TO, end_row=row, end_column=self.state_column)
        width = WIDTHS[HOW_TO] + ANSWER_WIDTH * len(self.languages) + STATE_WIDTH
        self._height(row, tall(text, width), tall(words.everywhere(label, self.languages), 38))

    def _next(self) -> int:
        self.row += 1
        self.ws.cell(self.row, MARK).value = OWN_LINE
        return self.row

    def _height(self, row: int, *points: float) -> None:
        self.ws.row_dimensions[row].height = min(max(22.0, *points), TALLEST)

    # -- lines ----------------------------------------------------------------------------------------------------

    def _label(self, item: Item) -> str:
        texts = {language: item.text("label", language, tuple(self.languages)) for language in self.languages}
        if any("${" in text for text in texts.values()):
            values = self.reply.values
            texts = {language: fill(text, self.definition, values, language) for language, text in texts.items()}
        return words.label(item, self.languages, texts)

    def _page(self, line: Line) -> None:
        self._heading(line, "header")

    def _group(self, line: Line) -> None:
        self._heading(line, "total")

    def _heading(self, line: Line, style: str) -> None:
        row = self._next()
        text = self._label(line.item).replace("\n", "  ·  ")
        self.book.cell(self.ws, row, NUMBER, text, style=style, wrap=False)
        for column in range(QUESTION, self.state_column + 1):
            self.book.cell(self.ws, row, column, None, style=style)
        # one cell: the lines between the columns would cut through the words
        self.ws.merge_cells(start_row=row, start_column=NUMBER, end_row=row, end_column=self.state_column)
        self._height(row, 26.0)

    def _note(self, line: Line) -> None:
        row = self._next()
        text = self._label(line.item)
        self.book.cell(self.ws, row, QUESTION, text, style="muted")
        self.ws.merge_cells(start_row=row, start_column=QUESTION, end_row=row, end_column=self.state_column)
        self._height(row, tall(text, WIDTHS[QUESTION] + WIDTHS[HOW_TO] + ANSWER_WIDTH))

    def _computed(self, line: Line) -> None:
        value = self.reply.calculated.get(AnswerKey(line.item.code))
        row = self._question_cells(line.item, words.everywhere(_l("Computed by the portal."), self.languages))
        text = question_type(line.item.type).text(value, line.item, self.languages[0])
        self.book.cell(self.ws, row, ANSWER, text, style="fixed")
        for column in range(ANSWER + 1, self.state_column + 1):
            self.book.cell(self.ws, row, column, None, style="fixed")

    def _question_cells(self, item: Item, how_to: str) -> int:
        row = self._next()
        label = self._label(item)
        self.questions += 1
        self.book.cell(self.ws, row, NUMBER, self.questions, "integer", "label_number")
        self.book.cell(self.ws, row, QUESTION, label, style="label")
        self.book.cell(self.ws, row, HOW_TO, how_to, style="hint")
        self._height(row, tall(label, WIDTHS[QUESTION]), tall(how_to, WIDTHS[HOW_TO], scale=0.92))
        return row

    def _question(self, line: Line) -> None:
        item = line.item
        kind = question_type(item.type)
        open_ = may_change(self.definition, item.code, self.reply.unlocked)
        how_to = words.how_to(self.definition, item, self.languages)
        if not open_:
            closed = _l("Handed in; not among what was returned, so it cannot be changed.")
            how_to = words.everywhere(closed, self.languages)
        row = self._question_cells(item, how_to)
        marks: list[CellMark] = []
        height = 60.0 if kind.variant(item) == "long" else 22.0
        keys = () if kind.control == "file" else answer_keys(item, self.languages)
        given = self.reply.answers.get(AnswerKey(item.code))
        lines = choice_lines(item, given, labels_of(self.definition, item, self.languages)) if (
            open_ and spread(item, given)
        ) else []  # fmt: skip
        for at, column in enumerate(range(ANSWER, self.state_column)):
            if at < len(keys) and not lines:
                height = max(height, self._answer(row, column, item, keys[at], marks, open_=open_))
            else:
                self.book.cell(self.ws, row, column, None, style="fixed")
        self._state(row, self.state_column, item, AnswerKey(item.code), keys, marks, open_=open_)
        self._height(row, self.ws.row_dimensions[row].height or 22.0, height)
        if marks:
            self._put_mark(row, RowMark("question", cells=tuple(marks)))
        for line_of_choice in lines:
            self._choice(item, given, line_of_choice, len(lines))

    def _choice(self, item: Item, given: Given | None, line: tuple[str, str, str | int | None], count: int) -> None:
        """Write the line of one choice: its label, and beside it the cell that marks it."""
        key, label, content = line
        row = self._next()
        ranked = question_type(item.type).control == "rank"
        for column in range(NUMBER, self.state_column + 1):
            self.book.cell(self.ws, row, column, None, style="fixed" if column > ANSWER else "label")
        self.book.cell(self.ws, row, HOW_TO, label)
        self._put(row, ANSWER, content, "0" if ranked else "@", "mark")
        if ranked:
            self.rules.place(row, ANSWER, count)
        else:
            self.rules.tick(row, ANSWER, MARKED)
        self._height(row, tall(label, WIDTHS[HOW_TO]))
        self._put_mark(row, mark_of(item, key, count, ANSWER, given, content))

    # -- tables ---------------------------------------------------------------------------------------------------

    def _table(self, line: Line) -> None:
        table = line.table
        if table is None:
            return
        self._table_heading(table)
        columns = columns_of(table, self.languages)
        first = QUESTION + (1 if table.fixed or table.inside else 0)
        self.last_column = max(self.last_column, first + len(columns) - 1)
        self._table_header(table, columns, first)
        standing = table.rows(self.reply.rows)
        number = 0
        for number, row in enumerate(standing, start=1):
            kind = "fixed" if table.fixed else "row"
            revision = 0 if table.fixed else self.reply.row_revisions.get((table.code, row.key), 1)
            mark = RowMark(kind, table.code, row.key, row.parent, number, revision)  # type: ignore[arg-type] # one of both
            self._table_row(table, columns, first, mark)
        self.numbers[table.code] = [row.key for row in standing]
        if table.fixed or not may_change(self.definition, table.code, self.reply.unlocked):
            return
        for spare in range(max(0, min(self.made.spare, table.most - len(standing)))):
            number += 1
            key = made_key(self.made.book, self.reply.submission, table.code, str(spare))
            self.numbers[table.code].append(key)
            self._table_row(table, columns, first, RowMark("spare", table.code, key, "", number))

    def _table_heading(self, table: Table) -> None:
        text = self._label(table.item)
        hint = words.how_to(self.definition, table.item, self.languages) if table.item.type else self._hints(table.item)
        row = self._next()
        self.questions += 1
        self.book.cell(self.ws, row, NUMBER, self.questions, "integer", "total")
        self.book.cell(self.ws, row, QUESTION, text, style="total")
        self.book.cell(self.ws, row, HOW_TO, hint, style="hint")
        for column in range(ANSWER, self.state_column + 1):
            self.book.cell(self.ws, row, column, None, style="hint")
        self.ws.merge_cells(start_row=row, start_column=HOW_TO, end_row=row, end_column=self.state_column)
        width = WIDTHS[HOW_TO] + ANSWER_WIDTH * len(self.languages)
        self._height(row, tall(text, WIDTHS[QUESTION]), tall(hint, width))

    def _hints(self, item: Item) -> str:
        spoken = [
            " ".join(filter(None, (item.text(role, language, tuple(self.languages)) for role in ("hint", "guidance"))))
            for language in self.languages
        ]
        if item.kind == "repeat":
            spoken.append(words.everywhere(_l("One line each; empty lines are left out."), self.languages))
        return words.in_all(spoken)

    def _table_header(self, table: Table, columns: Sequence[Column], first: int) -> None:
        row = self._next()
        self.book.cell(self.ws, row, NUMBER, words.everywhere(_l("Line"), self.languages), style="header")
        if first > QUESTION:
            text = ""
            if table.inside:
                outer = self.definition.compiled.by_code[table.inside]
                text = words.everywhere(
                    _l("Line of the table “%(table)s”", table=self._label(outer).replace("\n", " · ")), self.languages
                )
            self.book.cell(self.ws, row, QUESTION, text, style="header")
        height = 30.0
        for at, column in enumerate(columns, start=first):
            text = self._column_title(column)
            self.book.cell(self.ws, row, at, text, style="header")
            height = max(height, tall(text, self._width(at) * 0.9))
        self._height(row, height)

    def _column_title(self, column: Column) -> str:
        label = self._label(column.item)
        if column.state:
            return words.everywhere(_l("No answer because"), self.languages)
        if column.lang and len(self.languages) > 1:
            label = f"{column.item.text('label', column.lang, tuple(self.languages))}\n({words.own_name(column.lang)})"
        with_rules = [label]
        for language in self.languages:
            spoken = words.short_form(column.item, language, words.IN_A_CELL)
            with_rules += [spoken] if spoken else []
        return words.in_all(with_rules)

    def _width(self, column: int) -> float:
        if column in WIDTHS:
            return WIDTHS[column]
        if column < self.state_column:
            return ANSWER_WIDTH
        return STATE_WIDTH if column == self.state_column else TABLE_WIDTH

    def _table_row(self, table: Table, columns: Sequence[Column], first: int, mark: RowMark) -> None:
        row = self._next()
        marks: list[CellMark] = []
        self.book.cell(self.ws, row, NUMBER, mark.number, "integer", "label_number")
        label = ""
        if table.fixed:
            label = words.in_all([table.row_label(mark.key, one, tuple(self.languages)) for one in self.languages])
            self.book.cell(self.ws, row, QUESTION, label, style="label")
        elif table.inside:
            self._parent_cell(row, table, mark, marks)
        height = max(22.0, tall(label, WIDTHS[QUESTION])) if label else 22.0
        for at, column in enumerate(columns, start=first):
            open_ = may_change(self.definition, column.item.code, self.reply.unlocked)
            key = AnswerKey(column.item.code, mark.key, column.lang)
            if column.state:
                keys = answer_keys(column.item, self.languages)
                cells = [one._replace(row=mark.key) for one in keys]
                self._state(row, at, column.item, key, cells, marks, open_=open_)
            else:
                height = max(height, self._answer(row, at, column.item, key, marks, open_=open_))
        self._height(row, height)
        if marks:
            self._put_mark(
                row, RowMark(mark.kind, mark.table, mark.key, mark.parent, mark.number, mark.revision, tuple(marks))
            )

    def _parent_cell(self, row: int, table: Table, mark: RowMark, marks: list[CellMark]) -> None:
        outer = self.numbers.get(table.inside, [])
        if mark.kind == "spare":
            self._put(row, QUESTION, None, "0", "input")
            self.rules.whole(row, QUESTION, 1, max(len(outer), 1))
            marks.append(CellMark(QUESTION, table.inside, PARENT, 0, ""))
        else:
            number = outer.index(mark.parent) + 1 if mark.parent in outer else None
            self.book.cell(self.ws, row, QUESTION, number, "integer", "fixed")

    # -- cells ----------------------------------------------------------------------------------------------------

    def _answer(
        self, row: int, column: int, item: Item, key: AnswerKey, marks: list[CellMark], *, open_: bool
    ) -> float:
        given = self.reply.answers.get(key)
        whole = labels = labels_of(self.definition, item, self.languages)
        if key.row:
            labels = labels_in_row(self.definition, item, self.languages, self.reply.seen(key))
        made = written(item, given, labels, self.made.time_zone)
        value = made.value
        if made.too_long:
            sentence = _l("This text is too long for a cell of Excel. Change it on the page of the reply.")
            value, open_ = words.everywhere(sentence, self.languages), False
        self._put(row, column, value, self._format(item, value), "input" if open_ else "fixed", lang=key.lang)
        if open_:
            self.rules.add(row, column, item, labels, whole)
            marks.append(CellMark(column, key.code, key.lang, given.revision if given else 0, digest(normal(value))))
        return tall(value, self._width(column)) if isinstance(value, str) else 22.0

    def _state(
        self,
        row: int,
        column: int,
        item: Item,
        key: AnswerKey,
        keys: Sequence[AnswerKey],
        marks: list[CellMark],
        *,
        open_: bool,
    ) -> None:
        """Write the cell that says why there is no answer, where the question may be left without one."""
        offered = words.states_of(item)
        if not offered or not keys:
            self.book.cell(self.ws, row, column, None, style="fixed")
            return
        stored = next(
            (one for one in (self.reply.answers.get(each) for each in keys) if one and one.state != "answered"),
            NO_ANSWER,
        )
        names = self.states
        value = names.get(stored.state)
        self._put(row, column, value, "@", "input" if open_ else "fixed")
        if open_:
            self.rules.choose(
                row, column, "_".join(("states", *offered, *self.languages)), [names[state] for state in offered]
            )
            marks.append(CellMark(column, key.code, STATE, 0, digest(normal(value))))

    def _format(self, item: Item, value: Any) -> str:
        if value is not None and not isinstance(value, str):
            return choose_number_format(item, value)
        if item.code not in self.formats:
            self.formats[item.code] = choose_number_format(item, None)
        return self.formats[item.code]

    def _put(self, row: int, column: int, value: Any, number_format: str, look: str, lang: str = "") -> None:
        """Put a typed value into a cell: a text stays one whatever it looks like."""
        cell: Any = self.ws.cell(row, column)
        prefix, khmer = False, lang == "km"
        if isinstance(value, str):
            text = self.book.guarded_parts(self.ws, row, column, value)[0]
            prefix, khmer = is_risky(text), khmer or is_khmer(text)
            cell.value = "text"
            cell._value = text  # noqa: SLF001 - past openpyxl's guessing of formulas
            cell.data_type = "s"
        elif isinstance(value, date | time | Decimal | int | float):
            cell.value = value
        cell._style = self.book.styles.array(LOOKS[look], number_format, khmer=khmer, prefix=prefix, wrap=True)  # noqa: SLF001 - one shared style array per look

    def _put_mark(self, row: int, mark: RowMark) -> None:
        cell: Any = self.ws.cell(row, MARK)
        cell.value = mark.text(self.seal, self.mark)

    def _finish(self) -> None:
        ws = self.ws
        ws.cell(HIDDEN_ROW, MARK).value = self.mark.text(self.seal)
        for column in range(NUMBER, self.last_column + 1):
            ws.cell(HIDDEN_ROW, column).value = column_name(column)
            ws.column_dimensions[get_column_letter(column)].width = self._width(column)
        ws.column_dimensions["A"].width = WIDTHS[MARK]
        ws.column_dimensions["A"].hidden = True
        ws.row_dimensions[HIDDEN_ROW].hidden = True
        self.rules.finish()
        ws.freeze_panes = f"{get_column_letter(HOW_TO)}{HEADER_ROW + 1}"
        self.book.printing(ws, header_row=HEADER_ROW, title=f"{self.reply.cite} {self.reply.institution}")
        ws.print_area = f"B{TITLE_ROW}:{get_column_letter(self.last_column)}{self.row}"
        protect(ws)


def protect(ws: Any) -> None:
    """Lock a sheet without a password: widths and heights may be changed, cells of answers filled in."""
    ws.protection.sheet = True
    ws.protection.formatColumns = ws.protection.formatRows = False
    ws.protection.formatCells = False
