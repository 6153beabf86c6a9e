"""Evaluation is total and bounded, and printing gives back what was parsed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.answers import AnswerKey, Given, TableRow
from forms.context import Context
from forms.definition.compiled import meant
from forms.definition.model import Definition, Item
from forms.evaluation import evaluate
from forms.expressions import FUNCTIONS, ExpressionError, compile_tree, judge, names, parse, text, to_json, to_source
from forms.expressions.patterns import browser_pattern
from forms.expressions.tree import Call, Literal
from tests.vectors import vectors

KINDS = (bool, float, str)
CONTEXT = Context(date(2022, 5, 9))
SCENE = vectors.in_tables()[0]


def question(code: str, kind: str = "text", **more: object) -> Item:
    return Item(None, "question", code, kind, settings={"one_language": True}, **more)  # type: ignore[arg-type] # short ways of a test


def definition(*items: Item) -> Definition:
    return Definition(None, "q", None, {"en": "Q"}, ("en",), "en", (Item(None, "section", "p1", children=items),))


@pytest.mark.parametrize(
    "source",
    ["(" * 4999 + "1", "-" * 9900 + "${a}", "'" * 9999, "${" * 4999, "concat(" * 1400 + "1", "1" * 1_000_000, "a[" * 3000, "../" * 3000, "1 or " * 1900 + "1"],
    ids=lambda source: source[:12],
)  # fmt: skip
def test_hostile_sources_are_refused_with_a_sentence(source):
    tree, problems = judge(source, filtering=True)
    assert problems or tree is not None
    assert all(str(one.sentence) for one in problems)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)x", "(a?){20}a{20}"])
def test_hostile_patterns_end(pattern):
    tree = parse(f"regex(., '{pattern}')")
    scope = SCENE.scope()
    scope.here = "a" * 50_000
    assert compile_tree(tree)(scope) is False
    assert browser_pattern(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["(" * 40 + "a" + "){9}" * 40, "a{1000}{1000}", "[", "(?=a)", "(?<!a)", r"(a)\1", "a{2,1}"]
)
def test_patterns_that_cannot_be_held_are_refused(pattern):
    _tree, problems = judge(f"regex(., '{pattern}')")
    assert problems
    assert "pattern" in str(problems[0].sentence).lower()


def test_texts_do_not_grow_without_bound():
    doubling = [question("c0", default="x" * 1000)]
    doubling += [
        question(f"c{n}", "calculate", calculation=f"concat(${{c{n - 1}}}, ${{c{n - 1}}}, ${{c{n - 1}}})")
        for n in range(1, 60)
    ]
    whole = definition(*doubling)
    assert len(str(evaluate(whole, {}, CONTEXT).calculated[AnswerKey("c59")])) == 100_000


def test_rows_of_rows_end():
    columns = [question("n", "integer")]
    columns += [question(f"s{n}", "calculate", calculation="sum(../../t[n > 0]/n)") for n in range(5)]
    whole = definition(Item(None, "repeat", "t", children=tuple(columns)))
    rows = {"t": [TableRow(f"r{n}") for n in range(1000)]}
    answers = {AnswerKey("n", f"r{n}"): Given(n) for n in range(1000)}
    found = evaluate(whole, answers, CONTEXT, rows)
    assert found.calculated[AnswerKey("s0", "r0")] == 499_500  # as long as few cells were looked at
    assert found.calculated[AnswerKey("s4", "r999")] == 0


def test_bare_names_only_in_choice_filters():
    tree = parse("province = ${place}", filtering=True)
    assert names(tree) == {"place"}
    with pytest.raises(ExpressionError):
        parse("province = ${place}")


def test_all_that_is_wrong_is_said_at_once():
    _tree, problems = judge("selectd(${a}) and foo(1) or if(1) = bar")
    assert [str(one.sentence).partition("(")[0].split()[-1] for one in problems[:2]] == ["selectd", "foo"]
    assert len(problems) == 4


def test_tree_as_json():
    assert to_json(parse("${a} = 1 or not(selected(., 'x'))")) == [
        "op",
        "or",
        ["op", "=", ["ref", "a"], ["num", 1]],
        ["call", "not", ["call", "selected", ["self"], ["text", "x"]]],
    ]
    assert to_json(parse(r"regex(., '\d+')")) == ["call", "regex", ["self"], ["pattern", "[0-9]+"]]


def test_both_quotation_marks_are_written_with_concat():
    assert to_source(Call("not", (Literal("""a'b"c"""),))) == """not(concat('a', "'", 'b"c'))"""


@pytest.mark.parametrize("vector", [*vectors.flat(), *vectors.in_tables()], ids=lambda vector: vector.name)
def test_printing_gives_back_what_was_parsed(vector):
    tree = parse(vector.source)
    assert parse(to_source(tree)) == tree


ATOMS = st.sampled_from(
    ["${title}", "${cost}", ".", "1", "0", "'x'", '"it\'s"', "''", "today()", "2.5", "'2022-02-30'", "-7", "../title", "${outside}",
     "${measures}[cost > 5]/title", "../../measures[position() = 2]/cost", "current()/../paid", "position(..)", "${days}",
     "instance('budget')/root/item[code = ${lead}]/amount", "${cost} | ${days}", "${cost}[. > 5]", "1e3"[:1] + "00000000000000000000"]
)  # fmt: skip
APART = ("regex", "position", "jr:choice-name", "pulldata", "indexed-repeat")
CALLS = [name for name in FUNCTIONS if name not in APART]


def _call(name: str, parts: list[str]) -> str:
    function = FUNCTIONS[name]
    most = function.most if function.most is not None else max(function.least, 3)
    return f"{name}({', '.join((parts * 4)[:most])})"


SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["and", "or", "=", "!=", "<", ">=", "+", "-", "*", "div", "mod"]),
            inner,
        ),
        st.builds("-({})".format, inner),
        st.builds(_call, st.sampled_from(CALLS), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "NaN", "Infinity", "1e999", "9" * 500, "0001-01-01", "9999-12-31", "-1", "a b c", "៥", "12:30"]
    ),
)


@settings(max_examples=200, deadline=None)
@given(SOURCES, VALUES, VALUES, VALUES)
def test_evaluation_is_total(source, first, second, here):
    scope = SCENE.scope()
    for frames in scope.frames.of.values():
        for frame in frames:
            frame.values.update({code: first if place % 2 else second for place, code in enumerate(frame.values)})
    scope.here = here
    result = compile_tree(meant(source, SCENE.owner, SCENE.definition.compiled.places))(scope)
    assert type(result) in KINDS
    assert len(text(result)) <= 100_000


@settings(max_examples=200, deadline=None)
@given(SOURCES)
def test_printing_and_parsing_are_inverse(source):
    tree = parse(source)
    assert parse(to_source(tree)) == tree


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="${}ab().,'\"=<>!+-*/[]| 1divmodnt\u17e0ក", max_size=40))
def test_parsing_says_a_sentence_or_succeeds(source):
    try:
        tree = parse(source)
        assert parse(to_source(tree)) == tree
    except ExpressionError as refused:
        str(refused.sentence)  # never raises either


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.*+?()[]{}|^$\\dws-,012", max_size=14))
def test_a_pattern_is_refused_or_put_into_the_browsers_language(pattern):
    made = browser_pattern(pattern)
    assert made is None or isinstance(made, str)
