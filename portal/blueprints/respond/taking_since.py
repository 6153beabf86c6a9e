"""What became of a plan of taking over since it was shown: said line by line, and what was unticked stays so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.answers import parse_field_name
from portal.blueprints.respond.collected_views import label_of, place_label
from portal.blueprints.respond.taking_views import brief, file_label, parsed_words, put_words, row_words
from portal.reader import digits
from portal.services.taking_lines import Put, RowPut

if TYPE_CHECKING:
    from forms.definition.model import Definition
    from portal.services.submissions import Saved
    from portal.services.taking_lines import Plan, Way
    from portal.services.taking_shown import Chosen, Moved

# lines that are named by more than the field of an answer
KINDS = ("row:", "file:")


def shown() -> dict[str, str]:
    """Return the signs of what the page showed, as its form sends them back."""
    return {
        name.removeprefix("sign:"): request.form.get(name, "") for name in request.form if name.startswith("sign:")
    }


def told(definition: Definition, moved: Moved) -> str:
    """Say of a line that it was not taken over, with what was shown and what it would be now."""
    label = _label(definition, moved.name)
    name = f"{moved.name}:{moved.way}" if moved.way else moved.name
    old = brief(request.form.get(f"was:{name}", ""))
    new = brief(_words(definition, moved, moved.now)) if moved.now is not None else ""
    if old and new and old != new:
        sentence = _(
            "“%(label)s” was not taken over: %(old)s was shown, and it is %(new)s now. Look at it again.",
            label=label, old=old, new=new,
        )  # fmt: skip
    elif old and moved.now is None:
        sentence = _(
            "“%(label)s” was not taken over: %(old)s was shown, and it is not offered any more. Look at it again.",
            label=label, old=old,
        )  # fmt: skip
    else:
        sentence = _(
            "“%(label)s” was not taken over: what the units say changed since it was shown. Look at it again.",
            label=label,
        )  # fmt: skip
    return str(sentence)


def _words(definition: Definition, moved: Moved, now: Put | RowPut | Way) -> str:
    if isinstance(now, Put):
        return put_words(definition, now)
    if isinstance(now, RowPut):
        return row_words(definition, now)
    key = parse_field_name(moved.name)
    return parsed_words(definition.question(key.code), now.parsed) if key is not None else ""


def _label(definition: Definition, name: str) -> str:
    """Name the place of a line as the page names it; what no page ever named stands for itself."""
    kind, bare = "", name.removeprefix("gone:")
    for known in KINDS:
        if bare.startswith(known):
            kind, bare = known, bare.removeprefix(known)
    key = parse_field_name(bare.rpartition(":")[0] if kind == "file:" else bare)
    item = definition.compiled.by_code.get(key.code) if key is not None else None
    if key is None or item is None:
        return name
    if item.kind != "question":
        return label_of(item)
    return file_label(definition, key) if kind == "file:" else place_label(definition, key)


def done(made: Plan, chosen: Chosen, saved: Saved) -> str:
    """Say what was taken over, counted as the page counts it: answers, rows, files; "" for nothing."""
    keys = {put.key for put in made.puts if put.name in chosen.lines}
    keys |= {pick.key for pick in made.picks if chosen.way(pick) is not None}
    keys |= {note.target for note in chosen.notes.values()}
    answers = len(keys & saved.saved.keys())
    rows = [row for row in made.rows if row.name in chosen.lines]
    came = sum(1 for row in rows if row.place in saved.rows or row.cells.keys() & saved.saved.keys())
    files = sum(1 for put in made.files if put.name in chosen.lines and put.key in saved.saved)
    gone = sum(1 for row in saved.rows.values() if row.removed)
    off = sum(1 for one in made.files_gone if one.name in chosen.lines)
    said = [
        ngettext("%(num)s answer was taken over.", "%(num)s answers were taken over.", answers) if answers else "",
        ngettext("%(num)s row was taken over.", "%(num)s rows were taken over.", came) if came else "",
        ngettext("%(num)s file was taken over.", "%(num)s files were taken over.", files) if files else "",
        ngettext("%(num)s row was removed.", "%(num)s rows were removed.", gone) if gone else "",
        ngettext("%(num)s file was taken off.", "%(num)s files were taken off.", off) if off else "",
    ]
    return digits(" ".join(one for one in said if one))


def as_chosen(plan: dict[str, Any]) -> dict[str, Any]:
    """Return a plan that is shown again with what had been left out before left out still."""
    wanted = set(request.form.getlist("take"))
    for one in (*plan["puts"], *plan["rows"], *plan["files"]):
        if f"was:{one['name']}" in request.form and one["name"] not in wanted:
            one["ticked"] = False
    for one in plan["picks"]:
        if f"pick:{one['name']}" in request.form:
            one["wanted"] = ""
    return plan
