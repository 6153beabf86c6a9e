"""Rules inside tables: each rule of a column is applied in every row, whatever stands in what."""

from __future__ import annotations

from datetime import date

from forms.answers import AnswerKey, Given, TableRow, is_hidden
from forms.definition.model import Choice, Definition, Item
from forms.evaluation import Context, Evaluation, evaluate, fill

CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "en")
SEXES = (Choice("f", {"en": "Women"}), Choice("m", {"en": "Men"}), Choice("x", {"en": "Old"}, retired=True))


def question(code: str, kind: str = "integer", **more: object) -> Item:
    return Item(None, "question", code, kind, **more)  # type: ignore[arg-type] # short ways of a test


def table(code: str, *columns: Item, **more: object) -> Item:
    return Item(None, "repeat", code, children=columns, **more)  # type: ignore[arg-type] # short ways of a test


def matrix(code: str, *columns: Item, **more: object) -> Item:
    return Item(None, "matrix", code, choices=SEXES, children=columns, **more)  # type: ignore[arg-type] # short ways of a test


def definition(*items: Item) -> Definition:
    return Definition(None, "q", None, {"en": "Q"}, ("km", "en"), "km", (Item(None, "section", "p1", children=items),))


def said(given: dict[str, object]) -> dict[AnswerKey, Given]:
    found = {}
    for name, value in given.items():
        code, _, row = name.rstrip("]").partition("[")
        found[AnswerKey(code, row)] = value if isinstance(value, Given) else Given(value)  # type: ignore[arg-type] # short ways of a test
    return found


def judged(whole: Definition, given: dict[str, object], **rows: list[tuple[str, str] | str]) -> Evaluation:
    named = {
        code: [TableRow(*([one] if isinstance(one, str) else one)) for one in found] for code, found in rows.items()
    }
    return evaluate(whole, said(given), CONTEXT, named)


def calculated(found: Evaluation) -> dict[str, object]:
    return {f"{key.code}[{key.row}]" if key.row else key.code: value for key, value in found.calculated.items()}


MEASURES = definition(
    question("total", "calculate", calculation="sum(${cost})"),
    table(
        "measures",
        question("kind", "text", required="yes", settings={"one_language": True}),
        question("cost", relevant="${kind} = 'law'", required="yes", constraint=". <= ${most}"),
        question("place", "calculate", calculation="concat(position(..), ': ', ${kind})"),
    ),
    question("most"),
    question("rows", "calculate", calculation="count(${measures})"),
    question("first", "calculate", calculation="${kind}"),
)


def test_each_row_by_itself():
    found = judged(
        MEASURES,
        {"kind[r1]": "law", "kind[r2]": "other", "cost[r2]": 7, "cost[r3]": 9, "kind[r3]": "law", "most": 8},
        measures=["r1", "r2", "r3", "r4"],
    )
    assert found.hidden == {"cost[r2]", "cost[r4]"}
    assert found.is_hidden(AnswerKey("cost", "r2"))
    assert not found.is_hidden(AnswerKey("cost", "r1"))
    assert is_hidden(frozenset({"cost"}), AnswerKey("cost", "r9", "km"))
    assert found.missing == (AnswerKey("kind", "r4"), AnswerKey("cost", "r1"))
    assert list(found.refused) == [AnswerKey("cost", "r3")]
    assert calculated(found) == {
        "total": 9,
        "place[r1]": "1: law",
        "place[r2]": "2: other",
        "place[r3]": "3: law",
        "place[r4]": "4: ",
        "rows": 4,
        "first": "law",
    }


def test_removed_and_unknown_rows_are_not_looked_at():
    found = judged(MEASURES, {"kind[gone]": Given(None, typed="?"), "cost[gone]": 5}, nowhere=["r1"])
    assert (found.missing, found.unreadable, found.hidden) == ((), (), frozenset())
    assert calculated(found) == {"total": 0, "rows": 0, "first": None}


def test_a_column_hidden_in_every_row_is_named_once():
    found = judged(MEASURES, {"kind[r1]": "x"}, measures=["r1", "r2"])
    assert found.hidden == {"cost"}


def test_a_hidden_table_asks_nothing():
    whole = definition(
        question("any", "text", settings={"one_language": True}),
        table("t", question("a", required="yes"), relevant="${any} = 'yes'"),
        question("rows", "calculate", calculation="count(${t}) + sum(${a})"),
    )
    found = judged(whole, {"a[r1]": 3}, t=["r1", "r2"])
    assert found.hidden == {"t", "a"}
    assert (found.missing, calculated(found)) == ((), {"rows": 0})
    found = judged(whole, {"a[r1]": 3, "any": "yes"}, t=["r1", "r2"])
    assert (found.missing, calculated(found)) == ((AnswerKey("a", "r2"),), {"rows": 5})


def test_a_table_in_a_table():
    whole = definition(
        table(
            "inst",
            question("name", "text", settings={"one_language": True}),
            table(
                "staff",
                question("n", constraint=". <= ${limit}"),
                question("who", "calculate", calculation="concat(${name}, position(..))"),
                relevant="${name} != 'none'",
                settings={"repeat_count": "${limit}"},
            ),
            question("sum", "calculate", calculation="sum(${n})"),
        ),
        question("limit"),
        question("all", "calculate", calculation="sum(${n})"),
        question("inner", "calculate", calculation="count(${staff})"),
    )
    found = judged(
        whole,
        {
            "name[a]": "A",
            "name[b]": "B",
            "name[c]": "none",
            "n[s1]": 1,
            "n[s2]": 2,
            "n[s3]": 40,
            "n[s4]": 8,
            "limit": 9,
        },
        inst=["a", "b", "c"],
        staff=[("s3", "b"), ("s1", "a"), ("s2", "a"), ("s4", "c"), ("s5", "lost")],
    )
    assert calculated(found) == {
        "who[s1]": "A1",
        "who[s2]": "A2",
        "who[s3]": "B1",
        "sum[a]": 3,
        "sum[b]": 40,
        "sum[c]": 0,
        "all": 43,
        "inner": 3,
    }
    assert found.hidden == {"staff[c]", "n[s4]", "who[s4]"}
    assert list(found.refused) == [AnswerKey("n", "s3")]
    assert found.counts == {"staff[a]": 9, "staff[b]": 9}


def test_a_matrix_has_its_rows_from_the_definition():
    whole = definition(
        matrix(
            "by_sex",
            question("done", required="yes"),
            question("part"),
            question("both", "calculate", calculation="${done} + ${part}"),
        ),
        question("all", "calculate", calculation="sum(${both})"),
    )
    found = judged(whole, {"done[f]": 1, "part[f]": 2, "done[x]": 9})
    assert found.missing == (AnswerKey("done", "m"),)
    assert calculated(found) == {"both[f]": 3, "both[m]": None, "all": 3}


def test_a_group_in_a_table_is_judged_in_each_row():
    group = Item(None, "group", "g", children=(question("a", required="yes"),), relevant="${on} = 1")
    found = judged(definition(table("t", question("on"), group)), {"on[r1]": 1}, t=["r1", "r2"])
    assert found.hidden == {"g[r2]", "a[r2]"}
    assert found.missing == (AnswerKey("a", "r1"),)


def test_choices_and_messages_of_the_same_row():
    towns = (Choice("a1", {"en": "A1"}, {"province": "a"}), Choice("b1", {"en": "B1"}, {"province": "b"}))
    whole = definition(
        table(
            "t",
            question("p", "text", settings={"one_language": True}),
            question("town", "select_one", choices=towns, choice_filter="province = ${p}"),
            question("n", constraint="false()", texts={"constraint_message": {"en": "Not for ${p}."}}),
        )
    )
    found = judged(whole, {"p[r1]": "a", "p[r2]": "b", "town[r2]": "a1", "n[r2]": 1}, t=["r1", "r2"])
    assert found.offered == {"town[r1]": ("a1",), "town[r2]": ("b1",)}
    assert set(found.refused) == {
        AnswerKey("n", "r2"),
        AnswerKey("town", "r2"),
    }
    assert found.refused[AnswerKey("n", "r2")] == "Not for b."
    assert fill("In ${p}", whole, found.seen_from(AnswerKey("n", "r1")), "en") == "In a"
    assert fill("In ${p}", whole, found.seen_from(AnswerKey("p")), "en") == "In …"


def test_an_answer_begins_with_its_default_until_it_is_saved():
    whole = definition(
        question("year", "year", default="2022"),
        table("t", question("y", "year", default="${year} + 1", required="yes"), question("z", relevant="${y} > 2022")),
        question("at", "date", default="today()"),
        question("sort", "select_multiple", choices=SEXES, default="m f"),
        question("plain", "text", default="(none) so far"),
    )
    found = judged(whole, {"y[r2]": 2020, "y[r3]": Given(None)}, t=["r1", "r2", "r3"])
    assert found.defaults == {
        AnswerKey("year"): 2022,
        AnswerKey("y", "r1"): 2023,
        AnswerKey("at"): "2022-05-09",
        AnswerKey("sort"): ["f", "m"],
        AnswerKey("plain", "", "km"): "(none) so far",
    }
    assert found.missing == (AnswerKey("y", "r3"),)
    assert found.hidden == {"z[r2]", "z[r3]"}
