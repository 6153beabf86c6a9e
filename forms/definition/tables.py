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
    from collections.abc import Iterable, Mapping, Sequence

    from forms.definition.model import Item
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow, SheetRows

OURS = frozenset({"survey", "choices", "settings"})
FILES = (".csv", ".xlsx", ".xml", ".geojson")
BUILT_IN = frozenset({"person", "institution"})  # one row each, made by whoever evaluates
MAX_NAME = 31  # letters of a sheet's name in Excel
MAX_COLUMNS = 200
_CALL = re.compile(r"""\b(pulldata|instance)\s*\(\s*(['"])(.*?)\2\s*(?:,\s*(['"])(.*?)\4\s*,\s*(['"])(.*?)\6)?""")
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
        return _l(
            "The table “%(name)s” is left out: it has more than %(limit)s columns.", name=name, limit=MAX_COLUMNS
        )
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


def lookups(sources: Iterable[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what expressions look up: (pulldata or instance, table, the columns named)."""
    return [
        (found[1], found[3], tuple(column for column in (found[5], found[7]) if column))
        for source in sources
        if "pulldata" in source or "instance" in source
        for found in _CALL.finditer(source)
    ]


class Lookups:
    """Judges what the questions look up in attached tables."""

    def __init__(
        self, tables: Mapping[str, Table], lists: Iterable[str], places: Mapping[str, RawRow], findings: Findings
    ) -> None:
        self.tables = tables
        self.instances = set(lists)
        self.places = places
        self.findings = findings
        self.used: set[str] = set()

    def judge(self, items: Iterable[Item]) -> None:
        """Warn of tables that are not attached; columns that an attached one does not have are mistakes."""
        for item in items:
            if item.settings.get("file"):
                self.used.add(table_name(str(item.settings["file"])))
            rules = {
                "relevant": item.relevant, "constraint": item.constraint, "calculation": item.calculation,
                "default": item.default, "choice_filter": item.choice_filter, "required": item.required,
            }  # fmt: skip
            for rule, source in rules.items():
                for function, name, columns in lookups([source]):
                    self._one(item, rule, function, table_name(name), columns)

    def _one(self, item: Item, rule: str, function: str, name: str, columns: Sequence[str]) -> None:
        self.used.add(name)
        row = self.places.get(item.code)
        table = self.tables.get(name)
        if table is None:
            if name not in BUILT_IN and not (function == "instance" and name in self.instances):
                self.findings.warn(
                    _l("The table “%(name)s” is not attached; looking it up gives nothing.", name=name[:60]),
                    row,
                    rule,
                    _l("Add it as a sheet of that name, or upload it together with the questionnaire."),
                )
            return
        for column in columns:
            if column not in table.columns:
                near = difflib.get_close_matches(column, table.columns, n=1)
                self.findings.error(
                    _l("The table “%(name)s” has no column “%(column)s”.", name=name, column=column[:60]),
                    row,
                    rule,
                    _l("Did you mean “%(nearest)s”?", nearest=near[0])
                    if near
                    else _l("Its columns are: %(known)s.", known=", ".join(table.columns[:12])),
                )

    def warn_unused(self) -> None:
        """Say which tables no question looks up; they are kept all the same."""
        for name in self.tables.keys() - self.used:
            self.findings.found.append(
                Mistake(_l("The table “%(name)s” is used by no question.", name=name), name, severity="warning")
            )
