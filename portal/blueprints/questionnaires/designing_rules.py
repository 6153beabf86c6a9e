"""The rules of an item on its page: small selects, the raw expression beside them, and which of the two was meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from forms import conditions
from forms.definition.compiled import ALWAYS, NEVER
from forms.question_types import question_type
from forms.tables import tables
from portal.blueprints.questionnaires.designing_room import label, path_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from forms.definition.model import Definition, Item
    from forms.definition.report import Mistake

# which selects stand beside a rule; "" = none
BUILDERS = {
    "required": "condition", "relevant": "condition", "constraint": "condition", "calculation": "sum",
    "choice_filter": "filter", "default": "",
}  # fmt: skip
SHOWN_LABEL = 70
MOST_VALUES = 300  # choices offered in a select of the builder


@dataclass(frozen=True)
class Subject:
    """A question that a rule may name: its code, how it is called, its type, its choices as (key, label)."""

    code: str
    label: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass
class Row:
    """One line of selects. For a filter ``question`` is the column and ``value`` the question."""

    question: str = ""
    operator: str = ""
    value: str = ""
    operators: Sequence[tuple[str, str]] = ()
    choices: Sequence[tuple[str, str]] = ()


@dataclass
class RuleView:
    """One rule as its page shows it.

    ``base`` is what its writer saw when they began, ``seen`` what this page shows, ``was`` the same as the selects say
    it; ``theirs`` is what somebody else saved meanwhile. ``mode`` is of `required` alone: no, always or if.
    """

    name: str
    source: str
    base: str
    builder: str
    by_hand: bool
    rows: list[Row] = field(default_factory=list)
    join: str = "and"
    was: str = ""
    mode: str = ""
    error: str = ""
    theirs: str | None = None
    mistakes: list[Mistake] = field(default_factory=list)


def rules_of(item: Item) -> tuple[str, ...]:
    """Return the rules that an item of this kind can have, in the order in which they are thought of."""
    if item.kind != "question":
        return ("relevant",)
    kind = question_type(item.type)
    if not kind.asks:
        return ("calculation", "relevant", *(("default",) if item.default else ()))
    filters = ("choice_filter",) if kind.has_choices and (item.choice_filter or columns_of(item)) else ()
    computed = ("calculation",) if item.calculation else ()
    return ("required", "relevant", "constraint", *filters, "default", *computed)


def columns_of(item: Item) -> list[str]:
    """Return the further columns of the list of choices, by which choices can be filtered."""
    return sorted({column for choice in item.choices for column in choice.extra})


def subjects(of: Definition, item: Item) -> list[Subject]:
    """Return the questions that a rule of an item may name: those outside tables, and those of its own table."""
    around = {one.code for one in path_to(of, item.code)}
    elsewhere = {
        column.code for table in tables(of).values() if table.code not in around for column in table.item.items()
    } | {one.code for one in item.items()}
    return [
        Subject(
            one.code,
            _short(label(one)),
            one.type,
            tuple((choice.key, _short(_called(choice.texts, choice.key))) for choice in one.choices[:MOST_VALUES]),
        )
        for one in of.items()
        if one.kind == "question" and one.code not in elsewhere
    ]


def _called(texts: Mapping[str, str], key: str) -> str:
    from portal.reader import localized

    return localized(texts) or key


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_LABEL else f"{text[: SHOWN_LABEL - 1]}…"


def this_answer(item: Item) -> Subject:
    """Return the question itself as a rule of its own answer names it."""
    choices = tuple((choice.key, _short(_called(choice.texts, choice.key))) for choice in item.choices[:MOST_VALUES])
    return Subject(conditions.THIS, _("This answer"), item.type, choices)


class RuleReader:
    """Reads and shows the rules of one item; ``posted`` is what came from the page, None when it is opened."""

    def __init__(self, of: Definition, item: Item, posted: MultiDict[str, str] | None) -> None:
        self.item, self.posted = item, posted
        self.subjects = subjects(of, item)
        self.named = {one.code: one for one in [this_answer(item), *self.subjects]}
        self.columns = columns_of(item)

    def kinds(self, rule: str) -> dict[str, str]:
        """Return the types of what a rule may name; "." only where it has an answer to speak of."""
        kinds = {one.code: one.kind for one in self.subjects}
        return kinds | {conditions.THIS: self.item.type} if rule == "constraint" else kinds

    def offered(self, rule: str) -> list[Subject]:
        """Return what the selects of a rule offer."""
        if rule == "constraint":
            return [self.named[conditions.THIS], *self.subjects]
        return self.subjects

    def said(self, rule: str) -> tuple[str, str]:
        """Return what was posted for a rule, and a sentence if the page said two things at once."""
        posted = self.posted
        if posted is None or f"rule:{rule}" not in posted:
            return str(getattr(self.item, rule)), ""
        raw, seen = _plain(posted.get(f"rule:{rule}", "")), _plain(posted.get(f"seen:{rule}", ""))
        built = self._built(rule) if f"was:{rule}" in posted else None
        changed = built is not None and built != _plain(posted.get(f"was:{rule}", ""))
        error = ""
        source = raw
        if changed and built is not None:
            if raw not in (seen, built):
                error = _("The selects and the written expression say different things. Change only one of them.")
            else:
                source = built
        return (self._required(source, changed=source != seen), error) if rule == "required" else (source, error)

    def _required(self, source: str, *, changed: bool) -> str:
        """Return the rule of `required`: its three ways stand above the selects."""
        posted: Any = self.posted
        mode = posted.get("mode:required", "")
        if changed and mode == posted.get("was-mode:required"):
            mode = "if"  # whoever writes a condition means it
        seen = _plain(posted.get("base:rule:required", ""))
        if mode == "always":
            return seen if seen.lower() in ALWAYS else "true()"
        if mode == "no":
            return ""
        return source

    def _built(self, rule: str) -> str:
        """Return the expression that the posted selects stand for."""
        rows = self._posted_rows(rule)
        builder = BUILDERS[rule]
        if builder == "sum":
            return conditions.write_sum([row.question for row in rows if row.question])
        if builder == "filter":
            return conditions.write_filter([(row.question, row.value) for row in rows])
        return conditions.write_condition(self._condition(rule, rows), self.kinds(rule))

    def _condition(self, rule: str, rows: Sequence[Row]) -> conditions.Condition:
        posted: Any = self.posted
        kinds = self.kinds(rule)
        lines = tuple(
            conditions.fitted(conditions.Line(row.question, row.operator, row.value.strip()), kinds[row.question])
            for row in rows
            if row.question in kinds
        )
        return conditions.Condition(lines, "or" if posted.get(f"join:{rule}") == "or" else "and")

    def _posted_rows(self, rule: str) -> list[Row]:
        posted: Any = self.posted
        rows, number = [], 0
        while f"line:{rule}:{number}:question" in posted:
            field_of = f"line:{rule}:{number}:"
            rows.append(
                Row(*(posted.get(field_of + part, "") for part in ("question", "operator", "value")))
            )
            number += 1
        return rows

    def view(self, rule: str, mistakes: Sequence[Mistake]) -> RuleView:
        """Return a rule as its page shows it, with what was typed and what the checker says of it."""
        stored = str(getattr(self.item, rule))
        source, error = self.said(rule)
        shown = RuleView(
            rule,
            source,
            stored if self.posted is None else self.posted.get(f"base:rule:{rule}", stored),
            BUILDERS[rule],
            by_hand=False,
            error=error,
            mistakes=[one for one in mistakes if one.column == rule],
        )
        if rule == "required":
            plain = source.strip().lower()
            shown.mode = "no" if plain in NEVER or not plain else "always" if plain in ALWAYS else "if"
            asked = self.posted.get("mode:required") if self.posted is not None else None
            if asked == "if" and shown.mode == "no":
                shown.mode = "if"
            source = source if shown.mode == "if" else ""
        self._rows(shown, source, error)
        return shown

    def _rows(self, shown: RuleView, source: str, error: str) -> None:
        rule = shown.name
        rows: list[Row] | None = None
        if shown.builder == "condition":
            found = conditions.read_condition(source, self.kinds(rule))
            if found is not None:
                shown.join, rows = found.join, [Row(one.question, one.operator, one.value) for one in found.lines]
        elif shown.builder == "sum":
            codes = conditions.read_sum(source)
            rows = None if codes is None else [Row(code) for code in codes]
        elif shown.builder == "filter":
            pairs = conditions.read_filter(source, self.columns)
            rows = None if pairs is None else [Row(column, "=", code) for column, code in pairs]
        shown.by_hand = rows is None
        if rows is None:
            return
        shown.was = source if not rows else self._spelled(shown, rows)
        if self.posted is not None and not error:
            rows += self._unfinished(shown, rows)
        shown.rows = [self._filled(row, shown.builder) for row in [*rows, Row()]]

    def _spelled(self, shown: RuleView, rows: Sequence[Row]) -> str:
        """Return what the selects of a page say when nobody touches them."""
        if shown.builder == "sum":
            return conditions.write_sum([row.question for row in rows])
        if shown.builder == "filter":
            return conditions.write_filter([(row.question, row.value) for row in rows])
        lines = tuple(conditions.Line(row.question, row.operator, row.value) for row in rows)
        join: conditions.Join = "or" if shown.join == "or" else "and"
        return conditions.write_condition(conditions.Condition(lines, join), self.kinds(shown.name))

    def _unfinished(self, shown: RuleView, rows: Sequence[Row]) -> list[Row]:
        """Return posted lines whose value is still to be chosen: they stay on the page."""
        known = {(row.question, row.operator, row.value) for row in rows}
        posted: Any = self.posted
        if shown.builder == "condition" and posted.get(f"join:{shown.name}") == "or":
            shown.join = "or"
        return [
            row
            for row in self._posted_rows(shown.name)
            if row.question and not row.value and row.operator not in conditions.WITHOUT_VALUE
            and shown.builder != "sum" and (row.question, row.operator, row.value) not in known
        ]  # fmt: skip

    def _filled(self, row: Row, builder: str) -> Row:
        if builder != "condition":
            return row
        subject = self.named.get(row.question)
        kind = subject.kind if subject else ""
        if row.question and row.operator:
            row.operator = conditions.fitted(conditions.Line(row.question, row.operator, row.value), kind).operator
        row.operators = [(one, str(conditions.OPERATORS[one])) for one in conditions.operators(kind)]
        row.choices = subject.choices if subject else ()
        return row


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
