"""A questionnaire file that is plain text: CSV or Markdown, one table cut at the names of its sheets."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.workbooks.opening import Sheet
from portal.workbooks.refusals import not_utf8, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.errors import Invalid

_RULE = re.compile(r"[|\s:\-]+")
_MOST = 1_000_000  # letters of one cell


def read_text(content: bytes, filename: str) -> list[Sheet]:
    """Return the sheets of a text file; whether it is Markdown or CSV is told by its first line.

    Raises:
        Invalid: it is not UTF-8, or no table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(filename) from error
    if text.lstrip().startswith("|"):
        return cut(_markdown(line) for line in text.splitlines())
    return cut(_csv(text, filename))


def read_table(content: bytes, filename: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file that is one table, each with the number of its line.

    Raises:
        Invalid: it is not UTF-8, or no table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(filename) from error
    return [(number, cells) for number, cells in enumerate(_csv(text, filename), start=1) if any(cells)]


def _csv(text: str, filename: str) -> list[list[str]]:
    """Read CSV with the comma, semicolon or tab that its first line uses, as Excel of the country writes it."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    before = csv.field_size_limit(_MOST)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise _no_table(filename) from error
    finally:
        csv.field_size_limit(before)


def _no_table(filename: str) -> Invalid:
    return refuse(
        _l("The file %(file)s is not a CSV table. Save the questionnaire as .xlsx.", file=filename),
        code="not_xlsform",
    )


def _markdown(line: str) -> list[str]:
    line = line.strip()
    if not line.startswith("|") or _RULE.fullmatch(line):
        return []
    cells = re.split(r"(?<!\\)\|", line[1:].removesuffix("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


def cut(lines: Iterable[list[str]]) -> list[Sheet]:
    """Cut a one-table file at the sheet names in its first column, as pyxform's .csv and .md do."""
    sheets: list[Sheet] = []
    for number, cells in enumerate(lines, start=1):
        if cells and cells[0].strip():
            sheets.append(Sheet(cells[0].strip()))
            cells = ["", *cells[1:]]  # noqa: PLW2901 - the same thing, put right
        if sheets and any(cell.strip() for cell in cells):
            sheets[-1].rows.append((number, list(cells)))
    return sheets
