"""An offline document that came back, as what an offline workbook is read into: sheets, rows, cells by their marks.

What was typed outside the fields is quoted, what was deleted or copied is told, and all that still carries its mark is
read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.offline.cells import normal, text_in
from portal.workbooks.offline.found import FoundBook, FoundCell, FoundRow, FoundSheet
from portal.workbooks.offline.marks import RowMark, digest, read_row_mark, read_sheet_mark
from portal.workbooks.opening import LIMIT_BYTES, shown
from portal.workbooks.refusals import refuse
from portal.workbooks.word.marks import COPY, HiddenReply, HiddenRow, keys_of, name_of, read_hidden
from portal.workbooks.word.opening import open_document
from portal.workbooks.word.scan import scan, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.table import Speakable
    from portal.workbooks.offline.marks import CellMark, Seal
    from portal.workbooks.opening import Source
    from portal.workbooks.word.marks import Hidden
    from portal.workbooks.word.scan import Found, Scanned

QUOTED = 2_000  # signs of a text outside the fields that are shown
# what Word itself writes into a field that was emptied, in the languages that were seen
WORDS_OWN = frozenset(
    short(one) for one in (
        "Click or tap here to enter text.", "Click here to enter text.", "Choose an item.",
        "Click or tap to enter a date.", "Click here to enter a date.",
        "Cliquez ou appuyez ici pour entrer du texte.", "Choisissez un élément.",
        "Cliquez ou appuyez ici pour entrer une date.",
    )
)  # fmt: skip


def read_document(source: Source, seal: Seal, *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> FoundBook:
    """Read a returned document.

    Raises:
        Invalid: it is no readable .docx, or not an offline document of this portal; the sentence says which.
    """
    filename = shown(source, filename)
    opened = open_document(source, filename=filename, limit_bytes=limit_bytes)
    hidden, scanned = read_hidden(opened.data), scan(opened.body)
    if hidden is None:
        raise _not_ours(filename, scanned)
    found = _Reader(hidden, scanned, seal, filename).read()
    if opened.comments:
        sentence = _l(
            "The document has comments, which are not taken over: %(texts)s", texts=_quoted(opened.comments)
        )
        found.problems.append(Problem(sentence))
    return found


def _quoted(texts: Sequence[str]) -> str:
    return "; ".join(f"“{text[:QUOTED]}”" for text in texts[:20]) + ("…" if len(texts) > 20 else "")


def _not_ours(filename: str, scanned: Scanned) -> Exception:
    if scanned.controls:
        sentence = _l(
            "The file %(file)s lost its hidden part, so nothing in it can be read: it was saved by a program that leaves such parts out.",  # noqa: E501 - a sentence stays in one piece
            file=filename,
        )
        mend = _l("Download the document again, copy the texts into it, and save it with Word or LibreOffice.")
        return refuse(sentence, mend=mend, code="marks_lost")
    sentence = _l("The file %(file)s is a Word document, but not one of questions from this portal.", file=filename)
    mend = _l(
        "Download the document on the page “What I owe” and copy the texts into it. A reply written in a document of your own can be handed in as it is: it counts as received, to be entered."  # noqa: E501 - a sentence stays in one piece
    )
    return refuse(sentence, mend=mend, code="own_document")


def _again() -> Speakable:
    sentence: Speakable = _l("Download the document again, and copy the texts into it.")
    return sentence


class _Reader:
    def __init__(self, hidden: Hidden, scanned: Scanned, seal: Seal, filename: str) -> None:
        self.hidden, self.scanned, self.seal = hidden, scanned, seal
        self.book = FoundBook(filename)
        self.by_name: dict[str, list[Found]] = {}
        for one in scanned.controls:
            self.by_name.setdefault(one.name, []).append(one)
        self.used: set[str] = set()
        self.tracked = False

    def read(self) -> FoundBook:
        """Return the replies that the document holds."""
        cover = read_sheet_mark(self.hidden.cover, self.seal)
        if cover is not None and cover[0].portal != self.seal.portal:
            sentence = _l(
                "The file %(file)s is a document of another portal, or from before this portal was set up anew.",
                file=self.book.filename,
            )
            raise refuse(sentence, mend=_l("Download the document from this portal."), code="other_portal")
        if cover is None or not cover[1]:
            raise self._marks_changed()
        self.book.cover, self.book.copy = cover[0], self._copy_name()
        for at, reply in enumerate(self.hidden.replies, start=1):
            self._reply(at, reply)
        if not any(sheet.rows for sheet in self.book.sheets):
            sentence = _l("The file %(file)s holds none of its fields any more.", file=self.book.filename)
            raise refuse(sentence, mend=_again(), code="no_fields")
        self._outside()
        return self.book

    def _marks_changed(self) -> Exception:
        sentence = _l(
            "The hidden marks of the file %(file)s were changed, so nothing in it can be read.", file=self.book.filename
        )
        return refuse(sentence, mend=_again(), code="marks_changed")

    def _copy_name(self) -> str:
        found = self.by_name.get(COPY, [])
        self.used.add(COPY)
        return text_in(self._text(found[0])).strip()[:80] if found else ""

    def _reply(self, at: int, reply: HiddenReply) -> None:
        read = read_sheet_mark(reply.mark, self.seal)
        if read is None or not read[1]:
            sentence = _l(
                "The hidden marks of the reply “%(title)s” were changed, so it was not read.", title=reply.title
            )
            self.book.problems.append(Problem(sentence, mend=_again()))
            return
        sheet = FoundSheet(reply.title, read[0], word=True)
        gone: dict[int, list[int]] = {}
        self.tracked = False
        for number, row in enumerate(reply.rows, start=1):
            try:
                mark = read_row_mark(row.mark, self.seal, sheet.mark)
            except KeyError:
                mark = None
            if mark is None:
                sentence = _l("The hidden mark of %(place)s was changed, so it was not read.", place=_place(row))
                sheet.problems.append(Problem(sentence, mend=_again()))
                continue
            cells = tuple(self._cells(sheet, (at, number), row, mark))
            if len(cells) < len(mark.cells) and mark.kind != "spare":
                gone.setdefault(row.question, []).append(row.line)
            if cells:
                sheet.rows.append(FoundRow(mark, number, cells))
        if self.tracked:
            sheet.remarks.append(Problem(_l("Tracked changes were read as if they were accepted.")))
        self._tell_gone(sheet, gone)
        self.book.sheets.append(sheet)

    def _tell_gone(self, sheet: FoundSheet, gone: dict[int, list[int]]) -> None:
        for question, lines in gone.items():
            places = ", ".join(_place(HiddenRow("", question, line)) for line in lines[:20])
            sentence = _l(
                "Fields are missing in the document at %(place)s; nothing was changed there.", place=places
            )
            sheet.remarks.append(Problem(sentence))

    # -- cells ----------------------------------------------------------------------------------------------------

    def _cells(self, sheet: FoundSheet, at: tuple[int, int], row: HiddenRow, mark: RowMark) -> Iterator[FoundCell]:
        for cell in mark.cells:
            found = list(self._controls(sheet, at, row, cell))
            if not self._whole(sheet, row, cell, [one for _key, one in found]):
                continue
            pictures = sum(one.pictures for _key, one in found)
            if pictures:
                sentence = _l(
                    "A picture stands in the answer at %(place)s; attach it as evidence on the page of the reply.",
                    place=_place(row),
                )
                sheet.remarks.append(Problem(sentence))
            if cell.column in row.choices:
                keys = tuple(key for key, one in found if _ticked(one))
                yield FoundCell(cell, _place(row), "; ".join(keys) or None, raw=keys)
            else:
                texts = [self._text(one, sheet, row) for _key, one in found]
                text = "; ".join(filter(None, texts)) if len(texts) > 1 else texts[0]
                yield FoundCell(cell, _place(row), _as_it_went(text, cell))

    def _whole(self, sheet: FoundSheet, row: HiddenRow, cell: CellMark, found: Sequence[Found]) -> bool:
        """Tell whether all fields of an answer are there; of one that lost some, nothing is guessed.

        A bookmark around nothing is a field deleted with its text: one that somebody emptied is still there.
        """
        here = [one for one in found if one.control or one.text.strip()]
        if here and len(here) < _asked_for(row, cell):
            sentence = _l(
                "Some of the boxes or lists at %(place)s are missing in the document, so this answer was not read; nothing was changed.",  # noqa: E501 - a sentence stays in one piece
                place=_place(row),
            )
            mend = _l("Choose it on the page of the reply, or download the document again.")
            sheet.problems.append(Problem(sentence, mend=mend))
        return len(here) == max(_asked_for(row, cell), 1)

    def _controls(
        self, sheet: FoundSheet, at: tuple[int, int], row: HiddenRow, cell: CellMark
    ) -> Iterator[tuple[str, Found]]:
        """Yield the controls of an answer with the choice of each; a copy with other content is told."""
        several = _asked_for(row, cell)
        for option in range(1, several + 1) if several else (0,):
            key = keys_of(row.choices, cell.column, option)
            name = name_of(self.seal, row.mark, (*at, cell.column, option), key).text
            self.used.add(name)
            first, *copies = self.by_name.get(name, []) or (None,)
            if first is None:
                continue
            self.tracked |= first.tracked
            for copy in copies:
                if normal(copy.text) != normal(first.text) or copy.ticked != first.ticked:
                    sentence = _l(
                        "A field of %(place)s was copied, with other content; only the first was read. In the copy stands: %(text)s",  # noqa: E501 - a sentence stays in one piece
                        place=_place(row), text=_quoted([copy.text]),
                    )  # fmt: skip
                    sheet.problems.append(Problem(sentence))
            yield key, first

    def _text(self, found: Found, sheet: FoundSheet | None = None, row: HiddenRow | None = None) -> str:
        """Return what somebody wrote into a control; "" where its hint stands."""
        text = found.text
        digest = short(text)
        if digest in self.hidden.hints or (found.hint and digest in WORDS_OWN):
            return ""
        if found.hint and found.styled and text.strip():
            if sheet is not None and row is not None:
                sentence = _l(
                    "The field at %(place)s says that it shows only its hint, so it was taken for empty: %(text)s",
                    place=_place(row), text=_quoted([text]),
                )  # fmt: skip
                sheet.remarks.append(Problem(sentence))
            return ""
        return text

    # -- what stands outside --------------------------------------------------------------------------------------

    def _outside(self) -> None:
        """Quote what was typed outside the fields, heading by heading, and fields that belong to other documents."""
        by_heading: dict[str, list[str]] = {}
        for one in self.scanned.outside:
            if short(one.text) not in self.hidden.own:
                by_heading.setdefault(one.heading, []).append(one.text)
        for found in self.scanned.controls:
            if found.name not in self.used and (text := self._text(found)):
                by_heading.setdefault(found.heading, []).append(text)
        mend = _l("Copy it into the field of its question, if it is an answer.")
        for heading, texts in by_heading.items():
            sentence = _l("This text stands outside the fields, so it was not read: %(text)s", text=_quoted(texts))
            if heading:
                sentence = _l(
                    "Under “%(heading)s” this text stands outside the fields, so it was not read: %(text)s",
                    heading=heading, text=_quoted(texts),
                )  # fmt: skip
            self.book.problems.append(Problem(sentence, mend=mend))
        if self.scanned.pictures:
            sentence = _l(
                "Pictures in the document are not taken over; attach them as evidence on the page of the reply."
            )
            self.book.problems.append(Problem(sentence))


def _as_it_went(text: str, cell: CellMark) -> str:
    """Undo what LibreOffice (seen in 7.4) does to a text that spells ``_x0041_``, where nobody changed it else."""
    plain = text.replace("_x005F_x", "_x")
    return plain if plain != text and digest(normal(plain)) == cell.digest else text


def _asked_for(row: HiddenRow, cell: CellMark) -> int:
    """Return how many boxes or lists an answer went out with; 0 for one field."""
    return len(row.choices.get(cell.column, ())) or row.places.get(cell.column, 0)


def _ticked(found: Found) -> bool:
    if found.ticked is not None and found.control:
        return found.ticked
    return any(sign in found.text for sign in "☒☑✓✔✗xX")


def _place(row: HiddenRow) -> str:
    if row.line:
        return str(_("question %(number)s, line %(line)s", number=row.question, line=row.line))
    return str(_("question %(number)s", number=row.question))
