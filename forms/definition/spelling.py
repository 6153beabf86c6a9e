"""A questionnaire version spelled as XLSForm rows, so that a draft in the portal is judged like an uploaded file.

The reverse of reading: what :func:`forms.definition.check.check` makes of the rows is the definition again. Every
question has a choice list of its own here, named by its code, because a draft may change the list of one question only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from forms.definition.check import check
from forms.definition.rows import RawRow
from forms.definition.settings import COUNTS, FLAGS, PLAIN
from forms.definition.survey import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forms.definition.model import Choice, Definition, Item
    from forms.definition.report import Mistake
    from forms.definition.rows import SheetRows

RULES = ("required", "relevant", "constraint", "calculation", "default", "choice_filter")
PARAMETERS = ("start", "end", "step")
# what the reading of a file notes for itself; the spelling follows from the rest
DERIVED = frozenset({"list_name", "or_other", "specifies", "written_type", "parameters", "columns", *PARAMETERS})
FIRST_ROW = 2  # below the headers
_TABLES = ("repeat", "matrix")


@dataclass
class Spelling:
    """The rows of a version; ``places`` names the item behind each row of the sheets survey and choices."""

    rows: SheetRows = field(default_factory=lambda: {"survey": [], "choices": [], "settings": []})
    places: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, sheet: str, code: str, cells: Mapping[str, str]) -> None:
        """Write the next row of a sheet."""
        number = len(self.rows[sheet]) + FIRST_ROW
        self.rows[sheet].append(RawRow(sheet, number, {name: text for name, text in cells.items() if text}))
        self.places[sheet, number] = code


def spell(definition: Definition) -> Spelling:
    """Return a version as the rows of the sheets survey, choices and settings."""
    spelled = Spelling()
    for page in definition.pages:
        _item(page, spelled)
    plain = {name: text for name, text in definition.settings.items() if isinstance(text, str)}
    titles = {f"form_title::{language}": text for language, text in definition.titles.items()}
    spelled.add(
        "settings",
        "",
        {"form_id": definition.code, "default_language": definition.default_language, **titles, **plain},
    )
    return spelled


def judge(definition: Definition) -> tuple[Mistake, ...]:
    """Return all that the checker of files finds in a version; ``field`` names the item instead of a cell."""
    spelled = spell(definition)
    report = check(spelled.rows)
    found = [
        replace(one, sheet=None, row=None, column=None, field=spelled.places.get((one.sheet or "", one.row or 0), ""))
        for one in report.problems
    ]
    order = {item.code: number for number, item in enumerate(definition.items())}
    return tuple(sorted(found, key=lambda one: order.get(one.field or "", -1)))


def _item(item: Item, spelled: Spelling) -> None:
    cells = {"type": _type(item), "name": item.code, **dict(_texts(item)), **_settings(item)}
    cells |= {rule: str(getattr(item, rule)) for rule in RULES}
    spelled.add("survey", item.code, cells)
    for choice in item.choices:
        spelled.add("choices", item.code, _choice(item.code, choice))
    if item.kind in {"section", "group", *_TABLES}:
        for child in item.children:
            _item(child, spelled)
        spelled.add("survey", item.code, {"type": "end_repeat" if item.kind in _TABLES else "end_group"})


def _type(item: Item) -> str:
    if item.kind in _TABLES:
        return "begin_repeat"
    if item.kind in {"section", "group"}:
        return "begin_group"
    if item.kind == "note":
        return "note"
    return f"{item.type} {item.code}" if item.choices or item.type in {"select_one", "select_multiple"} else item.type


def _texts(item: Item) -> Iterator[tuple[str, str]]:
    for header, role in ROLES.items():
        for language, text in (item.texts.get(role) or {}).items():
            yield f"{header}::{language}", text


def _choice(name: str, choice: Choice) -> dict[str, str]:
    labels = {f"label::{language}": text for language, text in choice.texts.items()}
    retired = {"retired": "yes"} if choice.retired else {}
    return {"list_name": name, "name": choice.key, **labels, **retired, **choice.extra}


def _settings(item: Item) -> dict[str, str]:
    cells: dict[str, str] = {str(name): str(text) for name, text in (item.settings.get("columns") or {}).items()}
    for name, value in item.settings.items():
        if name not in DERIVED and (text := _cell(value)):
            cells[name] = text
    written = str(item.settings.get("parameters") or "").replace(";", " ").replace(",", " ").split()
    kept = [pair for pair in written if pair.partition("=")[0] not in {*PARAMETERS, *COUNTS, *PLAIN, *FLAGS}]
    own = [f"{name}={item.settings[name]}" for name in PARAMETERS if item.settings.get(name) not in {None, ""}]
    if own or kept:
        cells["parameters"] = " ".join([*own, *kept])
    if item.kind == "matrix":
        cells["matrix_rows"] = item.code
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value) if isinstance(value, (str, int, float)) else ""
