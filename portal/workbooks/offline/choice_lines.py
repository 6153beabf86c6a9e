"""A question with several choices on a sheet: a line for each choice, to mark with an x, or to give its place.

Tables have no room for such lines: there a cell names its choices by number or label.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.question_types import question_type
from portal.workbooks.offline.cells import normal
from portal.workbooks.offline.found import FoundCell, FoundRow
from portal.workbooks.offline.marks import CellMark, RowMark, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.answers import Given
    from forms.definition.model import Item
    from portal.table import Speakable
    from portal.workbooks.offline.cells import Labels

TICK, PLACE = "+", "#"  # the language of a cell that marks a choice, and of one that gives it a place
MARKED = "x"
YES = frozenset({"x", "✓", "✔", "☑", "v", "1", "yes", "y", "ok", "true", "បាទ", "ចាស", "បាទ/ចាស", "ចាស/បាទ"})
NO = frozenset({"", "0", "no", "n", "false", "-", "–", "ទេ"})


def spread(item: Item, given: Given | None) -> bool:
    """Tell whether the choices of a question get a line each; not where a text stands that names none of them."""
    return question_type(item.type).excel_rule(item).several and (given is None or given.typed is None)


def choice_lines(item: Item, given: Given | None, labels: Labels) -> list[tuple[str, str, str | int | None]]:
    """Return key, label and content of each line; a retired choice only where it was chosen."""
    kind = question_type(item.type)
    chosen = [] if given is None or given.state != "answered" else kind.raw(given.value, item)
    keys = [*labels_keys(labels), *(key for key in chosen if key not in labels_keys(labels))]
    ranked = kind.control == "rank"

    def content(key: str) -> str | int | None:
        if key not in chosen:
            return None
        return chosen.index(key) + 1 if ranked else MARKED

    return [(key, labels.shown.get(key, key), content(key)) for key in keys]


def labels_keys(labels: Labels) -> list[str]:
    """Return the keys of the choices on offer, in their order."""
    return [labels.keys[label] for label in labels.offered]


def mark_of(item: Item, key: str, count: int, column: int, given: Given | None, content: object) -> RowMark:
    """Return the mark of a line; its number is how many lines the question has."""
    way = PLACE if question_type(item.type).control == "rank" else TICK
    cell = CellMark(column, item.code, way, given.revision if given else 0, digest(normal(content)))
    return RowMark("choice", key=key, number=count, cells=(cell,))


def joined(rows: Sequence[FoundRow]) -> list[FoundRow]:
    """Return rows as if each question stood in one cell: its lines put together, beside why there is no answer."""
    lines: dict[str, list[FoundRow]] = {}
    for row in rows:
        if row.mark.kind == "choice" and row.cells:
            lines.setdefault(row.cells[0].mark.code, []).append(row)
    whole = {code: _cell(found) for code, found in lines.items()}
    made = []
    for row in rows:
        if row.mark.kind == "choice":
            continue
        mine = [] if row.mark.kind != "question" else [cell for cell in row.cells if cell.mark.code in whole]
        cells = [whole.pop(code) for code in dict.fromkeys(cell.mark.code for cell in mine)]
        made.append(replace(row, cells=(*cells, *row.cells)) if cells else row)
    made += [FoundRow(RowMark("question"), lines[code][0].number, (cell,)) for code, cell in whole.items()]
    return made


def _cell(lines: Sequence[FoundRow]) -> FoundCell:
    cells = [line.cells[0] for line in lines]
    first = cells[0]
    moved = not all(cell.untouched for cell in cells)
    ranked = first.mark.lang == PLACE
    keys, fault = _places(lines) if ranked else _ticks(lines)
    fault = next((cell.fault for cell in cells if cell.fault is not None), fault)
    if moved and fault is None and len(lines) != lines[0].mark.number:
        fault = _l("Lines of the choices of this question were deleted from the sheet, so it was not read.")
    found = "; ".join(str(cell.value) for cell in cells if not cell.blank) if fault is not None else "; ".join(keys)
    before = "0" * 8 if any(cell.mark.digest for cell in cells) else ""
    mark = CellMark(first.mark.column, first.mark.code, "", first.mark.revision, before)
    address = first.address if len(cells) == 1 else f"{first.address}:{cells[-1].address}"
    if not moved:
        return FoundCell(replace(mark, digest=digest(normal(found))), address, found or None, raw=tuple(keys))
    shown = "; ".join(cell.shown for cell in cells if cell.shown)
    return FoundCell(mark, address, found or None, fault, raw=tuple(keys), shown=shown)


def _ticks(lines: Sequence[FoundRow]) -> tuple[list[str], Speakable | None]:
    keys, fault = [], None
    for line in lines:
        cell = line.cells[0]
        said = normal(cell.value).strip().casefold()
        if said in YES:
            keys.append(line.mark.key)
        elif said not in NO:
            fault = fault or _l(
                "Write x beside each choice that applies, nothing beside the others; in cell %(cell)s stands “%(found)s”.",  # noqa: E501 - a sentence stays in one piece
                cell=cell.address, found=said[:60],
            )  # fmt: skip
    return keys, fault


def _places(lines: Sequence[FoundRow]) -> tuple[list[str], Speakable | None]:
    at: dict[str, int] = {}
    fault: Speakable | None = None
    for line in lines:
        cell = line.cells[0]
        said = normal(cell.value).strip().removesuffix(".")
        if said.isdecimal() and 0 < int(said) <= 999:
            at[line.mark.key] = int(said)
        elif said not in {"", "0", "-", "–"}:
            fault = fault or _l(
                "Write the place of each choice as a number, 1 for the first; in cell %(cell)s stands “%(found)s”.",
                cell=cell.address, found=said[:60],
            )  # fmt: skip
    twice = next((place for place, count in Counter(at.values()).items() if count > 1), None)
    if fault is None and twice is not None:
        fault = _l("Two choices have the place %(place)s. Please give each choice one place.", place=twice)
    return sorted(at, key=lambda key: at[key]), fault
