"""Draws the questions of an answering page: each control's macro runs once per variant, then only its holes are filled.

The macros of ``templates/components/controls`` stay the one description of a control. What changes from reader to
reader (the value, its revision) is put in as a hole, the HTML kept on the questionnaire, and the holes are filled
with escaped text. A control that says something special (an error, files, a table) is drawn by its macro each time.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flask import current_app
from markupsafe import Markup, escape

from portal import wording
from portal.fragments import HOLE, hole
from portal.page_views import ItemView, TextInLanguage
from portal.reader import view
from portal.templating import answer_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forms.definition.model import Definition

_ALL = attrgetter(*(field.name for field in fields(ItemView)))
VARIANTS_KEPT = 4000


def clone(item: ItemView) -> ItemView:
    """Return a shallow copy (``dataclasses.replace`` costs five times as much, 30 times a page)."""
    return ItemView(*_ALL(item))


def draw(definition: Definition, page_code: str, items: Sequence[ItemView]) -> Markup:
    """Return the HTML of a page's items in order."""
    present = view()
    kept: dict[Any, Any] = vars(definition).setdefault("_drawn", {})
    if len(kept) > VARIANTS_KEPT:
        kept.clear()
    macro = current_app.jinja_env.get_template("components/controls/control.html").module.control  # type: ignore[attr-defined] # a hole stands where the value comes
    words = answer_words()
    place = (page_code, str(present.language), str(present.digits), wording.present().words.version)
    for item in items:
        if item.table is not None:
            draw_cells(item, kept, place, words)
    return Markup("".join([_draw(item, kept, place, macro, words) for item in items]))  # noqa: S704 - each is drawn


def draw_cells(item: ItemView, kept: dict[Any, Any], place: tuple[Any, ...], words: Any) -> None:
    """Draw every cell of a table, each once per column and variant; the table's macro puts them into its rows."""
    module: Any = current_app.jinja_env.get_template("components/controls/cell.html").module
    cell = module.cell
    table = item.table
    for row in (*table.rows, table.blank) if table is not None else ():
        if row is not None:
            row.drawn = [_draw_cell(one, kept, place, cell, words) for one in row.cells]
            for inner in row.inner:
                draw_cells(inner, kept, place, words)


def _draw_cell(
    item: ItemView, kept: dict[Any, Any], place: tuple[Any, ...], macro: Callable[..., Markup], words: Any
) -> Markup:
    if item.control == "file" or item.choice_words:
        return macro(item, words)
    # rows may be offered different choices of one list
    chosen = tuple((one[0], one[2]) for one in item.choices) if item.choices else tuple(map(bool, item.raw))
    written = tuple(bool(text.value) for text in item.texts)
    key = (
        *place, "cell", item.code, item.label, tuple(item.raw) if item.choices else (), item.hidden, item.readonly,
        item.missing, item.state, bool(item.error), chosen, written,
    )  # fmt: skip
    parts: list[str] | None = kept.get(key)
    if parts is None:
        holed = _holed(item)
        row = hole("row")
        holed.row, holed.name, holed.labels = row, f"{item.code}[{row}]", hole("labels")
        holed.id = hole("id")
        holed.error = hole("error") if item.error else ""
        for text in holed.texts:
            text.name = f"{holed.name}@{text.language}"
        parts = kept[key] = HOLE.split(str(macro(holed, words)))
    out = parts.copy()
    for at in range(1, len(parts), 2):
        out[at] = str(escape(_cell_filling(item, parts[at])))
    return Markup("".join(out))  # noqa: S704 - the macro's output with escaped values


def _cell_filling(item: ItemView, name: str) -> str | int:
    if name in {"row", "labels", "id", "error"}:
        return str(getattr(item, name))
    return _filling(item, name)


def _draw(
    item: ItemView, kept: dict[Any, Any], place: tuple[Any, ...], macro: Callable[..., Markup], words: Any
) -> Markup:
    if item.untouched and (done := kept.get((*place, id(item)))) is not None and done[0] is item:
        return Markup(done[1])  # noqa: S704 - drawn before
    special = item.error or item.message or item.files or item.upload_url or item.who or item.history_url or item.memory
    if special or item.choice_words or item.table is not None:
        return macro(item, words)
    # which of the fields hold something decides the macro's own branches; what they hold is put in as holes
    chosen = tuple(item.raw) if item.choices else tuple(map(bool, item.raw))
    written = tuple(bool(text.value) for text in item.texts)
    spoken = (item.label, item.hint, item.html)  # answers may be spoken in it
    # replies may be offered different choices of one list
    offered = tuple(one[0] for one in item.choices) if item.filtered else ()
    key = (*place, item.code, spoken, item.hidden, item.readonly, item.missing, item.state, chosen, offered, written)
    parts: list[str] | None = kept.get(key)
    if parts is None:
        parts = kept[key] = HOLE.split(str(macro(_holed(item), words)))
    if len(parts) == 1:
        return Markup(parts[0])  # noqa: S704 - the macro's own output
    out = parts.copy()
    for place_of_hole in range(1, len(parts), 2):
        out[place_of_hole] = str(escape(_filling(item, parts[place_of_hole])))
    made = Markup("".join(out))  # noqa: S704 - the macro's output with escaped values
    if item.untouched:
        kept[*place, id(item)] = (item, made)  # the item stays with it, so that its id is nobody else's
    return made


def _holed(item: ItemView) -> ItemView:
    holed = clone(item)
    holed.revision = hole("revision")  # type: ignore[assignment] # a hole stands where the value comes
    if not item.choices and item.raw:
        holed.raw = [hole(f"raw{number}") if one else "" for number, one in enumerate(item.raw)]
    holed.texts = [
        TextInLanguage(
            text.language,
            text.name,
            hole(f"value{number}") if text.value else "",
            hole(f"base{number}"),  # type: ignore[arg-type] # a hole stands where the value comes
            text.label,
        )
        for number, text in enumerate(item.texts)
    ]
    return holed


def _filling(item: ItemView, name: str) -> str | int:
    if name == "revision":
        return item.revision
    number = int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))
    if name.startswith("raw"):
        return item.raw[number]
    text = item.texts[number]
    return text.value if name.startswith("value") else text.revision
