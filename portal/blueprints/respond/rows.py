"""Rows of tables between HTTP and the gate: read from a post, told to a script, shown again after a conflict.

Fields: ``row:REPEAT[KEY]`` = position, ``row-base:`` = revision seen, ``row-parent:``, ``row-removed:`` = 1. A page
without script posts a button ``row-act`` = add:REPEAT[PARENT] | remove: | up: | down: | restore: | leave:REPEAT[KEY].
What was written in a row that a colleague removed meanwhile stands in its box as ``mine:CELL`` until its writer puts
the row back or leaves it removed; a post that does neither brings the box again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import g, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from forms.answers import AnswerKey, field_name, parse_field_name
from forms.question_types import question_type
from forms.tables import table_of, tables
from portal.blueprints.tables import computed_text, new_row_key, totals
from portal.incoming import asked
from portal.queries.submissions import RowKey
from portal.reader import datetime_text
from portal.services.answer_rows import RowChange
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.answers import Parsed
    from forms.definition.model import Definition
    from portal.queries.submissions import StoredAnswer, StoredReply
    from portal.services.answer_rows import StaleRow
    from portal.services.submissions import Change, Saved

_NAME = re.compile(r"(?P<repeat>[^\[\]:]{1,80})\[(?P<key>[A-Za-z0-9]{0,16})\]\Z")
_ACTS = frozenset({"add", "remove", "up", "down", "restore", "leave"})
MINE = "mine:"  # before the name of a cell: what a conflict keeps for the row that is put back


def row_act() -> tuple[str, RowKey] | None:
    """Return which button of a table was pressed, and for which row (or place)."""
    pressed = asked().form.get("row-act")
    if not pressed:
        return None
    act, _colon, name = pressed.partition(":")
    found = _NAME.match(name)
    return (act, RowKey(found["repeat"], found["key"])) if found and act in _ACTS else None


def posted() -> MultiDict[str, str]:
    """Return the post with what was written in removed rows; but for a row that is left removed."""
    form, act = asked().form, row_act()
    waiting = [name for name in form if name.startswith((MINE, f"base:{MINE}"))]
    if not waiting:
        return form
    left = f"[{act[1].key}]" if act is not None and act[0] == "leave" else None
    made = MultiDict(form)
    for name in waiting:
        if left is None or left not in name:
            made.setlist(name.replace(MINE, "", 1), form.getlist(name))
    return made


def read_row_changes(
    definition: Definition, changes: dict[AnswerKey, Change], stored: StoredReply | None
) -> list[RowChange]:
    """Read what a post says of rows; ``stored`` is there when a button was pressed that needs the present order.

    A row that is new and in which nothing stands is not added, and its cells are no changes: the page shows an empty
    row to begin with.
    """
    found: dict[RowKey, RowChange] = {}
    form, act = asked().form, row_act()
    if act is None and not any(field.startswith("row:") for field in form):
        return []
    bases = _bases()
    for field in form:
        if not field.startswith("row:") or (named := _NAME.match(field.removeprefix("row:"))) is None:
            continue
        name = RowKey(named["repeat"], named["key"])
        found[name] = _change(name, bases)
    if act is not None and stored is not None:
        found |= _acted(act[0], act[1], definition, stored, bases)
        if act[0] == "remove" and act[1] not in stored.rows:
            _forget(act[1], found, changes)
    written = {
        key.row
        for key, change in changes.items()
        if change.parsed.value is not None or change.parsed.typed is not None or change.parsed.state != "answered"
    }
    adds = act[1].key if act is not None and act[0] == "add" else ""
    for name, change in list(found.items()):
        blank = change.base == 0 and not change.removed and change.position is not None
        if blank and name.key not in written and name.key != adds and not _within(name.key, found, written):
            _forget(name, found, changes)
    # outer rows before those that stand in them
    order = {code: number for number, code in enumerate(tables(definition))}
    return sorted(found.values(), key=lambda one: order.get(one.repeat, -1))


def _forget(name: RowKey, found: dict[RowKey, RowChange], changes: dict[AnswerKey, Change]) -> None:
    """Leave out a row that was shown to begin with and never saved."""
    found.pop(name, None)
    for key in [key for key in changes if key.row == name.key]:
        del changes[key]


def _within(key: str, found: Mapping[RowKey, RowChange], written: set[str]) -> bool:
    """Tell whether something is written in a row that stands in this one."""
    below = [name.key for name, change in found.items() if change.parent_key == key]
    return any(one in written or _within(one, found, written) for one in below)


def _change(name: RowKey, bases: Mapping[AnswerKey, int]) -> RowChange:
    field = f"{name.repeat}[{name.key}]"
    removed = request.form.get(f"row-removed:{field}") == "1"
    return RowChange(
        name.repeat,
        name.key,
        parent_key=request.form.get(f"row-parent:{field}", "")[:16],
        position=request.form.get(f"row:{field}", type=int),
        removed=removed,
        base=request.form.get(f"row-base:{field}", type=int),
        seen=bases if removed else None,
    )


def _bases() -> dict[AnswerKey, int]:
    """Return the revisions of the cells that the page showed."""
    found: dict[AnswerKey, int] = {}
    for field in request.form:
        key = parse_field_name(field.removeprefix("base:")) if field.startswith("base:") else None
        if key is not None and key.row:
            found[key] = request.form.get(field, type=int) or 0
    return found


def _acted(
    act: str, name: RowKey, definition: Definition, stored: StoredReply, bases: Mapping[AnswerKey, int]
) -> dict[RowKey, RowChange]:
    """Return what a button does to rows."""
    if act == "add":
        table = tables(definition).get(name.repeat)
        made = RowKey(name.repeat, new_row_key())
        places = [row.position for one, row in stored.rows.items() if one.repeat == name.repeat]
        shown = [request.form.get(field, 0, int) for field in request.form if field.startswith(f"row:{name.repeat}[")]
        place = max([*places, *shown], default=0) + 1
        return {made: RowChange(*made, name.key if table and table.inside else "", place, base=None)}
    if act == "remove":
        parent = request.form.get(f"row-parent:{name.repeat}[{name.key}]", "")[:16]
        if name not in stored.rows:  # shown to begin with and never saved: there is nothing to remove
            return {}
        return {name: RowChange(*name, parent, removed=True, base=None, seen=bases)}
    if act == "restore":
        return {name: RowChange(*name, base=None)}
    if act == "leave":
        return {}
    return _moved(act, name, stored)


def _moved(act: str, name: RowKey, stored: StoredReply) -> dict[RowKey, RowChange]:
    """Return new places for the rows around the one that goes up or down."""
    moving = stored.rows.get(name)
    if moving is None or moving.removed:
        return {}
    order = sorted(
        (row.position, one)
        for one, row in stored.rows.items()
        if one.repeat == name.repeat and row.parent == moving.parent and not row.removed
    )
    names = [one for _place, one in order]
    at = names.index(name)
    to = at - 1 if act == "up" else at + 1
    if not 0 <= to < len(names):
        return {}
    names[at], names[to] = names[to], names[at]
    return {
        one: RowChange(*one, position=place)
        for place, one in enumerate(names, start=1)
        if stored.rows[one].position != place
    }


def anchor(saved: Saved, definition: Definition) -> str:
    """Return where on the page one stands after a button of a table: the row, else its table."""
    act = row_act()
    if act is None or act[1].repeat not in tables(definition):
        return ""
    name = act[1]
    if act[0] == "add":
        # the new row is the one that the page did not name
        unnamed = (one for one in saved.rows if one.repeat == name.repeat and f"row:{_field(one)}" not in request.form)
        name = next(unnamed, name)
    table = tables(definition)[name.repeat]
    row = saved.rows.get(name)
    if row is None or row.removed:
        return f"#q-{table.code}-item"
    place = f"q-{table.code}-{row.parent}" if row.parent else f"q-{table.code}"
    return f"#{place}-row-{name.key}"


def told_rows(saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    """Return what a script is told of rows, computed cells and sums."""
    language = g.view.language
    hidden = saved.evaluation.hidden
    told: dict[str, Any] = {
        "rows": [
            {"name": _field(name), "revision": row.revision, "position": row.position, "removed": row.removed}
            for name, row in saved.rows.items()
        ],
        "stale_rows": [_stale_row(one, definition, names) for one in saved.stale_rows],
        "refused_rows": [{"name": _field(one.name), "message": str(one.message)} for one in saved.refused_rows],
        "computed": {
            field_name(key): computed_text(definition.question(key.code), saved.answers[key].value, language)
            for key in saved.computed
            if key.row
        },
        "totals": {},
    }
    for table in tables(definition).values():
        for parent in _parents_touched(table.code, saved, definition):
            sums = totals(table, saved.answers, saved.standing, hidden, parent)
            told["totals"] |= {f"{code}[{parent}]": text for code, text in sums.items()}
    return told


def _parents_touched(code: str, saved: Saved, definition: Definition) -> set[str]:
    """Return the rows around a table in which its sums may have changed by a save ("" where it stands in none)."""
    rows = {key.row for key in (*saved.saved, *saved.computed) if key.row and _stands_in(key.code, code, definition)}
    standing = saved.standing.get(code, ())
    moved = {row.parent for name, row in saved.rows.items() if name.repeat == code}
    if any(_stands_in(one.partition("[")[0], code, definition) for one in saved.appeared | saved.vanished):
        return moved | ({row.parent for row in standing} or {""})
    # the rows of a matrix are fixed and stand in nothing
    return moved | {row.parent for row in standing if row.key in rows} | ({""} if rows and not standing else set())


def _stands_in(question: str, table: str, definition: Definition) -> bool:
    found = table_of(definition, question)
    return found is not None and found.code == table


def _field(name: RowKey) -> str:
    return f"{name.repeat}[{name.key}]"


def _stale_row(one: StaleRow, definition: Definition, names: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "name": _field(one.name),
        "removed": one.removed,
        "revision": one.revision,
        "by": pick(names.get(one.by), g.view.language, g.country.languages),
        "at": datetime_text(one.at) if one.at else "",
        "mine": [
            {"name": field_name(key), "label": _label(key, definition), "text": _words(key, given, definition)}
            for key, given in one.mine.items()
        ],
        "theirs": [
            {
                "name": field_name(key),
                "label": _label(key, definition),
                "text": _words(key, given, definition),
                "raw": [given.typed] if given.typed is not None
                else question_type(definition.question(key.code).type).raw(given.value, definition.question(key.code)),
                "revision": given.revision,
                "by": pick(names.get(given.answered_by), g.view.language, g.country.languages),
                "at": datetime_text(given.answered_at),
            }
            for key, given in one.theirs.items()
        ],
    }  # fmt: skip


def _label(key: AnswerKey, definition: Definition) -> str:
    return definition.question(key.code).text("label", g.view.language, tuple(g.country.languages))


def _words(key: AnswerKey, given: Parsed | StoredAnswer, definition: Definition) -> str:
    if given.typed is not None:
        return given.typed
    item = definition.question(key.code)
    if given.state != "answered":
        return str(_("Not available") if given.state == "not_available" else _("Not applicable"))
    return str(question_type(item.type).text(given.value, item, g.view.language))


def row_conflicts(
    saved: Saved, definition: Definition, names: Mapping[int, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return the parameters of components/row_conflict.html for a page without script."""
    shown = []
    for one in saved.stale_rows:
        told = _stale_row(one, definition, names)
        for cell, (key, given) in zip(told["mine"], one.mine.items(), strict=True):
            item = definition.question(key.code)
            kind = question_type(item.type)
            cell["raw"] = kind.raw_typed(given.typed) if given.typed is not None else kind.raw(given.value, item)
            cell["state"] = given.state
            # if the row is put back, a cell that a colleague wrote in as well is a conflict of its own
            cell["base"] = one.bases.get(key, 0)
        told["label"] = tables(definition)[one.name.repeat].item.text(
            "label", g.view.language, tuple(g.country.languages)
        )
        shown.append(told)
    return shown


def people(saved: Saved) -> Iterable[int]:
    """Return the actors named in the conflicts of a save."""
    return [
        *(one.theirs.answered_by for one in saved.stale),
        *(one.by for one in saved.stale_rows),
        *(given.answered_by for one in saved.stale_rows for given in one.theirs.values()),
    ]

