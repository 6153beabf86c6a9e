"""What rules say about answers: hidden, computed, required, missing, refused, on offer."""

from __future__ import annotations

from datetime import date
from html import escape as html_escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.answers import AnswerKey, Given, TableRow
from forms.definition.model import Choice, Definition, Item
from forms.evaluation import Context, evaluate, fill
from forms.question_types import question_type, question_types

CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "en")
STATES = (Choice("done", {"en": "Done"}), Choice("part", {"en": "Partly"}))
TOWNS = (Choice("a1", {"en": "A1"}, {"province": "a"}), Choice("b1", {"en": "B1"}, {"province": "b"}))


def question(code: str, kind: str = "text", **more: object) -> Item:
    return Item(None, "question", code, kind, **more)  # type: ignore[arg-type] # short ways of a test


def definition(*items: Item) -> Definition:
    return Definition(None, "q", None, {"en": "Q"}, ("km", "en"), "km", (Item(None, "section", "p1", children=items),))


def answers(**given: object) -> dict[AnswerKey, Given]:
    return {AnswerKey(code): one if isinstance(one, Given) else Given(one) for code, one in given.items()}  # type: ignore[arg-type] # short ways of a test


def test_hidden_reads_as_empty_and_is_never_required():
    whole = definition(
        question("b1", "select_one", choices=STATES),
        question("b2", relevant="selected(${b1}, 'done')", required="yes"),
        question("b3", "integer", relevant="${b2} != ''", required="true()"),
    )
    said = {**answers(b1="part", b3=3), AnswerKey("b2", "", "km"): Given("x")}
    found = evaluate(whole, said, CONTEXT)
    assert found.hidden == {"b2", "b3"}
    assert found.missing == ()
    found = evaluate(whole, {**said, **answers(b1="done")}, CONTEXT)
    assert found.hidden == frozenset()
    assert found.required == {AnswerKey("b2"), AnswerKey("b3")}


def test_any_language_answers_a_text():
    whole = definition(question("t", required="yes"))
    assert evaluate(whole, {}, CONTEXT).missing == (AnswerKey("t"),)
    assert evaluate(whole, {AnswerKey("t", "", "en"): Given("x")}, CONTEXT).complete
    assert evaluate(whole, {AnswerKey("t", "", "km"): Given(None)}, CONTEXT).missing == (AnswerKey("t"),)


def test_states_zero_and_unreadable():
    whole = definition(question("n", "integer", required="yes"), question("m", "integer", relevant="${n} = 0"))
    assert evaluate(whole, answers(n=0), CONTEXT).complete
    assert "m" in evaluate(whole, answers(n=Given(None, "not_available")), CONTEXT).hidden
    assert evaluate(whole, answers(n=Given(None, "not_available")), CONTEXT).complete
    unreadable = evaluate(whole, answers(n=Given(None, "answered", "1.234")), CONTEXT)
    assert (unreadable.missing, unreadable.unreadable, unreadable.complete) == ((), (AnswerKey("n"),), False)


def test_constraint_with_its_sentence():
    whole = definition(
        question("n", "integer"),
        question("f", "integer", constraint=". <= ${n}", texts={"constraint_message": {"en": "At most ${n}, please."}}),
    )
    assert evaluate(whole, answers(n=5, f=6), CONTEXT).refused == {AnswerKey("f"): "At most 5, please."}
    assert evaluate(whole, answers(n=5), CONTEXT).refused == {}


def test_calculations_follow_each_other_whatever_their_order():
    whole = definition(
        question("c", "calculate", calculation="${b} * 2"),
        question("b", "calculate", calculation="${a} + 1"),
        question("a", "integer"),
    )
    assert evaluate(whole, answers(a=2), CONTEXT).calculated == {AnswerKey("c"): 6, AnswerKey("b"): 3}
    assert evaluate(whole, {}, CONTEXT).calculated == {AnswerKey("c"): None, AnswerKey("b"): None}


def test_a_page_without_questions_to_ask_is_hidden():
    whole = definition(
        question("a", relevant="false()"), Item(None, "note", "n", "note"), question("c", "calculate", calculation="1")
    )
    assert "p1" in evaluate(whole, {}, CONTEXT).hidden


def test_choice_filter():
    whole = definition(question("p"), question("t", "select_one", choices=TOWNS, choice_filter="province = ${p}"))
    found = evaluate(whole, {AnswerKey("p", "", "en"): Given("a"), **answers(t="b1")}, CONTEXT)
    assert found.offered == {"t": ("a1",)}
    assert AnswerKey("t") in found.refused


def test_evidence_when_a_rule_says_so():
    whole = definition(
        question("b1", "select_one", choices=STATES, settings={"evidence_required": "${b1} = 'done'"}),
        question("x", settings={"evidence_required": True}),
    )
    assert evaluate(whole, answers(b1="done"), CONTEXT).evidence == {"b1", "x"}
    assert evaluate(whole, answers(b1="part"), CONTEXT).evidence == {"x"}


def test_names_in_labels_are_filled_with_labels():
    whole = definition(question("b1", "select_one", choices=STATES))
    assert fill("State: ${b1} / ${zz}", whole, {"b1": "done"}, "en") == "State: Done / …"


VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.text(max_size=3), max_size=2))


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=4, max_size=4), st.sampled_from(["answered", "not_available", "not_applicable"]))
def test_total_and_hidden_never_required(values, state):
    whole = definition(
        question("a", "select_multiple", choices=STATES, required="yes"),
        question("b", "integer", relevant="count-selected(${a}) > 1", required="${a} != ''", constraint=". > ${d}"),
        question("c", "calculate", calculation="${b} div ${d}"),
        question("d", "decimal", relevant="${b} or ${a}", required="yes"),
    )
    given_ = {AnswerKey(code): Given(value, state) for code, value in zip("abcd", values, strict=True)}
    found = evaluate(whole, given_, CONTEXT)
    assert not {key.code for key in found.required | set(found.missing)} & found.hidden


def test_what_is_put_into_html_is_escaped_labels_of_choices_too():
    where = Item(None, "question", "where", "select_one", choices=(Choice("a", {"en": "<b>Here</b> & there"}),))
    why = Item(None, "question", "why", "text")
    one = Definition(None, "q", None, {}, ("en",), "en", (Item(None, "section", "page", children=(where, why)),))
    values = {"where": "a", "why": "<script>"}
    assert fill("${where} ${why}", one, values, "en") == "<b>Here</b> & there <script>"
    html = fill("<p>${where} ${why}</p>", one, values, "en", html_escape)
    assert html == "<p>&lt;b&gt;Here&lt;/b&gt; &amp; there &lt;script&gt;</p>"


@pytest.mark.parametrize("kind", sorted(question_types()))
@pytest.mark.parametrize("rule", ["concat('so', 'on')", "1 div 0", "-1.5", "''", "true()", "'2022-13-45'"])
def test_what_a_rule_makes_can_always_be_shown(kind, rule):
    computed, begun = question("a", kind, calculation=rule), question("b", kind, default=rule)
    found = evaluate(definition(computed, begun, question("c", kind, default="so on")), {}, CONTEXT)
    for key, value in {**found.calculated, **found.defaults}.items():
        known, item = question_type(kind), computed if key.code == "a" else begun
        known.text(value, item, "km")
        known.cell(value, item, "km")
        known.raw(value, item)
        assert key.code in {"a", "b", "c"}


def of_every_kind():
    """Return a questionnaire whose questions have each rule and none, outside tables, in one, and in one within it."""
    def some(prefix: str, before: str) -> tuple[Item, ...]:
        return (
            question(f"{prefix}plain"),
            question(f"{prefix}asked", "integer", required="yes"),
            question(f"{prefix}judged", "integer", constraint=". < 5", settings={"soft_constraint": ". < 3"}),
            question(f"{prefix}shown", relevant=f"${{{before}}} != ''"),
            question(f"{prefix}begun", "integer", default="7", constraint=". < 5"),
            question(f"{prefix}chosen", "select_one", choices=TOWNS, choice_filter=f"province = ${{{before}}}"),
            question(f"{prefix}proved", settings={"evidence_required": "yes"}),
            question(f"{prefix}computed", "calculate", calculation=f"count-selected(${{{before}}}) + 1"),
        )

    inner = Item(None, "repeat", "u", children=some("z", "yplain"))
    table = Item(None, "repeat", "t", relevant="${xplain} != 'a'", children=(*some("y", "xplain"), inner))
    group = Item(None, "group", "g", relevant="${xasked} != 1", children=(question("in_g"), table))
    return definition(*some("x", "xplain"), group)


ROWS_OF_EVERY_KIND = {"t": [TableRow("r1"), TableRow("r2")], "u": [TableRow("s1", "r1"), TableRow("s2", "r2")]}
KEYS_OF_EVERY_KIND = [
    AnswerKey(step.item.code, row, key.lang)
    for step in of_every_kind().compiled.questions
    for key in step.keys
    for row in {"": ("",), "t": ("r1", "r2"), "u": ("s1", "s2")}[step.table]
]


def verdict(whole, said):
    found = evaluate(whole, said, CONTEXT, ROWS_OF_EVERY_KIND)
    seen = {row: dict(found.seen_from(AnswerKey("zplain", row))) for row in ("s1", "s2")}
    return {name: value for name, value in vars(found).items() if name != "frames"} | {"seen": seen}


@given(st.dictionaries(st.sampled_from(KEYS_OF_EVERY_KIND), st.sampled_from([
    Given("a"), Given(1), Given(4), Given(None), Given(None, "not_available"), Given(None, "answered", "what"),
]), max_size=12))  # fmt: skip
def test_questions_without_rules_are_passed_over_and_nothing_else_is_said_of_them(said):
    short, whole = of_every_kind(), of_every_kind()
    assert {step.item.code for step in short.compiled.steps if step.plain and step.free} >= {"xplain", "yplain", "in_g"}
    for step in whole.compiled.steps:
        object.__setattr__(step, "plain", False)
        object.__setattr__(step, "free", False)
    assert verdict(short, said) == verdict(whole, said)
