"""What a report of the State said per recommendation, as a workbook to fill in, or as CSV of the same columns."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.layout import Field, Row, read_sheet, with_english, write_instructions, write_sheet
from portal.workbooks.opening import LIMIT_BYTES, Sheet, read_sheets
from portal.workbooks.refusals import refuse, too_large
from portal.workbooks.uhri import day
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

SHEET = "Reported"
FIELDS = (
    Field("symbol", _l("Document"), _l("Symbol of the document that holds the recommendation."), 22, required=True,
          example="CCPR/C/XXX/CO/2"),
    Field("paragraph", _l("Paragraph"), _l("Number of the paragraph."), 11, required=True, example="17"),
    Field("sub_item", _l("Sub-item"), _l("Letter of the sub-item, without brackets; blank for none."), 9, example="a"),
    Field("source", _l("Report"), _l("Symbol or name of the report that said it."), 24, required=True,
          example="CCPR/C/XXX/3"),
    Field("report_paragraph", _l("Paragraph of the report"), _l("Where it stands in the report."), 14, example="112"),
    Field("reported_on", _l("Day of the report"), _l("As a date, or as 2021-03-31."), 14, kind="date",
          example="2021-03-31"),
    Field("texts", _l("What the report said"), _l("The words of the report, in each language there is."), 70,
          per_language=True, wrap=True),
)  # fmt: skip
STEPS = (
    _l("One row per recommendation and report. A row without words is passed over."),
    _l("Bring the file back to the portal: first you see what would change, and nothing is written before you agree."),
)


@dataclass(frozen=True)
class ReportedRow:
    """One row: which recommendation, which report, and its words."""

    sheet: str
    row: int
    symbol: str
    paragraph: str
    sub_item: str
    source: str
    report_paragraph: str
    reported_on: date | None
    texts: Mapping[str, str]


@dataclass
class ReportedRows:
    """What a file holds, and what could not be read."""

    rows: list[ReportedRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def write(recommendations: Iterable[Mapping[str, Any]], languages: Sequence[str]) -> bytes:
    """Return the workbook to fill in: a row per recommendation, with what is stored already."""
    speaking = with_english(languages)
    book = ReportBook(language=languages[0], languages=speaking, title=SHEET)
    write_instructions(book, languages, _l("What the last report said"), STEPS, [(SHEET, FIELDS)])
    write_sheet(book, SHEET, FIELDS, speaking, [dict(one) for one in recommendations], spare=50)
    book.workbook.active = 1
    return book.content()


def read(path: Path, languages: Sequence[str], *, filename: str, limit_bytes: int = LIMIT_BYTES) -> ReportedRows:
    """Read a filled workbook, or a CSV file (UTF-8) of the same columns.

    Raises:
        Invalid: damaged, too large, or without these columns.
    """
    speaking = with_english(languages)
    sheets = (
        [_csv(path, filename, limit_bytes)]
        if filename.lower().endswith(".csv")
        else read_sheets(path, filename=filename, limit_bytes=limit_bytes)
    )
    found, matched = ReportedRows(), False
    for sheet in sheets:
        result = read_sheet(sheet, FIELDS, speaking, least=4)
        if result is None or sheet.name == "Instructions":
            continue
        matched = True
        found.problems.extend(result[1])
        for row in result[0]:
            _take(row, found)
    if not matched:
        raise refuse(
            _l("The file has not the columns of this template. Download the template and fill that in."),
            code="wrong_template",
        )
    return found


def _csv(path: Path, filename: str, limit_bytes: int) -> Sheet:
    content = path.read_bytes()
    if len(content) > limit_bytes:
        raise too_large(filename, limit_bytes)
    try:
        text = content.decode("utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise refuse(
            _l("The CSV file cannot be read. Save it as “CSV UTF-8” in Excel, or send the workbook."), code="bad_csv"
        ) from None
    return Sheet(SHEET, [(at, list(line)) for at, line in enumerate(lines, start=1) if any(line)])


def _take(row: Row, found: ReportedRows) -> None:
    texts = {language: text for language, text in row.texts.get("texts", {}).items() if text.strip()}
    if not texts:
        return
    on = day(row.raw.get("reported_on", row.get("reported_on")))
    if on is None and row.get("reported_on"):
        sentence = _l("“%(value)s” is no day. Write it as 2021-03-31.", value=row.get("reported_on")[:40])
        found.problems.append(Problem(sentence, row.sheet, row.row, field="reported_on"))
        return
    found.rows.append(
        ReportedRow(
            row.sheet, row.row, row.get("symbol"), row.get("paragraph"), row.get("sub_item").strip("() "),
            row.get("source"), row.get("report_paragraph"), on, texts,
        )
    )  # fmt: skip
