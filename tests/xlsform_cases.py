"""The golden cases of XLSForm: read from tests/vectors/xlsform.md, and what is told and held, line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.definition.model import Definition, Item
    from forms.definition.report import Report

VECTORS = Path(__file__).parent / "vectors/xlsform.md"
_RULES = ("required", "relevant", "constraint", "calculation", "default", "choice_filter")


def cases() -> dict[str, tuple[str, list[str], list[str]]]:
    """Return by title: the form, the lines of the report, the lines of the questionnaire."""
    found = {}
    for part in re.split(r"(?m)^## ", VECTORS.read_text(encoding="utf-8"))[1:]:
        title, *lines = part.splitlines()
        found[title] = (
            "\n".join(line for line in lines if line.startswith("|")) + "\n",
            [line[2:] for line in lines if line.startswith("> ")],
            [line[4:] for line in lines if line.startswith("    ")],
        )
    return found


def told(report: Report) -> list[str]:
    """Return what a report says, one line each."""
    return [
        f"{one.severity} {one.sheet or ''} {one.column or ''}{one.row or ''}: {one.message} {one.mend or ''}".strip()
        for one in report.problems
    ]


def outline(of: Definition | None) -> list[str]:
    """Return what a questionnaire holds, one line per item, indented."""
    if of is None:
        return []
    lines = [
        f"{of.code} {_plain(of.titles)} {'/'.join(of.languages)} default={of.default_language} {_plain(of.settings)}"
    ]
    for page in of.pages:
        lines.extend(_item(page, 1))
    lines.extend(f"table {name}: {', '.join(table.columns)} ({len(table.rows)})" for name, table in of.tables.items())
    return [line.rstrip() for line in lines]


def _item(item: Item, depth: int) -> Iterator[str]:
    rules = " ".join(f"{rule}=[{getattr(item, rule)}]" for rule in _RULES if getattr(item, rule))
    texts = {role: said for role, said in item.texts.items() if role != "label"}
    keys = ",".join(f"{one.key}{_plain(one.extra) if one.extra else ''}" for one in item.choices)
    parts = (
        item.type or item.kind, item.code, _plain(item.texts.get("label") or {}), rules, f"({keys})" if keys else "",
        _plain(texts), _plain(item.settings),
    )  # fmt: skip
    yield "  " * depth + " ".join(part for part in parts if part and part != "{}")
    for child in item.children:
        yield from _item(child, depth + 1)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
