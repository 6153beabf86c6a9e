"""A table of a questionnaire as a real table of Word: a field in each cell, empty lines to fill in.

A table with more columns than a page holds is written line by line instead, each a small table of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey
from forms.questionnaire import answer_keys
from forms.tables import made_key, may_change
from portal.workbooks.layout import language_name
from portal.workbooks.looks import SOFT
from portal.workbooks.offline import words
from portal.workbooks.offline.lines import columns_of
from portal.workbooks.offline.marks import PARENT, RowMark
from portal.workbooks.word.controls import MOST_BOXES, Cells, Control, controls_of
from portal.workbooks.word.elements import cell, paragraph, say, table
from portal.workbooks.word.looks import LANDSCAPE, PORTRAIT, room, section
from portal.workbooks.word.marks import HiddenRow
from portal.workbooks.word.words import WORD

if TYPE_CHECKING:

    from forms.tables import Table
    from portal.workbooks.offline.lines import Column
    from portal.workbooks.word.elements import Xml
    from portal.workbooks.word.reply import ReplyText

NARROW, LABEL = 760, 2000  # widths of the columns that name a line, in twentieths of a point
LEAST = 1150  # below this a column is too narrow to write in
SPARE_APART = 5  # empty lines of a table that is written line by line
WRITTEN_OUT = replace(WORD, name="word table", several=words.IN_A_CELL.several, ranked=words.IN_A_CELL.ranked)


class TableText:
    """Writes one table of a reply; ``begin`` is where its heading stands in the body."""

    def __init__(self, reply: ReplyText, asked: Table, begin: int) -> None:
        self.reply, self.asked, self.begin = reply, asked, begin
        self.languages = reply.languages
        self.columns = columns_of(asked, self.languages)
        self.labelled = bool(asked.fixed or asked.inside)

    def write(self) -> None:
        """Add the table to the reply."""
        self._hints()
        if not self.columns:
            return
        page = next((one for one in (PORTRAIT, LANDSCAPE) if self._width(one) >= LEAST), None)
        if page is None:
            self._apart()
            return
        first = [NARROW, LABEL] if self.labelled else [NARROW]
        widths = [*first, *[self._width(page)] * len(self.columns)]
        body = self.reply.body
        if page == LANDSCAPE:
            body.insert(self.begin, section(PORTRAIT))  # the heading stands on the page of the table
        heads = [[say(name, "Cellhead")] for name in self._names_of_line()]
        heads += [self._head(column) for column in self.columns]
        rows = [[cell(width, *head, fill=SOFT) for width, head in zip(widths, heads, strict=True)]]
        for mark in self._marks():
            contents = [*self._line(mark), *self._cells(mark)]
            rows.append([cell(width, *content) for width, content in zip(widths, contents, strict=True)])
        body.append(table(widths, rows))
        body.append(section(LANDSCAPE) if page == LANDSCAPE else paragraph(style="Cell"))

    def _width(self, page: tuple[int, int]) -> int:
        return (room(page) - NARROW - (LABEL if self.labelled else 0)) // len(self.columns)

    def _apart(self) -> None:
        """Write each line as a table of its own: a row for each column."""
        widths = [room(PORTRAIT) * 2 // 5, room(PORTRAIT) * 3 // 5]
        names = self._names_of_line()
        for mark in self._marks():
            heads = [[say(f"{names[0]} {mark.number}".replace("\n", " · "), "Cellhead")]]
            heads += [[say(name, "Cellhead")] for name in names[1:]]
            heads += [self._head(column) for column in self.columns]
            contents = [[paragraph(style="Cell")], *self._line(mark)[1:], *self._cells(mark)]
            rows = [
                [cell(widths[0], *head, fill=SOFT), cell(widths[1], *content)]
                for head, content in zip(heads, contents, strict=True)
            ]
            self.reply.body += [table(widths, rows), paragraph(style="Cell")]

    # -- words ----------------------------------------------------------------------------------------------------

    def _hints(self) -> None:
        item = self.asked.item
        hints = [
            " ".join(filter(None, (item.text(role, one, tuple(self.languages)) for role in ("hint", "guidance"))))
            for one in self.languages
        ]
        if not self.asked.fixed:
            hints.append(words.everywhere(_l("One line each; empty lines are left out."), self.languages))
        self.reply.say("Small", words.in_all(hints))

    def _names_of_line(self) -> list[str]:
        names = [words.everywhere(_l("Line"), self.languages)]
        if self.asked.fixed:
            names.append("")
        elif self.asked.inside:
            outer = self.reply.label(self.reply.definition.compiled.by_code[self.asked.inside]).replace("\n", " · ")
            names.append(words.everywhere(_l("Line of the table “%(table)s”", table=outer), self.languages))
        return names

    def _head(self, column: Column) -> list[Xml]:
        if column.state:
            return [say(words.everywhere(_l("No answer because"), self.languages), "Cellhead")]
        title = self.reply.label(column.item)
        if column.lang and len(self.languages) > 1:
            label = column.item.text("label", column.lang, tuple(self.languages))
            title = f"{label}\n{language_name(column.lang, column.lang)}"
        medium = WRITTEN_OUT if len(self.reply.labels(column.item).offered) > MOST_BOXES else WORD
        rules = words.in_all([words.short_form(column.item, language, medium) for language in self.languages])
        return [say(title, "Cellhead"), *([say(rules, "Cellrule")] if rules else [])]

    # -- lines ----------------------------------------------------------------------------------------------------

    def _marks(self) -> list[RowMark]:
        asked, reply = self.asked, self.reply
        standing = asked.rows(reply.reply.rows)
        marks = []
        for number, row in enumerate(standing, start=1):
            revision = 0 if asked.fixed else reply.reply.row_revisions.get((asked.code, row.key), 1)
            marks.append(
                RowMark("fixed" if asked.fixed else "row", asked.code, row.key, row.parent, number, revision)
            )
        if not asked.fixed and may_change(reply.definition, asked.code, reply.reply.unlocked):
            spare = reply.made.spare if self._width(LANDSCAPE) >= LEAST else SPARE_APART
            for at in range(max(0, min(spare, asked.most - len(standing)))):
                key = made_key(reply.made.book, reply.reply.submission, asked.code, str(at))
                marks.append(RowMark("spare", asked.code, key, "", len(marks) + 1))
        reply.numbers[asked.code] = [mark.key for mark in marks]
        return marks

    def _line(self, mark: RowMark) -> list[list[Xml]]:
        """Return the cells that name a line; where a new line stands is asked in :meth:`_cells`."""
        cells = [[say(str(mark.number), "Cell")]]
        if self.asked.fixed:
            label = [self.asked.row_label(mark.key, one, tuple(self.languages)) for one in self.languages]
            cells.append([say(words.in_all(label), "Cell")])
        elif self.asked.inside and mark.kind != "spare":
            outer = self.reply.numbers.get(self.asked.inside, [])
            number = str(outer.index(mark.parent) + 1) if mark.parent in outer else ""
            cells.append([say(number, "Cell")])
        return cells

    def _cells(self, mark: RowMark) -> list[list[Xml]]:
        row = Cells()
        contents: list[int | list[Xml]] = []
        if self.asked.inside and mark.kind == "spare":
            contents.append(row.add(self.asked.inside, PARENT, 0, "", [Control("text")]))
        contents += [self._cell(column, mark, row) for column in self.columns]
        drawn = self.reply.draw(row, HiddenRow("", self.reply.questions, mark.number), mark) if row.marks else {}
        return [
            list(self.reply.drawer.paragraphs(drawn[one], "Cell")) if isinstance(one, int) else one for one in contents
        ]

    def _cell(self, column: Column, mark: RowMark, row: Cells) -> int | list[Xml]:
        """Return the number of an answer in its row, or paragraphs where it cannot be changed."""
        item, reply = column.item, self.reply
        open_ = may_change(reply.definition, item.code, reply.reply.unlocked)
        if column.state:
            keys = [one._replace(row=mark.key) for one in answer_keys(item, self.languages)]
            return reply.state(item, keys, row) if open_ else [paragraph(style="Cell")]
        key = AnswerKey(item.code, mark.key, column.lang)
        text = reply.text(item, key)
        if not open_:
            return [say(text, "Cell")]
        given = reply.reply.answers.get(key)
        controls = controls_of(item, text, reply.labels_at(item, key), in_table=True)
        return row.add(key.code, key.lang, given.revision if given else 0, text, controls)
