"""The judging of rules: every expression parsed, every name known, no circles; all mistakes at once."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.compiled import ALWAYS, NEVER, dependencies, in_order
from forms.expressions import ExpressionError, parse
from forms.expressions.tree import Call, Column, Here, Literal, Operation, Reference, Tree, walk

if TYPE_CHECKING:
    from forms.definition.model import Item
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow
    from forms.definition.survey import Survey

RULES = ("relevant", "constraint", "calculation", "required", "choice_filter")
_NAME = re.compile(r"\$\{\s*([^{}\s]*)\s*\}")
_PAIR = 2


class Rules:
    """Judges the rules of all items; `mended` returns the items without the rules that were left out."""

    def __init__(
        self,
        survey: Survey,
        findings: Findings,
    ) -> None:
        pages = survey.pages
        self.items = {item.code: item for page in pages for item in page.items()}
        self.places = survey.places
        self.lost = survey.lost - self.items.keys()
        self.unknown = survey.unknown
        self.headers = survey.headers
        self.findings = findings
        self.left_out: set[tuple[str, str]] = set()
        self.broken: set[str] = set()
        for item in self.items.values():
            for rule in RULES:
                self._judge(item, rule, getattr(item, rule))
            evidence = item.settings.get("evidence_required")
            if isinstance(evidence, str):
                self._judge(item, "evidence_required", evidence)
            self._judge_texts(item)
            self._judge_default(item)
        self._judge_circles(pages)

    def mended(self, item: Item) -> Item:
        """Return the item, and all in it, without the rules that were left out with a warning."""
        changes: dict[str, Any] = {rule: "" for rule in RULES if (item.code, rule) in self.left_out}
        if item.children:
            changes["children"] = tuple(self.mended(child) for child in item.children)
        return replace(item, **changes) if changes else item

    def _judge(self, item: Item, rule: str, source: str) -> None:
        plain = source.strip()
        if not plain or (rule == "required" and plain.lower() in ALWAYS | NEVER):
            return
        row, header = self.places.get(item.code), self.headers.header(rule) or rule
        try:
            tree = parse(plain, filtering=rule == "choice_filter")
        except ExpressionError as trouble:
            self.broken.add(item.code)
            self.findings.error(trouble.sentence, row, header, _l("The expression is: %(source)s", source=plain[:200]))
            return
        for node in walk(tree):
            if isinstance(node, Reference) and node.name not in self.items:
                self._unknown(item, rule, node.name, row, header)
            elif isinstance(node, Reference) and self.items[node.name].children:
                self._folder(item, node.name, row, header)
            elif isinstance(node, Column):
                self._column(item, node.name, row, header)
            elif isinstance(node, Here) and rule in ("relevant", "required") and not node.up:
                self.findings.warn(_l("“.” has no value here; name a question as ${name}."), row, header)
            else:
                self._key(node, row, header)

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
        if item.default and keys and "${" not in item.default and "(" not in item.default:
            unknown = [key for key in item.default.split() if key not in keys]
            if unknown:
                self.findings.error(
                    _l("The default “%(key)s” is not a choice of this question.", key=unknown[0][:40]),
                    self.places.get(item.code),
                    self.headers.header("default"),
                    _l("Its choices are: %(known)s.", known=", ".join(list(keys)[:12])),
                )

    def _judge_circles(self, pages: tuple[Item, ...]) -> None:
        sound = [
            replace(item, relevant="", calculation="") if item.code in self.broken else item
            for item in self.items.values()
        ]
        parents = {child.code: item.code for page in pages for item in page.items() for child in item.children}
        _order, circle = in_order(dependencies(sound, parents))
        for code in circle:
            item = self.items[code]
            rule = "calculation" if item.calculation else "relevant"
            self.findings.error(
                _l("The rules go round in a circle: %(names)s.", names=", ".join(circle[:8])),
                self.places.get(code),
                self.headers.header(rule) or rule,
                _l("A question cannot depend on its own answer, not even through others."),
            )
