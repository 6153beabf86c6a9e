"""What units answered, as plain view data: results side by side, and what taking over would change."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import g

from forms.answers import field_name
from forms.question_types import question_type
from forms.tables import table_of, tables
from portal.queries.collected import added_up, asked_keys, repeats
from portal.templating import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import AnswerKey, Given
    from forms.definition.model import Definition, Item
    from portal.queries.collected import UnitReply
    from portal.services.taking_over import Plan


def _label(item: Item) -> str:
    label = item.text("label", g.view.language, tuple(g.country.languages))
    while "${" in label:
        before, _sign, after = label.partition("${")
        label = f"{before}…{after.partition('}')[2]}"
    return label or item.code


def place_label(definition: Definition, key: AnswerKey) -> str:
    """Return how an answer is named: its question, in a fixed table with its row, for a text with its language."""
    item = definition.question(key.code)
    label = _label(item)
    table = table_of(definition, key.code)
    if table is not None and key.row:
        row = table.row_label(key.row, g.view.language, tuple(g.country.languages))
        label = f"{_label(table.item)}: {row}, {label}"
    return f"{label} ({key.lang})" if key.lang else label


def words(item: Item, given: Given | None) -> str:
    """Return an answer in words, "" for none."""
    if given is None:
        return ""
    return given.typed if given.typed is not None else question_type(item.type).text(given.value, item, g.view.language)


def results(
    definition: Definition,
    codes: Sequence[str],
    replies: Sequence[UnitReply],
    files: Mapping[int, Sequence[tuple[str, str]]],
) -> list[dict[str, Any]]:
    """Return, per question, what the units said: a sum, a count of choices, and the answers unit by unit."""
    languages = tuple(g.country.languages)
    found: list[dict[str, Any]] = []
    for key in asked_keys(definition, codes, languages):
        item = definition.question(key.code)
        kind = question_type(item.type)
        said = [(one, one.given(key)) for one in replies]
        lines = [(one.name, words(item, given)) for one, given in said if given is not None]
        shown: dict[str, Any] = {"kind": "list", "label": place_label(definition, key), "lines": lines, "sum": ""}
        if kind.joins == "sum" and (total := added_up(key, replies)) is not None:
            shown["sum"] = number(total[0])
        elif kind.has_choices:
            shown["counts"] = Counter(text for _name, text in lines).most_common()
        elif kind.control == "file":
            attached = [(one.name, files.get(one.line.delegation.id, ())) for one in replies]
            shown["files"] = [(name, theirs) for name, theirs in attached if theirs]
        if lines or shown.get("files"):
            found.append(shown)
    return found + [_joined(definition, code, replies) for code in repeats(definition, codes)]


def _joined(definition: Definition, code: str, replies: Sequence[UnitReply]) -> dict[str, Any]:
    """Return a table with the rows of all units below one another, the unit beside each, and sums below."""
    table = tables(definition)[code]
    rows, sums = [], dict.fromkeys((item.code for item in table.asked), "")
    totals: dict[str, Any] = {}
    for one in replies:
        for row in one.rows.get(code, ()):
            cells = []
            for item in table.asked:
                keys = question_type(item.type).keys(item, tuple(g.country.languages))
                said = (one.given(key._replace(row=row.key)) for key in keys)
                given = next((answer for answer in said if answer is not None), None)
                cells.append(words(item, given))
                if given is not None and question_type(item.type).joins == "sum":
                    totals[item.code] = totals.get(item.code, Decimal(0)) + Decimal(str(given.value))
            rows.append((one.name, cells))
    sums |= {name: number(total) for name, total in totals.items()}
    return {
        "kind": "table",
        "label": _label(table.item),
        "columns": [_label(item) for item in table.asked],
        "rows": rows,
        "sums": [sums[item.code] for item in table.asked] if totals else [],
    }


def unit_columns(definition: Definition, codes: Sequence[str], source: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return, per table, the text columns that could take the name of the unit, and the one that was chosen."""
    found = []
    for code in repeats(definition, codes):
        table = tables(definition)[code]
        texts = [(item.code, _label(item)) for item in table.asked if question_type(item.type).joins == "text"]
        if texts:
            chosen = source.get(f"unit-column:{code}", "")
            found.append({"code": code, "label": _label(table.item), "texts": texts, "chosen": chosen})
    return found


def plan_view(definition: Definition, plan: Plan) -> dict[str, Any]:
    """Return what taking over would change, line by line, old beside new."""
    puts = [
        {
            "name": put.name,
            "label": place_label(definition, put.key),
            "old": words(definition.question(put.key.code), put.old),
            "new": _parsed_words(definition.question(put.key.code), put.parsed),
            "trouble": str(put.parsed.message) if put.parsed.message is not None else "",
            "units": put.units,
            "base": put.base,
        }
        for put in plan.puts
    ]
    rows = [
        {
            "name": row.name,
            "table": _label(tables(definition)[row.place.repeat].item),
            "unit": row.unit,
            "new": row.new,
            "cells": [
                {
                    "name": field_name(key),
                    "label": _label(definition.question(key.code)),
                    "old": words(definition.question(key.code), row.old.get(key)),
                    "new": _parsed_words(definition.question(key.code), parsed),
                    "base": row.old[key].revision if key in row.old else 0,
                }
                for key, parsed in row.cells.items()
            ],
        }
        for row in plan.rows
    ]
    return {"puts": puts, "rows": rows, "empty": plan.empty}


def _parsed_words(item: Item, parsed: Any) -> str:
    if parsed.typed is not None:
        return str(parsed.typed)
    return question_type(item.type).text(parsed.value, item, g.view.language) if parsed.value is not None else ""
