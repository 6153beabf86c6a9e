"""What paths mean: `../x`, `/form/group/x`, `${table}[..]/x`, `position(..)`, indexed-repeat(), instance()."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.expressions.parsing import ExpressionError
from forms.expressions.tree import (
    Call,
    Cells,
    Column,
    Filter,
    Here,
    Lookup,
    Operation,
    Path,
    Reference,
    RowNumber,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.definition.model import Item
    from forms.expressions.tree import Tree

TABLES = frozenset({"repeat", "matrix"})
_TOP = ""  # the questionnaire itself


@dataclass(frozen=True)
class Places:
    """Where the items of a questionnaire stand; what paths are resolved against."""

    by_code: Mapping[str, Item]
    parents: Mapping[str, str]
    homes: Mapping[str, str]  # the table an item stands in, "" for none

    def chain(self, table: str) -> tuple[str, ...]:
        """Return a table and those it stands in, the nearest first, "" last."""
        found = [table]
        while found[-1]:
            found.append(self.homes.get(found[-1], ""))
        return tuple(found)

    def stands_in(self, code: str) -> str:
        """Return the table whose rows an item (or its children) has: itself if it is one."""
        item = self.by_code.get(code)
        return code if item is not None and item.kind in TABLES else self.homes.get(code, "")

    def shared(self, table: str, code: str) -> str:
        """Return the nearest table in whose row a row of `table` and an item stand; "" is outside.

        A table itself stands in the row of the table around it: from inside, its name means all its rows.
        """
        mine = self.chain(table)
        item = self.by_code.get(code)
        if item is not None and item.kind in TABLES and code in mine:
            mine = mine[mine.index(code) + 1 :]
        theirs = self.chain(self.homes.get(code, ""))
        return next((one for one in mine if one in theirs), "")

    def child(self, parent: str, name: str) -> str | None:
        """Return the item of that name in another; pages may be left out of a path, as ours need not be groups."""
        item = self.by_code.get(parent)
        if item is not None and any(child.code == name for child in item.children):
            return name
        if (item is None or item.kind == "section") and name in self.by_code:
            above = self.parents.get(name, _TOP)
            if above == _TOP or self.by_code[above].kind == "section":
                return name
        return None


def sites(pages: Iterable[Item]) -> Places:
    """Return where the items of a questionnaire stand."""
    by_code: dict[str, Item] = {}
    parents: dict[str, str] = {}
    homes: dict[str, str] = {}
    for page in pages:
        for item in page.items():
            by_code[item.code] = item
            parent = parents.get(item.code, "")
            above = by_code.get(parent)
            homes[item.code] = "" if above is None else parent if above.kind in TABLES else homes[parent]
            parents.update((child.code, item.code) for child in item.children)
    return Places(by_code, parents, homes)


def resolve(tree: Tree, owner: str, places: Places) -> Tree:
    """Return the tree with every path put into its meaning, for an expression of the item `owner`.

    Raises: ExpressionError for a path that leads nowhere.
    """
    return _Resolver(owner, places).run(tree)


class _Resolver:
    def __init__(self, owner: str, places: Places) -> None:
        self.owner, self.places = owner, places

    def run(self, tree: Tree) -> Tree:  # noqa: PLR0911 - one return per kind of path
        """Return a tree with its paths put into their meaning."""
        match tree:
            case Call(name="position", parts=(Path() as path,)):
                return self._row_number(path)
            case Call(name="indexed-repeat"):
                return self._indexed(tree)
            case Path(start="instance"):
                return self._lookup(tree)
            case Path(start="current", steps=()):
                return Here(tree.at)
            case Path():
                return self._cells(tree)
            case Operation() | Call():
                return replace(tree, parts=tuple(self.run(part) for part in tree.parts))
        return tree

    def _row_number(self, path: Path) -> Tree:
        """Return position(..): the row the path leads to, or in which the group it leads to stands."""
        _apex, code, filters = self._walk(path)
        if filters:
            raise ExpressionError(_l("position(..) takes no brackets."), path.at)
        table = self.places.stands_in(code) if code else ""
        if table and table not in self.places.chain(self.places.stands_in(self.owner)):
            raise ExpressionError(_l("position(..) can count only rows around the question itself."), path.at)
        return RowNumber(table, path.at)

    def _cells(self, path: Path) -> Tree:
        apex, code, filters = self._walk(path)
        item = self.places.by_code.get(code)
        if item is None or (item.children and item.kind not in TABLES):
            raise ExpressionError(_l("This path names a group, which has no answer; name a question in it."), path.at)
        return Cells(code, apex, filters, path.at)

    def _walk(self, path: Path) -> tuple[str, str, tuple[Filter, ...]]:
        """Follow a path: return the highest table row it came through, the item it ends at and its conditions."""
        places = self.places
        here = self.owner
        apex = places.homes.get(here, "")
        filters: list[Filter] = []
        if path.start == "/":
            here, apex = _TOP, ""
        elif path.start == "name":
            here, apex = path.name, places.shared(places.homes.get(self.owner, ""), path.name)
            filters += self._filters(path.where, here)
        for number, step in enumerate(path.steps):
            if step.name == "..":
                here = places.parents.get(here, _TOP)
                home = places.homes.get(here, "") if here else ""
                inside = places.stands_in(here) if here else ""
                # Going out of a row leaves it: what is named next is looked for in all rows of its table.
                apex = next((one for one in places.chain(inside) if one in places.chain(apex)), home)
                filters = [one for one in filters if one.table in places.chain(inside)]
            elif step.name != ".":
                below = places.child(here, step.name)
                if below is None and path.start == "/" and number == 0:
                    continue  # the name of the questionnaire
                if below is None:
                    raise self._nowhere(step.name, path)
                here = below
            filters += self._filters(step.where, here)
        return apex, here, tuple(filters)

    def _nowhere(self, name: str, path: Path) -> ExpressionError:
        if name in self.places.by_code:
            return ExpressionError(
                _l("The path leads to no “%(name)s”; please write ${%(name)s}.", name=name[:60]), path.at
            )
        return ExpressionError(_l("The path leads to no question “%(name)s”.", name=name[:60]), path.at)

    def _filters(self, where: tuple[Tree, ...], code: str) -> list[Filter]:
        item = self.places.by_code.get(code)
        if where and (item is None or (item.children and item.kind not in TABLES)):
            raise ExpressionError(_l("Brackets [..] can stand only behind a table or a question of one."), where[0].at)
        return [Filter(code, self._inside(rule, code)) for rule in where]

    def _inside(self, tree: Tree, code: str) -> Tree:
        """Put a condition in brackets into its meaning: `x`, `./x` and `../x` are the row's own questions."""
        match tree:
            case Path(start="", steps=steps) if self._own(steps, code) is not None:
                return self._column(self._own(steps, code) or "", code, tree.at)
            case Path(start="" | "/" | "current" | "name"):
                return self.run(tree)
            case Column(name=name):
                return self._column(name, code, tree.at)
            case Call(name="position", parts=(Path() as path,)):
                return self._row_number(path)
            case Operation() | Call():
                return replace(tree, parts=tuple(self._inside(part, code) for part in tree.parts))
        return tree

    def _own(self, steps: tuple[Step, ...], code: str) -> str | None:
        item = self.places.by_code.get(code)
        lead = "." if item is not None and item.kind in TABLES else ".."
        names = [step.name for step in steps]
        return names[1] if len(names) == 2 and names[0] == lead and names[1] not in (".", "..") else None

    def _column(self, name: str, code: str, at: int) -> Tree:
        table = self.places.stands_in(code)
        if self.places.homes.get(name) != table or not table:
            raise ExpressionError(
                _l("The table “%(table)s” has no column “%(name)s”.", table=table or code, name=name[:60]), at
            )
        return Column(name, at)

    def _indexed(self, call: Call) -> Tree:
        """Return indexed-repeat(question, table, number, ...): the answer in the rows with those numbers."""
        code = self._named(call.parts[0], call)
        filters: list[Filter] = []
        for table, index in zip(call.parts[1::2], call.parts[2::2], strict=False):
            name = self._named(table, call)
            if name not in self.places.chain(self.places.homes.get(code, "")) or not name:
                raise ExpressionError(
                    _l("indexed-repeat(): “%(name)s” does not stand in the table “%(table)s”.", name=code, table=name),
                    call.at,
                )
            number = self.run(index)
            filters.append(Filter(name, Call("number", (number,), call.at), outside=True))
        if len(call.parts) % 2 == 0:
            raise ExpressionError(_l("indexed-repeat() takes a table and a row number for each level."), call.at)
        named = {one.table for one in filters}
        chain = self.places.chain(self.places.homes.get(self.owner, ""))
        apex = _above(chain, named, self.places.chain(self.places.homes.get(code, "")))
        return Cells(code, apex, tuple(filters), call.at)

    def _named(self, tree: Tree, call: Call) -> str:
        """Return the code of an argument that must name a question or a table."""
        if isinstance(tree, Reference):
            return tree.name
        if isinstance(tree, Path) and tree.start != "instance":
            return self._walk(tree)[1]
        raise ExpressionError(
            _l("indexed-repeat() takes the question and its table as ${names}, then the number of the row."), call.at
        )

    def _lookup(self, path: Path) -> Tree:
        """Return instance('name')/root/item[..]/column."""
        names = [step.name for step in path.steps]
        if path.where or names[:2] != ["root", "item"] or len(names) > 3 or any(path.steps[0].where):
            raise ExpressionError(
                _l("A table is read as instance('%(name)s')/root/item[column = ..]/column.", name=path.name), path.at
            )
        rules = path.steps[1].where
        column = names[2] if len(names) == 3 else ""
        if column and path.steps[2].where:
            raise ExpressionError(_l("Brackets [..] can stand only behind “item”."), path.at)
        return Lookup(path.name, column, tuple(Filter("", self._bare(rule)) for rule in rules), path.at)

    def _bare(self, tree: Tree) -> Tree:
        match tree:
            case Path(start="", steps=(Step(name="."), Step(name=name))):
                return Column(name, tree.at)
            case Path():
                return self.run(tree)
            case Call(name="position", parts=(Path() as path,)):
                return self._row_number(path)
            case Operation() | Call():
                return replace(tree, parts=tuple(self._bare(part) for part in tree.parts))
        return tree


def _above(mine: tuple[str, ...], named: set[str], theirs: tuple[str, ...]) -> str:
    """Return the nearest table in whose row both stand and above which no row is chosen by number."""
    for place, table in enumerate(mine):
        if table in theirs and not named & set(mine[place:]):
            return table
    return ""
