"""Reads the vectors: each an expression at a place in a small questionnaire, its answers, and the expected result."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from forms.answers import TableRow
from forms.context import Context
from forms.definition.compiled import meant
from forms.definition.model import Choice, Definition, Item
from forms.expressions import compile_tree, names, parse, to_json
from forms.frames import Frame, Frames
from forms.scope import AnswerScope

HERE = Path(__file__).parent
OWNER = "this_question"
FLAT: dict[str, Any] = json.loads((HERE / "expressions.json").read_text(encoding="utf-8"))
ROWS: dict[str, Any] = json.loads((HERE / "rows.json").read_text(encoding="utf-8"))
CONTEXT = Context(
    date.fromisoformat(FLAT["today"]),
    time_zone="Asia/Phnom_Penh",
    now=datetime.fromisoformat(FLAT["now"]),
    tables=ROWS["attached"],
)


@dataclass(frozen=True)
class Vector:
    """One expression; `at` is the row of the question `owner` that it belongs to, `values` by field name."""

    name: str
    source: str
    definition: Definition
    owner: str
    at: str
    here: str
    values: dict[str, str]
    rows: dict[str, list[list[str]]]
    hidden: list[str]
    kind: str
    expect: str

    @property
    def tree(self) -> Any:
        """The tree, its paths in their meaning."""
        return meant(self.source, self.owner, self.definition.compiled.places)

    def scope(self) -> AnswerScope:
        """Return the scope of Python's evaluator, standing in the row."""
        frames = Frames(
            self.definition.compiled, {code: [TableRow(*row) for row in rows] for code, rows in self.rows.items()}
        )
        for table, found in frames.of.items():
            for frame in found:
                self._fill(frame, table)
        scope = AnswerScope(self.definition, CONTEXT, frames)
        home = self.definition.compiled.homes[self.owner]
        scope.frame = next(frame for frame in frames.of[home] if frame.key == self.at or not self.at)
        scope.here = self.here
        return scope

    def _fill(self, frame: Frame, table: str) -> None:
        for code, home in self.definition.compiled.homes.items():
            if home == table and code not in self.definition.compiled.tables:
                name = f"{code}[{frame.key}]" if frame.key else code
                frame.values[code] = self.values.get(name, "")
                if name in self.hidden:
                    frame.hidden.add(code)

    def run(self) -> Any:
        """Return what Python's evaluator makes of it."""
        return compile_tree(self.tree)(self.scope())

    def for_browser(self) -> dict[str, Any]:
        """Return what the browser's evaluator needs."""
        return {
            "tree": to_json(self.tree), "owner": self.owner, "at": self.at, "here": self.here,
            "values": self.values, "rows": self.rows, "hidden": self.hidden,
        }  # fmt: skip


def flat() -> list[Vector]:
    """Return the vectors outside tables: all that they name are texts of one page."""
    found = []
    for one in FLAT["vectors"]:
        known = sorted({*one["values"], *names(parse(one["source"]))})
        items = tuple(_question(code) for code in [*known, OWNER])
        found.append(_vector(one, _definition(items), OWNER))
    return found


def in_tables() -> list[Vector]:
    """Return the vectors inside tables, on the scenes of rows.json."""
    found = []
    for one in ROWS["vectors"]:
        scene = ROWS["scenes"][one["scene"]]
        definition = _definition(tuple(_item(item) for item in scene["items"]))
        code, _, row = one["at"].rstrip("]").partition("[")
        found.append(_vector({"here": "", **scene, **one, "at": row}, definition, code))
    return found


def _vector(one: dict[str, Any], definition: Definition, owner: str) -> Vector:
    # the question computes the expression, so that the rules for the browser bring what it reads
    pages = tuple(_computing(page, owner, one["source"]) for page in definition.pages)
    definition = replace(definition, pages=pages)
    rows = {
        code: [[*row] if isinstance(row, list) else [row, ""] for row in rows]
        for code, rows in one.get("rows", {}).items()
    }
    name = f"{one['at']}: {one['source']}" if one.get("at") else one["source"]
    return Vector(
        name, one["source"], definition, owner, one.get("at", ""), one["here"], one["values"], rows,
        one.get("hidden", []), one["kind"], one["expect"],
    )  # fmt: skip


def _definition(items: tuple[Item, ...]) -> Definition:
    return Definition(
        None, "form", None, {"en": "Q"}, ("en",), "en", (Item(None, "section", "a_page", children=items),)
    )


def _question(code: str, **more: Any) -> Item:
    return Item(None, "question", code, "text", settings={"one_language": True}, **more)


def _item(spec: str | dict[str, Any]) -> Item:
    if isinstance(spec, str):
        return _question(spec)
    if "choices" in spec and "kind" not in spec:
        choices = tuple(Choice(key, {"en": label}, extra) for key, label, extra in spec["choices"])
        return Item(None, "question", spec["code"], "select_one", choices=choices, settings={"list_name": spec["list"]})
    choices = tuple(Choice(key, {"en": key}) for key in spec.get("rows", ()))
    return Item(None, spec["kind"], spec["code"], choices=choices, children=tuple(_item(one) for one in spec["items"]))


def _computing(item: Item, owner: str, source: str) -> Item:
    return replace(
        item,
        calculation=source if item.code == owner else "",
        children=tuple(_computing(child, owner, source) for child in item.children),
    )
