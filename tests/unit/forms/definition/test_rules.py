"""The judging of rules: names, paths, tables, circles; every mistake with its place, all at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from forms.definition.model import Choice, Item
from forms.definition.report import Findings
from forms.definition.rows import RawRow
from forms.definition.rules import Rules

TOWNS = (Choice("a1", {"en": "A1"}, {"province": "a"}), Choice("b1", {"en": "B1"}, {"province": "b"}))


class Headers:
    """Names the columns as the roles."""

    def header(self, role: str) -> str:
        return role


def question(code: str, kind: str = "integer", **more: object) -> Item:
    return Item(None, "question", code, kind, **more)  # type: ignore[arg-type] # short ways of a test


def table(code: str, *columns: Item, **more: object) -> Item:
    return Item(None, "repeat", code, children=columns, **more)  # type: ignore[arg-type] # short ways of a test


def judged(*items: Item) -> list[tuple[str, int | None, str, str]]:
    """Return every finding: severity, row, column, sentence."""
    page = Item(None, "section", "page_1", children=items)
    survey = SimpleNamespace(
        pages=(page,),
        places={item.code: RawRow("survey", number, {}) for number, item in enumerate(page.items(), 1)},
        lost=set(),
        unknown=set(),
        headers=Headers(),
        lists={"towns": TOWNS},
        tables={},
    )
    findings = Findings()
    Rules(survey, findings)  # type: ignore[arg-type] # a survey by shape
    return [(one.severity, one.row, one.field or one.column, str(one.message)) for one in findings.sorted()]


def test_good_rules_of_tables_have_no_mistakes():
    assert judged(
        question("n"),
        table(
            "t",
            question("a", relevant="${n} > 0", constraint=". <= ../b and position(..) < 9"),
            question("b", calculation="indexed-repeat(${a}, ${t}, position(..) - 1) + sum(../../t[a > 3]/a)"),
            table("u", question("c", relevant="${a} = 1", required="count(${u}) > 1"), settings={"repeat_count": "${a}"}),
        ),
        question("s", "calculate", calculation="sum(${a}) + count(${t}) + ${t}[a = 2]/b"),
        question("p", "text", default="pulldata('towns', 'province', 'name', 'a1')"),
        question("q", "select_one", choices=TOWNS, choice_filter="province = ${p}", default="a1"),
        question("r", calculation="instance('towns')/root/item[name = ${q}]/province = current()/../p"),
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("${nobody} = 1", "no question named"),
        ("selectd(${n}, 'a')", "Did you mean selected()"),
        ("if(${n})", "written if(condition, then, else)"),
        ("${g} = 1", "is a group"),
        ("../n = 1", "leads to no “n”"),
        ("../../nothing = 1", "no question “nothing”"),
        ("../.. = 1", "names a group"),
        ("${t}[nothing = 1]/a", "no column “nothing”"),
        ("${n}[. = 1]/b", "leads to no"),
        ("position(${c}/..) = 1", "rows around the question"),
        ("indexed-repeat(${n}, ${t}, 1)", "does not stand in the table"),
        ("indexed-repeat(${a}, ${t}, 1, ${u})", "table and a row number"),
        ("instance('towns')/root/item[size = 1]/name = ''", "no column “size”"),
        ("instance('towns')/item/name = ''", "A table is read as"),
        ("pulldata('towns', 'size', 'name', 'a1') = 1", "no column “size”"),
        ("regex(${n}, '(a')", "pattern"),
        ("random() > 1", "same result"),
        ("${n} = 1 2", "cannot be read"),
    ],
)
def test_each_mistake_has_its_place(source, says):
    (found,) = judged(
        question("n"),
        Item(None, "group", "g", children=(question("b"),)),
        table("t", question("a"), question("x", relevant=source), table("u", question("c"))),
    )
    assert (found[0], found[1], found[2]) == ("error", 7, "relevant")
    assert says in found[3]


def test_all_mistakes_at_once():
    found = judged(
        question("a", relevant="foo(1) or bar(2)", constraint="${x} = ${y}"),
        question("b", default="${z} + 1", settings={"repeat_count": "1 +"}),
        table("t", settings={"repeat_count": "${w}"}),
        Item(None, "repeat", "o", children=(Item(None, "matrix", "m", choices=TOWNS),)),
    )
    assert [(row, column) for _severity, row, column, _says in found] == [
        (2, "relevant"), (2, "relevant"), (2, "constraint"), (2, "constraint"), (3, "repeat_count"), (3, "default"),
        (4, "repeat_count"), (6, "type"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "items",
    [
        (question("a", relevant="${b} = 1"), question("b", relevant="${a} = 1")),
        (question("a", calculation="${a} + 1"),),
        (table("t", question("a", calculation="sum(../../t/b)"), question("b", calculation="${a} + 1")),),
        (table("t", question("a", calculation="indexed-repeat(${a}, ${t}, position(..) - 1) + 1")),),
        (question("s", "calculate", calculation="sum(${a})"), table("t", question("a", relevant="${s} < 10"))),
        (table("t", question("a"), relevant="count(${t}) > 0 or ${a} = 1"),),
        (question("a", default="${b} + 1"), question("b", default="${a} + 1")),
    ],
)
def test_circles_are_refused_also_through_rows(items):
    found = judged(*items)
    assert any("circle" in says or "from itself" in says for severity, *_place, says in found if severity == "error")


def test_a_table_that_nobody_attached_is_a_warning():
    (found,) = judged(question("a", calculation="pulldata('budget', 'amount', 'code', 'x')"))
    assert found[0] == "warning"
    assert "attached" in found[3]
