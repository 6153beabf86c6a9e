"""What changed between two hand-ins of a reply, and between two saves of an answer, word by word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _

from forms.answers import AnswerKey
from forms.definition.word_diff import compare_words
from forms.question_types import question_type
from forms.tables import tables
from portal.blueprints.reading import state_words
from portal.reader import digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forms.definition.model import Definition, Item


def said(item: Item, value: Any, state: str, typed: str | None = None) -> str:
    """Read an answer aloud; a state in words, "" for nothing."""
    if typed is not None:
        return typed
    if state != "answered":
        return state_words(state)
    return question_type(item.type).text(value, item, g.view.language) if value is not None else ""


def between(before: Mapping[str, Any], after: Mapping[str, Any], definition: Definition) -> dict[str, Any]:
    """Return what differs in two snapshots: answers word by word, rows that came and went, evidence.

    ``definition`` is the version of the later one; what only the earlier version asked is named by its code.
    """
    was, now = _answers(before), _answers(after)
    order = {item.code: number for number, item in enumerate(definition.items())}
    changed = [
        key
        for key in sorted(was.keys() | now.keys(), key=lambda key: (order.get(key.code, len(order)), key.row, key.lang))
        if was.get(key) != now.get(key)
    ]
    rows = list(_rows(before, after, definition))
    moved = {key for row in rows for key in row["keys"]}
    return {
        "answers": [
            _answer(definition, key, was.get(key), now.get(key)) for key in changed if (key.row or "-") not in moved
        ],
        "rows": rows,
        "evidence": _evidence(before, after),
    }


def _answers(kept: Mapping[str, Any]) -> dict[AnswerKey, tuple[str, str]]:
    """Return what was said by key, as text that can be compared: files by their number only."""
    hidden = set(kept["hidden"])
    return {
        AnswerKey(one["code"], one["row"], one["lang"]): (json.dumps(one["value"], sort_keys=True), one["state"])
        for one in kept["answers"]
        if one["code"] not in hidden and (one["value"] is not None or one["state"] != "answered")
    }


def _answer(
    definition: Definition, key: AnswerKey, was: tuple[str, str] | None, now: tuple[str, str] | None
) -> dict[str, Any]:
    item = definition.compiled.by_code.get(key.code)
    language, languages = g.view.language, tuple(g.country.languages)
    before, after = (_words(item, one) for one in (was, now))
    return {
        "code": key.code,
        "label": item.text("label", language, languages) if item is not None else key.code,
        "row": _row_name(definition, key),
        "lang": key.lang,
        "pieces": compare_words(before, after),
        "kind": "added" if was is None else "removed" if now is None else "changed",
    }


def _words(item: Item | None, one: tuple[str, str] | None) -> str:
    if one is None:
        return ""
    value, state = json.loads(one[0]), one[1]
    if item is None:
        return str(value)
    if question_type(item.type).control == "file":
        return str(_("%(count)s files", count=digits(len(value or ()))))
    return said(item, value, state)


def _row_name(definition: Definition, key: AnswerKey) -> str:
    if not key.row:
        return ""
    for table in tables(definition).values():
        if any(column.code == key.code for column in table.columns):
            return table.row_label(key.row, g.view.language, tuple(g.country.languages)) or str(_("in a row"))
    return ""


def _rows(before: Mapping[str, Any], after: Mapping[str, Any], definition: Definition) -> Iterator[dict[str, Any]]:
    """Yield the rows that came or went, per table, with what stood or stands in them."""
    language, languages = g.view.language, tuple(g.country.languages)
    for code, table in tables(definition).items():
        old = [row["key"] for row in before.get("rows", {}).get(code, ())]
        new = [row["key"] for row in after.get("rows", {}).get(code, ())]
        for keys, kept, kind in (
            ([key for key in new if key not in old], after, "added"),
            ([key for key in old if key not in new], before, "removed"),
        ):
            if keys and not table.fixed:
                yield {
                    "label": table.item.text("label", language, languages),
                    "kind": kind,
                    "keys": keys,
                    "lines": [_line(definition, kept, key) for key in keys],
                }


def _line(definition: Definition, kept: Mapping[str, Any], row: str) -> str:
    cells = [
        said(definition.compiled.by_code[one["code"]], one["value"], one["state"])
        for one in kept["answers"]
        if one["row"] == row and one["code"] in definition.compiled.by_code
    ]
    return " · ".join(filter(None, cells)) or "–"


def _evidence(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    old, new = ({one["id"]: one for one in kept["evidence"]} for kept in (before, after))
    fates = [("added", new[one]) for one in new if one not in old]
    fates += [("removed", old[one]) for one in old if one not in new]
    return [{"kind": kind, "number": one["number"], "name": one["name"]} for kind, one in fates]
