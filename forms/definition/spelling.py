"""A questionnaire version judged as a file of it would be: spelled as XLSForm rows, then checked like an upload."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from forms.definition.check import check
from forms.definition.rows import RawRow
from forms.definition.rules import KEPT
from forms.definition.writing import sheets

if TYPE_CHECKING:
    from forms.definition.model import Definition, Item
    from forms.definition.report import Mistake
    from forms.definition.rows import SheetRows

FIRST_ROW = 2  # below the headers


def judge(definition: Definition) -> tuple[Mistake, ...]:
    """Return all that the checker of files finds in a version.

    Instead of a cell, ``field`` names the item and ``column`` the header (a rule, a text) that it is about.
    """
    rows: SheetRows = {}
    places: dict[tuple[str, int], str] = {}
    for sheet in sheets(replace(definition, pages=tuple(_without_kept(page) for page in definition.pages))):
        rows[sheet.name] = [
            RawRow(sheet.name, number, dict(cells)) for number, cells in enumerate(sheet.rows, start=FIRST_ROW)
        ]
        places |= {(sheet.name, number): code for number, code in enumerate(sheet.codes, start=FIRST_ROW)}
    lists = {cells["type"].partition(" ")[2] or cells.get("matrix_rows", ""): cells["name"] for cells in
             (row.cells for row in rows["survey"]) if cells.get("name")}  # fmt: skip
    for row in rows["choices"]:
        places["choices", row.row] = lists.get(row.cells["list_name"], "")
    found = [
        replace(one, sheet=None, row=None, column=one.field, field=places.get((one.sheet or "", one.row or 0), ""))
        for one in check(rows, keep=False).problems
    ]
    order = {item.code: number for number, item in enumerate(definition.items())}
    return tuple(sorted(found, key=lambda one: order.get(one.field or "", -1)))


def _without_kept(item: Item) -> Item:
    """Return an item without the rules that only ride along: an author neither wrote nor can mend them here."""
    settings = {name: value for name, value in item.settings.items() if name != KEPT}
    if item.settings.get(KEPT) and item.type == "hidden":
        settings.pop("written_type", None)
    return replace(item, settings=settings, children=tuple(_without_kept(child) for child in item.children))
