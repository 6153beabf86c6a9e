"""What a reader of a sheet sees beside its cells, held against what the hidden marks say that the cells answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.tables import table_of, tables
from portal.workbooks.offline.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forms.definition.model import Definition
    from portal.table import Speakable
    from portal.workbooks.offline.found import FoundRow, FoundSheet

QUOTED = 120  # signs of a question in a sentence
_Place = tuple[str, str]  # a question and "", a matrix and the key of one of its rows


class Beside:
    """Tells of lines beside whose cells another question of the sheet stands than the one that their mark names.

    With its lock off, the visible cells of a sheet can be sorted or swapped while the hidden marks stay where they are.
    The wording that a file went out with is not known, and may have been corrected since: only a text is told that is
    another question's, and that does not stand at its own place any more.
    """

    def __init__(self, sheet: FoundSheet, definition: Definition, languages: tuple[str, ...]) -> None:
        self._names: dict[_Place, frozenset[str]] = {}
        self._of: dict[tuple[str, str], list[_Place]] = {}  # by matrix ("" for questions) and text
        for line in lines_of(definition):
            if line.kind == "question":
                self._learn((line.item.code, ""), "", [line.item.text("label", one, languages) for one in languages])
        for code, table in tables(definition).items():
            for row in table.rows({}) if table.fixed else ():
                self._learn((code, row.key), code, [table.row_label(row.key, one, languages) for one in languages])
        self._shown = {place: _plain(row.shown) for row in sheet.rows if (place := _place(row, definition))}
        self._definition = definition

    def _learn(self, place: _Place, among: str, labels: Sequence[str]) -> None:
        if any("${" in label for label in labels):  # it went out with answers put in
            return
        found = {_plain(label) for label in labels} | {_plain("\n".join(dict.fromkeys(labels)))}
        self._names[place] = frozenset(found - {""})
        for name in self._names[place]:
            self._of.setdefault((among, name), []).append(place)

    def doubt(self, row: FoundRow) -> Speakable | None:
        """Say which other question stands beside the cells of a line; None where it is theirs, or nobody's."""
        place = _place(row, self._definition)
        if place is None:
            return None
        shown = self._shown[place]
        others = self._of.get((place[0] if place[1] else "", shown), [])
        if not shown or shown in self._names.get(place, ()) or not all(map(self._moved, others)) or not others:
            return None
        sentence: Speakable = _l(
            "In cell %(cell)s beside it stands another question, “%(question)s”: lines were moved. Tick it only if this is where the answer belongs.",  # noqa: E501 - a sentence stays in one piece
            cell=row.shown_at, question=shown[:QUOTED],
        )  # fmt: skip
        return sentence

    def _moved(self, place: _Place) -> bool:
        return self._shown.get(place, "") not in self._names[place]


def _place(row: FoundRow, definition: Definition) -> _Place | None:
    if row.mark.kind == "fixed":
        return row.mark.table, row.mark.key
    codes: Iterable[str] = (cell.mark.code for cell in row.cells)
    code = next(iter(codes), "") if row.mark.kind == "question" else ""
    return (code, "") if code and table_of(definition, code) is None else None


def _plain(text: str) -> str:
    return " ".join(text.split())
