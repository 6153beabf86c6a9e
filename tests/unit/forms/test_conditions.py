"""Conditions by selects: read from expressions when they are simple enough, and written to the very same tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.conditions import (
    OPERATORS,
    Condition,
    Line,
    fitted,
    operators,
    read_condition,
    read_filter,
    read_sum,
    write_condition,
    write_filter,
    write_sum,
)
from forms.expressions import parse

KINDS = {"a": "select_one", "b": "select_multiple", "n": "integer", "d": "date", "t": "text", "f": "file", ".": "decimal"}


@pytest.mark.parametrize(
    ("source", "lines", "join"),
    [
        ("", (), "and"),
        ("${a} = 'x'", (Line("a", "=", "x"),), "and"),
        ("${a}='x' and selected( ${b} , 'y')", (Line("a", "=", "x"), Line("b", "has", "y")), "and"),
        ("${n} > 3 or ${n} = ''", (Line("n", ">", "3"), Line("n", "empty")), "or"),
        ("not(selected(${b}, 'q'))", (Line("b", "lacks", "q"),), "and"),
        (". >= 0 and . <= 100.5", (Line(".", ">=", "0"), Line(".", "<=", "100.5")), "and"),
        ("${d} > date('2024-01-01')", (Line("d", ">", "2024-01-01"),), "and"),
        ("${n} > -3", (Line("n", ">", "-3"),), "and"),
        ("${f} != ''", (Line("f", "given"),), "and"),
        ('${t} = "it\'s"', (Line("t", "=", "it's"),), "and"),
    ],
)
def test_what_the_selects_can_say_is_read(source, lines, join):
    found = read_condition(source, KINDS)
    assert found == Condition(lines, join)
    if source:
        assert parse(write_condition(found, KINDS)) == parse(source)


@pytest.mark.parametrize(
    "source",
    [
        "${n} + 1 > 3", "${a} = 'x' and (${n} > 1 or ${n} < 0)", "${n} > '3'", "true()", "${nobody} = 1", "${a} >", "3 < ${n}",
        "${t} > 'b'", "not(${a} = 'x')", "selected(${b}, ${a})", "${d} = '2024-01-01'", "count-selected(${b}) > 2",
        " or ".join(["${n} > 1"] * 60),
    ],
)  # fmt: skip
def test_anything_richer_is_written_by_hand(source):
    assert read_condition(source, KINDS) is None


LINES = st.sampled_from(sorted(KINDS)).flatmap(
    lambda code: st.builds(
        Line,
        st.just(code),
        st.sampled_from(operators(KINDS[code])),
        st.text("ab'\"$ {}ខ០9.-", min_size=1, max_size=12) | st.integers().map(str),
    )
)


@given(st.lists(LINES, max_size=6), st.sampled_from(["and", "or"]))
def test_what_is_written_is_an_expression_that_reads_as_it_was_meant(lines, join):
    source = write_condition(Condition(tuple(lines), join), KINDS)
    if not source:
        assert not lines
        return
    tree = parse(source)
    found = read_condition(source, KINDS)
    if found is not None:
        assert parse(write_condition(found, KINDS)) == tree


def test_a_comparison_is_fitted_to_the_kind_of_question():
    assert fitted(Line("b", "=", "x"), "select_multiple") == Line("b", "has", "x")
    assert fitted(Line("a", "lacks", "x"), "select_one") == Line("a", "!=", "x")
    assert fitted(Line("t", ">", "x"), "text").operator == "="
    assert operators("") == tuple(OPERATORS)


def test_half_a_line_says_nothing():
    assert write_condition(Condition((Line("", "=", "x"), Line("a", "=", ""), Line("n", "given"))), KINDS) == "${n} != ''"


def test_khmer_digits_are_a_number():
    assert write_condition(Condition((Line("n", ">", "១២"),)), KINDS) == "${n} > 12"


def test_sums_and_filters():
    assert read_sum("sum(${n}, ${x})") == ("n", "x")
    assert read_sum("") == ()
    assert read_sum("${n} + ${x}") is None
    assert read_sum("sum(${n}, 1)") is None
    assert read_sum("sum(") is None
    assert write_sum(["a", "b"]) == "sum(${a}, ${b})"
    assert read_filter("province = ${a} and kind = ${t}", ["province", "kind"]) == (("province", "a"), ("kind", "t"))
    assert read_filter("other = ${a}", ["province"]) is None
    assert read_filter("province = 'x'", ["province"]) is None
    assert read_filter("province = ", ["province"]) is None
    assert write_filter([("province", "a"), ("", "t")]) == "province = ${a}"
