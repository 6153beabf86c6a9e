"""Each question type in every audience: read, stored, restored, read aloud, put in a cell, shown, counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answers import CellValue
from forms.context import Context
from forms.definition.model import Choice, Item
from forms.question_types import question_type, question_types
from forms.question_types.base import ExcelRule

ROOT = Path(__file__).parents[4]
CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "km")
CHOICES = (Choice("law", {"en": "Law", "km": "ច្បាប់"}), Choice("staff", {"en": "Staff"}))


def question(kind: str, **settings: object) -> Item:
    return Item(None, "question", "q", kind, settings=settings, choices=CHOICES if question_type(kind).has_choices else ())


# type, what is posted, stored, read aloud, in a cell, in an expression, counted
VALUES = [
    ("text", ["ក\r\nខ"], "ក\nខ", "ក\nខ", CellValue("text", "ក\nខ"), "ក\nខ"),
    ("integer", ["១,០០០"[:1]], 1, "1", CellValue("integer", 1), "1"),
    ("integer", ["1,000"], 1000, "1000", CellValue("integer", 1000), "1000"),
    ("integer", ["0"], 0, "0", CellValue("integer", 0), "0"),
    ("decimal", ["12.50"], "12.5", "12.5", CellValue("decimal", Decimal("12.5")), "12.5"),
    ("money", ["25,000"], "25000", "25000", CellValue("money", Decimal(25000)), "25000"),
    ("percentage", ["34 %"], "34", "34%", CellValue("percent", Decimal("0.34")), "34"),
    ("year", ["២០២២"], 2022, "2022", CellValue("year", 2022), "2022"),
    ("range", ["5"], "5", "5", CellValue("decimal", Decimal(5)), "5"),
    ("date", ["30/3/2022"], "2022-03-30", "30/03/2022", CellValue("date", date(2022, 3, 30)), "2022-03-30"),
    ("select_one", ["law"], "law", "ច្បាប់", CellValue("text", "ច្បាប់"), "law"),
    ("select_multiple", ["staff", "law"], ["law", "staff"], "ច្បាប់; Staff", CellValue("choices", "ច្បាប់; Staff"), "law staff"),
    ("acknowledge", ["OK"], True, "Yes", CellValue("boolean", True), "OK"),
    ("rank", ["staff", "", "law"], ["staff", "law"], "1. Staff; 2. ច្បាប់", CellValue("choices", "1. Staff; 2. ច្បាប់"), "staff law"),
    ("time", ["2:30 PM"], "14:30", "14:30", CellValue("time", time(14, 30)), "14:30"),
    ("datetime", ["30/3/2022 14h30"], "2022-03-30T14:30:00+00:00", "30/03/2022 14:30", CellValue("datetime", datetime(2022, 3, 30, 14, 30, tzinfo=UTC)), "2022-03-30T14:30:00+00:00"),
    ("period", ["1/1/2022", "31/12/2022"], ["2022-01-01", "2022-12-31"], "01/01/2022 – 31/12/2022", CellValue("text", "01/01/2022 – 31/12/2022"), "2022-01-01 2022-12-31"),
    ("file", ["0190-a", "0190-b", "0190-a"], ["0190-a", "0190-b"], "2", CellValue("integer", 2), "0190-a 0190-b"),
    ("image", ["0190-a"], ["0190-a"], "1", CellValue("integer", 1), "0190-a"),
]  # fmt: skip
OFFLINE = [
    ("text", {}, ExcelRule("text", number_format="@")),
    ("integer", {"start": "0", "end": "500"}, ExcelRule("whole", 0.0, 500.0, number_format="#,##0")),
    ("decimal", {"start": "x"}, ExcelRule("decimal", number_format="#,##0.###")),
    ("percentage", {"start": "0", "end": "100"}, ExcelRule("decimal", 0.0, 1.0, number_format="0.##%")),
    ("range", {}, ExcelRule("decimal", 1.0, 10.0, number_format="#,##0.###")),
    ("year", {"end": "2030"}, ExcelRule("whole", 1000.0, 2030.0, number_format="0")),
    ("date", {"start": "1850-01-01"}, ExcelRule("date", date(1900, 1, 1), date(2399, 12, 31), number_format="dd/mm/yyyy")),
    ("select_one", {}, ExcelRule("list", choices=("law", "staff"), number_format="@")),
    ("select_multiple", {}, ExcelRule("any", choices=("law", "staff"), several=True, number_format="@")),
    ("acknowledge", {}, ExcelRule("list", choices=("OK",), number_format="@")),
    ("file", {}, ExcelRule()),
    ("note", {}, ExcelRule()),
    ("money", {}, ExcelRule("decimal", number_format="#,##0.##")),
    ("time", {}, ExcelRule("time", 0.0, 86399 / 86400, number_format="hh:mm")),
    ("datetime", {}, ExcelRule("date", date(1900, 1, 1), date(2399, 12, 31), number_format="dd/mm/yyyy hh:mm")),
    ("period", {}, ExcelRule("text", number_format="@")),
    ("rank", {}, ExcelRule("any", choices=("law", "staff"), several=True, number_format="@")),
    ("image", {}, ExcelRule()),
    ("calculate", {}, ExcelRule()),
    ("hidden", {}, ExcelRule()),
]  # fmt: skip
# what nobody fills in has a value all the same, or none at all
UNASKED = [
    ("calculate", 12, "12", CellValue("integer", 12), "12"),
    ("hidden", "KH-7", "KH-7", CellValue("text", "KH-7"), "KH-7"),
    ("note", None, "", CellValue("text", None), ""),
]


def test_every_type_is_in_every_audience():
    every = set(question_types())
    assert {kind for kind, *_rest in VALUES} == {kind for kind in every if question_type(kind).asks}
    assert {kind for kind, *_rest in UNASKED} == {kind for kind in every if not question_type(kind).asks}
    assert {kind for kind, *_rest in OFFLINE} == every
    controls = {path.stem for path in (ROOT / "templates/components/controls").glob("*.html")}
    assert {question_type(kind).control for kind in every} <= controls
    assert all(str(question_type(kind).title) for kind in every)


@pytest.mark.parametrize(("kind", "stored", "aloud", "cell", "expression"), UNASKED)
def test_what_nobody_fills_in_is_told_all_the_same(kind, stored, aloud, cell, expression):
    item, known = question(kind), question_type(kind)
    assert known.text(stored, item, "km") == aloud
    assert known.cell(stored, item, "km") == cell
    assert known.expression(stored) == expression
    assert known.tally([stored, None], item).get("answered", 0) == (stored is not None)


@pytest.mark.parametrize(("kind", "raw", "stored", "aloud", "cell", "expression"), VALUES)
def test_a_value_goes_round(kind, raw, stored, aloud, cell, expression):
    item, known = question(kind), question_type(kind)
    parsed = known.parse(raw, item, CONTEXT)
    assert (parsed.value, parsed.typed, parsed.message) == (stored, None, None)
    assert known.text(stored, item, "km") == aloud
    assert known.cell(stored, item, "km") == cell
    assert known.expression(stored) == expression
    assert known.parse(known.raw(stored, item), item, CONTEXT).value == stored
    assert known.validate(stored, item) is None
    assert known.tally([stored, None], item)


@pytest.mark.parametrize("kind", sorted(question_types()))
def test_nothing_is_nothing_everywhere(kind):
    item, known = question(kind), question_type(kind)
    assert known.text(None, item, "km") == ""
    assert known.cell(None, item, "km").value is None
    assert known.expression(None) == ""
    assert known.raw(None, item) == []
    if known.asks:
        assert known.parse([""], item, CONTEXT).value is None
        assert known.parse([], item, CONTEXT).value is None
        assert known.parse([" "], item, CONTEXT).typed is None


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("integer", "12.5"),
        ("decimal", "1.234"),
        ("date", "30/02/2022"),
        ("year", "2565"),
        ("year", "22"),
        ("select_one", "x"),
        ("file", "../etc/passwd"),
        ("money", "$5"),
    ],
)
def test_what_cannot_be_read_is_kept_with_a_sentence(kind, raw):
    parsed = question_type(kind).parse([raw], question(kind), CONTEXT)
    assert (parsed.value, parsed.typed) == (None, raw)
    assert str(parsed.message)


def test_bounds_and_steps():
    known = question_type("range")
    item = question("range", start="0", end="10", step="2")
    assert known.validate("4", item) is None
    assert "steps of 2" in str(known.validate("5", item))
    assert "from 0 to 10" in str(known.validate("12", item))
    assert "at least 1" in str(question_type("integer").validate(0, question("integer", start="1")))


def test_tallies():
    assert question_type("select_multiple").tally([["law"], ["law", "staff"], None], question("select_multiple")) == {
        "law": 2,
        "staff": 1,
    }
    assert question_type("integer").tally([1, None, 3], question("integer")) == {
        "answered": 2,
        "sum": 4,
        "min": 1,
        "max": 3,
    }


def test_computed_values_are_typed_by_what_they_are():
    known, item = question_type("calculate"), question("calculate")
    assert [known.cell(value, item, "en").kind for value in (True, 3, 2.5, "x", None)] == [
        "boolean",
        "integer",
        "decimal",
        "text",
        "text",
    ]


@given(st.sampled_from(sorted(question_types())), st.lists(st.text(max_size=20), max_size=3))
def test_no_post_raises(kind, raw):
    known = question_type(kind)
    if known.asks:
        parsed = known.parse(raw, question(kind), CONTEXT)
        assert (parsed.typed is None) == (parsed.message is None)


@pytest.mark.parametrize(("kind", "settings", "rule"), OFFLINE)
def test_what_an_offline_cell_takes(kind, settings, rule):
    assert question_type(kind).excel_rule(question(kind, **settings)) == rule


def test_what_a_cell_shows_is_read_back_from_an_offline_workbook():
    for kind, raw in (("select_one", ["law"]), ("select_multiple", ["law", "staff"]), ("rank", ["staff", "law"]), ("time", ["14:30"]),
                      ("period", ["1/1/2022", "31/12/2022"]), ("acknowledge", ["OK"]), ("date", ["30/3/2022"])):  # fmt: skip
        known, item = question_type(kind), question(kind)
        value = known.parse(raw, item, CONTEXT).value
        assert known.parse([known.text(value, item, "km")], item, CONTEXT).value == value, kind
