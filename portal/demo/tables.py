"""Tables in the demo files: which of its rows a save writes, and what stands in them at that moment.

In `answers.json` a table is `{"rows": [{"key": ..., code of a column: its answer}, ...]}`; the keys stand in the file,
so that every seeding gives the same rows. A save may name the rows it writes (`"rows": {code: [keys]}`), so that two
persons fill one table on two days; `earlier` may give cells as they were saved first, by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class WrittenRow(NamedTuple):
    """One row as a save writes it; ``place`` is its number in the whole table, ``cells`` go by the column's code."""

    key: str
    place: int
    cells: Mapping[str, Any]


def is_table(value: object) -> bool:
    """Tell whether an answer of the files is a table."""
    return isinstance(value, dict) and "rows" in value


def written(reply: Mapping[str, Any], act: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a save writes by code: an answer of the files, or a list of ``WrittenRow`` for a table."""
    earlier, only = act.get("earlier", {}), act.get("rows", {})
    found: dict[str, Any] = {}
    for code in act["answers"]:
        value = reply["answers"][code]
        if is_table(value):
            found[code] = _rows(value["rows"], only.get(code), earlier.get(code, {"rows": ()})["rows"])
        else:
            found[code] = earlier.get(code, value)
    return found


def _rows(
    rows: Sequence[Mapping[str, Any]], only: Collection[str] | None, earlier: Sequence[Mapping[str, Any]]
) -> list[WrittenRow]:
    first = {one["key"]: one for one in earlier}
    return [
        WrittenRow(
            row["key"],
            place,
            {code: cell for code, cell in {**row, **first.get(row["key"], {})}.items() if code != "key"},
        )
        for place, row in enumerate(rows, start=1)
        if only is None or row["key"] in only
    ]
