"""What taking over the answers of units would change, as plain view data: old beside new, and what can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name, is_hidden
from forms.question_types import question_type
from forms.tables import may_change, table_of, tables
from portal.blueprints.reading import state_words
from portal.blueprints.respond.collected_views import label_of, place_label, trouble_words, words
from portal.blueprints.respond.sharing import spoken
from portal.queries.collected import repeats
from portal.reader import digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import Parsed
    from forms.definition.model import Definition, Item
    from portal.models import Collection
    from portal.queries.submissions import StoredAnswer, SubmissionHead
    from portal.services.taking_lines import FilePut, Pick, Plan, Put, RowGone, RowPut, Way

NAMED = 4  # units whose names stand beside an answer; the others are counted
BRIEF = 160  # characters up to which what was shown is said in a sentence; longer texts are looked at again


def unit_columns(definition: Definition, codes: Sequence[str], source: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return, per table, the text columns that could take the name of the unit, and the one that was chosen."""
    found = []
    for code in repeats(definition, codes):
        table = tables(definition)[code]
        texts = [(item.code, label_of(item)) for item in table.asked if question_type(item.type).joins == "text"]
        if texts:
            chosen = source.get(f"unit-column:{code}", "")
            found.append({"code": code, "label": label_of(table.item), "texts": texts, "chosen": chosen})
    return found


def target_keys(definition: Definition, head: SubmissionHead, languages: tuple[str, ...]) -> list[AnswerKey]:
    """Return the texts of a reply, outside tables, that are asked and open: who said what can be written there."""
    return [
        key
        for item in definition.questions()
        if question_type(item.type).joins == "text"
        and table_of(definition, item.code) is None
        and not item.calculation
        and may_change(definition, item.code, head.unlocked)
        for key in question_type(item.type).keys(item, languages)
        if not is_hidden(head.hidden, key)
    ]


def targets(
    definition: Definition,
    head: SubmissionHead,
    languages: tuple[str, ...],
    stored: Mapping[AnswerKey, StoredAnswer],
) -> list[dict[str, Any]]:
    """Return those texts with their names and the revisions that stand there."""
    return [
        {
            "name": field_name(key),
            "label": place_label(definition, key),
            "base": stored[key].revision if key in stored else 0,
        }
        for key in target_keys(definition, head, languages)
    ]


def note_text(definition: Definition, pick: Pick, language: str) -> str:
    """Return who said what, one line per answer, in a language ("" for the reader's)."""
    item = definition.question(pick.key.code)
    spoken_in = language or g.view.language
    kind = question_type(item.type)
    with force_locale(spoken_in):
        lines = [
            _("%(answer)s: %(units)s", answer=kind.text(way.parsed.value, item, spoken_in), units=", ".join(way.units))
            for way in pick.ways
            if way.kind == "said"
        ]
    return "\n".join([spoken(item, spoken_in, tuple(g.country.languages)), *lines])


def plan_view(definition: Definition, plan: Plan, collection: Collection) -> dict[str, Any]:
    """Return what taking over would change, line by line, old beside new."""
    picks = [_pick(definition, pick) for pick in plan.picks]
    doubtful = _doubtful(plan)
    return {
        "puts": [
            {
                "name": put.name,
                "label": place_label(definition, put.key),
                "old": words(definition.question(put.key.code), put.old),
                "new": parsed_words(definition.question(put.key.code), put.parsed),
                "trouble": str(put.parsed.message) if put.parsed.message is not None else "",
                "units": put.units,
                "aside": put.aside,
                "base": put.base,
                "sign": put.sign,
                "was": brief(put_words(definition, put)),
                "ticked": put.meant,
                "own": bool(put.units) and not put.meant,
            }
            for put in plan.puts
        ],
        "picks": [pick for pick in picks if not pick["settled"]],
        "settled": [pick for pick in picks if pick["settled"]],
        "rows": [
            # what is ticked may be another's choice later; what is read first stays so
            _row(definition, row) | {"ticked": plain, "apart": not plain}
            for row in plan.rows
            for plain in [row.meant and row.name not in doubtful]
        ],
        "rows_gone": [_row_gone(definition, gone) for gone in plan.rows_gone],
        "files": [_file(definition, put, collection) for put in plan.files],
        "files_gone": [
            {"name": gone.name, "label": file_label(definition, gone.key), "file": gone.evidence.filename,
             "number": gone.evidence.number}
            for gone in plan.files_gone
        ],
        "removed": plan.removed,
        "unfinished": plan.unfinished,
        "empty": plan.empty,
    }  # fmt: skip


def _pick(definition: Definition, pick: Pick) -> dict[str, Any]:
    item = definition.question(pick.key.code)
    return {
        "name": pick.name,
        "label": place_label(definition, pick.key),
        "old": words(item, pick.old) or (state_words(pick.old.state) if pick.old and not pick.old.blank else ""),
        "base": pick.base,
        "sign": pick.seen,
        "aside": pick.aside,
        "ways": [_way(definition, item, way) for way in pick.ways],
        "wanted": pick.wanted,
        "settled": pick.settled,
        "changed": pick.before and not pick.settled,
        "note": note_text(definition, pick, ""),
        "differ": len([way for way in pick.ways if way.kind == "said"]) > 1,
    }


def _way(definition: Definition, item: Item, way: Way) -> dict[str, Any]:
    said = parsed_words(item, way.parsed)
    kinds = {
        "average": _("the mean, each unit counting the same"),
        "weighted": _("the mean, weighted by “%(count)s”", count=place_label(definition, way.by) if way.by else ""),
        "union": _("every choice that any unit made"),
    }
    return {
        "name": way.name,
        "words": said,
        "sign": way.sign,
        "was": brief(said),
        "how": str(kinds.get(way.kind, "")),
        "count": len(way.units),
        "units": named(way.units),
        "made": way.kind != "said",
        "trouble": str(way.parsed.message) if way.parsed.message is not None else "",
    }


def named(units: Sequence[str]) -> str:
    """Name some units; beyond a few the others are counted."""
    said = ", ".join(units[:NAMED])
    more = len(units) - NAMED
    return str(_("%(names)s and %(count)s more", names=said, count=digits(str(more)))) if more > 0 else said


def _doubtful(plan: Plan) -> set[str]:
    """Return the rows that nobody should take over unseen: with an answer that does not count, or within such a row."""
    found: set[str] = set()
    waiting: set[str] = set()
    for row in plan.rows:  # outer rows come first
        if row.troubled or row.parent in waiting:
            found.add(row.name)
            if row.new:
                waiting.add(row.place.key)
    return found


def _row(definition: Definition, row: RowPut) -> dict[str, Any]:
    return {
        "name": row.name,
        "table": label_of(tables(definition)[row.place.repeat].item),
        "unit": row.unit,
        "new": row.new,
        "sign": row.sign,
        "was": brief(row_words(definition, row)),
        "own": not row.meant,
        "cells": [
            {
                "name": field_name(key),
                "label": label_of(definition.question(key.code)),
                "old": words(definition.question(key.code), row.old.get(key)),
                "new": parsed_words(definition.question(key.code), parsed),
                "trouble": trouble_words(unreadable=parsed.typed is not None) if key in row.troubled else "",
                "base": row.old[key].revision if key in row.old else 0,
            }
            for key, parsed in row.cells.items()
        ],
    }


def put_words(definition: Definition, put: Put) -> str:
    """Return in one line what the units say together: the sum, or their texts."""
    item = definition.question(put.key.code)
    if question_type(item.type).joins == "text":
        return " ".join(put.kept.split()) or str(_("nothing"))
    return parsed_words(item, put.parsed) or str(_("nothing"))


def row_words(definition: Definition, row: RowPut) -> str:
    """Return in one line what would be written of a unit's row."""
    cells = [
        f"{label_of(definition.question(key.code))} {parsed_words(definition.question(key.code), parsed) or '–'}"
        for key, parsed in row.cells.items()
    ]
    return f"{row.unit} ({', '.join(cells)})" if cells else row.unit


def brief(said: str) -> str:
    """Return what can be said in a sentence, "" for what is too long for one."""
    return said if len(said) <= BRIEF else ""


def _row_gone(definition: Definition, gone: RowGone) -> dict[str, Any]:
    return {
        "name": gone.name,
        "table": label_of(tables(definition)[gone.place.repeat].item),
        "unit": gone.unit,
        "left_out": gone.left_out,
        "cells": [
            {
                "name": field_name(key),
                "label": label_of(definition.question(key.code)),
                "old": words(definition.question(key.code), answer),
                "base": answer.revision,
            }
            for key, answer in gone.cells.items()
        ],
    }


def _file(definition: Definition, put: FilePut, collection: Collection) -> dict[str, Any]:
    return {
        "name": put.name,
        "label": file_label(definition, put.key, put.at),
        "file": put.file.filename,
        "ticked": True,
        "url": url_for("respond.unit_file", public_id=collection.public_id, number=put.file.number),
        "units": named(put.units),
        "several": len(put.units) > 1,
    }


def file_label(definition: Definition, key: AnswerKey, at: int = 0) -> str:
    """Return where a file hangs: its question, in a table with its row (``at``: its number at the unit)."""
    return place_label(definition, key, digits(str(at)) if at else "")


def parsed_words(item: Item, parsed: Parsed) -> str:
    """Return an answer that would be written, in words."""
    if parsed.typed is not None:
        return str(parsed.typed)
    if parsed.state != "answered":
        return state_words(parsed.state)
    return question_type(item.type).text(parsed.value, item, g.view.language) if parsed.value is not None else ""
