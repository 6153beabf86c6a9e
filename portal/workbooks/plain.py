"""Plain text files of tables: CSV that old Excel reads, and that can carry no formula."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

from portal.table import Cell, Figure, Link, Table, pick
from portal.workbooks.cell_text import clean
from portal.workbooks.saving import write_file

if TYPE_CHECKING:
    from decimal import Decimal

_TRIGGER = re.compile(r"\s*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")


def write_csv(table: Table, target: str | Path | IO[bytes], *, language: str = "en", time_zone: str = "UTC") -> None:
    """Write a table as CSV: UTF-8 with byte-order mark, ISO dates, text that looks like a formula made harmless.

    A leading apostrophe marks such text, because CSV has no types (OWASP, CSV injection); numbers are left alone.
    """
    zone = ZoneInfo(time_zone)

    def fill(stream: IO[bytes]) -> None:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        out = csv.writer(text, lineterminator="\r\n")
        out.writerow([_plain_text(pick(column.title, language)) for column in table.columns])
        for row in table.rows:
            out.writerow([_csv_cell(value, zone) for value in row])
        text.flush()
        text.detach()

    if isinstance(target, (str, Path)):
        write_file(Path(target), fill)
    else:
        fill(target)


def _plain_text(text: str) -> str:
    text = clean(text)[0]
    return "'" + text if _TRIGGER.match(text) else text


def _csv_cell(value: Cell, zone: ZoneInfo) -> str | int | float | Decimal:  # noqa: PLR0911 - one line per kind of value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        local = value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
        return (local - timedelta(microseconds=local.microsecond)).isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Figure):
        return value.value
    if isinstance(value, Link):
        return _plain_text(value.url if value.url.startswith(("http://", "https://")) else value.text)
    return _plain_text(value) if isinstance(value, str) else value
