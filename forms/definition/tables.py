"""Attached tables: sheets beside survey, choices and settings, which questions look up or take their choices from."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.headers import Headers
from forms.definition.lists import MAX_KEY
from forms.definition.model import Choice, Table
from forms.definition.report import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.report import Findings
    from forms.definition.rows import RawRow, SheetRows

OURS = frozenset({"survey", "choices", "settings"})
FILES = (".csv", ".xlsx", ".xml", ".geojson")
BUILT_IN = frozenset({"person", "institution"})  # one row each, made by whoever evaluates
MAX_NAME = 31  # letters of a sheet's name in Excel
MAX_COLUMNS = 200
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


def table_name(file: str) -> str:
    """Return the name under which a file's table is known: without folder and ending."""
    name = file.replace("\\", "/").rsplit("/", 1)[-1].strip()
    return next((name[: -len(ending)] for ending in FILES if name.lower().endswith(ending)), name)


def read_tables(sheets: SheetRows, findings: Findings) -> dict[str, Table]:
    """Return the sheets that are none of ours as tables, by the name they are written with."""
    tables: dict[str, Table] = {}
    for title, rows in sheets.items():
        if title in OURS or not rows:
            continue
        name = rows[0].sheet.strip()
        columns = tuple(dict.fromkeys(header for row in rows for header in (*row.columns, *row.cells)))
        if trouble := _unfit(name, columns):
            findings.warn(trouble, rows[0])
            continue
        near = difflib.get_close_matches(title, OURS, n=1, cutoff=0.8)
        if near and near[0] not in sheets:
            findings.warn(
                _l("The sheet “%(name)s” is read as an attached table.", name=name),
                rows[0],
                mend=_l("Did you mean “%(nearest)s”?", nearest=near[0]),
            )
        tables[name] = Table(columns, tuple({column: row.get(column) for column in columns} for row in rows))
    return tables


def _unfit(name: str, columns: Sequence[str]) -> object:
    if not name or len(name) > MAX_NAME or _FORBIDDEN.search(name) or name.startswith("'") or name.endswith("'"):
        return _l(
            "The table “%(name)s” is left out: its name must fit on a sheet of Excel, at most %(limit)s letters.",
            name=name[:60],
            limit=MAX_NAME,
        )
    if len(columns) > MAX_COLUMNS:
        return _l("The table “%(name)s” is left out: it has more than %(limit)s columns.", name=name, limit=MAX_COLUMNS)
    return None


def choices_from(table: Table, parameters: Mapping[str, str], default: str) -> list[Choice]:
    """Return the rows of a table as choices: name and label, or the columns that the parameters value and label name.

    Source: XLSForm, "Multiple choice from file".
    """
    headers = Headers(table_rows(table))
    key_column = parameters.get("value") or headers.header("name") or (table.columns[0] if table.columns else "")
    columns = headers.by_role.get("label", {})
    label_column = parameters.get("label", "")
    used = {key_column, label_column, *columns.values()}
    found: dict[str, Choice] = {}
    for row in table.rows:
        key = row.get(key_column, "")
        if not key or len(key) > MAX_KEY:
            continue
        texts = {language or default: row[header] for language, header in columns.items() if row.get(header)}
        if label_column and row.get(label_column):
            texts = dict.fromkeys([default], row[label_column])
        extra = {column: text for column, text in row.items() if text and column not in used}
        found.setdefault(key, Choice(key, texts or {default: key}, extra))
    return list(found.values())


def table_rows(table: Table) -> list[RawRow]:
    """Return a table as the rows it was read from, without their places."""
    from forms.definition.rows import RawRow

    columns = dict.fromkeys(table.columns, "")
    return [RawRow("", number, row, columns) for number, row in enumerate(table.rows, start=2)]


def warn_unused(tables: Mapping[str, Table], used: set[str], findings: Findings) -> None:
    """Say which tables no question looks up; they are kept all the same."""
    for name in tables.keys() - used:
        findings.found.append(
            Mistake(_l("The table “%(name)s” is used by no question.", name=name), name, severity="warning")
        )
