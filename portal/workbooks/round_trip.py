"""Sheets that go out and come back: locked columns, and a hidden mark of what each row was made from.

A changed cell is written only over what its writer saw, so two who work at once never lose a text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter

from portal.table import Problem, digest
from portal.workbooks.layout import columns, read_sheet
from portal.workbooks.opening import read_sheets
from portal.workbooks.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from portal.table import Speakable
    from portal.workbooks.layout import Field, Row
    from portal.workbooks.opening import Source
    from portal.workbooks.writer import ReportBook

HIDDEN = ("id", "seen")  # by what a row is found again, and what it was made from
_NOTHING = digest("")


def mark(seen: Mapping[str, str]) -> str:
    """Return the hidden cell of a row: the digest of each text that went out, by ``part@language``."""
    return json.dumps(seen, separators=(",", ":"), sort_keys=True)


def changed_since(seen: Mapping[str, str], part: str, language: str, text: str) -> bool:
    """Tell whether a text is another one than went out."""
    return seen.get(f"{part}@{language}", _NOTHING) != digest(text)


def lock(
    book: ReportBook,
    ws: Worksheet,
    fields: Sequence[Field],
    languages: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    locked: Sequence[str],
    panes: str,
) -> None:
    """Protect a sheet: ``locked`` columns are grey and closed, the hidden ones hidden; filter and sort stay allowed."""
    for at, (one, language) in enumerate(columns(fields, languages), start=1):
        ws.column_dimensions[get_column_letter(at)].hidden = one.key in HIDDEN
        if one.key not in locked:
            continue
        for number, row in enumerate(rows, start=2):
            value = (row.get(one.key) or {}).get(language, "") if one.per_language else row.get(one.key)
            book.cell(ws, number, at, str(value or ""), "text", "fixed", wrap=one.wrap)
    ws.freeze_panes = panes
    ws.protection.sheet = True
    ws.protection.formatColumns = ws.protection.formatRows = ws.protection.autoFilter = ws.protection.sort = False


def rows_back(
    source: Source,
    fields: Sequence[Field],
    languages: Sequence[str],
    problems: list[Problem],
    *,
    filename: str,
    limit_bytes: int,
    other: Speakable,
) -> Iterator[tuple[Row, dict[str, str]]]:
    """Yield the rows that came back, each with its mark; ``problems`` takes what cannot be read.

    Raises:
        Invalid: no sheet is ours; ``other`` is the sentence that says which workbook is wanted.
    """
    matched = False
    for sheet in read_sheets(source, filename=filename, limit_bytes=limit_bytes):
        result = None if sheet.name == "Instructions" else read_sheet(sheet, fields, languages, least=4)
        if result is None:
            continue
        matched = True
        problems.extend(result[1])
        for row in result[0]:
            seen = _marked(row)
            if seen is None or not row.get("id"):
                message = _l("The hidden identifiers of this row are damaged. Download the workbook again.")
                problems.append(Problem(message, row.sheet, row.row))
            else:
                yield row, seen
    if not matched:
        raise refuse(other, code="wrong_template")


def _marked(row: Row) -> dict[str, str] | None:
    try:
        seen = json.loads(row.get("seen"))
    except (ValueError, RecursionError):
        return None
    return {str(place): str(one) for place, one in seen.items()} if isinstance(seen, dict) else None
