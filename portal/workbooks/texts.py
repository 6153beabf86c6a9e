"""Recommendation texts and summaries, out to translators and back, as one workbook.

A hidden column keeps what each row was made from: a changed text is written only over the text its translator saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import digest
from portal.workbooks.cell_text import MOST, units
from portal.workbooks.layout import (
    Field,
    code_of,
    entry,
    with_english,
    write_instructions,
    write_sheet,
)
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.round_trip import HIDDEN, changed_since, lock, mark, rows_back
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.table import Problem
    from portal.workbooks.opening import Source

SHEET = "Texts"
LOCKED = ("id", "seen", "symbol", "paragraph", "sub_item")
STATUS = {"none": _l("no text"), "working": _l("working translation"), "official": _l("official text")}
PARTS = ("heading", "texts", "summary")

FIELDS = (
    Field(
        "id",
        _l("Identifier"),
        _l("Leave as it is: the row is found again by it."),
        12,
        required=True,
        aliases=("public_id",),
    ),
    Field(
        "seen",
        _l("Check mark"),
        _l("Leave as it is: it tells whether somebody else changed the text meanwhile."),
        12,
        required=True,
    ),
    Field("symbol", _l("Document"), _l("Leave as it is."), 20),
    Field("paragraph", _l("Paragraph"), _l("Leave as it is."), 11),
    Field("sub_item", _l("Sub-item"), _l("Leave as it is."), 9),
    Field("heading", _l("Heading"), _l("The heading in each language."), 26, per_language=True, wrap=True),
    Field(
        "texts",
        _l("Text"),
        _l("The whole text of the recommendation in each language."),
        60,
        per_language=True,
        wrap=True,
    ),
    Field(
        "summary",
        _l("What you are asked"),
        _l("Two plain sentences: what the institution is asked to report."),
        44,
        per_language=True,
        wrap=True,
    ),
    Field(
        "text_status",
        _l("Official or working"),
        _l("Standing of the national text."),
        22,
        choices="status",
        strict=False,
    ),
    Field("checked_by", _l("Checked by"), _l("Who compared the translation with the original."), 24, wrap=True),
)
STEPS = (
    _l("Change the white cells of the sheet Texts; leave the grey ones."),
    _l("A blank cell leaves what is stored. Rows may be deleted or sorted."),
    _l("If somebody else changed a text meanwhile, yours is shown beside it in the portal and neither is lost."),
)


@dataclass(frozen=True)
class TextsRow:
    """One row: the changed cells by (part, language), '' = not a language text; ``seen`` = hash of each old text."""

    sheet: str
    row: int
    id: str
    changed: Mapping[tuple[str, str], str]
    seen: Mapping[str, str] = field(default_factory=dict)

    def stale(self, part: str, language: str, stored: str) -> bool:
        """Tell whether the stored text is another one than the translator had before them."""
        return changed_since(self.seen, part, language, stored)


@dataclass(frozen=True)
class TextsRows:
    """The changed rows, the number of unchanged ones, and what could not be read."""

    rows: list[TextsRow]
    unchanged: int
    problems: list[Problem]


def write(recommendations: Iterable[Mapping[str, Any]], languages: Sequence[str]) -> bytes:
    """Return the workbook; rows have id, symbol, paragraph, sub_item, heading, texts, summary, text_status, checked_by.

    A text longer than a cell is left out of the workbook and cannot be changed by it.
    """
    speaking = with_english(languages)
    book = ReportBook(language=languages[0], languages=speaking, title=SHEET)
    status = {code: entry(code, str(label)) for code, label in STATUS.items()}
    book.choices("status", status.values())
    rows = []
    for one in recommendations:
        row = dict(one)
        for part in PARTS:
            row[part] = {key: text for key, text in (row.get(part) or {}).items() if units(text) <= MOST}
        row["text_status"] = status.get(row.get("text_status") or "none", "")
        seen = {f"{part}@{key}": digest(text) for part in PARTS for key, text in row[part].items() if text}
        seen["text_status@"] = digest(code_of(row["text_status"]))
        seen["checked_by@"] = digest(row.get("checked_by") or "")
        row["seen"] = mark(seen)
        rows.append(row)
    shown = [one for one in FIELDS if one.key not in HIDDEN]
    write_instructions(book, languages, _l("Texts and summaries of recommendations"), STEPS, [(SHEET, shown)])
    ws = write_sheet(book, SHEET, FIELDS, speaking, rows, spare=0)
    lock(book, ws, FIELDS, speaking, rows, locked=LOCKED, panes="F2")
    book.workbook.active = 1
    return book.content()


def read(source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> TextsRows:
    """Read the workbook back: per row the cells that differ from what it was made from.

    Raises:
        Invalid: not our workbook of texts.
    """
    found = TextsRows([], 0, [])
    unchanged = 0
    other = _l(
        "The file is not a workbook of recommendation texts. Download the workbook again and change that one."
    )
    for row, seen in rows_back(
        source, FIELDS, with_english(languages), found.problems, filename=filename, limit_bytes=limit_bytes, other=other
    ):
        given = {(part, key): text for part, texts in row.texts.items() for key, text in texts.items()}
        given |= {("text_status", ""): row.code("text_status"), ("checked_by", ""): row.get("checked_by")}
        changed = {place: text for place, text in given.items() if text and changed_since(seen, *place, text)}
        if changed:
            found.rows.append(TextsRow(row.sheet, row.row, row.get("id"), changed, seen))
        else:
            unchanged += 1
    return TextsRows(found.rows, unchanged, found.problems)
