"""Trying a questionnaire out: plain sample answers in, what would be asked, computed and refused out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forms.answers import AnswerKey, Given, TableRow, field_name, parse_field_name
from forms.evaluation import evaluate
from forms.fields import judged, raw_of
from forms.question_types import question_type
from forms.warnings import warnings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import Json, Rows
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation

MAX_ROWS = 1_000  # rows of one table in a trial


def trial(definition: Definition, given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Apply the rules to plain answers and say the verdict, per question and per row; nothing is stored.

    `given` maps field names to values: a text or number, a list of choices, `{"state": "not_available"}`; the code of
    a table to a list of rows, each such a map again (`"key"` names the row, else r1, r2...); the code of a matrix to a
    map of its rows. docs/contract.md shows the result. Never raises, whatever `given` holds.
    """
    read = Sample(definition, context)
    read.all(given)
    return told(definition, read, evaluate(definition, read.answers, context, read.standing))


class Sample:
    """Plain answers, read by the question types; `problems` maps names to sentences."""

    def __init__(self, definition: Definition, context: Context) -> None:
        self.definition, self.context = definition, context
        self.answers: dict[AnswerKey, Given] = {}
        self.rows: dict[str, list[TableRow]] = {}
        self.problems: dict[str, str] = {}

    @property
    def standing(self) -> dict[str, tuple[TableRow, ...]]:
        """The rows of each table, as rules read them."""
        return {code: tuple(rows) for code, rows in self.rows.items()}

    def all(self, given: Mapping[str, Any], table: str = "", row: str = "") -> None:
        """Read the answers of a row, or those outside tables."""
        compiled = self.definition.compiled
        for name, value in given.items():
            key = parse_field_name(name)
            item = compiled.by_code.get(key.code) if key is not None else None
            if key is None or item is None:
                if not (table and name == "key"):
                    self.problems[name] = "unknown question"
            elif item.code in compiled.tables:
                self._table(item, value, row)
            elif item.kind != "question" or (key.row and row):
                self.problems[name] = "no question"
            else:
                home = compiled.homes[item.code]
                placed = AnswerKey(key.code, key.row or (row if home == table else ""), key.lang)
                if bool(placed.row) != bool(home):
                    self.problems[name] = "stands in a table" if home else "stands in no table"
                else:
                    self._answer(placed, item, value)

    def _table(self, item: Item, value: Any, parent: str) -> None:
        if item.kind == "matrix" and isinstance(value, dict):
            for key, cells in value.items():
                if isinstance(cells, dict):
                    self.all(cells, item.code, str(key))
            return
        if not isinstance(value, list) or len(value) > MAX_ROWS:
            self.problems[item.code] = "a table is a list of rows"
            return
        rows = self.rows.setdefault(item.code, [])
        for cells in value:
            if not isinstance(cells, dict):
                self.problems[item.code] = "a table is a list of rows"
                continue
            key = str(cells.get("key") or f"r{len(rows) + 1}")
            rows.append(TableRow(key, parent))
            self.all(cells, item.code, key)

    def _answer(self, key: AnswerKey, item: Item, value: Any) -> None:
        kind = question_type(item.type)
        state = ""
        if isinstance(value, dict):
            state, value = str(value.get("state", "")), value.get("value")
        if not kind.asks:  # what it was before; it is computed anew
            self.answers[key] = Given("".join(raw_of(value)) or None, "answered", None, 1)
            return
        if not key.lang:  # a text without a language stands for the questionnaire's own
            own = kind.keys(item, self.context.languages)
            if own and key._replace(row="") not in own:
                preferred = self.definition.default_language
                key = key._replace(lang=next((one.lang for one in own if one.lang == preferred), own[0].lang))
        parsed = judged(item, key, raw_of(value), state, self.context)
        self.answers[key] = Given(parsed.value, parsed.state, parsed.typed, 1)
        if parsed.message is not None:
            self.problems[field_name(key)] = str(parsed.message)


def sample_json(definition: Definition, answers: Mapping[AnswerKey, Given], rows: Rows) -> dict[str, Any]:
    """Return answers as `trial` takes them: what a person would type, by field name; tables as rows."""
    homes = definition.compiled.homes
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for key, given in answers.items():
        home = homes.get(key.code)
        if home is None or given.blank or not question_type(definition.question(key.code).type).asks:
            continue
        name = field_name(key._replace(row=""))
        cells.setdefault((home, key.row), {})[name] = _written(definition.question(key.code), given)
    found = dict(cells.get(("", ""), {}))
    return found | _tables(definition, cells, rows, "", "")


def _tables(
    definition: Definition, cells: Mapping[tuple[str, str], dict[str, Any]], rows: Rows, outer: str, parent: str
) -> dict[str, Any]:
    """Return the tables that stand in a row (or outside tables)."""
    found: dict[str, Any] = {}
    for table in definition.compiled.tables.values():
        if table.outer != outer:
            continue
        if table.rows is not None:
            if filled := {key: cells[table.code, key] for key in table.rows if (table.code, key) in cells}:
                found[table.code] = filled
            continue
        standing = [row for row in rows.get(table.code, ()) if row.parent == parent]
        if standing:
            found[table.code] = [
                {"key": row.key}
                | cells.get((table.code, row.key), {})
                | _tables(definition, cells, rows, table.code, row.key)
                for row in standing
            ]
    return found


def _written(item: Item, given: Given) -> Any:
    """Return what a person would type for an answer."""
    if given.state != "answered":
        return {"state": given.state}
    kind = question_type(item.type)
    raw = kind.raw_typed(given.typed) if given.typed is not None else kind.raw(given.value, item)
    return raw[0] if len(raw) == 1 and not kind.several else raw


def told(definition: Definition, read: Sample, verdict: Evaluation) -> dict[str, Any]:
    """Return what the rules say of sample answers, as docs/contract.md shows it."""
    problems = {**read.problems, **{field_name(key): str(text) for key, text in verdict.refused.items()}}
    frames = verdict.frames
    homes = definition.compiled.homes
    rows = {table: [frame.key for frame in found] for table, found in frames.of.items()} if frames else {}
    return {
        "complete": verdict.complete and not problems,
        "hidden": sorted(verdict.hidden),
        "problems": problems,
        "warnings": _warnings(definition, read, verdict),
        "row_counts": dict(verdict.counts),
        "questions": [
            _question(item, AnswerKey(item.code, row), read, verdict, problems)
            for item in definition.questions()
            for row in rows.get(homes[item.code], [""])
        ],
    }


def _warnings(definition: Definition, read: Sample, verdict: Evaluation) -> list[dict[str, str]]:
    """Return what a person would be asked to mend or to keep with a reason; a sample has no evidence."""
    found = warnings_of(
        definition, read.answers, verdict, read.standing, evidence=0, language=read.context.language
    )
    return [
        {"name": one.name, "kind": one.kind, "code": one.key.code, "row": one.key.row, "message": str(one.sentence)}
        for one in found
    ]


def _question(
    item: Item, key: AnswerKey, read: Sample, verdict: Evaluation, problems: Mapping[str, str]
) -> dict[str, Any]:
    """Say of one question, in one row, what is asked, required, computed, refused and on offer."""
    relevant = not verdict.is_hidden(key)
    message = next((text for name, text in problems.items() if _same(name, key)), None)
    computed = verdict.calculated.get(key)
    return {
        "code": item.code,
        "row": key.row,
        "type": item.type,
        "relevant": relevant,
        "required": key in verdict.required,
        "missing": key in verdict.missing,
        "value": _value(item, key, read, verdict) if relevant else None,
        "valid": message is None,
        "message": message,
        "choices": _choices(item, key, verdict) if relevant else [],
        # the names of 0.1
        "asked": relevant,
        "computed": computed,
        "refused": message,
    }


def _same(name: str, key: AnswerKey) -> bool:
    found = parse_field_name(name)
    return found is not None and (found.code, found.row) == (key.code, key.row)


def _value(item: Item, key: AnswerKey, read: Sample, verdict: Evaluation) -> Json:
    """Return the value, computed or given or begun with; a text in several languages as a map."""
    if key in verdict.calculated:
        return verdict.calculated[key]
    found: dict[str, Json] = {}
    for one in question_type(item.type).keys(item, read.context.languages):
        placed = one._replace(row=key.row)
        value = read.answers[placed].value if placed in read.answers else verdict.defaults.get(placed)
        if value is not None:
            found[one.lang] = value
    return found.get("") if "" in found else (found or None)


def _choices(item: Item, key: AnswerKey, verdict: Evaluation) -> Sequence[str]:
    """Return the keys of the choices on offer."""
    offered = verdict.offered.get(field_name(key))
    return list(offered) if offered is not None else [choice.key for choice in item.choices if not choice.retired]
