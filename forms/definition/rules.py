"""The judging of rules: every expression parsed, every name known, no circles; all mistakes at once."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.context import Context
from forms.definition.compiled import ALWAYS, NEVER, dependencies, dynamic, in_order
from forms.definition.paths import TABLES, resolve, sites
from forms.definition.tables import BUILT_IN
from forms.evaluation import raw_of_default
from forms.expressions import ExpressionError, NotOffered, judge
from forms.expressions.tree import (
    Call,
    Cells,
    Column,
    Here,
    Literal,
    Lookup,
    Operation,
    Path,
    Reference,
    Tree,
    parts_of,
    walk,
)
from forms.question_types import question_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.answers import Text
    from forms.definition.model import Item
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow
    from forms.definition.survey import Survey

RULES = ("relevant", "constraint", "calculation", "required", "choice_filter")
KEPT = "kept_rules"  # the setting under which rules that cannot be computed here are given back by an export
_NAME = re.compile(r"\$\{\s*([^{}\s]*)\s*\}")
_LAST_SAVED = re.compile(r"\$\{\s*last-saved#")
_KEEPABLE = (*RULES, "default", "repeat_count")
_PAIR = 2


class Rules:
    """Judges the rules of all items; `mended` returns the items without the rules that were left out.

    With `keep`, a rule that is right by the standard and cannot be computed here (chance, maps, checksums, what a
    device saved last) is kept with a warning, as an uploaded file needs it; else it is a mistake like any other.
    """

    def __init__(self, survey: Survey, findings: Findings, *, keep: bool = False) -> None:
        self.keep = keep
        pages = survey.pages
        self.items = {item.code: item for page in pages for item in page.items()}
        self.places = survey.places
        self.lost = survey.lost - self.items.keys()
        self.unknown = survey.unknown
        self.headers = survey.headers
        self.findings = findings
        self.sites = sites(pages)
        self.lists = survey.lists
        self.tables = survey.tables
        self.looked_up: set[str] = set()  # names of the tables and lists that rules look up
        self.left_out: set[tuple[str, str]] = set()
        self.kept: dict[str, dict[str, str]] = {}  # by item: rules that are given back and not computed
        self.broken: set[str] = set()
        for item in self.items.values():
            for rule in RULES:
                self._judge(item, rule, getattr(item, rule))
            evidence = item.settings.get("evidence_required")
            if isinstance(evidence, str):
                self._judge(item, "evidence_required", evidence)
            self._judge(item, "soft_constraint", str(item.settings.get("soft_constraint") or ""))
            self._judge_whole(item)
            if isinstance(read_only := item.settings.get("read_only"), str):
                self._judge(item, "read_only", read_only)
            elif read_only:
                self._judge_read_only(item)
            self._judge(item, "repeat_count", str(item.settings.get("repeat_count") or ""))
            if dynamic(item.default) or self._not_offered(item.default):
                self._judge(item, "default", item.default)
            self._judge_texts(item)
            self._judge_default(item)
            self._judge_place(item)
        self._judge_circles()

    def mended(self, item: Item) -> Item:
        """Return the item, and all in it, without the rules that were left out with a warning."""
        changes: dict[str, Any] = {rule: "" for rule in RULES if (item.code, rule) in self.left_out}
        if kept := self.kept.get(item.code):
            changes |= dict.fromkeys(kept.keys() - {"repeat_count"}, "")
            staying = {name: value for name, value in item.settings.items() if name not in kept}
            changes["settings"] = {**staying, KEPT: kept}
            if item.type == "calculate" and "calculation" in kept:
                changes["type"] = "hidden"
                changes["settings"].setdefault("written_type", "calculate")
        if item.children:
            changes["children"] = tuple(self.mended(child) for child in item.children)
        return replace(item, **changes) if changes else item

    def _judge(self, item: Item, rule: str, source: str) -> None:
        plain = source.strip()
        if not plain or (rule == "required" and plain.lower() in ALWAYS | NEVER):
            return
        row, header = self.places.get(item.code), self.headers.header(rule) or rule
        if self.keep and _LAST_SAVED.search(plain):
            sentence = _l("“last-saved” is what a device kept of an earlier form; here there is none.")
            self._keep(item, rule, plain, sentence, row, header)
            return
        tree, problems = judge(plain, filtering=rule == "choice_filter")
        if self.keep and problems and all(isinstance(one, NotOffered) for one in problems) and rule in _KEEPABLE:
            self._keep(item, rule, plain, problems[0].sentence, row, header)
            return
        for problem in problems:
            self._wrong(item, problem, plain, row, header)
        if tree is None or problems:
            return
        self._names(item, rule, tree, row, header)
        if item.code not in self.broken:
            try:
                meaning = resolve(tree, item.code, self.sites)
            except ExpressionError as trouble:
                self._wrong(item, trouble, plain, row, header)
                return
            self._tables(item, meaning, row, header)

    def _judge_read_only(self, item: Item) -> None:
        """Let nobody be held up by a question that must be answered and cannot be."""
        required = item.required.strip()
        if self.keep and required.lower() not in NEVER and not item.default and not item.calculation:
            row, header = self.places.get(item.code), self.headers.header("required") or "required"
            self._keep(item, "required", required, _l("Nobody can answer a question that is read only."), row, header)

    def _computed(self, item: Item) -> bool:
        return dynamic(item.default) or "default" in self.kept.get(item.code, {})

    def _not_offered(self, default: str) -> bool:
        """Tell whether a default calls only functions of the standard that are not computed here."""
        problems = judge(default.strip())[1] if self.keep and "(" in default else ()
        return bool(problems) and all(isinstance(one, NotOffered) for one in problems)

    def _keep(self, item: Item, rule: str, source: str, sentence: Text, row: RawRow | None, header: str) -> None:
        """Let a rule ride along without effect."""
        self.kept.setdefault(item.code, {})[rule] = source
        self.broken.add(item.code)  # it reads nothing and closes no circle
        mend = _l("It is kept and not computed: %(source)s", source=source[:200])
        self.findings.warn(sentence, row, header, mend)

    def _wrong(self, item: Item, trouble: ExpressionError, source: str, row: RawRow | None, header: str) -> None:
        self.broken.add(item.code)
        self.findings.error(trouble.sentence, row, header, _l("The expression is: %(source)s", source=source[:200]))

    def _names(self, item: Item, rule: str, tree: Tree, row: RawRow | None, header: str) -> None:
        """Judge every name of an expression, and what is compared with choices."""
        for node, bracketed in _nodes(tree):
            if isinstance(node, Reference) or (isinstance(node, Path) and node.start == "name"):
                if node.name not in self.items:
                    self._unknown(item, rule, node.name, row, header)
                elif isinstance(node, Reference) and self._is_group(node.name):
                    self._folder(item, node.name, row, header)
            elif isinstance(node, Column):
                if not bracketed:
                    self._column(item, node.name, row, header)
            elif isinstance(node, Here) and rule in ("relevant", "required") and not bracketed:
                self.findings.warn(_l("“.” has no value here; name a question as ${name}."), row, header)
            else:
                self._key(node, row, header)

    def _is_group(self, name: str) -> bool:
        item = self.items[name]
        return bool(item.children) and item.kind not in TABLES

    def _tables(self, item: Item, meaning: Tree, row: RawRow | None, header: str) -> None:
        """Judge what an expression reads of other questions by path, of attached tables and of lists of choices."""
        for node in walk(meaning):
            if isinstance(node, Lookup):
                columns = [node.column, *(part.name for part in walk(node) if isinstance(part, Column))]
                self._table(item, node.table, columns, row, header)
            elif isinstance(node, Call) and node.name == "pulldata":
                table, *columns = (part.value for part in node.parts[:3] if isinstance(part, Literal))
                self._table(item, table, columns, row, header)
            elif isinstance(node, Cells) and node.code == item.code and item.calculation:
                self.broken.add(item.code)
                self.findings.error(
                    _l("This question computes its value from itself, in another row."),
                    row,
                    header,
                    _l("A question cannot depend on its own answer, not even through others."),
                )

    def _table(self, item: Item, name: str, columns: list[str], row: RawRow | None, header: str) -> None:
        """Judge what is looked up: an attached table, person and institution, a list of choices."""
        self.looked_up.add(name)
        if name in BUILT_IN:
            return
        table, choices = self.tables.get(name), self.lists.get(name)
        if table is None and choices is None:
            self.findings.warn(
                _l("The table “%(name)s” is not attached; looking it up gives nothing.", name=name[:60]),
                row,
                header,
                _l("Add it as a sheet of that name, or upload it together with the questionnaire."),
            )
            return
        known = {"name", "label", *(column for choice in choices or () for column in choice.extra)}
        if table is not None:
            known = set(table.columns)
        for column in columns:
            if column and column not in known:
                self.broken.add(item.code)
                self.findings.error(
                    _l("The list of choices has no column “%(name)s”.", name=column[:60])
                    if table is None
                    else _l("The table “%(table)s” has no column “%(name)s”.", table=name, name=column[:60]),
                    row,
                    header,
                    _l("Its columns are: %(known)s.", known=", ".join(sorted(known)[:12])),
                )

    def _judge_place(self, item: Item) -> None:
        if item.kind == "matrix" and self.sites.homes[item.code]:
            self.findings.error(
                _l("A matrix cannot stand in a table."),
                self.places.get(item.code),
                self.headers.header("type"),
                _l("Please move it out of the repeat, or ask its rows as columns."),
            )

    def _unknown(self, item: Item, rule: str, name: str, row: RawRow | None, header: str) -> None:
        if name in self.unknown:
            self.broken.add(item.code)  # the row of that question has its own sentence
            return
        if name in self.lost:
            self.left_out.add((item.code, rule))
            self.findings.warn(
                _l("This rule reads “%(name)s”, which stands in a table; the rule is left out.", name=name), row, header
            )
            return
        self.broken.add(item.code)
        near = difflib.get_close_matches(name, self.items, n=1)
        self.findings.error(
            _l("There is no question named “%(name)s”.", name=name[:60]),
            row,
            header,
            _l("Did you mean “%(nearest)s”?", nearest=near[0]) if near else _l("Check the column name."),
        )

    def _folder(self, item: Item, name: str, row: RawRow | None, header: str) -> None:
        self.broken.add(item.code)
        self.findings.error(
            _l("“%(name)s” is a group and has no answer.", name=name), row, header, _l("Name a question in it.")
        )

    def _column(self, item: Item, name: str, row: RawRow | None, header: str) -> None:
        known = {"name", "label", *(column for choice in item.choices for column in choice.extra)}
        if name not in known:
            self.broken.add(item.code)
            self.findings.error(
                _l("The list of choices has no column “%(name)s”.", name=name),
                row,
                header,
                _l("Its columns are: %(known)s.", known=", ".join(sorted(known))),
            )

    def _key(self, node: Tree, row: RawRow | None, header: str) -> None:
        """Warn of a comparison with a choice that the question does not have."""
        if not isinstance(node, (Call, Operation)) or len(node.parts) != _PAIR:
            return
        if isinstance(node, Operation) and node.sign not in ("=", "!="):
            return
        if isinstance(node, Call) and node.name != "selected":
            return
        for left, right in (node.parts, node.parts[::-1]):
            item = self.items.get(left.name) if isinstance(left, Reference) else None
            if item is None or not item.choices or not isinstance(right, Literal) or not right.value:
                continue
            if right.value not in item.choice_by_key:
                self.findings.warn(
                    _l("“%(key)s” is not a choice of “%(name)s”.", key=right.value[:40], name=item.code),
                    row,
                    header,
                    _l("Its choices are: %(known)s.", known=", ".join(list(item.choice_by_key)[:12])),
                )

    def _judge_texts(self, item: Item) -> None:
        row = self.places.get(item.code)
        for name in dict.fromkeys(
            name for choice in item.choices for text in choice.texts.values() for name in _NAME.findall(text)
        ):
            if name not in {*self.items, *self.lost, *self.unknown}:
                self.findings.error(
                    _l("The label of a choice names “%(name)s”, which is no question.", name=name[:60]),
                    row,
                    self.headers.header("type"),
                    _l("Write ${name} with the name of a question."),
                )
        for role, texts in item.texts.items():
            for text in texts.values():
                for name in _NAME.findall(text):
                    if name not in {*self.items, *self.lost, *self.unknown}:
                        self.findings.error(
                            _l("The text names “%(name)s”, which is no question.", name=name[:60]),
                            row,
                            self.headers.header("guidance_hint" if role == "guidance" else role) or role,
                            _l("Write ${name} with the name of a question."),
                        )

    def _judge_default(self, item: Item) -> None:
        keys = item.choice_by_key
        if item.default and item.type in question_types() and not self._computed(item) and not _readable(item):
            value = item.default[:40]
            self.findings.warn(
                _l("The default “%(value)s” is no value of the type “%(type)s”.", value=value, type=item.type),
                self.places.get(item.code),
                self.headers.header("default"),
                _l("It is kept; the answer begins empty."),
            )
        if item.default and keys and not dynamic(item.default):
            unknown = [key for key in item.default.split() if key not in keys]
            if unknown:
                self.findings.error(
                    _l("The default “%(key)s” is not a choice of this question.", key=unknown[0][:40]),
                    self.places.get(item.code),
                    self.headers.header("default"),
                    _l("Its choices are: %(known)s.", known=", ".join(list(keys)[:12])),
                )

    def _judge_whole(self, item: Item) -> None:
        """Judge the column part_of: it names the question whose parts are counted."""
        whole = str(item.settings.get("part_of") or "")
        if whole and whole not in {*self.items, *self.lost, *self.unknown}:
            near = difflib.get_close_matches(whole, self.items, n=1)
            self.findings.error(
                _l("There is no question named “%(name)s”.", name=whole[:60]),
                self.places.get(item.code),
                self.headers.header("part_of") or "part_of",
                _l("Did you mean “%(nearest)s”?", nearest=near[0]) if near else _l("Check the column name."),
            )

    def _judge_circles(self) -> None:
        sound = [
            replace(item, relevant="", calculation="", default="") if item.code in self.broken else item
            for item in self.items.values()
        ]
        _order, circle = in_order(dependencies(sound, self.sites))
        for code in circle:
            item = self.items[code]
            rule = "calculation" if item.calculation else "relevant" if item.relevant else "default"
            self.findings.error(
                _l("The rules go round in a circle: %(names)s.", names=", ".join(circle[:8])),
                self.places.get(code),
                self.headers.header(rule) or rule,
                _l("A question cannot depend on its own answer, not even through others."),
            )


def _nodes(tree: Tree) -> Iterator[tuple[Tree, bool]]:
    """Yield every node with: does it stand in brackets?"""
    waiting = [(tree, False)]
    while waiting:
        node, inside = waiting.pop()
        yield node, inside
        waiting.extend((part, inside or isinstance(node, Path)) for part in reversed(parts_of(node)))


def _readable(item: Item) -> bool:
    """Tell whether a static default can be an answer of the question's type; files and choices are judged elsewhere."""
    kind = question_types()[item.type]
    if not kind.asks or item.choices or kind.control == "file" or item.calculation:
        return True
    raw = item.default.split() if kind.several else raw_of_default(kind, item.default, item)
    return kind.parse(raw, item, Context(date(2000, 1, 1)), "").value is not None
