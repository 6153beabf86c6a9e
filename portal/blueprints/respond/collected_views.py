"""What units answered, side by side, as plain view data."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import gettext as _

from forms.question_types import question_type
from forms.tables import table_of, tables
from portal.blueprints.reading import state_words
from portal.blueprints.respond.sharing import spoken
from portal.queries.collected import added_up, asked_keys, figure, repeats, spread
from portal.reader import languages, number
from portal.services.attaching import named_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import AnswerKey, Given
    from forms.definition.model import Definition, Item
    from portal.models import Collection
    from portal.queries.collected import UnitReply
    from portal.queries.submissions import StoredAnswer


def label_of(item: Item) -> str:
    """Return the wording of a question in a list: without what it quotes."""
    return spoken(item, g.view.language, tuple(g.country.languages))


def place_label(definition: Definition, key: AnswerKey, at: str = "") -> str:
    """Return how an answer is named: its question, in a table with its row, for a text with its language.

    ``at`` says which row of a table that grows: its number, perhaps with its words; "" leaves the row out.
    """
    label = label_of(definition.question(key.code))
    table = table_of(definition, key.code)
    if table is not None and key.row:
        around, row = label_of(table.item), table.row_label(key.row, g.view.language, tuple(g.country.languages))
        if row:
            label = f"{around}: {row}, {label}"
        elif at:
            label = str(_("%(table)s, row %(number)s: %(column)s", table=around, number=at, column=label))
        else:
            label = f"{around}: {label}"
    return f"{label} ({language_name(key.lang)})" if key.lang else label


def language_name(code: str) -> str:
    """Return how a language of the country calls itself."""
    return next((one.name for one in languages() if one.code == code), code)


def words(item: Item, given: Given | None) -> str:
    """Return an answer in words, "" for none."""
    if given is None:
        return ""
    return given.typed if given.typed is not None else question_type(item.type).text(given.value, item, g.view.language)


def results(
    definition: Definition, ids: Mapping[str, int], collection: Collection, replies: Sequence[UnitReply]
) -> list[dict[str, Any]]:
    """Return, per question, what the units said: a sum, how many said what, and the answers unit by unit."""
    found: list[dict[str, Any]] = []
    for key in asked_keys(definition, collection.items, tuple(g.country.languages)):
        item = definition.question(key.code)
        kind = question_type(item.type)
        if kind.control == "file":
            files = [(one.name, _files(one, ids.get(key.code), collection)) for one in replies]
            shown: dict[str, Any] = {"files": [(name, theirs) for name, theirs in files if theirs]}
        else:
            said = [(one, answer) for one in replies if (answer := one.said(key)) is not None]
            shown = {"lines": [(one.name, said_words(item, answer), trouble_of(answer)) for one, answer in said]}
            shown["troubles"] = sum(1 for _name, _words, trouble in shown["lines"] if trouble)
            if kind.joins == "sum" and (total := added_up(key, replies)) is not None:
                shown |= {"sum": number(total[0]), "summed": total[1]}
            elif kind.joins != "text":
                told = spread(key, replies)
                counts = [(kind.text(value, item, g.view.language), len(units)) for value, units in told]
                shown["counts"] = counts if kind.has_choices or len(counts) < len(shown["lines"]) else []
        if shown.get("lines") or shown.get("files"):
            found.append({"kind": "list", "label": place_label(definition, key)} | shown)
    return found + [_joined(definition, code, replies) for code in repeats(definition, collection.items)]


def said_words(item: Item, answer: StoredAnswer) -> str:
    """Return what a unit said in words, "not available" and the like too."""
    return words(item, answer) or state_words(answer.state)


def trouble_of(answer: StoredAnswer) -> str:
    """Say why an answer cannot be taken over, "" if it can; the unit itself is told what concerns its own answers."""
    if answer.typed is None and answer.message is None:
        return ""
    return trouble_words(unreadable=answer.typed is not None)


def trouble_words(*, unreadable: bool) -> str:
    """Say why an answer of a unit is not counted."""
    if unreadable:
        return str(_("cannot be read, so it does not count"))
    return str(_("breaks a rule of the questionnaire, so it does not count"))


def _files(one: UnitReply, question_id: int | None, collection: Collection) -> list[tuple[str, str]]:
    return [
        (file.filename, url_for("respond.unit_file", public_id=collection.public_id, number=file.number))
        for file in one.files
        if file.question_id == question_id
    ]


def _joined(definition: Definition, code: str, replies: Sequence[UnitReply]) -> dict[str, Any]:
    """Return a table with the rows of all units below one another, the unit beside each, and sums below.

    What does not count stands in its cell all the same, with why, and is counted beside the sum of its column.
    """
    asked = tables(definition)[code].asked
    rows: list[tuple[str, list[dict[str, str]]]] = []
    totals: dict[str, Decimal] = {}
    troubles = dict.fromkeys((item.code for item in asked), 0)
    for one in replies:
        for row in one.rows.get(code, ()):
            cells = []
            for item in asked:
                keys = question_type(item.type).keys(item, tuple(g.country.languages))
                said = next((answer for key in keys if (answer := one.said(key._replace(row=row.key)))), None)
                cells.append(_cell(one, item, said))
                troubles[item.code] += bool(cells[-1]["trouble"])
                if question_type(item.type).joins == "sum" and not cells[-1]["trouble"]:
                    counted = figure(said)
                    if counted is not None:
                        totals[item.code] = totals.get(item.code, Decimal(0)) + counted
            rows.append((one.name, cells))
    sums = [
        {"text": number(totals[item.code]) if item.code in totals else "", "troubles": troubles[item.code]}
        for item in asked
    ]
    return {
        "kind": "table",
        "label": label_of(tables(definition)[code].item),
        "columns": [label_of(item) for item in asked],
        "rows": rows,
        "sums": sums if any(one["text"] or one["troubles"] for one in sums) else [],
    }


def _cell(one: UnitReply, item: Item, said: StoredAnswer | None) -> dict[str, str]:
    if said is None:
        return {"text": "", "trouble": ""}
    if question_type(item.type).control == "file":
        named = {file.public_id: file.filename for file in one.files}
        return {"text": ", ".join(named[name] for name in named_by(said) if name in named), "trouble": ""}
    return {"text": said_words(item, said), "trouble": trouble_of(said)}
