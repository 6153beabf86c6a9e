"""What holds for every question type whatever is posted: nothing raises, what is shown is read back, cells keep their kind."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answers import CellValue, Given
from forms.context import Context
from forms.definition.model import Choice, Item
from forms.question_types import question_type, question_types

CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "km", time_zone="Asia/Phnom_Penh")
CHOICES = tuple(Choice(f"c{number}", {"en": f"Choice {number}", "km": f"ជម្រើស {number}"}) for number in range(4))
ASKED = sorted(name for name, kind in question_types().items() if kind.asks)

# signs and words of which people's answers are made, right and wrong ones
PIECES = st.sampled_from(
    ["0", "1", "2", "12", "30", "2022", "2565", "១", "២០២២", "៣០", ".", ",", "-", "–", "−", "/", ":", " ", "\u200b", "%", "$", "៛", "h",
     "PM", "ព្រឹក", "មីនា", "March", " to ", "ដល់", ";", "\n", "c1", "c2", "Choice 3", "OK", "yes", "…", "(", "e", "ក", "\x00", "\ud800", "T",
     "30/03/2022", "14:30", "1,234.5", "12.345"]
)  # fmt: skip
TYPED = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join))
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "start": st.sampled_from(["0", "5", "x", "2020-01-01", ""]),
        "end": st.sampled_from(["10", "nan", "1e99", "2030-12-31"]),
        "step": st.sampled_from(["2", "0", "-1", "0.5", "inf"]),
        "unit": st.sampled_from(["KHR", "USD", "persons", {"km": "នាក់"}, {}, "12"]),
        "precision": st.sampled_from(["date", "year", "?"]),
        "open_end": st.booleans(),
        "max_files": st.sampled_from(["1", 0, "x"]),
        "appearance": st.sampled_from(["minimal", "likert search", "w4", "columns-3"]),
        "not_available": st.booleans(),
    },
)


def question(kind: str, settings: object = None) -> Item:
    return Item(None, "question", "q", kind, settings=settings or {}, choices=CHOICES if question_type(kind).has_choices else ())


@given(st.sampled_from(ASKED), st.lists(TYPED, max_size=4), SETTINGS)
def test_a_post_is_read_or_refused_and_what_is_shown_is_read_back(name, raw, settings):
    known, item = question_type(name), question(name, settings)
    parsed = known.parse(raw, item, CONTEXT)
    assert (parsed.typed is None) == (parsed.message is None)
    if parsed.message is not None:
        assert parsed.value is None
        assert str(parsed.message)
        assert known.raw_typed(parsed.typed)
        return
    value = parsed.value
    again = known.parse(known.raw(value, item), item, CONTEXT)
    assert (again.value, again.message) == (value, None)
    assert known.raw(again.value, item) == known.raw(value, item)


@given(st.sampled_from(ASKED), st.lists(TYPED, max_size=4), SETTINGS)
def test_a_value_goes_to_every_audience(name, raw, settings):
    known, item = question_type(name), question(name, settings)
    value = known.parse(raw, item, CONTEXT).value
    known.validate(value, item)
    assert json.loads(json.dumps(value)) == value
    assert known.store(known.restore(value)) == value
    for language in ("km", "en", "xx"):
        assert isinstance(known.text(value, item, language), str)
        cell = known.cell(value, item, language)
        assert isinstance(cell, CellValue)
        assert cell.kind == known.cell(None, item, language).kind
        assert (cell.value is None) == (value is None)
    assert isinstance(known.expression(value), str)
    assert known.tally([value, None, value], item)
    assert known.tally_all([Given(value), Given(state="not_available"), Given(typed="?")], item)["not_available"] == 1


@given(st.sampled_from(sorted(question_types())), SETTINGS)
def test_any_settings_give_a_control_and_an_offline_rule(name, settings):
    known, item = question_type(name), question(name, settings)
    rule = known.excel_rule(item)
    assert rule.kind in {"any", "text", "whole", "decimal", "date", "time", "list"}
    assert isinstance(known.variant(item), str)
    assert isinstance(str(known.how_to(item)), str)
    assert isinstance(known.unit(item, "km"), str)
    assert isinstance(known.accept(item), str)
    assert all(isinstance(label, str) for _key, label in known.shown_choices(item, "km"))
    known.check_settings(settings)


@pytest.mark.parametrize("name", ASKED)
def test_states_are_neither_empty_nor_zero(name):
    known, item = question_type(name), question(name)
    silent = [Given(state="not_available"), Given(state="not_applicable"), Given(typed="?"), Given()]
    counted = known.tally_all(silent, item)
    assert (counted["not_available"], counted["not_applicable"], counted["unreadable"]) == (1, 1, 1)
    assert counted["answered"] == 0


def test_zero_is_an_answer():
    counted = question_type("integer").tally_all([Given(0), Given(), Given(state="not_available")], question("integer"))
    assert (counted["answered"], counted["sum"], counted["not_available"]) == (1, 0, 1)
