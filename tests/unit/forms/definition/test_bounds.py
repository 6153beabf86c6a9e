"""Bounds read from rules: never narrower than the rule itself, whatever stands beside them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.answers import AnswerKey, Given
from forms.definition.bounds import bounded_rule
from forms.definition.model import Definition, Item
from forms.evaluation import Context, evaluate

_CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "en")
_BOTH = ". >= 0 and . <= 100"


_NUMBERS = st.decimals(-200, 200, places=2).map(lambda one: f"{one:f}")


def item(kind: str, constraint: str, **settings: object) -> Item:
    return Item(None, "question", "n", kind, constraint=constraint, settings=settings)


def lets_through(question: Item, value: object) -> bool:
    page = Item(None, "section", "p1", children=(question,))
    whole = Definition(None, "q", None, {"en": "Q"}, ("km", "en"), "km", (page,))
    return not evaluate(whole, {AnswerKey("n"): Given(value)}, _CONTEXT).refused  # type: ignore[arg-type] # JSON


@pytest.mark.parametrize(
    ("kind", "constraint", "low", "high"),
    [
        ("integer", ". >= 0", 0, None),
        ("integer", "0 <= .", 0, None),
        ("integer", _BOTH, 0, 100),
        ("integer", ". > 0 and . < 10", 1, 9),
        ("integer", ". > 0.5 and . <= 9.5", 1, 9),
        ("integer", ". >= -5 and (. <= 7 and . != 3)", -5, 7),
        ("integer", ". >= 1 and ${other} > 3", 1, None),
        ("integer", ". >= 0 or . = -9", None, None),
        ("integer", "not(. < 0)", None, None),
        ("integer", ". <= ${other}", None, None),
        ("integer", "number(.) >= 0", None, None),
        ("integer", ". >= 5 and . <= 1", None, None),
        ("integer", "regex(., '[0-9]')", None, None),
        ("integer", ". >= (", None, None),
        ("decimal", ". > 0 and . < 1", 0, 1),
        ("percentage", _BOTH, 0, 1),
        ("percentage", ". <= 33.3", None, 0.333),
        ("money", ". >= 0", 0, None),
        ("date", ". >= '2020-01-01' and . < date('2026-01-01')", date(2020, 1, 1), date(2025, 12, 31)),
        ("text", ". >= 0", None, None),
    ],
)
def test_simple_bounds_are_read_and_nothing_else(kind, constraint, low, high):
    rule, plain = bounded_rule(item(kind, constraint)), bounded_rule(item(kind, ""))
    assert rule.minimum == (plain.minimum if low is None else low)
    assert rule.maximum == (plain.maximum if high is None else high)


@given(
    st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">="]), _NUMBERS), min_size=1, max_size=3),
    _NUMBERS, st.booleans(),
)  # fmt: skip
def test_a_bound_never_shuts_out_what_the_rule_lets_through(parts, typed, whole):
    value = int(float(typed)) if whole else typed
    question = item("integer" if whole else "decimal", " and ".join(f". {sign} {bound}" for sign, bound in parts))
    rule = bounded_rule(question)
    if lets_through(question, value):
        assert rule.minimum is None or rule.minimum <= float(value)
        assert rule.maximum is None or float(value) <= rule.maximum
    elif whole and rule != bounded_rule(item("integer", "")):  # of whole numbers it shuts out the others
        low = -1e15 if rule.minimum is None else rule.minimum
        high = 1e15 if rule.maximum is None else rule.maximum
        assert not low <= value <= high


def test_of_settings_and_rule_the_narrower_bound_counts():
    rule = bounded_rule(item("integer", _BOTH, start="5", end="200"))
    assert (rule.minimum, rule.maximum) == (5, 100)


def test_a_day_that_depends_on_the_day_of_the_upload_is_left_to_it():
    assert bounded_rule(item("date", ". <= today()")) == bounded_rule(item("date", ""))
    assert bounded_rule(item("datetime", ". <= '2020-01-01'")) == bounded_rule(item("datetime", ""))
