"""Tables of the answering page as plain view data: columns, rows, cells, sums, and the rows that were removed."""

from __future__ import annotations

import json
import secrets
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, field_name, is_hidden
from forms.evaluation import fill
from forms.question_types import question_type
from forms.question_types.choices import label_of
from forms.spoken_choices import speaking
from forms.tables import made_key, may_change, tables
from portal.blueprints.drawing import clone
from portal.blueprints.question_views import is_shown, on_offer, say_choices, speak
from portal.page_views import ColumnView, ItemView, RowView, TableView
from portal.queries.submissions import RowKey
from portal.reader import digits, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from forms.answers import Given, Rows
    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.blueprints.answering import AnsweringPage
    from portal.page_views import Posted

SUMMARY = 90  # characters of a removed row that are shown
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def new_row_key() -> str:
    """Return a fresh key of a row: 16 letters or digits."""
    return "".join(secrets.choice(_LETTERS) for _place in range(16))


def cell_id(table: str, key: AnswerKey) -> str:
    """Return the id of a cell on its page."""
    return f"q-{table}-{key.row}-{key.code}"


def table_skeleton(definition: Definition, view: ItemView, cell: Callable[[Item], ItemView]) -> ItemView:
    """Return a table as far as it depends on the questionnaire and the language alone.

    ``cell`` makes a question's view. The blank row holds one pattern per column: the cells of every row come from it.
    """
    table = tables(definition)[view.code]
    shown = [item for item in table.columns if is_shown(item)]
    patterns = [_pattern(item, cell(item)) for item in shown]
    columns = [
        ColumnView(
            item.code, pattern.label, pattern.hint, pattern.unit, pattern.required, _width(item, pattern),
            "" if str(item.settings.get("total") or "").strip().lower() == "sum" else None, labels=_labels(item),
        )
        for item, pattern in zip(shown, patterns, strict=True)
    ]  # fmt: skip
    view.control = "table"
    view.table = TableView(
        table.code, fixed=table.fixed, columns=columns, most=table.most, blank=RowView("", "", "", cells=patterns)
    )
    return view


def _pattern(item: Item, view: ItemView) -> ItemView:
    if item.calculation or not question_type(item.type).asks:
        view.control = "computed"
    elif view.control == "choice":
        view.variant = "minimal"
    return view


def _labels(item: Item) -> str:
    """Return the keys of a column's choices by key and label; a label that two choices share names neither."""
    found: dict[str, str | None] = {}
    for choice in item.choices:
        for label in {choice.key, *choice.texts.values()}:
            if label and not choice.retired:
                found[label] = choice.key if label not in found else None
    named = {label: key for label, key in found.items() if key is not None}
    return json.dumps(named, ensure_ascii=False, separators=(",", ":")) if named else ""


def _width(item: Item, pattern: ItemView) -> str:
    """Name the width of a column by what stands in it; templates/components/controls/table.html knows the names."""
    if pattern.control == "text":
        if item.type == "year":
            return "year"
        return {"integer": "count", "decimal": "number"}.get(pattern.variant, "text")
    if pattern.control == "choices" and len(pattern.choices) == 1:
        return "tick"
    return {"date": "date", "computed": "count", "file": "text"}.get(pattern.control, "choice")


def fill_table(page: AnsweringPage, view: ItemView, mine: Mapping[AnswerKey, Posted], parent: str = "") -> ItemView:
    """Return a table with this reply's rows and answers; ``parent`` is the row it stands in, "" for none."""
    return _Filler(page, view, mine, parent).filled()


class _Filler:
    """Fills one table in one place; made for each."""

    def __init__(self, page: AnsweringPage, view: ItemView, mine: Mapping[AnswerKey, Posted], parent: str) -> None:
        self.page, self.view, self.mine, self.parent = page, view, mine, parent
        self.table = tables(page.definition)[view.code]
        self.id = f"{view.id}-{parent}" if parent else view.id
        unlocked = page.head.unlocked
        self.rows_locked = bool(page.readonly) or not may_change(page.definition, view.code, unlocked)
        self.locked = {
            item.code: bool(page.readonly) or not may_change(page.definition, item.code, unlocked)
            for item in self.table.columns
        }
        evaluation = page.evaluation
        self.missing = set(evaluation.missing) if page.head.saved_at else set()
        self.items = {item.code: item for item in self.table.columns}
        self.keys = {
            item.code: [key.lang for key in question_type(item.type).keys(item, page.context.languages)]
            for item in self.table.columns
        }

    def filled(self) -> ItemView:
        pattern = self.view.table
        if pattern is None or pattern.blank is None:
            return self.view
        filled = clone(self.view)
        filled.id = self.id
        if self.parent:  # a table outside rows has been spoken already
            speak(filled, self.page.definition, self._seen_here(), self.page.context.language)
        filled.hidden = self._hidden_here()
        filled.readonly = self.rows_locked
        counted = self.page.evaluation.counts.get(field_name(AnswerKey(self.table.code, self.parent)))
        rows = list(self._rows(counted))
        filled.table = TableView(
            code=self.table.code,
            parent=self.parent,
            fixed=self.table.fixed,
            columns=self._columns(pattern),
            rows=rows,
            blank=None if self.rows_locked or self.table.fixed or counted is not None else self._blank(),
            most=self.table.most,
            can_add=not (self.rows_locked or self.table.fixed or counted is not None) and len(rows) < self.table.most,
            removed=[] if self.rows_locked else self._removed(),
        )
        return filled

    def _hidden_here(self) -> bool:
        return is_hidden(self.page.evaluation.hidden, AnswerKey(self.table.code, self.parent))

    def _columns(self, pattern: TableView) -> list[ColumnView]:
        hidden = self.page.evaluation.hidden
        sums = totals(self.table, self.page.stored, self.page.rows, hidden, self.parent)
        return [
            ColumnView(
                one.code, self._spoken(one.label), self._spoken(one.hint), one.unit, one.required, one.kind,
                None if one.total is None else sums.get(one.code, ""), one.code in hidden, one.labels,
                one.label if "${" in one.label else "", one.hint if "${" in one.hint else "",
            )
            for one in pattern.columns
        ]  # fmt: skip

    def _spoken(self, words: str) -> str:
        """Put answers in the place of `${name}` in the heading of a column, as seen from outside the row."""
        return fill(words, self.page.definition, self._seen_here(), self.page.context.language)

    def _seen_here(self) -> Mapping[str, str]:
        """Return what `${name}` reads where the table stands: outside, or in a row of the table around it."""
        evaluation, outer = self.page.evaluation, self.table.inside
        if evaluation.frames is None or not self.parent:
            return evaluation.values
        row = next((frame for frame in evaluation.frames.of[outer] if frame.key == self.parent), None)
        return evaluation.values if row is None else evaluation.frames.seen_from(row)

    def _rows(self, counted: int | None) -> Iterator[RowView]:
        """Yield the rows that stand here, then those that a given number of rows still asks for, or one to begin."""
        stored = self.page.stored_rows
        context = self.page.context
        at = 0
        for row in self.table.rows(self.page.rows):
            if not self.table.fixed and row.parent != self.parent:
                continue
            at += 1
            kept = stored.get(RowKey(self.table.code, row.key))
            label = self._spoken(self.table.row_label(row.key, context.language, context.languages)) or digits(at)
            removable = not self.rows_locked and not self.table.fixed and (counted is None or at > counted)
            yield self._row(row.key, label, kept.position if kept else at, kept.revision if kept else 0, removable)
        if self.rows_locked or self.table.fixed:
            return
        if counted is not None:
            for number_ in range(at + 1, min(counted, self.table.most) + 1):
                key = made_key(self.page.head.public_id, self.table.code, self.parent, str(number_))
                if RowKey(self.table.code, key) not in stored:
                    yield self._row(key, digits(number_), number_, 0, removable=False)
        elif not at and not self.parent.startswith("{"):
            yield self._row(new_row_key(), digits(1), 1, 0, removable=True)

    def _row(self, key: str, label: str, position: int, revision: int, removable: bool) -> RowView:  # noqa: FBT001 - a fact of the row
        pattern = self.view.table
        patterns = pattern.blank.cells if pattern is not None and pattern.blank is not None else ()
        return RowView(
            key=key,
            name=f"{self.table.code}[{key}]",
            label=label,
            position=position,
            revision=revision,
            parent=self.parent,
            cells=[self._cell(one, key) for one in patterns],
            inner=[fill_table(self.page, one, self.mine, key) for one in self.page.inner_tables(self.table.code)],
            removable=removable,
        )

    def _blank(self) -> RowView:
        """Return the row that a script copies; the name of the table in braces stands for its key."""
        return self._row("{" + self.table.code + "}", "", 0, 0, removable=True)

    def _cell(self, pattern: ItemView, row: str) -> ItemView:
        page, code = self.page, pattern.code
        item, key = self.items[code], AnswerKey(code, row)
        name = f"{code}[{row}]"
        cell = clone(pattern)
        cell.row, cell.name = row, name
        # patterns of rows in several rows stand on one page
        cell.id = f"{self.id}-{row}-{code}" if row.startswith("{") else cell_id(self.table.code, key)
        cell.labels = f"{self.id}-r-{row} {self.id}-c-{code}"
        cell.hidden = name in page.evaluation.hidden
        if "${" in pattern.label:
            speak(cell, page.definition, page.evaluation.seen_from(key), page.context.language)
        cell.readonly = self.locked[code]
        cell.missing = key in self.missing
        if pattern.control == "computed":
            value = page.evaluation.calculated.get(key)
            cell.raw = [computed_text(item, value, page.context.language)]
            return cell
        if pattern.control == "file":
            cell.files = page.files_of(key)
            # the row of a pattern is put in by a script, so its braces stay as they are
            around = f"&parent={self.parent}" if self.parent else ""
            cell.upload_url = "" if cell.readonly else f"{page.upload_url(code)}?row={row}{around}"
            return cell
        if pattern.texts:
            keys = [AnswerKey(code, row, text.language) for text in pattern.texts]
            cell.texts = [
                page.text_in(text, one, self.mine.get(one)) for text, one in zip(pattern.texts, keys, strict=True)
            ]
        else:
            keys = [key]
            cell.revision = page.base_of(key, self.mine.get(key))
            cell.raw = page.raw(item, key, page.stored.get(key), self.mine.get(key))
            if pattern.choices:
                cell.choices = self._choices(pattern, item, name, cell.raw)
                if code in speaking(page.definition):
                    say_choices(cell, page.definition, page.evaluation.seen_from(key), page.context.language)
        cell.state = page.state_of(keys, self.mine)
        cell.error = page.sentences.get((code, row), "")
        return cell

    def _choices(
        self, pattern: ItemView, item: Item, name: str, raw: Sequence[str]
    ) -> list[tuple[str, str, bool]]:
        """Return what this row is offered and what was chosen in it; a text that names no choice stays as typed."""
        found = on_offer(pattern, raw, self.page.evaluation.offered.get(name))
        known = {key for key, _label, _chosen in found}
        language = self.page.context.language
        return found + [(one, label_of(one, item, language), True) for one in raw if one and one not in known]

    def _removed(self) -> list[tuple[str, str]]:
        """List the removed rows of this place with the beginning of what stands in them."""
        return [
            (f"{name.repeat}[{name.key}]", self._summary(name.key))
            for name, row in self.page.stored_rows.items()
            if row.removed and name.repeat == self.table.code and row.parent == self.parent
        ]

    def _summary(self, row: str) -> str:
        language = self.page.context.language
        words = [
            question_type(item.type).text(answer.value, item, language) if answer.typed is None else answer.typed
            for item in self.table.asked
            for key, answer in ((key, self.page.stored.get(key)) for key in self._cell_keys(item, row))
            if answer is not None and not answer.blank and key.row
        ]
        text = " · ".join(word for word in words if word)
        return text if len(text) <= SUMMARY else text[: SUMMARY - 1] + "…"

    def _cell_keys(self, item: Item, row: str) -> list[AnswerKey]:
        return [AnswerKey(item.code, row, lang) for lang in self.keys[item.code]]


def takes_files(items: Sequence[ItemView]) -> bool:
    """Tell whether a file can be attached in a cell of a table of a page."""
    return any(_takes_files(item.table) for item in items if item.table is not None)


def _takes_files(table: TableView) -> bool:
    rows = [*table.rows, *([table.blank] if table.blank is not None else [])]
    return any(
        any(cell.control == "file" and cell.upload_url for cell in row.cells) or takes_files(row.inner) for row in rows
    )


def computed_text(item: Item, value: object, language: str) -> str:
    """Read a computed value as the page shows it: numbers in the reader's digits."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(Decimal(str(value)))
    return question_type(item.type).text(value, item, language)  # type: ignore[arg-type] # JSON


def totals(
    table: Table,
    stored: Mapping[AnswerKey, Given],
    rows: Rows,
    hidden: frozenset[str],
    parent: str = "",
) -> dict[str, str]:
    """Return the sums of a table's columns that have one, in the reader's digits; "" where no number stands."""
    wanted = [item.code for item in table.columns if str(item.settings.get("total") or "").strip().lower() == "sum"]
    if not wanted:
        return {}
    standing = [row.key for row in table.rows(rows) if table.fixed or row.parent == parent]
    return {code: _sum(code, standing, stored, hidden) for code in wanted}


def _sum(code: str, rows: Sequence[str], stored: Mapping[AnswerKey, Given], hidden: frozenset[str]) -> str:
    found: list[Decimal] = []
    for row in rows:
        key = AnswerKey(code, row)
        given = stored.get(key)
        if given is None or given.value is None or given.state != "answered" or is_hidden(hidden, key):
            continue
        try:
            found.append(Decimal(str(given.value)))
        except InvalidOperation:
            continue
    return number(sum(found, Decimal(0))) if found else ""

