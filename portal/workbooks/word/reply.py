"""One reply in an offline document: its heading, what it is about, each question with its controls, tables as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, Given
from forms.evaluation import fill
from forms.question_types import question_type
from forms.questionnaire import answer_keys
from forms.tables import made_key, may_change
from portal.table import pick
from portal.workbooks.looks import SOFT
from portal.workbooks.offline import words
from portal.workbooks.offline.cells import labels_of, normal
from portal.workbooks.offline.lines import columns_of, lines_of
from portal.workbooks.offline.marks import PARENT, STATE, CellMark, RowMark, SheetMark, digest
from portal.workbooks.word.controls import Control, answer_text, controls_of, state_control
from portal.workbooks.word.elements import cell, paragraph, run, table
from portal.workbooks.word.looks import LANDSCAPE, PORTRAIT, room, section
from portal.workbooks.word.marks import HiddenReply, HiddenRow, name_of
from portal.workbooks.word.words import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.model import Item
    from forms.tables import Table
    from portal.workbooks.offline.lines import Column, Line
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.shape import OfflineBook, OfflineReply
    from portal.workbooks.word.controls import Drawer

NARROW, LABEL = 600, 2000  # widths of the columns that name a line, in twentieths of a point
LEAST = 1300  # below this an answer column is too narrow to write in
NO_ANSWER = Given()


class Cells:
    """The answers of one row: their marks, and the controls that were named for them."""

    def __init__(self) -> None:
        self.marks: list[CellMark] = []
        self.controls: dict[int, list[Control]] = {}

    def add(self, code: str, lang: str, revision: int, text: str, controls: list[Control]) -> int:
        """Take an answer and return its number in the row."""
        number = len(self.marks) + 1
        if controls[0].kind == "box":  # a box is known by its choice, whatever its label is
            text = "; ".join(control.content for control in controls if control.ticked)
        self.marks.append(CellMark(number, code, lang, revision, digest(normal(text))))
        self.controls[number] = controls
        return number


class ReplyText:
    """Writes one reply; ``at`` is its place in the document."""

    def __init__(self, at: int, made: OfflineBook, reply: OfflineReply, seal: Seal, drawer: Drawer) -> None:
        self.at, self.made, self.reply, self.seal, self.drawer = at, made, reply, seal, drawer
        self.languages = reply.languages
        self.definition = reply.definition
        self.mark = SheetMark(
            seal.portal, reply.round, reply.institution, reply.submission, reply.version, made.book, made.made,
            self.languages,
        )  # fmt: skip
        self.hidden = HiddenReply(self.mark.text(seal), reply.sheet)
        self.body: list[Any] = []
        self.numbers: dict[str, list[str]] = {}
        self.questions = 0

    def write(self) -> list[Any]:
        """Return the elements of the reply."""
        self._head()
        for line in lines_of(self.definition):
            getattr(self, f"_{line.kind}")(line)
        return self.body

    # -- what stands above the questions --------------------------------------------------------------------------

    def _head(self) -> None:
        titles = words.in_all([self.reply.title.get(one, "") for one in self.languages]) or pick(self.reply.title, "en")
        self._say("Heading1", "\n".join(filter(None, [self.reply.cite, titles])))
        for language in self.languages:
            for text in self.reply.texts:
                if text.get(language):
                    self._say("Normal", text[language])
        due = words.everywhere(_l("Due on"), self.languages).replace("\n", " · ")
        self._say("Small", f"{due}: {self.reply.due:%d/%m/%Y}")

    def _say(self, style: str, text: str) -> None:
        if text:
            self.body.append(paragraph(text, style=style))

    def _label(self, item: Item) -> str:
        texts = {language: item.text("label", language, tuple(self.languages)) for language in self.languages}
        if any("${" in text for text in texts.values()):
            values = self.reply.values
            texts = {language: fill(text, self.definition, values, language) for language, text in texts.items()}
        return words.label(item, self.languages, texts)

    def _page(self, line: Line) -> None:
        self._say("Part", self._label(line.item).replace("\n", "  ·  "))

    _group = _page

    def _note(self, line: Line) -> None:
        self._say("Small", self._label(line.item))

    def _heading(self, item: Item) -> None:
        self.questions += 1
        self._say("Heading2", f"{self.questions}. {self._label(item)}")

    # -- questions ------------------------------------------------------------------------------------------------

    def _computed(self, line: Line) -> None:
        self._heading(line.item)
        self._say("Small", words.everywhere(_l("Computed by the portal."), self.languages))
        value = self.reply.calculated.get(AnswerKey(line.item.code))
        self._say("Normal", question_type(line.item.type).text(value, line.item, self.languages[0]))

    def _question(self, line: Line) -> None:
        item = line.item
        self._heading(item)
        open_ = may_change(self.definition, item.code, self.reply.unlocked)
        closed = _l("Handed in; not among what was returned, so it cannot be changed.")
        self._say(
            "Small",
            words.how_to(self.definition, item, self.languages, WORD)
            if open_ else words.everywhere(closed, self.languages),
        )  # fmt: skip
        keys = () if question_type(item.type).control == "file" else answer_keys(item, self.languages)
        row = Cells()
        waiting: list[tuple[str, int]] = []
        for key in keys:
            name = self._own_name(key.lang) if key.lang and len(self.languages) > 1 else ""
            text = self._text(item, key)
            if open_:
                given = self.reply.answers.get(key)
                controls = controls_of(item, text, self._labels(item), in_table=False)
                waiting.append((name, row.add(key.code, key.lang, given.revision if given else 0, text, controls)))
            else:
                self._say("Language", name)
                self._say("Normal", text)
        if open_ and keys and words.states_of(item):
            name = words.everywhere(_l("No answer because"), self.languages).replace("\n", " · ")
            waiting.append((name, self._state(item, keys, row)))
        if waiting:
            drawn = self._draw(row, HiddenRow("", self.questions), RowMark("question"))
            for name, number in waiting:
                self._say("Language", name)
                boxes = row.controls[number][0].kind == "box"
                self.body += self.drawer.paragraphs(drawn[number], "Choice" if boxes else "Answer")

    def _own_name(self, language: str) -> str:
        try:
            return str(Locale.parse(language, sep="-").get_display_name(language))
        except (UnknownLocaleError, ValueError):
            return language

    def _labels(self, item: Item) -> Any:
        return labels_of(self.definition, item, self.languages)

    def _text(self, item: Item, key: AnswerKey) -> str:
        return answer_text(item, self.reply.answers.get(key), self._labels(item))

    def _state(self, item: Item, keys: Sequence[AnswerKey], row: Cells) -> int:
        stored = next(
            (one for one in (self.reply.answers.get(each) for each in keys) if one and one.state != "answered"),
            NO_ANSWER,
        )
        names = words.state_labels(self.languages)
        text = names.get(stored.state, "")
        offered = {names[state]: state for state in words.states_of(item)}
        return row.add(item.code, STATE, 0, text, [state_control(text, offered)])

    def _draw(self, row: Cells, hidden: HiddenRow, mark: RowMark) -> dict[int, list[tuple[str, Control]]]:
        """Name the controls of a row, now that its mark is known."""
        whole = RowMark(mark.kind, mark.table, mark.key, mark.parent, mark.number, mark.revision, tuple(row.marks))
        hidden.mark = whole.text(self.seal, self.mark)
        self.hidden.rows.append(hidden)
        place = len(self.hidden.rows)
        drawn: dict[int, list[tuple[str, Control]]] = {}
        for number, controls in row.controls.items():
            boxes = controls[0].kind == "box"
            several = boxes or len(controls) > 1
            if boxes:
                hidden.choices[number] = tuple(control.content for control in controls)
            elif several:
                hidden.places[number] = len(controls)
            drawn[number] = []
            for at, control in enumerate(controls, start=1):
                where = (self.at, place, number, at if several else 0)
                name = name_of(self.seal, hidden.mark, where, control.content if boxes else "")
                drawn[number].append((name.text, control))
        return drawn

    # -- tables ---------------------------------------------------------------------------------------------------

    def _table(self, line: Line) -> None:
        asked = line.table
        if asked is None:
            return
        self._heading(asked.item)
        hints = [
            " ".join(filter(None, (asked.item.text(role, one, tuple(self.languages)) for role in ("hint", "guidance"))))
            for one in self.languages
        ]
        if not asked.fixed:
            hints.append(words.everywhere(_l("One line each; empty lines are left out."), self.languages))
        self._say("Small", words.in_all(hints))
        columns = columns_of(asked, self.languages)
        if not columns:
            return
        page, widths = _widths(columns, labelled=bool(asked.fixed or asked.inside))
        if page == LANDSCAPE:
            self.body.append(section(PORTRAIT))
        rows = [self._table_head(asked, columns, widths)]
        rows += [self._table_row(asked, columns, widths, mark) for mark in self._lines_of(asked)]
        self.body.append(table(widths, rows))
        self.body.append(section(LANDSCAPE) if page == LANDSCAPE else paragraph(style="Cell"))

    def _lines_of(self, asked: Table) -> list[RowMark]:
        standing = asked.rows(self.reply.rows)
        marks = []
        for number, row in enumerate(standing, start=1):
            revision = 0 if asked.fixed else self.reply.row_revisions.get((asked.code, row.key), 1)
            marks.append(
                RowMark("fixed" if asked.fixed else "row", asked.code, row.key, row.parent, number, revision)
            )
        if not asked.fixed and may_change(self.definition, asked.code, self.reply.unlocked):
            for spare in range(max(0, min(self.made.spare, asked.most - len(standing)))):
                key = made_key(self.made.book, self.reply.submission, asked.code, str(spare))
                marks.append(RowMark("spare", asked.code, key, "", len(marks) + 1))
        self.numbers[asked.code] = [mark.key for mark in marks]
        return marks

    def _table_head(self, asked: Table, columns: Sequence[Column], widths: Sequence[int]) -> list[Any]:
        names = [words.everywhere(_l("Line"), self.languages)]
        if asked.fixed:
            names.append("")
        elif asked.inside:
            outer = self._label(self.definition.compiled.by_code[asked.inside]).replace("\n", " · ")
            names.append(words.everywhere(_l("Line of the table “%(table)s”", table=outer), self.languages))
        heads = [[paragraph(name, style="Cellhead")] for name in names]
        for column in columns:
            heads.append([paragraph(self._column_title(column), style="Cellhead")])
            if not column.state:
                rules = [words.short_form(column.item, language, WORD) for language in self.languages]
                if text := words.in_all(rules):
                    heads[-1].append(paragraph(text, style="Cellrule"))
        return [cell(width, *head, fill=SOFT) for width, head in zip(widths, heads, strict=True)]

    def _column_title(self, column: Column) -> str:
        if column.state:
            return words.everywhere(_l("No answer because"), self.languages)
        if column.lang and len(self.languages) > 1:
            return f"{column.item.text('label', column.lang, tuple(self.languages))}\n({column.lang})"
        return self._label(column.item)

    def _table_row(self, asked: Table, columns: Sequence[Column], widths: Sequence[int], mark: RowMark) -> list[Any]:
        row = Cells()
        contents: list[Any] = [[paragraph(str(mark.number), style="Cell")]]
        if asked.fixed:
            label = words.in_all([asked.row_label(mark.key, one, tuple(self.languages)) for one in self.languages])
            contents.append([paragraph(label, style="Cell")])
        elif asked.inside:
            contents.append(self._parent(asked, mark, row))
        for column in columns:
            contents.append(self._cell(column, mark, row))
        drawn = self._draw(row, HiddenRow("", self.questions, mark.number), mark) if row.marks else {}
        made = []
        for width, content in zip(widths, contents, strict=True):
            inside = self.drawer.paragraphs(drawn[content], "Cell") if isinstance(content, int) else content
            made.append(cell(width, *inside))
        return made

    def _parent(self, asked: Table, mark: RowMark, row: Cells) -> Any:
        outer = self.numbers.get(asked.inside, [])
        if mark.kind == "spare":
            return row.add(asked.inside, PARENT, 0, "", [Control("text")])
        number = str(outer.index(mark.parent) + 1) if mark.parent in outer else ""
        return [paragraph(number, style="Cell")]

    def _cell(self, column: Column, mark: RowMark, row: Cells) -> Any:
        """Return the number of an answer in its row, or paragraphs where it cannot be changed."""
        item = column.item
        open_ = may_change(self.definition, item.code, self.reply.unlocked)
        if column.state:
            keys = [one._replace(row=mark.key) for one in answer_keys(item, self.languages)]
            return self._state(item, keys, row) if open_ else [paragraph(style="Cell")]
        key = AnswerKey(item.code, mark.key, column.lang)
        text = self._text(item, key)
        if not open_:
            return [paragraph(run(text), style="Cell")]
        given = self.reply.answers.get(key)
        controls = controls_of(item, text, self._labels(item), in_table=True)
        return row.add(key.code, key.lang, given.revision if given else 0, text, controls)


def _widths(columns: Sequence[Column], *, labelled: bool) -> tuple[tuple[int, int], list[int]]:
    """Return the page that a table stands on, and how wide its columns are."""
    first = [NARROW, LABEL] if labelled else [NARROW]
    page = PORTRAIT if (room(PORTRAIT) - sum(first)) // len(columns) >= LEAST else LANDSCAPE
    return page, [*first, *[(room(page) - sum(first)) // len(columns)] * len(columns)]
