"""Trying a questionnaire out on plain answers."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from forms.definition.model import Choice
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
