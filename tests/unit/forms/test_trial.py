"""Trying a questionnaire out on plain answers."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from forms.answers import STATE_SUFFIX
from forms.definition.model import Choice
from forms.questionnaire import SectionForm, read_answers
from forms.trial import trial
from tests.unit.forms.test_rows import CONTEXT, MEASURES, definition, matrix, question, table

TOWNS = (Choice("a1", {"en": "A1"}, {"p": "a"}), Choice("b1", {"en": "B1"}, {"p": "b"}))


def by_name(told: dict[str, object]) -> dict[str, dict[str, object]]:
    return {f"{one['code']}[{one['row']}]" if one["row"] else one["code"]: one for one in told["questions"]}  # type: ignore[attr-defined] # as JSON


def test_rows_as_lists():
    told = trial(MEASURES, {"measures": [{"kind": "law", "cost": 9}, {"key": "x", "kind": "no"}], "most": 8}, CONTEXT)
    found = by_name(told)
    assert list(found) == [
        "total", "kind[r1]", "kind[x]", "cost[r1]", "cost[x]", "place[r1]", "place[x]", "most", "rows", "first",
    ]  # fmt: skip
    assert (found["cost[r1]"]["valid"], found["cost[r1]"]["value"], found["cost[r1]"]["required"]) == (False, 9, True)
    assert (found["cost[x]"]["relevant"], found["cost[x]"]["required"], found["cost[x]"]["value"]) == (
        False,
        False,
        None,
    )
    assert (found["place[x]"]["value"], found["total"]["value"]) == ("2: no", 9)
    assert told["hidden"] == ["cost[x]"]
    assert not told["complete"]
    json.dumps(told)


def test_a_table_in_a_table_and_a_matrix():
    whole = definition(
        table("o", table("i", question("n", required="yes")), question("sum", "calculate", calculation="sum(${n})")),
        matrix("m", question("k")),
        question("t", "text"),
        question("c", "select_one", choices=TOWNS, choice_filter="p = 'a'"),
        question("d", default="4"),
    )
    told = trial(
        whole,
        {
            "o": [{"i": [{"n": 1}, {"n": 2}]}, {"i": [{"n": None}]}],
            "m": {"f": {"k": 3}},
            "t": "own",
            "t@en": "English",
            "n[r9]": 5,
        },
        CONTEXT,
    )
    found = by_name(told)
    assert (found["sum[r1]"]["value"], found["sum[r2]"]["value"]) == (3, 0)
    assert (found["n[r3]"]["missing"], found["k[f]"]["value"], found["k[m]"]["value"]) == (True, 3, None)
    assert found["t"]["value"] == {"km": "own", "en": "English"}
    assert found["c"]["choices"] == ["a1"]
    assert found["d"]["value"] == 4


def test_what_cannot_be_read_is_said():
    told = trial(
        MEASURES,
        {
            "nobody": 1,
            "most": "many",
            "measures": "x",
            "kind": "law",
            "": 1,
            "p1": 1,
            "most[r1]": 3,
            "rows": {"state": "?"},
        },
        CONTEXT,
    )
    assert set(told["problems"]) == {"nobody", "most", "measures", "kind", "", "p1", "most[r1]"}


@pytest.mark.parametrize(
    ("kind", "value", "posted", "state"),
    [
        ("integer", 7, "7", ""),
        ("integer", 12, "12", ""),  # over its bound
        ("integer", "many", "many", ""),
        ("decimal", 1.234, "1.2340", ""),  # a number is a number, whatever a typed 1.234 may mean
        ("integer", {"state": "not_available"}, "", "not_available"),
        ("integer", {"state": "not_applicable"}, "", "not_applicable"),  # not on offer
        ("integer", {"state": "lost"}, "", "lost"),
        ("date", "2022-02-30", "2022-02-30", ""),
        ("select_one", "zz", "zz", ""),
    ],
)
def test_a_sample_answer_is_judged_as_a_posted_one(kind, value, posted, state):
    asked = question("q", kind, settings={"end": "10", "not_available": True}, choices=TOWNS if kind == "select_one" else ())
    whole = definition(asked, question("sees", "calculate", calculation="concat('[', ${q}, ']')"))
    post = MultiDict({"q": posted} | ({f"q{STATE_SUFFIX}": state} if state else {}))
    with Flask("forms").test_request_context("/", method="POST"):
        form = SectionForm([asked], CONTEXT, post)
        form.validate()
    (parsed,) = read_answers(form, [asked]).values()
    told = trial(whole, {"q": value}, CONTEXT)
    found = by_name(told)
    message = None if parsed.message is None else str(parsed.message)
    assert (found["q"]["message"], found["q"]["value"]) == (message, parsed.value)
    # what is not taken is not read by other rules
    assert found["sees"]["value"] == f"[{parsed.value if parsed.value is not None else ''}]"


def test_what_an_answer_begins_with_is_judged_like_any_other():
    whole = definition(
        question("from"),
        question("to", default="${from} + 1", constraint=". <= 2024", texts={"constraint_message": {"en": "No later."}}),
        question("town", "select_one", choices=TOWNS, default="b1", choice_filter="p = 'a'"),
    )
    told = trial(whole, {"from": 2024}, CONTEXT)
    assert told["problems"]["to"] == "No later."
    assert set(told["problems"]) == {"to", "town"}
    assert not told["complete"]
    assert set(trial(whole, {"from": 2023, "town": "a1"}, CONTEXT)["problems"]) == set()


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "cost", "key", "state", "measures"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["measures", "kind", "cost", "most", "kind[r1]", "total", "x@km"]), PLAIN, max_size=4
    )
)
def test_total_and_hidden_never_required(given_):
    told = trial(MEASURES, given_, CONTEXT)
    assert not [one for one in told["questions"] if one["required"] and not one["relevant"]]


def test_what_warns_is_told_beside_what_blocks():
    whole = definition(
        question("all", "integer"),
        question("women", "integer", settings={"part_of": "all"}),
        table("t", question("begin", "date"), question("end", "date")),
    )
    told = trial(whole, {"all": 5, "women": 7, "t": [{"begin": "2024-02-01", "end": "2024-01-01"}]}, CONTEXT)
    assert [(one["name"], one["code"], one["row"]) for one in told["warnings"]] == [
        ("over_total all", "all", ""),
        ("reversed end[r1]", "end", "r1"),
    ]
    assert told["complete"], "a warning blocks nothing: it may be kept with a reason"
    assert trial(whole, {"all": 5, "women": 3}, CONTEXT)["warnings"] == []
    json.dumps(told)
