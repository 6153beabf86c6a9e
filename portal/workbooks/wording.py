"""The words of the interface and the mails, out to native readers and back, as one workbook.

A hidden column keeps what each row was made from: a changed cell is written only over what its reader saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import digest
from portal.workbooks.layout import Field, write_instructions, write_sheet
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.round_trip import HIDDEN, changed_since, lock, mark, rows_back
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from portal.table import Problem
    from portal.workbooks.opening import Source

SHEET = "Wording"
LOCKED = ("id", "seen", "used", "files", "english", "form", "keep", "shipped")
PARTS = ("text", "checked_by", "checked_on", "note")

FIELDS = (
    Field("id", _l("Identifier"), _l("Leave as it is: the row is found again by it."), 12, required=True),
    Field(
        "seen", _l("Check mark"), _l("Leave as it is: it tells whether somebody else changed the text meanwhile."), 12,
        required=True,
    ),
    Field("used", _l("Where it is used"), _l("Kind of place and catalogue. Leave as it is."), 24, wrap=True),
    Field("english", _l("English words"), _l("The original. Leave as it is: it names the message."), 46, wrap=True),
    Field(
        "form", _l("Plural form"), _l("The numbers for which these words are said; blank where nothing is counted."), 13
    ),
    Field(
        "text", _l("Words"), _l("What people read. Correct it here; a blank cell leaves what is stored."), 54,
        per_language=True, wrap=True,
    ),
    Field(
        "keep", _l("Keep these"), _l("The portal fills in names and numbers here: they must stand in the words."), 20,
        wrap=True, example="%(name)s",
    ),
    Field(
        "checked_by", _l("Checked by a native reader"),
        _l("Who read these words, whose language it is. Change the words, and the old check no longer counts. A dash takes it back."),  # noqa: E501 - a sentence stays in one piece
        26, per_language=True, wrap=True,
    ),
    Field(
        "checked_on", _l("Checked on"), _l("Year-month-day, or an Excel date. Left blank beside a new name: today."),
        15, per_language=True, kind="date", example="2026-03-27",
    ),
    Field(
        "note", _l("Note"), _l("For colleagues; nobody else reads it. A dash removes it."), 30, per_language=True,
        wrap=True,
    ),
    Field(
        "shipped", _l("Shipped words"),
        _l("Shown where other words are set. Copy them back to the column of words to let them hold again."), 40,
        per_language=True, wrap=True,
    ),
    Field("files", _l("Files"), _l("Files of the program that use it. Leave as it is."), 34, wrap=True),
)  # fmt: skip
STEPS = (
    _l("Change the white cells of the sheet Wording; leave the grey ones. Filter the column of checks for blanks to see what nobody has read yet."),  # noqa: E501 - a sentence stays in one piece
    _l("A blank cell leaves what is stored. Rows may be deleted, filtered or sorted."),
    _l("What stands like %(name)s is filled in by the portal: keep it, letter by letter, wherever it fits in the sentence."),  # noqa: E501 - a sentence stays in one piece
    _l("Bring the file back on the page Wording. You first see what would change, row by row; nothing is written before you confirm."),  # noqa: E501 - a sentence stays in one piece
    _l("If somebody else changed a text meanwhile, yours is shown beside it in the portal and neither is lost."),
)  # fmt: skip


@dataclass(frozen=True)
class WordingRow:
    """One row: its changed cells by (part, language); ``seen`` is the hash of each cell as it went out."""

    sheet: str
    row: int
    id: str
    english: str
    changed: Mapping[tuple[str, str], str]
    seen: Mapping[str, str] = field(default_factory=dict)

    def stale(self, part: str, language: str, stored: str) -> bool:
        """Tell whether another text is stored than the reader had before them."""
        return changed_since(self.seen, part, language, stored)


@dataclass(frozen=True)
class WordingRows:
    """The changed rows, the number of unchanged ones, and what could not be read."""

    rows: list[WordingRow]
    unchanged: int
    problems: list[Problem]


def write(messages: Iterable[Mapping[str, Any]], languages: Sequence[str], reader: str = "") -> bytes:
    """Return the workbook; ``languages`` are those whose words are set, ``reader`` is that of titles and instructions.

    Rows have id, used, files, english, form, keep, and by language text, checked_by, checked_on (dates), note, shipped.
    """
    speaking = tuple(dict.fromkeys([reader or languages[0], "en"]))
    book = ReportBook(language=speaking[0], languages=speaking, title=SHEET)
    rows = [dict(one) for one in messages]
    for one in rows:
        seen = {
            f"{part}@{language}": digest(as_text(one[part].get(language)))
            for part in PARTS for language in languages if as_text(one[part].get(language))
        }  # fmt: skip
        one["seen"] = mark(seen)
    shown = [one for one in FIELDS if one.key not in HIDDEN]
    write_instructions(book, speaking, _l("Wording of the portal and its mails"), STEPS, [(SHEET, shown)])
    ws = write_sheet(book, SHEET, FIELDS, languages, rows, spare=0)
    lock(book, ws, FIELDS, languages, rows, locked=LOCKED, panes="E2")
    return book.content()


def as_text(value: str | date | None) -> str:
    """Return a cell as it is read back: a day in ISO."""
    return value if isinstance(value, str) else value.isoformat() if value else ""


def read(
    source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES
) -> WordingRows:
    """Read the workbook back: per row the cells that differ from what it was made from.

    Raises:
        Invalid: not our workbook of wording.
    """
    found = WordingRows([], 0, [])
    unchanged = 0
    other = _l("The file is not a workbook of wording. Download the workbook again and change that one.")
    for row, seen in rows_back(
        source, FIELDS, languages, found.problems, filename=filename, limit_bytes=limit_bytes, other=other
    ):
        changed = {
            (part, language): text
            for part in PARTS for language, text in row.texts.get(part, {}).items()
            if text and changed_since(seen, part, language, text)
        }  # fmt: skip
        if changed:
            found.rows.append(WordingRow(row.sheet, row.row, row.get("id"), row.get("english"), changed, seen))
        else:
            unchanged += 1
    return WordingRows(found.rows, unchanged, found.problems)
