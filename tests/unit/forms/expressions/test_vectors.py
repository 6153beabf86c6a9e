"""The shared vectors: every one of them runs here and, from the same file, in the browser."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.expressions import FUNCTIONS, ExpressionError, compile_tree, names, parse, text, to_json

VECTORS = Path(__file__).parents[3] / "vectors"
FILE = json.loads((VECTORS / "expressions.json").read_text(encoding="utf-8"))
REFUSED = json.loads((VECTORS / "refused.json").read_text(encoding="utf-8"))
KINDS = {bool: "truth", float: "number", str: "text"}


class Scope:
    """The answers of one vector."""

    position = 1

    def __init__(self, values: dict[str, str], here: str = "") -> None:
        self.values = values
        self.here = here

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def nodes(self, name: str) -> tuple[str, ...]:
        return (self.value(name),)

    def column(self, name: str) -> str:
        return self.values.get(name, "")

    def today(self) -> str:
        return FILE["today"]

    def now(self) -> str:
        return FILE["now"]

    def label(self, name: str, key: str) -> str:
        return f"{name}:{key}"


@pytest.mark.parametrize("vector", FILE["vectors"], ids=lambda vector: vector["source"])
def test_vector(vector):
    result = compile_tree(parse(vector["source"]))(Scope(vector["values"], vector["here"]))
    assert (KINDS[type(result)], text(result)) == (vector["kind"], vector["expect"])


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["source"][:40])
def test_refused_with_a_sentence(vector):
    with pytest.raises(ExpressionError) as refused:
        parse(vector["source"])
    assert vector["says"] in str(refused.value.sentence)
    assert 0 <= refused.value.position <= len(vector["source"])


def test_bare_names_only_in_choice_filters():
    tree = parse("province = ${place}", filtering=True)
    assert compile_tree(tree)(Scope({"province": "kandal", "place": "kandal"})) is True
    assert names(tree) == {"place"}


def test_choice_name():
    rule = compile_tree(parse("jr:choice-name(${a}, '${a}')"))
    assert rule(Scope({"a": "x"})) == "a:x"


def test_tree_as_json():
    assert to_json(parse("${a} = 1 or not(selected(., 'x'))")) == [
        "op",
        "or",
        ["op", "=", ["ref", "a"], ["num", 1]],
        ["call", "not", ["call", "selected", ["self"], ["text", "x"]]],
    ]


@pytest.mark.parametrize(
    "source", ["(" * 4999 + "1", "-" * 9900 + "${a}", "'" * 9999, "${" * 4999, "concat(" * 1400 + "1"]
)
def test_hostile_sources_end_at_once(source):
    began = time.perf_counter()
    with pytest.raises(ExpressionError):
        parse(source)
    assert time.perf_counter() - began < 1


def test_hostile_pattern_ends_at_once():
    rule = compile_tree(parse("regex(., '(a+)+b')"))
    began = time.perf_counter()
    assert rule(Scope({}, "a" * 50_000)) is False
    assert time.perf_counter() - began < 1


ATOMS = st.sampled_from(["${a}", "${b}", ".", "1", "0", "'x'", "''", "today()", "2.5", "'2022-02-30'", "-7"])
CALLS = [name for name, function in FUNCTIONS.items() if name not in ("regex", "position", "jr:choice-name")]


def _call(name: str, parts: list[str]) -> str:
    function = FUNCTIONS[name]
    most = function.most if function.most is not None else max(function.least, 3)
    return f"{name}({', '.join((parts * 3)[:most])})"


SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["and", "or", "=", "<", "+", "-", "*", "div", "mod"]), inner
        ),
        st.builds(_call, st.sampled_from(CALLS), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "NaN", "Infinity", "1e999", "9" * 500, "0001-01-01", "9999-12-31", "-1", "a b c", "៥"]),
)


@settings(max_examples=150, deadline=None)
@given(SOURCES, VALUES, VALUES, VALUES)
def test_evaluation_is_total(source, first, second, here):
    result = compile_tree(parse(source))(Scope({"a": first, "b": second}, here))
    assert type(result) in KINDS
    text(result)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="${}ab().,'\"=<>!+-*/ 1divmodnt\u17e0ក", max_size=40))
def test_parsing_says_a_sentence_or_succeeds(source):
    try:
        parse(source)
    except ExpressionError as refused:
        str(refused.sentence)  # never raises either
