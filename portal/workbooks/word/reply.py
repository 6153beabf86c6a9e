"""One reply in an offline document: its heading, what it is about, each question with its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, Given
from forms.evaluation import fill
from forms.question_types import question_type
from forms.questionnaire import answer_keys
from forms.tables import may_change
from portal.table import pick
from portal.workbooks.offline import words
from portal.workbooks.offline.cells import labels_in_row, labels_of
from portal.workbooks.offline.lines import lines_of
from portal.workbooks.offline.marks import STATE, RowMark, SheetMark
from portal.workbooks.word.controls import Cells, answer_text, controls_of, state_control
from portal.workbooks.word.elements import say
from portal.workbooks.word.marks import HiddenReply, HiddenRow, name_of
from portal.workbooks.word.tables import TableText
from portal.workbooks.word.words import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.model import Item
    from portal.workbooks.offline.cells import Labels
    from portal.workbooks.offline.lines import Line
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.shape import OfflineBook, OfflineReply
    from portal.workbooks.word.controls import Control, Drawer
    from portal.workbooks.word.elements import Xml

NO_ANSWER = Given()


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
        self.body: list[Xml] = []
        self.numbers: dict[str, list[str]] = {}
        self.questions = 0

    def write(self) -> list[Xml]:
        """Return the elements of the reply."""
        self._head()
        for line in lines_of(self.definition):
            getattr(self, f"_{line.kind}")(line)
        return self.body

    # -- what stands above the questions --------------------------------------------------------------------------

    def _head(self) -> None:
        titles = words.in_all([self.reply.title.get(one, "") for one in self.languages]) or pick(self.reply.title, "en")
        self.say("Heading1", "\n".join(filter(None, [self.reply.cite, titles])))
        for language in self.languages:
            for text in self.reply.texts:
                if text.get(language):
                    self.say("Normal", text[language])
        due = words.everywhere(_l("Due on"), self.languages).replace("\n", " · ")
        self.say("Small", f"{due}: {self.reply.due:%d/%m/%Y}")

    def say(self, style: str, text: str) -> None:
        """Add a paragraph, if there is anything to say."""
        if text:
            self.body.append(say(text, style))

    def label(self, item: Item) -> str:
        """Return the label of an item in all languages, one line each."""
        texts = {language: item.text("label", language, tuple(self.languages)) for language in self.languages}
        if any("${" in text for text in texts.values()):
            values = self.reply.values
            texts = {language: fill(text, self.definition, values, language) for language, text in texts.items()}
        return words.label(item, self.languages, texts)

    def _page(self, line: Line) -> None:
        self.say("Part", self.label(line.item).replace("\n", "  ·  "))

    _group = _page

    def _note(self, line: Line) -> None:
        self.say("Small", self.label(line.item))

    def _heading(self, item: Item) -> None:
        self.questions += 1
        self.say("Heading2", f"{self.questions}. {self.label(item)}")

    # -- questions ------------------------------------------------------------------------------------------------

    def _computed(self, line: Line) -> None:
        self._heading(line.item)
        self.say("Small", words.everywhere(_l("Computed by the portal."), self.languages))
        value = self.reply.calculated.get(AnswerKey(line.item.code))
        self.say("Normal", question_type(line.item.type).text(value, line.item, self.languages[0]))

    def _question(self, line: Line) -> None:
        item = line.item
        self._heading(item)
        open_ = may_change(self.definition, item.code, self.reply.unlocked)
        closed = _l("Handed in; not among what was returned, so it cannot be changed.")
        self.say(
            "Small",
            words.how_to(self.definition, item, self.languages, WORD)
            if open_ else words.everywhere(closed, self.languages),
        )  # fmt: skip
        keys = () if question_type(item.type).control == "file" else answer_keys(item, self.languages)
        row = Cells()
        waiting: list[tuple[str, int]] = []
        for key in keys:
            name = words.own_name(key.lang) if key.lang and len(self.languages) > 1 else ""
            text = self.text(item, key)
            if open_:
                given = self.reply.answers.get(key)
                controls = controls_of(item, text, self.labels(item), in_table=False)
                waiting.append((name, row.add(key.code, key.lang, given.revision if given else 0, text, controls)))
            else:
                self.say("Language", name)
                self.say("Normal", text)
        if open_ and keys and words.states_of(item):
            name = words.everywhere(_l("No answer because"), self.languages).replace("\n", " · ")
            waiting.append((name, self.state(item, keys, row)))
        if waiting:
            drawn = self.draw(row, HiddenRow("", self.questions), RowMark("question"))
            for name, number in waiting:
                self.say("Language", name)
                boxes = row.controls[number][0].kind == "box"
                self.body += self.drawer.paragraphs(drawn[number], "Choice" if boxes else "Answer")

    def labels(self, item: Item) -> Labels:
        """Return the choices of a question as they are shown."""
        return labels_of(self.definition, item, self.languages)

    def labels_at(self, item: Item, key: AnswerKey) -> Labels:
        """Return the choices of a question in the words of the row in which an answer stands."""
        if not key.row:
            return self.labels(item)
        return labels_in_row(self.definition, item, self.languages, self.reply.seen(key))

    def text(self, item: Item, key: AnswerKey) -> str:
        """Return what stands in the field of an answer."""
        return answer_text(item, self.reply.answers.get(key), self.labels_at(item, key))

    def state(self, item: Item, keys: Sequence[AnswerKey], row: Cells) -> int:
        """Add the reason why there is no answer to a row."""
        stored = next(
            (one for one in (self.reply.answers.get(each) for each in keys) if one and one.state != "answered"),
            NO_ANSWER,
        )
        names = words.state_labels(self.languages)
        text = names.get(stored.state, "")
        offered = {names[state]: state for state in words.states_of(item)}
        return row.add(item.code, STATE, 0, text, [state_control(text, offered)])

    def draw(self, row: Cells, hidden: HiddenRow, mark: RowMark) -> dict[int, list[tuple[str, Control]]]:
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

    def _table(self, line: Line) -> None:
        if line.table is not None:
            begin = len(self.body)
            self._heading(line.table.item)
            TableText(self, line.table, begin).write()
