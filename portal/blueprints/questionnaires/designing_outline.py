"""The outline of a draft as view data: every line with its marks, and where it can be moved to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.blueprints.questionnaires.designing_room import FOLDERS, label, mistakes
from portal.blueprints.questionnaires.room import reading_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.definition.model import Definition, Item
    from forms.definition.report import Mistake

APART = "|"  # no code holds it
NEVER = frozenset({"", "no", "false", "false()"})
DIRECTIONS = ("up", "down", "into", "out")


@dataclass
class Line:
    """One item in the outline. ``moves`` are the values of its buttons by direction, "" where it cannot go.

    ``was`` is the place it stands at, as parent and next sibling; ``after`` the place right behind it.
    """

    item: Item
    label: str
    others: list[tuple[str, str]]
    problems: list[Mistake]
    was: tuple[str, str]
    moves: dict[str, str] = field(default_factory=dict)
    children: list[Line] = field(default_factory=list)

    @property
    def folder(self) -> bool:
        """Tell whether other items can stand in it."""
        return self.item.kind in FOLDERS

    @property
    def required(self) -> bool:
        """Tell whether it must be answered, always or sometimes."""
        return self.item.required.strip().lower() not in NEVER

    @property
    def wrong(self) -> bool:
        """Tell whether a mistake keeps the draft from being published."""
        return any(one.severity == "error" for one in self.problems)

    @property
    def drag(self) -> str:
        """What its handle says to the script: the code and the place it stands at."""
        return APART.join((self.item.code, *self.was))


@dataclass(frozen=True)
class Outline:
    """A draft as its author sees it: its pages, what is wrong with it, how many questions it asks."""

    lines: list[Line]
    problems: list[tuple[str, str, Mistake]]  # code, label, what the checker says; errors first
    errors: int


def outline(of: Definition) -> Outline:
    """Return the outline of a draft."""
    found = mistakes(of)
    lines = _lines(of.pages, "", found)
    _moves(lines, [])
    labels = {item.code: label(item) for item in of.items()}
    problems = [(code, labels.get(code, ""), one) for code, some in found.items() for one in some]
    problems.sort(key=lambda one: one[2].severity != "error")
    return Outline(lines, problems, sum(1 for one in problems if one[2].severity == "error"))


def _lines(items: Sequence[Item], parent: str, found: Mapping[str, list[Mistake]]) -> list[Line]:
    order = reading_order()
    lines = []
    for at, item in enumerate(items):
        said = item.texts.get("label") or {}
        shown = label(item)
        lines.append(
            Line(
                item,
                shown,
                [(one, said[one]) for one in order if said.get(one) and " ".join(said[one].split()) != shown],
                found.get(item.code, []),
                (parent, items[at + 1].code if at + 1 < len(items) else ""),
                children=_lines(item.children, item.code, found),
            )
        )
    return lines


def _moves(lines: Sequence[Line], above: Sequence[tuple[Line, Sequence[Line]]]) -> None:
    """Fill in where each line can go; ``above`` are the lines it stands in, outermost first, with their siblings."""
    for at, line in enumerate(lines):
        places = {
            "up": _up(lines, at, above),
            "down": _down(lines, at, above),
            "into": _into(lines, at),
            "out": above[-1][0].was if _may_leave(line, above) else None,
        }
        # out: right behind what it stood in, that is where its folder's next sibling stands now
        line.moves = {
            direction: APART.join(("move", line.item.code, *place, *line.was)) if place is not None else ""
            for direction, place in places.items()
        }
        _moves(line.children, [*above, (line, lines)])


def _may_leave(line: Line, above: Sequence[tuple[Line, Sequence[Line]]]) -> bool:
    del line
    return bool(above) and above[-1][0].item.kind != "section"


def _up(
    lines: Sequence[Line], at: int, above: Sequence[tuple[Line, Sequence[Line]]]
) -> tuple[str, str] | None:
    if at:
        return lines[at].was[0], lines[at - 1].item.code
    page = _neighbour(above, -1)
    return (page.item.code, "") if page is not None else None


def _down(
    lines: Sequence[Line], at: int, above: Sequence[tuple[Line, Sequence[Line]]]
) -> tuple[str, str] | None:
    if at + 1 < len(lines):
        return lines[at].was[0], lines[at + 1].was[1]
    page = _neighbour(above, 1)
    return (page.item.code, page.children[0].item.code if page.children else "") if page is not None else None


def _neighbour(above: Sequence[tuple[Line, Sequence[Line]]], step: int) -> Line | None:
    """Return the page before or behind the one a line stands on, if it stands right on it."""
    if not above or above[-1][0].item.kind != "section":
        return None
    page, pages = above[-1]
    at = list(pages).index(page) + step
    return pages[at] if 0 <= at < len(pages) else None


def _into(lines: Sequence[Line], at: int) -> tuple[str, str] | None:
    """Return the end of the folder right before a line, if it may stand in it."""
    if not at or lines[at].item.kind == "section" or not lines[at - 1].folder:
        return None
    folder = lines[at - 1]
    if folder.item.kind == "matrix" and lines[at].item.kind != "question":
        return None
    return folder.item.code, ""


def flat(lines: Iterable[Line]) -> list[Line]:
    """Return all lines from top to bottom."""
    found: list[Line] = []
    for line in lines:
        found += [line, *flat(line.children)]
    return found
