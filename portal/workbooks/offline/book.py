"""The offline workbook as a whole: instructions, a sheet per reply, the hidden sheet of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from forms.question_types import question_type
from portal.table import Link, pick
from portal.workbooks.looks import LOOKS
from portal.workbooks.offline import words
from portal.workbooks.offline.marks import COVER, FRONT, LISTED, SheetMark
from portal.workbooks.offline.sheets import ReplySheet, protect, tall
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.model import Item
    from portal.table import Speakable
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.shape import OfflineBook

LABEL_WIDTH, TEXT_WIDTH = 30.0, 70.0
STEPS: Sequence[Speakable] = (
    _l("Each reply has a sheet of its own. Write into the white cells; everything else is locked, without a password."),
    _l("Save as an Excel workbook (.xlsx). Nothing is lost if you save, close and go on another day."),
    _l("Several departments may each fill in a copy: write the name of the department above, and send all copies back together."),  # noqa: E501 - a sentence stays in one piece
    _l("A table takes one line each. If its empty lines do not suffice, send the file back and add lines on the page of the reply."),  # noqa: E501 - a sentence stays in one piece
    _l("Do not delete, insert, sort or rename lines, columns and sheets. If it happens, the portal says what it could not read."),  # noqa: E501 - a sentence stays in one piece
    _l("An empty cell changes nothing. Where an answer stood and you empty its cell, the portal asks before it takes it away."),  # noqa: E501 - a sentence stays in one piece
    _l("Send the file back on the page “What I owe”. What is clear is taken over; what is in doubt is shown to you, and you decide."),  # noqa: E501 - a sentence stays in one piece
)  # fmt: skip


def write_offline(made: OfflineBook, seal: Seal) -> bytes:
    """Return the workbook."""
    book = ReportBook(
        language=made.languages[0], languages=made.languages, time_zone=made.time_zone,
        title=pick(made.round, made.languages[0], made.languages),
    )  # fmt: skip
    front = book.add(FRONT)
    # openpyxl copies the styles of the first sheet: the front is there before any cell is drawn
    titles = [ReplySheet(book, made, reply, seal).write() for reply in made.replies]
    _Front(book, front, made, seal).write(titles)
    return book.content()


class _Front:
    """The first sheet: for whom, what to do, which replies stand where, how each kind of question is answered."""

    def __init__(self, book: ReportBook, ws: Any, made: OfflineBook, seal: Seal) -> None:
        self.book, self.ws, self.made, self.seal = book, ws, made, seal
        self.languages = made.languages
        self.row = 1

    def write(self, titles: Sequence[str]) -> None:
        book, ws, made = self.book, self.ws, self.made
        mark = SheetMark(
            self.seal.portal, made.replies[0].round, made.replies[0].institution, "", 0, made.book, made.made, made.languages, kind=COVER,  # noqa: E501 - a sentence stays in one piece
        )  # fmt: skip
        ws.cell(1, 1).value = mark.text(self.seal)
        ws.column_dimensions["A"].hidden = True
        ws.column_dimensions["A"].width = 2
        ws.column_dimensions["B"].width = LABEL_WIDTH
        for at in range(max(2, len(self.languages))):
            ws.column_dimensions[get_column_letter(3 + at)].width = TEXT_WIDTH
        ws.row_dimensions[1].hidden = True
        self._line(self._all(made.round), style="title", height=32)
        self._line(self._all(made.institution), style="subtitle", height=26)
        self._copy_name()
        self._steps()
        self._replies(titles)
        self._types()
        book.printing(ws, title=FRONT)
        protect(ws)

    def _all(self, texts: Any) -> str:
        return "  ·  ".join(dict.fromkeys(texts[one] for one in self.languages if texts.get(one))) or pick(texts, "en")

    def _line(self, text: str, *, style: str, height: float) -> None:
        self.row += 1
        self.book.cell(self.ws, self.row, 2, text, style=style, wrap=False)
        self.ws.row_dimensions[self.row].height = height

    def _copy_name(self) -> None:
        self.row += 2
        label = words.everywhere(_l("This copy is filled in by (department)"), self.languages)
        self.book.cell(self.ws, self.row, 2, label, style="label")
        cell: Any = self.ws.cell(self.row, 3)
        cell._style = self.book.styles.array(LOOKS["input"], "@", khmer=True, prefix=False, wrap=True)  # noqa: SLF001 - one shared style array per look
        self.ws.cell(self.row, 1).value = "copy"
        self.ws.row_dimensions[self.row].height = max(24, tall(label, LABEL_WIDTH))

    def _steps(self) -> None:
        self.row += 1
        for number, step in enumerate(STEPS, start=1):
            self._spoken(
                str(number), [words.everywhere(step, [one]) for one in self.languages], label="plain", style="plain"
            )

    def _spoken(self, name: str, texts: Sequence[str], *, label: str, style: str) -> None:
        self.row += 1
        self.book.cell(self.ws, self.row, 2, name, style=label)
        height = max(20.0, tall(name, LABEL_WIDTH))
        for at, text in enumerate(texts, start=3):
            self.book.cell(self.ws, self.row, at, text, style=style)
            height = max(height, tall(text, TEXT_WIDTH))
        self.ws.row_dimensions[self.row].height = min(height, 409)

    def _replies(self, titles: Sequence[str]) -> None:
        self.row += 1
        self._spoken(
            words.everywhere(_l("Sheet"), self.languages),
            [words.everywhere(_l("What it is about"), self.languages), words.everywhere(_l("Due on"), self.languages)],
            label="header", style="header",
        )  # fmt: skip
        for title, reply in zip(titles, self.made.replies, strict=True):
            self.row += 1
            self.ws.cell(self.row, 1).value = LISTED + reply.submission
            name = title.replace("'", "''")
            self.book.cell(self.ws, self.row, 2, Link(f"#'{name}'!B2", title), style="label")
            text = words.in_all([reply.title.get(one, "") for one in self.languages]) or pick(reply.title, "en")
            self.book.cell(self.ws, self.row, 3, text)
            self.book.cell(self.ws, self.row, 4, reply.due.strftime("%d/%m/%Y"))
            self.ws.row_dimensions[self.row].height = min(max(22, tall(text, TEXT_WIDTH)), 409)

    def _types(self) -> None:
        """Write how each kind of question in this workbook is answered, in the words of the type itself."""
        examples: dict[str, Item] = {}
        for reply in self.made.replies:
            for item in reply.definition.questions():
                if question_type(item.type).asks and not item.calculation:
                    examples.setdefault(item.type, item)
        self.row += 1
        self._spoken(
            words.everywhere(_l("Kind of question"), self.languages),
            [words.everywhere(_l("How to answer"), [one]) for one in self.languages], label="header", style="header",
        )  # fmt: skip
        for item in examples.values():
            title = words.everywhere(question_type(item.type).title, self.languages)
            self._spoken(title, [words.type_rule(item, one) for one in self.languages], label="label", style="body")
